"""What the bot sends to encrypted rooms: any process queues it and waits, one encrypts and sends it."""

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from appservice.core.errors import ForbiddenError, HomeserverError, RefusedByHomeserverError
from appservice.core.events.changes import RoomEncrypted
from appservice.core.model import EventId, RoomId
from appservice.store.intake import apply
from appservice.store.mapping import Row
from appservice.store.outbox import Pool
from appservice.store.pool import Database

log = structlog.get_logger()

# As long as a request to the homeserver may take. Whoever gives up may ask again: nothing is sent twice.
_PATIENCE_S = 30.0
_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.01, 0.5
_OWNER_S = 2.0
"""How long to wait where nobody encrypts: whoever waits holds up others' jobs, and its own comes again."""
DEVICE_LOCK = 7430
"""The lock of the database that whoever uses the bot's device holds."""
_NO_OWNER = (
    "What is to be sent to an encrypted room waits for the process that encrypts it: is `roomreel serve` running, and "
    "does its log say what it waits for?"
)
_FORBIDDEN = "M_FORBIDDEN"
_PURPOSE = "outgoing event"
_DAMAGED = "What was to be sent cannot be read any more: it is damaged, or sealed by another key."


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event to be sent; `encrypted` is what is sent, once that is known: the same at each attempt."""

    key: int
    room_id: RoomId
    txn_id: str
    kind: str
    content: dict[str, Any]
    encrypted: dict[str, Any] | None


class Sealing(Protocol):
    """Encrypts what is stored (`encryption.keyring.Keyring`)."""

    def seal(self, secret: bytes, purpose: str) -> bytes:
        """Encrypt."""

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Decrypt what was sealed for a purpose."""


class OutgoingStore(Database):
    """Events to be sent, which are stored sealed; without `sealing` encrypted rooms are not served.

    Every method raises UnavailableError when the database is away.
    """

    def __init__(self, pool: Pool, sealing: Sealing | None = None) -> None:
        super().__init__(pool)
        self._sealing = sealing

    async def is_encrypted(self, room_id: RoomId) -> bool:
        """Say whether a room is known to be encrypted."""
        row = await self._fetchrow("is_room_encrypted", room_id=room_id)
        return bool(row and row["encrypted"])

    async def found_encrypted(self, change: RoomEncrypted) -> None:
        """Store that a room is encrypted, as its event will have it."""
        async with self._transaction() as connection:
            await apply(connection, change)

    async def send(self, room_id: RoomId, kind: str, content: Mapping[str, object], txn_id: str) -> EventId:
        """Have an event encrypted and sent, and return its id; the same `txn_id` again sends nothing more.

        Raises as `HomeserverClient.send`; ForbiddenError where encrypted rooms are not served.
        """
        if self._sealing is None:
            raise ForbiddenError("The room is encrypted, and this server is not set up for that.")
        await self.queue(room_id, kind, content, txn_id)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._sent(txn_id)
        except TimeoutError as error:
            raise HomeserverError(_NO_OWNER) from error

    async def queue(self, room_id: RoomId, kind: str, content: Mapping[str, object], txn_id: str) -> None:
        """Have an event encrypted and sent, without waiting for it."""
        sealed = self._sealed(dict(content))
        await self._fetch("queue_outgoing", room_id=room_id, kind=kind, content=sealed, txn_id=txn_id)

    def _sealed(self, content: dict[str, Any]) -> dict[str, str]:
        if self._sealing is None:
            raise RuntimeError("Nothing is sent to encrypted rooms without a key.")
        return {"sealed": self._sealing.seal(json.dumps(content).encode(), _PURPOSE).hex()}

    def _opened(self, stored: dict[str, str]) -> dict[str, Any]:
        if self._sealing is None:
            raise RuntimeError("Nothing is sent to encrypted rooms without a key.")
        content: dict[str, Any] = json.loads(self._sealing.open(bytes.fromhex(stored["sealed"]), _PURPOSE))
        return content

    async def _sent(self, txn_id: str) -> EventId:
        clock = asyncio.get_running_loop().time
        pause, nobody_since = _FIRST_LOOK_S, clock() + _OWNER_S
        while True:
            row = await self._fetchrow("outgoing_result", txn_id=txn_id)
            if row is None:
                raise HomeserverError("The room, or the bot's part in it, was erased before it was sent.")
            if row["event_id"]:
                return EventId(row["event_id"])
            if row["refused"]:
                if row["errcode"] == _FORBIDDEN:
                    raise ForbiddenError(row["refused"])
                raise RefusedByHomeserverError(row["refused"], row["errcode"])
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_LOOK_S)
            if clock() > nobody_since and not await self._has_owner():
                raise HomeserverError(_NO_OWNER)

    async def _has_owner(self) -> bool:
        row = await self._fetchrow("has_lock", lock=DEVICE_LOCK)
        return bool(row and row["held"])

    async def due(self, most: int, *, busy: Collection[RoomId] = ()) -> list[Outgoing]:
        """Return the oldest of each room that is to be sent, except of those that are `busy`.

        One that cannot be opened is refused, and holds up no other.
        """
        while True:
            due, damaged = [], False
            for row in await self._fetch("due_outgoing", most=most, busy=list(busy)):
                try:
                    due.append(self._read(row))
                except (ValueError, LookupError, TypeError, RecursionError) as error:
                    damaged = True
                    log.error("outgoing_event_damaged", room_id=row["room_id"], kind=row["kind"], reason=str(error))  # noqa: TRY400
                    await self._fetch("outgoing_refused", key=row["key"], refused=_DAMAGED, errcode=None)
            if not damaged:
                return due

    def _read(self, row: Row) -> Outgoing:
        content = self._opened(row["content"])
        return Outgoing(row["key"], RoomId(row["room_id"]), row["txn_id"], row["kind"], content, row["encrypted"])

    async def encrypted(self, event: Outgoing, content: Mapping[str, object]) -> None:
        """Store what is going to be sent."""
        await self._fetch("outgoing_encrypted", key=event.key, encrypted=dict(content))

    async def sent(self, event: Outgoing, event_id: EventId) -> None:
        """Note that an event was sent; its content is deleted."""
        await self._fetch("outgoing_sent", key=event.key, event_id=event_id)

    async def refused(self, event: Outgoing, error: ForbiddenError | RefusedByHomeserverError) -> None:
        """Note that an event will never be sent; its content is deleted."""
        errcode = _FORBIDDEN if isinstance(error, ForbiddenError) else error.errcode
        await self._fetch("outgoing_refused", key=event.key, refused=str(error), errcode=errcode)

    async def expire(self, days: int) -> None:
        """Delete what was queued so many days ago."""
        await self._fetch("expire_outgoing", days=days)
