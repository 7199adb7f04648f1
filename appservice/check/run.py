"""Runs all checks, one line for each."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from appservice.check import homeserver, public
from appservice.check.admin_room import admin_room
from appservice.check.database import database
from appservice.check.encryption import encryption
from appservice.check.findings import CheckError, CheckWarning
from appservice.check.public import Public
from appservice.check.registration import registration
from appservice.check.storage import storage
from appservice.check.tools import ffmpeg, sandbox
from appservice.config import Config
from appservice.core.errors import RoomreelError
from transcode import TranscodeError

_BEFORE: Mapping[str, Callable[[Config], Awaitable[str]]] = {
    "database": database,
    "homeserver": homeserver.homeserver,
    "openid": homeserver.openid,
    "clock": homeserver.clock,
    "homeserver to us": homeserver.way_back,
    "admin room": admin_room,
    "public address": public.address,
}
_THROUGH_PROXY: Mapping[str, Callable[[Public], Awaitable[str]]] = {
    "proxy": public.proxy,
    "widget page": public.widget_page,
    "event stream": public.event_stream,
    "uploads": public.uploads,
    "ranges": public.ranges,
}
_AFTER: Mapping[str, Callable[[Config], Awaitable[str]]] = {
    "ffmpeg": ffmpeg,
    "storage": storage,
    "sandbox": sandbox,
    "encryption": encryption,
}


class _Report:
    """Says a line for each part, and whether all is well."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.well = True

    async def examine(self, name: str, part: Callable[[], Awaitable[str]]) -> None:
        """Say how a part is."""
        with self.line(name):
            self._say(f"ok    {name}: {await part()}")

    @contextlib.contextmanager
    def line(self, name: str) -> Iterator[None]:
        """Say what is wrong with a part."""
        try:
            yield
        except CheckWarning as warning:
            self._say(f"warn  {name}: {warning}")
        except (CheckError, RoomreelError, TranscodeError) as error:
            self._say(f"FAIL  {name}: {error}")
            self.well = False
        except Exception as error:
            # Whatever an operator's installation is like, the other parts are looked at.
            text = " ".join(str(error).split())[:300]
            self._say(f"FAIL  {name}: it could not be looked at, by a mistake of ours ({type(error).__name__}: {text})")
            self.well = False


async def check(config: Config, say: Callable[[str], None], *, registration_file: Path) -> bool:
    """Check everything, say one line for each part, and return whether all is well."""
    say("ok    configuration: every key is known")
    report = _Report(say)

    async def compared() -> str:
        return registration(config, registration_file)

    await report.examine("registration", compared)
    for name, part in _BEFORE.items():
        await report.examine(name, partial(part, config))
    first = next(iter(_THROUGH_PROXY))
    with report.line(first):
        async with public.reached(config) as reached:
            for name, through in _THROUGH_PROXY.items():
                await report.examine(name, partial(through, reached))
    for name, part in _AFTER.items():
        await report.examine(name, partial(part, config))
    return report.well
