"""Notifications of one person, in the thread of an event if any, in the language of that person or of the room."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from appservice.core.errors import ForbiddenError
from appservice.core.jobs import Notify, OnceGone
from appservice.core.model import Kind, RoomId, UserId, Visibility
from appservice.core.room import Room
from appservice.i18n import Texts
from appservice.matrix.client import HomeserverClient
from appservice.store import Stores
from appservice.worker.reasons import reason_of

log = structlog.get_logger()


@dataclass(frozen=True)
class NotificationWork:
    """Sends what `store.outbox.notify` queued; one instance for a process."""

    stores: Stores
    homeserver: HomeserverClient
    languages: Mapping[str, Texts]
    language: str

    async def run(self, notification: Notify) -> None:
        """Send a notification. May be repeated."""
        if notification.once_gone and not await self._is_gone(notification.once_gone):
            return
        texts = self.languages[await self._language(notification.room_id, notification.user_id)]
        text = _text(
            notification.message, notification.arguments, texts, await self.stores.rooms.room(notification.room_id)
        )
        try:
            await self.homeserver.send_notice(
                notification.room_id,
                text,
                once=notification.once,
                thread=notification.thread,
                mention=[notification.user_id],
            )
        except ForbiddenError as error:
            log.warning("notice_refused", room_id=notification.room_id, subject=notification.message, reason=str(error))

    async def _is_gone(self, condition: OnceGone) -> bool:
        """Say whether a video was taken away, and is as it was left then."""
        video = await self.stores.videos.video(condition.id)
        return video is None or (video.visibility is Visibility.REMOVED and video.version == condition.version)

    async def _language(self, room_id: RoomId, user_id: UserId) -> str:
        person, room = await self.stores.commands.person(user_id), await self.stores.rooms.room(room_id)
        return person.language or (room and room.settings.language) or self.language


def _text(message: str, arguments: Mapping[str, Any], texts: Texts, room: Room | None) -> str:
    kind = arguments.get("kind", Kind.VIDEO)
    values = dict(arguments)
    if "title" in values:
        untitled = texts.say("bot-untitled", {"kind": kind}) if "failure" in values else texts.say("bot-video")
        # An earlier release did not say when it was sent; only names without a time of their own need it.
        values["title"] = texts.title(values["title"], kind, values.get("sent", round(time.time() * 1000))) or untitled
    if "failure" in values:
        values["reason"] = reason_of(values["failure"], room, texts, kind)
        return texts.say(message, values)
    # An earlier release had a text of its own for what has a reason.
    text = texts.say(message.removesuffix("-because"), values)
    return texts.say("bot-with-reason", {"text": text, "reason": values["reason"]}) if values.get("reason") else text
