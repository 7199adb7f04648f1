"""What the bot says to one person, in the thread of an event if any, in the language of that person or of the room."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from appservice.errors import ForbiddenError
from appservice.matrix.client import Homeserver
from appservice.model import EventId, Kind, RoomId, UserId, VideoId, Visibility
from appservice.store import CommandStore, Store
from appservice.texts import Texts
from appservice.worker.reasons import reason_of

log = structlog.get_logger()


@dataclass(frozen=True)
class TellWork:
    """Says what `changes.tell` queued; one instance for a process."""

    store: Store
    commands: CommandStore
    homeserver: Homeserver
    languages: Mapping[str, Texts]
    language: str

    async def run(self, payload: str) -> None:
        """Say it. May be repeated."""
        said = json.loads(payload)
        # An earlier release did not wait for anything.
        if (gone := said.get("once_gone")) and not await self._is_gone(VideoId(gone["id"]), gone["version"]):
            return
        room_id, user_id = RoomId(said["room_id"]), UserId(said["user_id"])
        texts = self.languages[await self._language(room_id, user_id)]
        arguments = said["arguments"]
        if "failure" in arguments:
            kind, room = arguments.setdefault("kind", Kind.VIDEO), await self.store.room(room_id)
            arguments["reason"] = reason_of(arguments["failure"], room, texts, kind)
            arguments["title"] = arguments["title"] or texts.say("bot-untitled", {"kind": kind})
        try:
            await self.homeserver.send_notice(
                room_id, texts.say(said["message"], arguments), once=said["once"],
                thread=EventId(said["thread"]) if said["thread"] else None, mention=user_id,
            )  # fmt: skip
        except ForbiddenError as error:
            log.warning("notice_refused", room_id=room_id, subject=said["message"], reason=str(error))

    async def _is_gone(self, video_id: VideoId, version: int) -> bool:
        """Say whether a video was taken away, and is as it was left then."""
        video = await self.store.video(video_id)
        return video is None or (video.visibility is Visibility.REMOVED and video.version == version)

    async def _language(self, room_id: RoomId, user_id: UserId) -> str:
        person, room = await self.commands.person(user_id), await self.store.room(room_id)
        return person.language or (room and room.settings.language) or self.language
