"""Short commands for operators: migrate, look, give a video another try. Each returns what to print."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from appservice import resources
from appservice.config import Config
from appservice.core.errors import ConfigError, NotFoundError, UnavailableError
from appservice.core.model import RoomId, UserId, VideoId
from appservice.core.text.overview import overview_text
from appservice.database.exclusive import Fence, do_alone
from appservice.database.migrate import Phase
from appservice.database.opening import bring_up_to_date, check_up_to_date, open_database
from appservice.i18n import Texts
from appservice.media.moving import MovingFiles
from appservice.media.opening import open_both, open_storage
from appservice.service.recovery_key import RecoveryKey
from appservice.service.use_cases import UseCases
from appservice.store import (
    AdminStore,
    AuditLine,
    ErasureStore,
    ExportStore,
    Stores,
    UnderWay,
    UploadStore,
    open_pool,
)
from appservice.store.audit import ITSELF
from appservice.store.outbox import Pool
from appservice.store.outgoing import DEVICE_LOCK
from appservice.store.upload_leases import UploadLeaseStore
from appservice.wiring.encrypted_rooms import account_of
from appservice.wiring.parts import connections, unlock
from appservice.worker.scratch import scratch_folder

_CONNECTIONS = 8
_MOVE_LOCK = 7433
_TOP_EVERY_S = 2.0


@asynccontextmanager
async def _pool(config: Config) -> AsyncIterator[Pool]:
    async with open_database(config, attach=True) as dsn:
        await check_up_to_date(dsn)
        async with await open_pool(dsn, size=2) as pool:
            yield pool


@asynccontextmanager
async def open_stores(config: Config) -> AsyncIterator[Stores]:
    """Open the stores of a database that is up to date."""
    async with _pool(config) as pool:
        yield Stores(pool)


async def migrate_now(config: Config, phase: str | None) -> str:
    """Apply what is missing, of one phase or of both."""
    async with open_database(config) as dsn:
        done = await bring_up_to_date(dsn, Phase(phase) if phase else None)
    return "\n".join(f"Applied {migration}." for migration in done) or "The database is up to date."


async def status(config: Config) -> str:
    """Count the videos in each state, and print what is worked on now."""
    async with open_stores(config) as stores:
        counts = await stores.videos.counts()
        works = await stores.videos.under_way(config.worker.heartbeat_timeout)
    lines = [f"{state:<12}{count:>8}" for state, count in counts.items()] or ["There are no videos yet."]
    return "\n".join([*lines, *map(_work_line, works)])


async def top(config: Config, *, once: bool) -> AsyncIterator[str]:
    """Yield what queues and workers are at, from the database alone: `once`, or again and again."""
    async with open_stores(config) as stores:
        while True:
            try:
                yield overview_text(await stores.observation.overview(config.worker.heartbeat_timeout))
            except UnavailableError as error:
                if once:
                    raise
                yield str(error)
            if once:
                return
            await asyncio.sleep(_TOP_EVERY_S)


def _work_line(work: UnderWay) -> str:
    left = "time left unknown" if work.remaining is None else f"about {timedelta(seconds=work.remaining)} left"
    return f"{work.video_id} of {work.sender} in {work.room_id}: {work.percent} %, {left}, attempt {work.attempts}"


async def requeue(config: Config, video: str) -> str:
    """Give a failed video a new start. Raises NotFoundError when no failed video has that id."""
    video_id = _video_id(video)
    if video_id is None:
        raise ConfigError(f"{video!r} is not a video's id; `id` in the room's API and `video_id` in the log are.")
    async with _pool(config) as pool:
        if not await UseCases.on(Stores(pool), lambda: None).administration.requeue(video_id, by=ITSELF):
            raise NotFoundError(f"There is no failed video {video_id}.")
    return f"Queued {video_id} again."


async def erase(config: Config, whom: str) -> str:
    """Erase a user or a room; a worker, running or the next one, deletes the files."""
    user_id, room_id = _whom(whom)
    async with _pool(config) as pool:
        # What other processes still have in their caches ends by the NOTIFY of the rooms' changes.
        admin = UseCases.on(Stores(pool), lambda: None).administration
        count = await (admin.erase_user(user_id, by=ITSELF) if user_id else admin.erase_room(room_id, by=ITSELF))
    proof = f"`roomreel admin -c FILE remains {whom}`"
    return f"Erased {whom}: {count} videos. {proof} proves it once a worker has done its part."


async def remains(config: Config, whom: str) -> tuple[str, bool]:
    """Say what is left of a user or a room, in the database and on disk, and whether that is nothing."""
    user_id, room_id = _whom(whom)
    with TemporaryDirectory() as cache:
        return await _remains(config, whom, user_id, room_id, Path(cache))


async def _remains(config: Config, whom: str, user_id: UserId, room_id: RoomId, cache: Path) -> tuple[str, bool]:
    async with _pool(config) as pool:
        storage = open_storage(config, UploadLeaseStore(pool), cache)
        await storage.prepare()
        store = ErasureStore(pool)
        left = await store.remains(user_id=user_id or None, room_id=room_id or None)
        there = await storage.exports.ids()
        if lost := len(there - await ExportStore(pool).existing(there)):
            left["exports that nobody may fetch"] = lost
        received = await storage.uploads.ids()
        if lost := len(received - (await UploadStore(pool).with_bytes()).keys()):
            left["files of no upload"] = lost
        stray = 0
        for shard in await storage.media.shards():
            without = await store.without_a_video(await storage.media.ids(shard))
            stray += len([video_id for video_id in without if await storage.media.stages(video_id)])
        if stray:
            left["folders of no video"] = stray
    return "\n".join(f"{what}: {count}" for what, count in left.items()) or f"Nothing is left of {whom}.", not left


async def move_storage(config: Config, say: Callable[[str], None]) -> tuple[str, bool]:
    """Move videos from `storage.also` to where they are stored now; return what to print, and whether all are moved.

    May be repeated at any time, and stopped: what is moved is read in the new place, all else in the old one.
    """
    moved, failed, outcome = 0, 0, ""
    async with open_database(config, attach=True) as dsn:
        await check_up_to_date(dsn)
        with scratch_folder(config.data_dir / "cache") as folder:
            async with await open_pool(dsn, size=2) as pool:
                new, old = open_both(config, UploadLeaseStore(pool), folder)
                await new.prepare()
                await old.prepare()
                files = MovingFiles(new.media, old.media, folder)

                async def move(_: Fence) -> None:
                    nonlocal moved, failed, outcome
                    if await files.are_one():
                        raise ConfigError("`storage.also` is the same place as `storage`, by another name.")
                    async for stage in files.left():
                        if await files.move(stage):
                            moved += 1
                            say(f"Moved {stage.video_id}/{stage.stage}.")
                        else:
                            failed += 1
                    left = len(await old.uploads.ids()), len(await old.exports.ids())
                    outcome = f"{left[0]} uploads and {left[1]} exports are there until they end or expire."

                if not await do_alone(dsn, _MOVE_LOCK, move, {}):
                    raise ConfigError("Another `admin move-storage` is at it.")
    if failed:
        return f"Moved {moved} stages; {failed} were changed meanwhile: run it again. {outcome}", False
    done = outcome.startswith("0 uploads and 0 exports")
    last = "Nothing is left: remove `storage.also` from the configuration." if done else f"{outcome} Run it again then."
    return f"Moved {moved} stages. {last}", True


async def audit(config: Config, whom: str | None, most: int) -> str:
    """Return lines of the audit log, the newest last: all, or those about a user, a room or a video."""
    video_id = _video_id(whom) if whom else None
    user_id, room_id = _whom(whom) if whom and video_id is None else (UserId(""), RoomId(""))
    async with _pool(config) as pool:
        store = AdminStore(pool)
        lines = await store.audited(video_id, user_id or None, room_id or None, most)
    return "\n".join(_audit_line(line) for line in reversed(lines)) or "There is nothing in the audit log."


def _audit_line(line: AuditLine) -> str:
    about = {"video": line.video_id, "user": line.user_id, "room": line.room_id, **line.details}
    # As JSON: what people wrote has line ends and quotes of its own.
    named = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in about.items() if value is not None]
    text = " ".join([f"{line.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", line.actor, line.deed, *named])
    # What others wrote must not steer the terminal.
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


async def renew_device(config: Config, *, reset_cross_signing: bool) -> str:
    """Replace the bot's device in encrypted rooms by a new one, while no other process uses it."""
    async with open_database(config, attach=True) as dsn:
        await check_up_to_date(dsn)
        async with await open_pool(dsn, size=4) as pool, connections(_CONNECTIONS) as session:
            stores = Stores(pool)
            keyring = await unlock(config, stores.installation)
            if keyring is None:
                raise ConfigError("`encryption.key` is not set: the bot has no device. See docs/encryption.md.")
            account = account_of(config, dsn, keyring, Texts(resources.locales(), config.appservice.language))
            from appservice.encryption.opening import make_anew

            kept = RecoveryKey(stores.installation, keyring)
            done: list[tuple[str, str | None]] = []

            async def renew(fence: Fence) -> None:
                recovery = await kept.kept(), kept.keep
                done.append(
                    await make_anew(
                        account, stores.rooms, session, recovery, reset=reset_cross_signing, settings=fence.settings()
                    )
                )

            if not await do_alone(dsn, DEVICE_LOCK, renew, {}):
                raise ConfigError("Roomreel is running and uses the device: stop every `roomreel serve` first.")
    ((device_id, made),) = done
    shown = f"\nThe new recovery key, which is not shown again: {made}" if made else ""
    return f"The bot has the device {device_id} now. Start Roomreel again.{shown}"


def _video_id(text: str) -> VideoId | None:
    try:
        return VideoId(str(UUID(text)))
    except ValueError:
        return None


def _whom(text: str) -> tuple[UserId, RoomId]:
    if text.startswith("@") and ":" in text:
        return UserId(text), RoomId("")
    if text.startswith("!"):
        return UserId(""), RoomId(text)
    raise ConfigError(f"{text!r} is neither a user id (@name:server) nor a room id (!…).")
