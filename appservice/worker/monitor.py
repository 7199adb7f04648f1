"""Monitors disk and homeserver, and alerts admins in the management room."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from appservice.config import Config
from appservice.core.errors import ForbiddenError, HomeserverError, RefusedByHomeserverError
from appservice.core.jobs import NotifyAdmins
from appservice.core.model import Kind, RoomId
from appservice.core.sign_in_codes import PREFIX
from appservice.core.text.markup import code
from appservice.i18n import Texts
from appservice.matrix.client import HomeserverClient
from appservice.store import Stores

log = structlog.get_logger()

MIB = 1024 * 1024
DISK, HOMESERVER = "disk", "homeserver"
# A restart is no alert; and room must be felt before it is enough again.
_SHORT_S = 60.0
_ENOUGH = 1.1


@dataclass(frozen=True)
class Monitor:
    """Monitors one installation; one instance for a process."""

    config: Config
    stores: Stores
    homeserver: HomeserverClient
    languages: Mapping[str, Texts]

    async def check(self) -> None:
        """Check once, and queue notices for the alerts."""
        alarms = await self.stores.admin.alarms()
        await self._check_homeserver(alarms)
        await self._check_disk(alarms)
        if self.config.appservice.admin_room is None or not await self.stores.admin.notices_on():
            await self.stores.admin.delete_alerts()
        else:
            await self.stores.admin.queue_alerts()

    async def _check_homeserver(self, alarms: Sequence[str]) -> None:
        try:
            await self.homeserver.whoami()
        except (HomeserverError, ForbiddenError):
            await self.stores.admin.begin_alarm(HOMESERVER)
        else:
            if HOMESERVER in alarms:
                await self.stores.admin.end_alarm(HOMESERVER, "homeserver-back", least=_SHORT_S)

    async def _check_disk(self, alarms: Sequence[str]) -> None:
        free = (await asyncio.to_thread(shutil.disk_usage, self.config.data_dir)).free
        least = self.config.worker.min_free * MIB
        if free < least:
            await self.stores.admin.begin_alarm(DISK, "disk-low", free=free // MIB)
        elif free > _ENOUGH * least and DISK in alarms:
            await self.stores.admin.end_alarm(DISK, "disk-enough", free=free // MIB)

    async def notify(self, alarm: NotifyAdmins) -> None:
        """Post in the management room what `queue_alerts` queued. May be repeated."""
        if self.config.appservice.admin_room is None:
            return
        room_id = RoomId(self.config.appservice.admin_room)
        room = await self.stores.rooms.room(room_id)
        texts = self.languages[(room and room.settings.language) or self.config.appservice.language]
        text = _text(alarm.subject, alarm.count, alarm.details, texts)
        if text is None:
            return
        if await self.homeserver.is_open(room_id):
            log.warning("admin_room_open", room_id=room_id, subject=alarm.subject,
                        hint="Anybody may come in or read there: make it a room for invited ones.")  # fmt: skip
            return
        try:
            await self.homeserver.send_notice(room_id, text, once=alarm.once)
        except (ForbiddenError, RefusedByHomeserverError) as error:
            log.warning("notice_refused", room_id=room_id, subject=alarm.subject, reason=str(error))


def _text(subject: str, count: int, details: Mapping[str, object], texts: Texts) -> str | None:
    match subject:
        case "video":
            short = f"#{str(details['video_id']).replace('-', '')[:8]}"
            kind = str(details.get("kind", Kind.VIDEO))  # alerts of a release before do not say
            return texts.say("bot-notice-video", {
                "count": count, "id": short, "user": details["user_id"], "room": details["room_id"],
                "kind": kind, "reason": texts.failure(str(details["failure"]), kind),
                "command": code(f"{PREFIX} requeue {short}"),
            })  # fmt: skip
        case "disk-low":
            return texts.say("bot-notice-disk-low", {"free": details["free"]})
        case "disk-enough":
            return texts.say("bot-notice-disk-enough", {"free": details["free"]})
        case "quota":
            return texts.say("bot-notice-quota", {"percent": details["percent"]})
        case "policy-list":
            return texts.say("bot-notice-policy-list", {"room": details["room_id"], "reason": details["reason"]})
        case "verdict":
            return texts.say("bot-notice-verdict", {"count": count, "reason": details["reason"]})
        case "homeserver-back":
            return texts.say("bot-notice-homeserver-back", {"minutes": details["minutes"]})
        case _:
            return None  # a later release's
