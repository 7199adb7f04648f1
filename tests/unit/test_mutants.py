"""The faults that `./run bench mutants` plants: each still has its place in the code, and tests that are there."""

import pytest

from bench._mutants import MUTANTS, Mutant
from tests.support.launch import ROOT


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.fault)
def test_a_fault_can_be_planted(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1
    for test in mutant.tests:
        path, _, name = test.partition("::")
        assert f"def {name}" in (ROOT / path).read_text(encoding="utf-8")
