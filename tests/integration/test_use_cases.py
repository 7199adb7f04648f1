"""What all callers of a use case have in common: the rules on the locked row, the audit log, the caches that end."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count

import pytest

from appservice.core.errors import ConflictError, ForbiddenError, GoneError, NotFoundError
from appservice.core.events.changes import BotMembershipChanged, HistoryChanged, MemberChanged, NewVideo
from appservice.core.model import EventId, History, RoomId, UserId, Video, Visibility
from appservice.core.room import Membership, Room
from appservice.core.rules.video_permissions import VideoChange, Viewer
from appservice.service.targets import known_to
from appservice.service.use_cases import UseCases
from appservice.store import Stores, UnknownContentError
from appservice.store.outbox import Pool
from tests.support.databases import CreateDatabase, migrated_pool

ALICE, BOB, CAROL = (UserId(f"@{name}:example.org") for name in ("alice", "bob", "carol"))
BOT = UserId("@reel:example.org")

numbers = count()


@pytest.fixture(scope="module")
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("use_cases"), size=3) as pool:
        yield pool


@dataclass
class World:
    """A room with a video of Bob's, and Alice who moderates it."""

    pool: Pool
    room_id: RoomId = field(default_factory=lambda: RoomId(f"!{next(numbers)}:example.org"))
    invalidated: int = 0

    def __post_init__(self) -> None:
        self.stores = Stores(self.pool)
        self.do = UseCases.on(self.stores, self._invalidate)
        self.bob, self.alice = Viewer(BOB, moderates=False), Viewer(ALICE, moderates=True)

    def _invalidate(self) -> None:
        self.invalidated += 1

    async def begin(self) -> None:
        await self.stores.intake.apply([
            BotMembershipChanged(self.room_id, Membership.JOIN, ALICE),
            *(MemberChanged(self.room_id, user_id, Membership.JOIN, None, None) for user_id in (ALICE, BOB)),
        ])  # fmt: skip

    async def send(self) -> Video:
        event_id = EventId(f"$event{next(numbers)}")
        await self.stores.intake.apply([
            NewVideo(
                event_id=event_id, room_id=self.room_id, sender=BOB, title="T", mxc="mxc://x/y", encrypted_file=None,
                claimed_size=None, certain=True, sent_at=next(numbers),
            )
        ])  # fmt: skip
        return next(video for video in await self.videos() if video.event_id == event_id)

    async def videos(self) -> list[Video]:
        return await self.stores.videos.room_videos(self.room_id)

    async def room(self) -> Room:
        room = await self.stores.rooms.room(self.room_id)
        assert room
        return room

    async def set(self, video: Video, assignments: str) -> Video:
        # The assignments are those below.
        await self.pool.execute(f"UPDATE videos SET {assignments} WHERE id = $1", uuid.UUID(video.id))  # noqa: S608
        changed = await self.stores.videos.video(video.id)
        assert changed
        return changed

    async def deeds(self, video: Video) -> list[str]:
        rows = await self.pool.fetch("SELECT action FROM audit WHERE video_id = $1 ORDER BY key", uuid.UUID(video.id))
        return [row["action"] for row in rows]


@pytest.fixture
async def world(pool: Pool) -> World:
    world = World(pool)
    await world.begin()
    return world


async def _undone(world: World, video: Video) -> None:
    await world.do.videos.delete(video, world.alice)
    world.invalidated = 0
    await world.do.videos.undo_deletion(video, ALICE)


async def _restored(world: World, video: Video) -> None:
    await world.do.videos.delete(video, world.bob)
    world.invalidated = 0
    assert await world.do.videos.restore_last(BOB, world.room_id)


async def _ordered(world: World, video: Video) -> None:
    other = await world.send()
    assert await world.do.videos.order(BOB, await world.room(), world.bob, lambda now: now[::-1]) == [
        other.id,
        video.id,
    ]


async def _dismissed(world: World, video: Video) -> None:
    await world.do.videos.report(video, world.alice, "")
    world.invalidated = 0
    assert await world.do.moderation.dismiss_reports(video, world.alice)


async def _approved(world: World, video: Video) -> None:
    await world.do.moderation.approve(await world.set(video, "visibility = 'held', held_for = 'approval'"), world.alice)


async def _rejected(world: World, video: Video) -> None:
    held = await world.set(video, "visibility = 'held', held_for = 'approval'")
    await world.do.moderation.reject(held, world.alice, "")


async def _blocked(world: World, video: Video) -> None:
    await world.set(video, "source_hash = sha256(id::text::bytea)")
    assert await world.do.moderation.block(video, world.alice, "") == 1


async def _blocked_everywhere(world: World, video: Video) -> None:
    await world.set(video, "source_hash = sha256(id::text::bytea)")
    assert await world.do.administration.block_everywhere(video, "", by=ALICE) == 1


WAYS: list[tuple[str, Callable[[World, Video], Awaitable[object]]]] = [
    ("renamed", lambda world, video: world.do.videos.change(video, VideoChange(title="New"), world.bob)),
    (
        "hidden",
        lambda world, video: world.do.videos.change(video, VideoChange(visibility=Visibility.HIDDEN), world.bob),
    ),
    ("deleted", lambda world, video: world.do.videos.delete(video, world.bob)),
    ("restored", _restored),
    ("restored", _undone),
    ("ordered", _ordered),
    ("reported", lambda world, video: world.do.videos.report(video, world.alice, "")),
    ("reports-dismissed", _dismissed),
    ("approved", _approved),
    ("rejected", _rejected),
    ("blocked", _blocked),
    ("blocked", _blocked_everywhere),
    ("quarantined", lambda world, video: world.do.administration.quarantine_video(video, by=ALICE)),
    ("erased", lambda world, _: world.do.administration.erase_room(world.room_id, by=ALICE)),
]


@pytest.mark.parametrize(("deed", "act"), WAYS)
async def test_each_ends_what_caches_let_through_and_stands_in_the_audit_log(
    world: World, deed: str, act: Callable[[World, Video], Awaitable[object]]
) -> None:
    video = await world.send()
    await act(world, video)
    assert world.invalidated == 1
    rows = await world.pool.fetch("SELECT action FROM audit WHERE room_id = $1 ORDER BY key", world.room_id)
    assert rows[-1]["action"] == deed


async def test_what_changes_nothing_leaves_no_trace(world: World) -> None:
    video = await world.send()
    assert await world.do.videos.change(video, VideoChange(title=video.title), world.bob) == video
    assert not await world.do.moderation.dismiss_reports(video, world.alice)
    assert await world.deeds(video) == []
    assert world.invalidated == 0


async def test_what_waits_for_reports_that_are_gone_is_shown_once_they_are_dismissed(world: World) -> None:
    # Whoever said so has erased what is theirs since.
    video = await world.set(await world.send(), "visibility = 'held', held_for = 'reports'")
    assert await world.do.moderation.dismiss_reports(video, world.alice)
    (now,) = await world.videos()
    assert now.visibility is Visibility.SHOWN
    assert await world.deeds(video) == ["reports-dismissed"]


async def test_the_rules_hold_for_the_row_as_it_is_by_then(world: World) -> None:
    video, seen = await world.send(), Viewer(CAROL, moderates=False)
    await world.do.videos.delete(video, world.bob)
    for refused in (
        world.do.videos.report(video, seen, ""),
        world.do.videos.delete(video, world.alice),
        world.do.moderation.approve(video, world.alice),
        world.do.moderation.dismiss_reports(video, world.alice),
        world.do.moderation.block(video, world.alice, ""),
    ):
        with pytest.raises(NotFoundError):
            await refused
    assert await world.deeds(video) == ["deleted"]


async def test_what_the_rules_refuse_changes_nothing(world: World) -> None:
    video = await world.send()
    with pytest.raises(ForbiddenError):
        await world.do.videos.report(video, world.bob, "")
    with pytest.raises(ForbiddenError):
        await world.do.videos.order(BOB, await world.room(), Viewer(CAROL, moderates=False), lambda now: now)
    with pytest.raises(ConflictError):
        await world.do.moderation.approve(video, world.alice)
    with pytest.raises(UnknownContentError):
        await world.do.moderation.block(video, world.alice, "")
    assert await world.do.videos.restore_last(BOB, world.room_id) is None
    with pytest.raises(ForbiddenError):
        await world.do.videos.undo_deletion(video, ALICE)
    assert await world.deeds(video) == []
    assert world.invalidated == 0


async def test_it_is_too_late_to_restore_what_is_gone(world: World) -> None:
    video = await world.send()
    await world.do.videos.delete(video, world.bob)
    await world.set(video, "deleted_at = deleted_at - interval '1 minute'")
    with pytest.raises(GoneError):
        await world.do.videos.restore(video.id, video.room_id, world.bob)


async def test_moderators_decide_on_what_they_may_see_alone(world: World) -> None:
    """By a reaction as well: a moderator who came later may not know what was said before."""
    await world.stores.intake.apply([HistoryChanged(world.room_id, History.JOINED)])
    video = await world.send()
    await world.stores.intake.apply([MemberChanged(world.room_id, CAROL, Membership.JOIN, None, None)])
    assert [target.video.id for target in await known_to(ALICE, [video], world.stores)] == [video.id]
    assert await known_to(CAROL, [video], world.stores) == []
    assert await known_to(UserId("@nobody:example.org"), [video], world.stores) == []
