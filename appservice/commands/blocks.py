"""What commands about blocked files have in common, whether they hold in a room or in all."""

import re
from collections.abc import Sequence

from appservice.commands.context import CommandContext, RefusedError
from appservice.core.text.command_grammar import UsageError
from appservice.store import Block

_DIGITS = re.compile(r"#?([0-9a-f]{6,64})", re.ASCII | re.IGNORECASE)


def block_line(context: CommandContext, block: Block) -> str:
    """Describe a block: the beginning of its file's SHA-256, who, when, and why."""
    day = block.blocked_at.date().isoformat()
    line = context.say("bot-blocked-line", id=f"#{block.source_hash[:8]}", user=block.blocked_by, day=day)
    return context.say("bot-because", text=line, reason=block.reason) if block.reason else line


def how_to_unblock(context: CommandContext, command: str, block: Block) -> str:
    """Describe how a block is ended, by the example of this one."""
    return context.say("bot-unblock-how", command=context.quoted(f"{command} #{block.source_hash[:8]}"))


def take_digits(context: CommandContext) -> str:
    """Parse the beginning of a SHA-256 as the last word. Raises UsageError."""
    word = context.words.take()
    context.words.end()
    match = _DIGITS.fullmatch(word)
    if not match:
        raise UsageError(word)
    return match[1].lower()


def beginning_with(blocks: Sequence[Block], digits: str) -> list[Block]:
    """Return the blocks of the one file whose SHA-256 begins so. Raises RefusedError where there is not one."""
    found = [block for block in blocks if block.source_hash.startswith(digits)]
    if not found:
        raise RefusedError("bot-no-such-block", id=digits)
    if len({block.source_hash for block in found}) > 1:
        raise RefusedError("bot-block-too-short", id=digits)
    return found
