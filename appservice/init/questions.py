"""The five questions: how an answer must look, what it is by default, and whether it proves true at once."""

import re
import socket
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from appservice.config import BaseUrl
from appservice.core.errors import ConfigError, ForbiddenError
from appservice.init import looks
from appservice.matrix.discovery import split_server_name

SERVER_NAME, HOMESERVER, PUBLIC_URL, ADMIN, DATABASE = (
    "server_name",
    "homeserver_url",
    "public_url",
    "admin",
    "database",
)

Answers = Mapping[str, str]

_USER_ID = re.compile(r"@[^:\s\x00]{1,200}:\S{1,230}")
_DATABASE = re.compile(r"embedded|postgres(ql)?://\S+")


@dataclass(frozen=True, slots=True)
class Question:
    """A question: its name, the variable that answers it, and what it asks.

    `read` returns the answer, or raises ConfigError; `default` finds one from the answers before; `look` returns what
    is not as it should be, if anything.
    """

    name: str
    variable: str
    text: str
    read: Callable[[str], str]
    default: Callable[[Answers], Coroutine[None, None, str]]
    look: Callable[[Answers], Coroutine[None, None, str | None]]
    needed: bool = True

    @property
    def flag(self) -> str:
        """The option of the command line that answers it."""
        return f"--{self.name.replace('_', '-')}"


def read_server_name(text: str) -> str:
    """Return a server name. Raises ConfigError."""
    try:
        split_server_name(text)
    except ForbiddenError:
        raise ConfigError(
            f"{text!r} is no server name: it is the part after the colon in your users' ids, such as example.org."
        ) from None
    return text


def read_url(text: str) -> str:
    """Return an absolute URL without a slash at its end. Raises ConfigError."""
    try:
        return str(TypeAdapter(BaseUrl).validate_python(text))
    except ValidationError:
        raise ConfigError(f"{text!r} is no address: write all of it, such as https://reel.example.org.") from None


def read_user_id(text: str) -> str:
    """Return a Matrix user id. Raises ConfigError."""
    if not _USER_ID.fullmatch(text):
        raise ConfigError(f"{text!r} is no Matrix id: it looks like @name:example.org.")
    return text


def read_database(text: str) -> str:
    """Return `embedded` or a PostgreSQL address. Raises ConfigError, which does not show a password."""
    if not _DATABASE.fullmatch(text):
        raise ConfigError("A database is `embedded`, or an address such as postgresql://user:password@host/name.")
    return text


async def _nothing(_: Answers) -> str:
    return ""


async def _fine(_: Answers) -> None:
    return None


async def _public_url(answers: Answers) -> str:
    host, _ = split_server_name(answers[SERVER_NAME])
    return f"https://reel.{host}"


async def _admin(answers: Answers) -> str:
    return f"@admin:{answers[SERVER_NAME]}"


async def _embedded(_: Answers) -> str:
    return "embedded"


async def _homeserver(answers: Answers) -> str:
    return await looks.homeserver_of(answers[SERVER_NAME])


async def _look_at_homeserver(answers: Answers) -> str | None:
    return await looks.at_homeserver(answers[HOMESERVER], answers[SERVER_NAME])


async def _look_at_public_url(answers: Answers) -> str | None:
    return await looks.at_public_url(answers[PUBLIC_URL])


async def _look_at_admin(answers: Answers) -> str | None:
    if answers[ADMIN].partition(":")[2] != answers[SERVER_NAME]:
        return None
    return await looks.at_user(answers[HOMESERVER], answers[ADMIN])


async def _look_at_database(answers: Answers) -> str | None:
    return await looks.at_database(answers[DATABASE])


QUESTIONS = (
    Question(
        SERVER_NAME, "ROOMREEL_HOMESERVER__SERVER_NAME",
        "Your homeserver's name (the part after the colon in your users' ids)", read_server_name, _nothing, _fine,
    ),
    Question(
        HOMESERVER, "ROOMREEL_HOMESERVER__URL", "Where Roomreel reaches the homeserver", read_url, _homeserver,
        _look_at_homeserver,
    ),
    Question(
        PUBLIC_URL, "ROOMREEL_WEB__PUBLIC_URL", "Where viewers' browsers reach Roomreel, through your reverse proxy",
        read_url, _public_url, _look_at_public_url,
    ),
    Question(ADMIN, "", "Your Matrix id, which becomes Roomreel's admin", read_user_id, _admin, _look_at_admin, False),
    Question(
        DATABASE, "ROOMREEL_DATABASE", "The database: `embedded`, or a PostgreSQL address", read_database, _embedded,
        _look_at_database, False,
    ),
)  # fmt: skip


def appservice_url_for(homeserver_url: str) -> str:
    """Return where a homeserver reaches us by default: on the same machine, or by this machine's name."""
    host = urlsplit(homeserver_url).hostname or ""
    if host in {"localhost", "::1"} or host.startswith("127."):
        return "http://localhost:8470"
    return f"http://{socket.gethostname()}:8470"
