"""What becomes of lower rungs whose making fails: it is tried again, later each time, and then left for another day."""

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from appservice.core.errors import HomeserverError, MediaError, NotYetUploadedError, UnavailableError
from appservice.core.model import LowerRungs, State, Video
from appservice.worker.attempts import RetryLaterError
from appservice.worker.concurrency import ProcessorSlots
from appservice.worker.finishing import finish_again
from appservice.worker.video_attempt import VideoServices
from tests.support.factories import make_video

FULL = OSError(28, "No space left on device")


@dataclass
class Store:
    """How often the work was begun and counts, and what became of it."""

    video: Video
    counted: int = 0
    done: list[str] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)

    async def begin_finishing(self, _video_id: str, _most: int) -> Video:
        self.counted += 1
        return self.video

    async def uncount_finishing(self, _video: Video) -> None:
        self.counted -= 1

    async def finishing_tries(self, _video: Video) -> int:
        return self.counted

    async def stop_finishing(self, _video: Video, *, passing: bool) -> None:
        self.done.append("left out" if passing else "given up")

    async def leave_out_again(self, _video: Video) -> bool:
        self.done.append("put off")
        return True

    async def later(self, _video_id: str) -> None:
        self.done.append("swept")

    async def finished(self, _video: Video) -> None:
        self.done.append("finished")

    async def content(self, _video_id: str) -> None:
        return None

    async def is_wanted(self, _video: Video) -> bool:
        return True


async def _fail(
    folder: Path, error: BaseException, rungs: LowerRungs | None = LowerRungs.WANTED, *, times: int = 1
) -> Store:
    """Finish a video whose file cannot be fetched."""
    video = make_video(1, state=State.READY)
    store = Store(replace(video, media=replace(video.media, lower_rungs=rungs)))

    async def download(_video: Video, _source: Path) -> None:
        raise error

    services = cast(
        "VideoServices",
        SimpleNamespace(
            config=SimpleNamespace(worker=SimpleNamespace(attempts=5)), store=store, lower_rungs=store, scratch=folder,
            blocklist=SimpleNamespace(store=store), download=download, sweeping=store,
        ),
    )  # fmt: skip
    for _ in range(times):
        try:
            await finish_again(services, video.id, ProcessorSlots(1) if rungs else None)
            store.done.append("no other attempt")
        except RetryLaterError as later:
            store.delays.append(later.delay.total_seconds())
        except (HomeserverError, UnavailableError, asyncio.CancelledError):
            pass
    return store


@pytest.mark.parametrize(
    "error",
    [HomeserverError("away"), UnavailableError("away"), asyncio.CancelledError()],
    ids=lambda e: type(e).__name__,
)
async def test_what_is_ours_does_not_count(tmp_path: Path, error: BaseException) -> None:
    store = await _fail(tmp_path, error, times=9)
    assert (store.counted, store.done) == (0, [])


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (MediaError("download-failed", "503", final=False), "left out"),
        (FULL, "left out"),
        (MediaError("overloaded", "killed", final=False), "left out"),
        (MediaError("internal", "?", final=False), "given up"),
        (RuntimeError("?"), "given up"),
    ],
    ids=["homeserver away", "disk full", "out of memory", "ours", "unknown"],
)
@pytest.mark.parametrize("rungs", [LowerRungs.WANTED, None])
async def test_what_fails_is_tried_again_later_each_time_and_not_for_ever(
    tmp_path: Path, error: BaseException, end: str, rungs: LowerRungs | None
) -> None:
    store = await _fail(tmp_path, error, rungs, times=5)
    assert store.delays == [15, 60, 600, 3600]
    assert store.done == ["swept", end, "no other attempt"]


async def test_what_is_made_in_spare_time_is_put_off_once_it_fails_in_passing(tmp_path: Path) -> None:
    store = await _fail(tmp_path, FULL, LowerRungs.SPARE)
    assert store.done == ["put off", "finished", "no other attempt"]


@pytest.mark.parametrize("error", [MediaError("media-gone", "404", final=True), NotYetUploadedError("?")])
async def test_what_stays_is_given_up(tmp_path: Path, error: BaseException) -> None:
    store = await _fail(tmp_path, error)
    assert store.done == ["swept", "given up", "no other attempt"]
