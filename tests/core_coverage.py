"""Fails when the branch coverage of what is pure is below its limit; `./run test` runs it after pytest.

What is pure is said in one place: the contracts of import-linter in pyproject.toml whose names end in "pure".
"""

import json
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from coverage import Coverage

LIMIT = 90.0  # percent


def pure_files(root: Path) -> Iterator[str]:
    """Yield the path of each module below `root` that the linter's contracts call pure."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    for name in [name for each in contracts if each["name"].endswith("pure") for name in each["source_modules"]]:
        place = root / name.replace(".", "/")
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
        yield from (str(file.relative_to(root)) for file in files if file.name != "__init__.py")


def main() -> int:
    """Read `.coverage` of the working directory; print only what is wrong; return the exit code."""
    files = list(pure_files(Path()))
    coverage = Coverage()
    coverage.load()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "core.json"
        coverage.json_report(outfile=str(report), include=files)
        found = json.loads(report.read_text())
    totals = found["totals"]
    percent = 100.0 * totals["covered_branches"] / totals["num_branches"] if totals["num_branches"] else 100.0
    if percent >= LIMIT and set(found["files"]) == set(files):
        return 0
    for name in files:
        lacking = found["files"].get(name, {}).get("missing_branches", "all: no test imports it")
        sys.stderr.write(f"{name}: branches not taken: {lacking}\n")
    sys.stderr.write(f"Branch coverage of what is pure is {percent:.1f} %, and must be {LIMIT:.0f} % at least.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
