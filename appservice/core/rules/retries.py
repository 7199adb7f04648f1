"""Whether and when a failed attempt is repeated, by the cause of its failure. Pure."""

from datetime import timedelta
from enum import StrEnum

from appservice.core.errors import MediaError
from transcode import NO_SPACE, SCARCE, TranscodeError

BACK_OFF = (timedelta(seconds=2), timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=10))
"""The delays after the first and each further attempt that failed for a transient cause."""

SOON = (timedelta(seconds=2), timedelta(seconds=5))
"""The delays while the homeserver does not have a file: another one may be on the way to it."""

SECOND_TRY = timedelta(seconds=1)
"""The delay before the one repetition after a failure of unknown cause."""

LONGEST_WAIT = timedelta(days=1)
"""How long a file may come after its event: as long as Synapse by default waits for an upload."""

SOONEST = timedelta(seconds=2)
"""The first delay after a file was found to be not uploaded yet."""

_LATEST, _PATIENCE = timedelta(seconds=20), 10
_TRANSIENT = frozenset({"download-failed", "disk-full", "overloaded"})
_MISSING = frozenset({"media-gone"})


class Cause(StrEnum):
    """What a failure decides about the next attempt.

    PERMANENT: it would fail in the same way. MISSING: the file is not there, or not yet. TRANSIENT: the file is not to
    blame, and what is may pass. UNKNOWN: an ffmpeg that ended as nobody expected, a mistake of ours; mostly the file
    brings it about each time.
    """

    PERMANENT = "permanent"
    MISSING = "missing"
    TRANSIENT = "transient"
    UNKNOWN = "unknown"


def cause_of(error: MediaError | TranscodeError) -> Cause:
    """Classify a failure."""
    if error.final:
        return Cause.PERMANENT
    if error.code in _MISSING:
        return Cause.MISSING
    return Cause.TRANSIENT if error.code in _TRANSIENT else Cause.UNKNOWN


def retry_delay(error: MediaError | TranscodeError, *, repeated: bool, tries: int, most: int) -> timedelta | None:
    """Return when to try again; None when this failure is the last word.

    `repeated`: the attempt was the one repetition after a failure of unknown cause; `tries` are those that were made,
    this one included, of `most`.
    """
    cause = cause_of(error)
    if tries >= most or cause is Cause.PERMANENT:
        return None
    if cause is Cause.MISSING:
        return SOON[tries - 1] if tries <= len(SOON) else None
    if cause is Cause.TRANSIENT:
        return BACK_OFF[min(tries, len(BACK_OFF)) - 1]
    return None if repeated else SECOND_TRY


def upload_delay(waited: timedelta) -> timedelta | None:
    """Return when to request a file again that is not uploaded yet; None when it is given up."""
    if waited >= LONGEST_WAIT:
        return None
    return min(max(waited / _PATIENCE, SOONEST), _LATEST)


def failure_of(error: Exception) -> MediaError:
    """Return the failure that an exception from outside of the work on a file means: what lacks, or our mistake."""
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return MediaError("disk-full", f"There is no space left: {error}.", final=False)
    if isinstance(error, OSError) and error.errno in SCARCE:
        return MediaError("overloaded", f"This machine is at its limit: {error}.", final=False)
    return MediaError("internal", str(error) or type(error).__name__, final=False)
