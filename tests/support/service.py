"""The web server in this process, on a real database and a real media folder: events come in transactions."""

import asyncio
import contextlib
import os
import secrets
import shutil
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp
import asyncpg
from aiohttp.test_utils import TestServer

from appservice.config import Config
from appservice.core.model import RoomId, State, UserId, VideoId
from appservice.core.settings import RoomSettings
from appservice.service.media_keys import SealedKey
from appservice.web.app import build_app
from appservice.web.connections import ConnectionBounds, ConnectionLimits
from appservice.web.context import Context
from appservice.wiring.parts import Parts, can_encrypt, open_parts
from appservice.wiring.web import build_context
from appservice.worker.publication import Publication
from tests.support.agreement import Agreement
from tests.support.peer import Peer
from tests.support.viewer import Viewer
from transcode import Limits, Result, Tools
from transcode.session import READY, Transcoding

SERVER_NAME = "example.org"
AS_TOKEN, HS_TOKEN = "as-token-of-the-contract-tests", "hs-token-of-the-contract-tests"


@dataclass(frozen=True)
class TranscodedVideo:
    """A file, and what the transcoder made of it; `key`: that by which it is encrypted."""

    source: Path
    folder: Path
    result: Result
    key: bytes | None = None


async def transcode_video(source: Path, folder: Path, tools: Tools, key: bytes | None = None) -> TranscodedVideo:
    """Transcode a file for real."""
    async with Transcoding(source, folder, tools=tools, limits=Limits()) as transcoding:
        async for _ in transcoding.first_stage(key):
            pass
        result = await transcoding.ladder(key)
    return TranscodedVideo(source, folder / READY, result, key)


@dataclass
class Room:
    """A room with the bot, as the homeserver has it: `owner` is an admin there."""

    service: "Service"
    room_id: str
    owner: str

    async def send_event(self, kind: str, content: dict[str, Any], *, sender: str | None = None, **more: object) -> str:
        """Deliver an event of this room in a transaction, and return its id."""
        event_id = f"${secrets.token_hex(16)}"
        event = {
            "type": kind, "room_id": self.room_id, "sender": sender or self.owner, "event_id": event_id,
            "content": content, "origin_server_ts": int(asyncio.get_running_loop().time() * 1000), **more,
        }  # fmt: skip
        await self.service.deliver([event])
        return event_id

    async def set_member(self, user_id: str, membership: str = "join", **content: object) -> None:
        """Let somebody join or leave."""
        content = {"membership": membership, **content}
        self.service.peer.state[self.room_id, user_id] = content
        await self.send_event("m.room.member", content, sender=user_id, state_key=user_id)

    async def set_power_levels(self, **content: object) -> None:
        """Change power levels; the owner has 100, the bot 50."""
        users = {self.owner: 100, self.service.bot: 50}
        await self.send_event("m.room.power_levels", {"users": users, **content}, state_key="")

    async def choose(self, **settings: object) -> None:
        """Choose the room's settings, as its moderators do by commands."""
        chosen = RoomSettings.model_validate(settings)
        stores = self.service.context.stores
        await stores.commands.set_room(RoomId(self.room_id), chosen, by=UserId(self.owner))

    async def send_video(self, sender: str, title: str = "clip.mp4") -> str:
        """Deliver a message with a video, which nobody works on, and return its event's id."""
        content = {
            "msgtype": "m.video", "body": title, "url": f"mxc://{SERVER_NAME}/{secrets.token_hex(8)}",
            "info": {"mimetype": "video/mp4"},
        }  # fmt: skip
        return await self.send_event("m.room.message", content, sender=sender)

    async def show_video(self, sender: str, transcoded: TranscodedVideo, title: str = "clip.mp4") -> str:
        """Deliver a message with a video, publish its files as the worker does, and return the event's id."""
        event_id = await self.send_video(sender, title)
        await self.service.publish(await self.video_id(event_id), transcoded)
        return event_id

    async def redact(self, event_id: str) -> str:
        """Deliver the redaction of an event, and return its id."""
        return await self.send_event("m.room.redaction", {"redacts": event_id}, redacts=event_id)

    async def video_id(self, event_id: str) -> str:
        """Return the id of the video that an event brought."""
        (row,) = await self.service.rows("SELECT id FROM videos WHERE event_id = $1", event_id)
        return str(row["id"])


@dataclass
class Service:
    """A web server that listens on `url`, its parts, and the homeserver that it knows."""

    url: str
    http: aiohttp.ClientSession
    parts: Parts
    context: Context
    peer: Peer
    agreement: Agreement

    @property
    def uploads(self) -> Path:
        return self.parts.config.data_dir / "uploads"

    @property
    def media(self) -> Path:
        return self.parts.config.data_dir / "media"

    @property
    def bot(self) -> str:
        return str(self.parts.config.bot)

    @staticmethod
    def user(name: str = "user") -> str:
        """Make up a user's id that no other test has."""
        return f"@{name}-{secrets.token_hex(6)}:{SERVER_NAME}"

    async def room(self, owner: str, *guests: str) -> Room:
        """Make a room of somebody, with the bot and the guests in it."""
        room = Room(self, f"!{secrets.token_hex(8)}:{SERVER_NAME}", owner)
        for user_id in (owner, self.bot, *guests):
            await room.set_member(user_id)
        await room.set_power_levels()
        return room

    async def deliver(self, events: list[dict[str, Any]]) -> None:
        """Send a transaction as the homeserver does."""
        status, response = await self.transaction(events)
        assert status == 200, response

    async def transaction(
        self, events: list[Any], *, txn_id: str | None = None, token: str = HS_TOKEN
    ) -> tuple[int, Any]:
        """Send a transaction, and return status and body of the response."""
        url = f"{self.url}/_matrix/app/v1/transactions/{txn_id or secrets.token_hex(8)}"
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.put(url, json={"events": events}, headers=headers) as response:
            return response.status, await response.json()

    async def publish(self, video_id: str, transcoded: TranscodedVideo) -> None:
        """Do what the worker does once it has transcoded a video's file."""
        attempts = self.parts.stores.attempts
        video = await attempts.begin_attempt(VideoId(video_id))
        assert video
        content = uuid.UUID(video_id).bytes * 2
        await self.parts.stores.blocks.came_as(video, content)
        folder = self.parts.config.data_dir / "made" / video_id
        await asyncio.to_thread(shutil.copytree, transcoded.folder, folder, copy_function=os.link)
        keys: dict[State, SealedKey] = {}
        if transcoded.key and self.parts.keyring:
            keys = {State.READY: SealedKey(transcoded.key, self.parts.keyring.seal(transcoded.key, "media"))}
        publication = Publication(video, content, attempts, self.parts.files, keys)
        await publication.ready(transcoded.result, folder)
        await attempts.finished(video)
        ready = await self.parts.stores.videos.video(video.id)
        assert ready
        assert ready.state is State.READY

    async def open_session(self, openid_token: object, room_id: str, **wishes: object) -> tuple[int, Any]:
        """Request a session, and return status and body of the response."""
        body = {"openid_token": openid_token, "room_id": room_id, **wishes}
        async with self.http.post(f"{self.url}/api/v1/session", json=body) as response:
            return response.status, await response.json()

    async def viewer(self, user_id: str, room: Room) -> Viewer:
        """Open a session by OpenID."""
        status, response = await self.open_session(self.peer.openid_token(user_id), room.room_id)
        assert status == 200, response
        return Viewer(self.url, self.http, room.room_id, response["token"])

    async def signed_in(self, user_id: str, room: Room) -> Viewer:
        """Sign a browser in as a member by a code that they send."""
        async with self.http.post(f"{self.url}/api/v1/sign-in", json={"room_id": room.room_id}) as response:
            sign_in = await response.json()
        await room.send_event("m.room.message", {"msgtype": "m.text", "body": sign_in["command"]}, sender=user_id)
        body = {"sign_in": sign_in["secret"], "room_id": room.room_id}
        async with self.http.post(f"{self.url}/api/v1/session", json=body) as response:
            assert response.status == 200, await response.text()
            return Viewer(self.url, self.http, room.room_id, (await response.json())["token"])

    async def keep_deletions_open(self, video_id: str) -> None:
        """Let a deleted video be restored for an hour: a slow machine needs more than 8 s."""
        open_longer = "UPDATE videos SET deleted_at = deleted_at + interval '1 hour' WHERE id = $1::uuid"
        await self.rows(open_longer, video_id)

    async def rows(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Look into the database directly, where the API does not show what a test must know."""
        return await self.parts.pool.fetch(query, *args)


@dataclass
class ModeratedRoom:
    """A room where alice is the moderator, and bob, who is `user`, has two videos; mallory is `others`."""

    room: Room
    alice: Viewer
    bob: Viewer
    mallory: Viewer
    user: str
    others: str

    @classmethod
    async def make(cls, service: Service, transcoded: TranscodedVideo) -> Self:
        alice, bob, mallory = (service.user(name) for name in ("alice", "bob", "mallory"))
        room = await service.room(alice, bob, mallory)
        hers, his, others = [await service.viewer(user, room) for user in (alice, bob, mallory)]
        for _ in range(2):
            await room.show_video(bob, transcoded)
        return cls(room, hers, his, others, user=bob, others=mallory)

    async def member(self, viewer: Viewer) -> dict[str, Any]:
        """Return bob as a viewer sees him."""
        return next(m for m in (await viewer.room())["members"] if m["user_id"] == self.user)

    async def bobs(self, viewer: Viewer) -> list[dict[str, Any]]:
        """Return bob's videos as a viewer sees them."""
        videos: list[dict[str, Any]] = (await self.member(viewer))["videos"]
        return videos


def settings_of(folder: Path, peer_url: str, dsn: str, **sections: object) -> dict[str, Any]:
    """Return a configuration."""
    return {
        "homeserver": {"url": peer_url, "server_name": SERVER_NAME},
        "appservice": {
            "url": "http://127.0.0.1:1", "id": "reel", "bot_localpart": "reel", "as_token": AS_TOKEN,
            "hs_token": HS_TOKEN,
        },
        "web": {"public_url": "http://127.0.0.1:1"},
        "database": dsn, "data_dir": str(folder),
        "permissions": {"*": "user", f"@blocked:{SERVER_NAME}": "blocked"}, **sections,
    }  # fmt: skip


@contextlib.asynccontextmanager
async def serving(folder: Path, dsn: str, **sections: object) -> AsyncIterator[Service]:
    """Serve the web side as the process does, with some sections of the configuration changed."""
    peer = Peer(SERVER_NAME, AS_TOKEN)
    async with contextlib.AsyncExitStack() as stack:
        homeserver = await stack.enter_async_context(TestServer(peer.app()))
        config = Config.model_validate(settings_of(folder, str(homeserver.make_url("")), dsn, **sections))
        parts = await stack.enter_async_context(open_parts(config, dsn, serves_encrypted=can_encrypt(config)))
        context = await build_context(parts, stack)
        bounds = ConnectionBounds(ConnectionLimits(total=2000, per_address=2000), config.web.trusted_proxies)
        app = build_app(context)
        agreement = Agreement(app)
        server = await stack.enter_async_context(bounds.listening(app, "127.0.0.1", 0))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        hub = asyncio.create_task(context.hub.run())
        try:
            host, port = server.sockets[0].getsockname()
            yield Service(f"http://{host}:{port}", http, parts, context, peer, agreement)
            assert agreement.differences == []
        finally:
            hub.cancel()
            await asyncio.gather(hub, return_exceptions=True)
