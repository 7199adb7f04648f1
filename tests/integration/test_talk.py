"""What is said about a video reaches whoever watches the room as a hint: the homeserver's own word is fetched then."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer


@contextlib.asynccontextmanager
async def listening(viewer: Viewer) -> AsyncIterator["asyncio.Queue[Any]"]:
    """Yield the data of the `talk` events of a viewer's stream, as they come."""
    talks: asyncio.Queue[Any] = asyncio.Queue()
    headers = {"Authorization": f"Bearer {viewer.token}"}
    url = f"{viewer.base_url}/api/v1/rooms/{viewer.room_id}/events"
    async with viewer.http.get(url, headers=headers) as stream:
        connected = asyncio.Event()

        async def read() -> None:
            kind = b""
            async for line in stream.content:
                connected.set()
                if line.startswith(b"event:"):
                    kind = line[6:].strip()
                elif line.startswith(b"data:") and kind == b"talk":
                    talks.put_nowait(json.loads(line[5:]))

        reader = asyncio.create_task(read())
        await asyncio.wait_for(connected.wait(), 30)
        try:
            yield talks
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)


async def test_what_is_said_about_a_video_is_told_and_nothing_of_its_content(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel, bob)
    elsewhere = await make_room(alice, reel, bob)
    event_id = await alice.send_video(room_id, clip)
    in_other = await alice.send_video(elsewhere, clip)
    viewer = await reel.viewer(http, bob, room_id)
    await viewer.video_in(event_id, "ready")
    async with listening(viewer) as talks:

        async def told(target: str) -> None:
            assert await asyncio.wait_for(talks.get(), 30) == {"room_id": room_id, "event_id": target}

        comment = await alice.reply(room_id, event_id, "very secret")
        await told(event_id)
        # None of these is about a video here: were one told, it would come before the next.
        text = await alice.send_text(room_id, "hello")
        await alice.reply(room_id, text, "an answer in a thread of no video")
        await alice.react(room_id, text, "👍")
        await alice.reply(elsewhere, in_other, "in another room")
        reaction = await alice.react(room_id, event_id, "👍")
        await told(event_id)
        await alice.edit(room_id, comment, "otherwise")
        await told(comment)
        await alice.redact(room_id, reaction)
        await told(reaction)
        await alice.redact(room_id, comment)
        await told(comment)


async def test_after_an_outage_all_is_to_be_looked_at_again(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient
) -> None:
    async with spare.running():
        room_id = await make_room(alice, spare)
        async with listening(await spare.viewer(http, alice, room_id)) as talks:
            # The connection that listens to announcements is cut.
            await spare.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND (query = 'SELECT 1' OR query LIKE 'LISTEN%roomreel%')"
                " AND pid <> pg_backend_pid()"
            )
            assert await asyncio.wait_for(talks.get(), 30) == {"room_id": room_id, "event_id": None}
