"""A client of the widget API without a browser."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.support.waiting import WAIT_S, eventually


@dataclass
class Viewer:
    """A member's session in a room, as the widget has it."""

    base_url: str
    http: aiohttp.ClientSession
    room_id: str
    token: str

    async def get(self, path: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.get(self.base_url + path, headers=headers) as response:
            return response.status, await response.json()

    async def request(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Send a request with the session's token and return its status and JSON (None for 204)."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.request(method, self.base_url + path, headers=headers, json=body) as response:
            return response.status, await response.json() if response.status != 204 else None

    async def room(self) -> dict[str, Any]:
        status, room = await self.get(f"/api/v1/rooms/{self.room_id}")
        assert status == 200, room
        return dict(room)

    async def videos(self) -> list[dict[str, Any]]:
        return [video for member in (await self.room())["members"] for video in member["videos"]]

    async def video(self, event_id: str) -> dict[str, Any] | None:
        return next((video for video in await self.videos() if video["event_id"] == event_id), None)

    async def video_in(self, event_id: str, *states: str, seconds: float = WAIT_S) -> dict[str, Any]:
        async def in_state() -> dict[str, Any] | None:
            video = await self.video(event_id)
            return video if video and video["state"] in states else None

        found = await eventually(in_state, seconds=seconds, what=f"{event_id} becoming {states}")
        assert found
        return found

    @contextlib.asynccontextmanager
    async def events(self) -> AsyncIterator["asyncio.Queue[tuple[str, dict[str, Any]]]"]:
        """Yield a queue of the room's server-sent events: their names and data."""
        queue: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        url = f"{self.base_url}/api/v1/rooms/{self.room_id}/events"
        async with self.http.get(url, headers={"Authorization": f"Bearer {self.token}"}) as response:
            assert response.status == 200
            assert (await response.content.readline()).startswith(b":")

            async def read() -> None:
                name = ""
                async for line in response.content:
                    field, _, value = line.decode().rstrip("\n").partition(": ")
                    if field == "event":
                        name = value
                    elif field == "data":
                        queue.put_nowait((name, json.loads(value)))

            reading = asyncio.create_task(read())
            try:
                yield queue
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def talks(self) -> AsyncIterator["asyncio.Queue[dict[str, Any]]"]:
        """Yield the data of the `talk` events of the viewer's stream, as they come."""
        found: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        async def pick(events: "asyncio.Queue[tuple[str, dict[str, Any]]]") -> None:
            while True:
                name, data = await events.get()
                if name == "talk":
                    found.put_nowait(data)

        async with self.events() as events:
            picking = asyncio.create_task(pick(events))
            try:
                yield found
            finally:
                picking.cancel()

    async def fetch(self, path: str) -> tuple[int, bytes]:
        async with self.http.get(self.base_url + path) as response:
            return response.status, await response.read()
