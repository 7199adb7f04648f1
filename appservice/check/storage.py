"""Checks the folders of media, uploads, exports and scratch files."""

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

from appservice.check.findings import CheckError
from appservice.config import Config
from appservice.media.files import LocalFiles

_MIB, _GIB = 1024**2, 1024**3
_FOLDERS = ("uploads", "exports", "scratch")


async def storage(config: Config) -> str:
    """Check that all folders can be written, lie on one file system, and have room; and object storage, if used."""
    if not config.storage.is_local:
        # It takes megabytes, which installations with local folders spare.
        from appservice.media.object_opening import probe_storage

        return f"{await probe_storage(config)} is written, read, listed and deleted; {await _folders(config)}"
    return await _folders(config)


async def _folders(config: Config) -> str:
    media = config.data_dir / "media"
    try:
        await LocalFiles(media).prepare()
        for name in _FOLDERS:
            await asyncio.to_thread(_try, config.data_dir / name)
    except OSError as error:
        where = error.filename or media
        raise CheckError(
            f"{where} cannot be written: {error}. Check data_dir and who owns it: Roomreel runs as user id "
            f"{os.geteuid()} (`chown -R` it to that user)."
        ) from error
    device = media.stat().st_dev
    if others := [name for name in _FOLDERS if (config.data_dir / name).stat().st_dev != device]:
        raise CheckError(
            f"{', '.join(others)} and media are on different file systems below {config.data_dir}: files cannot be "
            "published by a rename. Put all of data_dir on one."
        )
    disk = shutil.disk_usage(media)
    if disk.free < config.worker.min_free * _MIB:
        raise CheckError(
            f"only {disk.free // _MIB} MiB are free at {media}, fewer than worker.min_free ({config.worker.min_free}). "
            "Make room, move data_dir, or set limits and retention.days."
        )
    return f"{media}, {disk.free // _GIB} GiB free"


def _try(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
