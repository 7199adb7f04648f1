"""A video's states: each pair is legal or not."""

import itertools
from typing import Any

import pytest

from appservice.core.model import EncryptedFile, State, Visibility, sources_of
from tests.support.factories import make_video

LEGAL = {
    (State.QUEUED, State.PROCESSING), (State.QUEUED, State.FAILED),
    (State.PROCESSING, State.PROCESSING), (State.PROCESSING, State.PLAYABLE),
    (State.PROCESSING, State.READY), (State.PROCESSING, State.FAILED),
    (State.PLAYABLE, State.PROCESSING), (State.PLAYABLE, State.PLAYABLE),
    (State.PLAYABLE, State.READY), (State.PLAYABLE, State.FAILED),
    (State.FAILED, State.QUEUED),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)))
def test_each_pair(before: State, after: State) -> None:
    assert (before in sources_of(after)) is ((before, after) in LEGAL)


@pytest.mark.parametrize(
    ("fields", "playable"),
    [
        ({}, True),
        ({"state": State.PLAYABLE}, True),
        ({"state": State.PROCESSING}, False),
        ({"state": State.QUEUED}, False),
        ({"state": State.FAILED}, False),
        ({"visibility": Visibility.HIDDEN}, False),
        ({"visibility": Visibility.HELD}, False),
        ({"visibility": Visibility.REMOVED}, False),
        ({"renditions": ()}, False),
    ],
)
def test_what_is_playable(fields: dict[str, Any], playable: bool) -> None:
    assert make_video(**fields).is_playable is playable


def test_a_key_does_not_show_in_a_log() -> None:
    assert "secret" not in repr(EncryptedFile(key=b"secret" * 5 + b"..", iv=b"i" * 16, sha256=b"h" * 32))
