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
class ModeratedRoom:
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

    async def start(self) -> None:
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
async def moderated(pool: Pool) -> ModeratedRoom:
    moderated = ModeratedRoom(pool)
    await moderated.start()
    return moderated


async def _undone(moderated: ModeratedRoom, video: Video) -> None:
    await moderated.do.videos.delete(video, moderated.alice)
    moderated.invalidated = 0
    await moderated.do.videos.undo_deletion(video, ALICE)


async def _restored(moderated: ModeratedRoom, video: Video) -> None:
    await moderated.do.videos.delete(video, moderated.bob)
    moderated.invalidated = 0
    assert await moderated.do.videos.restore_last(BOB, moderated.room_id)


async def _ordered(moderated: ModeratedRoom, video: Video) -> None:
    other = await moderated.send()
    assert await moderated.do.videos.order(BOB, await moderated.room(), moderated.bob, lambda now: now[::-1]) == [
        other.id,
        video.id,
    ]


async def _dismissed(moderated: ModeratedRoom, video: Video) -> None:
    await moderated.do.videos.report(video, moderated.alice, "")
    moderated.invalidated = 0
    assert await moderated.do.moderation.dismiss_reports(video, moderated.alice)


async def _approved(moderated: ModeratedRoom, video: Video) -> None:
    await moderated.do.moderation.approve(
        await moderated.set(video, "visibility = 'held', held_for = 'approval'"), moderated.alice
    )


async def _rejected(moderated: ModeratedRoom, video: Video) -> None:
    held = await moderated.set(video, "visibility = 'held', held_for = 'approval'")
    await moderated.do.moderation.reject(held, moderated.alice, "")


async def _blocked(moderated: ModeratedRoom, video: Video) -> None:
    await moderated.set(video, "source_hash = sha256(id::text::bytea)")
    assert await moderated.do.moderation.block(video, moderated.alice, "") == 1


async def _blocked_everywhere(moderated: ModeratedRoom, video: Video) -> None:
    await moderated.set(video, "source_hash = sha256(id::text::bytea)")
    assert await moderated.do.administration.block_everywhere(video, "", by=ALICE) == 1


WAYS: list[tuple[str, Callable[[ModeratedRoom, Video], Awaitable[object]]]] = [
    ("renamed", lambda moderated, video: moderated.do.videos.change(video, VideoChange(title="New"), moderated.bob)),
    (
        "hidden",
        lambda moderated, video: moderated.do.videos.change(
            video, VideoChange(visibility=Visibility.HIDDEN), moderated.bob
        ),
    ),
    ("deleted", lambda moderated, video: moderated.do.videos.delete(video, moderated.bob)),
    ("restored", _restored),
    ("restored", _undone),
    ("ordered", _ordered),
    ("reported", lambda moderated, video: moderated.do.videos.report(video, moderated.alice, "")),
    ("reports-dismissed", _dismissed),
    ("approved", _approved),
    ("rejected", _rejected),
    ("blocked", _blocked),
    ("blocked", _blocked_everywhere),
    ("quarantined", lambda moderated, video: moderated.do.administration.quarantine_video(video, by=ALICE)),
    ("erased", lambda moderated, _: moderated.do.administration.erase_room(moderated.room_id, by=ALICE)),
]


@pytest.mark.parametrize(("deed", "act"), WAYS)
async def test_each_ends_what_caches_let_through_and_stands_in_the_audit_log(
    moderated: ModeratedRoom, deed: str, act: Callable[[ModeratedRoom, Video], Awaitable[object]]
) -> None:
    video = await moderated.send()
    await act(moderated, video)
    assert moderated.invalidated == 1
    rows = await moderated.pool.fetch("SELECT action FROM audit WHERE room_id = $1 ORDER BY key", moderated.room_id)
    assert rows[-1]["action"] == deed


async def test_what_changes_nothing_leaves_no_trace(moderated: ModeratedRoom) -> None:
    video = await moderated.send()
    assert await moderated.do.videos.change(video, VideoChange(title=video.title), moderated.bob) == video
    assert not await moderated.do.moderation.dismiss_reports(video, moderated.alice)
    assert await moderated.deeds(video) == []
    assert moderated.invalidated == 0


async def test_what_waits_for_reports_that_are_gone_is_shown_once_they_are_dismissed(moderated: ModeratedRoom) -> None:
    # Whoever said so has erased what is theirs since.
    video = await moderated.set(await moderated.send(), "visibility = 'held', held_for = 'reports'")
    assert await moderated.do.moderation.dismiss_reports(video, moderated.alice)
    (now,) = await moderated.videos()
    assert now.visibility is Visibility.SHOWN
    assert await moderated.deeds(video) == ["reports-dismissed"]


async def test_the_rules_hold_for_the_row_as_it_is_by_then(moderated: ModeratedRoom) -> None:
    video, seen = await moderated.send(), Viewer(CAROL, moderates=False)
    await moderated.do.videos.delete(video, moderated.bob)
    for refused in (
        moderated.do.videos.report(video, seen, ""),
        moderated.do.videos.delete(video, moderated.alice),
        moderated.do.moderation.approve(video, moderated.alice),
        moderated.do.moderation.dismiss_reports(video, moderated.alice),
        moderated.do.moderation.block(video, moderated.alice, ""),
    ):
        with pytest.raises(NotFoundError):
            await refused
    assert await moderated.deeds(video) == ["deleted"]


async def test_what_the_rules_refuse_changes_nothing(moderated: ModeratedRoom) -> None:
    video = await moderated.send()
    with pytest.raises(ForbiddenError):
        await moderated.do.videos.report(video, moderated.bob, "")
    with pytest.raises(ForbiddenError):
        await moderated.do.videos.order(BOB, await moderated.room(), Viewer(CAROL, moderates=False), lambda now: now)
    with pytest.raises(ConflictError):
        await moderated.do.moderation.approve(video, moderated.alice)
    with pytest.raises(UnknownContentError):
        await moderated.do.moderation.block(video, moderated.alice, "")
    assert await moderated.do.videos.restore_last(BOB, moderated.room_id) is None
    with pytest.raises(ForbiddenError):
        await moderated.do.videos.undo_deletion(video, ALICE)
    assert await moderated.deeds(video) == []
    assert moderated.invalidated == 0


async def test_it_is_too_late_to_restore_what_is_gone(moderated: ModeratedRoom) -> None:
    video = await moderated.send()
    await moderated.do.videos.delete(video, moderated.bob)
    await moderated.set(video, "deleted_at = deleted_at - interval '1 minute'")
    with pytest.raises(GoneError):
        await moderated.do.videos.restore(video.id, video.room_id, moderated.bob)


async def test_moderators_decide_on_what_they_may_see_alone(moderated: ModeratedRoom) -> None:
    """By a reaction as well: a moderator who came later may not know what was said before."""
    await moderated.stores.intake.apply([HistoryChanged(moderated.room_id, History.JOINED)])
    video = await moderated.send()
    await moderated.stores.intake.apply([MemberChanged(moderated.room_id, CAROL, Membership.JOIN, None, None)])
    assert [target.video.id for target in await known_to(ALICE, [video], moderated.stores)] == [video.id]
    assert await known_to(CAROL, [video], moderated.stores) == []
    assert await known_to(UserId("@nobody:example.org"), [video], moderated.stores) == []
