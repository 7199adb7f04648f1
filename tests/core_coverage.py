"""Fails when the branch coverage of the pure core is below its limit; `./run test` runs it after pytest."""

import json
import sys
import tempfile
from pathlib import Path

from coverage import Coverage

# Decisions without input or output: nothing excuses a branch that no test takes.
_APPSERVICE = (
    "clean", "galleries", "markup", "model", "intake", "profiles", "tokens", "permissions", "codes", "kinds",
    "managing", "policies", "power", "quotas", "schedule", "status", "widgets", "commands/answer", "commands/grammar",
    "web/member", "web/reels", "web/tus", "web/views",
)  # fmt: skip
_TRANSCODE = ("plan", "playlist", "probe", "progress", "sniff")
CORE = [*(f"appservice/{name}.py" for name in _APPSERVICE), *(f"transcode/{name}.py" for name in _TRANSCODE)]
LIMIT = 90.0  # percent


def main() -> int:
    """Read `.coverage` of the working directory; print only what is wrong; return the exit code."""
    missing = [name for name in CORE if not Path(name).is_file()]
    if missing:
        sys.stderr.write(f"{__file__}: there is no {', '.join(missing)}; correct CORE.\n")
        return 1
    coverage = Coverage()
    coverage.load()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "core.json"
        coverage.json_report(outfile=str(report), include=CORE)
        found = json.loads(report.read_text())
    totals = found["totals"]
    percent = 100.0 * totals["covered_branches"] / totals["num_branches"] if totals["num_branches"] else 100.0
    if percent >= LIMIT and set(found["files"]) == set(CORE):
        return 0
    for name in CORE:
        lacking = found["files"].get(name, {}).get("missing_branches", "all: no test imports it")
        sys.stderr.write(f"{name}: branches not taken: {lacking}\n")
    sys.stderr.write(f"Branch coverage of the pure core is {percent:.1f} %, and must be {LIMIT:.0f} % at least.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
