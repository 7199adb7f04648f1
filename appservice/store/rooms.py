"""Rooms that the bot is in, or was: their state, which notices were sent there, and who tends them."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict

from appservice.core.jobs import Backfill, TendRoom
from appservice.core.model import KeyRotation, RoomId, UserId
from appservice.core.room import Membership, Room, Snapshot
from appservice.store.audit import ITSELF
from appservice.store.mapping import read_room
from appservice.store.outbox import Connection, announce, queue
from appservice.store.pool import LockingDatabase
from appservice.store.removal import erase_departed, remove_videos
from appservice.store.sql import query


class RoomStore(LockingDatabase):
    """Rooms. Every method raises UnavailableError when the database is away."""

    async def room(self, room_id: RoomId) -> Room | None:
        """Return what is known of a room."""
        row = await self._fetchrow("room", room_id=room_id)
        return read_room(row) if row else None

    async def rooms_with_us(self) -> set[RoomId]:
        """Return the rooms that the bot is in, by the events that came."""
        return {RoomId(row["room_id"]) for row in await self._fetch("rooms_with_us")}

    async def tended_rooms(self) -> list[RoomId]:
        """Return the rooms that the bot is in or is invited to."""
        return [RoomId(row["room_id"]) for row in await self._fetch("joined_rooms")]

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Store a room's state as read from the homeserver, except where an event brought something newer."""
        async with self._transaction() as connection:
            if snapshot.encrypted:
                await _settle_unread(connection, snapshot.room_id)  # before it counts as read
            again = await connection.fetchval(
                *query(
                    "set_room_snapshot",
                    room_id=snapshot.room_id,
                    name=snapshot.name,
                    power_levels=snapshot.power_levels,
                    creators=snapshot.creators,
                    encrypted=snapshot.encrypted is not None,
                    encryption=asdict(snapshot.encrypted) if snapshot.encrypted else None,
                    read_at=snapshot.read_at,
                    max_lifetime=snapshot.max_lifetime,
                    history=snapshot.history,
                )
            )
            if again:
                await queue(connection, TendRoom(snapshot.room_id))
            if snapshot.encrypted:
                await connection.execute(*query("wake_decrypting"))  # what came before that was known
            await connection.execute(*query("settle_history", room_id=snapshot.room_id))
            await _save_members(connection, snapshot)
            await announce(connection, snapshot.room_id)

    async def settle_unread(self, room_id: RoomId) -> None:
        """Remove the videos of an encrypted room that came before its state was read, while nobody had opted in."""
        async with self._transaction() as connection:
            await _settle_unread(connection, room_id)
            await announce(connection, room_id)

    async def rotation(self, room_id: str) -> KeyRotation | None:
        """Return when an encrypted room's keys are replaced; None where nothing is encrypted."""
        row = await self._fetchrow("room_rotation", room_id=room_id)
        return KeyRotation(**row["encryption"]) if row else None

    async def encrypted_with(self, user_id: str) -> list[str]:
        """Return the encrypted rooms whose messages a user reads."""
        return [row["room_id"] for row in await self._fetch("encrypted_rooms_with", user_id=user_id)]

    async def readers(self, room_id: RoomId) -> list[UserId]:
        """Return who reads what is sent to a room from now on."""
        return [UserId(row["user_id"]) for row in await self._fetch("room_readers", room_id=room_id)]

    async def widget_id(self, room_id: RoomId) -> str:
        """Return the id of the room's widget: nobody can guess it, and it stays as long as we know the room."""
        row = await self._fetchrow("ensure_widget_id", room_id=room_id, id=f"roomreel-{secrets.token_urlsafe(24)}")
        if row is None:
            raise AssertionError("only a known room has a widget")
        return str(row["widget_id"])

    async def mark_widget_placed(self, room_id: RoomId) -> None:
        """Store that the widget was put into the room, so that its removal is respected."""
        await self._fetch("mark_widget_placed", room_id=room_id)

    async def mark_notified(self, room_id: RoomId, subject: str) -> None:
        """Store that the bot sent the notice about `subject` in the room."""
        await self._fetch("mark_notified", room_id=room_id, subject=subject)

    async def clear_notified(self, room_id: RoomId, subject: str) -> None:
        """Allow the bot to send the notice about `subject` again."""
        await self._fetch("clear_notified", room_id=room_id, subject=subject)

    @asynccontextmanager
    async def tending(self, room_id: RoomId) -> AsyncIterator[None]:
        """Hold a room to ourselves among all workers."""
        async with self._holding("lock_room", room_id=room_id):
            yield

    async def tend(self, room_ids: Sequence[RoomId]) -> None:
        """Queue a look at each of the rooms."""
        async with self._transaction() as connection:
            await queue(connection, *map(TendRoom, room_ids))

    async def note_replacement(self, old: RoomId, new: RoomId) -> None:
        """Store that a room's own state names its replacement."""
        await self._fetch("set_replaced_by", room_id=old, replacement=new)

    async def backfill(self, room_ids: Sequence[RoomId], *, history: int | None = None) -> None:
        """Queue a backfill of what each of the timelines has and we missed, or of `history` messages of before us."""
        async with self._transaction() as connection:
            await queue(connection, *(Backfill(room_id, history) for room_id in room_ids))

    async def follow_upgrade(self, old: RoomId, new: RoomId) -> bool:
        """Carry what a replaced room has into its replacement; both ends must have been checked. May be repeated.

        False where what is of an encrypted room stays there, since the other one is not.
        """
        async with self._transaction() as connection:
            await connection.execute(*query("move_settings", old_room_id=old, new_room_id=new))
            await connection.execute(*query("move_moderators_room", old_room_id=old, new_room_id=new))
            if not await connection.fetchval(*query("is_as_private", old_room_id=old, new_room_id=new)):
                return False
            await connection.execute(*query("move_videos", old_room_id=old, new_room_id=new))
            await connection.execute(*query("move_blocks", old_room_id=old, new_room_id=new))
            await connection.execute(*query("move_audit", old_room_id=old, new_room_id=new))
            await connection.execute(*query("move_avatars", old_room_id=old, new_room_id=new))
            await connection.execute(*query("move_opt_in", old_room_id=old, new_room_id=new))
            await announce(connection, old)
            await announce(connection, new)
        return True


async def _settle_unread(connection: Connection, room_id: RoomId) -> None:
    """Remove what came into an encrypted room before its state was read, where that was not, and nobody opted in."""
    # What is being taken in at this moment comes first, and goes.
    await connection.execute(*query("lock_opt_in", room_id=room_id))
    if await connection.fetchval(*query("is_state_unread", room_id=room_id)):
        rows = await connection.fetch(*query("removable_unagreed", room_id=room_id))
        await remove_videos(connection, rows, by=ITSELF, redact=False, because="not-opted-in", originals=False)


async def _save_members(connection: Connection, snapshot: Snapshot) -> None:
    """Store who is in a room, and erase what those have there who are not any more."""
    rows: list[tuple[UserId, Membership, str | None, str | None]] = [
        *((user_id, Membership.JOIN, name, avatar) for user_id, name, avatar in snapshot.members),
        *((user_id, Membership.INVITE, None, None) for user_id in snapshot.invited),
    ]
    there, memberships, names, avatars = ([row[n] for row in rows] for n in range(4))
    room_id, read_at, banned = snapshot.room_id, snapshot.read_at, list(snapshot.banned)
    await connection.execute(
        *query(
            "snapshot_members",
            room_id=room_id,
            user_ids=there,
            memberships=memberships,
            display_names=names,
            avatar_mxcs=avatars,
            read_at=read_at,
        )
    )
    left = query("snapshot_leavers", room_id=room_id, user_ids=there, banned=banned, read_at=read_at)
    thrown_out = query("snapshot_banned", room_id=room_id, banned=banned, read_at=read_at)
    gone = [*await connection.fetch(*left), *await connection.fetch(*thrown_out)]
    for user_id in {UserId(row["user_id"]) for row in gone}:
        await erase_departed(connection, room_id, user_id, banned=user_id in snapshot.banned)
