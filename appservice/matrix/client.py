"""The bot's client-server API calls, by mautrix' HTTP layer; what comes back is checked before it is believed."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import aiohttp
import structlog
from mautrix.api import HTTPAPI, Method, PathBuilder
from mautrix.errors import MatrixConnectionError, MatrixRequestError

from appservice import intake
from appservice.errors import ForbiddenError, HomeserverError, MalformedEventError
from appservice.intake import clean_json, read_event
from appservice.model import EventId, Membership, RoomId, Snapshot, UserId

log = structlog.get_logger()

_V3 = PathBuilder("_matrix/client/v3")
_TIMEOUT_S = 60
# From this version on (MSC4289) creators are above all power levels.
_CREATOR_POWER_VERSION = 12


class Homeserver:
    """Our homeserver, asked as the bot. Raises HomeserverError, or ForbiddenError where the homeserver says 403."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, as_token: str, appservice_id: str, bot: UserId
    ) -> None:
        self.bot = bot
        self.url = url
        self._id = appservice_id
        self._session = session
        self._token = as_token
        self._as_bot = HTTPAPI(url, as_token, client_session=session, as_user_id=bot)  # type: ignore[arg-type]
        self._as_service = HTTPAPI(url, as_token, client_session=session)

    async def _call(
        self,
        method: Method,
        path: PathBuilder,
        content: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
        *,
        api: HTTPAPI | None = None,
    ) -> Any:  # noqa: ANN401 - JSON, checked by who called
        try:
            return await (api or self._as_bot).request(
                method, path, dict(content or {}), query_params=dict(query or {}), retry_count=0
            )
        except MatrixRequestError as error:
            if error.http_status == 403:
                raise ForbiddenError(str(error)) from error
            raise HomeserverError(f"{method} {path}: {error}") from error
        except (MatrixConnectionError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise HomeserverError(
                f"The homeserver {self.url} does not answer: {error or type(error).__name__}"
            ) from error

    # Being the bot

    async def register(self, display_name: str) -> None:
        """Make sure that the bot's user exists and has its name."""
        body = {
            "type": "m.login.application_service",
            "username": self.bot[1:].partition(":")[0],
            "inhibit_login": True,
        }
        try:
            await self._call(Method.POST, _V3.register, body, api=self._as_service)
        except HomeserverError as error:
            if "M_USER_IN_USE" not in _errcode(error):
                raise
        profile = _V3.profile[self.bot].displayname
        try:
            current = await self._call(Method.GET, profile)
        except HomeserverError:
            current = {}
        if current.get("displayname") != display_name:
            await self._call(Method.PUT, profile, {"displayname": display_name})

    async def whoami(self) -> str:
        """Return the user id that the homeserver takes us for: proves address and `as_token`."""
        return str((await self._call(Method.GET, _V3.account.whoami)).get("user_id"))

    async def ping(self) -> int:
        """Let the homeserver call us (MSC2659) and return the milliseconds it took: proves its way to us."""
        answer = await self._call(
            Method.POST, PathBuilder("_matrix/client/v1").appservice[self._id].ping, {}, api=self._as_service
        )
        return int(answer.get("duration_ms", 0))

    # Rooms

    async def join(self, room_id: RoomId, via: str | None = None) -> None:
        """Join a room; `via` is a server that knows it. Joining twice is harmless."""
        # `server_name` is what homeservers before Matrix 1.12 call it.
        await self._call(Method.POST, _V3.join[room_id], {}, {"via": via, "server_name": via} if via else None)

    async def leave(self, room_id: RoomId, reason: str) -> None:
        """Leave a room, or decline an invitation, with a reason that its members see."""
        await self._call(Method.POST, _V3.rooms[room_id].leave, {"reason": reason})

    async def joined_rooms(self) -> list[RoomId]:
        """Return the rooms that the bot is in."""
        rooms = (await self._call(Method.GET, _V3.joined_rooms)).get("joined_rooms", [])
        return [RoomId(room) for room in rooms if isinstance(room, str)]

    async def snapshot(self, room_id: RoomId, read_at: datetime) -> tuple[Snapshot, "RoomLinks"]:
        """Read a room's whole state."""
        events = await self._call(Method.GET, _V3.rooms[room_id].state)
        state = {(e.get("type"), e.get("state_key")): e for e in events if isinstance(e, dict)}
        changes = [change for event in state.values() if (change := _read(event, room_id))]
        creation = state.get(("m.room.create", ""), {})
        members = [c for c in changes if isinstance(c, intake.MemberChanged) and c.membership is Membership.JOIN]
        snapshot = Snapshot(
            room_id=room_id,
            name=next((c.name for c in changes if isinstance(c, intake.RoomNamed)), None),
            power_levels=next((c.content for c in changes if isinstance(c, intake.PowerChanged)), {}),
            creators=_creators(creation),
            encrypted=any(isinstance(c, intake.RoomEncrypted) for c in changes),
            members=[(c.user_id, c.display_name, c.avatar_mxc) for c in members if c.user_id != self.bot],
            read_at=read_at,
        )
        return snapshot, RoomLinks(
            predecessor=_linked(creation.get("content", {}).get("predecessor"), "room_id"),
            replaced_by=next((c.replaced_by for c in changes if isinstance(c, intake.RoomReplaced)), None),
        )

    async def state_event(self, room_id: RoomId, kind: str, state_key: str) -> dict[str, Any] | None:
        """Return the content of a state event, None when the room has none."""
        try:
            content = await self._call(Method.GET, _V3.rooms[room_id].state[kind][state_key])
        except HomeserverError as error:
            if "M_NOT_FOUND" in _errcode(error):
                return None
            raise
        return content if isinstance(content, dict) else None

    async def send_state(self, room_id: RoomId, kind: str, state_key: str, content: Mapping[str, object]) -> None:
        """Send a state event."""
        await self._call(Method.PUT, _V3.rooms[room_id].state[kind][state_key], content)

    async def membership(self, room_id: RoomId, user_id: UserId) -> intake.MemberChanged | None:
        """Ask whether a user is in a room; None when there was never anything to know."""
        content = await self.state_event(room_id, "m.room.member", user_id)
        if content is None:
            return None
        change = _read({"type": "m.room.member", "state_key": user_id, "content": content}, room_id)
        return change if isinstance(change, intake.MemberChanged) else None

    async def send_notice(
        self, room_id: RoomId, text: str, *, once: str, html: str | None = None, thread: EventId | None = None
    ) -> None:
        """Send an `m.notice`; `once` names it, so that a repeated job does not say it twice.

        The homeserver drops a repeated transaction id (client-server API, "Transaction identifiers").
        """
        content: dict[str, object] = {"msgtype": "m.notice", "body": text, "m.mentions": {}}
        if html:
            content |= {"format": "org.matrix.custom.html", "formatted_body": html}
        if thread:
            content["m.relates_to"] = {
                "rel_type": "m.thread",
                "event_id": thread,
                "is_falling_back": True,
                "m.in_reply_to": {"event_id": thread},
            }
        txn_id = hashlib.sha256(f"{room_id}|{once}".encode()).hexdigest()[:32]
        await self._call(Method.PUT, _V3.rooms[room_id].send["m.room.message"][txn_id], content)

    # Media

    def media_url(self, mxc: str) -> str:
        """Return the authenticated download address of a content URI (client-server API, "Content repository")."""
        return f"{self.url}/_matrix/client/v1/media/download/{mxc.removeprefix('mxc://')}"

    def thumbnail_url(self, mxc: str, size: int) -> str:
        """Return the authenticated address of a square thumbnail, `size` pixels wide."""
        path = mxc.removeprefix("mxc://")
        return f"{self.url}/_matrix/client/v1/media/thumbnail/{path}?width={size}&height={size}&method=crop"

    @property
    def media_headers(self) -> dict[str, str]:
        """The headers that authenticate a media request."""
        return {"Authorization": f"Bearer {self._token}"}


class RoomLinks:
    """The rooms before and after this one, as the room itself says: not yet to be believed."""

    def __init__(self, predecessor: RoomId | None, replaced_by: RoomId | None) -> None:
        self.predecessor = predecessor
        self.replaced_by = replaced_by


def _errcode(error: HomeserverError) -> str:
    return getattr(error.__cause__, "errcode", None) or ""


def _read(event: dict[str, object], room_id: RoomId) -> intake.Change | None:
    try:
        # Events of /state may come without their room; nobody is blocked for state.
        return read_event({**event, "room_id": room_id}, bot=UserId(""), permissions={})
    except MalformedEventError as error:
        log.warning("event_malformed", room_id=room_id, error=str(error))
        return None


def _creators(creation: Mapping[str, Any]) -> list[str]:
    content = creation.get("content", {})
    version = str(content.get("room_version", "1"))
    if not version.isdecimal() or int(version) < _CREATOR_POWER_VERSION:
        return []
    additional = content.get("additional_creators", [])
    named = additional if isinstance(additional, list) else []
    return [c for c in (creation.get("sender"), *named) if isinstance(c, str)]


def _linked(holder: object, key: str) -> RoomId | None:
    target = holder.get(key) if isinstance(holder, Mapping) else None
    return RoomId(str(clean_json(target))) if isinstance(target, str) and target.startswith("!") else None
