"""Queues jobs and announces changes, in the caller's transaction: a rollback takes them along."""

import secrets
from datetime import timedelta
from typing import TypeAlias

import asyncpg
from pgqueuer.queries import Queries

from appservice.core.jobs import Job, Notify, OnceGone, Priority, UpdateQueuePosts, UpdateStatus
from appservice.core.model import EventId, RoomId, UserId, Video, VideoId
from appservice.store.sql import query

CHANNEL = "roomreel"
PROGRESS_CHANNEL = "roomreel_progress"
WATCHING_CHANNEL = "roomreel_watching"
SEGMENTS_CHANNEL = "roomreel_grown"
TALK_CHANNEL = "roomreel_talk"

# In quotes: only the stubs know the class as generic.
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"


async def queue(
    connection: Connection, *jobs: Job, priority: Priority | None = None, after: timedelta | None = None
) -> None:
    """Queue jobs in the caller's transaction: a rollback takes them along. `priority`: another than their kind's."""
    if jobs:
        # PgQueuer is typed for a bare connection; the pool's proxy of one behaves the same.
        await Queries.from_asyncpg_connection(connection).enqueue(  # type: ignore[arg-type]
            [job.name for job in jobs],
            [job.payload().encode() for job in jobs],
            [job.priority if priority is None else priority for job in jobs],
            [after] * len(jobs),
        )


async def announce(connection: Connection, room_id: str) -> None:
    """Notify every process, when the transaction commits, that the room changed."""
    await connection.execute(*query("announce", room_id=room_id))


async def announce_talk(connection: Connection, room_id: str, about: EventId, *, relates: bool = False) -> None:
    """Notify every process, when the transaction commits, that something about an event is new (`changes.Talk`)."""
    await connection.execute(*query("announce_talk", room_ids=[room_id], targets=[about], relates=[relates]))


async def announce_watching(connection: Connection, room_id: str) -> None:
    """Notify every process, when the transaction commits, that others watch the room's channel now."""
    await connection.execute(*query("announce_watching", room_id=room_id))


async def notify(
    connection: Connection, room_id: RoomId, user_id: UserId, thread: EventId | None, message: str, *,
    once_gone: tuple[Video, timedelta] | None = None, **arguments: object,
) -> None:  # fmt: skip
    """Queue a notification of somebody by a text, once, in their language; in a thread of that room, if any.

    `arguments` are the text's, and what the worker makes of some: `title`, with the video's `kind` and when it was
    `sent` (ms since the epoch), is what people call it; a `failure` is its reason; any other `reason`, where there is
    one, follows the text.

    `once_gone`: not before a video, as it was when it was taken away, has been away for so long; and not at all when it
    was brought back meanwhile, also where it was taken away again.
    """
    video, after = once_gone or (None, None)
    # Taking it away was one change of it.
    condition = OnceGone(video.id, video.version + 1) if video else None
    job = Notify(room_id, user_id, thread, message, arguments, once=secrets.token_hex(16), once_gone=condition)
    await queue(connection, job, after=after)


async def update_status(connection: Connection, video_id: VideoId, *, after: timedelta | None = None) -> None:
    """Queue an update of the marks and notices of a video, by its state by then."""
    await queue(connection, UpdateStatus(video_id), after=after)


async def concern_moderators(connection: Connection, video_id: VideoId) -> None:
    """Queue an update of the video's posts in the moderators' queue, if it has any (or is to have)."""
    if await connection.fetchval(*query("concerns_moderators", video_id=video_id)):
        await queue(connection, UpdateQueuePosts(video_id))


async def alert(connection: Connection, subject: str, **details: object) -> None:
    """Queue an alert for admins, sent soon, and together with more of its subject."""
    await connection.execute(*query("add_alert", subject=subject, details=details))
