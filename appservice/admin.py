"""Short commands for operators: migrate, look, give a video another try. Each returns what to print."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from appservice.config import Config
from appservice.database import bring_up_to_date, check_up_to_date, connect, open_database
from appservice.errors import ConfigError, NotFoundError
from appservice.migrate import Phase, load_migrations, migrate
from appservice.model import VideoId
from appservice.resources import migrations
from appservice.store import Store, UnderWay, open_pool


@asynccontextmanager
async def _store(config: Config) -> AsyncIterator[Store]:
    async with open_database(config, attach=True) as dsn:
        await check_up_to_date(dsn)
        async with await open_pool(dsn, size=2) as pool:
            yield Store(pool)


async def migrate_now(config: Config, phase: str | None) -> str:
    """Apply what is missing, of one phase or of both."""
    async with open_database(config) as dsn:
        if phase is None:
            done = await bring_up_to_date(dsn, everything=True)
        else:
            connection = await connect(dsn)
            try:
                done = await migrate(connection, load_migrations(migrations()), Phase(phase))
            finally:
                await connection.close()
    return "\n".join(f"Applied {migration}." for migration in done) or "The database is up to date."


async def status(config: Config) -> str:
    """Count the videos in each state, and tell what is worked on now."""
    async with _store(config) as store:
        counts = await store.counts()
        works = await store.under_way(config.worker.heartbeat_timeout)
    lines = [f"{state:<12}{count:>8}" for state, count in counts.items()] or ["There are no videos yet."]
    return "\n".join([*lines, *map(_work_line, works)])


def _work_line(work: UnderWay) -> str:
    left = "time left unknown" if work.remaining is None else f"about {timedelta(seconds=work.remaining)} left"
    return f"{work.video_id} of {work.sender} in {work.room_id}: {work.percent} %, {left}, attempt {work.attempts}"


async def requeue(config: Config, video: str) -> str:
    """Give a failed video a new start. Raises NotFoundError when no failed video has that id."""
    try:
        video_id = VideoId(str(UUID(video)))
    except ValueError as error:
        raise ConfigError(
            f"{video!r} is not a video's id; `id` in the room's API and `video_id` in the log are."
        ) from error
    async with _store(config) as store:
        if not await store.requeue(video_id):
            raise NotFoundError(f"There is no failed video {video_id}.")
    return f"Queued {video_id} again."
