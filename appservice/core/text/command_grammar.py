"""The grammar of commands: a name, then words, parsed one after the other. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from appservice.core.errors import RoomreelError

MOST_POSITIONS = 10_000
_SHORT_ID = re.compile(r"#([0-9a-f]{6,32})", re.ASCII | re.IGNORECASE)
_USER_ID = re.compile(r"@[^:\s\x00]{1,254}:[A-Za-z0-9.:\[\]-]{1,255}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,5}", re.ASCII)


class UsageError(RoomreelError):
    """A command's syntax is wrong; the response shows the right one, and `wrong` the word that does not fit."""

    def __init__(self, wrong: str = "") -> None:
        super().__init__(f"This is not how the command is written: {wrong!r}.")
        self.wrong = wrong


@dataclass(frozen=True, slots=True)
class VideoName:
    """What a command calls a video: a position in a reel, or the beginning of its id; neither: the one replied to.

    `owner` is the full user id of the reel's member; None means the sender.
    """

    position: int | None = None
    short_id: str | None = None
    owner: str | None = None


@dataclass
class Words:
    """The words of a command that are still to be taken."""

    words: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> "Words":
        """Split what follows a command's name."""
        return cls(text.split())

    def peek(self) -> str | None:
        """Return the next word without taking it."""
        return self.words[0] if self.words else None

    def take(self) -> str:
        """Consume the next word. Raises UsageError when there is none."""
        if not self.words:
            raise UsageError
        return self.words.pop(0)

    def take_if(self, *choices: str) -> str | None:
        """Consume the next word if it is one of the choices (whatever its case), else nothing."""
        word = self.peek()
        if word is not None and word.lower() in choices:
            return self.take().lower()
        return None

    def choice(self, choices: Collection[str]) -> str:
        """Parse one of the choices. Raises UsageError for any other word."""
        word = self.take()
        if word.lower() not in choices:
            raise UsageError(word)
        return word.lower()

    def number(self, least: int = 1, most: int = MOST_POSITIONS) -> int:
        """Parse a whole number. Raises UsageError for anything else."""
        word = self.take()
        if not _NUMBER.fullmatch(word) or not least <= int(word) <= most:
            raise UsageError(word)
        return int(word)

    def user(self) -> str:
        """Parse a full Matrix user id. Raises UsageError for anything else."""
        word = self.take()
        if len(word) > 255 or not _USER_ID.fullmatch(word):
            raise UsageError(word)
        return word

    def user_if(self) -> str | None:
        """Parse a full Matrix user id if one comes next."""
        word = self.peek()
        return self.user() if word is not None and word.startswith("@") else None

    def video(self) -> VideoName:
        """Parse a video's name: `3`, `@alice:example.org 3`, `#1a2b3c`, or nothing for the one that is replied to."""
        owner = self.user_if()
        word = self.peek()
        if word is not None and (short := _SHORT_ID.fullmatch(word)) and owner is None:
            self.take()
            return VideoName(short_id=short[1].lower())
        if word is not None and _NUMBER.fullmatch(word):
            return VideoName(position=self.number(), owner=owner)
        if owner is not None:
            raise UsageError(word or "")
        return VideoName()

    def rest(self) -> str:
        """Consume all words that are left, at least one. Raises UsageError when there is none."""
        if not self.words:
            raise UsageError
        text, self.words = " ".join(self.words), []
        return text

    def rest_if(self) -> str:
        """Consume all words that are left, if there are any."""
        return self.rest() if self.words else ""

    def end(self) -> None:
        """Say that nothing may follow. Raises UsageError when something does."""
        if self.words:
            raise UsageError(self.words[0])


def split(body: str) -> tuple[str, Words]:
    """Return a command's name, in small letters, and its words; no name when there are no words."""
    name, _, rest = body.strip().partition(" ")
    return name.lower(), Words.of(rest)


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Return the command that somebody may have meant."""
    found = get_close_matches(name, known, n=1, cutoff=0.6)
    return found[0] if found else None
