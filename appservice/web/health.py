"""Whether this process lives, and whether it is ready: what an orchestrator restarts it by, and sends requests by."""

import asyncio
import errno
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog
from aiohttp import web

from appservice import resources
from appservice.core.errors import RequestError, UnavailableError
from appservice.database.migrate import Phase, load_migrations
from appservice.store.observation import ObservationStore

log = structlog.get_logger()

_LONGEST_CHECK_S = 5.0
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass
class Vitals:
    """What a process knows of itself: the tasks without which it is half a service, and whether it is draining."""

    essential: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    is_draining: bool = False

    def ended(self) -> list[str]:
        """Return the names of the essential tasks that run no more."""
        return [name for name, task in self.essential.items() if task.done()]


class NotReadyError(RequestError):
    """The process cannot serve now; the text says why, to operators and to nobody's harm."""

    status = 503
    errcode = "M_UNAVAILABLE"


class Readiness:
    """Checks whether a process can do its work: once at a time, however many ask.

    `folder` is where media lie; where there is none at the start, they are not on this machine.
    """

    def __init__(self, store: ObservationStore, folder: Path) -> None:
        self._store = store
        self._folder = folder if folder.is_dir() else None
        migrations = load_migrations(resources.migrations())
        self._schema = {each.version: each.checksum for each in migrations if each.kind is Phase.BEFORE}
        self._checking: asyncio.Task[str | None] | None = None
        self._problem: str | None = None

    async def check(self) -> None:
        """Raise NotReadyError while it cannot."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._find_problem())
        problem = await asyncio.shield(self._checking)
        if problem != self._problem:
            self._problem = problem
            if problem is None:
                log.info("ready")
            else:
                log.warning("not_ready", reason=problem)
        if problem is not None:
            raise NotReadyError(problem)

    async def _find_problem(self) -> str | None:
        try:
            async with asyncio.timeout(_LONGEST_CHECK_S):
                applied = await self._store.applied_migrations()
                missing = [number for number, checksum in self._schema.items() if applied.get(number) != checksum]
                if missing:
                    return f"The database lacks migration {missing[0]:04} of this release."
                if self._folder:
                    await asyncio.to_thread(_write_in, self._folder)
        except UnavailableError:
            return "The database does not respond."
        except OSError as error:
            # A full disk is an alert: what is there is served all the same.
            return None if error.errno in _FULL else f"The media folder cannot be written to: {error.strerror}."
        except TimeoutError:
            return f"The database or the media folder did not respond within {_LONGEST_CHECK_S:.0f} s."
        return None


def _write_in(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        file.write(b"1")


async def _live(vitals: Vitals, _: web.Request) -> web.Response:
    """Say that the event loop turns, which it does, and whether the essential tasks run."""
    if ended := vitals.ended():
        return web.json_response({"errcode": "M_UNKNOWN", "error": f"Ended: {', '.join(ended)}."}, status=503)
    return web.json_response({"status": "live"})


async def _ready(vitals: Vitals, readiness: Readiness, _: web.Request) -> web.Response:
    if vitals.is_draining:
        return web.json_response({"status": "draining"}, status=503)
    try:
        await readiness.check()
    except NotReadyError as error:
        return web.json_response({"errcode": error.errcode, "error": str(error)}, status=error.status)
    return web.json_response({"status": "ready"})


def add_health(app: web.Application, vitals: Vitals, readiness: Readiness) -> None:
    """Serve `/live` and `/ready`."""
    app.router.add_get("/live", partial(_live, vitals))
    app.router.add_get("/ready", partial(_ready, vitals, readiness))
