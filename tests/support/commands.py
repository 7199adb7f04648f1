"""Send commands to the bot and await its responses."""

from dataclasses import dataclass
from typing import Any

from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.waiting import eventually

VERSIONS = ("11", "12")


@dataclass
class BotResponse:
    """The bot's response: its text, its HTML, and the bot's reactions to the command."""

    text: str
    html: str
    reactions: list[str]


async def response_to(user: MatrixClient, room_id: str, event_id: str) -> BotResponse:
    """Wait for the bot's response, a notice in the thread of the command."""

    async def notice() -> dict[str, Any] | None:
        for event in await user.messages(room_id):
            content = event.get("content", {})
            relation = content.get("m.relates_to", {})
            if content.get("msgtype") == "m.notice" and relation.get("m.in_reply_to", {}).get("event_id") == event_id:
                return dict(content)
        return None

    content = await eventually(notice, what=f"a response to {event_id}")
    assert content
    relations = await user.relations(room_id, event_id, "m.annotation")
    reactions = [relation["content"]["m.relates_to"]["key"] for relation in relations]
    return BotResponse(content["body"], content.get("formatted_body", ""), reactions)


@dataclass
class CommandSender:
    """A user's commands in a room with the bot."""

    user: MatrixClient
    room_id: str

    async def __call__(self, command: str, *, about: str | None = None) -> BotResponse:
        """Send a command (as a reply to the message `about`) and return the bot's response."""
        if about is None:
            event_id = await self.user.send_text(self.room_id, command)
        else:
            event_id = await self.user.reply(self.room_id, about, command, thread=False)
        return await response_to(self.user, self.room_id, event_id)


async def open_direct(user: MatrixClient, reel: Installation) -> str:
    """Create a direct chat with the bot and return its room id once the bot has joined."""
    room_id = await user.create_room(invite=[reel.bot], direct=True)

    async def joined() -> bool:
        return reel.bot in await user.joined_members(room_id)

    await eventually(joined, what="the bot in a direct chat")
    return room_id
