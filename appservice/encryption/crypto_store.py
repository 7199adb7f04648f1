"""mautrix' store in PostgreSQL, which keeps its sync token and can be reloaded. Import after `installation.install`."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from mautrix.crypto import OlmAccount, PgCryptoStore
from mautrix.types import IdentityKey, RoomID, SessionID

_REFUSALS_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Withheld:
    """That a device, by its identity key, refuses a session's key, as `m.room_key.withheld` has it."""

    room_id: RoomID
    session_id: SessionID
    sender_key: IdentityKey
    code: str
    reason: str


class CryptoStore(PgCryptoStore):
    """Accounts, sessions, devices and the sync token of one device."""

    def transaction(self) -> AbstractAsyncContextManager[None]:  # type: ignore[override]  # mautrix types it as None
        """Make what the block writes one transaction, or a savepoint in the one that is open."""
        return cast("AbstractAsyncContextManager[None]", super().transaction())

    async def put_account(self, account: OlmAccount) -> None:
        """Store the account. The token is read first: mautrix would write an empty one until somebody has read it."""
        await self.get_next_batch()
        await super().put_account(account)

    async def reload(self) -> OlmAccount | None:
        """Drop what is cached, which a rolled back transaction never wrote, and return the account as it is stored."""
        self._olm_cache.clear()
        self._account = None
        self._sync_token = None
        return await self.get_account()

    async def put_withheld(self, withheld: Withheld) -> bool:
        """Store that a key is refused, unless it is there; return whether that was stored."""
        query = """
            INSERT INTO crypto_megolm_inbound_session
                (account_id, session_id, sender_key, room_id, withheld_code, withheld_reason, received_at)
            VALUES ($1, $2, $3, $4, $5, $6, timezone('utc', now()))
            ON CONFLICT (account_id, session_id) DO UPDATE
            SET sender_key = excluded.sender_key, room_id = excluded.room_id, received_at = excluded.received_at,
                withheld_code = excluded.withheld_code, withheld_reason = excluded.withheld_reason
            WHERE crypto_megolm_inbound_session.session IS NULL
            RETURNING session_id
        """
        stored = await self.db.fetchval(
            query, self.account_id, withheld.session_id, withheld.sender_key, withheld.room_id,
            withheld.code, withheld.reason,
        )  # fmt: skip
        return stored is not None

    async def withheld_by(self, session_id: SessionID) -> IdentityKey | None:
        """Return whose identity key refused the session's key; None where it is there, or nobody refused it."""
        query = """
            SELECT sender_key FROM crypto_megolm_inbound_session
            WHERE account_id = $1 AND session_id = $2 AND session IS NULL AND withheld_code IS NOT NULL
        """
        sender_key = await self.db.fetchval(query, self.account_id, session_id)
        return IdentityKey(sender_key) if sender_key is not None else None

    async def delete_old_refusals(self) -> None:
        """Delete refusals of keys that nobody will read any more: others decide how many there are."""
        query = """
            DELETE FROM crypto_megolm_inbound_session
            WHERE account_id = $1 AND session IS NULL AND received_at < timezone('utc', now()) - $2::interval
        """
        await self.db.execute(query, self.account_id, _REFUSALS_KEPT)

    async def room_of_key(self, session_id: SessionID) -> RoomID | None:
        """Return the room for which a session's key is stored; None where it is not."""
        query = """
            SELECT room_id FROM crypto_megolm_inbound_session
            WHERE account_id = $1 AND session_id = $2 AND session IS NOT NULL
        """
        room_id = await self.db.fetchval(query, self.account_id, session_id)
        return RoomID(room_id) if room_id is not None else None

    async def forget_device(self) -> None:
        """Delete what belongs to the device: its account, its sessions with others, and the keys that it sends by.

        The keys that others sent stay: what they decrypt can be read by the next device as well.
        """
        await self.delete()
        await self.reload()
