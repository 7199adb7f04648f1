"""Writes a batch of changes as a set: each kind in a statement or a few, however many changes there are.

Members come first, then rooms' state, then what was sent; `core/events/batches` says what may share a batch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TypeVar

from appservice.core.events import changes
from appservice.core.events.batches import Item, Touched
from appservice.core.jobs import DecideByReaction, NotifyNewcomers, RunCommands, TendRoom
from appservice.core.model import RoomId, UserId, VideoId
from appservice.core.room import Membership
from appservice.store.intake_facts import brought, open_batch
from appservice.store.intake_new_videos import Bounds, insert_videos
from appservice.store.opt_ins import TOGETHER
from appservice.store.outbox import Connection, Queued, queue_all
from appservice.store.sql import query

_Kind = TypeVar("_Kind")
# These change nothing in the room by themselves, and most of them are not for us.
_SILENT = (changes.CommandSent, changes.Reacted, changes.EncryptedSent)


async def write_batch(connection: Connection, batch: Sequence[Item], bounds: Bounds) -> int:
    """Write changes that may share a batch, and queue their jobs; return how many had anything new."""
    facts = await open_batch(connection, batch)
    counted = facts.counted(batch)
    loud = {change.room_id: None for _, change in counted if not isinstance(change, _SILENT)}
    if strange := [room_id for room_id in loud if room_id not in facts.known]:
        await connection.execute(*query("upsert_rooms", room_ids=strange))
    jobs: list[Queued] = []
    times = await _write_members(connection, _of(counted, changes.MemberChanged), jobs)
    await _write_state(connection, counted, jobs)
    taken = sum(not isinstance(change, (*_SILENT, Touched)) for _, change in counted)
    taken += await _keep_encrypted(connection, _of(counted, changes.EncryptedSent))
    sent = [(index, video) for index, change in counted for video in brought(change)]
    jobs += await insert_videos(connection, sent, facts, bounds, times, list(loud))
    taken += await _take_commands(connection, _of(counted, changes.CommandSent), jobs)
    taken += await _take_reactions(connection, _of(counted, changes.Reacted), jobs)
    await queue_all(connection, jobs)
    return taken


def _of(counted: Iterable[tuple[int, Item]], kind: type[_Kind]) -> list[tuple[int, _Kind]]:
    return [(index, change) for index, change in counted if isinstance(change, kind)]


async def _write_members(
    connection: Connection, sent: Sequence[tuple[int, changes.MemberChanged]], jobs: list[Queued]
) -> dict[str, list[tuple[int, datetime]]]:
    """Write members, and what follows from that; return when their changes were, for what came between them."""
    if not sent:
        return {}
    # Of one who only changed what they are called, the last counts.
    last = {(change.room_id, change.user_id): change for _, change in sent}
    first = {key: index for index, change in reversed(sent) for key in [(change.room_id, change.user_id)]}
    members = sorted(last.values(), key=lambda change: first[change.room_id, change.user_id])
    rows = await connection.fetch(*query(
        "upsert_members",
        room_ids=[member.room_id for member in members],
        user_ids=[member.user_id for member in members],
        memberships=[member.membership for member in members],
        display_names=[member.display_name for member in members],
        avatar_mxcs=[member.avatar_mxc for member in members],
    ))  # fmt: skip
    times: dict[str, list[tuple[int, datetime]]] = {}
    for row in rows:
        times.setdefault(row["room_id"], []).append((first[row["room_id"], row["user_id"]], row["at"]))
    joined = [member for member in members if member.membership is Membership.JOIN]
    for room_id, user_ids in (await _newcomers(connection, joined)).items():
        index = min(first[room_id, user_id] for user_id in user_ids)
        jobs.append(Queued(index, NotifyNewcomers(room_id), after=TOGETHER))
    return times


async def _newcomers(connection: Connection, members: Sequence[changes.MemberChanged]) -> dict[RoomId, list[UserId]]:
    """Return those of the members who are to be notified that their room was opted in, by rooms without such a job."""
    if not members:
        return {}
    rows = await connection.fetch(*query(
        "newcomers_among",
        room_ids=[member.room_id for member in members],
        user_ids=[member.user_id for member in members],
    ))  # fmt: skip
    return {RoomId(row["room_id"]): [UserId(user_id) for user_id in row["user_ids"]] for row in rows}


async def _write_state(connection: Connection, counted: Sequence[tuple[int, Item]], jobs: list[Queued]) -> None:
    """Write what rooms are now; of several changes of one thing the last counts."""
    if named := {change.room_id: change.name for _, change in _of(counted, changes.RoomNamed)}:
        await connection.execute(*query("set_room_names", room_ids=list(named), names=list(named.values())))
    if lifetimes := {change.room_id: change.max_lifetime for _, change in _of(counted, changes.RetentionChanged)}:
        await connection.execute(
            *query("set_max_lifetimes", room_ids=list(lifetimes), max_lifetimes=list(lifetimes.values()))
        )
    if histories := {change.room_id: change.history for _, change in _of(counted, changes.HistoryChanged)}:
        await connection.execute(*query("set_histories", room_ids=list(histories), histories=list(histories.values())))
    powers = _of(counted, changes.PowerChanged)
    if contents := {change.room_id: change.content for _, change in powers}:
        await connection.execute(*query("set_power_levels", room_ids=list(contents), contents=list(contents.values())))
    encrypted = _of(counted, changes.RoomEncrypted)
    if rotations := {change.room_id: asdict(change.rotation) for _, change in encrypted}:
        await connection.execute(
            *query("set_encrypted", room_ids=list(rotations), encryptions=list(rotations.values()))
        )
    jobs += [Queued(index, TendRoom(change.room_id)) for index, change in powers]
    jobs += [Queued(index, TendRoom(change.room_id)) for index, change in encrypted]


async def _keep_encrypted(connection: Connection, sent: Sequence[tuple[int, changes.EncryptedSent]]) -> int:
    """Store events to be decrypted, of rooms that the bot is in; return how many are new."""
    if not sent:
        return 0
    events = [change for _, change in sent]
    rows = await connection.fetch(*query(
        "add_encrypted_events",
        event_ids=[event.event_id for event in events],
        room_ids=[event.room_id for event in events],
        senders=[event.sender for event in events],
        session_ids=[event.session_id for event in events],
        events=[dict(event.event) for event in events],
        found=[_found_json(event) for event in events],
    ))  # fmt: skip
    return len(rows)


def _found_json(change: changes.EncryptedSent) -> dict[str, object] | None:
    found = change.backfilled
    if found is None:
        return None
    sent_after = found.sent_after.isoformat() if found.sent_after else None
    return {"sent_after": sent_after, "history": found.history, "of_before": change.of_before}


async def _take_commands(
    connection: Connection, sent: Sequence[tuple[int, changes.CommandSent]], jobs: list[Queued]
) -> int:
    """Store commands, and queue their responses; return how many of the messages are some."""
    if not sent:
        return 0
    commands = [change for _, change in sent]
    rows = await connection.fetch(*query(
        "take_commands",
        event_ids=[command.event_id for command in commands],
        room_ids=[command.room_id for command in commands],
        senders=[command.sender for command in commands],
        bodies=[command.body for command in commands],
        threads=[command.thread for command in commands],
        replied_to=[command.replied_to for command in commands],
        addressed=[command.addressed for command in commands],
    ))  # fmt: skip
    index_of = {change.event_id: index for index, change in reversed(sent)}
    jobs += [Queued(index_of[row["event_id"]], RunCommands(RoomId(row["room_id"]))) for row in rows]
    return len(rows)


async def _take_reactions(
    connection: Connection, sent: Sequence[tuple[int, changes.Reacted]], jobs: list[Queued]
) -> int:
    """Queue decisions, where reactions are to questions of the bot's; return how many are."""
    if not sent:
        return 0
    rows = await connection.fetch(*query(
        "posted_videos",
        room_ids=[change.room_id for _, change in sent],
        event_ids=[change.target for _, change in sent],
    ))  # fmt: skip
    for row in rows:
        index, change = sent[row["number"] - 1]
        video_id = VideoId(str(row["video_id"]))
        jobs.append(Queued(index, DecideByReaction(video_id, change.sender, approves=change.approves)))
    return len(rows)
