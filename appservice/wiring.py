"""The composition root: the only place where configuration, adapters and routes meet."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog
from aiohttp import web

from appservice import resources
from appservice.changes import Pool
from appservice.config import Config
from appservice.database import EMBEDDED, bring_up_to_date, check_up_to_date, open_database
from appservice.errors import ConfigError, HomeserverError, RequestError
from appservice.files import LocalFiles
from appservice.intake import BotMembershipChanged
from appservice.matrix.client import Homeserver
from appservice.matrix.discovery import GuardedConnector
from appservice.matrix.openid import OpenIdVerifier
from appservice.model import Membership, VideoId
from appservice.store import Store, open_pool
from appservice.texts import Texts
from appservice.web.access import Access
from appservice.web.app import build_app, build_metrics_app
from appservice.web.context import Context
from appservice.web.hub import Hub
from appservice.web.reels import ReelCache
from appservice.worker.loop import Handlers, Worker
from appservice.worker.rooms import RoomWork, tell_failure
from appservice.worker.scratch import scratch_folder
from appservice.worker.videos import VideoWork, settings_of
from transcode import find_tools
from transcode.tools import usable_encoder

log = structlog.get_logger()

_HTTP_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10)
_FIRST_RETRY_S, _LONGEST_RETRY_S = 1.0, 30.0
_DRAIN_S = 5.0


@dataclass(frozen=True)
class Parts:
    """What every long-running command needs."""

    config: Config
    dsn: str
    pool: Pool
    store: Store
    session: aiohttp.ClientSession
    homeserver: Homeserver
    files: LocalFiles
    texts: Texts


def homeserver_of(config: Config, session: aiohttp.ClientSession) -> Homeserver:
    """Return the client of the configured homeserver."""
    token = config.appservice.as_token.get_secret_value()
    return Homeserver(session, config.homeserver.url, token, config.appservice.id, config.bot)


@asynccontextmanager
async def _open_parts(config: Config, dsn: str) -> AsyncIterator[Parts]:
    async with AsyncExitStack() as stack:
        # Twice the light and heavy jobs, the queues' listeners, and room for requests.
        pool = await stack.enter_async_context(await open_pool(dsn, size=20 + 2 * config.worker.concurrency))
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=_HTTP_TIMEOUT))
        files = LocalFiles(config.data_dir / "media")
        await files.prepare()
        yield Parts(
            config=config,
            dsn=dsn,
            pool=pool,
            store=Store(pool),
            session=session,
            homeserver=homeserver_of(config, session),
            files=files,
            texts=Texts(resources.locales(), config.appservice.language),
        )


def _build_worker(parts: Parts, scratch: Path) -> Worker:
    config, store = parts.config, parts.store
    tools = find_tools(config.transcode.ffmpeg, config.transcode.ffprobe)
    encoder, trouble = usable_encoder(tools, config.transcode.encoder)
    if trouble:
        log.warning("encoder_replaced", wanted=config.transcode.encoder, used=encoder, reason=trouble)
    videos = VideoWork(
        config=config, store=store, homeserver=parts.homeserver, session=parts.session, files=parts.files,
        tools=tools, settings=settings_of(config, encoder), scratch=scratch,
    )  # fmt: skip
    for weakness in videos.tools.sandbox.weaknesses:
        log.warning("sandbox_weak", reason=weakness)
    rooms = RoomWork(config, store, parts.homeserver, parts.texts)

    async def notice(video_id: VideoId) -> None:
        await tell_failure(video_id, store, parts.homeserver, parts.texts)

    async def recover() -> None:
        if lost := await store.recover_lost_jobs():
            log.warning("lost_jobs_recovered", videos=lost)

    handlers = Handlers(video=videos.run, sweep=videos.sweep, notice=notice, room=rooms.run, recover=recover)
    return Worker(
        parts.pool,
        handlers,
        concurrency=config.worker.concurrency,
        heartbeat_timeout=config.worker.heartbeat_timeout,
    )


async def _build_context(parts: Parts, stack: AsyncExitStack) -> Context:
    config = parts.config
    identity = config.identity
    federation = None
    if identity.federation:
        connector = GuardedConnector(identity.allowed_networks)
        federation = await stack.enter_async_context(
            aiohttp.ClientSession(connector=connector, timeout=_HTTP_TIMEOUT, trust_env=False)
        )
    known = {**identity.homeservers, config.homeserver.server_name: config.homeserver.url}
    return Context(
        config=config,
        store=parts.store,
        homeserver=parts.homeserver,
        openid=OpenIdVerifier(parts.session, known, federation),
        files=parts.files,
        access=Access(parts.store, await parts.store.secret("signing", Access.new_key())),
        hub=Hub(parts.dsn),
        reels=ReelCache(),
        session=parts.session,
    )


async def _listen(app: web.Application, host: str, port: int, stack: AsyncExitStack) -> None:
    # Widgets hold event streams open for ever: at a stop they are cut, and connect again elsewhere.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise ConfigError(f"Cannot listen on {host}:{port} ({error}). Is another Roomreel running?") from error
    log.info("listening", host=host, port=port)


async def _introduce(parts: Parts) -> None:
    """Make ourselves known to the homeserver and look after every room, however long it takes to answer."""
    delay = _FIRST_RETRY_S
    while True:
        try:
            await parts.homeserver.register(parts.config.appservice.bot_name)
            joined = await parts.homeserver.joined_rooms()
            unknown = [room_id for room_id in joined if await parts.store.room(room_id) is None]
            bot = parts.homeserver.bot
            await parts.store.apply([BotMembershipChanged(room_id, Membership.JOIN, bot) for room_id in unknown])
            await parts.store.tend(await parts.store.tended_rooms())
            # A ping that succeeds makes the homeserver deliver what it holds back after failures.
            await parts.homeserver.ping()
        except (HomeserverError, RequestError) as error:
            log.error(  # noqa: TRY400 - the reason says all
                "homeserver_unreachable",
                url=parts.homeserver.url,
                reason=str(error),
                retry_seconds=delay,
                hint="Run `roomreel check` for what to do.",
            )
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_RETRY_S)
        else:
            log.info("homeserver_connected", url=parts.homeserver.url, rooms=len(joined))
            return


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _run_until_stopped(worker: Worker | None, *others: asyncio.Task[None]) -> None:
    stop = asyncio.create_task(_stop_on_signals().wait())
    work = asyncio.create_task(worker.run()) if worker else None
    watched = {task for task in (stop, work) if task}
    try:
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
    finally:
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


async def serve(config: Config, *, with_worker: bool) -> None:
    """Run the web server, the application service and, unless told otherwise, one worker; until a signal."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(open_database(config))
        for migration in await bring_up_to_date(dsn, everything=config.database == EMBEDDED):
            log.info("migrated", migration=str(migration))
        parts = await stack.enter_async_context(_open_parts(config, dsn))
        context = await _build_context(parts, stack)
        worker = None
        if not with_worker and config.database == EMBEDDED:
            log.warning("nobody_works", hint="No other process can share the embedded database: videos stay queued.")
        if with_worker:
            worker = _build_worker(parts, stack.enter_context(scratch_folder(config.data_dir / "scratch")))
        await _listen(build_metrics_app(context), config.metrics.host, config.metrics.port, stack)
        await _listen(build_app(context), config.web.host, config.web.port, stack)
        hub = asyncio.create_task(context.hub.run())
        introduction = asyncio.create_task(_introduce(parts))
        await _run_until_stopped(worker, hub, introduction)


async def work(config: Config) -> None:
    """Run one more worker on the same database; until a signal."""
    if config.database == EMBEDDED:
        raise ConfigError("A worker of its own needs a shared database: set `database` to a PostgreSQL address.")
    async with open_database(config) as dsn:
        await check_up_to_date(dsn)
        async with _open_parts(config, dsn) as parts:
            with scratch_folder(config.data_dir / "scratch") as scratch:
                await _run_until_stopped(_build_worker(parts, scratch))
