"""Find the links of chained Ogg files (RFC 3533, 4) and the streams in each.

ffmpeg continues with the next link only where both have a single stream of the same kind.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from transcode.errors import TooManyStreams

# Start of the header of a stream's first page: version, and flags, which may mark it as the last page, too.
_FIRST_PAGE = re.compile(rb"OggS\0[\x02\x06]")
_HEADER, _LACING = 27, 255
_PIECE = 2**22
_LONGEST_PACKET = 512
_AUDIO = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")
_THEORA = b"\x80theora"
_THEORA_BYTES = 36
# Each link is an input of ffmpeg's; and more first pages are no chain that anybody recorded.
_MOST_LINKS, _MOST_PAGES = 64, 10_000


@dataclass(frozen=True, slots=True)
class Link:
    """One link: its byte range, and the first packet of each of its streams."""

    start: int
    end: int
    streams: tuple[bytes, ...]

    @property
    def has_audio(self) -> bool:
        """Whether one of its streams is audio."""
        return any(stream.startswith(_AUDIO) for stream in self.streams)

    @property
    def size(self) -> tuple[int, int] | None:
        """Displayed size of its first video stream, in pixels; None where there is none (Theora, 6.2)."""
        for stream in self.streams:
            if stream.startswith(_THEORA) and len(stream) >= _THEORA_BYTES:
                width, height, across, down = (int.from_bytes(stream[at : at + 3]) for at in (14, 17, 30, 33))
                return round(width * (across / down if across and down else 1)), height
        return None


def links_to_join(file: BinaryIO) -> tuple[Link, ...]:
    """Return the links of a file of which ffmpeg would play the first one only; none for all other files.

    Raises TooManyStreams for more links than can be joined, OSError as files do.
    """
    file.seek(0)
    if file.read(4) != b"OggS":
        return ()
    links = _links(file)
    first, *others = links or [Link(0, 0, ())]
    if not others or not (first.size or (first.has_audio and any(link.streams != first.streams for link in others))):
        return ()
    if len(links) > _MOST_LINKS:
        raise TooManyStreams(f"it is more than {_MOST_LINKS} files one after the other")
    return tuple(links)


def _links(file: BinaryIO) -> Sequence[Link]:
    """Find where links start: with the first pages of all their streams (RFC 3533, 4)."""
    starts: list[int] = []
    streams: list[list[bytes]] = []
    behind = 0
    for number, start in enumerate(_first_pages(file)):
        if number >= _MOST_PAGES:
            break
        packet, end = _page(file, start)
        if not starts or start != behind:
            starts.append(start)
            streams.append([])
        streams[-1].append(packet)
        behind = end
    ends = [*starts[1:], file.seek(0, 2)][: len(starts)]
    return [Link(start, end, tuple(found)) for start, end, found in zip(starts, ends, streams, strict=True)]


def _first_pages(file: BinaryIO) -> Iterator[int]:
    position, before = 0, b""
    while True:
        file.seek(position)
        piece = file.read(_PIECE)
        if not piece:
            return
        data = before + piece
        for found in _FIRST_PAGE.finditer(data):
            yield position - len(before) + found.start()
        # A header may start at its end; complete ones were found.
        position, before = position + len(piece), data[-5:]


def _page(file: BinaryIO, start: int) -> tuple[bytes, int]:
    """Read the first bytes of a page's content, and where the page ends."""
    file.seek(start)
    data = file.read(_HEADER + _LACING + _LONGEST_PACKET)
    lacing = data[_HEADER : _HEADER + data[_HEADER - 1]] if len(data) >= _HEADER else b""
    content = _HEADER + len(lacing)
    return data[content : content + min(sum(lacing), _LONGEST_PACKET)], start + content + sum(lacing)
