"""Rooms that the bot is in, or was: their state, which notices were sent there, and who tends them."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from appservice.core.jobs import Backfill, TendRoom
from appservice.core.model import RoomId, UserId
from appservice.core.room import Membership, Room, Snapshot
from appservice.store.mapping import SQL, read_room
from appservice.store.outbox import announce, queue
from appservice.store.pool import Database
from appservice.store.removal import erase_departed


class RoomStore(Database):
    """Rooms. Every method raises UnavailableError when the database is away."""

    async def room(self, room_id: RoomId) -> Room | None:
        """Return what is known of a room."""
        row = await self._fetchrow("room", room_id)
        return read_room(row) if row else None

    async def rooms_with_us(self) -> set[RoomId]:
        """Return the rooms that the bot is in, by the events that came."""
        return {RoomId(row["room_id"]) for row in await self._fetch("rooms_with_us")}

    async def tended_rooms(self) -> list[RoomId]:
        """Return the rooms that the bot is in or is invited to."""
        return [RoomId(row["room_id"]) for row in await self._fetch("joined_rooms")]

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Store a room's state as read from the homeserver, except where an event brought something newer."""
        rows: list[tuple[UserId, Membership, str | None, str | None]] = [
            *((user_id, Membership.JOIN, name, avatar) for user_id, name, avatar in snapshot.members),
            *((user_id, Membership.INVITE, None, None) for user_id in snapshot.invited),
        ]
        there, memberships, names, avatars = ([row[n] for row in rows] for n in range(4))
        async with self._transaction() as connection:
            again = await connection.fetchval(
                SQL["set_room_snapshot"], snapshot.room_id, snapshot.name, snapshot.power_levels, snapshot.creators,
                snapshot.encrypted, snapshot.read_at, snapshot.max_lifetime, snapshot.history,
            )  # fmt: skip
            if again:
                await queue(connection, TendRoom(snapshot.room_id))
            await connection.execute(SQL["settle_history"], snapshot.room_id)
            await connection.execute(
                SQL["snapshot_members"], snapshot.room_id, there, memberships, names, avatars, snapshot.read_at
            )
            banned = list(snapshot.banned)
            gone = [
                *await connection.fetch(SQL["snapshot_leavers"], snapshot.room_id, there, banned, snapshot.read_at),
                *await connection.fetch(SQL["snapshot_banned"], snapshot.room_id, banned, snapshot.read_at),
            ]
            for user_id in {UserId(row["user_id"]) for row in gone}:
                await erase_departed(connection, snapshot.room_id, user_id, banned=user_id in snapshot.banned)
            await announce(connection, snapshot.room_id)

    async def widget_id(self, room_id: RoomId) -> str:
        """Return the id of the room's widget: nobody can guess it, and it stays as long as we know the room."""
        row = await self._fetchrow("ensure_widget_id", room_id, f"roomreel-{secrets.token_urlsafe(24)}")
        if row is None:
            raise AssertionError("only a known room has a widget")
        return str(row["widget_id"])

    async def mark_widget_placed(self, room_id: RoomId) -> None:
        """Store that the widget was put into the room, so that its removal is respected."""
        await self._fetch("mark_widget_placed", room_id)

    async def mark_notified(self, room_id: RoomId, subject: str) -> None:
        """Store that the bot sent the notice about `subject` in the room."""
        await self._fetch("mark_notified", room_id, subject)

    async def clear_notified(self, room_id: RoomId, subject: str) -> None:
        """Allow the bot to send the notice about `subject` again."""
        await self._fetch("clear_notified", room_id, subject)

    @asynccontextmanager
    async def tending(self, room_id: RoomId) -> AsyncIterator[None]:
        """Hold a room to ourselves among all workers."""
        async with self._session() as connection:
            await connection.execute(SQL["lock_room"], room_id)
            try:
                yield
            finally:
                await connection.execute(SQL["unlock_room"], room_id)

    async def tend(self, room_ids: Sequence[RoomId]) -> None:
        """Queue a look at each of the rooms."""
        async with self._transaction() as connection:
            await queue(connection, *map(TendRoom, room_ids))

    async def note_replacement(self, old: RoomId, new: RoomId) -> None:
        """Store that a room's own state names its replacement."""
        await self._fetch("set_replaced_by", old, new)

    async def backfill(self, room_ids: Sequence[RoomId], *, history: int | None = None) -> None:
        """Queue a backfill of what each of the timelines has and we missed, or of `history` messages of before us."""
        async with self._transaction() as connection:
            await queue(connection, *(Backfill(room_id, history) for room_id in room_ids))

    async def follow_upgrade(self, old: RoomId, new: RoomId) -> None:
        """Carry what a replaced room has into its replacement; both ends must have been checked. May be repeated."""
        async with self._transaction() as connection:
            for what in ("videos", "settings", "moderators_room", "blocks", "audit", "avatars"):
                await connection.execute(SQL[f"move_{what}"], old, new)
            await announce(connection, old)
            await announce(connection, new)
