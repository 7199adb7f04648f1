"""Two web processes and a worker behind a real nginx, each restarted in turn under load: nobody sees an error."""

import asyncio
import contextlib
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import free_port
from tests.support.installation import Installation
from tests.support.launch import fork
from tests.support.nginx import ROOT, deployed, nginx
from tests.support.rooms import make_room
from tests.support.uploads import BODY, PATH, TUS
from tests.support.viewer import Viewer

ROUNDS = 2
DRAIN_S = 3.0  # longer than nginx takes no notice of one that it found away


def _upstream(ports: list[int]) -> str:
    """Return deploy/nginx-many.conf with other addresses."""
    text = (ROOT / "deploy/nginx-many.conf").read_text()
    for address, port in zip(("10.0.0.11:8470", "10.0.0.12:8470"), ports, strict=True):
        assert address in text
        text = text.replace(address, f"127.0.0.1:{port}")
    return text


class Load:
    """What viewers, members who upload, and the homeserver send all the time; it counts, and keeps what went wrong."""

    def __init__(self, viewer: Viewer, installation: Installation, http: aiohttp.ClientSession) -> None:
        self.viewer, self.installation, self.http = viewer, installation, http
        self.counts, self.errors = Counter[str](), list[str]()

    async def _request(self, kind: str, method: str, path: str, **more: object) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self.viewer.token}", **more.pop("headers", {})}  # type: ignore[dict-item]
        url = self.viewer.base_url + path
        try:
            async with self.http.request(method, url, headers=headers, **more) as response:  # type: ignore[arg-type]
                body = await response.read()
        except aiohttp.ClientError as error:
            self.errors.append(f"{kind}: {error!r}")
            return 0, b""
        self.counts[kind] += 1
        if response.status >= 400:
            self.errors.append(f"{kind}: {response.status} {body[:200]!r}")
        return response.status, body

    async def watch(self) -> None:
        """Fetch the room, playlists and segments, as players do."""
        while True:
            for video in (each for each in await self.viewer.videos() if each["state"] == "ready"):
                _, master = await self._request("playlist", "GET", video["playlist_url"])
                (variant, *_) = [line for line in master.decode().splitlines() if line and line[0] != "#"] or [""]
                folder = video["playlist_url"].rpartition("/")[0]
                _, media = await self._request("playlist", "GET", f"{folder}/{variant}")
                rendition = re.search(r"(?m)^(\S+/)?0\.m4s", media.decode())
                if rendition:
                    await self._request("segment", "GET", f"{folder}/{rendition[0]}")
                await self._request("poster", "GET", video["poster_url"])
            # A viewer may fetch the room a few times a second, also where one process has all of them.
            await asyncio.sleep(0.1)

    async def follow(self) -> None:
        """Follow the room by its event stream, which may end, and goes on at its number."""
        since = 0
        while True:
            path = f"/api/v1/rooms/{self.viewer.room_id}/events?since={since}"
            headers = {"Authorization": f"Bearer {self.viewer.token}"}
            with contextlib.suppress(aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError):
                async with self.http.get(self.viewer.base_url + path, headers=headers) as response:
                    if response.status != 200:
                        self.errors.append(f"stream: {response.status}")
                    async for line in response.content:
                        if line.startswith(b"id: "):
                            since = int(line[4:])
            self.counts["stream"] += 1
            await asyncio.sleep(0.05)

    async def upload(self) -> None:
        """Upload in pieces, each by a request of its own, as tus clients do."""
        while True:
            created = await self._create()
            for offset in range(0, 40, 10):
                headers = {**TUS, **BODY, "Upload-Offset": str(offset)}
                await self._request("upload", "PATCH", created, data=b"x" * 10, headers=headers)
                await asyncio.sleep(0.3)  # a user may begin one each second
            await self._request("upload", "DELETE", created, headers=TUS)

    async def _create(self) -> str:
        headers = {"Authorization": f"Bearer {self.viewer.token}", **TUS, "Upload-Length": "40"}
        async with self.http.post(self.viewer.base_url + PATH, headers=headers) as response:
            if response.status != 201:
                self.errors.append(f"upload: {response.status} {await response.text()}")
            return f"/api/v1/{response.headers['Location']}"

    async def deliver(self) -> None:
        """Send transactions as the homeserver does."""
        headers = {"Authorization": f"Bearer {self.installation.hs_token}"}
        while True:
            event = {
                "type": "m.room.message", "room_id": self.viewer.room_id, "sender": "@somebody:test.local",
                "event_id": f"${secrets.token_hex(16)}", "origin_server_ts": 1,
                "content": {"msgtype": "m.text", "body": "said"},
            }  # fmt: skip
            path = f"/_matrix/app/v1/transactions/{secrets.token_hex(8)}"
            await self._request("transaction", "PUT", path, json={"events": [event]}, headers=headers)
            await asyncio.sleep(0.02)

    @contextlib.asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Send all of it until the context ends."""
        tasks = [
            asyncio.create_task(work())
            for work in (self.watch, self.watch, self.follow, self.follow, self.upload, self.deliver)
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for ended in await asyncio.gather(*tasks, return_exceptions=True):
                if not isinstance(ended, asyncio.CancelledError):
                    self.errors.append(f"it did not go on: {ended!r}")


@pytest.mark.timeout(400)
async def test_each_is_restarted_in_turn_and_nobody_sees_it(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, tmp_path: Path
) -> None:
    web = dict(spare.settings["web"])
    ports = [web["port"], free_port()]
    spare.write_config(web={**web, "drain": DRAIN_S})
    second = Installation(tmp_path / "second", spare.synapse, dict(spare.settings), launch=fork)
    second.folder.mkdir()
    second.write_config(
        web={"port": ports[1], "public_url": f"http://127.0.0.1:{ports[1]}", "drain": DRAIN_S},
        data_dir=str(spare.folder / "data"),
        metrics={**spare.settings["metrics"], "port": free_port()},
    )  # fmt: skip
    worker = Installation(spare.folder, spare.synapse, spare.settings, launch=fork)
    await spare.start(command=("serve", "--no-worker"))
    await second.start(command=("serve", "--no-worker"))
    await worker.start(wait=False, command=("work",))
    room_id = await make_room(alice, spare)
    port = free_port()
    content = deployed(port, 1, spare.media, tmp_path / "nginx")
    content = re.sub(r"upstream roomreel \{.*?\n\}\n", lambda _: _upstream(ports), content, flags=re.DOTALL)
    async with nginx(tmp_path / "nginx", port, content) as url:
        inside = await spare.viewer(http, alice, room_id)
        viewer = Viewer(url, http, room_id, inside.token)
        await viewer.video_in(await alice.send_video(room_id, clip), "ready")
        load = Load(viewer, spare, http)
        async with load.going_on():
            for _ in range(ROUNDS):
                for process, command in (
                    (spare, ("serve", "--no-worker")),
                    (worker, ("work",)),
                    (second, ("serve", "--no-worker")),
                ):
                    assert await process.stop() == 0
                    await process.start(wait=process is not worker, command=command)
                await viewer.video_in(await alice.send_video(room_id, clip), "ready")
    assert load.errors == []
    assert len(await inside.videos()) == ROUNDS + 1
    assert min(load.counts[kind] for kind in ("playlist", "segment", "poster", "upload", "transaction")) > 20
    assert load.counts["stream"] >= ROUNDS, "streams ended, and were opened again"
    for process in (worker, second):
        assert await process.stop() == 0
