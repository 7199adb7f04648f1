"""A homeserver as far as the web server queries one: whose an OpenID token is, who is in a room, and thumbnails."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

_VOUCH = "/_matrix/federation/v1/openid/userinfo"
_MEMBER = "/_matrix/client/v3/rooms/{room_id}/state/m.room.member/{user_id}"
_ENCRYPTION = "/_matrix/client/v3/rooms/{room_id}/state/m.room.encryption/"
_THUMBNAIL = "/_matrix/client/v1/media/thumbnail/{server_name}/{media_id}"


@dataclass
class Peer:
    """What a homeserver knows; `state` has the newest membership event's content of each room and user."""

    server_name: str
    as_token: str
    tokens: dict[str, str] = field(default_factory=dict)
    state: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    images: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    def openid_token(self, user_id: str) -> dict[str, str]:
        """Give a user a token by which others learn who they are."""
        token = secrets.token_urlsafe(16)
        self.tokens[token] = user_id
        return {"access_token": token, "matrix_server_name": self.server_name}

    def upload(self, body: bytes, content_type: str) -> str:
        """Take an image, and return its content URI."""
        mxc = f"mxc://{self.server_name}/{secrets.token_hex(8)}"
        self.images[mxc] = body, content_type
        return mxc

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application()
        app.router.add_get(_VOUCH, self._vouch)
        app.router.add_get(_MEMBER, self._member)
        app.router.add_get(_ENCRYPTION, self._encryption)
        app.router.add_get(_THUMBNAIL, self._thumbnail)
        return app

    async def _vouch(self, request: web.Request) -> web.Response:
        user_id = self.tokens.get(request.query["access_token"])
        if user_id is None:
            return _error(401, "M_UNKNOWN_TOKEN")
        return web.json_response({"sub": user_id})

    async def _member(self, request: web.Request) -> web.Response:
        if not self._is_ours(request):
            return _error(401, "M_UNKNOWN_TOKEN")
        content = self.state.get((request.match_info["room_id"], request.match_info["user_id"]))
        return web.json_response(content) if content else _error(404, "M_NOT_FOUND")

    async def _encryption(self, request: web.Request) -> web.Response:
        return _error(404 if self._is_ours(request) else 401, "M_NOT_FOUND")

    async def _thumbnail(self, request: web.Request) -> web.Response:
        if not self._is_ours(request):
            return _error(401, "M_UNKNOWN_TOKEN")
        mxc = f"mxc://{request.match_info['server_name']}/{request.match_info['media_id']}"
        if mxc not in self.images:
            return _error(404, "M_NOT_FOUND")
        body, content_type = self.images[mxc]
        return web.Response(body=body, content_type=content_type)

    def _is_ours(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {self.as_token}"


def _error(status: int, errcode: str) -> web.Response:
    return web.json_response({"errcode": errcode, "error": errcode}, status=status)
