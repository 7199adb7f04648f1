"""Policy lists that are followed, their rules, and what these do to people's videos."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appservice.core.events.policy_rules import Rule
from appservice.core.jobs import ReadPolicyList, TendRoom
from appservice.core.model import HeldFor, RoomId, UserId, VideoId
from appservice.store.audit import ITSELF, Deed, note
from appservice.store.outbox import Connection, alert, announce, concern_moderators, queue, update_status
from appservice.store.pool import Database
from appservice.store.sql import QUERIES, BoundQuery, query

_READ_AGAIN = timedelta(seconds=1)


def add_rule(room_id: RoomId, rule: Rule) -> BoundQuery:
    """Return the query that stores a rule of a list."""
    return query(
        "add_policy_rule",
        room_id=room_id,
        event_type=rule.event_type,
        state_key=rule.state_key,
        subject=rule.subject,
        entity=rule.entity,
        pattern=rule.pattern,
        reason=rule.reason,
    )


@dataclass(frozen=True, slots=True)
class PolicyList:
    """A list that is followed; `read_at` is None until it could be read."""

    room_id: RoomId
    added_by: UserId
    read_at: datetime | None
    rules: int


class PolicyStore(Database):
    """Policy lists. Every method raises UnavailableError when the database is away."""

    async def lists(self) -> list[PolicyList]:
        """Return the lists that are followed, the first added first."""
        return [PolicyList(**dict(row)) for row in await self._fetch("policy_lists")]

    async def is_list(self, room_id: RoomId) -> bool:
        """Say whether a room is a list that is followed: nothing else is done there."""
        return bool((await self._fetch("is_policy_list", room_id=room_id))[0]["found"])

    async def is_banned(self, user_id: UserId) -> bool:
        """Say whether a list bans somebody, or their server."""
        return bool((await self._fetch("is_policed", user_id=user_id))[0]["policed"])

    async def is_room_banned(self, room_id: RoomId) -> bool:
        """Say whether a list bans a room."""
        return bool((await self._fetch("is_room_policed", room_id=room_id))[0]["policed"])

    async def exempt(self, admins: Sequence[UserId]) -> None:
        """Store whom no list bans: a list is not to lock out who could leave it."""
        await self._fetch("set_policy_exempt", user_ids=admins)

    async def follow(self, room_id: RoomId, *, by: UserId) -> bool:
        """Follow a list from now on; False when it is followed already."""
        async with self._transaction() as connection:
            fresh = await connection.fetchval(*query("add_policy_list", room_id=room_id, by=by)) is not None
            if fresh:
                await note(connection, by, Deed.POLICY_LIST_ADDED, room_id=room_id)
            await queue(connection, ReadPolicyList(room_id))
        return fresh

    async def leave(self, room_id: RoomId, *, by: UserId) -> bool:
        """Follow a list no more; False when it was not followed."""
        async with self._transaction() as connection:
            if await connection.fetchval(*query("remove_policy_list", room_id=room_id)) is None:
                return False
            await note(connection, by, Deed.POLICY_LIST_REMOVED, room_id=room_id)
            await self._follow_rules(connection)
            await queue(connection, ReadPolicyList(room_id))
        return True

    async def read(self, room_id: RoomId, rules: Sequence[Rule], requested_at: datetime) -> None:
        """Store all rules of a list, and enforce them.

        `requested_at` is the database's clock before the request: where an event changed a rule since,
        the list is read again.
        """
        async with self._transaction() as connection:
            if not await connection.fetchval(*query("is_policy_list", room_id=room_id)):
                return
            if not await connection.fetchval(
                *query("policy_list_requested", room_id=room_id, requested_at=requested_at)
            ):
                await queue(connection, ReadPolicyList(room_id), after=_READ_AGAIN)
                return
            await connection.execute(*query("delete_policy_rules", room_id=room_id))
            await connection.executemany(
                QUERIES["add_policy_rule"].text, [arguments for _, *arguments in (add_rule(room_id, r) for r in rules)]
            )
            await connection.execute(*query("policy_list_read", room_id=room_id))
            await self._follow_rules(connection)

    async def enforce(self) -> None:
        """Enforce all rules."""
        async with self._transaction() as connection:
            await self._follow_rules(connection)

    async def unreachable(self, room_id: RoomId, reason: str) -> None:
        """Queue an alert that a list cannot be read."""
        async with self._transaction() as connection:
            await alert(connection, "policy-list", room_id=room_id, reason=reason)

    async def _follow_rules(self, connection: Connection) -> None:
        await connection.execute(*query("note_policed"))
        held = await connection.fetch(*query("hold_policed"))
        released = await connection.fetch(*query("release_policed"))
        for rows, deed in ((held, Deed.HELD), (released, Deed.RELEASED)):
            for row in rows:
                video_id = VideoId(str(row["id"]))
                await note(
                    connection, ITSELF, deed, room_id=row["room_id"], video_id=video_id, user_id=row["sender"],
                    because=HeldFor.POLICY,
                )  # fmt: skip
                await concern_moderators(connection, video_id)
                await update_status(connection, video_id)
        watched = await connection.fetch(*query("rooms_of_policed"))
        for room_id in {row["room_id"] for row in (*held, *released, *watched)}:
            await announce(connection, room_id)
        rooms = await connection.fetch(*query("policed_rooms"))
        await queue(connection, *(TendRoom(row["room_id"]) for row in rooms))
