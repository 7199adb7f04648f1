"""Writes the change of an event that comes alone, queues its jobs and announces it, in the caller's transaction."""

from dataclasses import replace

from appservice.core.events import changes
from appservice.core.events.batches import Departed
from appservice.core.jobs import EnforcePolicies, TendRoom
from appservice.core.model import UserId
from appservice.core.room import Membership
from appservice.store.intake_batches import write_batch
from appservice.store.intake_commands import sign_in, sign_out
from appservice.store.intake_facts import open_batch
from appservice.store.intake_new_videos import Bounds, media_sent
from appservice.store.intake_videos import edit_message, resume
from appservice.store.outbox import Connection, announce, queue
from appservice.store.policies import add_rule
from appservice.store.removal import erase_departed, redact_sent
from appservice.store.sql import query

Alone = (
    Departed
    | changes.SentByBot
    | changes.VideoEdited
    | changes.SignInSent
    | changes.SignOutSent
    | changes.PolicyChanged
    | changes.BotMembershipChanged
    | changes.RoomReplaced
)


async def write_alone(connection: Connection, change: Alone, bounds: Bounds) -> bool:
    """Write one change and queue its jobs; say whether it had anything new."""
    if isinstance(change, changes.SentByBot):
        return await _take_own(connection, change, bounds)
    if isinstance(change, Departed):
        return await _take_departure(connection, change.change, bounds)
    facts = await open_batch(connection, [change])
    if not facts.counted([change]):
        return False
    if isinstance(change, changes.PolicyChanged):
        return await _take_rule(connection, change)
    if change.room_id not in facts.known:
        await connection.execute(*query("upsert_rooms", room_ids=[change.room_id]))
    new = True
    if isinstance(change, changes.VideoEdited):
        await media_sent(connection, facts, change.videos)
        new = await edit_message(connection, change, bounds)
    else:
        await _write_in_room(connection, change)
    await announce(connection, change.room_id)
    return new


async def _write_in_room(
    connection: Connection,
    change: changes.SignInSent | changes.SignOutSent | changes.BotMembershipChanged | changes.RoomReplaced,
) -> None:
    match change:
        case changes.SignInSent():
            await sign_in(connection, change)
        case changes.SignOutSent():
            await sign_out(connection, change)
        case changes.BotMembershipChanged():
            await _set_bot_membership(connection, change)
        case changes.RoomReplaced():
            await connection.execute(*query("set_replaced_by", room_id=change.room_id, replacement=change.replaced_by))
            await queue(connection, TendRoom(change.room_id))


async def _take_departure(connection: Connection, change: changes.MemberChanged, bounds: Bounds) -> bool:
    """Write that somebody left, and erase what is to go with them."""
    if not await write_batch(connection, [change], bounds):
        return False
    await erase_departed(connection, change.room_id, change.user_id, banned=change.membership is Membership.BAN)
    return True


async def _take_own(connection: Connection, change: changes.SentByBot, bounds: Bounds) -> bool:
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
    video = replace(change.video, sender=UserId(row["user_id"]))
    return await write_batch(connection, [video], Bounds(bounds.quotas)) > 0


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


async def _set_bot_membership(connection: Connection, change: changes.BotMembershipChanged) -> None:
    taken = await connection.fetchval(
        *query(
            "set_bot_membership",
            room_id=change.room_id,
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
        await connection.execute(*query("erase_keys_of_room", room_id=change.room_id))
    await queue(connection, TendRoom(change.room_id))
