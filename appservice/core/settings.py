"""Settings of a room, and of a person: validated values, each with a default. Pure.

A setting is written as `name value`, in chat as in the database; what a later release wrote and we do not know is left
out when it is read.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from appservice.core.languages import Language


class Who(StrEnum):
    """Whom a room lets do something."""

    MEMBERS = "members"
    MODERATORS = "moderators"


class Hold(StrEnum):
    """Whose videos wait for a moderator: nobody's, those of members whom nobody has approved yet, all members'."""

    OFF = "off"
    NEW = "new"
    ALL = "all"


class Status(StrEnum):
    """How the bot says how far it is with a video: by reactions to its message, or only when it failed."""

    REACTIONS = "reactions"
    FAILURES = "failures"
    OFF = "off"


DEFAULT = "default"


def written(value: object) -> str:
    """Return a setting's value as people write it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return DEFAULT if value is None else str(value)


class _Settings(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Return what is stored, with the default wherever a value is missing, or is none of this release's."""
        known = {}
        for name, value in stored.items():
            try:
                cls.model_validate({name: value})
            except ValidationError:
                continue
            known[name] = value
        return cls.model_validate(known)

    @classmethod
    def names(cls) -> list[str]:
        """Return the settings' names as people write them."""
        return [name.replace("_", "-") for name in cls.model_fields]

    def changed(self, name: str, value: str) -> Self:
        """Return these settings with one of them as a person wrote it. Raises ValueError for a value that is none.

        `default` gives a setting back what it was at first.
        """
        field = name.replace("-", "_")
        if field not in type(self).model_fields:
            raise ValueError(name)
        words = {"on": True, "yes": True, "off": False, "no": False}
        stored = self.model_dump(exclude_defaults=True, mode="json")
        stored.pop(field, None)
        if value == DEFAULT:
            return type(self).model_validate(stored)
        try:
            return type(self).model_validate({**stored, field: value})
        except ValidationError:
            if value in words:
                return type(self).model_validate({**stored, field: words[value]})
            raise

    def stored(self) -> dict[str, Any]:
        """Return the JSON that is stored: all that is not as by default."""
        return self.model_dump(exclude_defaults=True, mode="json")


class RoomSettings(_Settings):
    """What a room's moderators choose. Lengths in seconds."""

    language: Language | None = None
    """The language of the bot's texts; None: the configured one."""
    add: Who = Who.MEMBERS
    """Who may add videos."""
    hold: Hold = Hold.OFF
    """Whose videos wait for a moderator's approval."""
    order: Who = Who.MEMBERS
    """Whether members put their own videos in order, or only moderators."""
    pin: bool = True
    """Whether the bot pins the widget when it adds it to the room."""
    max_length: Annotated[int | None, Field(ge=1, le=86_400)] = None
    """How long a video may be; None: as long as the server allows."""
    images: bool = False
    """Whether images join the reels."""
    image_seconds: Annotated[int, Field(ge=1, le=60)] = 6
    """How long an image is shown."""
    voice: bool = False
    """Whether voice messages and other audio join the reels."""
    stickers: bool = False
    """Whether stickers and videos that clients show like GIFs join the reels."""
    history: Annotated[int | None, Field(ge=0, le=1000)] = None
    """How many messages of before the bot came are looked through for videos; None: as configured."""
    status: Status = Status.REACTIONS
    """How the bot says how far it is with a video."""
    moderators_room: Annotated[str | None, Field(pattern=r"^![^\s\x00]{1,254}$")] = None
    """The room of the moderators' queue; None: moderators use commands."""
    report_limit: Annotated[int, Field(ge=0, le=100)] = 3
    """With how many reports a video is held for a moderator; 0: never."""
    on_leave: Literal["keep", "erase"] = "keep"
    """What becomes of the videos of a member who leaves. A ban always erases."""


class PersonSettings(_Settings):
    """What a person chooses for themselves."""

    language: Language | None = None
    """The language of the bot's texts for them; None: the room's."""
    add: bool = True
    """Whether the videos that they send join their reels."""
    on_leave: Literal["keep", "erase"] | None = None
    """What becomes of their videos where they leave; None: as the room has it."""
