"""Takes videos away for good, in the caller's transaction: rows emptied, and jobs for files, message and original.

The rows stay, empty, so that their events are not taken in again.
"""

import json
from collections.abc import Sequence

import asyncpg

from appservice.audit import ITSELF, Deed, note
from appservice.jobs import (
    FORGET_JOB,
    LIGHT,
    SWEEP_JOB,
    Connection,
    announce,
    concern_moderators,
    enqueue_all,
    speak_of,
)
from appservice.model import RoomId, UserId, VideoId
from appservice.rows import SQL


async def remove_videos(
    connection: Connection, rows: Sequence[asyncpg.Record], *, by: UserId, redact: bool, because: str
) -> None:
    """Remove the videos of `rows` (of a query whose name begins with `removable`).

    `redact`: their messages in the timeline go, too, once none of their videos is left. `because` says in the audit log
    what led to it.
    """
    if not rows:
        return
    events = [row["event_id"] for row in rows]
    await connection.execute(SQL["hold_galleries"], events)
    await connection.execute(SQL["empty_videos"], [row["id"] for row in rows])
    # A gallery stays while another of its videos does.
    staying = {row["event_id"] for row in await connection.fetch(SQL["still_bring"], events)}
    await enqueue_all(connection, SWEEP_JOB, [str(row["id"]) for row in rows], priority=LIGHT)
    forget = [
        {
            "room_id": row["sent_in"],
            "event_id": each["event_id"],
            "mxc": each["mxc"],
            "redact": redact and row["event_id"] not in staying,
        }
        for row in rows
        for each in (row, *row["edits"])
    ]
    await enqueue_all(connection, FORGET_JOB, [json.dumps(each) for each in forget], priority=LIGHT)
    for row in rows:
        await note(
            connection, by, Deed.ERASED, room_id=row["room_id"], video_id=row["id"], user_id=row["sender"],
            because=because,
        )  # fmt: skip
        video_id = VideoId(str(row["id"]))
        await concern_moderators(connection, video_id)
        if await connection.fetchval(SQL["was_spoken_of"], video_id):
            await speak_of(connection, video_id)
    for room_id in {row["room_id"] for row in rows}:
        await announce(connection, room_id)


async def erase_departed(connection: Connection, room_id: RoomId, user_id: UserId, *, banned: bool) -> None:
    """Remove the videos of somebody who is no longer in a room, if they were banned, or if they or the room want it."""
    if banned or await connection.fetchval(SQL["wants_erasure"], room_id, user_id):
        rows = await connection.fetch(SQL["removable_of_member"], room_id, user_id)
        await remove_videos(connection, rows, by=ITSELF, redact=False, because="ban" if banned else "leave")
