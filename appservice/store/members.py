"""Members of rooms, and the viewers that the API serves."""

from datetime import datetime

from appservice.core.events import changes
from appservice.core.model import RoomId, UserId
from appservice.core.room import Member, Membership
from appservice.core.tokens import GrantScope
from appservice.store.mapping import read_member
from appservice.store.outbox import announce
from appservice.store.pool import Database
from appservice.store.removal import erase_departed
from appservice.store.sql import query


class MemberStore(Database):
    """Members. Every method raises UnavailableError when the database is away."""

    async def store_member_response(self, member: changes.MemberChanged, requested_at: datetime) -> bool:
        """Store the homeserver's response about a member, unless something newer is known: then return False.

        `requested_at` is the database's clock before the request. An event that was stored by then is part of the
        response; of one that was stored later only another request knows.
        """
        room_id, user_id = member.room_id, member.user_id
        async with self._transaction() as connection:
            taken = await connection.fetchval(
                *query(
                    "store_member_response",
                    room_id=room_id,
                    user_id=user_id,
                    membership=member.membership,
                    display_name=member.display_name,
                    avatar_mxc=member.avatar_mxc,
                    requested_at=requested_at,
                )
            )
            if not taken:
                return not await connection.fetchval(
                    *query("has_newer_membership", room_id=room_id, user_id=user_id, requested_at=requested_at)
                )
            if member.membership in {Membership.LEAVE, Membership.BAN}:
                await erase_departed(connection, room_id, user_id, banned=member.membership is Membership.BAN)
            await announce(connection, room_id)
            return True

    async def joined_members(self, room_id: RoomId) -> list[Member]:
        """Return who is in a room."""
        return [read_member(row) for row in await self._fetch("joined_members", room_id=room_id)]

    async def member_key(self, room_id: RoomId, user_id: UserId) -> int | None:
        """Return our number for a member while both the user and the bot are in the room, else None."""
        row = await self._fetchrow("member_key", room_id=room_id, user_id=user_id)
        return row["key"] if row else None

    async def viewer(self, scope: GrantScope) -> tuple[RoomId, UserId] | None:
        """Return the room and user of a grant's scope while both the user and the bot are in the room."""
        row = await self._fetchrow("viewer", room_key=scope.room_key, member_key=scope.member_key)
        return (RoomId(row["room_id"]), UserId(row["user_id"])) if row else None

    async def avatar(self, scope: GrantScope, member_key: int) -> str | None:
        """Return the content URI of a member's avatar, for a viewer of the same room."""
        row = await self._fetchrow(
            "member_avatar", room_key=scope.room_key, viewer_key=scope.member_key, member_key=member_key
        )
        return row["avatar_mxc"] if row else None
