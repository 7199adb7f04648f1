"""What the processes of an installation share: secrets, the bot's profile, the log of jobs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from appservice.core.errors import HeldBackError, UnavailableError
from appservice.store.pool import Database
from appservice.store.sql import query

BACKUP_LOCK = 7432
"""Who makes a backup has it alone, who deletes files shares it."""

# Long enough to look into what went wrong; so many entries that a minute's are always fewer.
_JOB_LOG_DAYS, _JOB_LOG_AT_ONCE = 7, 20_000


class InstallationStore(Database):
    """What processes share. Every method raises UnavailableError when the database is away."""

    @asynccontextmanager
    async def deleting_files(self) -> AsyncIterator[None]:
        """Hold a backup off while files are deleted. Raises HeldBackError while one is being made."""
        async with self._transaction() as connection:
            if not await connection.fetchval(*query("hold_backup_off", lock=BACKUP_LOCK)):
                raise HeldBackError("A backup is being made: files are deleted after it.")
            yield

    async def bot_profile(self) -> dict[str, str]:
        """Return what we set last in the bot's profile, by field."""
        return {row["field"]: row["value"] for row in await self._fetch("bot_profile")}

    async def store_bot_profile(self, field: str, value: str) -> None:
        """Store what we set in the bot's profile."""
        await self._fetch("store_bot_profile", field=field, value=value)

    async def delete_bot_profile(self) -> None:
        """Delete what we set: the homeserver has a new user."""
        await self._fetch("delete_bot_profile")

    async def prune_job_log(self) -> None:
        """Delete old entries of the job log, to which the queue only ever adds, and offers of jobs that are gone."""
        await self._fetch("delete_old_offers")
        await self._fetch("delete_old_job_log", days=_JOB_LOG_DAYS, most=_JOB_LOG_AT_ONCE)
        await self._fetch("delete_old_job_statistics", days=_JOB_LOG_DAYS, most=_JOB_LOG_AT_ONCE)

    async def wake_queues(self, heartbeat_timeout: float) -> None:
        """Wake the queues of every process where a job is due that none may have seen.

        `heartbeat_timeout`: seconds without a heartbeat after which a worker is dead.
        """
        await self._fetch("wake_queues", heartbeat_timeout=timedelta(seconds=heartbeat_timeout))

    async def find_secret(self, name: str) -> bytes | None:
        """Return a secret that all processes share; None where it was never made."""
        row = await self._fetchrow("find_secret", name=name)
        return bytes(row["value"]) if row else None

    async def replace_secret(self, name: str, before: bytes, value: bytes) -> None:
        """Store a secret in place of what it was; another process may have done so before."""
        await self._fetch("replace_secret", name=name, before=before, value=value)

    async def store_secret(self, name: str, value: bytes) -> None:
        """Store a secret, in place of any before."""
        await self._fetch("store_secret", name=name, value=value)

    async def secret(self, name: str, fresh: bytes) -> bytes:
        """Return the secret that all processes share, `fresh` the first time."""
        row = await self._fetchrow("ensure_secret", name=name, value=fresh) or await self._fetchrow(
            "ensure_secret", name=name, value=fresh
        )
        if row is None:
            raise UnavailableError(f"The secret {name} could not be kept in the database.")
        return bytes(row["value"])
