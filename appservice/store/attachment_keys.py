"""Seals the keys of attachments that were stored before the installation had a key."""

from appservice.core.events.attachment_keys import Convert
from appservice.store.mapping import encrypted_file_json, read_stored_file
from appservice.store.pool import Database
from appservice.store.sql import query

_AT_ONCE = 200


class AttachmentKeyStore(Database):
    """Keys of attachments. Every method raises UnavailableError when the database is away."""

    async def seal_all(self, seal: Convert) -> int:
        """Seal the keys that are not, so many in a transaction; return of how many videos."""
        sealed = 0
        while count := await self._seal_some(seal):
            sealed += count
        return sealed

    async def _seal_some(self, seal: Convert) -> int:
        async with self._transaction() as connection:
            rows = await connection.fetch(*query("unsealed_attachments", most=_AT_ONCE))
            for row in rows:
                file, replaced = (
                    encrypted_file_json(seal(found) if found else None)
                    for found in map(read_stored_file, (row["encrypted_file"], row["replaced_file"]))
                )
                await connection.execute(
                    *query("seal_attachments", id=row["id"], encrypted_file=file, replaced_file=replaced)
                )
        return len(rows)
