"""Keeps where a room key bundle is until its sender's invitation is accepted. Import after `installation.install`."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from mautrix.types import IdentityKey, RoomID, SigningKey, UserID

from appservice.encryption.crypto_store import CryptoStore
from appservice.encryption.pickles import Kind, seal, unseal

log = structlog.get_logger()

_MOST_KEPT = 1000
_KEPT_FOR = timedelta(days=7)
_KIND: Kind = "room key bundle"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that a device, by its keys, sent for a room: `file` is its `EncryptedFile`, not read yet."""

    room_id: RoomID
    sender: UserID
    sender_key: IdentityKey
    signing_key: SigningKey
    file: dict[str, Any]


class BundleStore:
    """The newest bundle of each room and sender; the key of its file is encrypted as all keys of the device are."""

    def __init__(self, crypto_store: CryptoStore) -> None:
        self._crypto_store = crypto_store

    async def put(self, bundle: Bundle) -> None:
        """Store a bundle in place of the one before; the oldest go when there are too many."""
        content = json.dumps([bundle.sender_key, bundle.signing_key, bundle.file])
        sealed = seal(_KIND, self._crypto_store.pickle_key, lambda _: content)
        query = """
            INSERT INTO key_bundles (room_id, sender, sealed) VALUES ($1, $2, $3)
            ON CONFLICT (room_id, sender) DO UPDATE SET sealed = excluded.sealed, received_at = clock_timestamp()
        """
        await self._crypto_store.db.execute(query, bundle.room_id, bundle.sender, sealed)
        await self.expire()

    async def expire(self) -> None:
        """Delete old bundles, and the oldest where there are too many."""
        query = """
            DELETE FROM key_bundles WHERE received_at < now() - $1::interval OR (room_id, sender) IN (
                SELECT room_id, sender FROM key_bundles ORDER BY received_at DESC OFFSET $2
            )
        """
        await self._crypto_store.db.execute(query, _KEPT_FOR, _MOST_KEPT)

    async def find(self, room_id: RoomID, sender: UserID) -> Bundle | None:
        """Return the bundle of a sender for a room."""
        query = "SELECT sealed FROM key_bundles WHERE room_id = $1 AND sender = $2"
        sealed = await self._crypto_store.db.fetchval(query, room_id, sender)
        if sealed is None:
            return None
        try:
            content = json.loads(unseal(_KIND, self._crypto_store.pickle_key, bytes(sealed)).pickle)
            sender_key, signing_key, file = content
        except ValueError as error:
            log.error("stored_bundle_damaged", room=room_id, sender=sender, reason=str(error), hint="It was deleted.")  # noqa: TRY400
            await self.delete(room_id, sender)
            return None
        return Bundle(room_id, sender, IdentityKey(sender_key), SigningKey(signing_key), file)

    async def delete(self, room_id: RoomID, sender: UserID) -> None:
        """Delete a bundle."""
        query = "DELETE FROM key_bundles WHERE room_id = $1 AND sender = $2"
        await self._crypto_store.db.execute(query, room_id, sender)
