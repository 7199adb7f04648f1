"""Command lines that examine a file and write none: ffprobe, and ffmpeg as a decoder alone. Pure."""

from pathlib import Path

import ffmpeg

from transcode.commandline.inputs import PLAIN, Access, Source, input_options
from transcode.commandline.outputs import STATISTICS, compiled
from transcode.commandline.preparation import KEY_FRAMES
from transcode.limits import Limits
from transcode.process.tools import Tools
from transcode.source import ffprobe
from transcode.source.codecs import DECODERS, SUBTITLE_DECODERS


def probe(tools: Tools, path: Path, demuxer: str, limits: Limits, access: Access = PLAIN) -> list[str]:
    """Print what `ffprobe.parse` reads."""
    return _ffprobe(tools, path, demuxer, limits, access, "-show_entries", ffprobe.entries(), "-of", "json=compact=1")


def packets(tools: Tools, path: Path, demuxer: str, limits: Limits, access: Access = PLAIN) -> list[str]:
    """Print the time stamps that `PacketTimes` reads, without decoding."""
    entries = "packet=codec_type,stream_index,pts_time,dts_time,duration_time,flags"
    # Matroska has a time stamp for every packet; elsewhere ffprobe may have to parse the packets.
    quick = ("-nofind_stream_info",) if demuxer == "matroska" else ()
    return _ffprobe(tools, path, demuxer, limits, access, *quick, "-show_entries", entries, "-of", "csv=p=0")


def pixel_aspects(source: Source, folder: Path) -> list[str]:
    """Print what `pixel_aspects.KeyFrames` reads, of the file KEY_FRAMES in a folder."""
    entries = ("-select_streams", "v", "-show_entries", "frame=pts_time,sample_aspect_ratio", "-of", "compact=p=0")
    return _ffprobe(source.tools, folder / KEY_FRAMES, "mpegts", source.limits, PLAIN, *entries)


def first_audible_frame(source: Source, index: int) -> list[str]:
    """Print the first frame of an audio track that is not silent, raw, and end."""
    # A limit on the input: silence gives no output that a limit could end.
    read = source.read(t=source.limits.max_duration)
    audible = read[str(index)].filter("silenceremove", start_periods=1, start_threshold="-70dB")
    return compiled(source.tools, ffmpeg.output(audible, "-", f="s16le", **{"frames:a": 1}), progress=())


def verify_audio_format(source: Source) -> list[str]:
    """Decode the audio, and fail where its format changes."""
    read = source.read(reinit_filter=0)
    indexes, longest = source.probe.audio.indexes, source.limits.max_duration
    decoded = [ffmpeg.output(read[str(index)], "-", f="null", t=longest) for index in indexes]
    return compiled(source.tools, *decoded)


def loudness(source: Source) -> list[str]:
    """Print the measurement that `loudness.parse` reads. Raises ValueError for a source without audio."""
    audio = source.audio_of(source.read())
    if audio is None:
        raise ValueError("there is no audio to measure")
    measured = audio.filter("ebur128", peak="sample", framelog="quiet")
    output = ffmpeg.output(measured, "-", f="null", t=source.limits.max_duration)
    return compiled(source.tools, output, level=STATISTICS)


def _ffprobe(tools: Tools, path: Path, demuxer: str, limits: Limits, access: Access, *request: str) -> list[str]:
    options = {**input_options(demuxer, limits), **access.options}
    # It fails on a track of any other codec, even one that is not used.
    options["codec_whitelist"] = f"{DECODERS},{SUBTITLE_DECODERS}"
    arguments = [part for key, value in options.items() for part in (f"-{key}", str(value))]
    return [str(tools.ffprobe), "-hide_banner", "-v", "error", *arguments, *request, access.url(path)]
