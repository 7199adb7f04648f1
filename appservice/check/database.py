"""Checks the database: that it responds, is new enough, has this release's schema, and the right time."""

import time

from appservice.check.findings import CheckError, CheckWarning
from appservice.config import EMBEDDED, Config
from appservice.database.opening import check_up_to_date, open_database, refuse_pooler
from appservice.database.server import OLDEST, Server, is_empty, look_at

SKEW_S = 5.0
"""Clocks that are further apart than this are set wrong: grants and the channel's schedule go by them."""


async def database(config: Config) -> str:
    """Check address, version, schema and clock."""
    async with open_database(config, attach=True, patience_s=0) as dsn:
        await refuse_pooler(config)
        before = time.time()
        server = await look_at(dsn)
        after = time.time()
        if server.version < OLDEST:
            raise CheckError(
                f"PostgreSQL {server.version} is too old: our schema needs {OLDEST} or newer. Upgrade it, or set "
                f"`database: {EMBEDDED}`."
            )
        is_new = await is_empty(dsn)
        if not is_new:
            await check_up_to_date(dsn)
    _check_clock(server, before, after)
    if is_new:
        return f"PostgreSQL {server.version} responds, and is empty: the first `roomreel serve` makes its schema"
    return f"PostgreSQL {server.version} responds, and its schema is this release's"


def _check_clock(server: Server, before: float, after: float) -> None:
    # It was read between the two.
    ahead = max(server.now - after, before - server.now)
    if ahead > SKEW_S:
        direction = "ahead of" if server.now > after else "behind"
        raise CheckWarning(
            f"its clock is {round(ahead)} s {direction} this machine's: grants expire at the wrong time. Let both "
            "follow NTP (`timedatectl set-ntp true`)."
        )
