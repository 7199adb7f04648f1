"""What is stored of videos, uploads and exports, wherever it lies: in folders of this machine, or in object storage.

Every method may raise UnavailableError where it lies elsewhere and that does not respond: the same may succeed later.
"""

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from appservice.core.model import ExportId, UploadId, VideoId
from appservice.media.hot import HotFile
from appservice.media.stored import StoredFile


class StageName(NamedTuple):
    """A stage of a video."""

    video_id: VideoId
    stage: str


class StageInProgress(Protocol):
    """A stage that was published, and may get more files."""

    async def extend(self) -> None:
        """Publish the files that were finished since; those who are told of them find them."""


class MediaStore(Protocol):
    """The files of videos: a folder for each stage. What is published never changes."""

    async def prepare(self) -> None:
        """Get ready, once."""

    async def owners(self) -> set[str | None]:
        """Return the names of the installations whose files these are; None: nobody's name is at them."""

    async def claim(self, owner: str) -> None:
        """Put an installation's name at the files where there is none."""

    async def publish(self, folder: Path, video_id: VideoId, stage: str) -> StageInProgress:
        """Publish the finished files of a folder, which may be moved away, as a stage."""

    async def link_same(self, folder: Path, video_id: VideoId, stage: str) -> None:
        """Let the files of a new folder that a stage has as well take no room twice, where that can be."""

    async def copy(self, source: StageName, names: Iterable[str], target: StageName) -> bool:
        """Publish files of a stage as another one, without moving their bytes. False where one of them is gone."""

    async def size(self, video_id: VideoId, stage: str) -> int:
        """Return what the files of a stage take, in bytes; it may still be in progress."""

    async def remove(self, video_id: VideoId, stage: str) -> None:
        """Delete a stage, if it is there."""

    async def sweep(self, video_id: VideoId, keep: Collection[str]) -> None:
        """Delete all stages of a video except those in `keep`; with none, everything."""

    async def stages(self, video_id: VideoId) -> set[str]:
        """Return the stages of a video that there are, also those that were never announced."""

    async def names(self, video_id: VideoId, stage: str) -> set[str]:
        """Return the finished files of a stage."""

    async def shards(self) -> list[str]:
        """Return the parts by which `ids` looks through all videos."""

    def shards_of(self, video_id: VideoId) -> list[str]:
        """Return the parts in which the files of a video may be."""

    async def ids(self, shard: str) -> set[VideoId]:
        """Return the videos of a part that there are files of, or were just now: `stages` is exact."""

    async def local(self, video_id: VideoId, stage: str, name: str) -> Path:
        """Return a path at which a media file can be read for some minutes. Raises NotFoundError."""

    async def rendition(self, video_id: VideoId, stage: str, name: str) -> Mapping[str, StoredFile]:
        """Return the finished files of a rendition by their names in its folder. Raises NotFoundError."""

    async def hot(self, video_id: VideoId, stage: str, name: str) -> HotFile:
        """Return a media file ready to be sent. Raises NotFoundError."""

    def held(self, video_id: VideoId, stage: str, name: str) -> HotFile | None:
        """Return a media file where that needs no look at the disk."""

    async def address(self, video_id: VideoId, stage: str, name: str, *, encrypted: bool) -> str | None:
        """Return where a viewer who has access gets a file without us, for less than a minute; None: from us."""

    async def origins(self) -> tuple[str, ...]:
        """Return where such addresses lead, as a Content Security Policy has it."""


class Appender(Protocol):
    """The end of an upload, held by one request."""

    @property
    def offset(self) -> int:
        """How many bytes there are."""

    async def append(self, piece: bytes) -> None:
        """Write a piece, perhaps not before the end. Raises StorageFullError, and LockedError as `appending` does."""


class UploadFiles(Protocol):
    """What has arrived of uploads."""

    async def prepare(self) -> None:
        """Get ready, once."""

    async def create(self, upload_id: UploadId) -> None:
        """Begin a new upload. Raises StorageFullError."""

    async def size(self, upload_id: UploadId) -> int:
        """Return how many bytes there are. Raises NotFoundError when they are gone."""

    async def remove(self, upload_id: UploadId) -> None:
        """Delete the bytes, if they are there."""

    async def ids(self) -> set[UploadId]:
        """Return what there are bytes of."""

    async def local(self, upload_id: UploadId, folder: Path) -> Path:
        """Return the bytes as one file, which may be made in `folder`. Raises NotFoundError."""

    def read(self, upload_id: UploadId, start: int = 0) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from `start` on, some megabytes at most at a time. Raises NotFoundError."""

    def appending(self, upload_id: UploadId) -> AbstractAsyncContextManager[Appender]:
        """Hold the upload to ourselves among all processes. Raises LockedError, or NotFoundError.

        What was appended is there when the context ends.
        """


class ExportFiles(Protocol):
    """What members take with them."""

    async def prepare(self) -> None:
        """Get ready, once."""

    async def publish(self, file: Path, export_id: ExportId) -> None:
        """Move a file to where it is served from."""

    async def file(self, export_id: ExportId) -> StoredFile | None:
        """Return an export; None where it is not there (yet)."""

    async def remove(self, export_id: ExportId) -> None:
        """Delete an export, if it is there."""

    async def ids(self) -> set[ExportId]:
        """Return what there are files of."""


class Leases(Protocol):
    """Who is writing to an upload, among all processes."""

    async def take(self, upload_id: UploadId, holder: str) -> bool:
        """Take, or keep, an upload for some seconds; False where another one has it, or there is none."""

    async def release(self, upload_id: UploadId, holder: str) -> None:
        """Give it back."""


@dataclass(frozen=True)
class Storage:
    """All that is stored; `sweep_s`: how often it may be looked through for what nobody needs."""

    media: MediaStore
    uploads: UploadFiles
    exports: ExportFiles
    sweep_s: float

    async def prepare(self) -> None:
        """Get ready, once."""
        for part in (self.media, self.uploads, self.exports):
            await part.prepare()
