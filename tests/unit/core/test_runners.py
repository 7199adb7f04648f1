"""What names, tokens and tasks of runners may be."""

import re

import pytest
from pydantic import ValidationError

from appservice.core.runners import (
    FILE,
    CompleteRequest,
    HeartbeatRequest,
    TaskView,
    is_runner_name,
    is_token,
    new_token,
    token_hash,
    token_in,
)


def test_a_token_is_random_and_found_in_its_header_alone() -> None:
    token = new_token()
    assert is_token(token)
    assert token != new_token()
    assert token_in(f"Bearer {token}") == token_in(f"bearer {token}") == token
    for wrong in (None, "", token, f"Basic {token}", f"Bearer {token}x", f"Bearer {token[:-1]}", f"Bearer  {token}"):
        assert token_in(wrong) is None
    assert len(token_hash(token)) == 32
    assert token not in repr(token_hash(token))


@pytest.mark.parametrize("name", ["home", "gpu-1", "a.b_c", "9"])
def test_a_name_is_plain(name: str) -> None:
    assert is_runner_name(name)


@pytest.mark.parametrize("name", ["", "-x", ".x", "a b", "a\n", "é", "x" * 41, "a/b"])
def test_another_name_is_none(name: str) -> None:
    assert not is_runner_name(name)


@pytest.mark.parametrize("name", ["360", "poster.jpg", "blur.rgb", "preview.mp4", "storyboard.jpg"])
def test_what_a_ladder_has_may_be_sent(name: str) -> None:
    assert re.fullmatch(FILE, name, re.ASCII)


@pytest.mark.parametrize("name", ["../x", "360/whole.mp4", "/etc/passwd", ".jpg", "a.html", "123456", "poster.jpg\n"])
def test_no_other_name_may(name: str) -> None:
    assert not re.fullmatch(FILE, name, re.ASCII)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_share_is_one(share: float) -> None:
    with pytest.raises(ValidationError):
        HeartbeatRequest(share=share)


def test_what_is_unknown_or_too_much_is_refused() -> None:
    with pytest.raises(ValidationError):
        CompleteRequest(files={str(number): 1 for number in range(33)})
    with pytest.raises(ValidationError):
        TaskView.model_validate({"rungs": [360], "preset": "-i /etc/passwd"})
