"""What a backup has to have: the database at one moment, and the files that it names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from appservice.core.model import UploadId, Video
from appservice.store.mapping import read_video
from appservice.store.outbox import Connection
from appservice.store.pool import Database
from appservice.store.sql import query

_AT_ONCE = 500


class Snapshot:
    """The database as it was at one moment; `id` is for `pg_dump --snapshot`, while the transaction lasts."""

    def __init__(self, connection: Connection, snapshot_id: str) -> None:
        self._connection = connection
        self.id = snapshot_id

    async def videos(self) -> AsyncIterator[Video]:
        """Yield each video that has media."""
        after = UUID(int=0)
        while rows := await self._connection.fetch(*query("backup_videos", after=after, most=_AT_ONCE)):
            for row in rows:
                yield read_video(row)
            after = rows[-1]["id"]

    async def uploads(self) -> dict[UploadId, bool]:
        """Return the uploads whose bytes are needed, and whether all of them must be there."""
        rows = await self._connection.fetch(*query("backup_uploads"))
        return {UploadId(str(row["id"])): row["state"] == "preparing" for row in rows}


class BackupStore(Database):
    """The database for a backup. Every method raises UnavailableError when it is away."""

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        """Hold the database as it is now."""
        async with self._snapshot() as connection:
            row = await connection.fetchrow(*query("export_snapshot"))
            if row is None:
                raise AssertionError("a row without a table")
            yield Snapshot(connection, row["id"])
