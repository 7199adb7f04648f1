"""Turns the end of a program that failed into one of our errors: pure, by return code and by what it printed."""

import signal

from transcode.errors import (
    BrokenFile,
    ChangedAudio,
    DecoderMissing,
    DiskFull,
    Failed,
    NoDecoder,
    NotAVideo,
    Overloaded,
    TookTooLong,
    TooLargePicture,
    ToolMissing,
    TooManyStreams,
    TranscodeError,
)

MORE_STREAMS = "exceeds max_streams"
"""What ffmpeg prints of a file with more streams than it may open, whether it then goes on or not."""

_SHOWN = 600
# How ffmpeg ends that was told to by signals, SIGXCPU among them: at the first, in order, or in haste after some
# (`sigterm_handler` in ffmpeg.c). The former is also its code for EPERM, of which it then tells.
_TOLD_TO_END = frozenset({255, 123})
_NO_RIGHT = "Operation not permitted"
# In order: the first phrase found decides. What ffmpeg prints for a cause comes with general complaints after it.
_PHRASES: tuple[tuple[str, type[TranscodeError], str], ...] = (
    (MORE_STREAMS, TooManyStreams, "more streams than the limit"),
    ("Changing audio frame properties on the fly", ChangedAudio, "the audio changes its format"),
    ("exceeds specified max pixel count", TooLargePicture, "a picture above the limit"),
    ("Cannot allocate memory", TooLargePicture, "decoding needs more memory than the limit"),
    ("Out of memory", TooLargePicture, "decoding needs more memory than the limit"),
    ("x264 [error]: malloc", TooLargePicture, "encoding needs more memory than the limit"),
    (
        "doesn't support hardware accelerated AV1",
        DecoderMissing,
        "this ffmpeg cannot decode AV1: install one with libdav1d",
    ),
    ("Unknown input format", ToolMissing, "this ffmpeg cannot read such files"),
    ("no decoder found for", DecoderMissing, "this ffmpeg lacks a decoder"),
    ("Decoder not found", DecoderMissing, "this ffmpeg lacks a decoder"),
    (
        "Resource temporarily unavailable",
        Overloaded,
        "no thread may start: memory or processes are at their limit",
    ),
    ("No space left on device", DiskFull, "the disk is full"),
    ("Disk quota exceeded", DiskFull, "the disk's quota is used up"),
    ("ended prematurely", BrokenFile, "the file is cut off"),
    ("not on whitelist", NoDecoder, "a codec that is not opened: nobody films with it"),
    ("matches no streams", NotAVideo, "a track that is needed is not there"),
    ("End of file", BrokenFile, "the file is cut off"),
    ("Invalid data found", BrokenFile, "the file is damaged"),
    ("moov atom not found", BrokenFile, "the file has no index"),
    ("Could not find codec parameters", BrokenFile, "the file is cut off or damaged"),
    ("Empty output", BrokenFile, "nothing in the file can be decoded"),
    ("Conversion failed", BrokenFile, "most of the file cannot be decoded"),
)


def diagnose(program: str, return_code: int, printed: str) -> TranscodeError:
    """Give the error for a program that ended with `return_code` (negative, or above 128: killed by that signal)."""
    killed_by = return_code - 128 if return_code > 0 else -return_code
    if killed_by == signal.SIGKILL:
        # Not by us: then nobody would ask.
        return Overloaded(f"{program} was killed: this machine is out of memory, or somebody ended it")
    if killed_by == signal.SIGXCPU or (return_code in _TOLD_TO_END and _NO_RIGHT not in printed):
        return TookTooLong(f"{program} was told to end: the limit of CPU time was reached, or somebody ended it")
    if killed_by == signal.SIGXFSZ:
        return Failed(f"{program} wrote a file above the limit")
    for phrase, kind, meaning in _PHRASES:
        if phrase in printed:
            return kind(f"{meaning}; {_last(program, printed)}")
    if program.startswith("ffprobe"):
        # It only looks: what it stumbles over is in the file.
        return BrokenFile(f"the file cannot be read; {_last(program, printed)}")
    return Failed(f"{program} ended with {return_code}; {_last(program, printed)}")


def _last(program: str, printed: str) -> str:
    return f"{program} said: {printed.strip()[-_SHOWN:] or 'nothing'}"
