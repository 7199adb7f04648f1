"""Writes many changes in one transaction, each so that the database's refusal of one does not lose the others."""

from collections.abc import Collection, Sequence
from datetime import datetime

import asyncpg
import structlog

from appservice.core.events.attachment_keys import Convert, with_files
from appservice.core.events.changes import Change, EncryptedSent, Talk
from appservice.core.rules.quotas import NO_LIMITS, Quotas
from appservice.store.intake_changes import apply
from appservice.store.outbox import Connection, Pool
from appservice.store.pool import Database
from appservice.store.sql import query

log = structlog.get_logger()


def to_store(changes: Sequence[Change], *, decrypting: bool) -> Sequence[Change]:
    """Leave out what is encrypted, where nobody decrypts it."""
    return changes if decrypting else [change for change in changes if not isinstance(change, EncryptedSent)]


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
    attachments, which are stored in clear without; `received_at` as in `apply`.
    """
    taken = refused = 0
    for change in changes:
        try:
            async with connection.transaction():
                sealed = with_files(change, seal) if seal else change
                taken += await apply(connection, sealed, quotas, received_at=received_at)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, UnicodeError) as error:
            refused += 1
            log.warning("event_refused", change=type(change).__name__, room_id=change.room_id, error=str(error))
    return taken, refused


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
        async with self._transaction() as connection:
            stored = to_store(changes, decrypting=self._decrypting)
            refused = (await apply_all(connection, stored, self._quotas, self._seal))[1]
            if talks:
                await connection.execute(*query(
                    "announce_talk",
                    room_ids=[talk.room_id for talk in talks],
                    targets=[talk.target for talk in talks],
                    relates=[talk.relates for talk in talks],
                ))  # fmt: skip
            return refused
