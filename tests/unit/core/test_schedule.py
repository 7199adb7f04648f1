"""The channel's schedule: what shows never jumps, changes come at a boundary, and the list loops."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.core.model import State, VideoId
from appservice.core.schedule import Schedule, Turn, revise, showing
from tests.support.factories import make_video, rendition

NOW = 1_700_000_000_000
A, B, C, D = (Turn(VideoId(name), "1", length) for name, length in (("a", 4000), ("b", 3000), ("c", 5000), ("d", 2000)))

TURNS = st.lists(
    st.builds(Turn, st.sampled_from("abcdefg").map(VideoId), st.sampled_from(["1", "2"]), st.integers(1, 100_000)),
    min_size=1,
    max_size=7,
    unique_by=lambda turn: turn.id,
)
OFFSETS = st.integers(0, 1_000_000)


def started(*turns: Turn) -> Schedule:
    schedule = revise(None, turns, NOW)
    assert schedule
    return schedule


def changed(schedule: Schedule, turns: Sequence[Turn], at: int) -> Schedule:
    schedule_then = revise(schedule, turns, at)
    assert schedule_then
    return schedule_then


def in_turn(schedule: Schedule, at: int, count: int) -> list[Turn]:
    """Return what plays from a time on."""
    turns = []
    for _ in range(count):
        shown = showing(schedule, at)
        turns.append(shown.turn)
        at = shown.ends
    return turns


def order(schedule: Schedule, at: int, count: int) -> str:
    return "".join(turn.id for turn in in_turn(schedule, at, count))


def test_a_turn_is_as_long_as_in_the_playlist() -> None:
    ladder = (rendition("240", seconds=5.0), rendition("480", seconds=5.0))
    assert Turn.of(make_video(1, renditions=ladder, duration=5.04)) == Turn(make_video(1).id, "1-ready", 5000)
    in_progress = make_video(1, state=State.PLAYABLE, available=1, renditions=(rendition(seconds=7.0),))
    assert Turn.of(in_progress).duration == 7000
    assert Turn.of(make_video(1, renditions=(rendition(seconds=0.0001),))).duration == 1


def test_it_begins_when_there_is_something_and_ends_with_the_last() -> None:
    assert revise(None, [], NOW) is None
    assert started(A, B) == Schedule(NOW, (A, B))
    assert revise(started(A, B), [], NOW + 1) is None


def test_it_loops() -> None:
    assert order(started(A, B, C), NOW + 3999, 8) == "abcabcab"


def test_nothing_changes_while_the_circle_is_the_same() -> None:
    schedule = started(A, B, C)
    for turns in ([A, B, C], [B, C, A], [C, A, B]):
        assert revise(schedule, turns, NOW + 5000) is schedule
    assert revise(schedule, [A, C, B], NOW + 5000) is not schedule


def test_what_plays_goes_on_and_the_new_list_begins_with_what_follows_it() -> None:
    new = changed(started(A, B, C), [A, D, B, C], NOW + 1000)
    assert new == Schedule(NOW + 4000, (D, B, C, A), A)
    assert order(new, NOW + 1000, 6) == "adbcad"


def test_what_came_last_goes_on_to_the_first() -> None:
    assert changed(started(A, B), [A, B, C], NOW + 4000) == Schedule(NOW + 7000, (C, A, B), B)
    assert changed(started(A, B), [C, A, B], NOW + 4000) == Schedule(NOW + 7000, (C, A, B), B)


def test_several_changes_before_the_boundary() -> None:
    schedule = started(A, B, C)
    for turns in ([A, D, B, C], [A, C, B], [B, A, D, C]):
        schedule = changed(schedule, turns, NOW + 2000)
    assert schedule == Schedule(NOW + 4000, (D, C, B, A), A)
    assert changed(schedule, [B, A, D, C], NOW + 2000) is schedule


def test_a_better_version_of_what_plays_waits_for_the_next_round() -> None:
    better = replace(A, stage="2", duration=4100)
    schedule = changed(started(A, B), [better, B], NOW + 1000)
    assert schedule == Schedule(NOW + 4000, (B, better), A)
    # And again while that waits: what plays is still the first version.
    best = replace(A, stage="3", duration=3900)
    assert changed(schedule, [best, B], NOW + 2000) == Schedule(NOW + 4000, (B, best), A)


def test_one_video_alone_follows_itself() -> None:
    better = replace(A, stage="2")
    schedule = changed(started(A), [better], NOW + 5000)
    assert schedule == Schedule(NOW + 8000, (better,), A)


@pytest.mark.parametrize(
    ("turns", "then"), [([B, C], "bcb"), ([C, B], "bcb"), ([C, A], "cac"), ([A, D], "ada"), ([D], "ddd")]
)
def test_when_what_plays_is_gone_it_goes_on_at_once_with_what_followed(turns: list[Turn], then: str) -> None:
    at = NOW + (1000 if A not in turns else 5000)  # during A, or during B
    schedule = changed(started(A, B, C), turns, at)
    assert (schedule.starts_at, schedule.before) == (at, None)
    assert order(schedule, at, 3) == then


def test_a_pending_change_whose_last_turn_is_taken_away() -> None:
    pending = changed(started(A, B, C), [A, D, B, C], NOW + 1000)
    assert changed(pending, [D, B, C], NOW + 2000) == Schedule(NOW + 2000, (D, B, C))


def test_a_clock_that_was_set_back_waits_for_the_beginning() -> None:
    assert showing(started(A, B), NOW - 60_000).ends == NOW
    assert showing(Schedule(NOW, (A,), B), NOW - 60_000).turn == B


@given(TURNS, OFFSETS)
def test_turns_follow_each_other_without_a_gap_in_the_order_of_the_list(turns: list[Turn], offset: int) -> None:
    schedule = started(*turns)
    at, seen = NOW + offset, []
    for _ in range(len(turns) * 2 + 1):
        shown = showing(schedule, at)
        assert shown.began <= at < shown.ends == shown.began + shown.turn.duration
        assert showing(schedule, shown.ends - 1) == shown
        seen.append(shown)
        at = shown.ends
    for one, other in pairwise(seen):
        assert one.ends == other.began
        assert turns[(turns.index(one.turn) + 1) % len(turns)] == other.turn
    assert showing(schedule, seen[0].began + sum(turn.duration for turn in turns)).turn == seen[0].turn


@given(TURNS, st.lists(st.tuples(TURNS, OFFSETS), max_size=5))
def test_revisions_never_move_what_plays_and_show_the_newest_list_after_it(
    first: list[Turn], changes: list[tuple[list[Turn], int]]
) -> None:
    schedule, at = started(*first), NOW
    for turns, later in changes:
        at += later
        before = showing(schedule, at)
        schedule = changed(schedule, turns, at)
        now, ids = showing(schedule, at), [turn.id for turn in turns]
        if before.turn.id in ids:
            assert now == before, "the playback position is the same"
            follower = ids[(ids.index(before.turn.id) + 1) % len(ids)]
            assert showing(schedule, now.ends).turn.id == follower
        else:
            assert (now.began, now.turn in turns) == (at, True)
        start = [turn.id for turn in turns].index(showing(schedule, now.ends).turn.id)
        assert in_turn(schedule, now.ends, len(turns)) == turns[start:] + turns[:start]
        assert changed(schedule, turns, at) is schedule, "once is enough"
