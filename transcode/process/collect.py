"""Take files out of the sandbox: the only way by which anything that ffmpeg wrote is read, kept or published.

A decoder that was taken over leaves what it likes in its folder: links to our files, FIFOs that never end, another
file's hard link, a giant. So that folder is never the one that is served; a file is opened without following any link,
checked by its descriptor, and copied by that into a new file elsewhere. If it changes meanwhile, only its content does.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO, Protocol

from transcode.errors import Failed

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Should it become a FIFO between two calls, opening does not wait for its writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Errors of opening links, folders that are none, sockets and devices, and files without permission for their owner.
_NO_PLAIN_FILE = frozenset({errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.ENODEV, errno.EACCES})
# Errors of copy_file_range where kernel or file systems (FUSE, gVisor, two mounts) do not support it.
_CANNOT_SHARE = frozenset({errno.ENOSYS, errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM})
_MIB = 2**20
# What is encrypted at once: it stays in the processor's cache.
_PIECE = 2**16


class PlantedError(Failed):
    """The sandbox holds something else than the expected file."""

    final = True


@dataclass(frozen=True, slots=True)
class FileType:
    """What a file must be: its magic bytes at a position, and its largest size in bytes."""

    position: int
    magic: bytes
    most: int


class Encryptor(Protocol):
    """Encrypts a file from its start, in pieces of any size."""

    def update(self, data: bytes, /) -> bytes:
        """Return the next of the ciphertext."""

    def finalize(self) -> bytes:
        """Return the last of it."""


JPEG = FileType(0, b"\xff\xd8\xff", 16 * _MIB)
"""A poster, or a sprite sheet."""
CLIP = FileType(4, b"ftyp", 64 * _MIB)
"""A preview."""


def mp4(most: int) -> FileType:
    """Return the type of an MP4 of `most` bytes at most."""
    return FileType(4, b"ftyp", most)


def opened(folder: Path, name: str, most: int) -> BinaryIO | None:
    """Open the file `name` (relative, of plain components) below the sandbox's `folder`; None where there is none.

    Raises PlantedError unless it is a regular file, reached without any link, with no other name and of at most `most`
    bytes; OSError where we cannot open files at all.
    """
    try:
        descriptor = _open(folder, PurePath(name).parts)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in _NO_PLAIN_FILE:
            raise PlantedError(f"{name} is no plain file: {error.strerror}") from error
        raise
    try:
        _check(os.fstat(descriptor), name, most)
        os.set_blocking(descriptor, True)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read(folder: Path, name: str, most: int) -> bytes:
    """Read a whole file as `opened` does; nothing where there is none."""
    file = opened(folder, name, most)
    if file is None:
        return b""
    with file:
        # It may have become longer since.
        return file.read(most)


def take(folder: Path, name: str, target: Path, expected: FileType, encryptor: Encryptor | None = None) -> bool:
    """Copy a file out of the sandbox's `folder` to the new file `target`, perhaps encrypted; False where there is none.

    Raises PlantedError for what `opened` refuses and for another type, OSError as files do.
    """
    file = opened(folder, name, expected.most)
    if file is None:
        return False
    with file:
        size = os.fstat(file.fileno()).st_size
        start, end = expected.position, expected.position + len(expected.magic)
        if size > expected.most or os.pread(file.fileno(), end, 0)[start:] != expected.magic:
            raise PlantedError(f"{name} is not of its type, or has more than {expected.most} bytes")
        with closing(Directory(target.parent)) as directory:
            directory.write(file, range(size), target.name, encryptor)
    return True


class Directory:
    """A folder of ours by its descriptor, so that it may be moved within its file system while it is being filled."""

    def __init__(self, path: Path) -> None:
        self._at = os.open(path, _FOLDER)

    def write(self, source: BinaryIO, part: range, name: str, encryptor: Encryptor | None = None) -> None:
        """Copy a part of an open file into a new file, atomically, and encrypted where there is an `encryptor`.

        Raises OSError as files do, EOFError when the part is not there (any more).
        """
        with self.new(name, encryptor) as output:
            output.append(source, part)

    @contextmanager
    def new(self, name: str, encryptor: Encryptor | None = None) -> Iterator["Output"]:
        """Write a new file, which appears whole or not at all. Raises OSError as files do."""
        temporary = f"{name}.tmp"
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=self._at)
        with os.fdopen(os.open(temporary, _NEW, 0o666, dir_fd=self._at), "wb") as file:
            output = Output(file, encryptor)
            yield output
            output.finish()
        os.rename(temporary, name, src_dir_fd=self._at, dst_dir_fd=self._at)

    def move_in(self, path: Path) -> None:
        """Move a file of ours into it, under its own name. Raises OSError as files do."""
        os.rename(path, path.name, dst_dir_fd=self._at)

    def close(self) -> None:
        """Close the descriptor. May be repeated."""
        if self._at >= 0:
            os.close(self._at)
            self._at = -1


class Output:
    """A file that is written from its start to its end; encrypted where there is an `encryptor`."""

    def __init__(self, file: BinaryIO, encryptor: Encryptor | None = None) -> None:
        self._file, self._encryptor = file, encryptor

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._file.write(self._encryptor.update(data) if self._encryptor else data)

    def append(self, source: BinaryIO, part: range) -> None:
        """Append a part of an open file. Raises as `Directory.write` does."""
        if self._encryptor is None:
            self._file.flush()
            _copy(source, part, self._file)
            return
        for start in range(part.start, part.stop, _PIECE):
            size = min(_PIECE, part.stop - start)
            piece = os.pread(source.fileno(), size, start)
            if len(piece) < size:
                raise EOFError("the part to copy is cut off")
            self._file.write(self._encryptor.update(piece))

    def finish(self) -> None:
        """Write what is left to be written."""
        if self._encryptor:
            self._file.write(self._encryptor.finalize())


def _copy(source: BinaryIO, part: range, target: BinaryIO) -> None:
    """Append a part of one open file to another, within the kernel."""
    start, size = part.start, len(part)
    while size:
        done = _copied(source.fileno(), target.fileno(), size, start)
        if not done:
            raise EOFError("the part to copy is cut off")
        start, size = start + done, size - done


def put(folder: Path, name: str, content: bytes) -> None:
    """Write a file into the sandbox's `folder` for the next program, replacing whatever the last one left there.

    Raises PlantedError when that is a folder, OSError as files do.
    """
    at = os.open(folder, _FOLDER)
    try:
        try:
            os.unlink(name, dir_fd=at)
        except FileNotFoundError:
            pass
        except (IsADirectoryError, PermissionError) as error:
            raise PlantedError(f"{name} is no plain file: {error.strerror}") from error
        with os.fdopen(os.open(name, _NEW, 0o666, dir_fd=at), "wb") as file:
            file.write(content)
    finally:
        os.close(at)


def discard(folder: Path) -> None:
    """Delete a sandbox's folder with its content, following no link."""
    shutil.rmtree(folder, ignore_errors=True)


def is_plain(folder: Path, parts: tuple[str, ...]) -> bool:
    """Return whether a regular file exists, with no link on the way to it from a folder of ours."""
    descriptor = plain_file(folder, parts)
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


def plain_file(folder: Path, parts: tuple[str, ...]) -> int | None:
    """Open a regular file with no link on the way to it from a folder of ours; None where there is none."""
    try:
        return _open(folder.resolve(), parts)
    except OSError as error:
        if error.errno in _NO_PLAIN_FILE | {errno.ENOENT}:
            return None
        raise


def _open(folder: Path, parts: tuple[str, ...]) -> int:
    at = os.open(folder, _FOLDER)
    try:
        for part in parts[:-1]:
            below = os.open(part, _FOLDER, dir_fd=at)
            os.close(at)
            at = below
        # Before it is opened: opening a device can have effects.
        if not stat.S_ISREG(os.stat(parts[-1], dir_fd=at, follow_symlinks=False).st_mode):
            raise OSError(errno.ENXIO, "not a regular file")
        return os.open(parts[-1], _FILE, dir_fd=at)
    finally:
        os.close(at)


def _check(found: os.stat_result, name: str, most: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise PlantedError(f"{name} is no plain file")
    if found.st_nlink != 1:
        raise PlantedError(f"{name} is a hard link of another file")
    if found.st_size > most:
        raise PlantedError(f"{name} has {found.st_size} bytes, {most} are the most")


def _copied(source: int, target: int, size: int, start: int) -> int:
    """Copy up to `size` bytes within the kernel, and return how many it copied at once."""
    try:
        # A file system that can shares the blocks.
        return os.copy_file_range(source, target, size, start)
    except OSError as error:
        if error.errno not in _CANNOT_SHARE:
            raise
        return os.sendfile(target, source, start, size)
