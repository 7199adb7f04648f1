"""What a runner is given, and how: the task as data, the names of files, tokens. Pure."""

import hashlib
import re
import secrets
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

TOKEN_PREFIX = "rrr_"  # noqa: S105 - no token, but how all of them begin
"""By which tokens are found where they should not be."""
LEASE_S = 45.0
"""For so long a job is a runner's that says nothing; it says something every `BEAT_S`."""
BEAT_S = 10.0
SOURCE = "source"
"""The name of a job's input."""
FILE = r"[0-9]{1,5}|[a-z]{2,16}\.(?:jpg|mp4|rgb)"
"""The names that a runner may send: those of renditions and images."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
_TOKEN = re.compile(rf"{TOKEN_PREFIX}[A-Za-z0-9_-]{{43}}", re.ASCII)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TaskView(_Model):
    """How a ladder is made: rungs by the pixels of their shorter side, x264's preset, limits in seconds and bytes."""

    rungs: tuple[int, ...]
    preset: str = Field(pattern="^[a-z]{2,12}$")
    copy_source: bool
    every_rung: bool
    max_duration: float
    output_bytes: int


class RunnerJobView(_Model):
    """A job of a runner: `files` names what it makes, with the most bytes of each; `key` (hexadecimal) encrypts them.

    Input and output are then encrypted by AES-128-CTR, after an initialization vector of 16 bytes. It is the runner's
    for `lease_seconds` after each heartbeat.
    """

    id: str
    task: TaskView
    key: str | None
    files: dict[str, int]
    lease_seconds: float


class HeartbeatRequest(_Model):
    """How far a runner is, from 0 to 1."""

    share: float = Field(ge=0, le=1)


class CompleteRequest(_Model):
    """The files that a runner has sent, with their sizes in bytes."""

    files: dict[str, int] = Field(max_length=32)


class ReturnRequest(_Model):
    """Why a runner gives its job back: it was stopped, or it cannot do it."""

    reason: Literal["stopped", "failed"]


class ReceivedView(_Model):
    """How many bytes there are of a file."""

    offset: int


def new_token() -> str:
    """Make a token, of 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """Return as what a token is stored: it is random, so that nobody finds it by its hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def token_in(authorization: str | None) -> str | None:
    """Return the runner's token of an `Authorization` header; None where there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    return token if scheme.lower() == "bearer" and _TOKEN.fullmatch(token) else None


def is_token(text: str) -> bool:
    """Return whether a text has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def is_runner_name(name: str) -> bool:
    """Return whether a runner can be called so."""
    return _NAME.fullmatch(name) is not None
