"""Files that are the same twice, stored once: by links, so that deleting one leaves the other."""

import contextlib
import filecmp
import os
from pathlib import Path


def link_same(folder: Path, other: Path) -> None:
    """Replace the files of a new `folder` that `other` has by the same name and content by links to those (blocking).

    What is deleted meanwhile, or cannot be linked, stays as it is.
    """
    for path in sorted(folder.rglob("*")):
        twin, link = other / path.relative_to(folder), path.with_name(f"{path.name}.link")
        with contextlib.suppress(OSError):
            if path.is_file() and twin.is_file() and filecmp.cmp(path, twin, shallow=False):
                os.link(twin, link)
                link.replace(path)
