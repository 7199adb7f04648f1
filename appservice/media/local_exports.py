"""The folder of exports."""

import asyncio
import os
from pathlib import Path

from appservice.core.errors import NotFoundError
from appservice.core.model import ExportId
from appservice.media.names import is_id
from appservice.media.stored import StoredFile, plain_file


class ExportFolder:
    """`{root}/{export id}.zip`: what members take with them. Scratch must be on the same file system."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def prepare(self) -> None:
        """Make the folder."""
        await asyncio.to_thread(self._root.mkdir, parents=True, exist_ok=True)

    def path(self, export_id: ExportId) -> Path:
        """Return where an export lies."""
        return self._root / f"{export_id}.zip"

    async def file(self, export_id: ExportId) -> StoredFile | None:
        """Return an export; None where it is not there (yet)."""
        try:
            return await asyncio.to_thread(plain_file, self.path(export_id))
        except (FileNotFoundError, NotFoundError):
            return None

    async def publish(self, file: Path, export_id: ExportId) -> None:
        """Move a file to where it is served from."""
        await asyncio.to_thread(file.rename, self.path(export_id))

    async def remove(self, export_id: ExportId) -> None:
        """Delete an export, if it is there."""
        await asyncio.to_thread(self.path(export_id).unlink, missing_ok=True)

    async def ids(self) -> set[ExportId]:
        """Return what there are files of."""
        names = await asyncio.to_thread(os.listdir, self._root)
        return {ExportId(name.removesuffix(".zip")) for name in names if is_id(name.removesuffix(".zip"))}
