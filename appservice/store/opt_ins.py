"""Who opted encrypted rooms in: that playable copies of their videos are stored here. And what ends with it."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appservice.core.jobs import NotifyNewcomers, NotifyRoom
from appservice.core.model import RoomId, UserId
from appservice.store.audit import Deed, note
from appservice.store.outbox import Connection, announce, queue
from appservice.store.pool import Database
from appservice.store.removal import erase_uploads, remove_videos
from appservice.store.sql import query

TOGETHER = timedelta(seconds=10)
"""For so long those who join wait for others, to be notified with them."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A member who joined since the room was opted in."""

    user_id: UserId
    joined_at: datetime


class OptInStore(Database):
    """Opt-ins. Every method raises UnavailableError when the database is away."""

    async def opt_in(self, room_id: RoomId, *, by: UserId) -> bool:
        """Store that somebody opted an encrypted room in, and queue a notice; False where somebody did before."""
        async with self._transaction() as connection:
            at: datetime | None = await connection.fetchval(*query("opt_in", room_id=room_id, user_id=by))
            if at is None:
                return False
            await note(connection, by, Deed.OPTED_IN, room_id=room_id)
            await queue(connection, _notice(room_id, "bot-opted-in", by, at))
            await announce(connection, room_id)
        return True

    async def opt_out(self, room_id: RoomId, *, by: UserId) -> int:
        """End the opt-in of a room, and erase what was made of its videos; return how many there were.

        Its messages stay as they are, with their originals at the homeserver: they are their senders'.
        """
        async with self._transaction() as connection:
            # What is being taken in at this moment comes first, and goes.
            await connection.execute(*query("lock_opt_in", room_id=room_id))
            await connection.execute(*query("opt_out", room_id=room_id))
            rows = await connection.fetch(*query("removable_of_room", room_id=room_id))
            await remove_videos(connection, rows, by=by, redact=False, because="opt-out", originals=False)
            # Now that no video is here: of what was sent, no more is known than of any message.
            await erase_uploads(connection, room_id=room_id)
            await connection.execute(*query("delete_encrypted_events", room_id=room_id, user_id=None))
            await note(connection, by, Deed.OPTED_OUT, room_id=room_id, videos=len(rows))
            at: datetime = await connection.fetchval(*query("clock"))
            await queue(connection, _notice(room_id, "bot-opted-out", by, at, len(rows)))
            await announce(connection, room_id)
        return len(rows)

    async def newcomers(self, room_id: RoomId, most: int) -> list[Newcomer]:
        """Return the first of those who joined since somebody opted the room in, and were not notified of it."""
        rows = await self._fetch("newcomers", room_id=room_id, most=most)
        return [Newcomer(UserId(row["user_id"]), row["joined_at"]) for row in rows]

    async def newcomers_told(self, room_id: RoomId, newcomers: Sequence[Newcomer]) -> None:
        """Store that these were notified."""
        await self._fetch("newcomers_told", room_id=room_id, user_ids=[each.user_id for each in newcomers])

    async def queue_newcomers(self, room_id: RoomId) -> None:
        """Queue a notice to those who joined, if there are any."""
        async with self._transaction() as connection:
            await _expect_newcomers(connection, room_id)


async def _expect_newcomers(connection: Connection, room_id: RoomId) -> None:
    """Queue a notice to those who joined since a room was opted in, where anybody did."""
    if await connection.fetchrow(*query("newcomers", room_id=room_id, most=1)) is None:
        return
    if not await connection.fetchval(*query("has_newcomers_job", room_id=room_id)):
        await queue(connection, NotifyNewcomers(room_id), after=TOGETHER)


async def may_take_videos(connection: Connection, room_ids: Collection[RoomId], earliest: datetime | None) -> bool:
    """Say whether a video may be stored that concerns these rooms; until the transaction's end nobody opts them out.

    In an encrypted room nothing is that came, or was sent, before somebody opted in: at the `earliest` (None: now).
    """
    rooms = list(room_ids)
    if not await connection.fetch(*query("share_opt_in", room_ids=rooms)):
        return True
    return bool(await connection.fetchval(*query("may_take_videos", room_ids=rooms, earliest=earliest)))


def _notice(room_id: RoomId, message: str, user_id: UserId, at: datetime, count: int = 0) -> NotifyRoom:
    once = secrets.token_hex(16)
    return NotifyRoom(room_id, message, user_id, at=round(at.timestamp() * 1000), once=once, count=count)
