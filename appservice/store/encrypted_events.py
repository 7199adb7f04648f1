"""Events of encrypted rooms until they are decrypted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appservice.core.events.attachment_keys import Convert
from appservice.core.events.changes import Backfilled, Change
from appservice.core.jobs import Notify
from appservice.core.model import EventId, History, RoomId, UserId
from appservice.core.rules.quotas import NO_LIMITS, Quotas
from appservice.store.intake import apply_all
from appservice.store.mapping import Row
from appservice.store.outbox import Pool, queue
from appservice.store.pool import Database
from appservice.store.sql import query


@dataclass(frozen=True, slots=True)
class EncryptedEvent:
    """An event that waits to be decrypted; `found` and `of_before` as of `EncryptedSent`.

    `tries`: how often its key was not there.
    """

    key: int
    event_id: EventId
    room_id: RoomId
    sender: UserId
    session_id: str
    event: dict[str, Any]
    found: Backfilled | None
    of_before: bool
    received_at: datetime
    tries: int


class EncryptedEventStore(Database):
    """Encrypted events. Every method raises UnavailableError when the database is away."""

    def __init__(self, pool: Pool, quotas: Quotas = NO_LIMITS, *, seal: Convert | None = None) -> None:
        super().__init__(pool)
        self._quotas = quotas
        self._seal = seal

    async def due(self, most: int) -> list[EncryptedEvent]:
        """Return those that were not tried since they, or their keys, came, oldest first."""
        return [_read(row) for row in await self._fetch("due_encrypted_events", most=most)]

    async def waiting(self, room_id: RoomId) -> list[EncryptedEvent]:
        """Return those of a room whose keys are missing, oldest first."""
        return [_read(row) for row in await self._fetch("waiting_encrypted_events", room_id=room_id)]

    async def key_missing(self, event: EncryptedEvent) -> None:
        """Note that an event was tried, and that its key is not there."""
        await self._fetch("encrypted_event_tried", key=event.key)

    async def keys_came(self, session_ids: Collection[str]) -> None:
        """Make the events of these sessions due again."""
        await self._fetch("retry_encrypted_events", session_ids=list(session_ids))

    async def retry_all(self) -> None:
        """Make all events due again whose keys were missing."""
        await self._fetch("retry_all_encrypted_events")

    async def bundles(self) -> list[tuple[RoomId, UserId]]:
        """Return the rooms whose keys were shared with the invitation that the bot accepted, and by whom."""
        return [(RoomId(row["room_id"]), UserId(row["sender"])) for row in await self._fetch("key_bundles_to_import")]

    async def is_waiting(self, event: EncryptedEvent) -> bool:
        """Say whether an event was not decrypted yet."""
        return await self._fetchrow("encrypted_event_key", key=event.key) is not None

    async def notify_sender(self, event: EncryptedEvent, message: str) -> None:
        """Queue a notification of an event's sender, once for all events of its session."""
        job = Notify(event.room_id, event.sender, event.event_id, message, {}, once=f"late|{event.session_id}")
        async with self._transaction() as connection:
            await queue(connection, job)

    async def decrypted(self, event: EncryptedEvent, changes: Sequence[Change]) -> bool:
        """Store what an event turned out to be, in place of it; say whether it was still there."""
        async with self._transaction() as connection:
            if not await connection.fetchval(*query("take_encrypted_event", key=event.key)):
                return False  # redacted or erased meanwhile
            await apply_all(connection, changes, self._quotas, self._seal, received_at=event.received_at)
            # Whatever it was, a backfill must not bring it again; what is of before may still be requested.
            if not event.of_before:
                await connection.fetchval(*query("see", event_id=event.event_id))
        return True

    async def expire(self, days: int) -> int:
        """Delete those whose keys did not come within so many days; return how many."""
        return len(await self._fetch("expire_encrypted_events", days=days))


def _read(row: Row) -> EncryptedEvent:
    found = row["found"]
    return EncryptedEvent(
        key=row["key"],
        event_id=EventId(row["event_id"]),
        room_id=RoomId(row["room_id"]),
        sender=UserId(row["sender"]),
        session_id=row["session_id"],
        event=row["event"],
        found=_read_found(found) if found else None,
        of_before=bool(found and found["of_before"]),
        received_at=row["received_at"],
        tries=row["tries"],
    )


def _read_found(found: dict[str, Any]) -> Backfilled:
    sent_after = found["sent_after"]
    return Backfilled(datetime.fromisoformat(sent_after) if sent_after else None, History(found["history"]))
