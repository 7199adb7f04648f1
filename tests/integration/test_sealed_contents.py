"""Which files are in encrypted rooms is sealed in the database, until somebody blocks one."""

import hashlib
import secrets
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from appservice.core.errors import ForbiddenError, MediaError
from appservice.core.events.changes import BotMembershipChanged, MemberChanged, NewVideo, RoomEncrypted
from appservice.core.model import EventId, RoomId, UserId, Video
from appservice.core.room import Membership
from appservice.core.rules.video_permissions import Viewer
from appservice.encryption.keyring import Keyring, new_keyring
from appservice.service.sealed_contents import SealedContents
from appservice.service.use_cases import UseCases
from appservice.store import Content, Stores
from appservice.store.outbox import Pool
from appservice.worker.blocklist import Blocklist
from tests.support.databases import CreateDatabase, migrated_pool
from transcode import Limits, Tools

ALICE, BOB = (UserId(f"@{name}:example.org") for name in ("alice", "bob"))
MODERATOR, MEMBER = Viewer(ALICE, moderates=True), Viewer(BOB, moderates=False)
# Version, duration, and eight hashes that compare.
LOOK, OTHER_LOOK = (bytes([1]) + bytes(4) + bytes([each]) * 144 for each in (0x5A, 0xA5))

numbers = count()


@pytest.fixture(scope="module")
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("sealed_contents"), size=3) as pool:
        yield pool


@dataclass
class EncryptedRoom:
    """A room with videos of Bob's that is encrypted, and Alice who moderates it."""

    pool: Pool
    keyring: Keyring = field(default_factory=new_keyring)
    room_id: RoomId = field(default_factory=lambda: RoomId(f"!{next(numbers)}:example.org"))

    def __post_init__(self) -> None:
        self.stores = Stores(self.pool)
        self.contents = SealedContents(self.stores.blocks, self.keyring)
        self.do = UseCases.on(self.stores, lambda: None, self.keyring)

    async def start(self, room_id: RoomId, *, videos: int, encrypted: bool) -> list[Video]:
        await self.stores.intake.apply([
            BotMembershipChanged(room_id, Membership.JOIN, ALICE),
            *(MemberChanged(room_id, user_id, Membership.JOIN, None, None) for user_id in (ALICE, BOB)),
        ])  # fmt: skip
        for _ in range(videos):
            await self.stores.intake.apply([
                NewVideo(
                    event_id=EventId(f"$event{next(numbers)}"), room_id=room_id, sender=BOB, title="T",
                    mxc="mxc://x/y", encrypted_file=None, claimed_size=None, certain=True, sent_at=next(numbers),
                )
            ])  # fmt: skip
        if encrypted:
            await self.stores.intake.apply([RoomEncrypted(room_id)])
        return await self.stores.videos.room_videos(room_id)

    def blocklist(self, tools: Tools) -> Blocklist:
        return Blocklist(self.stores.blocks, self.stores.rooms, self.contents, tools)

    async def row(self, video: Video) -> dict[str, object]:
        return dict(await self.pool.fetchrow("SELECT * FROM videos WHERE id = $1", uuid.UUID(video.id)) or {})


@pytest.fixture
def room(pool: Pool) -> EncryptedRoom:
    return EncryptedRoom(pool)


def _hash() -> bytes:
    return hashlib.sha256(secrets.token_bytes(8)).digest()


async def test_a_file_is_known_once_it_is_blocked(room: EncryptedRoom) -> None:
    video, copy, encoded_anew, other = await room.start(room.room_id, videos=4, encrypted=True)
    blocked, others = _hash(), _hash()
    await room.contents.keep(video, Content(blocked, LOOK))
    await room.contents.keep(copy, Content(blocked, None))
    await room.contents.keep(encoded_anew, Content(_hash(), LOOK))
    await room.contents.keep(other, Content(others, OTHER_LOOK))
    for each in (video, copy, encoded_anew, other):
        row = await room.row(each)
        assert (row["source_hash"], row["fingerprint"]) == (None, None)
        assert blocked not in bytes(row["sealed_content"] or b"")  # type: ignore[call-overload] # a column of bytes
    with pytest.raises(ForbiddenError):
        await room.do.moderation.block(video, MEMBER, "")
    assert (await room.row(video))["source_hash"] is None, "who may not block it reveals nothing"

    assert await room.do.moderation.block(video, MODERATOR, "") == 3
    assert [each.id for each in await room.stores.videos.room_videos(room.room_id)] == [other.id]
    (block,) = await room.stores.blocks.blocked(room.room_id)
    assert (block.source_hash, block.fingerprint) == (blocked, LOOK)
    row = await room.row(other)
    assert (row["source_hash"], row["fingerprint"]) == (None, None), "only what is blocked"
    assert await room.contents.of(other) == Content(others, OTHER_LOOK)


async def test_what_is_blocked_in_all_rooms_goes_from_encrypted_ones(room: EncryptedRoom) -> None:
    video, other = await room.start(room.room_id, videos=2, encrypted=True)
    (plain,) = await room.start(RoomId(f"!{next(numbers)}:example.org"), videos=1, encrypted=False)
    blocked = _hash()
    await room.stores.blocks.came_as(plain, blocked)
    await room.contents.keep(video, Content(blocked, None))
    await room.contents.keep(other, Content(_hash(), None))
    assert await room.do.administration.block_everywhere(plain, "", by=ALICE) == 2
    assert [each.id for each in await room.stores.videos.room_videos(room.room_id)] == [other.id]
    (later,) = await room.start(RoomId(f"!{next(numbers)}:example.org"), videos=1, encrypted=True)
    by_hash = _hash()
    await room.contents.keep(later, Content(by_hash, None))
    assert await room.do.administration.block_everywhere(by_hash, "", by=ALICE) == 1


async def test_a_new_file_is_looked_at_without_being_known(room: EncryptedRoom, tools: Tools, tmp_path: Path) -> None:
    blocked, first = await room.start(room.room_id, videos=2, encrypted=True)
    blocklist, digest = room.blocklist(tools), _hash()
    await blocklist.check(blocked, tmp_path / "none", digest, Limits())
    assert (await room.row(blocked))["source_hash"] is None
    await room.do.moderation.block(blocked, MODERATOR, "")
    with pytest.raises(MediaError, match="same file"):
        await blocklist.check(first, tmp_path / "none", digest, Limits())
    assert (await room.row(first))["source_hash"] is None


async def test_what_was_blocked_during_the_work_goes_with_its_end(
    room: EncryptedRoom, tools: Tools, clip: Path
) -> None:
    video, blocked = await room.start(room.room_id, videos=2, encrypted=True)
    blocklist, digest = room.blocklist(tools), _hash()
    await blocklist.check(blocked, clip, digest, Limits())
    await blocklist.check(video, clip, _hash(), Limits())
    await blocklist.learn(blocked, clip, digest, Limits())
    await room.do.moderation.block(blocked, MODERATOR, "")
    assert [each.id for each in await room.stores.videos.room_videos(room.room_id)] == [video.id]
    # It looks the same, as is known only now.
    await blocklist.learn(video, clip, _hash(), Limits())
    assert await room.stores.videos.room_videos(room.room_id) == []


async def test_a_damaged_row_is_nobodys_copy(room: EncryptedRoom) -> None:
    video, other = await room.start(room.room_id, videos=2, encrypted=True)
    await room.contents.keep(video, Content(_hash(), None))
    await room.stores.blocks.seal_content(other.id, b"damaged")
    assert await room.contents.of(other) is None
    assert await room.do.moderation.block(video, MODERATOR, "") == 1
