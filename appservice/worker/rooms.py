"""Tends a room: accepts or declines an invitation, reads its state, follows its upgrade, adds the widget once."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import structlog

from appservice.config import Config
from appservice.core.errors import ForbiddenError
from appservice.core.events.widgets import RoomWidgets, pinned_layout, renamed_layout, widget_content
from appservice.core.model import RoomId, UserId
from appservice.core.room import Membership, Room
from appservice.core.rules.permissions import may_use
from appservice.core.rules.power_levels import LAYOUT_TYPE, WIDGET_TYPE, may_pin_widget, may_place_widget, state_level
from appservice.core.text.markup import code
from appservice.i18n import Texts
from appservice.matrix.client import HomeserverClient, RoomLinks
from appservice.store import Stores
from appservice.worker.opt_ins import command_in

log = structlog.get_logger()

# Encrypted rooms that are not served, and those that are: since later, alone with the bot, and all others.
_OF_ENCRYPTED = {
    False: ("bot-unserved-since", "bot-unserved-direct", "bot-unserved"),
    True: ("bot-encrypted-since", "bot-encrypted-direct", "bot-encrypted"),
}
# The levels that have a name in clients' lists of members.
_ROLES = {50: "bot-needs-moderator", 100: "bot-needs-admin"}


@dataclass(frozen=True)
class RoomWork:
    """Tends rooms; one instance for a process."""

    config: Config
    stores: Stores
    homeserver: HomeserverClient
    texts: Texts
    encrypted_rooms: bool = False
    """They are served: the operator has set them up."""

    async def run(self, room_id: RoomId) -> None:
        """Bring a room up to date. May be repeated at any time."""
        async with self.stores.rooms.tending(room_id):
            room = await self.stores.rooms.room(room_id)
            if room is None or await self.stores.policies.is_list(room_id):
                return
            if room.bot_membership is Membership.INVITE:
                await self._respond_to_invitation(room)
            elif room.bot_membership is Membership.JOIN:
                await self._tend(room)

    async def _respond_to_invitation(self, room: Room) -> None:
        inviter = room.inviter or ""
        if not may_use(inviter, self.config.permissions) or await self._is_banned(room, inviter):
            log.info("invitation_declined", room_id=room.room_id, inviter=inviter)
            await self.homeserver.leave(room.room_id, self.texts.say("bot-declined"))
            return
        try:
            await self.homeserver.join(room.room_id, via=inviter.partition(":")[2])
        except ForbiddenError as error:
            # Withdrawn meanwhile, or we are banned: there is nothing to accept any more.
            log.warning("invitation_void", room_id=room.room_id, reason=str(error))

    async def _is_banned(self, room: Room, inviter: str) -> bool:
        return await self.stores.policies.is_room_banned(room.room_id) or await self.stores.policies.is_banned(
            UserId(inviter)
        )

    async def _tend(self, room: Room) -> None:
        if await self.stores.policies.is_room_banned(room.room_id):
            log.info("room_banned", room_id=room.room_id)
            await self.homeserver.leave(room.room_id, self.texts.say("bot-room-banned"))
            return
        read_at = await self.stores.installation.now()
        try:
            snapshot, links, widgets = await self.homeserver.snapshot(room.room_id, read_at)
        except ForbiddenError:
            log.info("room_left_meanwhile", room_id=room.room_id)
            return
        await self.stores.rooms.save_snapshot(snapshot)
        if links.replaced_by:
            await self.stores.rooms.note_replacement(room.room_id, links.replaced_by)
            await self._follow(room.room_id, links.replaced_by)
            return
        await self._inherit(room.room_id, links)
        current = await self.stores.rooms.room(room.room_id)
        if current:
            if current.encrypted:
                await self._notify_of_encryption(current, widgets, links.joined)
            await self._place_widget(current, widgets, links.joined)
            if current.opted_in_by is not None:
                await self.stores.opt_ins.queue_newcomers(current.room_id)
            if current.last_event is None:
                await self.stores.rooms.backfill([current.room_id])

    # Upgrades. Anybody can make a room that claims to replace another, so both ends must say so.

    async def _follow(self, old: RoomId, new: RoomId) -> None:
        replacement = await self.stores.rooms.room(new)
        if replacement and replacement.bot_membership is Membership.JOIN:
            await self.stores.rooms.tend([new])  # its own job carries the videos over
            return
        try:
            await self.homeserver.join(new, via=self.config.homeserver.server_name)
        except ForbiddenError:
            # A private room: we come when somebody invites us.
            log.info("upgrade_waits_for_invitation", room_id=old, replaced_by=new)

    async def _inherit(self, room_id: RoomId, links: RoomLinks) -> None:
        old = links.predecessor and await self.stores.rooms.room(links.predecessor)
        if not old or old.replaced_by != room_id:
            return
        moved = await self.stores.rooms.follow_upgrade(old.room_id, room_id)
        log.info("upgrade_followed", room_id=room_id, predecessor=old.room_id, moved=moved)
        room = None if moved else await self.stores.rooms.room(room_id)
        if room and await self.stores.videos.room_videos(old.room_id):
            await self._notify_once(room, "left-behind", "bot-left-behind", once=old.room_id)

    # The widget. Sent state needs every member's approval of the widget again, so it is sent only when it differs.

    async def _place_widget(self, room: Room, widgets: RoomWidgets, joined: str) -> None:
        """Bring the widget up to date.

        In an encrypted room that is not served only one that stands there already, with the videos of before.
        """
        unserved = room.encrypted and not self.encrypted_rooms
        widget_id = await self.stores.rooms.widget_id(room.room_id)
        bot, name = self.homeserver.bot, self.config.appservice.bot_name
        wanted = widget_content(widget_id, self.config.web.public_url, bot, name)
        current, former = widgets.content(widget_id), widgets.former(widget_id, bot)
        if current == wanted and not former:
            if not room.widget_placed:
                await self.stores.rooms.mark_widget_placed(room.room_id)
            return
        if not (current or former) and (room.widget_placed or unserved):
            return  # a moderator took it away, or there is nothing to be seen in it
        if not await self._send_widget(room, widgets, wanted, former):
            if not former and not unserved:  # a former one still works
                await self._request_power_level(room, joined)
            return
        await self.stores.rooms.mark_widget_placed(room.room_id)
        await self.stores.rooms.clear_notified(room.room_id, "power")
        log.info("widget_placed", room_id=room.room_id, replaced=len(former))
        if not room.encrypted:
            link = f"{self.config.web.public_url}/widget/?room_id={quote(room.room_id, safe='')}"
            await self._notify_once(room, "welcome", "bot-welcome", once=joined, link=link)

    async def _send_widget(
        self, room: Room, widgets: RoomWidgets, wanted: dict[str, object], former: Sequence[str]
    ) -> bool:
        """Send the widget and its layout, and take away former ones; return False where the bot may not."""
        if not may_place_widget(room.power_levels, self.homeserver.bot, room.creators):
            return False
        widget_id = str(wanted["id"])
        try:
            if widgets.content(widget_id) != wanted:
                await self.homeserver.send_state(room.room_id, WIDGET_TYPE, widget_id, wanted)
            await self._arrange(room, widgets, widget_id, former)
            for each in former:  # last of all: after a crash before, all of this is done again
                await self.homeserver.send_state(room.room_id, WIDGET_TYPE, each, {})
        except ForbiddenError:
            return False
        return True

    async def _arrange(self, room: Room, widgets: RoomWidgets, widget_id: str, former: Sequence[str]) -> None:
        """Pin the widget the first time; one that has a new id stays where it is, or is not."""
        if not may_pin_widget(room.power_levels, self.homeserver.bot, room.creators):
            return
        layout = renamed_layout(widgets.layout, former, widget_id)
        if layout is None and room.settings.pin and not room.widget_placed and not former:
            layout = pinned_layout(widgets.layout, widget_id)
        if layout is not None:
            await self.homeserver.send_state(room.room_id, LAYOUT_TYPE, "", layout)

    async def _request_power_level(self, room: Room, joined: str) -> None:
        level = state_level(room.power_levels, WIDGET_TYPE)
        # With other power levels it is another request, also where permission was granted and revoked meanwhile.
        levels = hashlib.sha256(json.dumps(room.power_levels, sort_keys=True).encode()).hexdigest()
        await self._notify_once(
            room, "power", _ROLES.get(level, "bot-needs-power"), once=f"{joined}|{levels}",
            bot=code(self.homeserver.bot), level=level, step=code(f"/op {self.homeserver.bot} {level}"),
        )  # fmt: skip

    async def _notify_of_encryption(self, room: Room, widgets: RoomWidgets, joined: str) -> None:
        """Say what holds in an encrypted room, and say it anew once the operator has set these up."""
        subject = "opt-in" if self.encrypted_rooms else "encrypted"
        if subject in room.notified:
            return
        if self.encrypted_rooms and room.takes_videos:  # since the room that this one replaced
            await self._notify_once(room, subject, "bot-opted-in-still", once=joined, **self.texts.opted_in(room))
            return
        since, direct, other = _OF_ENCRYPTED[self.encrypted_rooms]
        message = direct if room.direct else other
        if await self._was_plain(room, widgets):
            message = since
        await self._notify_once(room, subject, message, once=joined, command=command_in(room, "enable"))

    async def _was_plain(self, room: Room, widgets: RoomWidgets) -> bool:
        """Say whether there is something of before the room was encrypted."""
        has_widget = room.widget_placed or widgets.former("", self.homeserver.bot)
        return bool(has_widget or await self.stores.videos.room_videos(room.room_id))

    async def _notify_once(self, room: Room, subject: str, message: str, *, once: str, **arguments: object) -> None:
        """Send a notice the first time. `once` is the same for a repeated job, and another when it is sent anew."""
        if subject in room.notified:
            return
        try:
            text = self.texts.say(message, arguments)
            # Where nobody encrypts, that alone is said: it is the same in all rooms.
            in_clear = message in _OF_ENCRYPTED[False]
            await self.homeserver.send_notice(room.room_id, text, once=f"{subject}|{once}", in_clear=in_clear)
        except ForbiddenError as error:
            log.warning("notice_refused", room_id=room.room_id, subject=subject, reason=str(error))
        await self.stores.rooms.mark_notified(room.room_id, subject)
