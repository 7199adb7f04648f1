"""What is retried, when, and what is reported at once."""

import errno
from datetime import timedelta

import pytest

from appservice.core.errors import MediaError
from appservice.core.rules.retries import (
    BACK_OFF,
    LONGEST_WAIT,
    SECOND_TRY,
    SOON,
    Cause,
    cause_of,
    failure_of,
    retry_delay,
    upload_delay,
)
from transcode import TranscodeError
from transcode.errors import BrokenFile, DiskFull, Failed, TookTooLong, ToolMissing

GONE = MediaError("media-gone", "It is gone.", final=True)
MISSING = MediaError("media-gone", "It is not there.", final=False)
AWAY = MediaError("download-failed", "No response.", final=False)


def _mistake() -> MediaError:
    return failure_of(OverflowError("cannot convert float infinity to integer"))


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (GONE, Cause.PERMANENT),
        (BrokenFile(), Cause.PERMANENT),
        (MISSING, Cause.MISSING),
        (AWAY, Cause.TRANSIENT),
        (DiskFull(), Cause.TRANSIENT),
        (failure_of(OSError(errno.ENOSPC, "No space left on device")), Cause.TRANSIENT),
        (failure_of(OSError(errno.EDQUOT, "Disk quota exceeded")), Cause.TRANSIENT),
        (failure_of(FileNotFoundError(errno.ENOENT, "No such file")), Cause.UNKNOWN),
        (_mistake(), Cause.UNKNOWN),
        (Failed(), Cause.UNKNOWN),
        (TookTooLong(), Cause.UNKNOWN),
        (ToolMissing(), Cause.UNKNOWN),
    ],
)
def test_causes(error: MediaError | TranscodeError, cause: Cause) -> None:
    assert cause_of(error) is cause


def _delays(error: MediaError | TranscodeError, most: int = 5) -> list[timedelta]:
    """The delays until the last word, when every attempt fails alike."""
    delays: list[timedelta] = []
    for tries in range(1, 100):
        delay = retry_delay(error, repeated=bool(delays), tries=tries, most=most)
        if delay is None:
            return delays
        delays.append(delay)
    raise AssertionError("it is tried for ever")


def test_errors_of_the_file_are_reported_at_once() -> None:
    assert _delays(GONE) == _delays(BrokenFile()) == []


def test_what_may_be_on_its_way_is_requested_again_soon() -> None:
    assert _delays(MISSING) == list(SOON)
    assert _delays(MISSING, most=2) == [SOON[0]]


@pytest.mark.parametrize("error", [Failed(), TookTooLong(), ToolMissing(), _mistake()])
def test_a_failure_of_unknown_cause_has_one_second_try(error: MediaError | TranscodeError) -> None:
    assert _delays(error) == [SECOND_TRY]
    assert _delays(error, most=1) == []


@pytest.mark.parametrize("error", [AWAY, DiskFull()])
def test_what_may_pass_is_tried_again_and_again(error: MediaError | TranscodeError) -> None:
    assert _delays(error) == list(BACK_OFF)
    assert _delays(error, most=7) == [*BACK_OFF, BACK_OFF[-1], BACK_OFF[-1]]


def test_an_outage_after_a_mistake_is_still_an_outage() -> None:
    assert retry_delay(AWAY, repeated=True, tries=2, most=5) == BACK_OFF[1]


def test_an_upload_is_found_at_most_half_a_minute_after_it_came() -> None:
    waited, requests = timedelta(), 0
    while (delay := upload_delay(waited)) is not None:
        assert timedelta(seconds=2) <= delay <= timedelta(seconds=20)
        waited, requests = waited + delay, requests + 1
    assert LONGEST_WAIT <= waited < LONGEST_WAIT + timedelta(minutes=1)
    assert upload_delay(timedelta(seconds=15)) == timedelta(seconds=2)
    assert requests < 5000
