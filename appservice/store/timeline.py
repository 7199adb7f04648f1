"""Results of a backfill of a room's timeline, and its marks."""

from collections.abc import Sequence
from datetime import datetime

from appservice.core.events.attachment_keys import Convert
from appservice.core.events.changes import Change, VideoEdited
from appservice.core.model import EventId, RoomId, UserId
from appservice.core.rules.quotas import NO_LIMITS, Quotas
from appservice.store.intake import apply_all, to_store
from appservice.store.outbox import Pool
from appservice.store.pool import Database
from appservice.store.sql import query


class TimelineStore(Database):
    """Backfill. Every method raises UnavailableError when the database is away."""

    def __init__(
        self, pool: Pool, quotas: Quotas = NO_LIMITS, *, decrypting: bool = False, seal: Convert | None = None
    ) -> None:
        super().__init__(pool)
        self._quotas = quotas
        self._decrypting = decrypting
        self._seal = seal

    async def take(
        self,
        room_id: RoomId,
        changes: Sequence[Change],
        *,
        newest: EventId | None,
        requested_at: datetime,
        moved: Sequence[tuple[UserId, EventId]] = (),
    ) -> int:
        """Store changes that were found, and how far we looked; return how many were missed.

        `moved` are those who came or went in what was looked through, each with the event: where we missed that, it
        is not known since when they are there. `requested_at` is the database's clock before the request.
        """
        async with self._transaction() as connection:
            users, events = [user_id for user_id, _ in moved], [event_id for _, event_id in moved]
            await connection.execute(*query("reset_member_since", room_id=room_id, user_ids=users, event_ids=events))
            stored = to_store(changes, decrypting=self._decrypting)
            taken, _ = await apply_all(connection, stored, self._quotas, self._seal)
            if newest is not None:
                await connection.execute(
                    *query("store_mark", room_id=room_id, event_id=newest, requested_at=requested_at)
                )
            await connection.execute(*query("delete_old_events", days=_KEEP_DAYS))
        return taken

    async def take_anew(self, change: VideoEdited) -> None:
        """Store what a message is now, whatever edits we know of."""
        async with self._transaction() as connection:
            await connection.execute(*query("reset_edit_time", sent_in=change.room_id, event_id=change.target))
            await apply_all(connection, [change], seal=self._seal)

    async def store_joined_event(self, room_id: RoomId, event_id: EventId, requested_at: datetime) -> None:
        """Store the event of the bot's coming."""
        await self._fetch("store_joined_event", room_id=room_id, event_id=event_id, requested_at=requested_at)

    async def joined_event(self, room_id: RoomId) -> EventId | None:
        """Return the event of the bot's coming, None when it was not found."""
        row = await self._fetchrow("joined_event", room_id=room_id)
        return EventId(row["joined_event"]) if row and row["joined_event"] else None


# Longer than any backfill goes (`worker.timeline`).
_KEEP_DAYS = 8
