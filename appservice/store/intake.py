"""Writes many changes in one transaction: as sets, and where the database refuses some, so that no other is lost."""

from collections.abc import Collection, Sequence
from datetime import datetime

import asyncpg
import structlog

from appservice.core.events.attachment_keys import Convert, with_files
from appservice.core.events.batches import ALONE, Departed, Item, Touched, batches, event_ids
from appservice.core.events.changes import (
    BotMembershipChanged,
    Change,
    CommandSent,
    EncryptedSent,
    MemberChanged,
    Redacted,
    Talk,
)
from appservice.core.room import Membership
from appservice.core.rules.quotas import NO_LIMITS, Quotas
from appservice.store.intake_batches import write_batch
from appservice.store.intake_changes import write_alone
from appservice.store.intake_new_videos import Bounds
from appservice.store.intake_redactions import redact_all
from appservice.store.outbox import Connection, Pool
from appservice.store.pool import Database
from appservice.store.sql import query

log = structlog.get_logger()

_REFUSED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, UnicodeError)
_DEPARTED = (Membership.LEAVE, Membership.BAN)


def to_store(changes: Sequence[Change], *, decrypting: bool) -> Sequence[Change]:
    """Leave out what is encrypted, where nobody decrypts it."""
    return changes if decrypting else [change for change in changes if not isinstance(change, EncryptedSent)]


async def apply(connection: Connection, change: Change, bounds: Bounds | None = None) -> bool:
    """Write one change and queue its jobs; say whether it had anything new."""
    return await _write(connection, [change], bounds or Bounds()) > 0


async def apply_all(
    connection: Connection,
    changes: Sequence[Change],
    quotas: Quotas = NO_LIMITS,
    seal: Convert | None = None,
    *,
    received_at: datetime | None = None,
) -> tuple[int, int]:
    """Write changes and queue their jobs; return how many had anything new, and how many the database refused.

    A change whose data it refuses is logged and skipped: it must not block the stream. `seal` encrypts the keys of
    attachments, which are stored in clear without; `received_at` is when their event came, by the database's clock;
    None: just now. A video beyond the `quotas` has failed as soon as it comes; workers look again before they begin.
    """
    return await _halve(connection, changes, Bounds(quotas, received_at), seal) if changes else (0, 0)


async def _halve(
    connection: Connection, changes: Sequence[Change], bounds: Bounds, seal: Convert | None
) -> tuple[int, int]:
    """Write changes together; where the database refuses that, each half by itself, down to the one that it refuses."""
    try:
        async with connection.transaction():
            return await _write(connection, changes, bounds, seal), 0
    except _REFUSED as error:
        if len(changes) == 1:
            kind, room_id = type(changes[0]).__name__, changes[0].room_id
            log.warning("event_refused", change=kind, room_id=room_id, error=str(error))
            return 0, 1
    middle = len(changes) // 2
    taken, refused = await _halve(connection, changes[:middle], bounds, seal)
    more, others = await _halve(connection, changes[middle:], bounds, seal)
    return taken + more, refused + others


async def _write(connection: Connection, changes: Sequence[Change], bounds: Bounds, seal: Convert | None = None) -> int:
    return await _write_items(connection, await _concerned(connection, changes), bounds, seal)


async def _write_items(connection: Connection, items: Sequence[Item], bounds: Bounds, seal: Convert | None) -> int:
    taken = 0
    if seal:
        items = [item if isinstance(item, Touched | Departed) else with_files(item, seal) for item in items]
    for batch in batches(items):
        if isinstance(batch[0], ALONE):
            taken += await write_alone(connection, batch[0], bounds)
        elif any(isinstance(item, Redacted) for item in batch):
            taken += await redact_all(connection, batch)
        else:
            taken += await write_batch(connection, batch, bounds)
    return taken


async def _concerned(connection: Connection, changes: Sequence[Change]) -> Sequence[Item]:
    """Leave out messages that are no commands, and of redactions of what is not here all but the room.

    These are the greatest part of what a homeserver sends. Who left with something to erase is marked.
    """
    commands = [change for change in changes if isinstance(change, CommandSent) and not change.addressed]
    redactions = [change for change in changes if isinstance(change, Redacted)]
    left = [change for change in changes if isinstance(change, MemberChanged) and change.membership in _DEPARTED]
    if not commands and not redactions and not left:
        return changes
    (row,) = await connection.fetch(*query(
        "concerned",
        room_ids=list({change.room_id for change in commands}),
        redacted_in=[change.room_id for change in redactions],
        targets=[change.target for change in redactions],
        left_rooms=[change.room_id for change in left],
        left_users=[change.user_id for change in left],
        banned=[change.membership is Membership.BAN for change in left],
    ))  # fmt: skip
    # What this transaction itself brings is not here yet.
    came = {change.room_id for change in changes if isinstance(change, BotMembershipChanged)}
    sent = {event_id for change in changes for event_id in event_ids(change)}
    redacted = {id(redactions[number - 1]) for number in row["redacted"]}
    missed = {id(each) for each in redactions if id(each) not in redacted and each.target not in sent}
    direct = came.union(row["direct"])
    chat = {id(change) for change in commands if change.room_id not in direct}
    departed = {id(left[number - 1]) for number in row["departed"]}
    return [
        Touched(change.room_id) if id(change) in missed else _marked(change, departed)
        for change in changes
        if id(change) not in chat
    ]


def _marked(change: Change, departed: set[int]) -> Item:
    return Departed(change) if isinstance(change, MemberChanged) and id(change) in departed else change


class IntakeStore(Database):
    """Intake. Every method raises UnavailableError when the database is away."""

    def __init__(
        self, pool: Pool, quotas: Quotas = NO_LIMITS, *, decrypting: bool = False, seal: Convert | None = None
    ) -> None:
        super().__init__(pool)
        self._quotas = quotas
        self._decrypting = decrypting
        self._seal = seal

    async def apply(self, changes: Sequence[Change], talks: Collection[Talk] = ()) -> int:
        """Store the changes of a transaction and queue their jobs, all or nothing; return how many were refused.

        Of the `talks`, what concerns videos is announced, and nothing is stored. What is encrypted is left where
        nobody decrypts it.
        """
        stored = to_store(changes, decrypting=self._decrypting)
        if not stored and not talks:
            return 0
        async with self._connection() as connection:
            try:
                items = await _concerned(connection, stored)
                if not items:
                    await _announce(connection, talks)
                    return 0
                async with connection.transaction():
                    await _write_items(connection, items, Bounds(self._quotas), self._seal)
                    await _announce(connection, talks)
            except _REFUSED:
                async with connection.transaction():
                    refused = (await apply_all(connection, stored, self._quotas, self._seal))[1]
                    await _announce(connection, talks)
                return refused
            return 0


async def _announce(connection: Connection, talks: Collection[Talk]) -> None:
    if talks:
        await connection.execute(*query(
            "announce_talk",
            room_ids=[talk.room_id for talk in talks],
            targets=[talk.target for talk in talks],
            relates=[talk.relates for talk in talks],
        ))  # fmt: skip
