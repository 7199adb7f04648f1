"""Command lines of the first stage: a rung that is quickly encoded, or a stream copy. Pure."""

from dataclasses import replace

from transcode.commandline import audio_filters, filters
from transcode.commandline.inputs import ONE_GRAPH, Source
from transcode.commandline.outputs import compiled, encoding, fragmented, key_times, rung_target
from transcode.copy_policy import StreamCopy
from transcode.mp4.init_segment import AUDIO_RATE, CLOCK
from transcode.plan import SHORTEST_COPIED, Plan, Rung
from transcode.process.encoders import SOFTWARE
from transcode.settings import Settings

QUICK = "superfast"
"""x264's preset for what is soon replaced."""

_ORDERED = frozenset({"av1", "hevc", "vp8", "vp9"})
_WITH_HEADER = frozenset({"matroska", "mov"})


def encode(source: Source, plan: Plan, settings: Settings) -> list[str]:
    """Encode the one rung that is played while the ladder is made: quickly, and nothing else.

    Paths are relative here and below: the working directory has to contain a folder for each rung.
    """
    # ffprobe has looked already. Some codecs, though, do not state the order in which their frames are presented, and
    # some containers do not list their streams at the start.
    known = source.probe.video.codec in _ORDERED and source.demuxer in _WITH_HEADER
    at_once = {"nofind_stream_info": None} if known else {}
    read = source.read(**ONE_GRAPH, **at_once)
    frames = filters.constant_rate(filters.source_frames(read, source.probe.video, plan.fast), plan)
    video = filters.cascade(frames, (plan.fast,), source.probe.video.hdr)
    audio = audio_filters.rung_audio(source.audio_of(read), plan.samples)
    quick = replace(settings, preset=QUICK, encoder=SOFTWARE)
    # Counted from the last key frame, the distance alone would put those after an early one elsewhere.
    keys: dict[str, object] = {
        "force_key_frames": f"expr:not(mod(n,{plan.key_frame_distance}))+eq(n,{plan.early_key_frame})"
    }
    if plan.sparse:
        keys = key_times(plan.fast_durations)
    options = encoding((plan.fast,), quick, source.limits, plan.key_frame_distance, keys)
    return compiled(
        source.tools,
        fragmented([*video, audio], [rung_target(plan.fast, flush_packets=1)], plan.samples, options),
        *source.discarded_audio(read),
    )


def copy(source: Source, stream_copy: StreamCopy) -> list[str]:
    """Stream copy the video, fragmented at its key frames, and the audio where that is possible."""
    samples = round(stream_copy.duration * AUDIO_RATE)
    # Time counts from the first frame. With negative composition offsets, decode times start at 0 in spite of
    # reordering.
    read = source.read(**source.origin_options(stream_copy.start))
    options: dict[str, object] = {"c:v": "copy"}
    if stream_copy.copies_audio:
        audio = read[str(source.probe.audio.index)]
        options["c:a"] = "copy"
    else:
        audio = audio_filters.rung_audio(source.audio_of(read, stream_copy.start), samples)
    video = read[str(source.probe.video.index)]
    return compiled(source.tools, fragmented([video, audio], [copy_target(stream_copy.rung)], samples, options))


def copy_target(rung: Rung) -> str:
    """Describe the file of a stream copy to the tee muxer."""
    return rung_target(rung, min_frag_duration=SHORTEST_COPIED * 1_000_000 // CLOCK)
