"""Takes videos away for good, in the caller's transaction: rows emptied, and jobs for files, message and original.

The rows stay, empty, so that their events are not taken in again.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import asyncpg

from appservice.core.jobs import DeleteMessage, DeleteUnsent, SweepFiles, UpdateQueuePosts, UpdateStatus
from appservice.core.model import EventId, RoomId, UploadId, UserId, VideoId
from appservice.store.audit import ITSELF, Deed, note_all
from appservice.store.outbox import Connection, announce_all, announce_talk, queue
from appservice.store.sql import query

IN_FLIGHT = timedelta(minutes=1)
"""For so long a message may be on its way whose upload is given up, or whose sender has left."""
LATE = timedelta(hours=2)
"""For so long a message may come after its upload has expired: what was missed is looked for hourly."""


async def remove_videos(
    connection: Connection,
    rows: Sequence[asyncpg.Record],
    *,
    by: UserId,
    redact: bool,
    because: str,
    originals: bool = True,
) -> None:
    """Remove the videos of `rows` (of a query whose name begins with `removable`).

    `redact`: their messages in the timeline go, too, once none of their videos is left. `because` says in the audit log
    what led to it. `originals`: the homeserver's copies go, where we may delete them; else the messages stay whole.
    """
    await _remove(connection, rows, [by] * len(rows), redact=redact, because=because, originals=originals)


async def remove_redacted(connection: Connection, rows: Sequence[asyncpg.Record], actors: Sequence[UserId]) -> None:
    """Remove the videos of `rows`, each of whose messages one of the `actors` redacted."""
    await _remove(connection, rows, actors, redact=False, because="redaction", originals=True)


async def _remove(
    connection: Connection, rows: Sequence[asyncpg.Record], actors: Sequence[UserId], *, redact: bool, because: str,
    originals: bool,
) -> None:  # fmt: skip
    if not rows:
        return
    events = [row["event_id"] for row in rows]
    await connection.execute(*query("hold_galleries", event_ids=events))
    await connection.execute(*query("empty_videos", ids=[row["id"] for row in rows]))
    doubles = await connection.fetch(*query("take_doubles", ids=[row["id"] for row in rows]))
    # A gallery stays while another of its videos does.
    staying = {row["event_id"] for row in await connection.fetch(*query("still_bring", event_ids=events))}
    await queue(connection, *(SweepFiles(VideoId(str(row["id"]))) for row in rows))
    deletions = [
        DeleteMessage(
            row["sent_in"],
            each["event_id"],
            redact=redact and row["event_id"] not in staying,
            mxc=each["mxc"] if originals else "",
            sender=row["sender"],
        )
        for row in rows
        for each in (row, *row["edits"])
        if redact or originals
    ]
    if redact:
        deletions += [
            DeleteMessage(double["sent_in"], double["event_id"], redact=True, sender=double["sender"])
            for double in doubles
        ]
    await queue(connection, *deletions)
    ids = [row["id"] for row in rows]
    await note_all(
        connection, Deed.ERASED, actors=actors, room_ids=[row["room_id"] for row in rows], video_ids=ids,
        user_ids=[row["sender"] for row in rows], because=because,
    )  # fmt: skip
    told = await connection.fetch(*query("told_of_removal", video_ids=ids))
    posted = [UpdateQueuePosts(VideoId(str(row["id"]))) for row in told if row["is_posted"]]
    spoken = [UpdateStatus(VideoId(str(row["id"]))) for row in told if row["has_status"]]
    await queue(connection, *posted, *spoken)
    await announce_all(connection, sorted({row["room_id"] for row in rows}))


async def erase_departed(connection: Connection, room_id: RoomId, user_id: UserId, *, banned: bool) -> None:
    """Remove the videos of somebody who is no longer in a room, if they were banned, or if they or the room want it.

    What they uploaded and did not send goes in any case: there they send nothing any more.
    """
    if not banned and not await connection.fetchval(*query("wants_erasure", room_id=room_id, user_id=user_id)):
        await erase_uploads(connection, owner=user_id, room_id=room_id, after=IN_FLIGHT)
        return
    await erase_sent(connection, user_id=user_id, room_id=room_id, redact=False)
    await connection.execute(*query("delete_encrypted_events", room_id=room_id, user_id=user_id))
    rows = await connection.fetch(*query("removable_of_member", room_id=room_id, user_id=user_id))
    await erase_uploads(connection, owner=user_id, room_id=room_id)
    await remove_videos(connection, rows, by=ITSELF, redact=False, because="ban" if banned else "leave")


async def erase_sent(
    connection: Connection, *, user_id: UserId | None = None, room_id: RoomId | None = None, redact: bool
) -> None:
    """Erase what the bot sent on behalf of somebody, or of anybody in a room; `redact`: its events go, too.

    A reaction that it sent for others as well stays theirs.
    """
    if user_id:
        rows = await connection.fetch(*query("sent_of_user", user_id=user_id, room_id=room_id))
    else:
        rows = await connection.fetch(*query("sent_in_room", room_id=room_id))
    await erase_sent_rows(connection, rows, redact=redact)


async def erase_sent_rows(connection: Connection, rows: Sequence[asyncpg.Record], *, redact: bool) -> None:
    """Erase user and content of the rows that a query `sent_…` locked; `redact`: their events go, too.

    That something was sent stays known a while: the homeserver may deliver it later, and that is nobody's then.
    """
    await connection.execute(*query("erase_sent_rows", keys=[row["key"] for row in rows]))
    standing = [row for row in rows if row["event_id"] and row["taken_back_at"] is None]
    if redact:
        await redact_sent(connection, sorted({(row["room_id"], row["event_id"]) for row in standing}))
    # Of one's part in a shared reaction there is no event.
    for room_id, target in sorted({(row["room_id"], row["target"]) for row in standing if row["target"]}):
        await announce_talk(connection, room_id, target, relates=True)


async def redact_sent(connection: Connection, sent: Iterable[tuple[str, str]]) -> None:
    """Queue the redaction of events (room, event) that the bot sent for people, unless they are still somebody's.

    That is queried once this transaction is over: others may take back their part of an event at the same time.
    """
    await queue(
        connection,
        *(DeleteMessage(RoomId(room), EventId(event), redact=True, said=True) for room, event in sent),
    )


async def erase_uploads(
    connection: Connection,
    *,
    owner: UserId | None = None,
    room_id: RoomId | None = None,
    after: timedelta | None = None,
) -> None:
    """Remove what somebody, or anybody in a room, uploaded in the widget, with its media at the homeserver if unsent.

    To be called before the videos are removed: what no video was made of is only known by then.
    """
    await connection.execute(*query("drop_uploads", owner=owner, room_id=room_id))
    await connection.execute(*query("drop_untaken", owner=owner, room_id=room_id))
    await delete_unsent(connection, owner=owner, room_id=room_id, after=after)


async def delete_unsent(
    connection: Connection,
    *,
    upload_id: UploadId | None = None,
    owner: UserId | None = None,
    room_id: RoomId | None = None,
    but: str | None = None,
    after: timedelta | None = None,
) -> None:
    """Queue the deletion of media that no message brought, of an upload, a member or a room, except the file `but`."""
    seconds = after.total_seconds() if after else 0.0
    rows = await connection.fetch(
        *query("delete_unsent", upload_id=upload_id, owner=owner, room_id=room_id, except_mxc=but, seconds=seconds)
    )
    await _queue_media_deletion(connection, rows, after)


async def delete_expired(connection: Connection) -> None:
    """Queue the deletion of media whose uploads are gone."""
    rows = await connection.fetch(*query("delete_expired", seconds=LATE.total_seconds()))
    await _queue_media_deletion(connection, rows, LATE)


async def _queue_media_deletion(
    connection: Connection, rows: Sequence[asyncpg.Record], after: timedelta | None
) -> None:
    # A thumbnail goes with its video.
    await queue(connection, *(DeleteUnsent(row["mxc"]) for row in rows if row["thumbnail_of"] is None), after=after)
