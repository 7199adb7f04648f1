"""Writes a change, queues its jobs and announces it, all in the caller's transaction."""

from datetime import timedelta
from typing import TypeAlias

import asyncpg
from pgqueuer.queries import Queries

from appservice import intake
from appservice.model import EventId, RoomId
from appservice.rows import SQL, encrypted_file_json

CHANNEL = "roomreel"
PROGRESS_CHANNEL = "roomreel_progress"
VIDEO_JOB = "video"
ROOM_JOB = "room"
NOTICE_JOB = "notice"
SWEEP_JOB = "sweep"

LIGHT, HEAVY = 10, 0  # a larger number goes first

# In quotes: only the stubs know the class as generic.
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"


async def enqueue(
    connection: Connection, job: str, payload: str, *, priority: int, after: timedelta | None = None
) -> None:
    """Queue a job in the caller's transaction: a rollback takes it along."""
    # PgQueuer is typed for a bare connection; the pool's proxy of one behaves the same.
    queries = Queries.from_asyncpg_connection(connection)  # type: ignore[arg-type]
    await queries.enqueue(job, payload.encode(), priority, execute_after=after)


async def announce(connection: Connection, room_id: str) -> None:
    """Tell every process, when the transaction commits, that the room changed."""
    await connection.execute(SQL["announce"], room_id)


async def apply(connection: Connection, change: intake.Change) -> None:
    """Write one change and queue its jobs."""
    room_id = change.room_id
    await connection.execute(SQL["upsert_room"], room_id)
    match change:
        case intake.NewVideo():
            await _insert_video(connection, change)
        case intake.MemberChanged():
            await connection.execute(
                SQL["upsert_member"], room_id, change.user_id, change.membership, change.display_name, change.avatar_mxc
            )
        case intake.BotMembershipChanged():
            await connection.execute(SQL["set_bot_membership"], room_id, change.membership, change.sender)
            await enqueue(connection, ROOM_JOB, room_id, priority=LIGHT)
        case intake.RoomNamed():
            await connection.execute(SQL["set_room_name"], room_id, change.name)
        case intake.PowerChanged():
            await connection.execute(SQL["set_power_levels"], room_id, change.content)
            await enqueue(connection, ROOM_JOB, room_id, priority=LIGHT)
        case intake.RoomEncrypted():
            await connection.execute(SQL["set_encrypted"], room_id)
            await enqueue(connection, ROOM_JOB, room_id, priority=LIGHT)
        case intake.RoomReplaced():
            await connection.execute(SQL["set_replaced_by"], room_id, change.replaced_by)
            await enqueue(connection, ROOM_JOB, room_id, priority=LIGHT)
        case intake.Redacted():
            await _remove_by_event(connection, room_id, change.target)
    await announce(connection, room_id)


async def _insert_video(connection: Connection, change: intake.NewVideo) -> None:
    video_id = await connection.fetchval(
        SQL["insert_video"], change.event_id, change.room_id, change.sender, change.title, change.mxc,
        encrypted_file_json(change.encrypted_file), change.claimed_size, change.certain, change.sent_at,
    )  # fmt: skip
    if video_id is not None:
        await enqueue(connection, VIDEO_JOB, str(video_id), priority=HEAVY)


async def _remove_by_event(connection: Connection, room_id: RoomId, event_id: EventId) -> None:
    removed = await connection.fetchrow(SQL["remove_by_event"], room_id, event_id)
    if removed is not None:
        await enqueue(connection, SWEEP_JOB, str(removed["id"]), priority=LIGHT)
        await announce(connection, removed["room_id"])  # an upgrade may have moved it
