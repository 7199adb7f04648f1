"""How much the widget's page fetches: its entry, and all JavaScript there is, compressed as servers do."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Sizes:
    """In bytes after gzip: what the page needs before it can do anything, and everything that it may ever fetch."""

    entry: int
    everything: int
    by_file: dict[str, int]


def _entry_files(manifest: dict[str, Any], name: str) -> set[str]:
    entry = manifest[name]
    return {entry["file"]}.union(*(_entry_files(manifest, imported) for imported in entry.get("imports", [])))


def sizes(assets: Path, entry: str = "src/main.tsx") -> Sizes:
    """Weigh the built page in `assets`; raises OSError when it is not built."""
    manifest = json.loads((assets / ".vite" / "manifest.json").read_text(encoding="utf-8"))
    by_file = {
        str(file.relative_to(assets)): len(gzip.compress(file.read_bytes(), 9))
        for file in sorted((assets / "assets").glob("*.js"))
    }
    return Sizes(
        entry=sum(by_file[file] for file in _entry_files(manifest, entry)),
        everything=sum(by_file.values()),
        by_file=by_file,
    )
