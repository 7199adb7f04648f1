"""Quotas of one person, one room and the whole installation, and whether they leave room for more. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MIB = 1024 * 1024
_NEAR = 0.9


class QuotaScope(StrEnum):
    """Whose videos are counted together: a sender's wherever they are, a room's, all."""

    USER = "user"
    ROOM = "room"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Used:
    """How many videos there are, and what their files take, in bytes and with all renditions."""

    videos: int
    bytes: int


class Allowance(BaseModel):
    """How many videos there may be, and how many MiB their files may take; None: as many as there is room for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    videos: Annotated[int | None, Field(gt=0)] = None
    size: Annotated[int | None, Field(gt=0)] = None

    def share(self, used: Used) -> float:
        """Return how much of it is used: 1.0 is all of what is scarcest."""
        videos = used.videos / self.videos if self.videos else 0.0
        return max(videos, used.bytes / (self.size * MIB) if self.size else 0.0)

    def is_used_up(self, used: Used) -> bool:
        """Say whether one more video is too many."""
        return self.share(used) >= 1

    def is_nearly_used_up(self, used: Used) -> bool:
        """Say whether it is time for a warning."""
        return self.share(used) >= _NEAR


class Quotas(BaseModel):
    """What each person, each room and all together may have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: Allowance = Allowance()
    room: Allowance = Allowance()
    server: Allowance = Allowance()

    def of(self, scope: QuotaScope) -> Allowance:
        """Return what one of a scope may have."""
        return {QuotaScope.USER: self.user, QuotaScope.ROOM: self.room, QuotaScope.SERVER: self.server}[scope]

    def limited(self) -> Iterator[tuple[QuotaScope, Allowance]]:
        """Yield what has a limit, the narrowest first."""
        for scope in QuotaScope:
            if self.of(scope) != Allowance():
                yield scope, self.of(scope)


NO_LIMITS = Quotas()
