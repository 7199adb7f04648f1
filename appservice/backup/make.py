"""Makes a backup, also while everything runs: nothing that the database names is deleted meanwhile."""

import asyncio
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import structlog

from appservice import __version__
from appservice.backup import manifest
from appservice.backup.manifest import ABOUT, DUMP, FORMAT, SUMS, About
from appservice.config import Config
from appservice.core.errors import BackupError, NotFoundError
from appservice.core.model import Video, VideoId
from appservice.database import dump
from appservice.database.exclusive import Fence, do_alone
from appservice.database.opening import check_up_to_date, open_database
from appservice.media.files import LocalFiles
from appservice.media.local_uploads import UploadFolder
from appservice.media.names import files_of
from appservice.store.backup import BackupStore, Snapshot
from appservice.store.installation import BACKUP_LOCK
from appservice.store.pool import open_pool

log = structlog.get_logger()

_PATIENCE_S, _AGAIN_S = 60.0, 0.2
_NAMED = 5


async def backup(config: Config, target: Path) -> str:
    """Write a backup into a new folder, which is there once it is whole. Raises BackupError and UnavailableError."""
    if not config.storage.is_local:
        raise BackupError(
            "Videos are in object storage (`storage.url`), which has means of its own: let it keep what is deleted for "
            "some days (versioning), and back up the database by pg_dump. See docs/backup.md."
        )
    part = _new_folder(target)
    try:
        making = Making(config, part)
        async with open_database(config, attach=True, patience_s=0) as dsn:
            await check_up_to_date(dsn)
            await making.alone(dsn)
        await asyncio.to_thread(os.sync)
        await asyncio.to_thread(part.rename, target)
    except OSError as error:
        raise BackupError(f"The backup cannot be written: {error}.") from error
    finally:
        await asyncio.to_thread(shutil.rmtree, part, ignore_errors=True)
    return making.summary(target)


def _new_folder(target: Path) -> Path:
    if target.exists():
        raise BackupError(f"{target} is there already: nothing is overwritten.")
    part = target.with_name(f".{target.name}.part")
    try:
        part.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise BackupError(
            f"{part} is of another backup, which runs or was interrupted: delete it when none runs."
        ) from None
    except OSError as error:
        raise BackupError(f"{part} cannot be made: {error}.") from error
    return part


class Making:
    """A backup that is being made in a folder."""

    def __init__(self, config: Config, folder: Path) -> None:
        self._config = config
        self._folder = folder
        self._files = LocalFiles(config.data_dir / "media")
        self._uploads = UploadFolder(config.data_dir / "uploads")
        self._videos, self._count, self._bytes = 0, 0, 0
        self._lost: list[VideoId] = []
        self._done = False

    def summary(self, target: Path) -> str:
        """Return what was made, for a person."""
        said = f"{target}: {self._videos} videos, {self._count} files, {self._bytes // 1024**2} MiB."
        if self._lost:
            named = ", ".join(self._lost[:_NAMED])
            said += f"\n{len(self._lost)} videos had lost files before: {named}. See `admin requeue`."
        keys = "\nNot in it: the configuration and its encryption.key. Keep them elsewhere: both are needed with it."
        return said + keys

    async def alone(self, dsn: str) -> None:
        """Wait until nothing is being deleted, and hold that back. Raises BackupError where another backup is made."""
        until = asyncio.get_running_loop().time() + _PATIENCE_S

        async def work(_: Fence) -> None:
            try:
                await self._make(dsn)
            except OSError as error:
                raise BackupError(f"The backup cannot be written: {error}.") from error

        while not await do_alone(dsn, BACKUP_LOCK, work, {}):
            if asyncio.get_running_loop().time() > until:
                raise BackupError("Another backup is being made, or files are deleted all the time. Try again later.")
            await asyncio.sleep(_AGAIN_S)
        if not self._done:
            raise BackupError("The connection to the database was lost meanwhile. Try again.")

    async def _make(self, dsn: str) -> None:
        async with await open_pool(dsn, size=2) as pool, BackupStore(pool).snapshot() as snapshot:
            # The database first: files that came after it are of no use, and what it names stays until the end.
            await dump.dump(dsn, snapshot.id, self._folder / DUMP)
            with (self._folder / SUMS).open("x", encoding="ascii") as sums:
                self._note(sums, DUMP, await asyncio.to_thread(manifest.sum_of, self._folder / DUMP))
                self._bytes += (self._folder / DUMP).stat().st_size
                await self._copy_files(snapshot, sums)
        await asyncio.to_thread(self._finish)
        self._done = True

    async def _copy_files(self, snapshot: Snapshot, sums: TextIO) -> None:
        async for video in snapshot.videos():
            self._videos += 1
            names = await asyncio.to_thread(self._copy_video, video, sums)
            if video.media.stage and video.media.available is None and (set(files_of(video)) - names):
                self._lost.append(video.id)
        for upload_id, is_needed in (await snapshot.uploads()).items():
            try:
                await asyncio.to_thread(self._copy, self._uploads.path(upload_id), f"uploads/{upload_id}", sums)
            except FileNotFoundError:
                if is_needed:
                    log.warning("upload_bytes_lost", upload_id=upload_id)

    def _copy_video(self, video: Video, sums: TextIO) -> set[str]:
        """Copy the stages that are served, or may be again; return the names of the one that is."""
        served: set[str] = set()
        for stage in {video.media.stage, video.media.replaced_stage} - {None}:
            names = self._copy_stage(video.id, stage or "", sums)
            if stage == video.media.stage:
                served = names
        return served

    def _copy_stage(self, video_id: VideoId, stage: str, sums: TextIO) -> set[str]:
        """Copy the files of a stage that may be served: while it is in progress, others lie beside them."""
        folder = self._config.data_dir / "media" / video_id / stage
        names = set()
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            try:
                self._copy(self._files.path(video_id, stage, name), f"media/{video_id}/{stage}/{name}", sums)
            except (NotFoundError, IsADirectoryError):
                continue
            names.add(name)
        return names

    def _copy(self, source: Path, name: str, sums: TextIO) -> None:
        size, digest = manifest.copy(source, self._folder / name)
        self._bytes += size
        self._note(sums, name, digest)

    def _note(self, sums: TextIO, name: str, digest: str) -> None:
        sums.write(f"{digest}  {name}\n")
        self._count += 1

    def _finish(self) -> None:
        """Read everything again as it was written, and say that it is whole. Raises BackupError."""
        for entry in manifest.entries(self._folder):
            if manifest.sum_of(self._folder / entry.name) != entry.sum:
                raise BackupError(f"{entry.name} is not what was written there: is the disk well?")
        about = About(
            format=FORMAT, release=__version__, made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            server_name=self._config.homeserver.server_name, videos=self._videos, files=self._count, bytes=self._bytes,
            sums=manifest.sum_of(self._folder / SUMS),
        )  # fmt: skip
        (self._folder / ABOUT).write_text(about.model_dump_json(indent=2), encoding="utf-8")
