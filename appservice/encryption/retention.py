"""How long keys of messages are kept, and how those of a room or of somebody are erased.

Import after `installation.install`.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from mautrix.errors import GroupSessionWithheldError
from mautrix.types import IdentityKey, RoomID, SessionID, UserID

from appservice.encryption.bundle_store import BundleStore
from appservice.encryption.errors import OlmError
from appservice.encryption.machine import Machine
from appservice.encryption.sharing import OF_ONE

log = structlog.get_logger()

KEPT = timedelta(days=30)
"""How long a key is kept after it came, and after the last message that it decrypted was sent."""
_AHEAD_MS = 86_400_000
"""A message that says that it was sent later than that from now keeps no key."""
_LONGEST_PERIOD_MS = 366 * 86_400_000.0
"""A room that has its keys replaced less often than that has them kept no longer."""
_MOST_OLM_SESSIONS = 10
"""Sessions that are kept with one device, which begins as many as it likes."""
_AT_ONCE = 500

# Who says something once in two months goes on with their session where the room has it replaced once a year.
_UNUSED_INBOUND = """
    WITH unused AS (
        SELECT s.account_id, s.session_id FROM crypto_megolm_inbound_session s
        LEFT JOIN rooms r ON r.room_id = s.room_id AND r.bot_membership = 'join'
        WHERE s.account_id = $1 AND (
            s.received_at IS NULL OR s.received_at < $2
            AND s.received_at < $5::timestamp
                - least(coalesce((r.encryption ->> 'period_ms')::float8, 0), $6) * interval '1 ms'
        ) AND NOT EXISTS (
            SELECT FROM crypto_message_index i
            WHERE i.sender_key = s.sender_key AND i.session_id = s.session_id AND i.timestamp BETWEEN $3 AND $4
        ) LIMIT $7
    )
    DELETE FROM crypto_megolm_inbound_session s USING unused u
    WHERE s.account_id = u.account_id AND s.session_id = u.session_id RETURNING s.session_id
"""
_INDEXES_OF_NOTHING = """
    DELETE FROM crypto_message_index WHERE ctid IN (
        SELECT i.ctid FROM crypto_message_index i WHERE NOT EXISTS (
            SELECT FROM crypto_megolm_inbound_session s
            WHERE s.account_id = $1 AND s.session_id = i.session_id AND s.session IS NOT NULL
        ) LIMIT $2
    ) RETURNING session_id
"""
_UNUSED_OUTBOUND = """
    DELETE FROM crypto_megolm_outbound_session WHERE (account_id, room_id) IN (
        SELECT account_id, room_id FROM crypto_megolm_outbound_session
        WHERE account_id = $1 AND (last_used < $2 OR message_count >= max_messages) LIMIT $3
    ) RETURNING room_id
"""
# Of devices that are gone, or of people with whom the bot is in no room; and the oldest where there are too many.
_UNUSED_OLM = """
    WITH ranked AS (
        SELECT session_id, sender_key, greatest(last_encrypted, last_decrypted) AS used_at,
            row_number() OVER (PARTITION BY sender_key ORDER BY last_decrypted DESC) AS rank
        FROM crypto_olm_session WHERE account_id = $1
    ), unused AS (
        SELECT session_id FROM ranked r WHERE rank > $3 OR used_at < $2 AND NOT EXISTS (
            SELECT FROM crypto_device d JOIN members m ON m.user_id = d.user_id AND m.membership = 'join'
            WHERE d.identity_key = r.sender_key
        ) LIMIT $4
    )
    DELETE FROM crypto_olm_session WHERE account_id = $1 AND session_id IN (SELECT session_id FROM unused)
    RETURNING sender_key
"""
_TO_ERASE = """
    SELECT e.key, e.room_id, e.user_id,
        EXISTS (SELECT FROM rooms r WHERE r.room_id = e.room_id AND r.bot_membership = 'join') AS in_room,
        EXISTS (
            SELECT FROM members m
            WHERE m.user_id = e.user_id AND m.membership = 'join' AND (e.room_id IS NULL OR m.room_id = e.room_id)
        ) AS has_user
    FROM key_erasures e WHERE e.key > $1 ORDER BY e.key LIMIT 1
"""
_SESSIONS = """
    SELECT session_id, sender_key, room_id, forwarding_chains, session IS NULL AS refused
    FROM crypto_megolm_inbound_session
    WHERE account_id = $1 AND session_id > $2 AND ($3::text IS NULL OR room_id = $3)
        AND ($4::text IS NULL OR sender_key IN (SELECT identity_key FROM crypto_device WHERE user_id = $4))
    ORDER BY session_id LIMIT $5
"""
_OF_DEVICES = """
    DELETE FROM crypto_olm_session
    WHERE account_id = $1 AND sender_key IN (SELECT identity_key FROM crypto_device WHERE user_id = $2)
"""
_OF_USER = (
    "DELETE FROM crypto_cross_signing_signatures WHERE signed_user_id = $1 OR signer_user_id = $1",
    "DELETE FROM crypto_cross_signing_keys WHERE user_id = $1",
    "DELETE FROM crypto_tracked_user WHERE user_id = $1",
    "DELETE FROM crypto_device WHERE user_id = $1",
)


@dataclass(frozen=True, slots=True)
class _Erasure:
    key: int
    room_id: RoomID | None
    user_id: UserID | None
    in_room: bool
    has_user: bool

    @property
    def is_whole(self) -> bool:
        """Say whether no session is needed any more: the bot is not in the room, or in none with the user."""
        return bool((self.room_id and not self.in_room) or (self.user_id and not self.has_user))


class KeyRetention:
    """Deletes keys of the device; while it does, nobody encrypts by them."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._store = machine.crypto_store

    async def prune(self) -> dict[str, int]:
        """Delete what no message needs any more, in statements of bounded size; return how many rows of each kind."""
        now_ms, utc, mine = round(time.time() * 1000), datetime.now(UTC).replace(tzinfo=None), self._store.account_id
        oldest_ms = now_ms - round(KEPT.total_seconds() * 1000)
        pruned = {
            "inbound_sessions": await self._delete(
                _UNUSED_INBOUND, mine, utc - KEPT, oldest_ms, now_ms + _AHEAD_MS, utc, _LONGEST_PERIOD_MS
            ),
            "message_indexes": await self._delete(_INDEXES_OF_NOTHING, mine),
            # mautrix' times of these two are local ones.
            "outbound_sessions": await self._delete(_UNUSED_OUTBOUND, mine, datetime.now() - KEPT),  # noqa: DTZ005
            "olm_sessions": await self._delete_olm_sessions(),
        }
        await BundleStore(self._store).expire()
        return {kind: count for kind, count in pruned.items() if count}

    async def _delete(self, query: str, *args: object) -> int:
        deleted = 0
        while True:
            rows = await self._store.db.fetch(query, *args, _AT_ONCE)
            deleted += len(rows)
            if len(rows) < _AT_ONCE:
                return deleted

    async def _delete_olm_sessions(self) -> int:
        deleted = 0
        while True:
            async with self._machine.olm_lock:
                rows = await self._store.db.fetch(
                    _UNUSED_OLM, self._store.account_id, datetime.now() - KEPT, _MOST_OLM_SESSIONS, _AT_ONCE  # noqa: DTZ005
                )  # fmt: skip
                self._store.drop_cached({IdentityKey(row["sender_key"]) for row in rows})
            deleted += len(rows)
            if len(rows) < _AT_ONCE:
                return deleted

    async def erase(self) -> int:
        """Erase the keys that are to be erased; return of how many rooms or people.

        In a room that the bot is still in, the sessions that others send by go on, from what was not read yet.
        """
        erased = last = 0
        # Each as it is when its turn comes: the bot may be back in the room by then, and its new keys are needed.
        while row := await self._store.db.fetchrow(_TO_ERASE, last):
            last = row["key"]
            erasure = _Erasure(row["key"], row["room_id"], row["user_id"], row["in_room"], row["has_user"])
            try:
                await self._erase(erasure)
            except OF_ONE:
                log.exception("keys_not_erased", room=erasure.room_id, user=erasure.user_id)
            else:
                log.info("keys_erased", room=erasure.room_id, user=erasure.user_id)
                erased += 1
        return erased

    async def _erase(self, erasure: _Erasure) -> None:
        last = SessionID("")
        while True:
            rows = await self._store.db.fetch(
                _SESSIONS, self._store.account_id, last, erasure.room_id, erasure.user_id, _AT_ONCE
            )
            async with self._store.transaction():
                for row in rows:
                    await self._erase_session(row, is_whole=erasure.is_whole)
            if len(rows) < _AT_ONCE:
                break
            last = SessionID(rows[-1]["session_id"])
        # The last thing, so that what is interrupted is done again.
        async with self._machine.olm_lock, self._store.transaction():
            if erasure.room_id and not erasure.user_id:
                await self._store.remove_outbound_group_session(erasure.room_id)
                self._machine.drop_missed(erasure.room_id)
            if erasure.user_id and not erasure.room_id and not erasure.has_user:
                await self._erase_devices(erasure.user_id)
            await self._store.db.execute("DELETE FROM key_erasures WHERE key = $1", erasure.key)

    async def _erase_session(self, row: Any, *, is_whole: bool) -> None:  # noqa: ANN401  # a row of the database
        session_id, sender_key = SessionID(row["session_id"]), IdentityKey(row["sender_key"])
        assert self._machine.account is not None  # noqa: S101
        is_own = sender_key == self._machine.account.identity_key
        # What others shared is of what was before, and what we sent by is replaced.
        if is_whole or is_own or row["forwarding_chains"] or row["refused"]:
            await self._store.delete_group_session(session_id)
        else:
            await self._advance(RoomID(row["room_id"]), sender_key, session_id)
        query = "DELETE FROM crypto_message_index WHERE sender_key = $1 AND session_id = $2"
        await self._store.db.execute(query, sender_key, session_id)

    async def _advance(self, room_id: RoomID, sender_key: IdentityKey, session_id: SessionID) -> None:
        """Store a session so that it decrypts what comes after the last message that was read, and nothing before."""
        query = 'SELECT max("index") FROM crypto_message_index WHERE sender_key = $1 AND session_id = $2'
        last = await self._store.db.fetchval(query, sender_key, session_id)
        try:
            session = await self._store.get_group_session(room_id, session_id)
            if session is None or last is None or session.first_known_index > last:
                return
            await self._store.put_group_session(room_id, sender_key, session_id, session.ratchet_to(last + 1))
        except GroupSessionWithheldError:
            return
        except (OlmError, ArithmeticError) as error:
            log.info("key_deleted", session=session_id, reason=str(error))
            await self._store.delete_group_session(session_id)

    async def _erase_devices(self, user_id: UserID) -> None:
        query = "SELECT identity_key FROM crypto_device WHERE user_id = $1"
        keys = {IdentityKey(row["identity_key"]) for row in await self._store.db.fetch(query, user_id)}
        await self._store.db.execute(_OF_DEVICES, self._store.account_id, user_id)
        self._store.drop_cached(keys)
        for query in _OF_USER:
            await self._store.db.execute(query, user_id)
