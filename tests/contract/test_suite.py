"""The runner of the whole suite, on a small real one: what is tried again, its name, and what fails the run."""

import json
import sys
from pathlib import Path

import pytest

from tests.suite import ROOT, Part, differing_tests, failures_of, flaky_report, run_part, slowest_files, try_again

SAMPLE = """
import pathlib
import pytest

TRIED = pathlib.Path({tried!r})

def test_passes():
    pass

@pytest.mark.parametrize("word", ["a b", "c::d"])
def test_passes_the_second_time(word):
    file = TRIED / word.replace(":", "")
    if not file.exists():
        file.touch()
        print("said before the failure")
        pytest.fail("the first try")

@pytest.fixture
def broken():
    raise RuntimeError("no part to test with")

def test_fails_always(broken):
    pass
"""


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for the plugin: the sample's pytest runs in a folder of its own


def sample(folder: Path, source: str, *options: str) -> Part:
    (folder / "test_sample.py").write_text(source)
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_sample.py")
    return Part("sample", command, folder=folder)


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_only_what_passes_alone_is_flaky(tmp_path: Path, options: tuple[str, ...]) -> None:
    part = sample(tmp_path, SAMPLE.format(tried=str(tmp_path)), *options)
    first = run_part(part, reports=tmp_path)
    assert {name.partition("::")[2] for name in first.failed} == {
        "test_passes_the_second_time[a b]",
        "test_passes_the_second_time[c::d]",
        "test_fails_always",
    }
    flaky, second = try_again(first, reports=tmp_path)
    assert {name.partition("::")[2] for name in flaky} == {
        "test_passes_the_second_time[a b]",
        "test_passes_the_second_time[c::d]",
    }
    assert [name.partition("::")[2] for name in second.failed] == ["test_fails_always"]
    assert not second.ok
    assert "no part to test with" in next(iter(second.failed.values()))
    report = flaky_report(flaky)
    assert report.count("FLAKY ") == 2
    assert "said before the failure" in report
    assert "Failed: the first try" in report
    assert "passed alone" in report


def test_a_file_that_cannot_be_read_is_not_a_race(tmp_path: Path) -> None:
    first = run_part(sample(tmp_path, "import nothing_of_this_name"), reports=tmp_path)
    assert not first.ok
    assert first.error
    flaky, second = try_again(first, reports=tmp_path)
    assert flaky == {}
    assert second is first


def test_a_passing_part_is_not_run_again(tmp_path: Path) -> None:
    first = run_part(sample(tmp_path, "def test_passes():\n    pass\n"), reports=tmp_path)
    assert first.ok
    assert try_again(first, reports=tmp_path) == ({}, first)


def test_what_fails_in_two_phases_keeps_both_logs() -> None:
    lines = (
        '{"test": "a::b", "outcome": "failed", "log": "call"}\n'
        '{"test": "a::b", "outcome": "failed", "log": "teardown"}\n'
        '{"test": "a::c", "outcome": "passed", "log": ""}\n'
    )
    assert failures_of(lines) == {"a::b": "call\nteardown"}


def test_what_fails_in_some_runs_differs() -> None:
    assert differing_tests([{"a", "b"}, {"a"}, {"a", "c"}]) == {"b", "c"}
    assert differing_tests([]) == set()


def test_the_slowest_files_are_named_with_their_fixtures_time() -> None:
    lines = "\n".join(
        json.dumps({"test": test, "phase": phase, "seconds": seconds, "outcome": "passed", "log": ""})
        for test, phase, seconds in (
            ("a.py::b", "setup", 2.0), ("a.py::b", "call", 1.0), ("c.py::d", "call", 4.5), ("a.py::e", "teardown", 0.5),
        )
    )  # fmt: skip
    assert slowest_files(lines) == [("c.py", 4.5), ("a.py", 3.5)]


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_a_part_reports_its_slowest_files(tmp_path: Path, options: tuple[str, ...]) -> None:
    source = "import time\n\ndef test_takes_its_time():\n    time.sleep(0.2)\n"
    ((name, seconds),) = run_part(sample(tmp_path, source, *options), reports=tmp_path).slowest
    assert name == "test_sample.py"
    assert 0.2 <= seconds < 60
    phases = [json.loads(line)["phase"] for line in (tmp_path / "sample.jsonl").read_text().splitlines()]
    assert phases == ["setup", "call", "teardown"]
