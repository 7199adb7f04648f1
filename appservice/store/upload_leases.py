"""Leases of uploads: which request of which process may write their bytes to object storage."""

from appservice.core.model import UploadId
from appservice.store.pool import Database

LEASE_S = 30.0
"""Longer than one part is written."""


class UploadLeaseStore(Database):
    """Who is writing to an upload. Every method raises UnavailableError when the database is away."""

    async def take(self, upload_id: UploadId, holder: str) -> bool:
        """Take, or keep, an upload for some seconds; False where another one has it, or there is none."""
        return await self._fetchrow("take_upload", id=upload_id, holder=holder, seconds=LEASE_S) is not None

    async def release(self, upload_id: UploadId, holder: str) -> None:
        """Give it back, unless another one has it by now."""
        await self._fetch("release_upload", id=upload_id, holder=holder)
