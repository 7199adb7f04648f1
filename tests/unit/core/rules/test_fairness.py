"""Who is next, and how much one sender or one room may take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.core.rules.fairness import WANTED_RUNGS, Candidate, Load, Party, Usage, Wish, next_in_turn, pick_order

ALICE, BOB, CAROL = Party("alice", "den"), Party("bob", "den"), Party("carol", "cave")


def _unused(_: Party) -> float:
    return 0.0


def _wishes(*parties: Party) -> list[Wish]:
    return [Wish(party) for party in parties]


def _fill(load: Load, party: Party, most: int = 1000) -> int:
    """Take as many places as a party may have."""
    count = 0
    while count < most and load.has_slot(party):
        load.add(party)
        count += 1
    return count


def test_nobody_takes_more_than_half_of_what_is_left() -> None:
    load = Load(18)
    taken = [_fill(load, Party(f"flooder{n}", f"room{n}")) for n in range(7)]
    assert taken == [6, 4, 3, 2, 1, 1, 1], "whoever comes next finds a place"
    assert load.total == 18
    assert _fill(load, BOB) == 0


@pytest.mark.parametrize("places", range(1, 60))
def test_one_sender_alone_uses_a_third_at_least(places: int) -> None:
    assert _fill(Load(places), ALICE) >= max(1, places // 3)


def test_a_room_of_many_accounts_leaves_places_to_others() -> None:
    load = Load(18)
    puppets = sum(_fill(load, Party(f"puppet{n}", "puppets")) for n in range(50))
    assert puppets == 15
    assert [_fill(load, Party("bob", "den")), _fill(load, Party("carol", "cave"))] == [1, 1]


def test_what_ends_makes_room() -> None:
    load = Load(4)
    assert _fill(load, ALICE) == 2
    load.add(ALICE, -1)
    assert (load.total, load.of(ALICE), load.of(BOB)) == (1, 2, 1)
    assert _fill(load, ALICE) == 1
    assert (load.has_slot(BOB), load.has_slot(ALICE)) == (True, False)


def test_who_has_less_under_way_is_next() -> None:
    load = Load(4)
    for _ in range(2):
        load.add(ALICE)
    assert next_in_turn(_wishes(ALICE, BOB), load, used=_unused) == 1
    assert next_in_turn(_wishes(ALICE), load, used=_unused) is None, "one place is for others"
    assert next_in_turn(_wishes(ALICE), load, used=_unused, sharing=False) == 0
    assert next_in_turn(_wishes(ALICE, BOB, CAROL), load, used=_unused) == 2
    load.add(BOB)
    load.add(BOB)
    assert next_in_turn(_wishes(CAROL), load, used=_unused) is None, "there is no place"


def test_who_had_less_lately_is_next() -> None:
    usage = Usage()
    usage.add(ALICE, 100, now=1000)
    usage.add(BOB, 10, now=1000)
    assert (usage.of(ALICE, 1000), usage.of(BOB, 1000)) == (210, 120), "with what their room had"
    assert usage.of(ALICE, 1600) == pytest.approx(105)
    waiting = _wishes(ALICE, BOB, CAROL)
    assert next_in_turn(waiting, Load(1), used=lambda party: usage.of(party, 1000), sharing=False) == 2
    assert next_in_turn(waiting[:2], Load(1), used=lambda party: usage.of(party, 1000), sharing=False) == 1
    assert next_in_turn(_wishes(ALICE, ALICE), Load(1), used=lambda party: usage.of(party, 1000), sharing=False) == 0


def test_small_ones_go_first_but_nothing_waits_longer_for_that_than_it_takes() -> None:
    film, clip = Wish(ALICE, waited=30, cost=600), Wish(ALICE, cost=3)
    assert next_in_turn([film, clip], Load(1), used=_unused, sharing=False) == 1
    assert next_in_turn([Wish(ALICE, waited=597, cost=600), clip], Load(1), used=_unused, sharing=False) == 0
    # Who had much lately does not go before others by sending small ones.
    usage = Usage()
    usage.add(CAROL, 500, now=0)
    waiting = [Wish(ALICE, cost=600), Wish(CAROL, waited=10_000, cost=3)]
    assert next_in_turn(waiting, Load(1), used=lambda party: usage.of(party, 0), sharing=False) == 0


def test_what_is_known_of_many_is_bounded() -> None:
    usage = Usage()
    usage.add(ALICE, 100, now=0)
    for number in range(30_000):
        usage.add(Party(f"user{number}", "crowd"), 0.001, now=1)
    assert usage.of(ALICE, 1) > 99, "those who had most are known still"
    assert sum(usage.of(Party(f"user{number}", ""), 1) > 0 for number in range(30_000)) <= 10_000


def test_the_order_in_which_jobs_are_taken() -> None:
    candidates = [
        Candidate(1, 0, ALICE, load=8),
        Candidate(2, 0, BOB, load=4),
        Candidate(3, -10, Party("carol", "cave"), load=0),
        Candidate(4, 0, Party("dave", "den"), load=4),
    ]
    ours = Load(18)
    assert _ids(candidates, ours) == [2, 4, 1, 3]
    _fill(ours, ALICE)
    assert _ids(candidates, ours) == [2, 4, 3], "she has her share"


def test_what_waits_elsewhere_comes_after_what_nobody_has_and_before_lower_rungs() -> None:
    candidates = [
        Candidate(1, 0, WANTED_RUNGS, load=0),
        Candidate(2, 10, ALICE, load=0, offered=True),
        Candidate(3, -10, BOB, load=9),
    ]
    assert _ids(candidates, Load(18)) == [3, 2, 1]


def _ids(candidates: list[Candidate], ours: Load) -> list[int]:
    return [each.job_id for each in pick_order(candidates, ours)]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=60), st.integers(1, 24))
def test_whoever_has_nothing_yet_finds_a_place_while_there_are_two(wishes: list[tuple[int, int]], places: int) -> None:
    load = Load(places)
    for sender, room in wishes:
        party = Party(f"user{sender}", f"room{room}")
        if load.has_slot(party):
            load.add(party)
        assert load.total <= places
        if load.total < places:
            assert load.has_slot(Party("newcomer", "elsewhere"))
