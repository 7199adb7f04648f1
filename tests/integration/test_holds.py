"""Who keeps a video from everybody does so each for itself: an admin, a policy rule, a verdict to come, a moderator."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appservice.core.events.changes import NewVideo
from appservice.core.events.policy_rules import Rule, Subject
from appservice.core.model import EventId, HeldFor, RoomId, UserId, Video, VideoId, Visibility
from appservice.core.rules.video_permissions import VideoChange, Viewer
from appservice.service.videos import VideoService
from appservice.store import AdminStore, PolicyStore, Stores
from appservice.store.outbox import Pool
from appservice.store.policies import add_rule
from appservice.store.sql import query
from appservice.store.verdicts import Verdict, VerdictStore
from tests.support.databases import CreateDatabase, migrated_pool

ROOM = RoomId("!holds:example.org")
ADMIN = UserId("@admin:example.org")
MODERATOR = Viewer(UserId("@moderator:example.org"), moderates=True)
BANS = RoomId("!bans:example.org")
SHOWN: tuple[Visibility, HeldFor | None] = (Visibility.SHOWN, None)
WAITS: tuple[Visibility, HeldFor | None] = (Visibility.HELD, HeldFor.APPROVAL)
HIDDEN: tuple[Visibility, HeldFor | None] = (Visibility.HIDDEN, None)
HIDDEN_AND_WAITS: tuple[Visibility, HeldFor | None] = (Visibility.HIDDEN, HeldFor.APPROVAL)
# The first of these is shown as who holds it.
COVERS = (HeldFor.QUARANTINE, HeldFor.POLICY, HeldFor.VERDICT)

numbers = count()


@pytest.fixture(scope="module")
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("holds"), size=3) as pool:
        await pool.execute("INSERT INTO policy_lists (room_id, added_by) VALUES ($1, $2)", BANS, ADMIN)
        yield pool


@dataclass
class Expected:
    """What a video is to be: without those who hold it, and who does."""

    id: VideoId
    alone: tuple[Visibility, HeldFor | None] = SHOWN
    held_by: set[HeldFor] = field(default_factory=set)
    with_sender: bool = False
    deleted: bool = False
    judged: bool = False

    @property
    def now(self) -> tuple[Visibility, HeldFor | None]:
        holder = next((each for each in COVERS if each in self.held_by), None)
        return (Visibility.HELD, holder) if holder else self.alone


class HoldModel:
    """Two videos of one sender, on the real database, and what is to be true of each."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.admin, self.people = AdminStore(pool), VideoService(Stores(pool), invalidate=lambda: None)
        self.policies, self.verdicts = PolicyStore(pool), VerdictStore(pool)
        self.sender = UserId(f"@sender{next(numbers)}:example.org")
        self._rule = Rule("m.policy.rule.user", self.sender, Subject.USER, self.sender, "")
        self.quarantined = False
        self.videos: list[Expected] = []

    async def start(self) -> None:
        events = [EventId(f"$holds{next(numbers)}") for _ in range(2)]
        await Stores(self.pool).intake.apply([
            NewVideo(
                event_id=event_id, room_id=ROOM, sender=self.sender, title="T", mxc="mxc://x/y", encrypted_file=None,
                claimed_size=None, certain=True, sent_at=1,
            )
            for event_id in events
        ])  # fmt: skip
        for event_id in events:
            (row,) = await self.pool.fetch(
                "UPDATE videos SET state = 'ready' WHERE event_id = $1 RETURNING id", event_id
            )
            self.videos.append(Expected(VideoId(str(row["id"]))))

    async def _video(self, expected: Expected) -> Video:
        video = await Stores(self.pool).videos.video(expected.id)
        assert video
        return video

    async def act(self, step: str) -> None:
        verb, _, which = step.partition(" ")
        if which in {"1", "2"}:
            await getattr(self, f"_{verb}")(self.videos[int(which) - 1])
        else:
            await getattr(self, f"_{verb}_{which}")()
        await self.check(step)

    async def _quarantine(self, video: Expected) -> None:
        fresh = HeldFor.QUARANTINE not in video.held_by
        assert await self.admin.quarantine_video(await self._video(video), by=ADMIN) is fresh
        if fresh:
            video.held_by.add(HeldFor.QUARANTINE)
            video.with_sender = False

    async def _release(self, video: Expected) -> None:
        there = HeldFor.QUARANTINE in video.held_by
        assert await self.admin.release_video(await self._video(video), by=ADMIN) is there
        video.held_by.discard(HeldFor.QUARANTINE)

    async def _quarantine_sender(self) -> None:
        await self.admin.quarantine_user(self.sender, by=ADMIN)
        for video in self.videos:
            if HeldFor.QUARANTINE not in video.held_by and not self.quarantined:
                video.held_by.add(HeldFor.QUARANTINE)
                video.with_sender = True
        self.quarantined = True

    async def _release_sender(self) -> None:
        await self.admin.release_user(self.sender, by=ADMIN)
        for video in self.videos:
            if video.with_sender and self.quarantined:
                video.held_by.discard(HeldFor.QUARANTINE)
        self.quarantined = False

    async def _ban_sender(self) -> None:
        await self.pool.execute(*add_rule(BANS, self._rule))
        await self.policies.enforce()
        for video in self.videos:
            video.held_by.add(HeldFor.POLICY)

    async def _unban_sender(self) -> None:
        rule = self._rule
        await self.pool.execute(
            *query("delete_policy_rule", room_id=BANS, event_type=rule.event_type, state_key=rule.state_key)
        )
        await self.policies.enforce()
        for video in self.videos:
            video.held_by.discard(HeldFor.POLICY)

    async def _publish(self, video: Expected) -> None:
        """As the worker does with each stage, where there is a detection service."""
        if not video.deleted:
            await self.pool.execute(*query("await_verdict", id=video.id))
            if not video.judged:
                video.held_by.add(HeldFor.VERDICT)

    async def _allow(self, video: Expected) -> None:
        if not await self._judge(video, Verdict.ALLOW):
            return
        alone = video.held_by == {HeldFor.VERDICT}
        video.held_by.discard(HeldFor.VERDICT)
        if alone and self.quarantined:
            video.held_by.add(HeldFor.QUARANTINE)
            video.with_sender = True

    async def _hold(self, video: Expected) -> None:
        if await self._judge(video, Verdict.HOLD):
            video.held_by.discard(HeldFor.VERDICT)
            video.alone = HIDDEN_AND_WAITS if video.alone == HIDDEN else WAITS

    async def _judge(self, video: Expected, verdict: Verdict) -> bool:
        is_pending = HeldFor.VERDICT in video.held_by and not video.deleted
        if is_pending:
            assert await self.verdicts.judge(await self._video(video), verdict, "")
            video.judged = True
        return is_pending

    async def _approve(self, video: Expected) -> None:
        if not video.deleted and video.now == WAITS:
            await self._change(video, Visibility.SHOWN, MODERATOR)
            video.alone = SHOWN

    async def _hide(self, video: Expected) -> None:
        if not video.deleted and video.now == SHOWN:
            await self._change(video, Visibility.HIDDEN, Viewer(self.sender, moderates=False))
            video.alone = HIDDEN

    async def _show(self, video: Expected) -> None:
        if not video.deleted and video.now in {HIDDEN, HIDDEN_AND_WAITS}:
            await self._change(video, Visibility.SHOWN, Viewer(self.sender, moderates=False))
            video.alone = SHOWN if video.alone == HIDDEN else WAITS

    async def _change(self, video: Expected, visibility: Visibility, viewer: Viewer) -> None:
        await self.people.change(await self._video(video), VideoChange(visibility=visibility), viewer)

    async def _delete(self, video: Expected) -> None:
        if not video.deleted:
            await self.people.delete(await self._video(video), Viewer(self.sender, moderates=False))
            video.deleted = True

    async def _restore(self, video: Expected) -> None:
        if video.deleted:
            await self.people.restore(video.id, ROOM, Viewer(self.sender, moderates=False))
            video.deleted = False

    async def check(self, step: str) -> None:
        for number, video in enumerate(self.videos, 1):
            (row,) = await self.pool.fetch("SELECT visibility, undone_to, held_for FROM videos WHERE id = $1", video.id)
            visibility = row["undone_to"] if video.deleted else row["visibility"]
            assert (row["visibility"] == "removed") is video.deleted, f"video {number} after {step}"
            assert (visibility, row["held_for"]) == video.now, f"video {number} after {step}"

    async def end(self) -> None:
        """When nobody holds them any more, both are what they are alone."""
        for step in ("restore 1", "restore 2", "unban sender", "release sender", "release 1", "release 2"):
            await self.act(step)
        for step in ("allow 1", "allow 2"):
            await self.act(step)
        for video in self.videos:
            assert video.now == video.alone
            (row,) = await self.pool.fetch("SELECT hidden_by, quarantined FROM videos WHERE id = $1", video.id)
            assert row["hidden_by"] == (self.sender if video.alone[0] is Visibility.HIDDEN else None)
            assert row["quarantined"] is None


STEPS = (
    "quarantine 1", "release 1", "quarantine sender", "release sender", "ban sender", "unban sender", "publish 1",
    "publish 2", "allow 1", "hold 1", "hold 2", "approve 1", "hide 1", "show 1", "delete 1", "restore 1",
)  # fmt: skip


@settings(max_examples=150)
@given(st.lists(st.sampled_from(STEPS), min_size=2, max_size=10))
@example(["ban sender", "quarantine 1", "unban sender"])
@example(["quarantine 1", "ban sender", "release 1", "unban sender"])
@example(["hold 1", "publish 1", "hold 1", "ban sender", "quarantine sender", "unban sender", "release sender"])
@example(["publish 1", "ban sender", "unban sender"])
@example(["publish 1", "quarantine 1", "release 1"])
@example(["ban sender", "publish 1", "unban sender"])
@example(["hide 1", "publish 1", "quarantine sender", "hold 1", "release sender", "approve 1"])
@example(["hide 1", "publish 1", "hold 1", "ban sender", "unban sender", "show 1", "approve 1"])
@example(["hide 1", "publish 1", "delete 1", "hold 1", "restore 1", "show 1"])
@example(["publish 1", "ban sender", "delete 1", "unban sender", "restore 1"])
async def test_each_hold_is_for_itself(pool: Pool, steps: list[str]) -> None:
    model = HoldModel(pool)
    await model.start()
    for step in steps:
        await model.act(step)
    await model.end()


async def test_a_verdict_that_is_lost_is_requested_whoever_else_holds_the_video(pool: Pool) -> None:
    model = HoldModel(pool)
    await model.start()
    await pool.execute("TRUNCATE pgqueuer")
    for step in ("publish 1", "publish 2", "ban sender", "allow 2"):
        await model.act(step)
    requeued = await VerdictStore(pool).requeue_unjudged()
    (row,) = await pool.fetch(
        "SELECT count(*) FILTER (WHERE convert_from(payload, 'UTF8') = $1) AS first FROM pgqueuer"
        " WHERE entrypoint = 'verdict'",
        model.videos[0].id,
    )
    assert (requeued, row["first"]) == (1, 1)
    # Where no service is requested any more, the rule alone holds it.
    assert await VerdictStore(pool).release_all() == 1
    model.videos[0].held_by.discard(HeldFor.VERDICT)
    await model.check("release all")
    await model.act("unban sender")
