"""Notices about the opt-in of encrypted rooms: to all when it begins or ends, and to those who join later."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from appservice.core.errors import ForbiddenError, RefusedByHomeserverError
from appservice.core.jobs import NotifyRoom
from appservice.core.model import RoomId, UserId
from appservice.core.room import Membership, Room
from appservice.core.sign_in_codes import PREFIX
from appservice.core.text.markup import code
from appservice.i18n import Texts
from appservice.matrix.client import HomeserverClient
from appservice.store import Stores

log = structlog.get_logger()

_MOST_MENTIONED = 50


@dataclass(frozen=True)
class OptInNotices:
    """Sends these notices; one instance for a process."""

    stores: Stores
    homeserver: HomeserverClient
    languages: Mapping[str, Texts]
    language: str

    async def notify(self, job: NotifyRoom) -> None:
        """Tell a room that somebody opted it in, or out. May be repeated."""
        room = await self.stores.rooms.room(job.room_id)
        if room is None or room.bot_membership is not Membership.JOIN:
            return
        texts = self._texts(room)
        arguments = {
            "user": job.user_id, "when": texts.moment(datetime.fromtimestamp(job.at / 1000, UTC)), "count": job.count,
            "command": command_in(room, "enable" if job.message == "bot-opted-out" else "disable"),
        }  # fmt: skip
        await self._send(room, texts.say(job.message, arguments), once=job.once)

    async def notify_newcomers(self, room_id: RoomId) -> None:
        """Tell those who joined who had opted the room in before. May be repeated."""
        room = await self.stores.rooms.room(room_id)
        if room is None or room.bot_membership is not Membership.JOIN:
            return
        while newcomers := await self.stores.opt_ins.newcomers(room_id, _MOST_MENTIONED):
            people = [each.user_id for each in newcomers]
            # The same for a repeated job, unless somebody joined in between.
            joined = ",".join(f"{each.user_id}|{each.joined_at.isoformat()}" for each in newcomers)
            once = hashlib.sha256(f"{room_id}|{joined}".encode()).hexdigest()[:32]
            texts = self._texts(room)
            text = texts.say("bot-opted-in-before", {**texts.opted_in(room), "people": ", ".join(people)})
            await self._send(room, text, once=once, mention=people)
            await self.stores.opt_ins.newcomers_told(room_id, newcomers)

    def _texts(self, room: Room) -> Texts:
        return self.languages[room.settings.language or self.language]

    async def _send(self, room: Room, text: str, *, once: str, mention: Sequence[UserId] = ()) -> None:
        try:
            await self.homeserver.send_notice(room.room_id, text, once=once, mention=mention)
        except (ForbiddenError, RefusedByHomeserverError) as error:
            log.warning("notice_refused", room_id=room.room_id, subject="opt-in", reason=str(error))


def command_in(room: Room, command: str) -> str:
    """Return a command as it is to be written in a room: alone with the bot, without a prefix."""
    return code(command if room.direct else f"{PREFIX} {command}")
