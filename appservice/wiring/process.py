"""Runs the service until a signal: the web server, the application service, and workers."""

import asyncio
import ctypes
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from appservice import resources
from appservice.config import EMBEDDED, Config
from appservice.core.errors import ConfigError, HomeserverError, RequestError
from appservice.database.migrate import Phase
from appservice.database.opening import bring_up_to_date, check_up_to_date, open_database, refuse_pooler
from appservice.web.app import build_app
from appservice.web.channel import expire_watching
from appservice.web.connections import ConnectionBounds, ConnectionLimits, raise_descriptor_limit
from appservice.web.health import Readiness, Vitals, add_health
from appservice.web.monitoring import Readings, build_metrics_app
from appservice.wiring.encrypted_rooms import build_encrypted_rooms
from appservice.wiring.parts import Parts, can_encrypt, open_parts, policy_work
from appservice.wiring.web import build_context
from appservice.worker.introduction import introduce
from appservice.worker.scratch import scratch_folder
from appservice.worker.timeline import look_after_all

if TYPE_CHECKING:
    from appservice.worker.loop import Worker

log = structlog.get_logger()

_FIRST_RETRY_S, _LONGEST_RETRY_S = 1.0, 30.0
_DRAIN_S = 5.0
_SCRAPERS = ConnectionLimits(total=64, per_address=32)


async def _listen(app: web.Application, host: str, port: int, bounds: ConnectionBounds, stack: AsyncExitStack) -> None:
    try:
        await stack.enter_async_context(bounds.listening(app, host, port))
    except OSError as error:
        raise ConfigError(f"Cannot listen on {host}:{port} ({error}). Is another Roomreel running?") from error
    log.info("listening", host=host, port=port)


async def _introduce(parts: Parts) -> None:
    """Make ourselves known to the homeserver and look after every room, however long it takes to respond."""
    delay = _FIRST_RETRY_S
    while True:
        try:
            await introduce(parts.homeserver, parts.stores, parts.config.appservice.bot_name, resources.avatar())
            await policy_work(parts).begin()
            rooms = await look_after_all(parts.stores, parts.homeserver)
            # A ping that succeeds makes the homeserver deliver what it holds back after failures.
            await parts.homeserver.ping()
        except (HomeserverError, RequestError) as error:
            log.error(  # noqa: TRY400 - the reason says all
                "homeserver_unreachable",
                url=parts.homeserver.url,
                reason=str(error),
                retry_seconds=delay,
                hint="Run `roomreel check -c FILE` for what to do.",
            )
        except Exception:
            log.exception("introduction_broken", url=parts.homeserver.url, retry_seconds=delay)
        else:
            log.info("homeserver_connected", url=parts.homeserver.url, rooms=rooms)
            return
        await asyncio.sleep(delay)
        delay = min(delay * 2, _LONGEST_RETRY_S)


def _monitoring(parts: Parts, vitals: Vitals, *, of_installation: bool) -> web.Application:
    """Return what Prometheus reads, and probes ask; `of_installation`: also what is in the database."""
    config, stores = parts.config, parts.stores
    readings = Readings(
        stores, parts.pool, config.data_dir, config.worker.heartbeat_timeout, of_installation=of_installation
    )
    app = build_metrics_app(readings)
    add_health(app, vitals, Readiness(stores.observation, config.data_dir / "media"))
    return app


def _return_memory() -> None:
    """Return to the system what the start needed and has freed: glibc keeps it, musl does not."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def run_until_stopped(
    worker: "Worker | None", *others: asyncio.Task[None], vitals: Vitals, drain_s: float = 0.0
) -> None:
    """Work until a signal comes, then drain for some seconds. What any of it raises ends all, and is raised.

    `vitals` get to know the worker, and that it is draining or ends.
    """
    _return_memory()
    stop = asyncio.create_task(_stop_on_signals().wait())
    work = asyncio.create_task(worker.run()) if worker else None
    if work:
        vitals.essential["worker"] = work
    going = {task for task in (work, *others) if task}
    try:
        while not stop.done():
            done, _ = await asyncio.wait({stop, *going}, return_when=asyncio.FIRST_COMPLETED)
            going -= done
            for task in done - {stop}:
                # A supervisor must notice it: half a service would look like a whole one.
                task.result()
        if worker:
            worker.stop()
        vitals.is_draining = True
        log.info("draining", seconds=drain_s)
        await asyncio.sleep(drain_s)
    finally:
        vitals.is_draining = True
        stop.cancel()
        for task in others:
            task.cancel()
        if worker and work:
            worker.stop()
            await asyncio.wait({work}, timeout=_DRAIN_S)
            if not work.done():
                work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        log.info("stopped")


async def _build_worker(parts: Parts, stack: AsyncExitStack) -> "Worker":
    # What makes videos takes megabytes, which a process without a worker spares.
    from appservice.wiring.worker import build_worker

    return await build_worker(parts, stack.enter_context(scratch_folder(parts.config.data_dir / "scratch")))


async def serve(config: Config, *, with_worker: bool) -> None:
    """Run the web server, the application service and one worker `with_worker`; until a signal."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(open_database(config))
        await refuse_pooler(config)
        for migration in await bring_up_to_date(dsn, None if config.database == EMBEDDED else Phase.BEFORE):
            log.info("migrated", migration=str(migration))
        parts = await stack.enter_async_context(open_parts(config, dsn, serves_encrypted=can_encrypt(config)))
        context = await build_context(parts, stack)
        worker = None
        if not with_worker and config.database == EMBEDDED:
            log.warning("nobody_works", hint="No other process can share the embedded database: videos stay queued.")
        if with_worker:
            worker = await _build_worker(parts, stack)
        limits = ConnectionLimits.of(raise_descriptor_limit())
        scrapers, viewers = ConnectionBounds(_SCRAPERS), ConnectionBounds(limits, config.web.trusted_proxies)
        monitoring = _monitoring(parts, context.vitals, of_installation=True)
        await _listen(monitoring, config.metrics.host, config.metrics.port, scrapers, stack)
        await _listen(build_app(context), config.web.host, config.web.port, viewers, stack)
        hub = asyncio.create_task(context.hub.run())
        silent = asyncio.create_task(expire_watching(context.stores.channels))
        introduction = asyncio.create_task(_introduce(parts))
        encrypted_rooms = build_encrypted_rooms(parts)
        encryption = {"encrypted rooms": asyncio.create_task(encrypted_rooms.run())} if encrypted_rooms else {}
        context.vitals.essential |= {"event streams": hub, "channel": silent, **encryption}
        await run_until_stopped(
            worker, introduction, hub, silent, *encryption.values(), vitals=context.vitals, drain_s=config.web.drain
        )


async def work(config: Config, *, metrics_port: int | None = None) -> None:
    """Run one more worker on the same database, which serves its metrics at a port, if there is one; until a signal."""
    if config.database == EMBEDDED:
        raise ConfigError("A worker of its own needs a shared database: set `database` to a PostgreSQL address.")
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(open_database(config))
        await refuse_pooler(config)
        await check_up_to_date(dsn)
        # It queues what is to be encrypted, for which the key is enough: a `serve` that has the packages encrypts it.
        serves_encrypted = config.encryption.key is not None
        parts = await stack.enter_async_context(open_parts(config, dsn, serves_encrypted=serves_encrypted))
        worker = await _build_worker(parts, stack)
        vitals = Vitals()
        if metrics_port is not None:
            scrapers, monitoring = ConnectionBounds(_SCRAPERS), _monitoring(parts, vitals, of_installation=False)
            await _listen(monitoring, config.metrics.host, metrics_port, scrapers, stack)
        await run_until_stopped(worker, vitals=vitals)
