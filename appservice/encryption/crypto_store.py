"""mautrix' store in PostgreSQL, which keeps its sync token and can be reloaded. Import after `installation.install`."""

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

import structlog
from mautrix.crypto import InboundGroupSession, OlmAccount, OutboundGroupSession, PgCryptoStore, Session
from mautrix.types import IdentityKey, RoomID, SerializerError, SessionID

from appservice.encryption.errors import OlmError

log = structlog.get_logger()

_REFUSALS_KEPT = timedelta(days=30)
_FENCED = (
    "crypto_account", "crypto_olm_session", "crypto_megolm_inbound_session", "crypto_megolm_outbound_session",
    "crypto_message_index",
)  # fmt: skip


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

    async def put_up_fences(self) -> None:
        """Have the database refuse what somebody writes who lost the device to another process since."""
        for table in _FENCED:
            query = "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = $1::text::regclass AND tgname = 'fence')"
            if not await self.db.fetchval(query, table):
                await self.db.execute(
                    f"CREATE TRIGGER fence BEFORE INSERT OR UPDATE OR DELETE ON {table} "
                    "FOR EACH STATEMENT EXECUTE FUNCTION check_fence()"
                )

    async def has_session(self, key: IdentityKey) -> bool:
        """Say whether there is a session with a device that can be used."""
        return await self.get_latest_session(key) is not None

    async def get_sessions(self, key: IdentityKey) -> list[Session]:
        """Return the sessions with a device, the last used first; those that are damaged are deleted."""
        try:
            return await super().get_sessions(key)
        except OlmError:
            await self._delete_damaged_sessions(key)
            return await super().get_sessions(key)

    async def get_latest_session(self, key: IdentityKey) -> Session | None:
        """Return the session with a device that was used last; those that are damaged are deleted."""
        try:
            return await super().get_latest_session(key)
        except OlmError:
            await self._delete_damaged_sessions(key)
            return await super().get_latest_session(key)

    async def _delete_damaged_sessions(self, key: IdentityKey) -> None:
        query = "SELECT session_id, session FROM crypto_olm_session WHERE account_id = $1 AND sender_key = $2"
        for row in await self.db.fetch(query, self.account_id, key):
            try:
                Session.from_pickle(row["session"], self.pickle_key, datetime.now())  # noqa: DTZ005  # as mautrix does
            except OlmError as error:
                _log_damaged("Olm", row["session_id"], error)
                query = "DELETE FROM crypto_olm_session WHERE account_id = $1 AND session_id = $2"
                await self.db.execute(query, self.account_id, row["session_id"])

    async def get_group_session(self, room_id: RoomID, session_id: SessionID) -> InboundGroupSession | None:
        """Return a room's session; one that is damaged is deleted, and counts as one whose key has not come."""
        try:
            return await super().get_group_session(room_id, session_id)
        except (OlmError, SerializerError, ArithmeticError) as error:
            _log_damaged("inbound group", session_id, error)
            await self.delete_group_session(session_id)
            return None

    async def delete_group_session(self, session_id: SessionID) -> None:
        """Delete the key of a session, or that it is refused."""
        query = "DELETE FROM crypto_megolm_inbound_session WHERE account_id = $1 AND session_id = $2"
        await self.db.execute(query, self.account_id, session_id)

    async def get_outbound_group_session(self, room_id: RoomID) -> OutboundGroupSession | None:
        """Return the session by which we send to a room; one that is damaged is deleted, and a new one made."""
        try:
            return await super().get_outbound_group_session(room_id)
        except (OlmError, ArithmeticError) as error:
            _log_damaged("outbound group", room_id, error)
            await self.remove_outbound_group_session(room_id)
            return None

    def drop_cached(self, keys: Collection[IdentityKey]) -> None:
        """Drop what is cached of sessions with devices, some of which were deleted."""
        for key in keys:
            self._olm_cache.pop(key, None)

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


def _log_damaged(kind: str, which: str, error: Exception) -> None:
    log.error("stored_session_damaged", kind=kind, which=which, reason=str(error), hint="It was deleted.")
