"""What becomes of lower rungs whose making fails: what passes does not count, what stays is given up."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from appservice.core.errors import HomeserverError, MediaError, NotYetUploadedError
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

    async def begin_finishing(self, _video_id: str, _most: int) -> Video:
        self.counted += 1
        return self.video

    async def uncount_finishing(self, _video: Video) -> None:
        self.counted -= 1

    async def give_up(self, _video: Video) -> None:
        self.done.append("given up")

    async def finished(self, _video: Video) -> None:
        self.done.append("finished")

    async def content(self, _video_id: str) -> None:
        return None

    async def is_wanted(self, _video: Video) -> bool:
        return True


async def _fail(folder: Path, error: BaseException) -> Store:
    """Finish a video whose file cannot be fetched."""
    video = make_video(1, state=State.READY)
    store = Store(replace(video, media=replace(video.media, lower_rungs=LowerRungs.WANTED)))

    async def download(_video: Video, _source: Path) -> None:
        raise error

    services = cast(
        "VideoServices",
        SimpleNamespace(
            config=SimpleNamespace(worker=SimpleNamespace(attempts=5)), store=store, lower_rungs=store, scratch=folder,
            blocklist=SimpleNamespace(store=store), download=download,
        ),
    )  # fmt: skip
    with suppress(RetryLaterError, HomeserverError, asyncio.CancelledError):
        await finish_again(services, video.id, ProcessorSlots(1))
        store.done.append("no other attempt")
    return store


@pytest.mark.parametrize(
    "error",
    [
        MediaError("download-failed", "503", final=False), FULL, HomeserverError("away"), asyncio.CancelledError(),
    ],
    ids=["homeserver away", "disk full", "homeserver away to the appservice", "stopped"],
)  # fmt: skip
async def test_what_passes_does_not_count(tmp_path: Path, error: BaseException) -> None:
    store = await _fail(tmp_path, error)
    assert (store.counted, store.done) == (0, [])


@pytest.mark.parametrize("error", [MediaError("internal", "?", final=False), RuntimeError("?")])
async def test_what_nobody_knows_counts_and_is_tried_again(tmp_path: Path, error: BaseException) -> None:
    store = await _fail(tmp_path, error)
    assert (store.counted, store.done) == (1, [])


@pytest.mark.parametrize("error", [MediaError("media-gone", "404", final=True), NotYetUploadedError("?")])
async def test_what_stays_is_given_up(tmp_path: Path, error: BaseException) -> None:
    store = await _fail(tmp_path, error)
    assert store.done == ["given up", "finished", "no other attempt"]
