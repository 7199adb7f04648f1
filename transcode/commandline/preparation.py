"""Command lines that write intermediate files, before any rendition: joined links, separate audio, captions. Pure."""

from collections.abc import Sequence
from pathlib import Path

import ffmpeg

from transcode.commandline import audio_filters, filters
from transcode.commandline.inputs import Source, discarded, link_inputs
from transcode.commandline.outputs import FLAC, NO_METADATA, STATISTICS, compiled, with_loopback_decoders
from transcode.copy_policy import StreamCopy
from transcode.hls.captions import DECODERS as SUBTITLE_DECODERS
from transcode.hls.captions import MOST_BYTES, Track
from transcode.limits import Limits
from transcode.plan import Rung
from transcode.process.tools import Tools
from transcode.source.ogg_chains import Link

JOINED = "joined.mkv"
"""The file that `join_links` writes."""

AUDIO = "audio.flac"
"""The file that `audio` writes."""

KEY_FRAMES = "keys.ts"
KEY_FRAMES_ORIGIN = 60.0
"""The file that `key_frames` writes, and the second in it that is the origin of the source."""

_JOINED_QUALITY = 12


def join_links(tools: Tools, path: Path, links: Sequence[Link], limits: Limits) -> list[str]:
    """Join the links of an Ogg file, the first of which has video, to JOINED: near lossless, in the size of that."""
    width, height = (max(2, side // 2 * 2) for side in links[0].size or (0, 0))
    box = Rung("", width, height, 0)
    parts = []
    for link, read in zip(links, link_inputs(path, links, limits), strict=True):
        # A missing track is filled up to the duration of the other: with silence, or with the last frame before.
        video = read["v:0"] if link.size else ffmpeg.input(f"color=s={width}x{height}:d=0.04", f="lavfi")
        audio = read["a:0"] if link.has_audio else ffmpeg.input("anullsrc=d=0.01", f="lavfi")
        parts += [filters.letterboxed(video, box).filter("setsar", 1), audio_filters.synchronized(audio)]
    both = ffmpeg.concat(*parts, v=1, a=1).node
    options: dict[str, object] = {"c:v": "libx264", "preset": "superfast", "crf": _JOINED_QUALITY, "c:a": "flac"}
    options |= {"fps_mode": "passthrough", "t": limits.max_duration + 1, **NO_METADATA}
    return compiled(tools, ffmpeg.output(both[0], both[1], JOINED, f="matroska", **options))


def audio(source: Source) -> list[str]:
    """Decode the audio to AUDIO: stereo of one rate, from the origin on, whatever its formats are.

    What cannot be decoded is silent. In a process of its own: beside video, ffmpeg's queues can deadlock.
    """
    # However many packets are damaged: what can be decoded is played, and ffmpeg prints how much that is.
    tolerant = ("-max_error_rate", "1")
    read = source.read()
    indexes, longest = source.probe.audio.indexes, source.limits.max_duration
    mixed = audio_filters.mixed([read[str(index)] for index in indexes])
    made = ffmpeg.output(mixed, AUDIO, **FLAC, t=longest, **NO_METADATA)
    timing = discarded(read, source.probe.video.index)
    line = compiled(source.tools, made, timing, level=STATISTICS, more=tolerant)
    chains = {
        str(index): f"pan={audio_filters.downmix(source.probe.audio, index)},{audio_filters.STEREO}"
        for index in indexes
    }
    return with_loopback_decoders(chains, line, longest)


def captions(source: Source, tracks: Sequence[Track], stream_copy: StreamCopy | None) -> list[str]:
    """Write each subtitle track as WebVTT, timed like a stream copy or encoded rungs; little above MOST_BYTES each."""
    clock = source.origin_options(stream_copy.start if stream_copy else 0.0)
    read = source.read(codec_whitelist=SUBTITLE_DECODERS, **clock)
    options = {"c:s": "webvtt", "f": "webvtt", "fs": MOST_BYTES, "t": source.limits.max_duration, **NO_METADATA}
    return compiled(
        source.tools, *(ffmpeg.output(read[str(track.index)], track.captions.name, **options) for track in tracks)
    )


def key_frames(source: Source) -> list[str]:
    """Copy the key frames to KEY_FRAMES, whose only pixel aspects are those of the frames themselves."""
    read = source.read()
    options: dict[str, object] = {"c": "copy", "bsf": "noise=drop=not(key)", "t": source.limits.max_duration}
    clock: dict[str, object] = {"muxdelay": 0, "muxpreload": 0, "avoid_negative_ts": "disabled"}
    clock["output_ts_offset"] = KEY_FRAMES_ORIGIN
    video = ffmpeg.output(read[str(source.probe.video.index)], KEY_FRAMES, f="mpegts", **options, **clock)
    return compiled(source.tools, video, *(discarded(read, index) for index in source.probe.audio.indexes))
