"""The one exception tree of `transcode`: each way a job can fail, with a stable code for whoever displays it."""

# ruff: noqa: N818 - the names say what is wrong with the video; all of them derive from TranscodeError.

import errno
from typing import ClassVar

SCARCE = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
"""The `errno` values of the operating system when processes, memory or descriptors are used up for now."""

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The `errno` values of the operating system when a disk, or somebody's quota of it, is full."""


class TranscodeError(Exception):
    """A video cannot be transcoded.

    `code` is a stable slug for programs and for the text the sender reads; the message is English, for the log.
    `final` says that another attempt with the same file and the same limits cannot end differently.
    """

    code: ClassVar[str] = "failed"
    final: ClassVar[bool] = True


class EmptyFile(TranscodeError):
    """The file has no bytes."""

    code = "empty-file"


class NotAVideo(TranscodeError):
    """No known container, or one without a video track: text, playlist, image, or audio alone."""

    code = "not-a-video"


class NoDecoder(TranscodeError):
    """Its video track, or the audio track of a file sent as audio, is in a codec that is not allowed."""

    code = "no-decoder"


class NotAnImage(TranscodeError):
    """What was sent as an image is in none of the known image formats."""

    code = "not-a-picture"


class NotAudio(TranscodeError):
    """What was sent as audio is in none of the known formats, or has no audio track in an allowed codec."""

    code = "not-a-sound"


class BrokenFile(TranscodeError):
    """A known container, but truncated, without its index, or with nothing that can be decoded."""

    code = "broken-file"


class ChangedAudio(BrokenFile):
    """The format of its audio changes within the file, and the filters of this run cannot change with it."""


class TooLong(TranscodeError):
    """It plays longer than the limit, or its renditions would need more space than the limit."""

    code = "too-long"


class TooManyPixels(TranscodeError):
    """A frame or image has more pixels than the limit, or decoding it needs more memory than the limit."""

    code = "too-large-picture"


class TooHighFrameRate(TranscodeError):
    """More frames per second than the limit: no camera records so, but decoding them takes for ever."""

    code = "too-high-frame-rate"


class TooManyStreams(TranscodeError):
    """The container announces more streams than the limit."""

    code = "too-many-streams"


class TookTooLong(TranscodeError):
    """The limit of wall clock or CPU time was reached, or ffmpeg stalled; a less busy machine may manage it."""

    code = "took-too-long"
    final = False


class ToolMissing(TranscodeError):
    """This machine has no suitable ffmpeg; the message says what to install."""

    code = "tool-missing"
    final = False


class DecoderMissing(NoDecoder):
    """This ffmpeg lacks an allowed decoder; the message says which, or what to install."""

    final = False


class DiskFull(TranscodeError):
    """There is no disk space left for the renditions."""

    code = "disk-full"
    final = False


class Overloaded(TranscodeError):
    """This machine lacks memory, processes or descriptors for now: a process did not start, or was killed."""

    code = "overloaded"
    final = False


class Failed(TranscodeError):
    """Anything else: the message holds the end of what ffmpeg printed."""

    code = "failed"
    final = False


TRANSIENT = (TookTooLong, DiskFull, Overloaded)
"""Errors of this machine, not of the file: handling the file in another way would fail as well."""


def shortage(error: OSError) -> TranscodeError | None:
    """Return the error for a resource that an OSError says is used up; None for any other OSError."""
    if error.errno in NO_SPACE:
        return DiskFull(f"the disk is full: {error}")
    return Overloaded(f"this machine is at its limit: {error}") if error.errno in SCARCE else None
