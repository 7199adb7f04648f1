"""Writes videos of messages, their edits and redactions, in the caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from appservice.core.events import changes
from appservice.core.events.galleries import Slot
from appservice.core.events.galleries import match as match_items
from appservice.core.events.media_kinds import joins
from appservice.core.jobs import (
    DeleteMessage,
    Priority,
    ReadAgain,
    ReadPolicyList,
    TranscodeVideo,
)
from appservice.core.model import EventId, HeldFor, History, UserId, VideoId
from appservice.core.room import Room
from appservice.core.rules.quotas import Quotas
from appservice.core.rules.video_permissions import may_add, viewer_in
from appservice.core.settings import Hold
from appservice.store.mapping import SQL, Row, encrypted_file_json, read_room
from appservice.store.outbox import (
    Connection,
    announce,
    announce_talk,
    concern_moderators,
    notify,
    queue,
    update_status,
)
from appservice.store.quota_usage import used_up
from appservice.store.removal import remove_videos

_NOTIFIED_WITHIN_S, _NOTIFIED_EVERY_S = 3600, 86_400
_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)
# So long what was uploaded in the widget comes once without a nonce as well: pages of an earlier release send none.
_DOUBLE_S = 600


async def resume(connection: Connection) -> int:
    """Queue every unfinished video that has no job (any more); return how many there were."""
    rows = await connection.fetch(SQL["unfinished_without_job"])
    await queue(connection, *(TranscodeVideo(VideoId(str(row["id"]))) for row in rows))
    return len(rows)


async def insert_video(connection: Connection, change: changes.NewVideo, quotas: Quotas) -> None:
    """Add a video, unless it is known, or may not come; what there is no room for has failed at once."""
    if await connection.fetchval(SQL["knows_item"], change.event_id, change.item):
        return  # the homeserver repeats itself
    if await _is_double(connection, change):
        return
    may_add, waits = await _judged(connection, change)
    if not may_add:
        await _refuse(connection, change)
        return
    video_id = await connection.fetchval(
        SQL["insert_video"], change.event_id, change.room_id, change.sender, change.title, change.mxc,
        encrypted_file_json(change.encrypted_file), change.claimed_size, change.certain, change.sent_at,
        HeldFor.APPROVAL if waits else None, change.kind, change.item, change.spoiler, change.spoiler_reason,
        change.sent_in or change.room_id, *_since_when(change.backfilled), change.nonce,
    )  # fmt: skip
    if video_id is not None:
        await connection.execute(SQL["share_sender"], change.sender)
        await connection.execute(SQL["quarantine_new"], video_id)
        if change.of_before:
            await connection.execute(SQL["mark_of_before"], video_id)
        await _begin(connection, change, VideoId(str(video_id)), quotas)


async def _is_double(connection: Connection, change: changes.NewVideo) -> bool:
    """Say whether a client only sent once more what is here already, and store that message with the first.

    Without a nonce it is the same file of those uploaded in the widget, soon after: anything else may be sent again.
    """
    if change.nonce is None and not await connection.fetchval(SQL["was_uploaded"], change.mxc, change.sender):
        return False
    sent_in = change.sent_in or change.room_id
    await connection.execute(SQL["lock_doubles"], sent_in, change.sender)
    first = await connection.fetchval(
        SQL["first_sent"], sent_in, change.sender, change.nonce, change.mxc, change.item, _DOUBLE_S
    )
    if first is None:
        return False
    await connection.execute(SQL["add_double"], change.event_id, first)
    return True


def _since_when(found: changes.Backfilled | None) -> tuple[datetime | None, History | None]:
    return (found.sent_after or _LONG_AGO, found.history) if found else (None, None)


async def _begin(connection: Connection, change: changes.NewVideo, video_id: VideoId, quotas: Quotas) -> None:
    # What may turn out to be no video is not refused as one before it was looked at.
    full = change.certain and await used_up(connection, quotas, change.sender, change.room_id, without=video_id)
    if full:
        await connection.execute(SQL["refuse_video"], video_id, f"quota-{full}")
        await update_status(connection, video_id)
    else:
        priority = Priority.BACKGROUND if change.of_before else None
        await queue(connection, TranscodeVideo(video_id), priority=priority)


async def joins_room(connection: Connection, change: changes.NewVideo) -> bool:
    """Say whether the room chose to have what was sent in its reels."""
    if change.choice is None:
        return True
    rows = await connection.fetch(SQL["room"], change.room_id)
    return bool(rows) and joins(change.choice, read_room(rows[0]).settings)


async def _judged(connection: Connection, change: changes.NewVideo) -> tuple[bool, bool]:
    """Say whether the room lets its sender add a video, and whether it waits for a moderator."""
    (row,) = await connection.fetch(SQL["room"], change.room_id)
    room = read_room(row)
    sender = viewer_in(room, change.sender)
    waits = not sender.moderates and await _waits(connection, room, change.sender)
    return may_add(sender, room.settings), waits


async def edit_message(connection: Connection, change: changes.VideoEdited, quotas: Quotas) -> bool:
    """Apply a sender's edit of a message: captions, marks, and media, which are worked on anew."""
    if await connection.fetchval(SQL["is_attributed"], change.room_id, change.target):
        return False  # only the bot itself could edit what it sent on behalf of somebody
    rows = await connection.fetch(SQL["message_videos"], change.room_id, change.target)
    here = {row["id"]: row for row in rows if not row["gone"]}
    if not here or not _may_edit(here.values(), change.video):
        return False
    slots = [Slot(row["id"], row["item"], row["mxc"], row["gone"]) for row in rows]
    matching = match_items(slots, [_where_it_is_now(new, here.values()) for new in change.videos])
    edited = [await _edit(connection, here[slot.id], new) for slot, new in matching.matched]
    gone = [here[slot.id] for slot in matching.gone]
    await remove_videos(connection, gone, by=change.video.sender, redact=False, because="edit")
    for new in matching.added:
        if await joins_room(connection, new):
            await insert_video(connection, replace(new, event_id=change.target, nonce=None), quotas)
    for room_id in {row["room_id"] for row in here.values()}:
        await announce(connection, room_id)  # since an upgrade another than the event's
    return any(edited) or bool(matching.gone or matching.added)


def _where_it_is_now(new: changes.NewVideo, rows: Iterable[Row]) -> changes.NewVideo:
    """Return what an edit brings as one for the room that has the videos of its message since an upgrade."""
    home = next(row["room_id"] for row in rows)
    return new if home == new.room_id else replace(new, room_id=home, sent_in=new.room_id)


def _may_edit(rows: Iterable[Row], new: changes.NewVideo) -> bool:
    """Say whether an edit counts: only its sender edits a message, and only the newest edit counts."""
    return all(row["sender"] == new.sender and (row["edited_at"] or -1) < new.sent_at for row in rows)


async def _edit(connection: Connection, row: Row, new: changes.NewVideo) -> bool:
    moved, waits = row["mxc"] != new.mxc, False
    if moved:
        may_add, waits = await _judged(connection, new)
        if not may_add or not await joins_room(connection, new):
            return False
    await connection.execute(
        SQL["edit_video"], row["id"], new.title, new.sent_at, new.event_id, new.mxc, new.spoiler, new.spoiler_reason
    )
    if moved:
        posts = await connection.fetch(SQL["withdraw_posts"], row["id"])
        await queue(connection, *(DeleteMessage(post["room_id"], post["event_id"], redact=True) for post in posts))
        await connection.execute(
            SQL["replace_media"], row["id"], new.mxc, encrypted_file_json(new.encrypted_file), new.claimed_size,
            new.certain, HeldFor.APPROVAL if waits else None, new.kind,
        )  # fmt: skip
        await queue(connection, TranscodeVideo(VideoId(str(row["id"]))))
    if moved or (row["spoiler"], row["spoiler_reason"]) != (new.spoiler, new.spoiler_reason):
        await concern_moderators(connection, VideoId(str(row["id"])))
    return True


async def redact_message(connection: Connection, change: changes.Redacted) -> bool:
    """Remove the videos of a message that was redacted."""
    if await connection.fetchval(SQL["is_policy_list"], change.room_id):
        await connection.execute(SQL["policy_list_changed"], change.room_id)
        await queue(connection, ReadPolicyList(change.room_id))  # a rule is gone, but which?
    await connection.execute(SQL["delete_double"], change.room_id, change.target)
    if await connection.fetch(SQL["sent_redacted"], change.room_id, change.target):
        await announce_talk(connection, change.room_id, change.target)
    rows = await connection.fetch(SQL["removable_by_event"], change.room_id, change.target)
    if await _passes_on(connection, change.target, rows):
        return True
    await remove_videos(connection, rows, by=change.sender, redact=False, because="redaction")
    edited = await connection.fetchval(SQL["edited_by"], change.room_id, change.target)
    if edited is not None:
        # What holds now, only the homeserver knows.
        await queue(connection, ReadAgain(change.room_id, edited))
    return bool(rows) or edited is not None


async def _passes_on(connection: Connection, event_id: EventId, rows: Sequence[Row]) -> bool:
    """Say whether a video stays, since another message of its sender's still brings it, and make it that one's."""
    if len(rows) != 1 or rows[0]["edits"]:
        return False  # what an edit made of it applied to this message alone
    (row,) = rows
    if not await connection.fetchval(SQL["pass_on"], row["id"], event_id):
        return False
    await connection.execute(SQL["unsay_marks"], row["id"])
    await update_status(connection, VideoId(str(row["id"])))
    await announce(connection, row["room_id"])
    return True


async def _waits(connection: Connection, room: Room, sender: UserId) -> bool:
    """Say whether what somebody sends waits for a moderator."""
    if room.settings.hold is Hold.NEW:
        return not await connection.fetchval(SQL["was_shown"], room.room_id, sender)
    return room.settings.hold is Hold.ALL


async def _refuse(connection: Connection, change: changes.NewVideo) -> None:
    """Say that only moderators add videos, once a day; but not of what nobody called a video, or sent long ago."""
    if change.certain and await connection.fetchval(
        SQL["refuse"], change.room_id, change.sender, change.sent_at, _NOTIFIED_WITHIN_S, _NOTIFIED_EVERY_S
    ):
        thread = None if change.sent_in else change.event_id
        await notify(connection, change.room_id, change.sender, thread, "bot-moderators-add")
