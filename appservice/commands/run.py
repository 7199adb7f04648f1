"""Does the commands of a room, one after the other, each once, and answers each in its thread."""

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import Any

import structlog

from appservice.commands import admin, erasing, general, member, moderator, own_data, policies, room_settings
from appservice.commands.answer import Answer
from appservice.commands.asked import Asked, Parts, Readers, RefusedError
from appservice.commands.grammar import UsageError, nearest, split
from appservice.commands.registry import Command, Rank
from appservice.errors import (
    ConflictError,
    ForbiddenError,
    GoneError,
    HomeserverError,
    NotFoundError,
    RefusedByHomeserverError,
    RequestError,
    UnavailableError,
)
from appservice.model import Room, RoomId
from appservice.store import OpenCommand

log = structlog.get_logger()

COMMANDS: tuple[Command, ...] = (
    *general.COMMANDS,
    *member.COMMANDS,
    *moderator.COMMANDS,
    *room_settings.COMMANDS,
    *own_data.COMMANDS,
    *erasing.COMMANDS,
    *admin.COMMANDS,
    *policies.COMMANDS,
)
_BY_NAME = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}
_WRONG = "❓"
_REFUSALS: dict[type[RequestError], str] = {
    ForbiddenError: "bot-forbidden",
    NotFoundError: "bot-not-found",
    ConflictError: "bot-conflict",
    GoneError: "bot-too-late",
}


@dataclass(frozen=True)
class CommandWork:
    """Does commands; one instance for a process."""

    parts: Parts

    async def run(self, room_id: RoomId) -> None:
        """Do all that was said to the bot in a room. May be repeated."""
        while await self.parts.commands.next(room_id):
            async with self.parts.commands.answering(room_id) as held:
                if not held:
                    return  # who holds the room looks again after letting go
                while command := await self.parts.commands.next(room_id):
                    await self._do(command)

    async def _do(self, command: OpenCommand) -> None:
        room = await self.parts.store.room(command.room_id)
        if room is None:
            return
        answer = command.answer
        if answer is None:
            answer = await self._answer(command, room)
            await self.parts.commands.keep_answer(command, answer)
        # Asked again just before: somebody may have come in while the command was done, or its worker was dead.
        to_others = answer.get("to_others")
        if to_others is not None and await self._readers(command, room) != answer["readers"]:
            answer = {**answer, "plain": to_others, "html": None}
        await self._send(command, answer)
        await self.parts.commands.end(command)

    async def _readers(self, command: OpenCommand, room: Room) -> Readers:
        """Find out who reads the answer, of the homeserver where more may be said than is for a room's members."""
        homeserver = self.parts.homeserver
        if room.direct:
            audience = await homeserver.audience(room.room_id)
            alone = audience is not None and audience.is_between(homeserver.bot, command.sender)
            return Readers.TWO if alone else Readers.MEMBERS
        is_admin_room = room.room_id == self.parts.config.appservice.admin_room
        if is_admin_room or await self.parts.moderating.is_moderators_room(room.room_id):
            return Readers.ANYBODY if await homeserver.is_open(room.room_id) else Readers.TRUSTED
        return Readers.MEMBERS

    async def _answer(self, command: OpenCommand, room: Room) -> dict[str, Any]:
        name, words = split(command.body)
        person = await self.parts.commands.person(command.sender)
        readers = await self._readers(command, room)
        room = replace(room, direct=readers is Readers.TWO)
        asked = Asked(self.parts, command, room, person, words, name, COMMANDS, readers)
        if command.begun:
            # Somebody died in the middle of it: done twice it might be worse than not at all.
            log.warning("command_interrupted", event_id=command.event_id, room_id=room.room_id)
            answer = Answer(asked.say("bot-interrupted"), reaction=_WRONG)
        else:
            answer = await self._act(asked)
        kept = {"plain": answer.plain, "html": answer.html, "reaction": answer.reaction}
        if readers in {Readers.TWO, Readers.TRUSTED}:
            kept |= {"readers": readers, "to_others": asked.say("bot-not-alone")}
        return kept

    async def _act(self, asked: Asked) -> Answer:
        await self.parts.commands.begin(asked.command)
        try:
            return await _answer_of(asked)
        except (asyncio.CancelledError, UnavailableError, HomeserverError):
            # We are told to stop, or somebody is away: it comes again.
            with contextlib.suppress(UnavailableError):
                await asyncio.shield(self.parts.commands.give_back(asked.command))
            raise
        except RequestError as error:
            message = _REFUSALS.get(type(error), "bot-refused")
            return Answer(asked.say(message, reason=str(error)), reaction=_WRONG)

    async def _send(self, command: OpenCommand, answer: dict[str, Any]) -> None:
        once = f"{command.event_id}|answer"
        try:
            if answer["reaction"]:
                await self.parts.homeserver.send_reaction(command.room_id, command.event_id, answer["reaction"])
            if answer["plain"]:
                await self.parts.homeserver.send_notice(
                    command.room_id, answer["plain"], once=once, html=answer["html"], thread=command.thread
                )
        except (ForbiddenError, RefusedByHomeserverError) as error:
            log.warning("notice_refused", room_id=command.room_id, subject="answer", reason=str(error))


async def _answer_of(asked: Asked) -> Answer:
    command = _BY_NAME.get(asked.name or "help")
    if command is not None and command.rank is Rank.ADMIN and asked.is_unheard_admin:
        return Answer(asked.say("bot-admin-room-open"), reaction=_WRONG)
    if command is None or (command.rank is Rank.ADMIN and not asked.may_administer):
        return _unknown(asked)
    if command.rank is Rank.MODERATOR and not await asked.hears_moderators():
        return Answer(asked.say("bot-only-moderators"), reaction=_WRONG)
    log.info("command", command=command.name, room_id=asked.room.room_id, user_id=asked.user_id)
    try:
        return await command.act(asked)
    except UsageError as error:
        return _usage(asked, command, error.wrong)
    except RefusedError as error:
        return Answer(asked.say(error.message, **error.arguments), reaction=_WRONG)


def _unknown(asked: Asked) -> Answer:
    known = [name for name, command in _BY_NAME.items() if command.rank <= asked.rank]
    meant = nearest(asked.name, known)
    text = asked.say("bot-unknown-nearest", name=asked.name, meant=meant) if meant else asked.say("bot-unknown")
    return Answer(text, after=asked.say("bot-see-help", command=asked.quoted("help")), reaction=_WRONG)


def _usage(asked: Asked, command: Command, wrong: str) -> Answer:
    text = asked.say("bot-wrong-word", word=wrong) if wrong else asked.say("bot-missing-word")
    return Answer(text, code=asked.usage(command), after=asked.say(f"bot-help-{command.name}"), reaction=_WRONG)
