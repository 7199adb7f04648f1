"""What leaves the sandbox: the only way by which anything that ffmpeg wrote is read, kept or published.

A decoder that was taken over leaves what it likes in its folder: links to our files, FIFOs that never answer, another
file's hard link, a giant. So that folder is never the one that is served; what is wanted is opened without following
any link, looked at by its descriptor, and copied by that into a new file elsewhere. A file that changes meanwhile
changes its content alone.
"""

import errno
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO

from transcode.errors import Failed

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Should it become a FIFO between two calls, opening does not wait for its writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# What opening says of links, of folders that are none, of sockets and devices, and of files closed even to their owner.
_NO_PLAIN_FILE = frozenset({errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.ENODEV, errno.EACCES})
# What kernels and file systems (FUSE, gVisor, between two mounts) say of copy_file_range: copy_file_range(2).
_CANNOT_SHARE = frozenset({errno.ENOSYS, errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM})
_MIB = 2**20


class PlantedError(Failed):
    """The sandbox holds something else than the file that was to be made there."""

    final = True


@dataclass(frozen=True, slots=True)
class FileType:
    """What a file must be: which bytes it has at a position, and how many in all at most."""

    position: int
    magic: bytes
    most: int


JPEG = FileType(0, b"\xff\xd8\xff", 16 * _MIB)
"""A poster, or a sprite sheet."""
CLIP = FileType(4, b"ftyp", 64 * _MIB)
"""A preview."""


def mp4(most: int) -> FileType:
    """Describe an MP4 of at most so many bytes."""
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


def take(folder: Path, name: str, target: Path, expected: FileType) -> bool:
    """Copy a file out of the sandbox's `folder` to the new file `target`; False where there is none.

    Raises PlantedError for what `opened` refuses and for another type, OSError as files do.
    """
    file = opened(folder, name, expected.most)
    if file is None:
        return False
    with file:
        size = os.fstat(file.fileno()).st_size
        begin, end = expected.position, expected.position + len(expected.magic)
        if size > expected.most or os.pread(file.fileno(), end, 0)[begin:] != expected.magic:
            raise PlantedError(f"{name} is not of its type, or has more than {expected.most} bytes")
        write(file, range(size), target)
    return True


def write(source: BinaryIO, part: range, target: Path) -> None:
    """Copy a part of an open file to `target`, a name that never stands for half a file.

    Raises OSError as files do, EOFError when the part is not there (any more).
    """
    temporary = target.with_name(f"{target.name}.tmp")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, _NEW, 0o666), "wb") as file:
        copy(source, part, file)
    temporary.rename(target)


def copy(source: BinaryIO, part: range, target: BinaryIO) -> None:
    """Append a part of one open file to another, within the kernel. Raises as `write`."""
    begin, size = part.start, len(part)
    while size:
        done = _copied(source.fileno(), target.fileno(), size, begin)
        if not done:
            raise EOFError("what was to be copied is cut off")
        begin, size = begin + done, size - done


def put(folder: Path, name: str, content: bytes) -> None:
    """Write a file into the sandbox's `folder`, for the next program in it, whatever the last one left of that name.

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
    """Delete a sandbox's folder with what is in it, following no link."""
    shutil.rmtree(folder, ignore_errors=True)


def is_plain(folder: Path, parts: tuple[str, ...]) -> bool:
    """Tell whether a regular file is there, with no link on the way to it from a folder of ours."""
    try:
        os.close(_open(folder.resolve(), parts))
    except OSError as error:
        if error.errno in _NO_PLAIN_FILE | {errno.ENOENT}:
            return False
        raise
    return True


def _open(folder: Path, parts: tuple[str, ...]) -> int:
    at = os.open(folder, _FOLDER)
    try:
        for part in parts[:-1]:
            below = os.open(part, _FOLDER, dir_fd=at)
            os.close(at)
            at = below
        # Before it is opened: with a device, that alone can do something.
        if not stat.S_ISREG(os.stat(parts[-1], dir_fd=at, follow_symlinks=False).st_mode):
            raise OSError(errno.ENXIO, "not a regular file")
        return os.open(parts[-1], _FILE, dir_fd=at)
    finally:
        os.close(at)


def _check(found: os.stat_result, name: str, most: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise PlantedError(f"{name} is no plain file")
    if found.st_nlink != 1:
        raise PlantedError(f"{name} is another file's, too")
    if found.st_size > most:
        raise PlantedError(f"{name} has {found.st_size} bytes, {most} are the most")


def _copied(source: int, target: int, size: int, begin: int) -> int:
    """Copy within the kernel what it takes at once of `size` bytes, and give how many it took."""
    try:
        # A file system that can shares the blocks.
        return os.copy_file_range(source, target, size, begin)
    except OSError as error:
        if error.errno not in _CANNOT_SHARE:
            raise
        return os.sendfile(target, source, begin, size)
