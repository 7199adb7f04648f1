"""Commands in the order in which they came, each done once, and what people chose for themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from appservice.core.jobs import RunCommands
from appservice.core.model import EventId, RoomId, UserId, Video
from appservice.core.settings import PersonSettings, RoomSettings
from appservice.store.audit import Deed, note
from appservice.store.mapping import read_video
from appservice.store.outbox import announce, queue
from appservice.store.pool import LockingDatabase
from appservice.store.sql import query


@dataclass(frozen=True, slots=True)
class OpenCommand:
    """A command that is not done: `begun` when somebody was at it before, `response` once it is known."""

    key: int
    event_id: EventId
    room_id: RoomId
    sender: UserId
    body: str
    thread: EventId
    replied_to: EventId | None
    begun: bool
    response: dict[str, Any] | None


class CommandStore(LockingDatabase):
    """Commands and choices. Every method raises UnavailableError when the database is away."""

    @asynccontextmanager
    async def locked(self, room_id: RoomId) -> AsyncIterator[bool]:
        """Hold a room's commands to ourselves among all workers; False when another one has them."""
        async with self._holding("lock_commands", room_id=room_id) as held:
            yield bool(held)

    async def next(self, room_id: RoomId) -> OpenCommand | None:
        """Return a room's oldest command that is not done."""
        row = await self._fetchrow("open_command", room_id=room_id)
        return OpenCommand(**dict(row)) if row else None

    async def begin(self, command: OpenCommand) -> None:
        """Note that the command is being done: after a crash it is not done again."""
        await self._fetch("begin_command", key=command.key)

    async def give_back(self, command: OpenCommand) -> None:
        """Note that the command was not done, and is to be done later."""
        await self._fetch("give_back_command", key=command.key)

    async def store_response(self, command: OpenCommand, response: dict[str, Any]) -> None:
        """Store the response to a command that is done."""
        await self._fetch("store_response", key=command.key, response=response)

    async def end(self, command: OpenCommand) -> None:
        """Note that the command is done and its response sent."""
        await self._fetch("end_command", key=command.key)

    async def recover_lost_jobs(self) -> int:
        """Queue every room whose commands have no job (any more), and delete what was done long ago."""
        async with self._transaction() as connection:
            await connection.execute(*query("delete_old_commands", days=_KEEP_DAYS))
            rows = await connection.fetch(*query("rooms_with_open_commands"))
            await queue(connection, *(RunCommands(row["room_id"]) for row in rows))
        return len(rows)

    async def person(self, user_id: UserId) -> PersonSettings:
        """Return what a person chose."""
        row = await self._fetchrow("person", user_id=user_id)
        return PersonSettings.read(row["settings"] if row else {})

    async def set_person(self, user_id: UserId, settings: PersonSettings) -> None:
        """Store what a person chose."""
        await self._fetch("set_person", user_id=user_id, settings=settings.stored())

    async def set_room(self, room_id: RoomId, settings: RoomSettings, *, by: UserId) -> None:
        """Store what a room's moderator chose."""
        async with self._transaction() as connection:
            await connection.execute(*query("set_room_settings", room_id=room_id, settings=settings.stored()))
            await note(connection, by, Deed.SETTINGS_CHANGED, room_id=room_id, **settings.stored())
            await announce(connection, room_id)

    async def videos_of(self, room_id: RoomId, event_id: EventId) -> list[Video]:
        """Return the videos that an event of the room brought: several, if it is a gallery."""
        return [read_video(row) for row in await self._fetch("videos_by_event", room_id=room_id, event_id=event_id)]


_KEEP_DAYS = 30
