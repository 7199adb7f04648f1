"""A small Matrix client over plain HTTP, for the demo and the tests: what a person's client does, nothing of ours.

Source: Matrix client-server API v1.11, https://spec.matrix.org/v1.11/client-server-api/.
"""

from __future__ import annotations

import asyncio
import mimetypes
import uuid
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import quote

import aiohttp

from appservice.core.errors import RoomreelError

Content = dict[str, Any]


class MatrixError(RoomreelError):
    """The homeserver refused a request: `status` (HTTP), `errcode` (`M_…`) and its own message."""

    def __init__(self, status: int, errcode: str, message: str) -> None:
        super().__init__(f"{status} {errcode}: {message}")
        self.status = status
        self.errcode = errcode


class MatrixClient:
    """One user's access to one homeserver; use as an async context manager, or call `close()`.

    Every call raises `MatrixError` when the homeserver refuses and `aiohttp.ClientError` when it cannot be reached.
    """

    def __init__(self, base_url: str, access_token: str, user_id: str) -> None:
        self.base_url = base_url.rstrip("/")
        self.access_token = access_token
        self.user_id = user_id
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; the next call would open new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        params: Mapping[str, str] | None = None,
        data: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 60,
    ) -> Content:
        """Call `path` (from the root, already escaped), return the JSON object of the response; time-out in seconds."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        async with self._session.request(
            method,
            self.base_url + path,
            json=json,
            params=params,
            data=data,
            headers={"Authorization": f"Bearer {self.access_token}", **(headers or {})},
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        ) as response:
            return await _content_of(response)

    async def create_room(
        self,
        *,
        name: str | None = None,
        version: str | None = None,
        invite: Sequence[str] = (),
        user_levels: Mapping[str, int] | None = None,
        power_levels: Content | None = None,
        preset: str = "private_chat",
        initial_state: Sequence[Content] = (),
        direct: bool = False,
    ) -> str:
        """Create a room and return its id.

        `user_levels` are power levels of users; the creator has theirs in every room version (up to 11 by an entry of
        their own, from 12 by having created it). `power_levels` overrides other keys of the power levels (`events`, …).
        """
        override: Content = dict(power_levels or {})
        if user_levels:
            known = version or await self.default_room_version()
            creator = {} if _creator_is_implied(known) else {self.user_id: 100}
            override["users"] = {**creator, **user_levels}
        body: Content = {"preset": preset, "invite": list(invite), "initial_state": list(initial_state)}
        if direct:
            body["is_direct"] = True
        optional = {"name": name, "room_version": version, "power_level_content_override": override or None}
        body.update({key: value for key, value in optional.items() if value is not None})
        return str((await self.request("POST", "/_matrix/client/v3/createRoom", json=body))["room_id"])

    async def default_room_version(self) -> str:
        """Return the room version that the homeserver takes when none is requested."""
        content = await self.request("GET", "/_matrix/client/v3/capabilities")
        return str(content["capabilities"]["m.room_versions"]["default"])

    async def join(self, room_id: str) -> None:
        """Join a room, by id or alias."""
        await self.request("POST", f"/_matrix/client/v3/join/{_part(room_id)}", json={})

    async def invite(self, room_id: str, user_id: str) -> None:
        """Invite a user."""
        await self._member(room_id, "invite", user_id=user_id)

    async def leave(self, room_id: str) -> None:
        """Leave a room, or refuse its invitation."""
        await self._member(room_id, "leave")

    async def kick(self, room_id: str, user_id: str, reason: str = "") -> None:
        """Remove a member, or take an invitation back."""
        await self._member(room_id, "kick", user_id=user_id, reason=reason)

    async def ban(self, room_id: str, user_id: str, reason: str = "") -> None:
        """Ban a user."""
        await self._member(room_id, "ban", user_id=user_id, reason=reason)

    async def _member(self, room_id: str, action: str, **body: str) -> None:
        await self.request("POST", f"{_room(room_id)}/{action}", json=body)

    async def send_event(
        self, room_id: str, event_type: str, content: Mapping[str, Any], transaction_id: str | None = None
    ) -> str:
        """Send a message-like event and return its id; the same `transaction_id` again sends nothing twice."""
        transaction = transaction_id or uuid.uuid4().hex
        path = f"{_room(room_id)}/send/{_part(event_type)}/{_part(transaction)}"
        return str((await self.request("PUT", path, json=content))["event_id"])

    async def send_text(self, room_id: str, text: str) -> str:
        """Send a plain text message and return its event id."""
        return await self.send_event(room_id, "m.room.message", {"msgtype": "m.text", "body": text})

    async def react(self, room_id: str, event_id: str, key: str) -> str:
        """React to an event with an emoji or a word and return the reaction's id; `redact` takes it back."""
        return await self.send_event(
            room_id, "m.reaction", {"m.relates_to": {"rel_type": "m.annotation", "event_id": event_id, "key": key}}
        )

    async def reply(self, room_id: str, event_id: str, text: str, *, thread: bool = True) -> str:
        """Reply to an event, in its thread or plainly, and return the reply's id."""
        relation: Content = {"m.in_reply_to": {"event_id": event_id}}
        if thread:
            relation |= {"rel_type": "m.thread", "event_id": event_id, "is_falling_back": True}
        content = {"msgtype": "m.text", "body": text, "m.relates_to": relation}
        return await self.send_event(room_id, "m.room.message", content)

    async def edit(self, room_id: str, event_id: str, text: str) -> str:
        """Replace the text of a message of this user's and return the edit's id."""
        content = {
            "msgtype": "m.text",
            "body": f"* {text}",
            "m.new_content": {"msgtype": "m.text", "body": text},
            "m.relates_to": {"rel_type": "m.replace", "event_id": event_id},
        }
        return await self.send_event(room_id, "m.room.message", content)

    async def relations(self, room_id: str, event_id: str, rel_type: str, limit: int = 100) -> list[Content]:
        """Return the newest events that relate to another in one way, oldest first."""
        path = f"/_matrix/client/v1/rooms/{_part(room_id)}/relations/{_part(event_id)}/{_part(rel_type)}"
        content = await self.request("GET", path, params={"limit": str(limit)})
        return list(reversed(content["chunk"]))

    async def send_state(self, room_id: str, event_type: str, content: Mapping[str, Any], state_key: str = "") -> str:
        """Set a state event and return its id."""
        path = f"{_room(room_id)}/state/{_part(event_type)}/{_part(state_key)}"
        return str((await self.request("PUT", path, json=content))["event_id"])

    async def get_state(self, room_id: str, event_type: str, state_key: str = "") -> Content:
        """Return the content of a state event; `MatrixError` 404 when it was never set."""
        return await self.request("GET", f"{_room(room_id)}/state/{_part(event_type)}/{_part(state_key)}")

    async def get_full_state(self, room_id: str) -> list[Content]:
        """Return all current state events of a room."""
        content = await self.request("GET", f"{_room(room_id)}/state")
        return list(content["list"])

    async def joined_members(self, room_id: str) -> dict[str, Content]:
        """Return the joined members: user id → `{display_name, avatar_url}`."""
        return dict((await self.request("GET", f"{_room(room_id)}/joined_members"))["joined"])

    async def set_display_name(self, name: str) -> None:
        """Set this user's display name everywhere."""
        path = f"/_matrix/client/v3/profile/{_part(self.user_id)}/displayname"
        await self.request("PUT", path, json={"displayname": name})

    async def upload(
        self, source: bytes | Path, content_type: str, filename: str | None = None, timeout_s: float = 600
    ) -> str:
        """Upload bytes, or a file streamed from disk, and return its `mxc://` URI; `timeout_s`: seconds."""
        params = {"filename": filename} if filename else None
        path, headers = "/_matrix/media/v3/upload", {"Content-Type": content_type}
        opened = nullcontext(source) if isinstance(source, bytes) else await asyncio.to_thread(source.open, "rb")
        with opened as data:
            content = await self.request("POST", path, params=params, data=data, headers=headers, timeout_s=timeout_s)
        return str(content["content_uri"])

    async def send_video(
        self,
        room_id: str,
        path: Path,
        *,
        info: Mapping[str, Any] | None = None,
        content_type: str | None = None,
        msgtype: str = "m.video",
        body: str | None = None,
    ) -> str:
        """Upload the file and send it as a video message; return the event id.

        `body` is its caption or name, by default the file's.
        `info` adds `w`, `h` (pixels) and `duration` (milliseconds); type and size in bytes are filled in.
        """
        kind = content_type or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        size = (await asyncio.to_thread(path.stat)).st_size
        content = {
            "msgtype": msgtype,
            "body": body or path.name,
            **await self.attach(room_id, path, kind),
            "info": {"mimetype": kind, "size": size, **(info or {})},
        }
        return await self.send_event(room_id, "m.room.message", content)

    async def attach(self, _room_id: str, path: Path, content_type: str) -> Content:
        """Upload a file for a room, and return the part of a message that refers to it."""
        return {"url": await self.upload(path, content_type, path.name)}

    async def messages(self, room_id: str, limit: int = 100) -> list[Content]:
        """Return the newest events of the timeline, oldest first."""
        params = {"dir": "b", "limit": str(limit)}
        content = await self.request("GET", f"{_room(room_id)}/messages", params=params)
        return list(reversed(content["chunk"]))

    async def redact(self, room_id: str, event_id: str, reason: str = "") -> str:
        """Redact an event and return the id of the redaction."""
        path = f"{_room(room_id)}/redact/{_part(event_id)}/{uuid.uuid4().hex}"
        return str((await self.request("PUT", path, json={"reason": reason}))["event_id"])

    async def upgrade_room(self, room_id: str, version: str) -> str:
        """Replace a room by one of another version and return the new room's id."""
        content = await self.request("POST", f"{_room(room_id)}/upgrade", json={"new_version": version})
        return str(content["replacement_room"])

    async def openid_token(self) -> Content:
        """Return a new OpenID token object that proves this user's identity to others (valid an hour)."""
        path = f"/_matrix/client/v3/user/{_part(self.user_id)}/openid/request_token"
        return await self.request("POST", path, json={})


async def login(base_url: str, user: str, password: str) -> MatrixClient:
    """Sign in with a password and return the client."""
    body = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": user}, "password": password}
    url = f"{base_url.rstrip('/')}/_matrix/client/v3/login"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        content = await _content_of(response)
    return MatrixClient(base_url, str(content["access_token"]), str(content["user_id"]))


async def _content_of(response: aiohttp.ClientResponse) -> Content:
    """The JSON object of a response; a page of a proxy instead is an error as well."""
    try:
        body = await response.json(content_type=None)
    except ValueError:
        body = None
    if not response.ok or not isinstance(body, (dict, list)):
        known = body if isinstance(body, dict) else {}
        reason = str(known.get("error", response.reason or "no JSON in the response"))
        raise MatrixError(response.status, str(known.get("errcode", "M_UNKNOWN")), reason)
    return body if isinstance(body, dict) else {"list": body}


def _creator_is_implied(version: str) -> bool:
    """From version 12 creators have an infinite power level and must not be listed. Unstable versions have names."""
    return version.isdigit() and int(version) >= 12


def _part(value: str) -> str:
    return quote(value, safe="")


def _room(room_id: str) -> str:
    return f"/_matrix/client/v3/rooms/{_part(room_id)}"
