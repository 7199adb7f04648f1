"""The command line that makes one MP4 of a part of a file, to be sent. Pure."""

from dataclasses import replace

import ffmpeg

from transcode.commandline import audio_filters, filters
from transcode.commandline.first_stage import QUICK
from transcode.commandline.inputs import ONE_GRAPH, Source
from transcode.commandline.outputs import NO_METADATA, compiled, encoding, poster_files
from transcode.mp4.init_segment import CLOCK
from transcode.plan import AUDIO_BITS, Plan
from transcode.settings import Settings

RECORDING = "recording.mp4"
"""The file that `recording` writes."""

# All renditions are encoded from it.
_QUALITY = 21


def recording(source: Source, plan: Plan, first: int) -> list[str]:
    """Write RECORDING, which starts with the frame number `first` and is as long as the plan, and its poster.

    The larger rung of the plan is that of the recording, the smaller that of the poster.
    """
    read = source.read(**ONE_GRAPH)
    whole = replace(plan, frames=first + plan.frames, sparse=False)
    frames = filters.constant_rate(filters.source_frames(read, source.probe.video, plan.ladder[0]), whole)
    video, small = filters.cascade(filters.from_frame(frames, first), plan.ladder, source.probe.video.hdr)
    streams = [video]
    audio = source.audio_of(read)
    if audio is not None:
        streams.append(audio_filters.trimmed(audio, whole.samples - plan.samples, whole.samples))
    options = encoding(plan.ladder[:1], Settings(preset=QUICK), source.limits, plan.key_frame_distance, {})
    options |= {"crf:v:0": _QUALITY, "c:a": "aac", "b:a": AUDIO_BITS, **NO_METADATA}
    made = ffmpeg.output(*streams, RECORDING, f="mp4", movflags="+faststart", video_track_timescale=CLOCK, **options)
    posters = poster_files(*filters.poster(small, plan))
    return compiled(source.tools, made, *posters, *source.discarded_audio(read))
