"""Queues jobs and announces changes, in the caller's transaction: a rollback takes them along."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

import asyncpg
from pgqueuer.queries import Queries

from appservice.core.jobs import Job, Notify, OnceGone, Priority, UpdateQueuePosts, UpdateStatus
from appservice.core.model import EventId, RoomId, UserId, Video, VideoId
from appservice.store.sql import query

CHANNEL = "roomreel"
REVISIONS_CHANNEL = "roomreel_revisions"
PROGRESS_CHANNEL = "roomreel_progress"
WATCHING_CHANNEL = "roomreel_watching"
SEGMENTS_CHANNEL = "roomreel_grown"
TALK_CHANNEL = "roomreel_talk"

# In quotes: only the stubs know the class as generic.
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"


@dataclass(frozen=True, slots=True)
class Queued:
    """A job to be queued after those of smaller numbers; `priority`: another than its kind's."""

    number: int
    job: Job
    priority: Priority | None = None
    after: timedelta | None = None


async def queue(
    connection: Connection, *jobs: Job, priority: Priority | None = None, after: timedelta | None = None
) -> None:
    """Queue jobs in the caller's transaction: a rollback takes them along. `priority`: another than their kind's."""
    await queue_all(connection, [Queued(0, job, priority, after) for job in jobs])


async def queue_all(connection: Connection, queued: Sequence[Queued]) -> None:
    """Queue jobs by their numbers, in the caller's transaction."""
    if queued:
        queued = sorted(queued, key=lambda each: each.number)
        # PgQueuer is typed for a bare connection; the pool's proxy of one behaves the same.
        await Queries.from_asyncpg_connection(connection).enqueue(  # type: ignore[arg-type]
            [each.job.name for each in queued],
            [each.job.payload().encode() for each in queued],
            [each.job.priority if each.priority is None else each.priority for each in queued],
            [each.after for each in queued],
        )


async def announce(connection: Connection, room_id: str) -> None:
    """Notify every process, when the transaction commits, that the room changed."""
    await announce_all(connection, [room_id])


async def announce_all(connection: Connection, room_ids: Iterable[str]) -> None:
    """Notify every process, when the transaction commits, that these rooms changed."""
    if rooms := list(room_ids):
        await connection.execute(*query("announce", room_ids=rooms))


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
    job = replace(notification(room_id, user_id, thread, message, **arguments), once_gone=condition)
    await queue(connection, job, after=after)


def notification(room_id: RoomId, user_id: UserId, thread: EventId | None, message: str, **arguments: object) -> Notify:
    """Return the job of a notification, as `notify` queues it."""
    return Notify(room_id, user_id, thread, message, arguments, once=secrets.token_hex(16))


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
