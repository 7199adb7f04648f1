"""Do the tests notice faults of our own code? Each is planted into a copy of the checkout, where its tests are run.

Prints which were caught, by which test and in how many seconds, and ends with 1 where one was not, or where a test
fails without any fault. A name, or a part of one, chooses faults. `./run bench mutants [NAME]`
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench._mutants import MUTANTS, Mutant
from tests.support.launch import ROOT

AT_ONCE = 2
LIMIT_S = 600
_FAILED = re.compile(r"^(?:FAILED|ERROR) \S+::(\S+)", re.MULTILINE)
# What is made by ./run, and is the same with and without a fault.
_MADE = ("widget/node_modules", "widget/dist")
# pytest's exit codes: all passed, some failed. Any other is no answer.
_PASSED, _NOTICED = 0, 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run of tests ended: its exit code, the first that failed, and the end of what it printed."""

    code: int
    failed: str | None
    seconds: float
    tail: str


def copy_checkout(target: Path) -> None:
    """Copy the files of the checkout that git knows or would take, and link what ./run made."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        with suppress(FileNotFoundError):  # deleted, and not committed yet
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    for name in _MADE:
        (target / name).symlink_to(ROOT / name)


def plant(mutant: Mutant, checkout: Path) -> None:
    """Change the file of a mutant. Raises ValueError where its text does not stand there once."""
    path = checkout / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise ValueError(f"“{mutant.fault}”: {mutant.file} has its text {text.count(mutant.old)} times, not once")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")


async def run_tests(checkout: Path, tests: Sequence[str]) -> Outcome:
    """Run tests of a checkout with its own code, up to the first that fails."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONPYCACHEPREFIX": str(checkout / ".pycache")}
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "-p", "no:cacheprovider", *tests,
        cwd=checkout, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LIMIT_S):
            output, _ = await process.communicate()
    except TimeoutError:
        process.terminate()
        output, _ = await process.communicate()
        output += b"\n(it did not end)"
    text = output.decode(errors="replace")
    failed = _FAILED.search(text)
    seconds, tail = time.monotonic() - begun, "\n".join(text.splitlines()[-15:])
    return Outcome(process.returncode or 0, failed[1] if failed else None, seconds, tail)


async def try_mutant(mutant: Mutant, slots: asyncio.Semaphore) -> bool:
    """Plant a fault, run its tests, and say whether one noticed it."""
    async with slots:
        with tempfile.TemporaryDirectory(prefix="roomreel-mutant-") as folder:
            checkout = Path(folder)
            await asyncio.to_thread(copy_checkout, checkout)
            plant(mutant, checkout)
            outcome = await run_tests(checkout, mutant.tests)
    caught = outcome.code == _NOTICED
    word = "caught" if caught else "NOT CAUGHT" if outcome.code == _PASSED else f"NO ANSWER (exit {outcome.code})"
    print(
        f"{word:<11} {outcome.seconds:5.0f} s  {mutant.fault}: {outcome.failed or ', '.join(mutant.tests)}", flush=True
    )
    if not caught:
        print(outcome.tail, flush=True)
    return caught


async def main(words: Sequence[str]) -> int:
    """Try the faults that the words name, or all; return the exit code."""
    chosen = [mutant for mutant in MUTANTS if " ".join(words) in mutant.fault]
    if not chosen:
        print("There is no such fault. There are:", *(mutant.fault for mutant in MUTANTS), sep="\n  ")
        return 2
    tests = sorted({test for mutant in chosen for test in mutant.tests})
    with tempfile.TemporaryDirectory(prefix="roomreel-mutant-") as folder:
        await asyncio.to_thread(copy_checkout, Path(folder))
        without = await run_tests(Path(folder), tests)
    if without.code != _PASSED:
        print(f"Without any fault a test fails, so that nothing is proved:\n{without.tail}")
        return 1
    print(f"passed      {without.seconds:5.0f} s  without any fault: {len(tests)} tests or files", flush=True)
    slots = asyncio.Semaphore(AT_ONCE)
    caught = await asyncio.gather(*(try_mutant(mutant, slots) for mutant in chosen))
    print(f"{sum(caught)} of {len(chosen)} caught")
    return 0 if all(caught) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
