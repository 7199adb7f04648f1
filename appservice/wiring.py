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
from appservice.commands.context import Services as CommandServices
from appservice.commands.run import CommandWork
from appservice.config import Config
from appservice.core.errors import ConfigError, HomeserverError, RequestError
from appservice.core.languages import LANGUAGES
from appservice.core.rules.video_permissions import UNDO_S
from appservice.core.web.reels import ReelCache
from appservice.database.migrate import Phase
from appservice.database.opening import EMBEDDED, bring_up_to_date, check_up_to_date, open_database
from appservice.i18n import Texts
from appservice.matrix.client import Homeserver
from appservice.matrix.discovery import GuardedConnector
from appservice.matrix.names import Names, SystemResolver
from appservice.matrix.openid import Federation, OpenIdVerifier, Peer
from appservice.media.files import ExportFolder, LocalFiles, UploadFolder
from appservice.store import (
    AdminStore,
    ChannelStore,
    CommandStore,
    ContentStore,
    ErasingStore,
    ExportStore,
    ManagingStore,
    ModeratingStore,
    PlaceStore,
    PolicyStore,
    PublicStore,
    QuotaStore,
    SentForStore,
    SignInStore,
    StatusStore,
    Store,
    TimelineStore,
    UploadStore,
    VerdictStore,
    open_pool,
)
from appservice.store.outbox import Pool
from appservice.web.access import Access
from appservice.web.app import build_app, build_metrics_app
from appservice.web.channel import forget_the_silent
from appservice.web.clock import SharedClock
from appservice.web.connections import ConnectionBounds, ConnectionLimits, raise_descriptor_limit
from appservice.web.context import Context
from appservice.web.event_streams import EventStreams
from appservice.web.hub import Hub
from appservice.web.limits import RateLimits
from appservice.web.relations import SaidReader
from appservice.worker.command_responses import answer_command
from appservice.worker.concurrency import Lanes
from appservice.worker.contents import Contents
from appservice.worker.erasure import ErasingWork
from appservice.worker.exports import ExportWork
from appservice.worker.introduction import introduce
from appservice.worker.loop import Handlers, Worker
from appservice.worker.notifications import TellWork
from appservice.worker.policies import PolicyWork
from appservice.worker.queue_posts import QueuePosts
from appservice.worker.rooms import RoomWork
from appservice.worker.scratch import scratch_folder
from appservice.worker.status import StatusWork
from appservice.worker.timeline import TimelineWork, look_after_all
from appservice.worker.uploads import UploadWork
from appservice.worker.verdicts import VerdictWork
from appservice.worker.videos import VideoWork, settings_of
from appservice.worker.watch import Watch
from transcode import find_tools
from transcode.process.tools import usable_encoder

log = structlog.get_logger()

_HTTP_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10)
_MOST_CONNECTIONS, _MOST_OF_PEER = 100, 32
_FIRST_RETRY_S, _LONGEST_RETRY_S = 1.0, 30.0
_DRAIN_S = 5.0
_DATABASE_CONNECTIONS = 6  # for each ladder that is made at a time
_SCRAPERS = ConnectionLimits(total=64, per_address=32)


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
    uploads: UploadStore
    upload_folder: UploadFolder
    export_folder: ExportFolder


def homeserver_of(config: Config, session: aiohttp.ClientSession) -> Homeserver:
    """Return the client of the configured homeserver."""
    token = config.appservice.as_token.get_secret_value()
    admin = config.homeserver.admin_token
    return Homeserver(
        session, config.homeserver.url, token, config.appservice.id, config.bot,
        admin.get_secret_value() if admin else None,
    )  # fmt: skip


@asynccontextmanager
async def _connections(most: int) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a pool of connections, and threads to resolve names, that only its users can fill."""
    resolver = SystemResolver()
    connector = aiohttp.TCPConnector(resolver=resolver, limit=most)
    async with aiohttp.ClientSession(connector=connector, timeout=_HTTP_TIMEOUT) as session:
        try:
            yield session
        finally:
            await resolver.close()


@asynccontextmanager
async def _open_parts(config: Config, dsn: str) -> AsyncIterator[Parts]:
    async with AsyncExitStack() as stack:
        # The light jobs and the videos, the queues' listeners, and room for requests.
        size = 32 + _DATABASE_CONNECTIONS * config.worker.concurrency
        pool = await stack.enter_async_context(await open_pool(dsn, size=size))
        session = await stack.enter_async_context(_connections(_MOST_CONNECTIONS))
        files = LocalFiles(config.data_dir / "media")
        await files.prepare()
        upload_folder = UploadFolder(config.data_dir / "uploads")
        await upload_folder.prepare()
        export_folder = ExportFolder(config.data_dir / "exports")
        await export_folder.prepare()
        yield Parts(
            config=config,
            dsn=dsn,
            pool=pool,
            store=Store(pool, config.limits, judging=config.moderation.webhook is not None),
            session=session,
            homeserver=homeserver_of(config, session),
            files=files,
            texts=Texts(resources.locales(), config.appservice.language),
            uploads=UploadStore(pool, config.limits),
            upload_folder=upload_folder,
            export_folder=export_folder,
        )


async def _build_worker(parts: Parts, scratch: Path) -> Worker:
    config, store = parts.config, parts.store
    tools = find_tools(config.transcode.ffmpeg, config.transcode.ffprobe)
    encoder, trouble = usable_encoder(tools, config.transcode.encoder)
    if trouble:
        log.warning("encoder_replaced", wanted=config.transcode.encoder, used=encoder, reason=trouble)
    videos = VideoWork(
        config=config, store=store, homeserver=parts.homeserver, session=parts.session, files=parts.files,
        tools=tools, settings=settings_of(config, encoder), scratch=scratch,
        contents=Contents(ContentStore(parts.pool), tools), quotas=QuotaStore(parts.pool, config.limits),
        lanes=Lanes(config.worker.concurrency),
    )  # fmt: skip
    for weakness in videos.tools.sandbox.weaknesses:
        log.warning("sandbox_weak", reason=weakness)
    policies = PolicyStore(parts.pool)
    rooms = RoomWork(config, store, parts.homeserver, parts.texts, policies)
    uploads = UploadWork(config, parts.store, parts.uploads, parts.upload_folder, parts.homeserver, tools, scratch)

    managing, moderating = ManagingStore(parts.pool), ModeratingStore(parts.pool)
    commands, erasure = CommandStore(parts.pool), ErasingStore(parts.pool)
    erasing = ErasingWork(erasure, parts.homeserver, parts.files, parts.texts)
    admin = AdminStore(parts.pool)
    languages = {name: Texts(resources.locales(), name) for name in LANGUAGES}
    bot = CommandWork(
        CommandServices(
            config,
            store,
            managing,
            moderating,
            commands,
            erasure,
            parts.homeserver,
            policies,
            languages,
            admin,
            QuotaStore(parts.pool, config.limits),
            ExportStore(parts.pool),
        )
    )
    watch = Watch(config, admin, store, parts.homeserver, languages)
    language = config.appservice.language
    telling = TellWork(store, commands, parts.homeserver, languages, language)
    status = StatusWork(store, StatusStore(parts.pool), parts.homeserver, languages, language)
    queue_posts = QueuePosts(store, moderating, parts.homeserver, parts.files, languages, language)

    timeline = TimelineWork(config, store, TimelineStore(parts.pool, config.limits), parts.homeserver)

    taking = ExportStore(parts.pool)
    exports = ExportWork(
        taking,
        commands,
        parts.homeserver,
        parts.files,
        parts.export_folder,
        scratch,
        languages,
        language,
        config.web.public_url,
        await store.secret("export", Access.new_key()),
    )

    verdicts = VerdictWork(config.moderation.webhook, VerdictStore(parts.pool), parts.session, parts.files)

    async def answer(payload: str) -> None:
        await answer_command(payload, parts.homeserver, parts.texts)

    async def recover() -> None:
        if lost := await store.recover_lost_jobs():
            log.warning("lost_jobs_recovered", videos=lost)
        if lost := await commands.recover_lost_jobs():
            log.warning("lost_commands_recovered", rooms=lost)
        await moderating.ask()
        await verdicts.recover()
        await uploads.sweep()
        await erasing.sweep()
        await taking.forget_expired()
        await store.forget_job_log()
        while removed := await erasure.remove_due(config.retention.days):
            log.info("lifetime_over", videos=removed)
        await erasure.forget_old_sent()
        if config.retention.left_rooms_days is not None:
            await erasure.erase_left_rooms(config.retention.left_rooms_days)

    async def purge() -> None:
        await managing.purge_deleted(UNDO_S)
        await exports.sweep()

    handlers = Handlers(
        video=videos.run, sweep=videos.sweep, status=status.run, room=rooms.run, upload=uploads.run, answer=answer,
        command=bot.run, forget=erasing.forget, recover=recover, purge=purge, tell=telling.run,
        policy=PolicyWork(config, policies, parts.homeserver, parts.texts).run,
        queue_post=queue_posts.run, reaction=queue_posts.decide, alarm=watch.tell, watch=watch.look,
        timeline=timeline.run, keep=timeline.keep, export=exports.run, verdict=verdicts.run,
    )  # fmt: skip
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
        names = Names()
        stack.push_async_callback(names.close)
        connector = GuardedConnector(identity.allowed_networks, names)
        federation = Federation(
            await stack.enter_async_context(
                aiohttp.ClientSession(connector=connector, timeout=_HTTP_TIMEOUT, trust_env=False)
            ),
            names,
        )
    channels = ChannelStore(parts.pool)
    sign_ins = SignInStore(parts.pool)
    sent_for = SentForStore(parts.pool)
    access = Access(parts.store, sign_ins, await parts.store.secret("signing", Access.new_key()), config.permissions)
    known = {
        name: Peer(url, await stack.enter_async_context(_connections(_MOST_OF_PEER)))
        for name, url in {**identity.homeservers, config.homeserver.server_name: config.homeserver.url}.items()
    }
    return Context(
        config=config,
        store=parts.store,
        channels=channels,
        managing=ManagingStore(parts.pool),
        moderating=ModeratingStore(parts.pool),
        places=PlaceStore(parts.pool),
        clock=SharedClock(parts.store.now),
        sign_ins=sign_ins,
        sent_for=sent_for,
        said=SaidReader(parts.homeserver, sent_for),
        public=PublicStore(parts.pool),
        homeserver=parts.homeserver,
        openid=OpenIdVerifier(known, federation),
        files=parts.files,
        access=access,
        hub=Hub(parts.dsn, channels.watching, on_change=access.forget),
        streams=EventStreams(),
        reels=ReelCache(),
        limits=RateLimits(),
        # Avatars may come from other homeservers, however slow: what asks ours does not wait behind them.
        session=await stack.enter_async_context(_connections(_MOST_OF_PEER)),
        uploads=parts.uploads,
        upload_folder=parts.upload_folder,
        quotas=QuotaStore(parts.pool, config.limits),
        exports=ExportStore(parts.pool),
        export_folder=parts.export_folder,
    )


async def _listen(app: web.Application, host: str, port: int, bounds: ConnectionBounds, stack: AsyncExitStack) -> None:
    try:
        await stack.enter_async_context(bounds.listening(app, host, port))
    except OSError as error:
        raise ConfigError(f"Cannot listen on {host}:{port} ({error}). Is another Roomreel running?") from error
    log.info("listening", host=host, port=port)


async def _introduce(parts: Parts) -> None:
    """Make ourselves known to the homeserver and look after every room, however long it takes to answer."""
    delay = _FIRST_RETRY_S
    while True:
        try:
            await introduce(parts.homeserver, parts.store, parts.config.appservice.bot_name, resources.avatar())
            await PolicyWork(parts.config, PolicyStore(parts.pool), parts.homeserver, parts.texts).begin()
            rooms = await look_after_all(parts.store, TimelineStore(parts.pool, parts.config.limits), parts.homeserver)
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
        except Exception:
            log.exception("introduction_broken", url=parts.homeserver.url, retry_seconds=delay)
        else:
            log.info("homeserver_connected", url=parts.homeserver.url, rooms=rooms)
            return
        await asyncio.sleep(delay)
        delay = min(delay * 2, _LONGEST_RETRY_S)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def run_until_stopped(worker: Worker | None, *others: asyncio.Task[None]) -> None:
    """Work until a signal comes. What any of it raises ends all, and is raised."""
    stop = asyncio.create_task(_stop_on_signals().wait())
    work = asyncio.create_task(worker.run()) if worker else None
    going = {task for task in (work, *others) if task}
    try:
        while not stop.done():
            done, _ = await asyncio.wait({stop, *going}, return_when=asyncio.FIRST_COMPLETED)
            going -= done
            for task in done - {stop}:
                # Who restarts us must hear of it: half a service would look like a whole one.
                task.result()
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
        for migration in await bring_up_to_date(dsn, None if config.database == EMBEDDED else Phase.BEFORE):
            log.info("migrated", migration=str(migration))
        parts = await stack.enter_async_context(_open_parts(config, dsn))
        context = await _build_context(parts, stack)
        worker = None
        if not with_worker and config.database == EMBEDDED:
            log.warning("nobody_works", hint="No other process can share the embedded database: videos stay queued.")
        if with_worker:
            worker = await _build_worker(parts, stack.enter_context(scratch_folder(config.data_dir / "scratch")))
        limits = ConnectionLimits.of(raise_descriptor_limit())
        scrapers, viewers = ConnectionBounds(_SCRAPERS), ConnectionBounds(limits, config.web.trusted_proxies)
        await _listen(build_metrics_app(context), config.metrics.host, config.metrics.port, scrapers, stack)
        await _listen(build_app(context), config.web.host, config.web.port, viewers, stack)
        hub = asyncio.create_task(context.hub.run())
        silent = asyncio.create_task(forget_the_silent(context.channels))
        introduction = asyncio.create_task(_introduce(parts))
        await run_until_stopped(worker, hub, silent, introduction)


async def work(config: Config) -> None:
    """Run one more worker on the same database; until a signal."""
    if config.database == EMBEDDED:
        raise ConfigError("A worker of its own needs a shared database: set `database` to a PostgreSQL address.")
    async with open_database(config) as dsn:
        await check_up_to_date(dsn)
        async with _open_parts(config, dsn) as parts:
            with scratch_folder(config.data_dir / "scratch") as scratch:
                await run_until_stopped(await _build_worker(parts, scratch))
