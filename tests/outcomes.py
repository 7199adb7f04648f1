"""A pytest plugin (`-p tests.outcomes --outcomes FILE`): writes how each test ended, one JSON line a phase.

`phase` is setup, call or teardown (collect: a file that cannot be read), `seconds` the time that it took.
"""

import json
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outcomes", type=Path, help="append each test's phases to this file, as JSON lines")


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption("--outcomes")
    # The workers of pytest-xdist hand their reports to the controller, which writes them.
    if file is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Writer(file))


class _Writer:
    def __init__(self, file: Path) -> None:
        self._file = file

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._write(report, report.outcome)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._write(report, "uncollected")

    def _write(self, report: pytest.TestReport | pytest.CollectReport, outcome: str) -> None:
        log = ""
        if outcome not in ("passed", "skipped"):
            log = "\n".join(
                part for part in (report.capstdout, report.capstderr, report.caplog, report.longreprtext) if part
            )
        phase, seconds = "collect", 0.0
        if isinstance(report, pytest.TestReport):
            phase, seconds = report.when, round(report.duration, 3)
        entry = {"test": report.nodeid, "phase": phase, "seconds": seconds, "outcome": outcome, "log": log}
        line = json.dumps(entry)
        with self._file.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{line}\n")
