"""What does a service cost that has nothing to do? Memory, processor, statements to the database, and disk.

In an environment of its own, with nothing but what roomreel requires, as operators have it. The floor of memory is
Python with the libraries that do the work, imported, in the same run. `./run bench idle`
"""

import asyncio
import os
import sys
import tempfile
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import psutil

from appservice.database.embedded import EmbeddedPostgres
from appservice.demo.synapse import Synapse
from bench import _released
from tests.support.installation import Installation
from tests.support.launch import ROOT, execute

_SETTLED_S, _MEASURED_S = 30, 60
_MIB = 2**20
# MiB of resident memory, percent of one processor, MB on disk.
_SERVE_ALONE, _SERVE, _CPU, _DISK = 80, 100, 0.2, 420
_FLOOR = "import aiohttp.web, asyncpg, pydantic, mautrix.types, pgqueuer, structlog"


async def _floor(env: dict[str, str]) -> float:
    """Return the resident memory, in MiB, of Python with the libraries imported."""
    code = f"{_FLOOR}\nimport sys; print(flush=True); sys.stdin.read()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-S", "-c", code, env=env, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    await process.stdout.readline()
    resident = _resident(process.pid)
    process.stdin.close()
    await process.wait()
    return resident


def _resident(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / _MIB


def _seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


async def _statements(reel: Installation) -> int:
    """Return how many transactions the database has ended."""
    counted = "SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()"
    (row,) = await reel.rows(counted)
    return int(row["n"])


async def _measure(reel: Installation, *command: str) -> tuple[float, float, float]:
    """Return resident MiB, percent of a processor and transactions a second of a service that has nothing to do."""
    await reel.start(command=command)
    try:
        assert reel.process
        pid = reel.process.pid
        await asyncio.sleep(_SETTLED_S)
        seconds, statements = _seconds(pid), await _statements(reel)
        await asyncio.sleep(_MEASURED_S)
        used, ended = _seconds(pid) - seconds, await _statements(reel) - statements
        return _resident(pid), 100 * used / _MEASURED_S, ended / _MEASURED_S
    finally:
        await reel.stop()


async def main() -> None:
    """Print memory, processor and statements of `serve` with and without its worker, and the size of all."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        released = _released.distributions()
        site = folder / "site"
        site.mkdir()
        _released.link(released, site)
        (site / "appservice").symlink_to(ROOT / "appservice")
        (site / "transcode").symlink_to(ROOT / "transcode")
        env = {**os.environ, "PYTHONPATH": str(site)}
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "pg"))
        synapse = Synapse(folder / "synapse")
        launch = partial(execute, runs_in=(sys.executable, "-S"), env=env)
        reel = Installation.prepare(folder / "reel", synapse, slot="reel", database=postgres.dsn, launch=launch)
        del reel.settings["worker"], reel.settings["log"]
        reel.write_config()
        synapse.registrations = [reel.registration]
        await stack.enter_async_context(synapse)
        print(f"libraries alone: {await _floor(env):.0f} MiB")
        for command, most in (("serve", "--no-worker"), _SERVE_ALONE), (("serve",), _SERVE):
            resident, percent, statements = await _measure(reel, *command)
            print(
                f"{' '.join(command):<20} {resident:6.1f} MiB (target {most}), {percent:.2f} % of a processor"
                f" (target {_CPU}), {statements:.2f} transactions a second"
            )
        sizes = _released.installed_bytes(released)
        print(f"installed: {sum(sizes.values()) / 1e6:.0f} MB (target {_DISK}); largest:")
        for name, size in sorted(sizes.items(), key=lambda item: -item[1])[:6]:
            print(f"  {size / 1e6:6.1f} MB  {name}")


if __name__ == "__main__":
    asyncio.run(main())
