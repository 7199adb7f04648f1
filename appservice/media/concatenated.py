"""Files that are read as one, a piece at a time: a rendition's segments as one MP4."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from appservice.core.errors import NotFoundError
from appservice.media.stored import StoredFile, decrypted_segment, read_all
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


def whole_of(files: Mapping[str, StoredFile], rendition: Rendition, key: bytes | None = None) -> Whole:
    """Put the files in a rendition's folder together (blocking), encrypted where its stage has a `key`.

    Raises NotFoundError when one is gone, or is not what it should be.
    """
    try:
        init = decrypted_segment(files["init.mp4"], rendition.name, None, key)
        if init.size > _MOST_INIT:
            raise NotFoundError("There is no such file.")
        segments = [
            decrypted_segment(files[f"{index}.m4s"], rendition.name, index, key)
            for index in range(len(rendition.durations))
        ]
        head = head_of(read_all(init), rendition.durations, [segment.size for segment in segments])
    except (OSError, KeyError, ValueError) as error:
        raise NotFoundError("There is no such file.") from error
    return Whole(head, segments)
