"""Restores a backup where there is nothing yet."""

import asyncio
import os
import shutil
from pathlib import Path

from appservice.backup import manifest
from appservice.backup.manifest import DUMP, About
from appservice.config import Config
from appservice.core.errors import BackupError, RoomreelError
from appservice.database import dump
from appservice.database.opening import open_database
from appservice.database.server import is_empty

_FOLDERS = ("media", "uploads")


async def restore(config: Config, source: Path) -> str:
    """Restore a backup into an empty database and an empty data_dir: all of it, or nothing. Raises BackupError."""
    if not config.storage.is_local:
        raise BackupError(
            "A backup is restored into the folders below `data_dir`, and the configuration has `storage.url` or "
            "`storage.also`: leave `storage` out until it is restored, then move (docs/storage.md)."
        )
    about = await asyncio.to_thread(manifest.read_about, source)
    if about.server_name != config.homeserver.server_name:
        raise BackupError(f"It is of {about.server_name}, and the configuration of {config.homeserver.server_name}.")
    for name in _FOLDERS:
        if _has_something(config.data_dir / name):
            raise BackupError(f"There is something in {config.data_dir / name}: a backup is restored beside nothing.")
    async with open_database(config, patience_s=0) as dsn:
        if not await is_empty(dsn):
            raise BackupError("The database is not empty: create a new one, and name it in `database`.")
        await _restore(config, source, about, dsn)
    return _next_steps(config, about)


def _has_something(folder: Path) -> bool:
    return folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir())


async def _restore(config: Config, source: Path, about: About, dsn: str) -> None:
    """Make files ready, then the database in one transaction, then the files visible."""
    part = config.data_dir / ".restoring"
    placed: list[Path] = []
    try:
        await asyncio.to_thread(shutil.rmtree, part, ignore_errors=True)
        await asyncio.to_thread(_copy_all, source, part, about)
        for name in _FOLDERS:
            target = config.data_dir / name
            await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)
            await asyncio.to_thread((part / name).rename, target)
            placed.append(target)
        await dump.restore(dsn, source / DUMP)
    except (OSError, RoomreelError, asyncio.CancelledError) as error:
        for target in placed:
            await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)
        if isinstance(error, OSError):
            raise BackupError(f"The backup cannot be restored: {error}.") from error
        raise
    finally:
        await asyncio.to_thread(shutil.rmtree, part, ignore_errors=True)


def _copy_all(source: Path, part: Path, about: About) -> None:
    """Copy media and uploads, and compare each file, the dump as well. Raises BackupError for one that differs."""
    for name in _FOLDERS:
        (part / name).mkdir(parents=True)
    manifest.room_for(part, about.bytes)
    count = 0
    for entry in manifest.entries(source):
        count += 1
        file = source / entry.name
        try:
            digest = manifest.sum_of(file) if entry.name == DUMP else manifest.copy(file, part / entry.name)[1]
        except FileNotFoundError:
            digest = ""
        if digest != entry.sum:
            raise BackupError(f"{file} is damaged or missing: the backup is not whole. Nothing was restored.")
    if count != about.files:
        raise BackupError(f"The backup has {count} files, and had {about.files}. Nothing was restored.")
    os.sync()


def _next_steps(config: Config, about: About) -> str:
    lines = [
        f"Restored {about.videos} videos, as they were at {about.made_at} (release {about.release}).",
        "Start Roomreel: it reads what happened in the rooms since then, as far back as homeservers tell it.",
        "What was erased by commands since then is there again: erase it anew.",
    ]
    if config.encryption.key is not None:
        lines.append(
            "Its device in encrypted rooms is older than its clients know: run `roomreel admin -c FILE renew-device` "
            "before the start (docs/encryption.md)."
        )
    return "\n".join(lines)
