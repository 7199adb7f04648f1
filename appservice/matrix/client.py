"""The bot's client-server API calls, by mautrix' HTTP layer; what comes back is checked before it is believed."""

import asyncio
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import aiohttp
import structlog
from mautrix.api import HTTPAPI, Method, PathBuilder
from mautrix.errors import MatrixConnectionError, MatrixRequestError

from appservice.core.errors import (
    ForbiddenError,
    HomeserverError,
    MalformedEventError,
    MediaError,
    RefusedByHomeserverError,
)
from appservice.core.events import changes
from appservice.core.events.intake import read_event
from appservice.core.events.policy_rules import Rule
from appservice.core.events.widgets import RoomWidgets, WidgetEvent
from appservice.core.model import EventId, History, RoomId, UserId
from appservice.core.room import Membership, Snapshot
from appservice.core.rules.audience import Audience, audience_of, is_open
from appservice.core.rules.power_levels import LAYOUT_TYPE, WIDGET_TYPE
from appservice.core.text import markup
from appservice.core.text.clean import clean_json

log = structlog.get_logger()

_V3 = PathBuilder("_matrix/client/v3")
_WRONG_REQUEST = frozenset({400, 404, 405, 413})
# However slow it is; but a homeserver that says nothing at the end is not waited for.
_UPLOAD_TIMEOUT = aiohttp.ClientTimeout(total=3600, sock_connect=10, sock_read=120)
_MEGOLM = "m.megolm.v1.aes-sha2"
# From this version on (MSC4289) creators are above all power levels.
_CREATOR_POWER_VERSION = 12


class Encrypting(Protocol):
    """Sends to encrypted rooms; raises as `HomeserverClient` does."""

    async def is_encrypted(self, room_id: RoomId) -> bool:
        """Say whether a room is known to be encrypted."""

    async def found_encrypted(self, change: changes.RoomEncrypted) -> None:
        """Store that a room is encrypted, whose event did not come yet."""

    async def send(self, room_id: RoomId, kind: str, content: Mapping[str, object], txn_id: str) -> EventId:
        """Have an event encrypted and sent; the same `txn_id` again sends nothing more, and returns the same id.

        Raises ForbiddenError where encrypted rooms are not served.
        """


class HomeserverClient:
    """The client of our homeserver, as the bot. Raises HomeserverError, or ForbiddenError where its status is 403."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, as_token: str, appservice_id: str, bot: UserId,
        admin_token: str | None = None, encrypting: Encrypting | None = None,
    ) -> None:  # fmt: skip
        self.bot = bot
        self.url = url
        self._id = appservice_id
        self._encrypting = encrypting
        self._session = session
        self._token = as_token
        self._as_bot = HTTPAPI(url, as_token, client_session=session, as_user_id=bot)  # type: ignore[arg-type]
        self._as_service = HTTPAPI(url, as_token, client_session=session)
        self._as_admin = HTTPAPI(url, admin_token, client_session=session) if admin_token else None

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
            if error.http_status in _WRONG_REQUEST:
                raise RefusedByHomeserverError(f"{method} {path}: {error}", error.errcode) from error
            raise HomeserverError(f"{method} {path}: {error}") from error
        except (MatrixConnectionError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise HomeserverError(
                f"The homeserver {self.url} does not respond: {error or type(error).__name__}"
            ) from error

    # Being the bot

    async def register(self) -> bool:
        """Make sure that the bot's user exists; say whether it did not."""
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
            return False
        return True

    async def profile(self) -> dict[str, str]:
        """Return the fields of the bot's profile that are text."""
        try:
            profile = await self._call(Method.GET, _V3.profile[self.bot])
        except RefusedByHomeserverError as error:
            if _errcode(error) == "M_NOT_FOUND":
                return {}
            raise
        return {key: value for key, value in profile.items() if isinstance(value, str)}

    async def set_profile(self, field: str, value: str) -> None:
        """Set a field of the bot's profile, which goes to every room with the bot."""
        await self._call(Method.PUT, _V3.profile[self.bot][field], {field: value})

    async def whoami(self) -> str:
        """Return the user id that the homeserver takes us for: proves address and `as_token`."""
        return str((await self._call(Method.GET, _V3.account.whoami)).get("user_id"))

    async def ping(self) -> int:
        """Make the homeserver ping us (MSC2659) and return the milliseconds that it took."""
        response = await self._call(
            Method.POST, PathBuilder("_matrix/client/v1").appservice[self._id].ping, {}, api=self._as_service
        )
        return int(response.get("duration_ms", 0))

    # Rooms

    async def join(self, room_id: RoomId, via: str | None = None) -> None:
        """Join a room; `via` is a server that knows it. Joining twice is harmless."""
        # `server_name` is what homeservers before Matrix 1.12 call it.
        await self._call(Method.POST, _V3.join[room_id], {}, {"via": via, "server_name": via} if via else None)

    async def room_of(self, where: str) -> RoomId:
        """Return the room that an alias means; an id means itself. Raises HomeserverError for an unknown alias."""
        if where.startswith("!"):
            return RoomId(where)
        response = await self._call(Method.GET, _V3.directory.room[where])
        room_id = response.get("room_id") if isinstance(response, dict) else None
        if not isinstance(room_id, str) or not room_id.startswith("!"):
            raise HomeserverError(f"The homeserver does not say which room {where} is.")
        return RoomId(room_id)

    async def policy_rules(self, room_id: RoomId) -> list[Rule]:
        """Return the rules of a policy list that ban."""
        events = await self._call(Method.GET, _V3.rooms[room_id].state)
        found = [_read(event, room_id) for event in events if isinstance(event, dict)]
        return [change.rule for change in found if isinstance(change, changes.PolicyChanged) and change.rule]

    async def has_device_keys(self, user_id: UserId) -> bool:
        """Query whether somebody has a device that can decrypt what is sent to them."""
        response = await self._call(Method.POST, _V3.keys.query, {"device_keys": {user_id: []}})
        users = response.get("device_keys") if isinstance(response, dict) else None
        devices = users.get(user_id) if isinstance(users, dict) else None
        if devices and isinstance(devices, dict):
            return any(isinstance(device, dict) and device.get("keys") for device in devices.values())
        if isinstance(response, dict) and response.get("failures"):
            raise HomeserverError(f"The homeserver of {user_id} does not say which devices they have.")
        return False

    async def create_direct(self, user_id: UserId, *, encrypted: bool) -> RoomId:
        """Begin a conversation with somebody alone, into which only the bot can invite others; return its room."""
        encryption = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": _MEGOLM}}
        body = {
            "preset": "private_chat",
            "invite": [user_id],
            "is_direct": True,
            "power_level_content_override": {"invite": 100},
            "initial_state": [
                {"type": "m.room.guest_access", "state_key": "", "content": {"guest_access": "forbidden"}},
                # From the invitation on: whoever came later, however they did, reads nothing of before.
                {"type": "m.room.history_visibility", "state_key": "", "content": {"history_visibility": "invited"}},
                *([encryption] if encrypted else []),
            ],
        }
        return RoomId(str((await self._call(Method.POST, _V3.createRoom, body))["room_id"]))

    async def audience(self, room_id: RoomId) -> Audience | None:
        """Query who reads the messages of a room; None where the bot is not. Reads the whole state: for small rooms."""
        try:
            events = await self._call(Method.GET, _V3.rooms[room_id].state)
        except (ForbiddenError, RefusedByHomeserverError):
            return None
        return audience_of(event for event in events if isinstance(event, dict))

    async def is_open(self, room_id: RoomId) -> bool:
        """Query whether anybody may enter a room, or read it from outside; so is one that the bot cannot read."""
        state = {}
        for kind in ("m.room.join_rules", "m.room.history_visibility"):
            try:
                state[kind] = await self.state_event(room_id, kind, "") or {}
            except (ForbiddenError, RefusedByHomeserverError):
                return True
        return is_open(
            str(state["m.room.join_rules"].get("join_rule")),
            str(state["m.room.history_visibility"].get("history_visibility")),
        )

    async def leave(self, room_id: RoomId, reason: str) -> None:
        """Leave a room, or decline an invitation, with a reason that its members see."""
        await self._call(Method.POST, _V3.rooms[room_id].leave, {"reason": reason})

    async def joined_rooms(self) -> list[RoomId]:
        """Return the rooms that the bot is in."""
        rooms = (await self._call(Method.GET, _V3.joined_rooms)).get("joined_rooms", [])
        return [RoomId(room) for room in rooms if isinstance(room, str)]

    async def invitations(self, requested_at: datetime) -> list[changes.BotMembershipChanged]:
        """Return the pending invitations of the bot (client-server API, "Syncing").

        `requested_at` is the database's clock before the request.
        """
        nothing: dict[str, object] = {"types": []}
        rooms = dict.fromkeys(("timeline", "state", "ephemeral", "account_data"), nothing)
        # Synapse serves a repeated initial sync from its cache for two minutes (`sync_response_cache_duration`),
        # whatever happened meanwhile; the filter is part of the cache's key.
        unique = {"types": [], "not_types": [uuid4().hex]}
        query = {
            "filter": json.dumps({"presence": unique, "account_data": nothing, "room": rooms}),
            "timeout": "0",
            "set_presence": "offline",
        }
        response = await self._call(Method.GET, _V3.sync, query=query)
        states = _invite_states(response)
        found = [self._invitation(RoomId(room_id), events, requested_at) for room_id, events in states]
        return [invitation for invitation in found if invitation]

    def _invitation(
        self, room_id: RoomId, events: list[dict[str, Any]], requested_at: datetime
    ) -> changes.BotMembershipChanged | None:
        found = {
            change
            for event in events
            if event.get("type") == "m.room.member" and event.get("state_key") == self.bot
            if isinstance(change := _read(event, room_id, bot=self.bot), changes.BotMembershipChanged)
        }
        # All but one of them would be what the inviter's server made up (`invite_room_state`).
        if len(found) != 1:
            return None
        (change,) = found
        return replace(change, requested_at=requested_at) if change.membership is Membership.INVITE else None

    async def snapshot(self, room_id: RoomId, read_at: datetime) -> tuple[Snapshot, "RoomLinks", RoomWidgets]:
        """Read a room's whole state: what is stored of it, the rooms before and after it, and its widgets."""
        events = await self._call(Method.GET, _V3.rooms[room_id].state)
        state = {(e.get("type"), e.get("state_key")): e for e in events if isinstance(e, dict)}
        found = [change for event in state.values() if (change := _read(event, room_id))]
        creation = state.get(("m.room.create", ""), {})
        everybody = [c for c in found if isinstance(c, changes.MemberChanged)]
        members = [c for c in everybody if c.membership is Membership.JOIN]
        snapshot = Snapshot(
            room_id=room_id,
            name=next((c.name for c in found if isinstance(c, changes.RoomNamed)), None),
            power_levels=next((c.content for c in found if isinstance(c, changes.PowerChanged)), {}),
            creators=_creators(creation),
            encrypted=next((c.rotation for c in found if isinstance(c, changes.RoomEncrypted)), None),
            members=[(c.user_id, c.display_name, c.avatar_mxc) for c in members if c.user_id != self.bot],
            banned=frozenset(c.user_id for c in everybody if c.membership is Membership.BAN),
            read_at=read_at,
            max_lifetime=next((c.max_lifetime for c in found if isinstance(c, changes.RetentionChanged)), None),
            invited=frozenset(c.user_id for c in everybody if c.membership is Membership.INVITE) - {self.bot},
            history=next((c.history for c in found if isinstance(c, changes.HistoryChanged)), History.SHARED),
        )
        links = RoomLinks(
            predecessor=_linked(creation.get("content", {}).get("predecessor"), "room_id"),
            replaced_by=next((c.replaced_by for c in found if isinstance(c, changes.RoomReplaced)), None),
            joined=str(state.get(("m.room.member", self.bot), {}).get("event_id")),
        )
        return snapshot, links, _room_widgets(state)

    async def messages(self, room_id: RoomId, start: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
        """Return a page of a room's events, newest first, and where the next page begins (None: there is none)."""
        query = {"dir": "b", "limit": str(limit)} | ({"from": start} if start else {})
        response = await self._call(Method.GET, _V3.rooms[room_id].messages, query=query)
        if not isinstance(response, dict) or not isinstance(chunk := response.get("chunk"), list):
            raise HomeserverError("The homeserver's response about messages has no `chunk`.")
        end = response.get("end")
        further = isinstance(end, str) and end != start and chunk
        return [event for event in chunk if isinstance(event, dict)], end if further else None

    async def event(self, room_id: RoomId, event_id: EventId) -> dict[str, Any]:
        """Return an event with what the homeserver bundles with it (client-server API, "Aggregations")."""
        event = await self._call(Method.GET, _V3.rooms[room_id].event[event_id])
        if not isinstance(event, dict):
            raise HomeserverError("The homeserver's response about an event has none.")
        return event

    async def relations(
        self, room_id: RoomId, event_id: EventId, rel_type: str, kind: str, start: str | None, limit: int
    ) -> tuple[list[object], str | None]:
        """Return a page of the events of a type that relate to another in one way, as `messages` does."""
        path = PathBuilder("_matrix/client/v1").rooms[room_id].relations[event_id][rel_type][kind]
        query = {"dir": "b", "limit": str(limit)} | ({"from": start} if start else {})
        response = await self._call(Method.GET, path, query=query)
        if not isinstance(response, dict) or not isinstance(chunk := response.get("chunk"), list):
            raise HomeserverError("The homeserver's response about relations has no `chunk`.")
        end = response.get("next_batch")
        further = isinstance(end, str) and end != start and chunk
        return chunk, end if further else None

    async def token_before(self, room_id: RoomId, event_id: EventId) -> str | None:
        """Return where a look at what was before an event begins."""
        response = await self._call(Method.GET, _V3.rooms[room_id].context[event_id], query={"limit": "0"})
        start = response.get("start") if isinstance(response, dict) else None
        return start if isinstance(start, str) else None

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

    async def membership(self, room_id: RoomId, user_id: UserId) -> changes.MemberChanged | None:
        """Query whether a user is in a room; None when there was never anything to know."""
        content = await self.state_event(room_id, "m.room.member", user_id)
        if content is None:
            return None
        change = _read({"type": "m.room.member", "state_key": user_id, "content": content}, room_id)
        return change if isinstance(change, changes.MemberChanged) else None

    async def send_notice(
        self,
        room_id: RoomId,
        text: str,
        *,
        once: str,
        html: str | None = None,
        thread: EventId | None = None,
        mention: Sequence[UserId] = (),
        in_clear: bool = False,
    ) -> EventId:
        """Send an `m.notice`; `once` names it, so that a repeated job does not say it twice.

        Without `html`, what is marked in the text is shown as code. `in_clear` as in `send`.
        The homeserver drops a repeated transaction id (client-server API, "Transaction identifiers").
        """
        mentions = {"user_ids": list(mention)} if mention else {}
        content: dict[str, object] = {"msgtype": "m.notice", "body": markup.plain(text), "m.mentions": mentions}
        if html is None and markup.is_marked(text):
            html = markup.html(text)
        if html:
            content |= {"format": "org.matrix.custom.html", "formatted_body": html}
        if thread:
            content["m.relates_to"] = {
                "rel_type": "m.thread",
                "event_id": thread,
                "is_falling_back": True,
                "m.in_reply_to": {"event_id": thread},
            }
        return await self.send(room_id, "m.room.message", content, once=once, in_clear=in_clear)

    async def edit_notice(self, room_id: RoomId, event_id: EventId, text: str, *, once: str) -> None:
        """Replace the text of a notice of the bot's (`m.replace`)."""
        content = {
            "msgtype": "m.notice",
            "body": f"* {text}",
            "m.mentions": {},
            "m.new_content": {"msgtype": "m.notice", "body": text, "m.mentions": {}},
            "m.relates_to": {"rel_type": "m.replace", "event_id": event_id},
        }
        await self.send(room_id, "m.room.message", content, once=once)

    async def send_image(
        self, room_id: RoomId, image: Mapping[str, object], caption: str, info: Mapping[str, object], *, once: str
    ) -> EventId:
        """Send an image that is in the media repository, as its `url` or encrypted `file` says, with a caption."""
        content = {
            "msgtype": "m.image", "body": caption, "filename": "poster.jpg", **image, "info": dict(info),
            "m.mentions": {},
        }  # fmt: skip
        return await self.send(room_id, "m.room.message", content, once=once)

    async def send_reaction(self, room_id: RoomId, event_id: EventId, key: str, *, once: str | None = None) -> EventId:
        """React to an event (`m.annotation`), once however often the job is repeated; again only by another `once`."""
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
        return await self.send(room_id, "m.reaction", {"m.relates_to": relation}, once=once or f"{event_id}|{key}")

    async def comment(self, room_id: RoomId, content: Mapping[str, object], *, once: str) -> EventId | None:
        """Send a message into a thread; None where its root cannot have one, for it is in one itself."""
        try:
            return await self.send(room_id, "m.room.message", content, once=once)
        except RefusedByHomeserverError as error:
            # What Synapse says of it has no code of its own.
            if _errcode(error) not in {"M_UNKNOWN", "M_INVALID_PARAM"}:
                raise
            return None

    async def annotate(self, room_id: RoomId, content: Mapping[str, object], *, once: str) -> EventId | None:
        """Send a reaction by its content; None where the bot has an equal one there (`M_DUPLICATE_ANNOTATION`)."""
        try:
            return await self.send(room_id, "m.reaction", content, once=once)
        except RefusedByHomeserverError as error:
            if _errcode(error) != "M_DUPLICATE_ANNOTATION":
                raise
            return None

    async def redact(self, room_id: RoomId, event_id: EventId, reason: str | None = None) -> None:
        """Redact an event, once however often the job is repeated."""
        txn_id = hashlib.sha256(f"{room_id}|{event_id}|redact".encode()).hexdigest()[:32]
        await self._call(Method.PUT, _V3.rooms[room_id].redact[event_id][txn_id], {"reason": reason} if reason else {})

    async def send(
        self, room_id: RoomId, kind: str, content: Mapping[str, object], *, once: str, in_clear: bool = False
    ) -> EventId:
        """Send an event, encrypted where the room is; the same `once` sends nothing more, and returns the same id.

        `in_clear` never encrypts: for what is the same in every room, and is for those who could not decrypt it.
        """
        txn_id = hashlib.sha256(f"{room_id}|{once}".encode()).hexdigest()[:32]
        if not in_clear and self._encrypting and await self.is_encrypted(room_id):
            return await self._encrypting.send(room_id, kind, content, txn_id)
        return await self.put_event(room_id, kind, content, txn_id)

    async def is_encrypted(self, room_id: RoomId) -> bool:
        """Say whether a room is encrypted, as the homeserver has it just now; it never ceases to be.

        The event that says so may be on its way to us for as long as we were away, and longer. A query costs a fifth
        of what sending an event does.
        """
        if self._encrypting is None:
            return False
        if await self._encrypting.is_encrypted(room_id):
            return True
        content = await self.state_event(room_id, "m.room.encryption", "")
        if content is None:
            return False
        change = _read({"type": "m.room.encryption", "state_key": "", "content": content}, room_id)
        if isinstance(change, changes.RoomEncrypted):
            await self._encrypting.found_encrypted(change)
        return True

    async def put_event(self, room_id: RoomId, kind: str, content: Mapping[str, object], txn_id: str) -> EventId:
        """Send an event as it is, once by its transaction id."""
        response = await self._call(Method.PUT, _V3.rooms[room_id].send[kind][txn_id], content)
        event_id = response.get("event_id") if isinstance(response, dict) else None
        if not isinstance(event_id, str):
            raise HomeserverError(f"The homeserver does not say what became of a {kind}.")
        return EventId(event_id)

    # Media

    def media_url(self, mxc: str) -> str:
        """Return the authenticated download address of a content URI (client-server API, "Content repository")."""
        return f"{self.url}/_matrix/client/v1/media/download/{mxc.removeprefix('mxc://')}"

    def thumbnail_url(self, mxc: str, size: int) -> str:
        """Return the authenticated address of a square thumbnail, `size` pixels wide."""
        path = mxc.removeprefix("mxc://")
        return f"{self.url}/_matrix/client/v1/media/thumbnail/{path}?width={size}&height={size}&method=crop"

    async def upload_limit(self) -> int | None:
        """Return how many bytes a file may have (`m.upload.size`); None when the homeserver does not say."""
        try:
            config = await self._call(Method.GET, PathBuilder("_matrix/client/v1").media.config)
        except HomeserverError as error:
            # Before Matrix 1.11 it was elsewhere.
            if "M_UNRECOGNIZED" not in _errcode(error):
                raise
            config = await self._call(Method.GET, PathBuilder("_matrix/media/v3").config)
        limit = config.get("m.upload.size")
        return limit if isinstance(limit, int) and not isinstance(limit, bool) else None

    async def reserve_upload(self) -> str | None:
        """Return the content URI of a file that is still to be uploaded (MSC2246); None where none is to be had."""
        try:
            response = await self._call(Method.POST, PathBuilder("_matrix/media/v1").create, api=self._as_service)
        except (HomeserverError, ForbiddenError) as error:
            # Unknown to it, or too many are pending: the upload itself says whether it is there at all.
            log.info("upload_not_reserved", reason=str(error))
            return None
        uri = response.get("content_uri") if isinstance(response, dict) else None
        return uri if isinstance(uri, str) and uri.startswith("mxc://") else None

    async def upload(
        self,
        file: Path,
        content_type: str,
        *,
        reserved: str | None = None,
        on_sent: Callable[[int], None] | None = None,
    ) -> str:
        """Put a file into the media repository, as the `reserved` one if there is one, and return its content URI.

        `on_sent` gets the bytes sent so far. The file is not named: its event does that. Raises MediaError
        `media-too-large`, or HomeserverError.
        """
        reader = await asyncio.to_thread(_Sent, file, on_sent or (lambda _: None))
        path = f"/{reserved.removeprefix('mxc://')}" if reserved else ""
        try:
            async with self._session.request(
                "PUT" if reserved else "POST",
                f"{self.url}/_matrix/media/v3/upload{path}",
                data=reader,
                headers={**self.media_headers, "Content-Type": content_type},
                timeout=_UPLOAD_TIMEOUT,
            ) as response:
                body = await response.json(content_type=None) if response.status == 200 else {}
                if response.status == 413:
                    raise MediaError("media-too-large", "The homeserver does not take so large a file.", final=True)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise HomeserverError(f"The upload to {self.url} broke off: {error or type(error).__name__}") from error
        finally:
            await asyncio.to_thread(reader.close)
        if reserved and response.status == 200:
            return reserved
        uri = body.get("content_uri") if isinstance(body, dict) else None
        if not isinstance(uri, str) or not uri.startswith("mxc://"):
            raise HomeserverError(f"The homeserver responded to an upload with {response.status}.")
        return uri

    async def delete_media(self, mxc: str) -> None:
        """Delete a local file from the media repository, where we were given an admin's token (Synapse's admin API)."""
        await self._as_media_admin(Method.DELETE, mxc)

    async def is_uploaded_by(self, mxc: str, user_id: UserId | None) -> bool:
        """Say whether a user, or we for one, uploaded a local file; False where that is unknown, or it is gone.

        As `delete_media`; Synapse has it from 1.140 on.
        """
        response = await self._as_media_admin(Method.GET, mxc)
        media = response.get("media_info") if isinstance(response, dict) else None
        uploader = media.get("user_id") if isinstance(media, dict) else None
        if uploader is None:
            return False
        if uploader == user_id:
            return True
        # What was put there without a user id in the request is of the application service's own user.
        ours = await self._call(Method.GET, _V3.account.whoami, api=self._as_service)
        return isinstance(ours, dict) and uploader == ours.get("user_id")

    async def _as_media_admin(self, method: Method, mxc: str) -> Any:  # noqa: ANN401 - JSON, checked by who called
        server, _, media_id = mxc.removeprefix("mxc://").partition("/")
        if self._as_admin is None or server != self.bot.partition(":")[2]:
            return None
        path = PathBuilder("_synapse/admin/v1").media[server][media_id]
        try:
            return await self._call(method, path, api=self._as_admin)
        except RefusedByHomeserverError as error:
            if _errcode(error) == "M_UNRECOGNIZED":
                hint = "Synapse knows who uploaded a file from 1.140 on; before, it deletes none for us."
                log.warning("original_stays", mxc=mxc, reason=str(error), hint=hint)
            else:
                log.info("original_gone", reason=str(error))
        except ForbiddenError as error:
            log.warning("admin_token_refused", reason=str(error), hint="Check `homeserver.admin_token`.")
        return None

    @property
    def media_headers(self) -> dict[str, str]:
        """The headers that authenticate a media request."""
        return {"Authorization": f"Bearer {self._token}"}


class _Sent(io.BufferedReader):
    """A file that counts how much of it was read."""

    def __init__(self, path: Path, on_read: Callable[[int], None]) -> None:
        super().__init__(io.FileIO(path))
        self._done, self._on_read = 0, on_read

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self._done += len(data)
        self._on_read(self._done)
        return data


class RoomLinks:
    """The rooms before and after this one, as the room itself says: not yet to be believed.

    `joined` is the event of the bot's membership.
    """

    def __init__(self, predecessor: RoomId | None, replaced_by: RoomId | None, joined: str) -> None:
        self.predecessor = predecessor
        self.replaced_by = replaced_by
        self.joined = joined


def _room_widgets(state: Mapping[tuple[Any, Any], Mapping[str, Any]]) -> RoomWidgets:
    def content(event: Mapping[str, Any]) -> dict[str, object]:
        return found if isinstance(found := event.get("content"), dict) else {}

    widgets = [
        WidgetEvent(key, str(event.get("sender")), content(event))
        for (kind, key), event in state.items()
        if kind == WIDGET_TYPE and isinstance(key, str)
    ]
    layout = state.get((LAYOUT_TYPE, ""))
    return RoomWidgets(widgets, content(layout) if layout else None)


def _errcode(error: HomeserverError) -> str:
    known = error.errcode if isinstance(error, RefusedByHomeserverError) else None
    return known or getattr(error.__cause__, "errcode", None) or ""


def _invite_states(response: object) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each room that a response to /sync has an invitation to, with its stripped state."""
    rooms = response.get("rooms") if isinstance(response, dict) else None
    invited = rooms.get("invite") if isinstance(rooms, dict) else None
    for room_id, room in invited.items() if isinstance(invited, dict) else ():
        state = room.get("invite_state") if isinstance(room, dict) else None
        events = state.get("events") if isinstance(state, dict) else None
        yield room_id, [event for event in events if isinstance(event, dict)] if isinstance(events, list) else []


def _read(event: dict[str, object], room_id: RoomId, *, bot: UserId | None = None) -> changes.Change | None:
    try:
        # Events of /state may come without their room; nobody is blocked for state.
        return read_event({**event, "room_id": room_id}, bot=bot or UserId(""), permissions={})
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
