"""Files that are read as one, a piece at a time: a rendition's segments as one MP4."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from appservice.core.errors import NotFoundError
from appservice.media.stored import StoredFile, read_all, stored_segment
from transcode.hls.playlist import Rendition
from transcode.hls.progressive import head_of

_MOST_INIT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Whole:
    """What is served as one file: its head, and the files whose contents follow."""

    head: bytes
    files: Sequence[StoredFile]

    @property
    def size(self) -> int:
        """Bytes of the whole."""
        return len(self.head) + sum(file.size for file in self.files)

    def pieces(self, part: range) -> Iterator[bytes]:
        """Read a part, a piece at a time (blocking)."""
        if part.start < len(self.head):
            yield self.head[part.start : part.stop]
        position = len(self.head)
        for file in self.files:
            begin, end = max(part.start, position), min(part.stop, position + file.size)
            if begin < end:
                yield from file.read(range(begin - position, end - position))
            position += file.size


def whole_of(folder: Path, rendition: Rendition, key: bytes | None = None) -> Whole:
    """Put the files in a rendition's `folder` together (blocking), encrypted where its stage has a `key`.

    Raises NotFoundError when one is gone, or is not what it should be.
    """
    try:
        init = stored_segment(folder, None, key)
        if init.size > _MOST_INIT:
            raise NotFoundError("There is no such file.")
        files = [stored_segment(folder, index, key) for index in range(len(rendition.durations))]
        head = head_of(read_all(init), rendition.durations, [file.size for file in files])
    except (OSError, ValueError) as error:
        raise NotFoundError("There is no such file.") from error
    return Whole(head, files)


def whole_in(folder: Path, renditions: Iterable[Rendition]) -> tuple[Rendition, Whole]:
    """Put together the files (blocking) of the first of `renditions` that a stage's `folder` has all of, and no more.

    Raises NotFoundError where there is none.
    """
    for rendition in renditions:
        with contextlib.suppress(NotFoundError):
            if not (folder / rendition.name / f"{len(rendition.durations)}.m4s").exists():
                return rendition, whole_of(folder / rendition.name, rendition)
    raise NotFoundError("There is no such file.")
