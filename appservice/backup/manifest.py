"""What a backup says of itself: `backup.json`, and `SHA256SUMS` as `sha256sum -c` reads it."""

import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from appservice.core.errors import BackupError

FORMAT = 1
DUMP, SUMS, ABOUT = "database.dump", "SHA256SUMS", "backup.json"
_LINE = re.compile(r"(?P<sum>[0-9a-f]{64})  (?P<name>[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)")
_PIECE = 1024 * 1024


class About(BaseModel):
    """The whole of a backup: `sums` is the SHA-256 of the list of files, which has that of each."""

    format: int
    release: str
    made_at: str
    server_name: str
    videos: int
    files: int
    bytes: int
    sums: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a backup, by its path in it."""

    name: str
    sum: str


def copy(source: Path, target: Path) -> tuple[int, str]:
    """Copy a file and return its bytes and SHA-256, of what was copied."""
    target.parent.mkdir(parents=True, exist_ok=True)
    size, digest = 0, hashlib.sha256()
    with source.open("rb") as reading, target.open("xb") as writing:
        while piece := reading.read(_PIECE):
            writing.write(piece)
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def sum_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_about(folder: Path) -> About:
    """Return what a backup says of itself. Raises BackupError when it is none, or not whole."""
    try:
        about = About.model_validate_json((folder / ABOUT).read_bytes())
        sums = sum_of(folder / SUMS)
    except (OSError, ValidationError) as error:
        raise BackupError(f"{folder} is no whole backup: {ABOUT} or {SUMS} is missing or cannot be read.") from error
    if about.format != FORMAT:
        raise BackupError(f"{folder} is of another release ({about.release}): restore it with that one, then upgrade.")
    if sums != about.sums:
        raise BackupError(f"{folder}/{SUMS} is not the one that the backup was made with.")
    return about


def entries(folder: Path) -> Iterator[Entry]:
    """Yield the files of a backup. Raises BackupError for a line that is none."""
    with (folder / SUMS).open(encoding="ascii") as lines:
        for line in lines:
            found = _LINE.fullmatch(line.rstrip("\n"))
            if found is None:
                raise BackupError(f"{folder}/{SUMS} has a line that is none of ours.")
            yield Entry(found["name"], found["sum"])


def room_for(folder: Path, needed: int) -> None:
    """Raise BackupError when there is no room for so many bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BackupError(f"{folder} has {free // 1024**2} MiB free, and {needed // 1024**2} MiB are needed.")
