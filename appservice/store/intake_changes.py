"""Writes the change of an event, queues its jobs and announces it, all in the caller's transaction."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import get_args

from appservice.core.events import changes
from appservice.core.jobs import (
    EnforcePolicies,
    TendRoom,
)
from appservice.core.model import UserId
from appservice.core.room import Membership
from appservice.core.rules.quotas import NO_LIMITS, Quotas
from appservice.store.intake_commands import sign_in, sign_out, take_command, take_reaction
from appservice.store.intake_videos import (
    Bounds,
    edit_message,
    insert_video,
    joins_room,
    redact_message,
    resume,
)
from appservice.store.opt_ins import expect_newcomers
from appservice.store.outbox import Connection, announce, queue
from appservice.store.policies import add_rule
from appservice.store.removal import erase_departed, redact_sent
from appservice.store.sql import query

# What is ignored from those whom a policy list bans.
_POSTED = (
    changes.NewVideo, changes.NewGallery, changes.VideoEdited, changes.SignInSent, changes.SignOutSent,
    changes.CommandSent, changes.Reacted,
)  # fmt: skip
# What is done when it comes, and must not be done again: neither by a backfill, nor because a transaction comes
# twice, to another process as well, and what came since would be overwritten.
_ONCE = (
    changes.NewVideo, changes.NewGallery, changes.SignInSent, changes.SignOutSent, changes.Reacted,
    *get_args(changes.StateChange),
)  # fmt: skip


_OfRoom = (
    changes.NewVideo
    | changes.NewGallery
    | changes.VideoEdited
    | changes.Redacted
    | changes.SignInSent
    | changes.SignOutSent
    | changes.MemberChanged
    | changes.RoomChange
)


async def apply(
    connection: Connection, change: changes.Change, quotas: Quotas = NO_LIMITS, *, received_at: datetime | None = None
) -> bool:
    """Write one change and queue its jobs; say whether it had anything new.

    A video beyond the `quotas` has failed as soon as it comes; workers look again before the work on it. `received_at`
    is when its event came, by the database's clock; None: just now.
    """
    if isinstance(change, changes.SentByBot):
        return await _take_own(connection, change, quotas)
    if not await _counts(connection, change):
        return False
    # These change nothing in the room by themselves, and most of them are not for us.
    match change:
        case changes.CommandSent():
            return await take_command(connection, change)
        case changes.PolicyChanged():
            return await _take_rule(connection, change)
        case changes.Reacted():
            return await take_reaction(connection, change)
        case changes.EncryptedSent():
            return await _keep_encrypted(connection, change)
    return await _apply(connection, change, Bounds(quotas, received_at))


async def _take_own(connection: Connection, change: changes.SentByBot, quotas: Quotas) -> bool:
    """Attribute what the bot sent on behalf of somebody to them; what no row knows is nobody's.

    What was taken back before its event came goes, and so does what the homeserver sent once more.
    """
    row = await connection.fetchrow(*query("sent_by_bot", room_id=change.room_id, nonce=change.nonce, kind=change.kind))
    if row is None:
        return False
    is_unheard, is_taken_back = row["event_id"] is None, row["taken_back_at"] is not None
    if row["event_id"] != change.event_id and (is_taken_back or not is_unheard):
        await redact_sent(connection, [(change.room_id, change.event_id)])
        return False
    if is_taken_back:
        return False
    await connection.execute(*query("was_sent", key=row["key"], event_id=change.event_id))
    if change.video is None:
        return False
    return await apply(connection, replace(change.video, sender=UserId(row["user_id"])), quotas)


async def _counts(connection: Connection, change: changes.Change) -> bool:
    """Say whether something is to be done about a change at all."""
    if isinstance(change, _POSTED) and await connection.fetchval(*query("is_policed", user_id=_author(change))):
        return False
    if (
        isinstance(change, _ONCE)
        and change.event_id
        and not await connection.fetchval(*query("see", event_id=change.event_id))
    ):
        return False  # the homeserver repeats itself, or we found it ourselves
    sent = _sent(change)
    return sent is None or any([await joins_room(connection, video) for video in sent])


def _brought(change: changes.NewVideo | changes.NewGallery | changes.VideoEdited) -> tuple[changes.NewVideo, ...]:
    return (change,) if isinstance(change, changes.NewVideo) else change.videos


def _sent(change: changes.Change) -> tuple[changes.NewVideo, ...] | None:
    """Return the videos that a message brings, None for what is no such message."""
    match change:
        case changes.NewVideo():
            return (change,)
        case changes.NewGallery():
            return change.videos
        case _:
            return None


async def _apply(connection: Connection, change: _OfRoom, bounds: Bounds) -> bool:
    room_id = change.room_id
    await connection.execute(*query("upsert_room", room_id=room_id))
    if isinstance(change, changes.NewVideo | changes.NewGallery | changes.VideoEdited):
        # Before it counts as a video: whatever becomes of that, what was uploaded in the widget was sent.
        await connection.execute(*query("media_sent", mxcs=[video.mxc for video in _brought(change)]))
    new = True
    match change:
        case changes.VideoEdited():
            new = await edit_message(connection, change, bounds)
        case changes.Redacted():
            await connection.execute(*query("delete_encrypted_event", room_id=room_id, event_id=change.target))
            new = await redact_message(connection, change)
        case changes.MemberChanged():
            await _member_changed(connection, change)
        case changes.NewVideo() | changes.NewGallery() | changes.SignInSent() | changes.SignOutSent():
            await _take_once(connection, change, bounds)
        case _:
            await _apply_to_room(connection, change)
    await announce(connection, room_id)
    return new


def _author(
    change: changes.NewVideo
    | changes.NewGallery
    | changes.VideoEdited
    | changes.SignInSent
    | changes.SignOutSent
    | changes.CommandSent
    | changes.Reacted,
) -> UserId:
    return change.video.sender if isinstance(change, changes.VideoEdited) else change.sender


async def _take_rule(connection: Connection, change: changes.PolicyChanged) -> bool:
    if not await connection.fetchval(*query("is_policy_list", room_id=change.room_id)):
        return False
    await connection.execute(*query("policy_list_changed", room_id=change.room_id))
    rule = change.rule
    if rule is None:
        await connection.execute(
            *query(
                "delete_policy_rule", room_id=change.room_id, event_type=change.event_type, state_key=change.state_key
            )
        )
    else:
        await connection.execute(*add_rule(change.room_id, rule))
    await queue(connection, EnforcePolicies())
    return True


async def _keep_encrypted(connection: Connection, change: changes.EncryptedSent) -> bool:
    """Store an event to be decrypted, of a room that the bot is in; say whether it is new."""
    stored = query(
        "add_encrypted_event",
        event_id=change.event_id,
        room_id=change.room_id,
        sender=change.sender,
        session_id=change.session_id,
        event=dict(change.event),
        found=_found_json(change),
    )
    return bool(await connection.fetchval(*stored))


def _found_json(change: changes.EncryptedSent) -> dict[str, object] | None:
    found = change.backfilled
    if found is None:
        return None
    sent_after = found.sent_after.isoformat() if found.sent_after else None
    return {"sent_after": sent_after, "history": found.history, "of_before": change.of_before}


async def _take_once(
    connection: Connection,
    change: changes.NewVideo | changes.NewGallery | changes.SignInSent | changes.SignOutSent,
    bounds: Bounds,
) -> None:
    match change:
        case changes.NewVideo():
            await insert_video(connection, change, bounds)
        case changes.NewGallery():
            for video in change.videos:
                if await joins_room(connection, video):
                    await insert_video(connection, video, bounds)
        case changes.SignInSent():
            await sign_in(connection, change)
        case changes.SignOutSent():
            await sign_out(connection, change)


async def _apply_to_room(connection: Connection, change: changes.RoomChange) -> None:
    room_id = change.room_id
    match change:
        case changes.BotMembershipChanged():
            taken = await connection.fetchval(
                *query(
                    "set_bot_membership",
                    room_id=room_id,
                    membership=change.membership,
                    inviter=change.sender,
                    direct=change.direct,
                    requested_at=change.requested_at,
                )
            )
            if taken and change.membership is Membership.JOIN:
                await resume(connection)
            elif taken and change.membership in {Membership.LEAVE, Membership.BAN}:
                # Nothing more is read there; who comes back is sent new ones.
                await connection.execute(*query("erase_keys_of_room", room_id=room_id))
        case changes.RoomNamed():
            await connection.execute(*query("set_room_name", room_id=room_id, name=change.name))
            return  # nothing to do about it
        case changes.RetentionChanged():
            await connection.execute(*query("set_max_lifetime", room_id=room_id, max_lifetime=change.max_lifetime))
            return  # the worker looks every minute
        case changes.HistoryChanged():
            await connection.execute(*query("set_history", room_id=room_id, history=change.history))
            return  # it governs what is sent from now on
        case changes.PowerChanged():
            await connection.execute(*query("set_power_levels", room_id=room_id, content=change.content))
        case changes.RoomEncrypted():
            await connection.execute(*query("set_encrypted", room_id=room_id, encryption=asdict(change.rotation)))
        case changes.RoomReplaced():
            await connection.execute(*query("set_replaced_by", room_id=room_id, replacement=change.replaced_by))
    await queue(connection, TendRoom(room_id))


async def _member_changed(connection: Connection, change: changes.MemberChanged) -> None:
    await connection.execute(
        *query(
            "upsert_member",
            room_id=change.room_id,
            user_id=change.user_id,
            membership=change.membership,
            display_name=change.display_name,
            avatar_mxc=change.avatar_mxc,
        )
    )
    if change.membership in {Membership.LEAVE, Membership.BAN}:
        await erase_departed(connection, change.room_id, change.user_id, banned=change.membership is Membership.BAN)
    elif change.membership is Membership.JOIN:
        await expect_newcomers(connection, change.room_id, change.user_id)
