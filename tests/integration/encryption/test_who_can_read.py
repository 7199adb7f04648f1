"""Who can read what in an encrypted room: the tables of docs/encryption.md, with people's encrypting clients.

Ada is in the room from the beginning. Ben comes, goes and changes devices. His device is given all ciphertext of the
room, even what the homeserver would not give him: what it reads is decided by keys alone.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appservice.demo.encrypted_client import EncryptedClient, open_device
from tests.support.commands import response_to
from tests.support.crypto_devices import cross_sign
from tests.support.encrypted_rooms import PASSWORD, People, make_encrypted_room, plainly
from tests.support.installation import Installation
from tests.support.launch import ROOT
from tests.support.viewer import Viewer
from tests.support.waiting import eventually

_WITHIN_S = 10


@dataclass(frozen=True)
class Row:
    """What happens in a room, and what it makes of ben at the end of it.

    At a number ada sends a video and a command, to which the bot replies. `reads`: at which numbers ben's device has
    the key of the bot's reply; `sees`: whose videos his widget shows; `heard`: whether the bot could read the command
    that he sent at `asks`.
    """

    name: str
    steps: str
    reads: str
    sees: str
    heard: bool | None = None


TABLE = [
    Row("a member, on a device that nobody verified", "join 1 2 asks", reads="12", sees="12", heard=True),
    Row("a member, on a verified device", "join verify 1 asks", reads="1", sees="1", heard=True),
    Row("on a new device", "join 1 device 2 asks", reads="2", sees="12", heard=True),
    Row("on a device that was new while the service was down", "join 1 down device asks up 2",
        reads="2", sees="12", heard=True),
    Row("on a device that was deleted after its key had come", "join device 1 asks answered signout 2",
        reads="1", sees="12", heard=True),
    Row("on a device that was deleted while the service was down", "join 1 down device asks signout up 2",
        reads="", sees="12", heard=False),
    Row("joined later", "1 join 2", reads="2", sees="12"),
    Row("joined later, history since the invitation", "history:invited 1 invite 2 join 3", reads="23", sees="23"),
    Row("joined later, history since joining", "history:joined 1 invite 2 join 3", reads="3", sees="3"),
    Row("joined later, history closed meanwhile", "1 history:joined 2 join 3", reads="3", sees="13"),
    Row("joined later, history opened meanwhile", "history:joined 1 history:shared 2 join 3", reads="3", sees="23"),
    Row("a member while history is closed", "join 1 history:joined 2", reads="12", sees="12"),
    Row("invited", "1 invite 2", reads="2", sees=""),
    Row("invited, history since joining", "history:joined 1 invite 2", reads="", sees=""),
    Row("left", "join 1 leave 2", reads="1", sees=""),
    Row("removed", "join 1 kick 2", reads="1", sees=""),
    Row("banned", "join 1 ban 2", reads="1", sees=""),
    Row("came back", "join 1 leave 2 join 3 asks", reads="13", sees="123", heard=True),
    Row("came back, history since joining", "history:joined join 1 kick 2 join 3 asks",
        reads="13", sees="3", heard=True),
]  # fmt: skip

_WORDS = {
    "join": "joins", "invite": "is invited", "leave": "leaves", "kick": "is removed", "ban": "is banned",
    "verify": "verifies the device", "device": "signs in on another device", "signout": "signs out there",
    "asks": "sends", "answered": "the bot responds", "down": "the service stops", "up": "the service starts",
    "history:joined": "history since joining", "history:invited": "history since the invitation",
    "history:shared": "history for all members",
}  # fmt: skip


@dataclass
class Room:
    """A row in progress."""

    service: Installation
    http: aiohttp.ClientSession
    ada: EncryptedClient
    ben: EncryptedClient
    room_id: str
    aside: str
    """A room of ada and ben alone."""
    clip: Path
    stack: AsyncExitStack
    membership: str = "leave"
    viewer: Viewer | None = None
    """Ben's widget, which was opened when he came."""
    videos: dict[str, str] = field(default_factory=dict)
    replies: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The bot's, as the homeserver has them."""
    command: str = ""

    async def number(self, number: str) -> None:
        self.videos[await self.ada.send_video(self.room_id, self.clip, body=number)] = number
        command = await self.ada.send_text(self.room_id, "!reel help")
        await response_to(self.ada, self.room_id, command)
        async with plainly(self.ada) as plain:
            events = await plain.messages(self.room_id)
        about = [each for each in events if _replied_to(each) == command]
        (self.replies[number],) = [each for each in about if each["sender"] == self.service.bot]

    async def invite(self) -> None:
        await self.ada.invite(self.room_id, self.ben.user_id)
        self.membership = "invite"

    async def join(self) -> None:
        if self.membership != "invite":
            await self.invite()
        await self.ben.join(self.room_id)
        self.membership = "join"
        self.viewer = await self.service.viewer(self.http, self.ben, self.room_id)

    async def leave(self) -> None:
        await self.ben.leave(self.room_id)
        self.membership = "leave"

    async def kick(self) -> None:
        await self.ada.kick(self.room_id, self.ben.user_id)
        self.membership = "leave"

    async def ban(self) -> None:
        await self.ada.ban(self.room_id, self.ben.user_id)

    async def verify(self) -> None:
        await cross_sign(self.ben)

    async def device(self) -> None:
        opened = open_device(self.ben.base_url, self.ben.user_id, PASSWORD, "laptop")
        self.ben = await self.stack.enter_async_context(opened)

    async def signout(self) -> None:
        await self.catch_up()
        await self.ben.logout()

    async def asks(self) -> None:
        self.command = await self.ben.send_text(self.room_id, "!reel help")

    async def answered(self) -> None:
        await response_to(self.ada, self.room_id, self.command)

    async def down(self) -> None:
        await self.service.stop()

    async def up(self) -> None:
        await self.service.start()

    async def history(self, visibility: str) -> None:
        await self.ada.send_state(self.room_id, "m.room.history_visibility", {"history_visibility": visibility})

    async def catch_up(self) -> None:
        """Wait until ben's device has all keys that were sent to it by now: they come in this order."""
        text = secrets.token_hex(8)
        await self.ada.send_text(self.aside, text)
        await self.ben.wait_for(self.aside, lambda event: event["content"].get("body") == text)

    async def perform(self, step: str) -> None:
        name, _, argument = step.partition(":")
        if name.isdigit():
            return await self.number(name)
        act: Callable[..., Awaitable[None]] = getattr(self, name)
        return await act(*([argument] if argument else []))

    async def seen(self) -> str:
        """Return whose videos ben's widget shows."""
        if self.viewer is None:
            return ""
        status, room = await self.viewer.get(f"/api/v1/rooms/{self.room_id}")
        if status != 200:
            return ""
        events = {video["event_id"] for member in room["members"] for video in member["videos"]}
        return "".join(number for event_id, number in self.videos.items() if event_id in events)


def _replied_to(event: dict[str, Any]) -> object:
    return event["content"].get("m.relates_to", {}).get("m.in_reply_to", {}).get("event_id")


@pytest.fixture
async def room(service: Installation, people: People, http: aiohttp.ClientSession, clip: Path) -> AsyncIterator[Room]:
    ada, ben = people
    async with service.running(), AsyncExitStack() as stack:
        room_id = await make_encrypted_room(ada, service)
        aside = await ada.create_encrypted_room(invite=[ben.user_id])
        await ben.join(aside)
        yield Room(service, http, ada, ben, room_id, aside, clip, stack)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
async def test_who_can_read(room: Room, row: Row) -> None:
    for step in row.steps.split():
        await room.perform(step)
    if room.command:
        reply = (await response_to(room.ada, room.room_id, room.command)).text
        assert reply.startswith("I have no key") is not row.heard, reply
    viewer = await room.service.viewer(room.http, room.ada, room.room_id)
    for event_id in room.videos:
        await viewer.video_in(event_id, "ready")
    if "signout" not in row.steps:
        await room.catch_up()
    replies = room.ben.decrypted(room.room_id, list(room.replies.values()))
    read = [number for number, event in zip(room.replies, replies, strict=True) if event["type"] == "m.room.message"]
    assert "".join(read) == row.reads

    async def is_so() -> bool:
        return await room.seen() == row.sees

    with suppress(AssertionError):
        await eventually(is_so, seconds=_WITHIN_S)
    assert await room.seen() == row.sees


def test_the_documentation_has_the_same_table() -> None:
    heard = {True: "yes", False: "no", None: ""}
    rows = [
        f"| {row.name} | {' · '.join(_WORDS.get(step, step) for step in row.steps.split())} "
        f"| {', '.join(row.reads) or 'none'} | {', '.join(row.sees) or 'none'} | {heard[row.heard]} |"
        for row in TABLE
    ]
    table = "\n".join(rows)
    assert table in (ROOT / "docs" / "encryption.md").read_text(), table
