"""What a command is: its name, who may give it, and what does it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from appservice.commands.answer import Answer

if TYPE_CHECKING:
    from appservice.commands.asked import Asked


class Rank(IntEnum):
    """Who may give a command: any member, a room's moderator, an admin of this installation."""

    MEMBER = 0
    MODERATOR = 1
    ADMIN = 2


@dataclass(frozen=True, slots=True)
class Command:
    """A command, with other names for it; `bot-help-{name}` says what it does, `bot-usage-{name}` how it is written."""

    name: str
    act: "Callable[[Asked], Awaitable[Answer]]"
    rank: Rank = Rank.MEMBER
    aliases: tuple[str, ...] = ()
