"""The texts of the bot and the pages, in the configured language or the reader's: Fluent messages, the widget's too."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from fluent.runtime import FluentBundle
from fluent.syntax import FluentParser

from appservice.core.events.camera import taken_of
from appservice.core.languages import LANGUAGES, language_of
from appservice.core.model import Kind
from appservice.core.room import Room

FALLBACK = "en"


# Parsing one takes a tenth of a second and some megabytes, and every page and the bot want the same.
@cache
def _bundle(folder: Path, language: str) -> FluentBundle:
    # Directional isolates around arguments show up as boxes in some clients.
    bundle = FluentBundle([language], use_isolating=False)
    # As `FluentResource` does, but for the position of everything in the file: a third of the time and of the memory.
    bundle.add_resource(FluentParser(with_spans=False).parse((folder / f"{language}.ftl").read_text(encoding="utf-8")))
    return bundle


class Texts:
    """The message catalogue in one language, with English for what a translation lacks; read when it is used first."""

    def __init__(self, folder: Path, language: str) -> None:
        self._folder = folder
        self._languages = tuple(dict.fromkeys((language, FALLBACK)))

    def say(self, message_id: str, arguments: Mapping[str, object] | None = None) -> str:
        """Return a message's text. Raises KeyError when no catalogue has it."""
        for language in self._languages:
            bundle = _bundle(self._folder, language)
            if bundle.has_message(message_id) and (pattern := bundle.get_message(message_id).value):
                text, _ = bundle.format_pattern(pattern, dict(arguments or {}))
                return str(text)
        raise KeyError(message_id)

    def failure(self, code: str, kind: str = Kind.VIDEO) -> str:
        """Return the reason for people of a failure code; `kind` is of what failed, a later release's perhaps."""
        try:
            return self.say(f"failure-{code}", {"kind": kind})
        except KeyError:
            return self.say("failure-internal", {"kind": kind})

    def title(self, name: str, kind: str, sent: int) -> str:
        """Return a video's title for people, where a camera named its file too; empty where it has none.

        `sent` is in ms since the epoch.
        """
        taken = taken_of(name, sent)
        if taken is None:
            return name
        date = self.say("page-date", {"date": taken.date})
        if taken.timed:
            # Who reads it may be anywhere: what is not the camera's own time names its zone.
            message = "bot-camera-time" if taken.date.tzinfo is None else "bot-camera-time-utc"
            date = self.say(message, {"date": date, "time": f"{taken.date:%H:%M}"})
        return self.say("widget-camera", {"kind": "screen" if taken.screen else kind, "when": date})

    def moment(self, at: datetime) -> str:
        """Return a day and a time for people who may be anywhere, with its zone."""
        date = self.say("page-date", {"date": at})
        return self.say("bot-camera-time-utc", {"date": date, "time": f"{at.astimezone(UTC):%H:%M}"})

    def opted_in(self, room: Room) -> dict[str, object]:
        """Return who opted a room in, and when, as arguments of a text; "–" for what is not known (any more)."""
        return {"user": room.opted_in_by or "–", "when": self.moment(room.opted_in_at) if room.opted_in_at else "–"}


def clock(seconds: float) -> str:
    """Return a length as players write it: 0:07, 12:30, 1:00:00."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def preferred_language(accepted: str) -> str:
    """Return the language of ours that an `Accept-Language` header likes best (RFC 9110, 12.5.4)."""
    wishes = [_wish(part) for part in accepted[:1000].split(",")]
    known = [(weight, language) for language, weight in wishes if language in LANGUAGES and weight > 0]
    # The first of those that are liked equally.
    return max(known, key=lambda wish: wish[0])[1] if known else FALLBACK


def _wish(part: str) -> tuple[str, float]:
    tag, _, weight = part.partition(";")
    match = re.fullmatch(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", weight)
    return language_of(tag), float(match[1]) if match else 0.0 if weight else 1.0
