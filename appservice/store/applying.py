"""Writes many changes in one transaction, each so that the database's refusal of one does not lose the others."""

from collections.abc import Sequence

import asyncpg
import structlog

from appservice.core.events import intake
from appservice.core.rules.quotas import NO_LIMITS, Quotas
from appservice.store.intake import apply
from appservice.store.outbox import Connection

log = structlog.get_logger()


async def apply_all(
    connection: Connection, changes: Sequence[intake.Change], quotas: Quotas = NO_LIMITS
) -> tuple[int, int]:
    """Write changes and queue their jobs; return how many told anything new, and how many the database refused.

    A change whose data it refuses is logged and skipped: it must not block the stream.
    """
    taken = refused = 0
    for change in changes:
        try:
            async with connection.transaction():
                taken += await apply(connection, change, quotas)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, UnicodeError) as error:
            refused += 1
            log.warning("event_refused", change=type(change).__name__, room_id=change.room_id, error=str(error))
    return taken, refused
