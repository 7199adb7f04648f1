"""Where published videos lie: a local folder per video, one folder below it for each stage, visible in one step."""

import asyncio
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from appservice.errors import NotFoundError
from appservice.model import Video, VideoId
from transcode.playlist import POSTER, PREVIEW, STORYBOARD

# Exactly these: while a stage grows, ffmpeg's unfinished files lie beside them.
_MEDIA_FILE = re.compile(
    rf"[0-9]{{1,5}}/(?:init\.mp4|[0-9]{{1,6}}\.m4s)|{'|'.join(map(re.escape, (POSTER, STORYBOARD, PREVIEW)))}", re.ASCII
)
_STAGE = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)


def files_of(video: Video) -> Iterator[str]:
    """Name every file of the stage of a video that does not grow."""
    for rendition in video.renditions:
        yield f"{rendition.name}/init.mp4"
        for index in range(len(rendition.durations)):
            yield f"{rendition.name}/{index}.m4s"
    there = {POSTER: video.has_poster, STORYBOARD: video.storyboard is not None, PREVIEW: video.has_preview}
    yield from (name for name, exists in there.items() if exists)


class LocalFiles:
    """`{root}/{video id}/{stage}/…`. Scratch must be on the same file system, so that publishing is a rename."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def prepare(self) -> None:
        """Make the folder and prove that it can be written."""
        probe = self._root / ".write-test"
        await asyncio.to_thread(self._root.mkdir, parents=True, exist_ok=True)
        await asyncio.to_thread(probe.write_bytes, b"")
        await asyncio.to_thread(probe.unlink)

    async def publish(self, folder: Path, video_id: VideoId, stage: str) -> Path:
        """Move a folder to where viewers find it, and return its new path."""
        target = self._root / video_id / stage
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        # A worker that died after its rename left the same stage: it was never announced.
        await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)
        return await asyncio.to_thread(folder.rename, target)

    async def share(self, video_id: VideoId, stage: str, names: Iterable[str], folder: Path) -> bool:
        """Link files of a stage into the new `folder`, which must be on our file system.

        False, and no folder, when one of them is gone or cannot be linked. Each link is as good as the file: deleting
        one leaves the other.
        """
        try:
            await asyncio.to_thread(self._link, {folder / name: self.path(video_id, stage, name) for name in names})
        except OSError:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            return False
        return True

    @staticmethod
    def _link(links: dict[Path, Path]) -> None:
        for parent in {target.parent for target in links}:
            parent.mkdir(parents=True, exist_ok=True)
        for target, file in links.items():
            os.link(file, target)

    async def remove(self, video_id: VideoId, stage: str) -> None:
        """Delete a stage, if it is there."""
        await asyncio.to_thread(shutil.rmtree, self._root / video_id / stage, ignore_errors=True)

    async def sweep(self, video_id: VideoId, keep: str | None) -> None:
        """Delete all stages of a video but the one to `keep`; with None, everything."""
        await asyncio.to_thread(self._sweep, self._root / video_id, keep)

    @staticmethod
    def _sweep(folder: Path, keep: str | None) -> None:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
            return
        for stage in folder.iterdir() if folder.is_dir() else ():
            if stage.name != keep:
                shutil.rmtree(stage, ignore_errors=True)

    def path(self, video_id: VideoId, stage: str, name: str) -> Path:
        """Return where a media file lies. Raises NotFoundError for names that are none of ours."""
        if not _MEDIA_FILE.fullmatch(name) or not _STAGE.fullmatch(stage):
            raise NotFoundError("There is no such file.")
        return self._root / video_id / stage / name
