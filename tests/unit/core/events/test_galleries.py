"""Which videos of a gallery go on as which after an edit: each once, by its media; nothing gone comes back."""

from hypothesis import given
from hypothesis import strategies as st

from appservice.core.events.changes import NewVideo
from appservice.core.events.galleries import Slot, match
from appservice.core.model import EventId, VideoId
from tests.support.factories import ALICE, ROOM


def slot(item: int, name: str, *, gone: bool = False) -> Slot:
    return Slot(VideoId(f"{item}"), item, "" if gone else f"mxc://example.org/{name}", gone)


def item(place: int, name: str) -> NewVideo:
    return NewVideo(
        event_id=EventId("$edit"), room_id=ROOM, sender=ALICE, title=name, mxc=f"mxc://example.org/{name}",
        encrypted_file=None, claimed_size=None, certain=True, sent_at=1, item=place,
    )  # fmt: skip


def result(slots: list[Slot], items: list[NewVideo]) -> tuple[list[tuple[str, str]], list[str], list[tuple[int, str]]]:
    matching = match(slots, items)
    return (
        [(slot.id, item.title) for slot, item in matching.matched],
        [slot.id for slot in matching.gone],
        [(item.item, item.title) for item in matching.added],
    )


def test_another_caption_keeps_all() -> None:
    assert result([slot(0, "a"), slot(1, "b")], [item(0, "a"), item(1, "b")]) == ([("0", "a"), ("1", "b")], [], [])


def test_one_taken_out_of_the_front() -> None:
    assert result([slot(0, "a"), slot(1, "b")], [item(0, "b")]) == ([("1", "b")], ["0"], [])


def test_another_file_in_the_same_place() -> None:
    assert result([slot(0, "a"), slot(1, "b")], [item(0, "a"), item(1, "c")]) == ([("0", "a"), ("1", "c")], [], [])


def test_one_more_gets_a_slot_of_its_own() -> None:
    assert result([slot(0, "a"), slot(3, "b")], [item(0, "c"), item(1, "a"), item(2, "b")]) == (
        [("0", "a"), ("3", "b")], [], [(4, "c")]
    )  # fmt: skip


def test_the_same_file_twice_stays_twice() -> None:
    assert result([slot(0, "a"), slot(1, "a")], [item(0, "a"), item(1, "a")]) == ([("0", "a"), ("1", "a")], [], [])


def test_what_was_taken_away_does_not_come_back_with_another_caption() -> None:
    assert result([slot(0, "a", gone=True), slot(1, "b")], [item(0, "a"), item(1, "b")]) == ([("1", "b")], [], [])


def test_a_plain_video_is_a_gallery_of_one() -> None:
    assert result([slot(0, "a")], [item(0, "b")]) == ([("0", "b")], [], [])
    assert result([slot(0, "a")], [item(0, "b"), item(1, "a")]) == ([("0", "a")], [], [(1, "b")])


_NAMES = st.sampled_from("abcd")


@given(
    st.dictionaries(st.integers(0, 6), st.tuples(_NAMES, st.booleans()), max_size=6),
    st.dictionaries(st.integers(0, 6), _NAMES, min_size=1, max_size=6),
)
def test_each_is_once_and_slots_stay_apart(here: dict[int, tuple[str, bool]], now: dict[int, str]) -> None:
    slots = [slot(n, name, gone=gone) for n, (name, gone) in sorted(here.items())]
    matching = match(slots, [item(n, name) for n, name in sorted(now.items())])
    kept = [each for each, _ in matching.matched]
    assert sorted([*kept, *matching.gone], key=lambda each: each.item) == [each for each in slots if not each.gone]
    taken = [each.item for each in slots] + [each.item for each in matching.added]
    assert len(set(taken)) == len(taken)
    brought = sorted([each.title for _, each in matching.matched] + [each.title for each in matching.added])
    dropped = len(now) - len(brought)
    assert 0 <= dropped <= sum(each.gone for each in slots)
