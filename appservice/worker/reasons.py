"""Texts of a video's failures, for its sender: the reason, with the room's own limit where that is the reason. Pure."""

from appservice.core.model import Kind
from appservice.core.room import Room
from appservice.i18n import Texts, clock


def reason_of(failure: str, room: Room | None, texts: Texts, kind: str = Kind.VIDEO) -> str:
    """Return the reason of a failure code as a person reads it; `kind` is of what failed."""
    reason = texts.failure(failure, kind)
    most = room.settings.max_length if room else None
    if failure == "too-long" and most is not None:
        longest = texts.say("bot-longest", {"length": clock(most), "kind": kind})
        return f"{reason} {longest}"
    return reason
