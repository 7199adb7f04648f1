"""Command lines that seek, and decode few frames: the poster alone, frames for a fingerprint. Pure."""

from collections.abc import Sequence

import ffmpeg

from transcode.commandline import filters
from transcode.commandline.inputs import ONE_GRAPH, Source, discarded
from transcode.commandline.outputs import compiled, poster_files
from transcode.plan import Plan, poster_rung

FINGERPRINT_SIDE = 32
FINGERPRINT_FRAMES = 4
"""Output of `fingerprint_frames` for each time stamp: number of frames, and their width and height in pixels."""

_POSTER_SHARE = 0.1
_FINGERPRINT_RATE = 10


def poster(source: Source, plan: Plan, *, candidates: int, late: bool) -> list[str]:
    """Write the poster alone, and quickly: chosen among a few key frames, without decoding others.

    Those soon after the start if `late`, since many videos start in black; else the very first ones.
    """
    video, rung = source.probe.video, poster_rung(plan.ladder)
    options: dict[str, object] = {"skip_frame": "nokey"}
    # After seeking, time stamps are not the file's where its clock jumps.
    if late and not video.pixel_aspects:
        options |= {"noaccurate_seek": None, **source.seek_options(plan.duration * _POSTER_SHARE)}
    read = source.read(**options)
    frames = filters.early_poster(filters.source_frames(read, video, rung), rung, candidates, video.hdr)
    timed = source.probe.audio.indexes if video.pixel_aspects else ()
    timing = [discarded(read, index, **{"frames:a": 1}) for index in timed]
    return compiled(source.tools, *poster_files(*frames), *timing)


def fingerprint_frames(source: Source, times: Sequence[float]) -> list[str]:
    """Print some consecutive frames from each of the `times` (seconds) on: small, grey, raw.

    A decoder for each time starts at the key frame before it.
    """
    parts = []
    for time in times:
        # Not accurate, for the displayed frame may have come long before: `fps` keeps it.
        read = source.read(**ONE_GRAPH, noaccurate_seek=None, **source.seek_options(time))
        frames = read[str(source.probe.video.index)].filter("fps", _FINGERPRINT_RATE, start_time=0, eof_action="pass")
        frames = frames.filter("scale", FINGERPRINT_SIDE, FINGERPRINT_SIDE, flags="area").filter("format", "gray")
        frames = frames.filter("setsar", 1).filter("tpad", stop=-1, stop_mode="clone")
        parts.append(frames.filter("trim", end_frame=FINGERPRINT_FRAMES))
    joined = ffmpeg.concat(*parts) if len(parts) > 1 else parts[0]
    written = ffmpeg.output(joined, "-", f="rawvideo", fps_mode="passthrough")
    return compiled(source.tools, written, progress=())
