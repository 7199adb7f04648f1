"""Browsers that are signed in by a message, and those that wait for it."""

from collections.abc import Collection
from dataclasses import dataclass

from appservice.core.model import RoomId, UserId
from appservice.core.sign_in_codes import CODE_SECONDS, MISS_SECONDS
from appservice.store.outbox import announce
from appservice.store.pool import Database
from appservice.store.sql import query


@dataclass(frozen=True, slots=True)
class SignIn:
    """A browser's sign-in: `key` is our number for it, `user_id` who sent its code, None until then."""

    key: int
    user_id: UserId | None


class SignInStore(Database):
    """Sign-ins of browsers; of their secrets only hashes are known."""

    async def wait_for_code(self, room_id: RoomId, secret_hash: bytes, code: str, browser: str) -> None:
        """Store a code that signs in the browser with this secret; nothing where the bot is not in the room."""
        async with self._transaction() as connection:
            await connection.execute(*query("delete_old_sign_ins"))
            await connection.execute(*query("delete_old_misses", seconds=2 * MISS_SECONDS))
            await connection.execute(
                *query(
                    "insert_sign_in",
                    room_id=room_id,
                    secret_hash=secret_hash,
                    code=code,
                    browser=browser,
                    seconds=CODE_SECONDS,
                )
            )

    async def sign_in(self, secret_hash: bytes, room_id: RoomId) -> SignIn | None:
        """Return the sign-in of a secret in its room, while it holds or its code may still be sent."""
        row = await self._fetchrow("sign_in", secret_hash=secret_hash, room_id=room_id)
        return SignIn(row["key"], UserId(row["user_id"]) if row["user_id"] else None) if row else None

    async def is_signed_in(self, key: int, room_id: RoomId, user_id: UserId) -> bool:
        """Say whether a sign-in still holds."""
        return await self._fetchrow("is_signed_in", key=key, room_id=room_id, user_id=user_id) is not None

    async def signed_in(self, room_id: RoomId, keys: Collection[int]) -> dict[int, UserId]:
        """Return who is signed in by each of some sign-ins that still hold in a room."""
        rows = await self._fetch("signed_in", room_id=room_id, keys=list(keys)) if keys else []
        return {row["key"]: UserId(row["user_id"]) for row in rows}

    async def sign_out(self, secret_hash: bytes) -> None:
        """End a sign-in; what it watches ends with it."""
        async with self._transaction() as connection:
            room_id = await connection.fetchval(*query("sign_out", secret_hash=secret_hash))
            if room_id is not None:
                await announce(connection, room_id)
