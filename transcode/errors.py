"""The one exception tree of `transcode`: each way a job can fail, with a stable code for whoever shows it."""

# ruff: noqa: N818 - the names say what is wrong with the video; all of them derive from TranscodeError.

import errno
from typing import ClassVar

SCARCE = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
"""What the operating system says where processes, memory or descriptors are used up just now."""

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the operating system says where a disk, or somebody's share of it, is full."""


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
    """No container that we know, or one without moving pictures: text, playlist, image, or sound alone."""

    code = "not-a-video"


class NoDecoder(TranscodeError):
    """Its video stream, or that of a file sent as audio, is in a codec that we do not open."""

    code = "no-decoder"


class NotAPicture(TranscodeError):
    """What was called a picture is none of the kinds that we know."""

    code = "not-a-picture"


class NotASound(TranscodeError):
    """What was called sound is none of the kinds that we know, or has no sound track that we would decode."""

    code = "not-a-sound"


class BrokenFile(TranscodeError):
    """A container that we know, but cut off, without its index, or with nothing that can be decoded."""

    code = "broken-file"


class ChangedAudio(BrokenFile):
    """The format of its audio changes on the way, and the filters of this run cannot change with it."""


class TooLong(TranscodeError):
    """It plays longer than the limit, or its renditions would need more space than the limit."""

    code = "too-long"


class TooLargePicture(TranscodeError):
    """The picture is larger than the limit, or decoding it needs more memory than the limit."""

    code = "too-large-picture"


class TooHighFrameRate(TranscodeError):
    """More pictures a second than the limit: nobody films so, but decoding them takes for ever."""

    code = "too-high-frame-rate"


class TooManyStreams(TranscodeError):
    """The container announces more streams than the limit."""

    code = "too-many-streams"


class TookTooLong(TranscodeError):
    """The limit of wall clock or CPU time was reached, or nothing moved on; a less busy machine may manage it."""

    code = "took-too-long"
    final = False


class ToolMissing(TranscodeError):
    """This machine has no suitable ffmpeg; the message says what to install."""

    code = "tool-missing"
    final = False


class DecoderMissing(NoDecoder):
    """This ffmpeg lacks a decoder that we would open; the message says which, or what to install."""

    final = False


class DiskFull(TranscodeError):
    """There is no space left for what is made of the file."""

    code = "disk-full"
    final = False


class Overloaded(TranscodeError):
    """This machine lacks memory, processes or descriptors just now: it starts no process, or ended one for others."""

    code = "overloaded"
    final = False


class Failed(TranscodeError):
    """Anything else: the message holds the end of what ffmpeg printed."""

    code = "failed"
    final = False


TRANSIENT = (TookTooLong, DiskFull, Overloaded)
"""What this machine lacks: the file is not to blame, and no other way of treating it would fare better just now."""


def shortage(error: OSError) -> TranscodeError | None:
    """Return what this machine lacks by an error of the operating system; None where it lacks nothing."""
    if error.errno in NO_SPACE:
        return DiskFull(f"the disk is full: {error}")
    return Overloaded(f"this machine is at its limit: {error}") if error.errno in SCARCE else None
