"""Writes what an event changes, queues its jobs and announces it, all in the caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

from appservice.core.events import intake
from appservice.core.events.galleries import Slot
from appservice.core.events.galleries import match as match_items
from appservice.core.events.media_kinds import joins
from appservice.core.jobs import (
    DecideByReaction,
    EnforcePolicies,
    ForgetMessage,
    Priority,
    ReadAgain,
    ReadPolicyList,
    RespondToSignIn,
    RunCommands,
    TendRoom,
    TranscodeVideo,
)
from appservice.core.model import EventId, HeldFor, History, Membership, Room, UserId, VideoId
from appservice.core.rules.power_levels import is_moderator
from appservice.core.rules.quotas import NO_LIMITS, Quotas
from appservice.core.rules.video_permissions import Viewer, may_add
from appservice.core.settings import Hold
from appservice.core.sign_in_codes import MISS_SECONDS, MOST_MISSES, SIGNED_IN_SECONDS, SignInOutcome
from appservice.store.mapping import SQL, Row, encrypted_file_json, read_room
from appservice.store.outbox import Connection, announce, announce_talk, concern_moderators, queue, speak_of, tell
from appservice.store.quota_usage import used_up
from appservice.store.removal import erase_departed, redact_sent, remove_videos

_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)
_TOLD_WITHIN_S, _TOLD_EVERY_S = 3600, 86_400
# So long what was uploaded in the widget comes once without a nonce as well: pages of an earlier release send none.
_DOUBLE_S = 600
# What nobody has a say in whom a policy list bans.
_SAID = (
    intake.NewVideo, intake.NewGallery, intake.VideoEdited, intake.SignInSent, intake.SignOutSent, intake.CommandSent,
    intake.Reacted,
)  # fmt: skip
# What is done when it comes, and must not be done again: neither by looking back, nor because a transaction comes
# twice, to another process as well, and what was told since would be overwritten.
_ONCE = (
    intake.NewVideo, intake.NewGallery, intake.SignInSent, intake.SignOutSent, intake.Reacted,
    *get_args(intake.StateChange),
)  # fmt: skip


_OfRoom = (
    intake.NewVideo
    | intake.NewGallery
    | intake.VideoEdited
    | intake.Redacted
    | intake.SignInSent
    | intake.SignOutSent
    | intake.MemberChanged
    | intake.RoomChange
)


async def apply(connection: Connection, change: intake.Change, quotas: Quotas = NO_LIMITS) -> bool:
    """Write one change and queue its jobs; say whether it told anything new.

    A video beyond the `quotas` has failed as soon as it comes; workers look again before the work on it.
    """
    if isinstance(change, intake.SentByBot):
        return await _take_own(connection, change, quotas)
    if not await _counts(connection, change):
        return False
    # These change nothing in the room by themselves, and most of them are not for us.
    match change:
        case intake.CommandSent():
            return await _take_command(connection, change)
        case intake.PolicyChanged():
            return await _take_rule(connection, change)
        case intake.Reacted():
            return await _take_reaction(connection, change)
    return await _apply(connection, change, quotas)


async def _take_own(connection: Connection, change: intake.SentByBot, quotas: Quotas) -> bool:
    """Take what the bot sent on behalf of somebody as theirs; what no row knows is nobody's.

    What was taken back before it was heard of goes, and so does what the homeserver sent once more.
    """
    row = await connection.fetchrow(SQL["sent_by_bot"], change.room_id, change.nonce, change.kind)
    if row is None:
        return False
    is_unheard, is_taken_back = row["event_id"] is None, row["taken_back_at"] is not None
    if row["event_id"] != change.event_id and (is_taken_back or not is_unheard):
        await redact_sent(connection, [(change.room_id, change.event_id)])
        return False
    if is_taken_back:
        return False
    await connection.execute(SQL["was_sent"], row["key"], change.event_id)
    if change.video is None:
        return False
    return await apply(connection, replace(change.video, sender=UserId(row["user_id"])), quotas)


async def _counts(connection: Connection, change: intake.Change) -> bool:
    """Say whether something is to be done about a change at all."""
    if isinstance(change, _SAID) and await connection.fetchval(SQL["is_policed"], _author(change)):
        return False
    if isinstance(change, _ONCE) and change.event_id and not await connection.fetchval(SQL["see"], change.event_id):
        return False  # the homeserver repeats itself, or we found it ourselves
    sent = _sent(change)
    return sent is None or any([await _joins(connection, video) for video in sent])


def _brought(change: intake.NewVideo | intake.NewGallery | intake.VideoEdited) -> tuple[intake.NewVideo, ...]:
    return (change,) if isinstance(change, intake.NewVideo) else change.videos


def _sent(change: intake.Change) -> tuple[intake.NewVideo, ...] | None:
    """Return the videos that a message brings, None for what is no such message."""
    match change:
        case intake.NewVideo():
            return (change,)
        case intake.NewGallery():
            return change.videos
        case _:
            return None


async def _apply(connection: Connection, change: _OfRoom, quotas: Quotas) -> bool:
    room_id = change.room_id
    await connection.execute(SQL["upsert_room"], room_id)
    if isinstance(change, intake.NewVideo | intake.NewGallery | intake.VideoEdited):
        # Before it counts as a video: whatever becomes of that, what was uploaded in the widget was sent.
        await connection.execute(SQL["media_sent"], [video.mxc for video in _brought(change)])
    new = True
    match change:
        case intake.VideoEdited():
            new = await _edited(connection, change, quotas)
        case intake.Redacted():
            new = await _redacted(connection, change)
        case intake.MemberChanged():
            await _member_changed(connection, change)
        case intake.NewVideo() | intake.NewGallery() | intake.SignInSent() | intake.SignOutSent():
            await _take_once(connection, change, quotas)
        case _:
            await _apply_to_room(connection, change)
    await announce(connection, room_id)
    return new


def _author(
    change: intake.NewVideo
    | intake.NewGallery
    | intake.VideoEdited
    | intake.SignInSent
    | intake.SignOutSent
    | intake.CommandSent
    | intake.Reacted,
) -> UserId:
    return change.video.sender if isinstance(change, intake.VideoEdited) else change.sender


async def _take_rule(connection: Connection, change: intake.PolicyChanged) -> bool:
    if not await connection.fetchval(SQL["is_policy_list"], change.room_id):
        return False
    await connection.execute(SQL["policy_list_told"], change.room_id)
    rule = change.rule
    if rule is None:
        await connection.execute(SQL["forget_policy_rule"], change.room_id, change.event_type, change.state_key)
    else:
        await connection.execute(
            SQL["add_policy_rule"], change.room_id, rule.event_type, rule.state_key, rule.subject, rule.entity,
            rule.pattern, rule.reason,
        )  # fmt: skip
    await queue(connection, EnforcePolicies())
    return True


async def _take_once(
    connection: Connection,
    change: intake.NewVideo | intake.NewGallery | intake.SignInSent | intake.SignOutSent,
    quotas: Quotas,
) -> None:
    match change:
        case intake.NewVideo():
            await _insert_video(connection, change, quotas)
        case intake.NewGallery():
            for video in change.videos:
                if await _joins(connection, video):
                    await _insert_video(connection, video, quotas)
        case intake.SignInSent():
            await _sign_in(connection, change)
        case intake.SignOutSent():
            await _sign_out(connection, change)


async def _apply_to_room(connection: Connection, change: intake.RoomChange) -> None:
    room_id = change.room_id
    match change:
        case intake.BotMembershipChanged():
            taken = await connection.fetchval(
                SQL["set_bot_membership"], room_id, change.membership, change.sender, change.direct,
                change.requested_at,
            )  # fmt: skip
            if taken and change.membership is Membership.JOIN:
                await resume(connection)
        case intake.RoomNamed():
            await connection.execute(SQL["set_room_name"], room_id, change.name)
            return  # nothing to do about it
        case intake.RetentionChanged():
            await connection.execute(SQL["set_max_lifetime"], room_id, change.max_lifetime)
            return  # the worker looks every minute
        case intake.HistoryChanged():
            await connection.execute(SQL["set_history"], room_id, change.history)
            return  # it governs what is sent from now on
        case intake.PowerChanged():
            await connection.execute(SQL["set_power_levels"], room_id, change.content)
        case intake.RoomEncrypted():
            await connection.execute(SQL["set_encrypted"], room_id)
        case intake.RoomReplaced():
            await connection.execute(SQL["set_replaced_by"], room_id, change.replaced_by)
    await queue(connection, TendRoom(room_id))


async def resume(connection: Connection) -> int:
    """Queue every unfinished video that has no job (any more); return how many there were."""
    rows = await connection.fetch(SQL["unfinished_without_job"])
    await queue(connection, *(TranscodeVideo(VideoId(str(row["id"]))) for row in rows))
    return len(rows)


async def _insert_video(connection: Connection, change: intake.NewVideo, quotas: Quotas) -> None:
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


async def _is_double(connection: Connection, change: intake.NewVideo) -> bool:
    """Say whether a client only sent once more what is here already, and remember that message with the first.

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


def _since_when(found: intake.Backfilled | None) -> tuple[datetime | None, History | None]:
    return (found.sent_after or _LONG_AGO, found.history) if found else (None, None)


async def _begin(connection: Connection, change: intake.NewVideo, video_id: VideoId, quotas: Quotas) -> None:
    # What may turn out to be no video is not refused as one before it was looked at.
    full = change.certain and await used_up(connection, quotas, change.sender, change.room_id, without=video_id)
    if full:
        await connection.execute(SQL["refuse_video"], video_id, f"quota-{full}")
        await speak_of(connection, video_id)
    else:
        priority = Priority.BACKGROUND if change.of_before else None
        await queue(connection, TranscodeVideo(video_id), priority=priority)


async def _joins(connection: Connection, change: intake.NewVideo) -> bool:
    """Say whether the room chose to have what was sent in its reels."""
    if change.choice is None:
        return True
    rows = await connection.fetch(SQL["room"], change.room_id)
    return bool(rows) and joins(change.choice, read_room(rows[0]).settings)


async def _judged(connection: Connection, change: intake.NewVideo) -> tuple[bool, bool]:
    """Say whether the room lets its sender add a video, and whether it waits for a moderator."""
    (row,) = await connection.fetch(SQL["room"], change.room_id)
    room = read_room(row)
    sender = Viewer(change.sender, is_moderator(room.power_levels, change.sender, room.creators))
    waits = not sender.moderates and await _waits(connection, room, change.sender)
    return may_add(sender, room.settings), waits


async def _edited(connection: Connection, change: intake.VideoEdited, quotas: Quotas) -> bool:
    """Take over what the sender made of a message: captions, marks, and media, which are worked on anew."""
    if await connection.fetchval(SQL["is_attributed"], change.room_id, change.target):
        return False  # only the bot itself could edit what it sent on behalf of somebody
    rows = await connection.fetch(SQL["message_videos"], change.room_id, change.target)
    here = {row["id"]: row for row in rows if not row["gone"]}
    if not here or not _may_edit(here.values(), change.video):
        return False
    slots = [Slot(row["id"], row["item"], row["mxc"], row["gone"]) for row in rows]
    matching = match_items(slots, [_where_it_is_now(new, here.values()) for new in change.videos])
    edited = [await _edit(connection, here[slot.id], new) for slot, new in matching.kept]
    gone = [here[slot.id] for slot in matching.gone]
    await remove_videos(connection, gone, by=change.video.sender, redact=False, because="edit")
    for new in matching.added:
        if await _joins(connection, new):
            await _insert_video(connection, replace(new, event_id=change.target, nonce=None), quotas)
    for room_id in {row["room_id"] for row in here.values()}:
        await announce(connection, room_id)  # since an upgrade another than the event's
    return any(edited) or bool(matching.gone or matching.added)


def _where_it_is_now(new: intake.NewVideo, rows: Iterable[Row]) -> intake.NewVideo:
    """Return what an edit brings as one for the room that has the videos of its message since an upgrade."""
    home = next(row["room_id"] for row in rows)
    return new if home == new.room_id else replace(new, room_id=home, sent_in=new.room_id)


def _may_edit(rows: Iterable[Row], new: intake.NewVideo) -> bool:
    """Say whether an edit counts: only its sender edits a message, and only the newest edit counts."""
    return all(row["sender"] == new.sender and (row["edited_at"] or -1) < new.sent_at for row in rows)


async def _edit(connection: Connection, row: Row, new: intake.NewVideo) -> bool:
    moved, waits = row["mxc"] != new.mxc, False
    if moved:
        may_add, waits = await _judged(connection, new)
        if not may_add or not await _joins(connection, new):
            return False
    await connection.execute(
        SQL["edit_video"], row["id"], new.title, new.sent_at, new.event_id, new.mxc, new.spoiler, new.spoiler_reason
    )
    if moved:
        posts = await connection.fetch(SQL["withdraw_posts"], row["id"])
        await queue(connection, *(ForgetMessage(post["room_id"], post["event_id"], redact=True) for post in posts))
        await connection.execute(
            SQL["replace_media"], row["id"], new.mxc, encrypted_file_json(new.encrypted_file), new.claimed_size,
            new.certain, HeldFor.APPROVAL if waits else None, new.kind,
        )  # fmt: skip
        await queue(connection, TranscodeVideo(VideoId(str(row["id"]))))
    if moved or (row["spoiler"], row["spoiler_reason"]) != (new.spoiler, new.spoiler_reason):
        await concern_moderators(connection, VideoId(str(row["id"])))
    return True


async def _redacted(connection: Connection, change: intake.Redacted) -> bool:
    if await connection.fetchval(SQL["is_policy_list"], change.room_id):
        await connection.execute(SQL["policy_list_told"], change.room_id)
        await queue(connection, ReadPolicyList(change.room_id))  # a rule is gone, but which?
    await connection.execute(SQL["forget_double"], change.room_id, change.target)
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
        return False  # what an edit made of it was said of this message alone
    (row,) = rows
    if not await connection.fetchval(SQL["pass_on"], row["id"], event_id):
        return False
    await connection.execute(SQL["unsay_marks"], row["id"])
    await speak_of(connection, VideoId(str(row["id"])))
    await announce(connection, row["room_id"])
    return True


async def _member_changed(connection: Connection, change: intake.MemberChanged) -> None:
    await connection.execute(
        SQL["upsert_member"], change.room_id, change.user_id, change.membership, change.display_name, change.avatar_mxc
    )
    if change.membership in {Membership.LEAVE, Membership.BAN}:
        await erase_departed(connection, change.room_id, change.user_id, banned=change.membership is Membership.BAN)


async def _waits(connection: Connection, room: Room, sender: UserId) -> bool:
    """Say whether what somebody sends waits for a moderator."""
    if room.settings.hold is Hold.NEW:
        return not await connection.fetchval(SQL["was_shown"], room.room_id, sender)
    return room.settings.hold is Hold.ALL


async def _refuse(connection: Connection, change: intake.NewVideo) -> None:
    """Say that only moderators add videos, once a day; but not of what nobody called a video, or sent long ago."""
    if change.certain and await connection.fetchval(
        SQL["refuse"], change.room_id, change.sender, change.sent_at, _TOLD_WITHIN_S, _TOLD_EVERY_S
    ):
        thread = None if change.sent_in else change.event_id
        await tell(connection, change.room_id, change.sender, thread, "bot-moderators-add")


async def _take_reaction(connection: Connection, change: intake.Reacted) -> bool:
    video_id = await connection.fetchval(SQL["posted_video"], change.room_id, change.target)
    if video_id is not None:
        await queue(connection, DecideByReaction(VideoId(str(video_id)), change.sender, approves=change.approves))
    return video_id is not None


async def _take_command(connection: Connection, change: intake.CommandSent) -> bool:
    key = await connection.fetchval(
        SQL["take_command"], change.event_id, change.room_id, change.sender, change.body, change.thread,
        change.replied_to, change.addressed,
    )  # fmt: skip
    if key is not None:
        await queue(connection, RunCommands(change.room_id))
    return key is not None


async def _sign_in(connection: Connection, change: intake.SignInSent) -> None:
    if await connection.fetchrow(SQL["sign_in_event"], change.event_id) is not None:
        return  # the homeserver repeats itself
    misses = await connection.fetchval(SQL["count_misses"], change.sender, MISS_SECONDS)
    if misses >= MOST_MISSES:
        return  # they were told
    browser = await connection.fetchval(
        SQL["redeem_code"], change.room_id, change.code, change.sender, change.event_id, SIGNED_IN_SECONDS
    )
    if browser is not None:
        await _answer(connection, change, SignInOutcome.SIGNED_IN, browser=browser)
        return
    await connection.execute(SQL["add_miss"], change.event_id, change.sender)
    last = misses + 1 == MOST_MISSES
    await _answer(connection, change, SignInOutcome.TOO_MANY_CODES if last else SignInOutcome.WRONG_CODE)


async def _sign_out(connection: Connection, change: intake.SignOutSent) -> None:
    rooms = [row["room_id"] for row in await connection.fetch(SQL["sign_out_user"], change.sender)]
    for room_id in set(rooms):
        await announce(connection, room_id)  # what they watch there ends
    await _answer(connection, change, SignInOutcome.SIGNED_OUT, count=len(rooms))


async def _answer(
    connection: Connection, change: intake.SignInSent | intake.SignOutSent, outcome: SignInOutcome, **arguments: object
) -> None:
    job = RespondToSignIn(change.room_id, change.event_id, change.thread, change.sender, outcome, arguments)
    await queue(connection, job)
