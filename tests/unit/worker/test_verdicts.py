"""Responses of a detection service."""

import json

import pytest

from appservice.store import Verdict
from appservice.worker.verdicts import NoVerdictError, read_verdict


@pytest.mark.parametrize("verdict", list(Verdict))
def test_each_verdict(verdict: Verdict) -> None:
    assert read_verdict(json.dumps({"verdict": verdict}).encode()) == (verdict, "")
    assert read_verdict(json.dumps({"verdict": verdict, "reason": "so"}).encode()) == (verdict, "so")


@pytest.mark.parametrize("reason", [None, 1, ["x"], "\n", "\u202e"])
def test_a_strange_reason_is_left_out(reason: object) -> None:
    assert read_verdict(json.dumps({"verdict": "block", "reason": reason}).encode()) == (Verdict.BLOCK, "")


def test_a_long_reason_is_cut() -> None:
    assert len(read_verdict(json.dumps({"verdict": "block", "reason": "x" * 5000}).encode())[1]) == 500


@pytest.mark.parametrize(
    "body", [b"", b"allow", b'"allow"', b"[]", b"{}", b'{"verdict": 1}', b'{"verdict": []}', b"\xff"]
)
def test_anything_else_is_no_verdict(body: bytes) -> None:
    with pytest.raises(NoVerdictError, match="its response"):
        read_verdict(body)
