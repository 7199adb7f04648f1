"""Writes videos of messages, their edits and redactions, in the caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
from appservice.core.model import EventId, HeldFor, UserId, VideoId
from appservice.core.room import Room
from appservice.core.rules.quotas import Quotas
from appservice.core.rules.video_permissions import may_add, viewer_in
from appservice.core.settings import Hold
from appservice.store.mapping import Row, encrypted_file_json, read_room
from appservice.store.opt_ins import may_take_videos
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
from appservice.store.sql import query

_NOTIFIED_WITHIN_S, _NOTIFIED_EVERY_S = 3600, 86_400
_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)
# So long what was uploaded in the widget comes once without a nonce as well: pages of an earlier release send none.
_DOUBLE_S = 600


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may come, and when its event came, by the database's clock (None: just now)."""

    quotas: Quotas
    received_at: datetime | None = None

    def earliest(self, change: changes.NewVideo) -> datetime | None:
        """Return when a video was sent at the earliest; None: just now, or before the bot came, and requested."""
        if change.of_before:
            return None
        found = change.backfilled
        times = [self.received_at, (found.sent_after or _LONG_AGO) if found else None]
        return min((time for time in times if time), default=None)


async def resume(connection: Connection) -> int:
    """Queue every unfinished video that has no job (any more); return how many there were."""
    rows = await connection.fetch(*query("unfinished_without_job"))
    await queue(connection, *(TranscodeVideo(VideoId(str(row["id"]))) for row in rows))
    return len(rows)


async def insert_video(connection: Connection, change: changes.NewVideo, bounds: Bounds) -> None:
    """Add a video, unless it is known, or may not come; what there is no room for has failed at once."""
    if await connection.fetchval(*query("knows_item", event_id=change.event_id, item=change.item)):
        return  # the homeserver repeats itself
    if not await _is_agreed(connection, change, bounds):
        return
    if await _is_double(connection, change):
        return
    may_add, waits = await _judged(connection, change)
    if not may_add:
        await _refuse(connection, change)
        return
    found = change.backfilled
    new = query(
        "insert_video",
        event_id=change.event_id,
        room_id=change.room_id,
        sender=change.sender,
        title=change.title,
        mxc=change.mxc,
        encrypted_file=encrypted_file_json(change.encrypted_file),
        claimed_size=change.claimed_size,
        certain=change.certain,
        sent_at=change.sent_at,
        held_for=HeldFor.APPROVAL if waits else None,
        kind=change.kind,
        item=change.item,
        spoiler=change.spoiler,
        spoiler_reason=change.spoiler_reason,
        sent_in=change.sent_in or change.room_id,
        sent_after=(found.sent_after or _LONG_AGO) if found else None,
        history=found.history if found else None,
        nonce=change.nonce,
    )
    video_id = await connection.fetchval(*new)
    if video_id is not None:
        await connection.execute(*query("share_sender", user_id=change.sender))
        await connection.execute(*query("quarantine_new", video_id=video_id))
        if change.of_before:
            await connection.execute(*query("mark_of_before", id=video_id))
        await _begin(connection, change, VideoId(str(video_id)), bounds.quotas)


async def _is_agreed(connection: Connection, change: changes.NewVideo, bounds: Bounds) -> bool:
    """Say whether a video may be stored: that of an encrypted room once somebody opted in."""
    rooms = {change.room_id, change.sent_in or change.room_id}
    return await may_take_videos(connection, rooms, bounds.earliest(change))


async def _is_double(connection: Connection, change: changes.NewVideo) -> bool:
    """Say whether a client only sent once more what is here already, and store that message with the first.

    Without a nonce it is the same file of those uploaded in the widget, soon after: anything else may be sent again.
    """
    if change.nonce is None and not await connection.fetchval(
        *query("was_uploaded", mxc=change.mxc, sender=change.sender)
    ):
        return False
    sent_in = change.sent_in or change.room_id
    await connection.execute(*query("lock_doubles", sent_in=sent_in, sender=change.sender))
    first = await connection.fetchval(
        *query(
            "first_sent",
            sent_in=sent_in,
            sender=change.sender,
            nonce=change.nonce,
            mxc=change.mxc,
            item=change.item,
            seconds=_DOUBLE_S,
        )
    )
    if first is None:
        return False
    await connection.execute(*query("add_double", event_id=change.event_id, video_id=first))
    return True


async def _begin(connection: Connection, change: changes.NewVideo, video_id: VideoId, quotas: Quotas) -> None:
    # What may turn out to be no video is not refused as one before it was looked at.
    full = change.certain and await used_up(connection, quotas, change.sender, change.room_id, without=video_id)
    if full:
        await connection.execute(*query("refuse_video", id=video_id, failure=f"quota-{full}"))
        await update_status(connection, video_id)
    else:
        priority = Priority.BACKGROUND if change.of_before else None
        await queue(connection, TranscodeVideo(video_id), priority=priority)


async def joins_room(connection: Connection, change: changes.NewVideo) -> bool:
    """Say whether the room chose to have what was sent in its reels."""
    if change.choice is None:
        return True
    rows = await connection.fetch(*query("room", room_id=change.room_id))
    return bool(rows) and joins(change.choice, read_room(rows[0]).settings)


async def _judged(connection: Connection, change: changes.NewVideo) -> tuple[bool, bool]:
    """Say whether the room lets its sender add a video, and whether it waits for a moderator."""
    (row,) = await connection.fetch(*query("room", room_id=change.room_id))
    room = read_room(row)
    sender = viewer_in(room, change.sender)
    waits = not sender.moderates and await _waits(connection, room, change.sender)
    return may_add(sender, room.settings), waits


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
    for new in matching.added:
        if await joins_room(connection, new):
            await insert_video(connection, replace(new, event_id=change.target, nonce=None), bounds)
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


async def _edit(connection: Connection, row: Row, new: changes.NewVideo, bounds: Bounds) -> bool:
    moved, waits = row["mxc"] != new.mxc, False
    if moved:
        may_add, waits = await _judged(connection, new)
        if not may_add or not await joins_room(connection, new) or not await _is_agreed(connection, new, bounds):
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


async def redact_message(connection: Connection, change: changes.Redacted) -> bool:
    """Remove the videos of a message that was redacted."""
    if await connection.fetchval(*query("is_policy_list", room_id=change.room_id)):
        await connection.execute(*query("policy_list_changed", room_id=change.room_id))
        await queue(connection, ReadPolicyList(change.room_id))  # a rule is gone, but which?
    await connection.execute(*query("delete_double", sent_in=change.room_id, event_id=change.target))
    if await connection.fetch(*query("sent_redacted", room_id=change.room_id, event_id=change.target)):
        await announce_talk(connection, change.room_id, change.target)
    rows = await connection.fetch(*query("removable_by_event", sent_in=change.room_id, event_id=change.target))
    if await _passes_on(connection, change.target, rows):
        return True
    await remove_videos(connection, rows, by=change.sender, redact=False, because="redaction")
    edited = await connection.fetchval(*query("edited_by", sent_in=change.room_id, event_id=change.target))
    if edited is not None:
        # What holds now, only the homeserver knows.
        await queue(connection, ReadAgain(change.room_id, edited))
    return bool(rows) or edited is not None


async def _passes_on(connection: Connection, event_id: EventId, rows: Sequence[Row]) -> bool:
    """Say whether a video stays, since another message of its sender's still brings it, and make it that one's."""
    if len(rows) != 1 or rows[0]["edits"]:
        return False  # what an edit made of it applied to this message alone
    (row,) = rows
    if not await connection.fetchval(*query("pass_on", video_id=row["id"], event_id=event_id)):
        return False
    await connection.execute(*query("unsay_marks", video_id=row["id"]))
    await update_status(connection, VideoId(str(row["id"])))
    await announce(connection, row["room_id"])
    return True


async def _waits(connection: Connection, room: Room, sender: UserId) -> bool:
    """Say whether what somebody sends waits for a moderator."""
    if room.settings.hold is Hold.NEW:
        return not await connection.fetchval(*query("was_shown", room_id=room.room_id, sender=sender))
    return room.settings.hold is Hold.ALL


async def _refuse(connection: Connection, change: changes.NewVideo) -> None:
    """Say that only moderators add videos, once a day; but not of what nobody called a video, or sent long ago."""
    if change.certain and await connection.fetchval(
        *query(
            "refuse",
            room_id=change.room_id,
            user_id=change.sender,
            sent_at=change.sent_at,
            within_seconds=_NOTIFIED_WITHIN_S,
            every_seconds=_NOTIFIED_EVERY_S,
        )
    ):
        thread = None if change.sent_in else change.event_id
        await notify(connection, change.room_id, change.sender, thread, "bot-moderators-add")
