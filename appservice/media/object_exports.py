"""Exports in object storage: `exports/{export id}.zip`."""

import asyncio
from pathlib import Path, PurePosixPath

from appservice.core.model import ExportId
from appservice.media.names import is_id
from appservice.media.objects import Objects, RemoteFile
from appservice.media.stored import StoredFile

ROOT = "exports"


class ObjectExports:
    """What members take with them, as objects."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def prepare(self) -> None:
        """Do nothing: storage that does not respond is waited for where it is needed."""

    async def publish(self, file: Path, export_id: ExportId) -> None:
        """Upload a file to where it is served from."""
        await self._objects.put_file(_path(export_id), file)
        await asyncio.to_thread(file.unlink)

    async def file(self, export_id: ExportId) -> StoredFile | None:
        """Return an export; None where it is not there (yet)."""
        path = _path(export_id)
        try:
            return RemoteFile(self._objects, path, await self._objects.size(path))
        except FileNotFoundError:
            return None

    async def remove(self, export_id: ExportId) -> None:
        """Delete an export, if it is there."""
        await self._objects.delete([_path(export_id)])

    async def ids(self) -> set[ExportId]:
        """Return what there are files of."""
        paths = [PurePosixPath(each.path) async for page in self._objects.pages(ROOT) for each in page]
        return {ExportId(path.stem) for path in paths if path.suffix == ".zip" and is_id(path.stem)}


def _path(export_id: ExportId) -> str:
    return f"{ROOT}/{export_id}.zip"
