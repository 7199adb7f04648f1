"""Lists of a room for viewers with the same rights, and pages of them."""

from dataclasses import replace

import pytest

from appservice.core.errors import GoneError, InvalidParamError
from appservice.core.model import History, State, UserId, Video, VideoId, Visibility
from appservice.core.web.large_room import portion
from appservice.core.web.lists import EVERYBODY, PAGE, REVIEW, Lists, after, around, at, before, cursor_of, read_cursor
from appservice.core.web.room_pages import Shared, lost_strict, own_withheld, personal, restarts
from appservice.core.web.room_state import Change, Rights, RoomState, channel_key, listed, ordinal, reel_key, since
from tests.support.factories import ALICE, BOB, make_member, make_room, make_video

BOT = UserId("@reel:example.org")
MEMBER, MODERATOR = Rights(moderates=False), Rights(moderates=True)


def state_of(*videos: Video) -> RoomState:
    members = {ALICE: make_member(1, ALICE), BOB: make_member(2, BOB)}
    ordered = sorted(map(listed, videos), key=reel_key)
    return RoomState(room=make_room(), revision=1, members=members).with_all(ordered)


def many(count: int) -> list[Video]:
    return [make_video(n, position=float(n)) for n in range(1, count + 1)]


def test_members_see_what_is_shown_and_moderators_what_is_hidden() -> None:
    hidden = make_video(2, visibility=Visibility.HIDDEN, hidden_by=ALICE)
    failed = make_video(3, failure="not-a-video")
    strict = make_video(4, history=History.JOINED)
    state = state_of(make_video(1), hidden, failed, strict)
    withheld = replace(MEMBER, withheld=frozenset({strict.id}))
    seen = {
        rights: [video.created_at for video in Lists(state, rights, BOT).visible[ALICE]]
        for rights in (MEMBER, MODERATOR, withheld)
    }
    assert seen == {MEMBER: [1, 4], MODERATOR: [1, 2, 4], withheld: [1]}
    # The same, made of what those see from whom nothing is withheld.
    whole = Lists(state, MEMBER, BOT)
    derived, made = Lists(state, withheld, BOT, whole=whole), Lists(state, withheld, BOT)
    assert (derived.visible, derived.heads, derived.everybody) == (made.visible, made.heads, made.everybody)
    assert len({rights.tag for rights in seen}) == 3
    assert set(own_withheld(state, ALICE)) == {hidden.id, failed.id}


def test_what_did_not_change_is_not_made_again() -> None:
    state = state_of(*many(3), make_video(9, sender=BOB))
    lists = Lists(state, MEMBER, BOT)
    renamed = replace(make_video(2, position=2.0), version=2)
    later = state.advanced(replace(state, revision=2), [renamed.id], {renamed.id: listed(renamed)})
    after_it = Lists(later, MEMBER, BOT, lists)
    assert after_it.heads[BOB] is lists.heads[BOB]
    assert after_it.everybody is lists.everybody
    assert (later.program, later.revision) == (1, 2)
    assert [video.version for video in later.sent[ALICE]] == [1, 2, 1]
    gone = later.advanced(replace(later, revision=3), [renamed.id], {})
    assert (gone.program, [v.created_at for v in gone.sent[ALICE]]) == (3, [1, 3])
    assert Lists(gone, MEMBER, BOT, after_it).everybody == [
        channel_key(v) for v in (*gone.sent[ALICE], *gone.sent[BOB])
    ]


def test_pages_by_cursor_by_index_and_around_a_video() -> None:
    videos = many(2 * PAGE + 10)
    lists = Lists(state_of(*videos), MEMBER, BOT)
    for of in (EVERYBODY, ALICE):
        first = lists.page(of)
        assert (first.start, len(first.videos), first.before, first.total) == (0, PAGE, None, len(videos))
        assert first.after
        second = lists.page(of, after(first.after))
        assert (second.start, second.before is not None) == (PAGE, True)
        last = lists.page(of, after(second.after or ""))
        assert (len(last.videos), last.after) == (10, None)
        assert lists.page(of, before(second.before or "")).videos == first.videos
        assert lists.page(of, around(videos[PAGE + 5].id)).videos == second.videos
        assert lists.page(of, at(PAGE * 2 + 3)).videos == last.videos
        assert lists.page(of, at(10**6)).videos == last.videos
    assert lists.page(REVIEW).total == 0


def test_a_cursor_is_read_as_it_was_written_and_nothing_else_is() -> None:
    key = reel_key(make_video(7, position=1750000000000.001))
    assert read_cursor(cursor_of(key)) == key
    for wrong in ("", "x", "1_2_", "nan_1_a", "1_2_g", f"{cursor_of(key)}x"):
        with pytest.raises(InvalidParamError):
            read_cursor(wrong)


def test_all_portions_of_a_large_room_are_all_of_it() -> None:
    videos = [*many(PAGE + 20), *(make_video(n, sender=BOB, position=float(n)) for n in range(1000, 1000 + PAGE))]
    lists = Lists(state_of(*videos), MEMBER, BOT)
    found: dict[UserId, list[VideoId]] = {ALICE: [], BOB: []}
    viewer, following = MEMBER.viewer(make_room(), BOB), None
    for _ in range(10):
        page = portion(lists, viewer, following)
        assert sum(len(sent) for _, sent in page.members) <= PAGE
        for head, sent in page.members:
            found[head.member.user_id] += [video.id for video in sent]
        following = page.following
        if following is None:
            break
    assert found == {user: [v.id for v in videos if v.sender == user] for user in (ALICE, BOB)}
    with pytest.raises(InvalidParamError):
        portion(lists, viewer, "nonsense")
    with pytest.raises(GoneError):
        portion(lists, viewer, "@carol:example.org|")


def test_who_begins_anew() -> None:
    state = state_of(make_video(1))

    def change(**parts: object) -> Change:
        return Change(**{"revision": 2, "video_id": None, "user_id": None, "fields": frozenset(), **parts})  # type: ignore[arg-type]

    membership = frozenset({"membership"})
    assert restarts([change(fields=frozenset({"rights"}))], state) is None
    assert restarts([change(fields=frozenset({"all"}))], state) is None
    assert restarts([change(user_id=ALICE, fields=membership)], state) is None, "they come back with what they sent"
    assert restarts([change(user_id=BOB, fields=membership)], state) == frozenset()
    away = replace(state, members={BOB: state.members[BOB]})
    assert restarts([change(user_id=ALICE, fields=membership)], away) == frozenset(), "they are not back yet"
    strict = state_of(make_video(1, history=History.JOINED))
    assert restarts([change(user_id=BOB, fields=membership)], strict) == frozenset({BOB})
    video = frozenset({"all"})
    assert restarts([change(user_id=ALICE, video_id=make_video(1).id, fields=video)], state) == frozenset()


def test_changes_since_a_revision_that_is_none_of_the_rooms() -> None:
    numbers = [n << 20 | n * 7 for n in range(1, 5)]
    changes = [Change(number, None, ALICE, frozenset({"profile"})) for number in numbers]
    assert since(0, changes) == changes
    assert since(numbers[1], changes) == changes[2:]
    assert since(numbers[3], changes) == []
    assert since(numbers[1] + 1, changes) is None, "it was lost, and another came in its place"
    assert since(0, changes[1:]) is None
    assert since(0, []) is None
    assert [ordinal(number) for number in numbers] == [1, 2, 3, 4]


def test_for_whom_something_of_their_own_is_new() -> None:
    shown, failed = make_video(1), make_video(2, state=State.FAILED, failure="broken-file")
    state = state_of(shown, failed)

    def concerned(video: Video, field: str = "all", *, was_shown: bool = True) -> set[UserId]:
        return personal([Change(2, video.id, ALICE, frozenset({field}), was_shown, was_shown)], state)

    assert concerned(shown) == set()
    assert concerned(failed) == {ALICE}
    assert concerned(shown, was_shown=False) == {ALICE}
    assert concerned(shown, "visibility") == {ALICE}


def test_deltas_name_only_what_their_viewers_saw() -> None:
    members = {ALICE: make_member(1, ALICE)}
    lost = RoomState(make_room(), 3, members).with_all([])
    video_id = make_video(1).id

    def gone(*changes: Change, rights: Rights = MEMBER, state: RoomState = lost) -> list[str] | None:
        delta = Shared(Lists(state, rights, BOT), BOT, None, encrypted_rooms=False).delta(changes, {})
        return delta.gone if delta else None

    def change(**parts: bool) -> Change:
        return Change(3, video_id, ALICE, frozenset({"all"}), **parts)

    assert gone(change(was_shown=True, was_known=True)) == [video_id]
    assert gone(change(), change(was_shown=True, was_known=True)) == [video_id], "a page may have had it meanwhile"
    assert gone(change(was_known=True)) is None
    assert gone(change(was_known=True), rights=MODERATOR) == [video_id]
    withheld = replace(MEMBER, withheld=frozenset({video_id}))
    assert gone(change(was_shown=True, was_known=True, was_strict=True), rights=withheld) is None
    without_sender = RoomState(make_room(), 3, {BOB: make_member(2, BOB)}).with_all([])
    assert gone(change(was_shown=True, was_known=True), state=without_sender) is None
    assert lost_strict([change(was_strict=True)], lost)
    assert not lost_strict([change()], lost)
    # Who followed the room knows whether they saw it, unless it came and went at once.
    assert not lost_strict([change(was_known=True, was_strict=True)], lost, came=True)
    assert lost_strict([change(), change(was_known=True, was_strict=True)], lost, came=True)
