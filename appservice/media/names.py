"""The names of media files: which there are of a stage, and which are none of ours."""

import re
from collections.abc import Iterator
from pathlib import Path

from appservice.core.errors import NotFoundError
from appservice.core.model import Video, VideoId
from transcode.hls.playlist import POSTER, PREVIEW, STORYBOARD

# Exactly these: while a stage is in progress, ffmpeg's unfinished files lie beside them.
_MEDIA_FILE = re.compile(
    rf"[0-9]{{1,5}}/(?:init\.mp4|[0-9]{{1,6}}\.m4s)|captions[0-7]\.vtt|"
    rf"{'|'.join(map(re.escape, (POSTER, STORYBOARD, PREVIEW)))}",
    re.ASCII,
)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_STAGE = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)


def files_of(video: Video) -> Iterator[str]:
    """Name every file of the stage of a video that is not in progress."""
    for rendition in video.media.renditions:
        yield f"{rendition.name}/init.mp4"
        for index in range(len(rendition.durations)):
            yield f"{rendition.name}/{index}.m4s"
    there = {
        POSTER: video.media.has_poster,
        STORYBOARD: video.media.storyboard is not None,
        PREVIEW: video.media.has_preview,
    }
    yield from (name for name, exists in there.items() if exists)
    yield from (captions.name for captions in video.media.captions)


def is_id(name: str) -> bool:
    """Return whether a name is an id of ours."""
    return _ID.fullmatch(name) is not None


def is_media_file(name: str) -> bool:
    """Return whether a name, relative to its stage, is that of a finished media file."""
    return _MEDIA_FILE.fullmatch(name) is not None


def is_stage(name: str) -> bool:
    """Return whether a name is that of a stage."""
    return _STAGE.fullmatch(name) is not None


def finished_files(folder: Path) -> set[str]:
    """Return the names of the finished media files in a stage's folder (blocking)."""
    # Unfinished ones have other names until they are renamed, and then they never change.
    return {
        name
        for path in folder.rglob("*")
        if is_media_file(name := path.relative_to(folder).as_posix()) and path.is_file() and not path.is_symlink()
    }


def checked_path(video_id: VideoId, stage: str, name: str) -> str:
    """Return `{video id}/{stage}/{name}`. Raises NotFoundError for names that are none of ours."""
    if not _MEDIA_FILE.fullmatch(name) or not _STAGE.fullmatch(stage) or not _ID.fullmatch(video_id):
        raise NotFoundError("There is no such file.")
    return f"{video_id}/{stage}/{name}"
