"""Files of ours, read in whole or in part as what they were before they were encrypted on disk, if they were."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Protocol

from appservice.core.errors import NotFoundError
from transcode.hls.encryption import BLOCK, file_cipher, segment_decryptor, segment_iv

_PIECE = 256 * 1024


class StoredFile(Protocol):
    """A file, as what is in it."""

    @property
    def size(self) -> int:
        """Bytes of its content."""

    def read(self, part: range) -> Iterator[bytes]:
        """Read a part of its content, a piece at a time (blocking). Raises OSError, and NotFoundError."""


@dataclass(frozen=True, slots=True)
class Clear:
    """A file that is not encrypted."""

    path: Path
    size: int

    def read(self, part: range) -> Iterator[bytes]:
        """Read a part."""
        with open_plain(self.path) as file:
            yield from _pieces(file, part)


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A file that is no segment, as `transcode.hls.encryption` has it: any part decrypts alone."""

    stored: StoredFile
    size: int
    key: bytes = field(repr=False)
    iv: bytes

    def read(self, part: range) -> Iterator[bytes]:
        """Read a part."""
        cipher = file_cipher(self.key, self.iv, part.start)
        for piece in self.stored.read(range(part.start + BLOCK, part.stop + BLOCK)):
            yield cipher.update(piece)


@dataclass(frozen=True, slots=True)
class EncryptedSegment:
    """A media or initialization segment; a part decrypts from the block before it on."""

    stored: StoredFile
    size: int
    key: bytes = field(repr=False)
    iv: bytes

    def read(self, part: range) -> Iterator[bytes]:
        """Read a part."""
        first, end = part.start // BLOCK * BLOCK, -(-part.stop // BLOCK) * BLOCK
        skipped, left = part.start - first, len(part)
        pieces = self.stored.read(range(max(first - BLOCK, 0), end))
        iv, piece = self.iv, b""
        if first:
            piece = next(pieces)
            iv, piece = piece[:BLOCK], piece[BLOCK:]
        cipher = segment_decryptor(self.key, iv)
        for encrypted in chain([piece] if piece else [], pieces):
            plain = cipher.update(encrypted)[skipped : skipped + left]
            skipped = 0
            left -= len(plain)
            yield plain


def plain_file(path: Path) -> StoredFile:
    """Return a regular file as it is on disk (blocking). Raises OSError, and NotFoundError."""
    return Clear(path, plain_size(path))


def decrypted_file(stored: StoredFile, key: bytes | None) -> StoredFile:
    """Return a file that is no segment, decrypted where there is a key (blocking).

    Raises OSError, and NotFoundError, also where it is not encrypted.
    """
    if key is None:
        return stored
    if stored.size < BLOCK:
        raise NotFoundError("There is no such file.")
    return Encrypted(stored, stored.size - BLOCK, key, _part(stored, range(BLOCK)))


def decrypted_segment(stored: StoredFile, rendition: str, index: int | None, key: bytes | None) -> StoredFile:
    """Return a segment of a rendition, or its initialization segment, decrypted where there is a key.

    Blocks, and raises as `decrypted_file` does.
    """
    if key is None:
        return stored
    size, iv = stored.size, segment_iv(rendition, index)
    if size < BLOCK or size % BLOCK:
        raise NotFoundError("There is no such file.")
    ends = _part(stored, range(size - min(size, 2 * BLOCK), size))
    cipher = segment_decryptor(key, ends[:-BLOCK] or iv)
    padding = cipher.update(ends[-BLOCK:])[-1]
    if not 1 <= padding <= BLOCK:
        raise NotFoundError("There is no such file.")
    return EncryptedSegment(stored, size - padding, key, iv)


def _part(stored: StoredFile, part: range) -> bytes:
    return b"".join(stored.read(part))


def read_all(file: StoredFile) -> bytes:
    """Read the whole content of a small file (blocking)."""
    return _part(file, range(file.size))


def open_plain(path: Path) -> BinaryIO:
    """Open a regular file for reading, and nothing else (blocking). Raises NotFoundError, or OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotFoundError("There is no such file.")
    return os.fdopen(descriptor, "rb")


def plain_size(path: Path) -> int:
    """Return the bytes of a regular file (blocking). Raises NotFoundError, or OSError."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise NotFoundError("There is no such file.")
    return found.st_size


def _pieces(file: BinaryIO, part: range) -> Iterator[bytes]:
    file.seek(part.start)
    left = len(part)
    while left:
        piece = file.read(min(left, _PIECE))
        if not piece:
            raise ConnectionResetError  # less than was promised cannot be signalled in any other way
        left -= len(piece)
        yield piece
