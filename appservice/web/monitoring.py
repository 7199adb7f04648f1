"""The application for Prometheus and probes: metrics, also those that are read from the database when it asks."""

import asyncio
import contextlib
import os
import shutil
from functools import partial
from pathlib import Path

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from appservice import metrics
from appservice.core.errors import UnavailableError
from appservice.core.model import State
from appservice.store import Stores
from appservice.store.outbox import Pool

_READ_EVERY_S = 5.0


class Readings:
    """Sets the metrics that are states and not events, at most once in some seconds, however many ask.

    `of_installation`: also those of the database, which are the same in each process that reads them.
    """

    def __init__(
        self, stores: Stores, pool: Pool, data_dir: Path, heartbeat_timeout: float, *, of_installation: bool
    ) -> None:
        self._stores = stores
        self._pool = pool
        self._data_dir = data_dir
        self._heartbeat_timeout = heartbeat_timeout
        self._of_installation = of_installation
        self._turn = asyncio.Lock()
        self._read_at = float("-inf")

    async def read(self) -> None:
        """Set them, where they are older than some seconds."""
        clock = asyncio.get_running_loop().time
        async with self._turn:
            if clock() - self._read_at >= _READ_EVERY_S:
                await self._read()
                self._read_at = clock()

    async def _read(self) -> None:
        with contextlib.suppress(OSError):
            disk = await asyncio.to_thread(shutil.disk_usage, self._data_dir)
            metrics.DISK_FREE.set(disk.free)
            metrics.DISK_SIZE.set(disk.total)
        idle = self._pool.get_idle_size()
        metrics.DATABASE_CONNECTIONS.labels("idle").set(idle)
        metrics.DATABASE_CONNECTIONS.labels("used").set(self._pool.get_size() - idle)
        metrics.DATABASE_CONNECTIONS_LIMIT.set(self._pool.get_max_size())
        try:
            await (self._read_installation() if self._of_installation else self._stores.observation.now())
        except UnavailableError:
            metrics.DATABASE_UP.set(0)
            for gauge in (metrics.VIDEOS, metrics.QUEUE_JOBS, metrics.QUEUE_OLDEST, metrics.STORAGE_BYTES):
                gauge.clear()  # unknown is not zero
        else:
            metrics.DATABASE_UP.set(1)

    async def _read_installation(self) -> None:
        counts = await self._stores.videos.counts()
        for state in State:
            metrics.VIDEOS.labels(state).set(counts.get(state, 0))
        for queue, depth in (await self._stores.observation.queues(self._heartbeat_timeout)).items():
            for name, jobs in zip(metrics.QUEUE_STATES, (depth.due, depth.later, depth.taken), strict=True):
                metrics.QUEUE_JOBS.labels(queue, name).set(jobs)
            metrics.QUEUE_OLDEST.labels(queue).set(depth.oldest)
        for kind, stored in (await self._stores.observation.stored_bytes()).items():
            metrics.STORAGE_BYTES.labels(kind).set(stored)
        exports = await asyncio.to_thread(_bytes_in, self._data_dir / "exports")
        if exports is not None:
            metrics.STORAGE_BYTES.labels("exports").set(exports)


def _bytes_in(folder: Path) -> int | None:
    """Return the bytes of a folder's files: one for each person's export, for a day. None: there is no folder."""
    total = 0
    try:
        for entry in os.scandir(folder):
            with contextlib.suppress(FileNotFoundError):
                total += entry.stat(follow_symlinks=False).st_size
    except OSError:
        return None
    return total


async def _metrics(readings: Readings, _: web.Request) -> web.Response:
    await readings.read()
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def build_metrics_app(readings: Readings) -> web.Application:
    """Return the application for Prometheus, served on a listener of its own."""
    app = web.Application()
    app.router.add_get("/metrics", partial(_metrics, readings))
    return app
