"""Map the failure of a program to an error, by its return code and its messages: pure."""

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
    ToolMissing,
    TooManyPixels,
    TooManyStreams,
    TranscodeError,
)

MORE_STREAMS = "exceeds max_streams"
"""ffmpeg's message for a file with more streams than it may open, whether it then goes on or not."""

_SHOWN = 600
# ffmpeg's return codes after signals, SIGXCPU among them: in order after the first one, at once after several
# (`sigterm_handler` in ffmpeg.c). The former is also its code for EPERM, which it then prints.
_STOPPED_BY_SIGNAL = frozenset({255, 123})
_NO_RIGHT = "Operation not permitted"
# In order: the first phrase found decides. ffmpeg prints general errors after the specific one.
_PHRASES: tuple[tuple[str, type[TranscodeError], str], ...] = (
    (MORE_STREAMS, TooManyStreams, "more streams than the limit"),
    ("Changing audio frame properties on the fly", ChangedAudio, "the audio format changes"),
    ("exceeds specified max pixel count", TooManyPixels, "a frame above the limit"),
    ("Cannot allocate memory", TooManyPixels, "decoding needs more memory than the limit"),
    ("Out of memory", TooManyPixels, "decoding needs more memory than the limit"),
    ("x264 [error]: malloc", TooManyPixels, "encoding needs more memory than the limit"),
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
    ("not on whitelist", NoDecoder, "a codec that is not opened: no camera records it"),
    ("matches no streams", NotAVideo, "a track that is needed is not there"),
    ("End of file", BrokenFile, "the file is cut off"),
    ("Invalid data found", BrokenFile, "the file is damaged"),
    ("moov atom not found", BrokenFile, "the file has no index"),
    ("Could not find codec parameters", BrokenFile, "the file is cut off or damaged"),
    ("Empty output", BrokenFile, "nothing in the file can be decoded"),
    ("Conversion failed", BrokenFile, "most of the file cannot be decoded"),
)


def diagnose(program: str, return_code: int, printed: str) -> TranscodeError:
    """Return the error for a program that ended with `return_code` (negative, or above 128: killed by a signal)."""
    killed_by = return_code - 128 if return_code > 0 else -return_code
    if killed_by == signal.SIGKILL:
        # Not by us: then nothing is diagnosed.
        return Overloaded(f"{program} was killed: this machine is out of memory, or somebody ended it")
    if killed_by == signal.SIGXCPU or (return_code in _STOPPED_BY_SIGNAL and _NO_RIGHT not in printed):
        return TookTooLong(
            f"{program} was stopped by a signal: the limit of CPU time was reached, or somebody ended it"
        )
    if killed_by == signal.SIGXFSZ:
        return Failed(f"{program} wrote a file above the limit")
    for phrase, kind, meaning in _PHRASES:
        if phrase in printed:
            return kind(f"{meaning}; {_last(program, printed)}")
    if program.startswith("ffprobe"):
        # It only reads: the cause is in the file.
        return BrokenFile(f"the file cannot be read; {_last(program, printed)}")
    return Failed(f"{program} ended with {return_code}; {_last(program, printed)}")


def _last(program: str, printed: str) -> str:
    return f"{program} said: {printed.strip()[-_SHOWN:] or 'nothing'}"
