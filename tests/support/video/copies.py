"""Write a remuxed file at once."""

from contextlib import closing
from pathlib import Path

from transcode.mp4.remux import Remux
from transcode.segments import Copier, Written


def write_copy(source: Path, copy: Remux, folder: Path, key: bytes | None = None) -> Written:
    """Check a copy, and write all of its segments into `folder`."""
    with closing(Copier(source, copy, folder, key)) as copier:
        written = copier.check()
        copier.write()
    return written
