"""Where a member was in a room's videos, and how they watched."""

from typing import Any

from appservice.core.model import RoomId, UserId
from appservice.store.mapping import SQL
from appservice.store.pool import Database


class PlaceStore(Database):
    """One bookmark for each member of a room. Every method raises UnavailableError when the database is away."""

    async def keep(self, room_id: RoomId, user_id: UserId, place: dict[str, Any]) -> None:
        """Store a member's bookmark instead of the one before; it goes when they leave."""
        async with self._connection() as connection:
            await connection.execute(SQL["keep_place"], room_id, user_id, place)

    async def place(self, room_id: RoomId, user_id: UserId) -> dict[str, Any] | None:
        """Return what `save` was given last, also by another release."""
        row = await self._fetchrow("place", room_id, user_id)
        return dict(row["place"]) if row else None
