"""Which files of a video are deleted when: what viewers may still play stays until they have moved on."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from appservice.core.events.changes import BotMembershipChanged, MemberChanged, NewVideo, Redacted, VideoEdited
from appservice.core.jobs import SweepFiles, SweepStages, read_job
from appservice.core.model import EventId, RoomId, State, UserId, Video
from appservice.core.room import Membership
from appservice.media.files import LocalFiles
from appservice.service.media_keys import MediaKeys
from appservice.store import Published, Stores
from appservice.store.outbox import Pool
from appservice.worker.sweeping import StageSweeping
from tests.support.databases import CreateDatabase, migrated_pool
from tests.support.factories import rendition

ALICE, ROOM = UserId("@alice:example.org"), RoomId("!room:example.org")
_HOUR = timedelta(hours=1)

numbers = count()


@pytest.fixture
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("sweeping"), size=3) as pool:
        yield pool


@pytest.fixture
def store(pool: Pool) -> Stores:
    return Stores(pool)


class Sweeps:
    """A media folder, and the jobs that sweep it."""

    def __init__(self, pool: Pool, store: Stores, root: Path) -> None:
        self.pool, self.store, self.root = pool, store, root
        self.sweeping = StageSweeping(
            store.attempts, store.videos, LocalFiles(root), MediaKeys(store.media_keys, None, all_rooms=False)
        )

    async def publish(self, video: Video, stage: str, state: State, *, left_out: bool = False) -> None:
        folder = self.root / video.id / stage / "480"
        folder.mkdir(parents=True)
        (folder / "0.m4s").write_bytes(b"")
        made = Published(state, stage, 5.0, 854, 480, True, [rendition()], left_out=left_out, sealed_key=stage.encode())
        assert await self.store.attempts.publish(video, made)

    async def finish(self, video: Video) -> None:
        await self.sweeping.later(video.id)
        await self.store.attempts.finished(video)

    async def after(self, time: timedelta) -> None:
        """Let that time pass, and do what is due."""
        await self.pool.execute("UPDATE pgqueuer SET execute_after = execute_after - $1::interval", time)
        due = await self.pool.fetch(
            "DELETE FROM pgqueuer WHERE entrypoint LIKE 'sweep%' AND execute_after <= now()"
            " RETURNING entrypoint, payload"
        )
        for row in due:
            match read_job(row["entrypoint"], row["payload"].decode()):
                case SweepStages() as job:
                    await self.sweeping.stages(job.video_id, job.stages)
                case SweepFiles() as job:
                    await self.sweeping.all(job.video_id)

    async def stages(self, video: Video) -> list[str]:
        keys = await self.pool.fetch("SELECT stage FROM media_keys WHERE video_id = $1 ORDER BY stage", video.id)
        there = sorted(path.name for path in (self.root / video.id).glob("*"))
        assert [row["stage"] for row in keys] == there, "keys go with their files"
        return there


@pytest.fixture
def sweeps(pool: Pool, store: Stores, tmp_path: Path) -> Sweeps:
    return Sweeps(pool, store, tmp_path)


def _sent(event_id: EventId, mxc: str = "mxc://example.org/a") -> NewVideo:
    return NewVideo(
        event_id=event_id, room_id=ROOM, sender=ALICE, title="T", mxc=mxc, encrypted_file=None, claimed_size=5,
        certain=True, sent_at=next(numbers),
    )  # fmt: skip


@pytest.fixture
async def video(store: Stores) -> Video:
    """The first attempt at a video."""
    event_id = EventId("$event")
    await store.intake.apply([
        BotMembershipChanged(ROOM, Membership.JOIN, ALICE), MemberChanged(ROOM, ALICE, Membership.JOIN, None, None),
        _sent(event_id),
    ])  # fmt: skip
    (video,) = await store.videos.room_videos(ROOM)
    return await _begin(store, video)


async def _begin(store: Stores, video: Video) -> Video:
    attempt = await store.attempts.begin_attempt(video.id)
    assert attempt
    return attempt


async def test_a_stage_that_lower_rungs_took_the_place_of_stays_as_long_as_any(
    sweeps: Sweeps, store: Stores, video: Video
) -> None:
    await sweeps.publish(video, "1-a-playable", State.PLAYABLE)
    await sweeps.publish(video, "1-a-ready", State.READY, left_out=True)
    await sweeps.finish(video)
    await sweeps.after(_HOUR * 2.9)
    assert await store.lower_rungs.want(video.id)
    more = await store.attempts.begin_finishing(video.id, 5)
    assert more
    await sweeps.publish(more, "1-b-ready", State.READY)
    await sweeps.finish(more)
    await sweeps.after(_HOUR)
    assert await sweeps.stages(video) == ["1-a-ready", "1-b-ready"]
    await sweeps.after(_HOUR * 2.1)
    assert await sweeps.stages(video) == ["1-b-ready"]


async def test_an_edit_that_fails_takes_nothing_from_who_plays(sweeps: Sweeps, store: Stores, video: Video) -> None:
    await sweeps.publish(video, "1-a-ready", State.READY, left_out=True)
    await sweeps.finish(video)
    await store.lower_rungs.want(video.id)
    more = await store.attempts.begin_finishing(video.id, 5)
    assert more
    await sweeps.publish(more, "1-b-ready", State.READY)
    await sweeps.finish(more)
    edited = _sent(EventId("$edit"), "mxc://example.org/b")
    await store.intake.apply([VideoEdited(ROOM, video.event_id, edited)])
    attempt = await _begin(store, video)
    await sweeps.publish(attempt, f"{attempt.work.attempts}-c-playable", State.PLAYABLE)
    # Its worker died, and the next one finds that it must not be shown at all.
    attempt = await _begin(store, video)
    await store.attempts.fail(attempt, "blocked")
    await sweeps.after(timedelta(0))
    assert await sweeps.stages(video) == ["1-a-ready", "1-b-ready"], "of the edit nothing stays"
    await sweeps.after(_HOUR * 3.1)
    assert await sweeps.stages(video) == ["1-b-ready"]


async def test_a_stage_that_was_replaced_goes_though_its_worker_died_and_the_file_is_gone(
    sweeps: Sweeps, store: Stores, video: Video
) -> None:
    await sweeps.publish(video, "1-a-ready", State.READY, left_out=True)
    await sweeps.finish(video)
    await store.lower_rungs.want(video.id)
    more = await store.attempts.begin_finishing(video.id, 5)
    assert more
    await sweeps.publish(more, "1-b-ready", State.READY)
    again = await store.attempts.begin_finishing(video.id, 5)
    assert again
    await store.attempts.stop_finishing(again, passing=False)
    await sweeps.after(_HOUR * 3.1)
    assert await sweeps.stages(video) == ["1-b-ready"]


async def test_what_an_edit_may_still_give_back_stays(sweeps: Sweeps, store: Stores, video: Video) -> None:
    await sweeps.publish(video, "1-a-ready", State.READY)
    await sweeps.finish(video)
    edited = _sent(EventId("$edit"), "mxc://example.org/b")
    await store.intake.apply([VideoEdited(ROOM, video.event_id, edited)])
    attempt = await _begin(store, video)
    await sweeps.publish(attempt, f"{attempt.work.attempts}-b-playable", State.PLAYABLE)
    await sweeps.sweeping.stages(video.id, ["1-a-ready"])
    assert "1-a-ready" in await sweeps.stages(video)
    await store.attempts.fail(attempt, "blocked")
    found = await store.videos.video(video.id)
    assert found
    assert (found.state, found.media.stage) == (State.READY, "1-a-ready")


async def test_jobs_of_the_release_before_are_read(sweeps: Sweeps, store: Stores, pool: Pool, video: Video) -> None:
    await sweeps.publish(video, "1-a-playable", State.PLAYABLE)
    await sweeps.publish(video, "1-a-ready", State.READY)
    await pool.execute(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload) VALUES (0, 'queued', 'sweep', $1)",
        video.id.encode(),
    )
    await sweeps.after(timedelta(0))
    assert len(await sweeps.stages(video)) == 2
    await sweeps.after(_HOUR * 3.1)
    assert await sweeps.stages(video) == ["1-a-ready"]


async def test_what_an_attempt_that_died_left_is_deleted_with_the_rest(
    sweeps: Sweeps, store: Stores, video: Video
) -> None:
    await sweeps.publish(video, "1-a-playable", State.PLAYABLE)
    second = await _begin(store, video)
    await sweeps.publish(second, "2-b-ready", State.READY)
    await sweeps.finish(second)
    await sweeps.after(_HOUR * 3.1)
    assert await sweeps.stages(video) == ["2-b-ready"]


@pytest.mark.parametrize("end", ["failed", "removed"])
async def test_what_nobody_is_served_goes_at_once(sweeps: Sweeps, store: Stores, video: Video, end: str) -> None:
    await sweeps.publish(video, "1-a-playable", State.PLAYABLE)
    if end == "failed":
        await store.attempts.fail(video, "broken-file")
    else:
        await store.intake.apply([Redacted(ROOM, video.event_id, ALICE)])
    await sweeps.after(timedelta(0))
    assert await sweeps.stages(video) == []
