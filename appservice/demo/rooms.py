"""The demo's rooms, one plain and one encrypted: people make them, and send their videos."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import aiohttp

from appservice.core.sign_in_codes import PREFIX
from appservice.demo.check import CheckError
from appservice.demo.client import MatrixClient
from appservice.demo.clips import ALICE_CLIPS, BOB_CLIPS, Clip, make_clip
from appservice.demo.encrypted_client import EncryptedClient

READY_S = 120.0
_POLL_S = 0.1
_WIDGET = "im.vector.modular.widgets"


PLAIN_CLIPS = ALICE_CLIPS[0], BOB_CLIPS[0]
ENCRYPTED_CLIPS = ALICE_CLIPS[2], BOB_CLIPS[1]


_Client = TypeVar("_Client", bound=MatrixClient, covariant=True)


@dataclass(frozen=True)
class People(Generic[_Client]):
    """Alice and bob as their clients, the bot that they invite, and where its service is."""

    alice: _Client
    bob: _Client
    bot: str
    public_url: str


async def make_room(people: People[MatrixClient]) -> str:
    """Make a room with the widget in it, and return its id."""
    room_id = await people.alice.create_room(
        name="Movie night", invite=[people.bot, people.bob.user_id], user_levels={people.bot: 50}
    )
    await people.bob.join(room_id)
    await _until_widget(people.alice, room_id)
    return room_id


async def make_encrypted_room(people: People[EncryptedClient]) -> str:
    """Make an encrypted room in which alice opts in, wait for the widget in it, and return its id."""
    room_id = await people.alice.create_encrypted_room(
        name="Movie night, encrypted", invite=[people.bot, people.bob.user_id], user_levels={people.bot: 50}
    )
    await people.bob.join(room_id)
    # Before it has a device there, nobody would give the bot the key of the command.
    await people.alice.wait_for(
        room_id, lambda event: event["sender"] == people.bot and event["type"] == "m.room.message"
    )
    await people.alice.send_text(room_id, f"{PREFIX} enable")
    await _until_widget(people.alice, room_id)
    return room_id


async def send_clips(people: People[MatrixClient], room_id: str, clips: tuple[Clip, Clip], folder: Path) -> str:
    """Send a video of alice, made in a folder, and one of bob; return alice's event."""
    event_id, _ = [
        await sender.send_video(room_id, await make_clip(clip, folder), info=clip.info)
        for sender, clip in zip((people.alice, people.bob), clips, strict=True)
    ]
    return event_id


async def until_ready(people: People[MatrixClient], room_id: str, event_id: str) -> str:
    """Return the id of a video once it is ready, as bob's widget would learn it. Raises CheckError."""
    url = people.public_url
    async with aiohttp.ClientSession(base_url=url, raise_for_status=True) as http, asyncio.timeout(READY_S):
        body = {"openid_token": await people.bob.openid_token(), "room_id": room_id}
        async with http.post("/api/v1/session", json=body) as response:
            headers = {"Authorization": f"Bearer {(await response.json())['token']}"}
        while True:
            async with http.get(f"/api/v1/rooms/{room_id}", headers=headers) as response:
                members = (await response.json())["members"]
            found = next((v for m in members for v in m["videos"] if v["event_id"] == event_id), None)
            if found and found["state"] == "failed":
                raise CheckError(f"The sample video failed: {found['failure']}")
            if found and found["state"] == "ready":
                return str(found["id"])
            await asyncio.sleep(_POLL_S)


async def _until_widget(user: MatrixClient, room_id: str) -> None:
    async with asyncio.timeout(READY_S):
        while True:
            if any(event["type"] == _WIDGET and event["content"] for event in await user.get_full_state(room_id)):
                return
            await asyncio.sleep(_POLL_S)
