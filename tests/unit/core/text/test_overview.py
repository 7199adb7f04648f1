"""The text of `roomreel admin top`."""

from datetime import UTC, datetime

from appservice.core.jobs import Queue
from appservice.core.model import State, VideoId
from appservice.core.text.overview import Ended, Overview, QueueDepth, VideoWork, overview_text

AT = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
FIRST, SECOND = VideoId("6f9619ff-8b86-d011-b42d-00cf4fc964ff"), VideoId("00000000-0000-0000-0000-000000000001")


def test_all_of_it() -> None:
    overview = Overview(
        AT,
        {Queue.VIDEOS: QueueDepth(3, 1, 2, 250.4), Queue.LIGHT: QueueDepth()},
        [VideoWork(FIRST, State.PLAYABLE, 42, 70, 1), VideoWork(SECOND, State.QUEUED)],
        [("internal", 12), ("disk-full", 1)],
        [Ended("status", 120, 0), Ended("video", 9, 1)],
    )
    assert (
        overview_text(overview)
        == """\
2026-12-01T10:00:00Z

QUEUE   DUE  LATER  TAKEN   OLDEST
videos    3      1      2  0:04:10
light     0      0      0  0:00:00

VIDEO IN PROGRESS                        STATE  DONE     LEFT  ATTEMPT
6f9619ff-8b86-d011-b42d-00cf4fc964ff  playable   42%  0:01:10        1
00000000-0000-0000-0000-000000000001    queued     -        -        0

FAILED IN 60 MIN  VIDEOS
internal              12
disk-full              1

ENDED IN 10 MIN  JOBS  FAILED  PER MIN
status            120       0     12.0
video               9       1      0.9"""
    )


def test_nothing_to_do() -> None:
    text = overview_text(Overview(AT, {}, [], [], []))
    assert [part.split("  ")[0] for part in text.split("\n\n")[1:]] == [
        "QUEUE", "VIDEO IN PROGRESS", "FAILED IN 60 MIN", "ENDED IN 10 MIN",
    ]  # fmt: skip
