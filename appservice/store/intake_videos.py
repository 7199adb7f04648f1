"""Writes edits of messages that brought videos, in the caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from appservice.core.events import changes
from appservice.core.events.galleries import Slot
from appservice.core.events.galleries import match as match_items
from appservice.core.jobs import DeleteMessage, TranscodeVideo
from appservice.core.model import HeldFor, VideoId
from appservice.store.intake_facts import open_batch
from appservice.store.intake_new_videos import Bounds, insert_videos, judge
from appservice.store.mapping import Row, encrypted_file_json
from appservice.store.opt_ins import may_take_videos
from appservice.store.outbox import (
    Connection,
    announce,
    concern_moderators,
    queue,
    queue_all,
)
from appservice.store.removal import remove_videos
from appservice.store.sql import query


async def resume(connection: Connection) -> int:
    """Queue every unfinished video that has no job (any more); return how many there were."""
    await connection.execute(*query("restore_wanted_rungs"))
    rows = await connection.fetch(*query("unfinished_without_job"))
    await queue(connection, *(TranscodeVideo(VideoId(str(row["id"]))) for row in rows))
    return len(rows)


async def edit_message(connection: Connection, change: changes.VideoEdited, bounds: Bounds) -> bool:
    """Apply a sender's edit of a message: captions, marks, and media, which are worked on anew."""
    if await connection.fetchval(*query("is_attributed", room_id=change.room_id, event_id=change.target)):
        return False  # only the bot itself could edit what it sent on behalf of somebody
    rows = await connection.fetch(*query("message_videos", sent_in=change.room_id, event_id=change.target))
    here = {row["id"]: row for row in rows if not row["gone"]}
    if not here or not _may_edit(here.values(), change.video):
        return False
    slots = [Slot(row["id"], row["item"], row["mxc"], row["gone"]) for row in rows]
    matching = match_items(slots, [_where_it_is_now(new, here.values()) for new in change.videos])
    edited = [await _edit(connection, here[slot.id], new, bounds) for slot, new in matching.matched]
    gone = [here[slot.id] for slot in matching.gone]
    await remove_videos(connection, gone, by=change.video.sender, redact=False, because="edit")
    added = [replace(new, event_id=change.target, nonce=None) for new in matching.added]
    await _add(connection, added, bounds)
    for room_id in {row["room_id"] for row in here.values()}:
        await announce(connection, room_id)  # since an upgrade another than the event's
    return any(edited) or bool(matching.gone or matching.added)


async def _add(connection: Connection, added: Sequence[changes.NewVideo], bounds: Bounds) -> None:
    """Add the videos that an edit brought to their message."""
    if added:
        facts = await open_batch(connection, added, again=True)
        sent = [(0, video) for video in added]
        await queue_all(connection, await insert_videos(connection, sent, facts, bounds, {}))


async def _is_agreed(connection: Connection, change: changes.NewVideo, bounds: Bounds) -> bool:
    """Say whether a video may be stored: that of an encrypted room once somebody opted in."""
    rooms = {change.room_id, change.sent_in or change.room_id}
    return await may_take_videos(connection, rooms, bounds.earliest(change))


def _where_it_is_now(new: changes.NewVideo, rows: Iterable[Row]) -> changes.NewVideo:
    """Return what an edit brings as one for the room that has the videos of its message since an upgrade."""
    home = next(row["room_id"] for row in rows)
    return new if home == new.room_id else replace(new, room_id=home, sent_in=new.room_id)


def _may_edit(rows: Iterable[Row], new: changes.NewVideo) -> bool:
    """Say whether an edit counts: only its sender edits a message, and only the newest edit counts."""
    return all(row["sender"] == new.sender and (row["edited_at"] or -1) < new.sent_at for row in rows)


async def _edit(connection: Connection, row: Row, new: changes.NewVideo, bounds: Bounds) -> bool:
    moved, waits = row["mxc"] != new.mxc, False
    if moved:
        facts = await open_batch(connection, [new], again=True)
        (judged,) = await judge(connection, [new], facts)
        waits = judged.waits
        if not judged.may_add or not facts.joins(new) or not await _is_agreed(connection, new, bounds):
            return False
    await connection.execute(
        *query(
            "edit_video",
            id=row["id"],
            title=new.title,
            sent_at=new.sent_at,
            event_id=new.event_id,
            mxc=new.mxc,
            spoiler=new.spoiler,
            spoiler_reason=new.spoiler_reason,
        )
    )
    if moved:
        posts = await connection.fetch(*query("withdraw_posts", video_id=row["id"]))
        await queue(connection, *(DeleteMessage(post["room_id"], post["event_id"], redact=True) for post in posts))
        await connection.execute(
            *query(
                "replace_media",
                id=row["id"],
                mxc=new.mxc,
                encrypted_file=encrypted_file_json(new.encrypted_file),
                claimed_size=new.claimed_size,
                certain=new.certain,
                held_for=HeldFor.APPROVAL if waits else None,
                kind=new.kind,
            )
        )
        await queue(connection, TranscodeVideo(VideoId(str(row["id"]))))
    if moved or (row["spoiler"], row["spoiler_reason"]) != (new.spoiler, new.spoiler_reason):
        await concern_moderators(connection, VideoId(str(row["id"])))
    return True
