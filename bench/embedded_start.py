"""How long the embedded PostgreSQL takes to start: the first time, later, and after a kill. Prints seconds."""

import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

from appservice.database.embedded import EmbeddedPostgres

RUNS = 10


async def _start(directory: Path, *, kill: bool = False) -> float:
    started = time.perf_counter()
    async with EmbeddedPostgres(directory) as server:
        took = time.perf_counter() - started
        if kill and server.pid:
            os.kill(server.pid, signal.SIGKILL)
            await server.wait()
    return took


async def main(runs: int) -> None:
    """Measure `runs` times each."""
    first, later, recovery = [], [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            first.append(await _start(Path(folder)))
            later.append(await _start(Path(folder), kill=True))
            recovery.append(await _start(Path(folder)))
    for name, taken in (("first start", first), ("later start", later), ("after a kill", recovery)):
        print(f"{name:13} median {statistics.median(taken):.3f}  worst {max(taken):.3f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS))
