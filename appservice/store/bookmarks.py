"""Bookmarks: where a member was in a room's videos, and how they watched."""

from typing import Any

from appservice.core.model import RoomId, UserId
from appservice.store.pool import Database
from appservice.store.sql import query


class BookmarkStore(Database):
    """One bookmark for each member of a room. Every method raises UnavailableError when the database is away."""

    async def save(self, room_id: RoomId, user_id: UserId, bookmark: dict[str, Any]) -> None:
        """Store a member's bookmark instead of the one before; it goes when they leave."""
        async with self._connection() as connection:
            await connection.execute(*query("save_bookmark", room_id=room_id, user_id=user_id, place=bookmark))

    async def bookmark(self, room_id: RoomId, user_id: UserId) -> dict[str, Any] | None:
        """Return what `save` was given last, also by another release."""
        row = await self._fetchrow("bookmark", room_id=room_id, user_id=user_id)
        return dict(row["place"]) if row else None
