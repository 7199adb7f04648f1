"""Runs the commands of a room, one after the other, each once, and responds to each in its thread."""

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import Any

import structlog

from appservice.commands import (
    admin,
    encryption,
    erasure,
    general,
    member,
    moderator,
    own_data,
    policies,
    room_settings,
)
from appservice.commands.context import Command, CommandContext, Rank, Readers, RefusedError, Services
from appservice.core.errors import (
    ConflictError,
    ForbiddenError,
    GoneError,
    HomeserverError,
    NeverPublicError,
    NotFoundError,
    RefusedByHomeserverError,
    RequestError,
    UnavailableError,
)
from appservice.core.model import RoomId
from appservice.core.room import Room
from appservice.core.text.command_grammar import UsageError, nearest, split
from appservice.core.text.message import Response
from appservice.store import OpenCommand

log = structlog.get_logger()

COMMANDS: tuple[Command, ...] = (
    *general.COMMANDS,
    *member.COMMANDS,
    *moderator.COMMANDS,
    *room_settings.COMMANDS,
    *encryption.COMMANDS,
    *own_data.COMMANDS,
    *erasure.COMMANDS,
    *admin.COMMANDS,
    *policies.COMMANDS,
)
_BY_NAME = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}
_WRONG = "❓"
_REFUSALS: dict[type[RequestError], str] = {
    ForbiddenError: "bot-forbidden",
    NeverPublicError: "bot-never-public",
    NotFoundError: "bot-not-found",
    ConflictError: "bot-conflict",
    GoneError: "bot-too-late",
}


@dataclass(frozen=True)
class CommandWork:
    """Does commands; one instance for a process."""

    services: Services

    async def run(self, room_id: RoomId) -> None:
        """Run all pending commands of a room. May be repeated."""
        while await self.services.stores.commands.next(room_id):
            async with self.services.stores.commands.locked(room_id) as held:
                if not held:
                    return  # who holds the room looks again after letting go
                while command := await self.services.stores.commands.next(room_id):
                    await self._do(command)

    async def _do(self, command: OpenCommand) -> None:
        room = await self.services.stores.rooms.room(command.room_id)
        if room is None:
            return
        response = command.response
        if response is None:
            response = await self._refuse_unserved(command, room) or await self._respond(command, room)
            await self.services.stores.commands.store_response(command, response)
        # Queried again just before: somebody may have come in while the command was done, or its worker was dead.
        to_others = response.get("to_others")
        if to_others is not None and await self._readers(command, room) != response["readers"]:
            response = {**response, "plain": to_others, "html": None}
        await self._send(command, response)
        await self.services.stores.commands.end(command)

    async def _refuse_unserved(self, command: OpenCommand, room: Room) -> dict[str, Any] | None:
        """Return the response where nothing can be said: in an encrypted room, while encrypted rooms are not served."""
        services = self.services
        if services.use_cases.opt_ins.available:
            return None
        try:
            if not await services.homeserver.is_encrypted(room.room_id):
                return None
        except ForbiddenError:
            return None  # the bot has left
        person = await services.stores.commands.person(command.sender)
        language = person.language or room.settings.language or services.config.appservice.language
        text = services.languages[language].say("bot-unserved-command")
        return {"plain": text, "html": None, "reaction": None, "in_clear": True}

    async def _readers(self, command: OpenCommand, room: Room) -> Readers:
        """Query who reads the response, from the homeserver where it may hold more than is for a room's members."""
        homeserver = self.services.homeserver
        if room.direct:
            audience = await homeserver.audience(room.room_id)
            alone = audience is not None and audience.is_between(homeserver.bot, command.sender)
            return Readers.TWO if alone else Readers.MEMBERS
        is_admin_room = room.room_id == self.services.config.appservice.admin_room
        if is_admin_room or await self.services.stores.moderation.is_moderators_room(room.room_id):
            return Readers.ANYBODY if await homeserver.is_open(room.room_id) else Readers.TRUSTED
        return Readers.MEMBERS

    async def _respond(self, command: OpenCommand, room: Room) -> dict[str, Any]:
        name, words = split(command.body)
        person = await self.services.stores.commands.person(command.sender)
        readers = await self._readers(command, room)
        room = replace(room, direct=readers is Readers.TWO)
        context = CommandContext(self.services, command, room, person, words, name, COMMANDS, readers)
        if command.begun:
            # Somebody died in the middle of it: done twice it might be worse than not at all.
            log.warning("command_interrupted", event_id=command.event_id, room_id=room.room_id)
            response = Response(context.say("bot-interrupted"), reaction=_WRONG)
        else:
            response = await self._act(context)
        stored = {"plain": response.plain, "html": response.html, "reaction": response.reaction}
        if readers in {Readers.TWO, Readers.TRUSTED}:
            stored |= {"readers": readers, "to_others": context.say("bot-not-alone")}
        return stored

    async def _act(self, context: CommandContext) -> Response:
        await self.services.stores.commands.begin(context.command)
        try:
            return await _response_of(context)
        except (asyncio.CancelledError, UnavailableError, HomeserverError):
            # The worker is being stopped, or a service is away: the job is retried.
            with contextlib.suppress(UnavailableError):
                await asyncio.shield(self.services.stores.commands.give_back(context.command))
            raise
        except RequestError as error:
            message = _REFUSALS.get(type(error), "bot-refused")
            return Response(context.say(message, reason=str(error)), reaction=_WRONG)

    async def _send(self, command: OpenCommand, response: dict[str, Any]) -> None:
        once = f"{command.event_id}|answer"
        try:
            if response["reaction"]:
                await self.services.homeserver.send_reaction(command.room_id, command.event_id, response["reaction"])
            if response["plain"]:
                await self.services.homeserver.send_notice(
                    command.room_id, response["plain"], once=once, html=response["html"], thread=command.thread,
                    in_clear=response.get("in_clear", False),
                )  # fmt: skip
        except (ForbiddenError, RefusedByHomeserverError) as error:
            log.warning("notice_refused", room_id=command.room_id, subject="answer", reason=str(error))


async def _response_of(context: CommandContext) -> Response:
    command = _BY_NAME.get(context.name or "help")
    if command is not None and command.rank is Rank.ADMIN and context.is_unheard_admin:
        return Response(context.say("bot-admin-room-open"), reaction=_WRONG)
    if command is None or (command.rank is Rank.ADMIN and not context.may_administer):
        return _unknown(context)
    if command.rank is Rank.MODERATOR and not await context.hears_moderators():
        return Response(context.say("bot-only-moderators"), reaction=_WRONG)
    log.info("command", command=command.name, room_id=context.room.room_id, user_id=context.user_id)
    try:
        return await command.act(context)
    except UsageError as error:
        return _usage(context, command, error.wrong)
    except RefusedError as error:
        return Response(context.say(error.message, **error.arguments), reaction=_WRONG)


def _unknown(context: CommandContext) -> Response:
    known = [name for name, command in _BY_NAME.items() if command.rank <= context.rank]
    meant = nearest(context.name, known)
    text = context.say("bot-unknown-nearest", name=context.name, meant=meant) if meant else context.say("bot-unknown")
    return Response(text, after=context.say("bot-see-help", command=context.quoted("help")), reaction=_WRONG)


def _usage(context: CommandContext, command: Command, wrong: str) -> Response:
    text = context.say("bot-wrong-word", word=wrong) if wrong else context.say("bot-missing-word")
    return Response(text, code=context.usage(command), after=context.say(f"bot-help-{command.name}"), reaction=_WRONG)
