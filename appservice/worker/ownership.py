"""Whether what is stored is this database's: else a sweep would delete all of another one's videos."""

import secrets

import structlog

from appservice.core.model import VideoId
from appservice.media.storage import MediaStore
from appservice.store import ErasureStore, InstallationStore

log = structlog.get_logger()

_NAME = "installation"
# Enough to know the most part of them, and few requests.
_VIDEOS, _SHARDS = 50, 16


class Ownership:
    """Whose the files are, as they say themselves; what nobody's name is at becomes ours where it is.

    A database that was named by mistake, or is still to be restored, knows none of the videos that there are.
    """

    def __init__(self, installation: InstallationStore, erasure: ErasureStore, files: MediaStore) -> None:
        self._installation, self._erasure, self._files = installation, erasure, files
        self._is_ours = False

    async def is_ours(self) -> bool:
        """Return whether files that our database does not know may be deleted; log where they may not."""
        if not self._is_ours:
            self._is_ours = await self._look()
            if not self._is_ours:
                log.error(
                    "storage_of_another_installation",
                    hint="Nothing is swept, for most of the files are none of this database's. See docs/storage.md.",
                )
        return self._is_ours

    async def _look(self) -> bool:
        ours = (await self._installation.secret(_NAME, secrets.token_hex(16).encode())).decode()
        owners = await self._files.owners()
        if None in owners and owners <= {None, ours} and await self._knows_most():
            await self._files.claim(ours)
            # Another one may just have done so as well.
            owners = await self._files.owners()
        return owners == {ours}

    async def _knows_most(self) -> bool:
        there = set[VideoId]()
        for shard in (await self._files.shards())[:_SHARDS]:
            there |= await self._files.ids(shard)
            if len(there) >= _VIDEOS:
                break
        return 2 * len(await self._erasure.without_a_video(there)) <= len(there)
