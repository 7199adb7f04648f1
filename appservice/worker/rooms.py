"""Tends a room: answers an invitation, reads the room's state, follows its upgrade, places the widget once."""

from dataclasses import dataclass
from urllib.parse import quote
from uuid import uuid4

import structlog

from appservice.config import Config
from appservice.errors import ForbiddenError
from appservice.matrix.client import Homeserver, RoomLinks
from appservice.model import Membership, Room, RoomId, UserId
from appservice.permissions import may_use
from appservice.power import LAYOUT_TYPE, WIDGET_TYPE, may_pin_widget, may_place_widget, state_level
from appservice.store import PolicyStore, Store
from appservice.texts import Texts

log = structlog.get_logger()

WIDGET_ID = "roomreel"
_VARIABLES = {
    "room_id": "$matrix_room_id",
    "user_id": "$matrix_user_id",
    "theme": "$org.matrix.msc2873.client_theme",
    "lang": "$org.matrix.msc2873.client_language",
}


def widget_content(public_url: str, bot: str, name: str) -> dict[str, object]:
    """Return the content of the widget's state event; its URL's variables are filled in by each client."""
    query = "&".join(f"{key}={variable}" for key, variable in _VARIABLES.items())
    return {
        "id": WIDGET_ID,
        "type": "m.custom",
        "name": name,
        "url": f"{public_url}/widget/?{query}",
        "creatorUserId": bot,
        "data": {},
        # The page says itself when it is ready (widget API, `content_loaded`).
        "waitForIframeLoad": False,
    }


def pinned_layout(current: dict[str, object] | None) -> dict[str, object]:
    """Return the room's widget layout with our widget pinned on top, all others left as they are."""
    widgets = (current or {}).get("widgets")
    others = widgets if isinstance(widgets, dict) else {}
    ours = {"container": "top", "index": len(others), "width": 100, "height": 40}
    return {**(current or {}), "widgets": {**others, WIDGET_ID: ours}}


@dataclass(frozen=True)
class RoomWork:
    """Tends rooms; one instance for a process."""

    config: Config
    store: Store
    homeserver: Homeserver
    texts: Texts
    policies: PolicyStore

    async def run(self, room_id: RoomId) -> None:
        """Bring a room to what it should be. May be repeated at any time."""
        async with self.store.tending(room_id):
            room = await self.store.room(room_id)
            if room is None or await self.policies.is_list(room_id):
                return
            if room.bot_membership is Membership.INVITE:
                await self._answer_invitation(room)
            elif room.bot_membership is Membership.JOIN:
                await self._tend(room)

    async def _answer_invitation(self, room: Room) -> None:
        inviter = room.inviter or ""
        if not may_use(inviter, self.config.permissions) or await self._is_banned(room, inviter):
            log.info("invitation_declined", room_id=room.room_id, inviter=inviter)
            await self.homeserver.leave(room.room_id, self.texts.say("bot-declined"))
            return
        try:
            await self.homeserver.join(room.room_id, via=inviter.partition(":")[2])
        except ForbiddenError as error:
            # Withdrawn meanwhile, or we are banned: there is nothing to answer any more.
            log.warning("invitation_void", room_id=room.room_id, reason=str(error))

    async def _is_banned(self, room: Room, inviter: str) -> bool:
        return await self.policies.is_room_banned(room.room_id) or await self.policies.is_banned(UserId(inviter))

    async def _tend(self, room: Room) -> None:
        if await self.policies.is_room_banned(room.room_id):
            log.info("room_banned", room_id=room.room_id)
            await self.homeserver.leave(room.room_id, self.texts.say("bot-room-banned"))
            return
        read_at = await self.store.now()
        try:
            snapshot, links = await self.homeserver.snapshot(room.room_id, read_at)
        except ForbiddenError:
            log.info("room_left_meanwhile", room_id=room.room_id)
            return
        await self.store.save_snapshot(snapshot)
        if links.replaced_by:
            await self.store.note_replacement(room.room_id, links.replaced_by)
            await self._follow(room.room_id, links.replaced_by)
            return
        await self._inherit(room.room_id, links)
        current = await self.store.room(room.room_id)
        if current:
            await self._place_widget(current)
            if current.encrypted:
                await self._tell_once(current, "encrypted", "bot-encrypted")
            if current.last_event is None:
                await self.store.look_back([current.room_id])

    # Upgrades. Anybody can make a room that claims to replace another, so both ends must say so.

    async def _follow(self, old: RoomId, new: RoomId) -> None:
        replacement = await self.store.room(new)
        if replacement and replacement.bot_membership is Membership.JOIN:
            await self.store.tend([new])  # its own job carries the videos over
            return
        try:
            await self.homeserver.join(new, via=self.config.homeserver.server_name)
        except ForbiddenError:
            # A private room: we come when somebody invites us.
            log.info("upgrade_waits_for_invitation", room_id=old, replaced_by=new)

    async def _inherit(self, room_id: RoomId, links: RoomLinks) -> None:
        old = links.predecessor and await self.store.room(links.predecessor)
        if not old or old.replaced_by != room_id:
            return
        log.info("upgrade_followed", room_id=room_id, predecessor=old.room_id)
        await self.store.follow_upgrade(old.room_id, room_id)

    # The widget. Sent state asks every member to approve the widget again, so it is sent only when it differs.

    async def _place_widget(self, room: Room) -> None:
        wanted = widget_content(self.config.web.public_url, self.homeserver.bot, self.config.appservice.bot_name)
        current = await self.homeserver.state_event(room.room_id, WIDGET_TYPE, WIDGET_ID)
        if current == wanted:
            if not room.widget_placed:
                await self.store.mark_widget_placed(room.room_id)
            return
        if room.widget_placed and not current:
            return  # a moderator took it away
        if not may_place_widget(room.power_levels, self.homeserver.bot, room.creators):
            await self._ask_for_power(room)
            return
        try:
            await self.homeserver.send_state(room.room_id, WIDGET_TYPE, WIDGET_ID, wanted)
            if not room.widget_placed and self._may_pin(room):
                await self._pin(room.room_id)
        except ForbiddenError:
            await self._ask_for_power(room)
            return
        await self.store.mark_widget_placed(room.room_id)
        await self.store.forget_told(room.room_id, "power")
        link = f"{self.config.web.public_url}/widget/?room_id={quote(room.room_id, safe='')}"
        await self._tell_once(room, "welcome", "bot-welcome", link=link)
        log.info("widget_placed", room_id=room.room_id)

    def _may_pin(self, room: Room) -> bool:
        return room.settings.pin and may_pin_widget(room.power_levels, self.homeserver.bot, room.creators)

    async def _pin(self, room_id: RoomId) -> None:
        layout = await self.homeserver.state_event(room_id, LAYOUT_TYPE, "")
        await self.homeserver.send_state(room_id, LAYOUT_TYPE, "", pinned_layout(layout))

    async def _ask_for_power(self, room: Room) -> None:
        level = state_level(room.power_levels, WIDGET_TYPE)
        await self._tell_once(room, "power", "bot-needs-power", level=level, bot=self.homeserver.bot)

    async def _tell_once(self, room: Room, subject: str, message: str, **arguments: object) -> None:
        if subject in room.told:
            return
        try:
            text = self.texts.say(message, arguments)
            await self.homeserver.send_notice(room.room_id, text, once=str(uuid4()))
        except ForbiddenError as error:
            log.warning("notice_refused", room_id=room.room_id, subject=subject, reason=str(error))
        await self.store.mark_told(room.room_id, subject)
