"""A session of a room of which some messages were read. Import after `encryption.installation.install`."""

import time

from mautrix.crypto import OutboundGroupSession
from mautrix.types import (
    EventID,
    RoomID,
    SessionID,
)

from appservice.encryption import olm
from appservice.encryption.machine import Machine
from tests.support.crypto_devices import ROOM, Sender


class Spoken:
    """A session by which somebody has sent three messages, of which two were read."""

    def __init__(self, machine: Machine, sender: Sender, room_id: RoomID = ROOM) -> None:
        self._store = machine.crypto_store
        self._machine = machine
        self._sender = sender
        self.room_id = room_id
        self.group = OutboundGroupSession(room_id)
        self.group.shared = True
        self.id = SessionID(self.group.id)
        self.messages: list[str] = []

    async def arrive(self, *, sent_at: int | None = None) -> None:
        await self._sender.send_key(self.group)
        await self._machine.sync(0)
        self.messages = [self.group.encrypt(f"message {n}") for n in range(3)]  # type: ignore[no-untyped-call]
        session = await self._store.get_group_session(self.room_id, self.id)
        assert session is not None
        for number, message in enumerate(self.messages[:2]):
            _, index = session.decrypt(message)
            sent = sent_at or round(time.time() * 1000)
            event_id = EventID(f"${self.id}{number}")
            assert await self._store.validate_message_index(session.sender_key, self.id, event_id, index, sent)

    async def readable(self) -> list[str]:
        """Return what the stored key decrypts."""
        session = await self._store.get_group_session(self.room_id, self.id)
        found: list[str] = []
        for message in self.messages:
            if session is None:
                return []
            try:
                found.append(session.decrypt(message)[0])
            except olm.OlmError:
                continue
        return found
