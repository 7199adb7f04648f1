"""Events of encrypted rooms until they are decrypted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appservice.core.events.changes import Backfilled, Change
from appservice.core.model import EventId, History, RoomId, UserId
from appservice.core.rules.quotas import NO_LIMITS, Quotas
from appservice.store.intake import apply_all
from appservice.store.outbox import Pool
from appservice.store.pool import Database
from appservice.store.sql import query


@dataclass(frozen=True, slots=True)
class EncryptedEvent:
    """An event that waits to be decrypted; `found` as `EncryptedSent.backfilled`.

    `tries`: how often its key was not there.
    """

    key: int
    event_id: EventId
    room_id: RoomId
    sender: UserId
    session_id: str
    event: dict[str, Any]
    found: Backfilled | None
    received_at: datetime
    tries: int


class EncryptedEventStore(Database):
    """Encrypted events. Every method raises UnavailableError when the database is away."""

    def __init__(self, pool: Pool, quotas: Quotas = NO_LIMITS) -> None:
        super().__init__(pool)
        self._quotas = quotas

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

    async def decrypted(self, event: EncryptedEvent, changes: Sequence[Change]) -> bool:
        """Store what an event turned out to be, in place of it; say whether it was still there."""
        async with self._transaction() as connection:
            if not await connection.fetchval(*query("take_encrypted_event", key=event.key)):
                return False  # redacted or erased meanwhile
            await apply_all(connection, changes, self._quotas, received_at=event.received_at)
        return True

    async def expire(self, days: int) -> int:
        """Delete those whose keys did not come within so many days; return how many."""
        return len(await self._fetch("expire_encrypted_events", days=days))


def _read(row: Any) -> EncryptedEvent:  # noqa: ANN401 - a row
    found = row["found"]
    return EncryptedEvent(
        key=row["key"],
        event_id=EventId(row["event_id"]),
        room_id=RoomId(row["room_id"]),
        sender=UserId(row["sender"]),
        session_id=row["session_id"],
        event=row["event"],
        found=Backfilled(
            datetime.fromisoformat(found["sent_after"]) if found["sent_after"] else None, History(found["history"])
        )
        if found
        else None,
        received_at=row["received_at"],
        tries=row["tries"],
    )
