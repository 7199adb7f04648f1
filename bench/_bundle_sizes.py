"""Measure the size of the widget's bundle: its entry chunk, and all JavaScript, compressed as servers do."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class BundleSizes:
    """Bytes after gzip: the entry chunk with its imports, and all chunks."""

    entry: int
    everything: int
    by_file: dict[str, int]


def _entry_files(manifest: dict[str, Any], name: str) -> set[str]:
    entry = manifest[name]
    return {entry["file"]}.union(*(_entry_files(manifest, imported) for imported in entry.get("imports", [])))


def bundle_sizes(assets: Path, entry: str = "src/main.tsx") -> BundleSizes:
    """Measure the built page in `assets`. Raises OSError when it is not built."""
    manifest = json.loads((assets / ".vite" / "manifest.json").read_text(encoding="utf-8"))
    by_file = {
        str(file.relative_to(assets)): len(gzip.compress(file.read_bytes(), 9))
        for file in sorted((assets / "assets").glob("*.js"))
    }
    return BundleSizes(
        entry=sum(by_file[file] for file in _entry_files(manifest, entry)),
        everything=sum(by_file.values()),
        by_file=by_file,
    )
