"""Encrypted rooms: what is taken before and after somebody opts them in, and what is left once they are opted out."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import asyncpg
import pytest

from appservice import resources
from appservice.core.errors import ConflictError, ForbiddenError
from appservice.core.events.changes import (
    Backfilled,
    BotMembershipChanged,
    Change,
    CommandSent,
    EncryptedSent,
    MemberChanged,
    NewGallery,
    NewVideo,
    PowerChanged,
    Reacted,
    Redacted,
    RoomEncrypted,
    SignInSent,
    VideoEdited,
)
from appservice.core.model import EventId, History, KeyRotation, RoomId, UserId, Video
from appservice.core.room import Membership, Room, Snapshot
from appservice.core.rules.quotas import NO_LIMITS
from appservice.core.rules.video_permissions import viewer_in
from appservice.database.migrate import load_migrations, migrate
from appservice.service.use_cases import UseCases
from appservice.store import Stores
from appservice.store.intake import apply_all
from appservice.store.outbox import Pool
from tests.support.databases import CreateDatabase, migrated_pool, waits_for_lock
from tests.support.waiting import eventually

ALICE, BOB, CAROL, DAVE = (UserId(f"@{name}:example.org") for name in ("alice", "bob", "carol", "dave"))
LEVELS = {"users": {ALICE: 100}}

numbers = count()


@pytest.fixture(scope="module")
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("opt-ins"), size=5) as pool:
        yield pool


@dataclass
class EncryptedRoom:
    """An encrypted room that the bot is in; alice moderates it, bob is a member."""

    pool: Pool
    available: bool = True
    room_id: RoomId = field(default_factory=lambda: RoomId(f"!{next(numbers)}:example.org"))

    def __post_init__(self) -> None:
        self.stores = Stores(self.pool, decrypting=True)
        self.do = UseCases.on(self.stores, lambda: None, encrypted_rooms=self.available).opt_ins

    async def start(self, *, encrypted: bool = True) -> None:
        await self.apply(
            BotMembershipChanged(self.room_id, Membership.JOIN, ALICE),
            PowerChanged(self.room_id, dict(LEVELS)),
            *(self.member(user_id) for user_id in (ALICE, BOB)),
        )
        if encrypted:
            await self.apply(RoomEncrypted(self.room_id))

    async def apply(self, *changes: Change) -> None:
        assert await self.stores.intake.apply(changes) == 0

    def member(self, user_id: UserId, membership: Membership = Membership.JOIN) -> MemberChanged:
        return MemberChanged(self.room_id, user_id, membership, None, None)

    def video(self, **changes: object) -> NewVideo:
        number = next(numbers)
        video = NewVideo(
            event_id=EventId(f"$event{number}"), room_id=self.room_id, sender=BOB, title="T",
            mxc=f"mxc://example.org/{number}", encrypted_file=None, claimed_size=None, certain=True, sent_at=number,
        )  # fmt: skip
        return dataclasses.replace(video, **changes)  # type: ignore[arg-type] # the fields' own types

    def encrypted(self, sender: UserId = BOB) -> EncryptedSent:
        return EncryptedSent(self.room_id, EventId(f"$encrypted{next(numbers)}"), sender, "session", {"type": "x"})

    async def decrypted(self, *changes: Change, received_at: datetime) -> None:
        """Apply what an event turned out to be that came before."""
        async with self.pool.acquire() as connection, connection.transaction():
            await apply_all(connection, changes, NO_LIMITS, received_at=received_at)

    async def room(self) -> Room:
        room = await self.stores.rooms.room(self.room_id)
        assert room
        return room

    async def opt_in(self, user_id: UserId = ALICE) -> bool:
        room = await self.room()
        return await self.do.opt_in(room, viewer_in(room, user_id))

    async def opt_out(self, user_id: UserId = ALICE) -> int:
        room = await self.room()
        return await self.do.opt_out(room, viewer_in(room, user_id))

    async def videos(self) -> list[Video]:
        return await self.stores.videos.room_videos(self.room_id)

    async def titles(self) -> list[str]:
        return [video.title for video in await self.videos()]

    async def now(self) -> datetime:
        return await self.stores.installation.now()

    async def remains(self) -> dict[str, int]:
        return await self.stores.erasure.remains(room_id=self.room_id)

    async def jobs(self, *names: str) -> list[dict[str, object] | str]:
        rows = await self.pool.fetch(
            "SELECT convert_from(payload, 'UTF8') AS payload FROM pgqueuer WHERE entrypoint = ANY ($1) ORDER BY id",
            names,
        )
        payloads = [row["payload"] for row in rows if self.room_id in row["payload"]]
        return [json.loads(payload) if payload.startswith("{") else payload for payload in payloads]


@pytest.fixture
async def room(pool: Pool) -> EncryptedRoom:
    room = EncryptedRoom(pool)
    await room.start()
    return room


# Coming in


async def test_no_video_is_taken_before_somebody_opts_in_nor_afterwards_if_it_was_sent_before(
    room: EncryptedRoom,
) -> None:
    before = await room.now()
    early = room.video()
    gallery = NewGallery(EventId(f"$gallery{next(numbers)}"), room.room_id, BOB, ())
    items = tuple(room.video(event_id=gallery.event_id, item=item) for item in range(2))
    await room.apply(early, dataclasses.replace(gallery, videos=items))
    assert await room.titles() == []
    assert await room.opt_in()
    assert not await room.opt_in(), "once is enough"
    # The homeserver repeats itself.
    await room.apply(early)
    # What is decrypted now came before; and what a backfill finds was sent before, or nobody knows when.
    await room.decrypted(room.video(title="came before"), received_at=before)
    for sent_after in (before, None):
        await room.apply(room.video(title="found", backfilled=Backfilled(sent_after, History.SHARED)))
    assert await room.titles() == []
    later = await room.now()
    await room.decrypted(room.video(title="decrypted"), received_at=later)
    await room.apply(
        room.video(title="clear"), room.video(title="missed", backfilled=Backfilled(later, History.SHARED))
    )
    assert sorted(await room.titles()) == ["clear", "decrypted", "missed"]


async def test_what_was_sent_before_the_room_was_encrypted_stays_and_edits_bring_nothing_new(pool: Pool) -> None:
    room = EncryptedRoom(pool)
    await room.start(encrypted=False)
    sent = room.video(title="plain")
    await room.apply(sent, RoomEncrypted(room.room_id))
    assert await room.titles() == ["plain"]
    edit_id, edited_at = EventId(f"$edit{next(numbers)}"), next(numbers)
    caption = dataclasses.replace(sent, title="caption", event_id=edit_id, sent_at=edited_at)
    await room.apply(VideoEdited.to(sent.event_id, caption))
    assert await room.titles() == ["caption"]
    (video,) = await room.videos()
    other = room.video(title="other", event_id=EventId(f"$edit{next(numbers)}"))
    await room.apply(VideoEdited.to(sent.event_id, other))
    assert await room.videos() == [video]
    second = VideoEdited.to(sent.event_id, dataclasses.replace(sent, sent_at=next(numbers)))
    await room.apply(dataclasses.replace(second, others=(room.video(item=1, sent_at=second.video.sent_at),)))
    assert len(await room.videos()) == 1
    await room.opt_in()
    await room.apply(VideoEdited.to(sent.event_id, dataclasses.replace(other, sent_at=next(numbers))))
    (edited,) = await room.videos()
    assert edited.file.mxc == other.mxc
    # And it goes, as always.
    await room.apply(Redacted(room.room_id, sent.event_id, BOB))
    assert await room.videos() == []


async def test_commands_and_sign_ins_need_nobody_to_opt_in(room: EncryptedRoom, pool: Pool) -> None:
    command, sign_in = EventId(f"$command{next(numbers)}"), EventId(f"$sign-in{next(numbers)}")
    await room.apply(
        CommandSent(room.room_id, command, BOB, "help", True, command, None),
        SignInSent(room.room_id, sign_in, BOB, "WRONG", sign_in),
        Reacted(room.room_id, EventId(f"$reaction{next(numbers)}"), BOB, EventId("$nothing"), approves=True),
    )
    assert await room.jobs("command", "answer") != []
    assert await pool.fetchval("SELECT count(*) FROM commands WHERE event_id = $1", command) == 1


async def test_what_is_taken_in_while_a_room_is_opted_out_goes_with_the_rest(room: EncryptedRoom, pool: Pool) -> None:
    await room.opt_in()
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await apply_all(connection, [room.video(title="late")])
        opting_out = asyncio.create_task(room.opt_out())

        async def waits() -> bool:
            return await waits_for_lock(pool)

        await eventually(waits, what="the opt-out waiting for the video")
        await transaction.commit()
    assert await opting_out == 1
    assert await room.videos() == []


# Who decides


async def test_moderators_decide_and_whoever_is_alone_with_the_bot(pool: Pool) -> None:
    room = EncryptedRoom(pool)
    await room.start(encrypted=False)
    with pytest.raises(ConflictError, match="not encrypted"):
        await room.opt_in()
    await room.apply(RoomEncrypted(room.room_id))
    for change in (room.opt_in, room.opt_out):
        with pytest.raises(ForbiddenError):
            await change(BOB)
    assert await room.opt_in(ALICE)
    opted = await room.room()
    assert opted.opted_in_by == ALICE
    assert opted.takes_videos
    alone = EncryptedRoom(pool)
    await alone.apply(
        BotMembershipChanged(alone.room_id, Membership.INVITE, BOB, direct=True),
        BotMembershipChanged(alone.room_id, Membership.JOIN, BOB),
        alone.member(BOB),
        RoomEncrypted(alone.room_id),
    )
    assert await alone.opt_in(BOB)


async def test_where_the_operator_did_not_set_it_up_nobody_opts_in_but_anybody_with_the_power_out(pool: Pool) -> None:
    room = EncryptedRoom(pool, available=False)
    await room.start()
    with pytest.raises(ConflictError, match=r"docs/encryption\.md"):
        await room.opt_in()
    await EncryptedRoom(pool, room_id=room.room_id).opt_in()
    assert await room.opt_out() == 0


# What ends with it


async def test_opting_out_erases_what_was_made_and_lets_the_messages_be(room: EncryptedRoom, pool: Pool) -> None:
    await room.opt_in()
    sent = room.video()
    await room.apply(sent, room.video(), room.encrypted())
    upload = await room.stores.uploads.create(room.room_id, BOB, filename="a.mp4", metadata="", length=10)
    await pool.execute(
        "INSERT INTO upload_media (mxc, upload_id, owner, room_id, bytes, sent_at)"
        " VALUES ($1, $2, $3, $4, 5, now()), ('mxc://example.org/unsent-' || $2::text, $2, $3, $4, 5, NULL)",
        sent.mxc, upload.id, BOB, room.room_id,
    )  # fmt: skip
    (first, _) = await room.videos()
    await pool.execute("INSERT INTO media_keys (video_id, stage, sealed) VALUES ($1, '1-ready', 'x')", first.id)
    before = await room.remains()
    assert before == {"videos": 2, "uploads": 1, "uploads at the homeserver": 2, "encrypted events": 1} | {
        name: number for name, number in before.items() if "keys" in name
    }
    assert await room.opt_out() == 2
    assert not (await room.room()).takes_videos
    assert await room.videos() == []
    # What nobody sent goes at the homeserver, too, by a job; the originals of messages are their senders'.
    assert await room.remains() == {"uploads at the homeserver": 1}
    assert await room.jobs("forget") == []
    assert await pool.fetchval("SELECT count(*) FROM upload_media WHERE mxc = $1", sent.mxc) == 0
    rows = await pool.fetch("SELECT action, actor, details FROM audit WHERE room_id = $1 ORDER BY key", room.room_id)
    assert [row["action"] for row in rows] == ["opted-in", "erased", "erased", "opted-out"]
    assert {row["actor"] for row in rows} == {ALICE}
    begun, ended = await room.jobs("opt_in")
    assert isinstance(begun, dict)
    assert isinstance(ended, dict)
    assert (begun["message"], ended["message"], ended["count"]) == ("bot-opted-in", "bot-opted-out", 2)
    # The events are known still: another opt-in does not bring them back.
    await room.opt_in(ALICE)
    await room.apply(sent)
    assert await room.videos() == []


async def test_the_bots_leaving_ends_it(room: EncryptedRoom) -> None:
    await room.opt_in()
    await room.apply(BotMembershipChanged(room.room_id, Membership.JOIN, ALICE))
    assert (await room.room()).takes_videos, "a new name of the bot's is no coming"
    await room.apply(BotMembershipChanged(room.room_id, Membership.LEAVE, ALICE))
    await room.apply(BotMembershipChanged(room.room_id, Membership.JOIN, ALICE))
    assert not (await room.room()).takes_videos


@pytest.mark.parametrize("replacement_encrypted", [True, False])
async def test_an_upgrade_carries_it_over_into_an_encrypted_room_once(pool: Pool, replacement_encrypted: bool) -> None:
    old, new = EncryptedRoom(pool), EncryptedRoom(pool)
    await old.start()
    await old.opt_in()
    agreed = await old.room()
    await new.start(encrypted=replacement_encrypted)
    await old.stores.rooms.follow_upgrade(old.room_id, new.room_id)
    now = await new.room()
    expected = (ALICE, agreed.opted_in_at) if replacement_encrypted else (None, None)
    assert (now.opted_in_by, now.opted_in_at) == expected
    assert (await old.room()).takes_videos is not replacement_encrypted
    if replacement_encrypted:
        await new.opt_out()
        await old.stores.rooms.follow_upgrade(old.room_id, new.room_id)
        assert not (await new.room()).takes_videos


async def test_videos_of_an_encrypted_room_stay_where_its_replacement_is_not(pool: Pool) -> None:
    old, new = EncryptedRoom(pool), EncryptedRoom(pool)
    await old.start()
    await old.opt_in()
    await old.apply(old.video(title="secret"))
    (video,) = await old.videos()
    await pool.execute("UPDATE members SET avatar_video = $1 WHERE room_id = $2", video.id, old.room_id)
    await new.start(encrypted=False)
    assert not await old.stores.rooms.follow_upgrade(old.room_id, new.room_id)
    assert (await old.titles(), await new.titles()) == (["secret"], [])
    audit = "SELECT FROM audit WHERE room_id = $1"
    avatars = "SELECT FROM members WHERE room_id = $1 AND avatar_video IS NOT NULL"
    for query in (audit, avatars):
        assert await pool.fetch(query, old.room_id)
        assert await pool.fetch(query, new.room_id) == []
    # They come along once it is encrypted as well.
    await new.apply(RoomEncrypted(new.room_id))
    assert await old.stores.rooms.follow_upgrade(old.room_id, new.room_id)
    assert (await old.titles(), await new.titles()) == ([], ["secret"])
    assert (await new.room()).takes_videos


# Before the state of a room was read, which says whether it is encrypted


def _snapshot(room: EncryptedRoom, read_at: datetime, *, encrypted: bool) -> Snapshot:
    members = [(ALICE, None, None), (BOB, None, None)]
    rotation = KeyRotation() if encrypted else None
    return Snapshot(room.room_id, None, dict(LEVELS), [], rotation, members, frozenset(), read_at)


@pytest.mark.parametrize("encrypted", [True, False])
async def test_what_came_before_the_state_was_read_needs_an_opt_in_as_well(pool: Pool, encrypted: bool) -> None:
    room = EncryptedRoom(pool)
    await room.start(encrypted=False)
    await room.apply(room.video(title="early"))
    assert not (await room.room()).state_read
    await room.stores.rooms.save_snapshot(_snapshot(room, await room.now(), encrypted=encrypted))
    assert (await room.room()).state_read
    assert await room.titles() == ([] if encrypted else ["early"])


async def test_what_came_before_a_room_was_encrypted_stays(pool: Pool) -> None:
    room = EncryptedRoom(pool)
    await room.start(encrypted=False)
    await room.stores.rooms.save_snapshot(_snapshot(room, await room.now(), encrypted=False))
    await room.apply(room.video(title="plain"))
    await room.stores.rooms.save_snapshot(_snapshot(room, await room.now(), encrypted=True))
    await room.stores.rooms.settle_unread(room.room_id)
    assert await room.titles() == ["plain"]
    # While the bot is away a room may turn it on; what is there from before is not touched.
    await room.apply(BotMembershipChanged(room.room_id, Membership.LEAVE, ALICE))
    await pool.execute("UPDATE rooms SET encrypted = false WHERE room_id = $1", room.room_id)
    await room.apply(BotMembershipChanged(room.room_id, Membership.JOIN, ALICE), room.video(title="early"))
    assert not (await room.room()).state_read
    await room.stores.rooms.save_snapshot(_snapshot(room, await room.now(), encrypted=True))
    assert await room.titles() == ["plain"]


async def test_what_is_there_before_the_upgrade_stays(create_database: CreateDatabase) -> None:
    dsn = await create_database("before-state-read")
    migrations = load_migrations(resources.migrations())
    before = next(number for number, migration in enumerate(migrations) if migration.name == "state_read")
    connection = await asyncpg.connect(dsn)
    try:
        await migrate(connection, migrations[:before])
        await connection.execute(
            "INSERT INTO rooms (room_id, bot_membership, bot_joined_at) VALUES ('!old:example.org', 'join', now())"
        )
    finally:
        await connection.close()
    async with migrated_pool(dsn, size=2) as pool:
        room = EncryptedRoom(pool, room_id=RoomId("!old:example.org"))
        await room.apply(room.video(title="plain"), RoomEncrypted(room.room_id))
        # As at the first start.
        await room.stores.rooms.save_snapshot(_snapshot(room, await room.now(), encrypted=True))
        assert await room.titles() == ["plain"]
        # Whatever comes from now on has its state read first.
        new = EncryptedRoom(pool)
        await new.start(encrypted=False)
        assert not (await new.room()).state_read


async def test_what_is_taken_in_while_the_state_is_read_goes_with_the_rest(pool: Pool) -> None:
    room = EncryptedRoom(pool)
    await room.start(encrypted=False)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await apply_all(connection, [room.video(title="late")])
        saving = asyncio.create_task(room.stores.rooms.save_snapshot(_snapshot(room, await room.now(), encrypted=True)))

        async def waits() -> bool:
            return await waits_for_lock(pool)

        await eventually(waits, what="the snapshot waiting for the video")
        await transaction.commit()
    await saving
    assert await room.titles() == []


async def test_erasing_somebody_or_a_room_leaves_nothing_of_it(room: EncryptedRoom, pool: Pool) -> None:
    await room.opt_in()
    await room.apply(room.encrypted(ALICE), room.encrypted(BOB))
    await room.stores.erasure.erase_user(ALICE, by=ALICE)
    left = await room.stores.erasure.remains(user_id=ALICE)
    assert {"opted in", "encrypted events"} & set(left) == set()
    now = await room.room()
    assert (now.opted_in_by, now.takes_videos) == ("", True), "somebody did, whoever that was"
    await room.apply(room.member(BOB, Membership.BAN))
    assert "encrypted events" not in await room.remains()
    await room.apply(room.encrypted(ALICE))
    await pool.execute(
        "INSERT INTO outgoing_events (room_id, txn_id, kind, content) VALUES ($1, $1, 'm.room.message', '{}')",
        room.room_id,
    )
    assert (await room.remains()) == {"encrypted events": 1, "notices to be encrypted": 1}
    await room.stores.erasure.erase_room(room.room_id, by=ALICE)
    assert await room.remains() == {}
    assert not (await room.room()).takes_videos


# Those who join


async def test_who_joins_later_is_to_be_told_once_and_together(room: EncryptedRoom, pool: Pool) -> None:
    async def told() -> list[UserId]:
        newcomers = await room.stores.opt_ins.newcomers(room.room_id, 10)
        await room.stores.opt_ins.newcomers_told(room.room_id, newcomers)
        return [each.user_id for each in newcomers]

    await room.apply(room.member(CAROL))
    assert await room.jobs("newcomers") == []
    await room.opt_in()
    await room.apply(room.member(BOB))  # another name
    assert await room.jobs("newcomers") == []
    await room.apply(room.member(DAVE, Membership.INVITE), room.member(CAROL, Membership.LEAVE))
    assert await room.jobs("newcomers") == []
    await room.apply(room.member(DAVE), room.member(CAROL))
    assert await room.jobs("newcomers") == [room.room_id], "one job for both"
    assert sorted(await told()) == [CAROL, DAVE]
    await room.apply(room.member(DAVE))
    assert await told() == []
    # Also where the event of it was lost: the room's state says so.
    await room.stores.opt_ins.queue_newcomers(room.room_id)
    assert len(await room.jobs("newcomers")) == 1
    await room.apply(room.member(DAVE, Membership.LEAVE), room.member(DAVE))
    assert await told() == [], "whoever comes and goes is not told each time"
    for shifted in (
        "UPDATE rooms SET opted_in_at = opted_in_at - interval '2 days' WHERE room_id = $1",
        "UPDATE members SET told_at = told_at - interval '2 days', joined_at = joined_at - interval '3 days'"
        " WHERE room_id = $1",
    ):
        await pool.execute(shifted, room.room_id)
    await room.apply(room.member(DAVE, Membership.LEAVE), room.member(DAVE))
    assert await told() == [DAVE], "but some days later"
    await room.opt_out()
    await room.opt_in()
    await room.apply(room.member(CAROL, Membership.LEAVE), room.member(CAROL))
    assert await told() == [CAROL], "another one opted in"


async def test_who_comes_along_with_an_upgrade_knows(pool: Pool) -> None:
    old, new = EncryptedRoom(pool), EncryptedRoom(pool)
    await old.start()
    await old.apply(old.member(CAROL))
    await old.opt_in()
    await new.apply(BotMembershipChanged(new.room_id, Membership.JOIN, ALICE), RoomEncrypted(new.room_id))
    await old.stores.rooms.note_replacement(old.room_id, new.room_id)
    await old.stores.rooms.follow_upgrade(old.room_id, new.room_id)
    await new.apply(new.member(CAROL), new.member(DAVE))
    assert [each.user_id for each in await new.stores.opt_ins.newcomers(new.room_id, 10)] == [DAVE]


async def test_those_who_join_within_seconds_wait_for_each_other(room: EncryptedRoom, pool: Pool) -> None:
    await room.opt_in()
    await room.apply(room.member(CAROL))
    (row,) = await pool.fetch(
        "SELECT execute_after - created AS wait FROM pgqueuer WHERE entrypoint = 'newcomers'"
        " AND payload = convert_to($1, 'UTF8')",
        room.room_id,
    )
    assert timedelta(seconds=9) < row["wait"] < timedelta(seconds=11)
