"""Runs all tests part by part; `--second-try` runs what failed once more, alone; `--flaky N` compares N busy runs.

`./run test` is the plain run, `.ci/run` takes the second try: what passes then is named FLAKY, with the tails of both
logs, at the end and in `.run/reports/flaky.txt`, and does not fail the run. What fails twice does.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
REPORTS = ROOT / ".run" / "reports"
FLAKY_REPORT = REPORTS / "flaky.txt"
# More failures than this are no chance, and each of them may take minutes.
MOST_SECOND_TRIES = 40
TAIL_LINES = 40
SLOWEST_FILES = 8
# pytest's exit code when tests were run and some failed. Any other that is not 0 is an error of the run itself.
_TESTS_FAILED = 1
_FAILED = ("failed", "uncollected")


@dataclass(frozen=True)
class Part:
    """A command that runs some of the tests; `then` runs after it and must succeed as well."""

    name: str
    command: tuple[str, ...]
    folder: Path = ROOT
    then: tuple[str, ...] = ()

    @property
    def is_pytest(self) -> bool:
        """Tell whether each of its tests can be run by itself."""
        return "pytest" in self.command


def _pytest(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "pytest", *words)


# A browser keeps a processor busy; the real services mostly wait for each other. tests/conftest.py puts slow files
# first. The pure core is measured where it is tested: with its services measured as well, all took a third longer.
_BY_FILE = ("--dist", "loadfile", "--no-loadscope-reorder")
PARTS = (
    Part("widget", ("npm", "test", "--silent"), folder=ROOT / "widget"),
    Part("e2e", _pytest("-n", "2", *_BY_FILE, "tests/e2e")),
    Part("services", _pytest("-n", "4", *_BY_FILE, "tests/contract", "tests/integration")),
    Part(
        "unit",
        _pytest("-n", "2", *_BY_FILE, "--cov", "--cov-report=term", "tests/unit"),
        then=(sys.executable, "tests/core_coverage.py"),
    ),
)


@dataclass
class Result:
    """How a part ended: the logs of the tests that failed by name, and what failed that is no single test.

    `slowest` has the files that took longest, and their tests' seconds, fixtures included.
    """

    part: Part
    seconds: float
    failed: dict[str, str] = field(default_factory=dict)
    error: str | None = None
    slowest: list[tuple[str, float]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Tell whether everything passed."""
        return not self.failed and self.error is None


def run_part(part: Part, tests: Sequence[str] = (), *, reports: Path = REPORTS) -> Result:
    """Run a part, or only the given tests of it, one after the other; what it prints goes to the terminal."""
    outcomes = reports / f"{part.name}.jsonl"
    outcomes.unlink(missing_ok=True)
    # Alone: one after the other, where the whole part runs several at a time.
    command = _pytest(*tests) if tests else part.command
    if part.is_pytest:
        command = (*command, "-p", "tests.outcomes", "--outcomes", str(outcomes))
    started = time.monotonic()
    code = subprocess.run(command, cwd=part.folder, check=False).returncode
    result = Result(part, 0.0)
    if part.is_pytest:
        lines = outcomes.read_text() if outcomes.exists() else ""
        result.failed, result.slowest = failures_of(lines), slowest_files(lines)
        if code not in (0, _TESTS_FAILED) or (code == _TESTS_FAILED and not result.failed):
            result.error = f"pytest ended with {code}"
    elif code:
        result.failed = {part.name: f"{' '.join(part.command)} ended with {code}; its output is above."}
    if part.then and not tests and result.error is None:
        code = subprocess.run(part.then, cwd=part.folder, check=False).returncode
        result.error = f"{' '.join(part.then[1:])} ended with {code}" if code else None
    result.seconds = time.monotonic() - started
    return result


def failures_of(outcomes: str) -> dict[str, str]:
    """Return the logs of failed tests and uncollected files by name, from the lines that tests/outcomes.py wrote."""
    failed: dict[str, str] = {}
    for line in outcomes.splitlines():
        entry = json.loads(line)
        if entry["outcome"] in _FAILED:
            failed[entry["test"]] = "\n".join(filter(None, (failed.get(entry["test"]), entry["log"])))
    return failed


def slowest_files(outcomes: str) -> list[tuple[str, float]]:
    """Return the files whose tests took longest, fixtures included, and their seconds, from the same lines."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for line in outcomes.splitlines():
        entry = json.loads(line)
        seconds[entry["test"].partition("::")[0]] += entry["seconds"]
    return sorted(seconds.items(), key=lambda item: item[1], reverse=True)[:SLOWEST_FILES]


def try_again(result: Result, *, reports: Path = REPORTS) -> tuple[dict[str, tuple[str, str]], Result]:
    """Run what failed once more, alone: the logs of what passes then by name, and the result that counts.

    Those logs are of the first try, and a line on the second.
    """
    if result.error is not None or not result.failed:
        return {}, result
    if len(result.failed) > MOST_SECOND_TRIES:
        result.error = f"{len(result.failed)} tests failed: too many for a second try"
        return {}, result
    _say(f"{result.part.name}: {len(result.failed)} failed; once more, alone")
    second = run_part(result.part, tuple(result.failed) if result.part.is_pytest else (), reports=reports)
    second.seconds += result.seconds
    second.slowest = result.slowest
    passed = f"passed alone in {second.seconds - result.seconds:.1f} s, of {len(result.failed)} run again"
    return {name: (log, passed) for name, log in result.failed.items() if name not in second.failed}, second


def run_all(*, second_try: bool) -> int:
    """Run every part; tell at the end what failed and what was flaky; return the exit code."""
    results: list[Result] = []
    flaky: dict[str, tuple[str, str]] = {}
    for part in PARTS:
        result = run_part(part)
        if second_try:
            passed, result = try_again(result)
            flaky |= passed
        results.append(result)
    FLAKY_REPORT.unlink(missing_ok=True)
    if flaky:
        report = flaky_report(flaky)
        FLAKY_REPORT.write_text(report, encoding="utf-8", errors="backslashreplace")
        _say(report)
    for result in results:
        _say(f"{result.part.name}: {result.seconds:.0f} s{'' if result.ok else ', FAILED'}")
        if result.slowest:
            _say("  slowest: " + ", ".join(f"{Path(name).name} {seconds:.0f} s" for name, seconds in result.slowest))
        for name in result.failed:
            _say(f"FAILED {name}{' (twice)' if second_try else ''}")
        if result.error:
            _say(f"ERROR {result.part.name}: {result.error}")
    return 0 if all(result.ok for result in results) else 1


def flaky_report(flaky: dict[str, tuple[str, str]]) -> str:
    """Return a block for each test that failed and then passed: its name, and the tail of each try's log."""
    blocks = []
    for name, logs in flaky.items():
        blocks.append(f"FLAKY {name}")
        for which, log in zip(("first try", "second try"), logs, strict=True):
            tail = log.splitlines()[-TAIL_LINES:]
            blocks.append("\n".join((f"  {which}:", *(f"    {line}" for line in tail))))
    return "\n".join((*blocks, ""))


def run_flaky(runs: int) -> int:
    """Run the suite some times beside busy processors; print which tests differ between the runs; return their number.

    The hog is one busy loop for each processor, so that the tests get about half of the machine.
    """
    with ExitStack() as hogs:
        for _ in range(os.cpu_count() or 1):
            hog = subprocess.Popen([sys.executable, "-c", _HOG, str(os.getpid())])
            hogs.callback(hog.wait)
            hogs.callback(hog.kill)
        failed = [_failures_of_run(number) for number in range(1, runs + 1)]
    differing = differing_tests(failed)
    _say(f"{runs} runs, {sum(map(bool, failed))} with failures; {len(differing)} tests differ between them")
    for name in sorted(set().union(*failed)):
        marks = " ".join("F" if name in names else "." for names in failed)
        _say(f"{marks}  {name}{'' if name in differing else ' (always)'}")
    return 1 if set().union(*failed) else 0


# Ends by itself when whoever started it is gone.
_HOG = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): sum(range(1_000_000))"


def _failures_of_run(number: int) -> set[str]:
    _say(f"run {number}")
    names: set[str] = set()
    for part in PARTS:
        result = run_part(part)
        names |= set(result.failed)
        if result.error:
            names.add(f"{part.name}: {result.error}")
    return names


def differing_tests(failed: Sequence[Iterable[str]]) -> set[str]:
    """Return the tests that failed in some of the runs and not in all."""
    counts = Counter(name for names in failed for name in set(names))
    return {name for name, count in counts.items() if count < len(failed)}


def _say(line: str) -> None:
    sys.stderr.write(f"==> {line}\n")
    sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.suite", description=__doc__)
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--second-try", action="store_true", help="run what failed once more, alone")
    way.add_argument("--flaky", type=int, metavar="N", help="run all N times beside busy processors, and compare")
    options = parser.parse_args(arguments)
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    return run_flaky(options.flaky) if options.flaky else run_all(second_try=options.second_try)


if __name__ == "__main__":
    sys.exit(main())
