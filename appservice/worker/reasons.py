"""Why a video failed, for its sender: the reason's text, with the room's own limit where that is the reason. Pure."""

from appservice.model import Room
from appservice.texts import Texts, clock


def reason_of(failure: str, room: Room | None, texts: Texts) -> str:
    """Return the reason of a failure code as a person reads it."""
    reason = texts.failure(failure)
    most = room.settings.max_length if room else None
    if failure == "too-long" and most is not None:
        longest = texts.say("bot-longest", {"length": clock(most)})
        return f"{reason} {longest}"
    return reason
