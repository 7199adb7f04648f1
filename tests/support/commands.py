"""Commands to the bot, and what it answers."""

from dataclasses import dataclass
from typing import Any

from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.waiting import eventually

VERSIONS = ("11", "12")


@dataclass
class Said:
    """What the bot answered: its words, their HTML, and its reactions to the command."""

    text: str
    html: str
    reactions: list[str]


async def answer_to(user: MatrixClient, room_id: str, event_id: str) -> Said:
    """Wait for the bot's notice in the thread of a command."""

    async def ask() -> dict[str, Any] | None:
        for event in await user.messages(room_id):
            content = event.get("content", {})
            relation = content.get("m.relates_to", {})
            if content.get("msgtype") == "m.notice" and relation.get("m.in_reply_to", {}).get("event_id") == event_id:
                return dict(content)
        return None

    content = await eventually(ask, what=f"an answer to {event_id}")
    assert content
    relations = await user.relations(room_id, event_id, "m.annotation")
    reactions = [relation["content"]["m.relates_to"]["key"] for relation in relations]
    return Said(content["body"], content.get("formatted_body", ""), reactions)


@dataclass
class Asking:
    """Somebody in a room with the bot."""

    user: MatrixClient
    room_id: str

    async def __call__(self, command: str, *, about: str | None = None) -> Said:
        """Give a command (in reply to the message `about`) and return what the bot says to it."""
        if about is None:
            event_id = await self.user.send_text(self.room_id, command)
        else:
            event_id = await self.user.reply(self.room_id, about, command, thread=False)
        return await answer_to(self.user, self.room_id, event_id)


async def open_direct(user: MatrixClient, reel: Installation) -> str:
    """Begin a conversation with the bot alone, and return its room once the bot is there."""
    room_id = await user.create_room(invite=[reel.bot], direct=True)

    async def joined() -> bool:
        return reel.bot in await user.joined_members(room_id)

    await eventually(joined, what="the bot in a direct chat")
    return room_id
