"""Writes redactions, in the caller's transaction: as sets, but for those on whose order something depends."""

from collections.abc import Sequence

from appservice.core.events.batches import Item
from appservice.core.events.changes import Redacted
from appservice.core.jobs import ReadAgain, ReadPolicyList
from appservice.core.model import EventId, VideoId
from appservice.store.mapping import Row
from appservice.store.outbox import Connection, announce, announce_all, announce_talk, queue, update_status
from appservice.store.removal import remove_redacted
from appservice.store.sql import query


async def redact_all(connection: Connection, batch: Sequence[Item]) -> int:
    """Remove what messages brought that were redacted; return how many of the redactions had anything new.

    Of whatever else is in the batch only the room is touched.
    """
    touched = sorted({item.room_id for item in batch})
    redactions = [item for item in batch if isinstance(item, Redacted)]
    rooms, targets = [change.room_id for change in redactions], [change.target for change in redactions]
    await connection.execute(*query("upsert_rooms", room_ids=touched))
    await connection.execute(*query("delete_redacted_events", room_ids=rooms, event_ids=targets))
    rows = await connection.fetch(*query("redactions_apart", room_ids=rooms, targets=targets))
    apart = {row["number"] - 1 for row in rows}
    taken, together = 0, list[Redacted]()
    for index, change in enumerate(redactions):
        if index in apart:
            taken += await _remove_together(connection, together)
            taken += await _redact_apart(connection, change)
            together = []
        else:
            together.append(change)
    taken += await _remove_together(connection, together)
    await announce_all(connection, touched)
    return taken


async def _remove_together(connection: Connection, redactions: Sequence[Redacted]) -> int:
    """Remove the videos of messages that nothing else concerns; return how many messages had some."""
    # Who redacts again what is gone does nothing.
    by_target = {(change.room_id, change.target): change.sender for change in reversed(redactions)}
    if not by_target:
        return 0
    rows = await connection.fetch(*query(
        "removable_by_events",
        sent_in=[room_id for room_id, _ in by_target],
        event_ids=[target for _, target in by_target],
    ))  # fmt: skip
    await remove_redacted(connection, rows, [by_target[row["sent_in"], row["event_id"]] for row in rows])
    return len({(row["sent_in"], row["event_id"]) for row in rows})


async def _redact_apart(connection: Connection, change: Redacted) -> bool:
    """Remove the videos of a message, what else of it is here, and have the rest read again."""
    if await connection.fetchval(*query("is_policy_list", room_id=change.room_id)):
        await connection.execute(*query("policy_list_changed", room_id=change.room_id))
        await queue(connection, ReadPolicyList(change.room_id))  # a rule is gone, but which?
    await connection.execute(*query("delete_double", sent_in=change.room_id, event_id=change.target))
    if await connection.fetch(*query("sent_redacted", room_id=change.room_id, event_id=change.target)):
        await announce_talk(connection, change.room_id, change.target)
    rows = await connection.fetch(*query("removable_by_events", sent_in=[change.room_id], event_ids=[change.target]))
    if await _passes_on(connection, change.target, rows):
        return True
    await remove_redacted(connection, rows, [change.sender] * len(rows))
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
