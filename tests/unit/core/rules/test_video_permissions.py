"""Permissions on a video, and what becomes of it."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.core.errors import BadJsonError, ConflictError, ForbiddenError, NeverPublicError, NotFoundError
from appservice.core.model import HeldFor, Spoiler, State, UserId, Video, VideoId, Visibility
from appservice.core.rules.video_permissions import (
    Action,
    VideoChange,
    Viewer,
    actions,
    check_block,
    check_decide,
    check_restore,
    check_undo,
    managed,
    may_order,
    may_see,
    may_watch,
    reordered,
)
from appservice.core.settings import RoomSettings, Who
from tests.support.factories import ALICE, BOB, make_video

OWNER, OTHER, MODERATOR = Viewer(ALICE, False), Viewer(BOB, False), Viewer(UserId("@mod:example.org"), True)
MODERATING_OWNER = Viewer(ALICE, True)


def can(video: Video, viewer: Viewer, *, is_avatar: bool = False) -> set[str]:
    return set(actions(video, viewer, is_avatar=is_avatar))


def test_a_shown_video() -> None:
    video = make_video()
    assert can(video, OWNER) == {"rename", "hide", "delete", "avatar", "publish"}
    assert can(video, OTHER) == {"report"}
    assert can(video, MODERATOR) == {"rename", "hide", "delete", "block"}


def test_moderators_take_back_what_only_the_sender_gives() -> None:
    assert can(make_video(spoiler=Spoiler()), OWNER) == {"rename", "hide", "delete"}
    for change in (VideoChange(published=True), VideoChange(video_avatar=True)):
        with pytest.raises(ForbiddenError, match="spoiler"):
            managed(make_video(spoiler=Spoiler()), change, OWNER, is_avatar=False)
    public = make_video(published=True)
    assert can(public, MODERATOR, is_avatar=True) == {"rename", "hide", "delete", "avatar", "publish", "block"}
    assert managed(public, VideoChange(published=False), MODERATOR, is_avatar=False)[0].published is False
    assert managed(public, VideoChange(video_avatar=False), MODERATOR, is_avatar=True)[1] is False
    for change in (VideoChange(published=True), VideoChange(video_avatar=True)):
        with pytest.raises(ForbiddenError):
            managed(make_video(), change, MODERATOR, is_avatar=False)
        managed(make_video(), change, OWNER, is_avatar=False)


@pytest.mark.parametrize("video", [make_video(), make_video(encrypted=True)])
@pytest.mark.parametrize("viewer", [OWNER, replace(OWNER, in_encrypted=True)])
def test_what_is_encrypted_is_never_made_public(video: Video, viewer: Viewer) -> None:
    is_private = video.media.encrypted or viewer.in_encrypted
    assert ("publish" in can(video, viewer)) is not is_private
    if is_private:
        with pytest.raises(NeverPublicError, match="encrypted"):
            managed(video, VideoChange(published=True), viewer, is_avatar=False)
    # Chosen before its room was encrypted: it can be taken back.
    public = replace(video, published=True)
    assert managed(public, VideoChange(published=False), viewer, is_avatar=False)[0].published is False


def test_what_a_moderator_hid_only_moderators_show() -> None:
    hidden, _ = managed(make_video(), VideoChange(visibility=Visibility.HIDDEN), MODERATOR, is_avatar=False)
    assert hidden.withheld.hidden_by == MODERATOR.user_id
    assert "show" not in can(hidden, OWNER)
    with pytest.raises(ForbiddenError):
        managed(hidden, VideoChange(visibility=Visibility.SHOWN), OWNER, is_avatar=False)
    # Hiding what is hidden changes nothing, above all not who did it.
    assert managed(hidden, VideoChange(visibility=Visibility.HIDDEN), OWNER, is_avatar=False) == (hidden, False)
    shown, _ = managed(hidden, VideoChange(visibility=Visibility.SHOWN), MODERATING_OWNER, is_avatar=False)
    assert (shown.visibility, shown.withheld.hidden_by) == (Visibility.SHOWN, None)


def test_what_its_sender_hid_they_alone_show() -> None:
    hidden, _ = managed(make_video(), VideoChange(visibility=Visibility.HIDDEN), OWNER, is_avatar=False)
    assert "show" in can(hidden, OWNER)
    assert "show" not in can(hidden, MODERATOR)


def test_what_waits_as_well_as_it_is_hidden_is_held_once_its_sender_shows_it() -> None:
    hidden = make_video(visibility=Visibility.HIDDEN, hidden_by=OWNER.user_id, held_for=HeldFor.APPROVAL)
    for change in (VideoChange(title="New"), VideoChange(visibility=Visibility.HIDDEN)):
        after, _ = managed(hidden, change, OWNER, is_avatar=False)
        assert (after.visibility, after.withheld.hidden_by) == (Visibility.HIDDEN, OWNER.user_id)
    shown, _ = managed(hidden, VideoChange(visibility=Visibility.SHOWN), OWNER, is_avatar=False)
    assert (shown.visibility, shown.withheld.held_for, shown.withheld.hidden_by) == (
        Visibility.HELD,
        HeldFor.APPROVAL,
        None,
    )
    by_moderator = replace(hidden, withheld=replace(hidden.withheld, hidden_by=MODERATOR.user_id))
    seen, _ = managed(by_moderator, VideoChange(visibility=Visibility.SHOWN), MODERATOR, is_avatar=False)
    assert seen.visibility is Visibility.SHOWN


def test_what_waits_for_a_moderator() -> None:
    held = make_video(visibility=Visibility.HELD)
    assert "show" not in can(held, OWNER)
    assert "show" in can(held, MODERATOR)


@pytest.mark.parametrize("reason", HeldFor)
def test_moderators_decide_on_what_waits_for_them_alone(reason: HeldFor) -> None:
    held = make_video(visibility=Visibility.HELD, held_for=reason)
    if reason in {HeldFor.APPROVAL, HeldFor.REPORTS}:
        check_decide(held, MODERATOR)
        managed(held, VideoChange(visibility=Visibility.SHOWN), MODERATOR, is_avatar=False)
    else:
        with pytest.raises(ConflictError):
            check_decide(held, MODERATOR)
        with pytest.raises(ForbiddenError):
            managed(held, VideoChange(visibility=Visibility.SHOWN), MODERATOR, is_avatar=False)
    with pytest.raises(ForbiddenError):
        check_decide(held, OWNER)
    with pytest.raises(NotFoundError):
        check_decide(held, OTHER)


def test_what_does_not_wait_is_not_decided() -> None:
    for visibility in (Visibility.SHOWN, Visibility.HIDDEN):
        with pytest.raises(ConflictError):
            check_decide(make_video(visibility=visibility), MODERATOR)


def test_who_brings_back_what_was_deleted() -> None:
    by_owner = make_video(visibility=Visibility.REMOVED, deleted_by=ALICE)
    check_restore(by_owner, OWNER)
    with pytest.raises(ForbiddenError):
        check_restore(by_owner, MODERATOR)
    with pytest.raises(NotFoundError):
        check_restore(by_owner, OTHER)
    by_moderator = make_video(visibility=Visibility.REMOVED, deleted_by=MODERATOR.user_id)
    check_restore(by_moderator, MODERATOR)
    check_restore(by_moderator, MODERATING_OWNER)
    with pytest.raises(ForbiddenError):
        check_restore(by_moderator, OWNER)
    check_undo(by_moderator, MODERATOR.user_id)
    with pytest.raises(ForbiddenError):
        check_undo(by_owner, MODERATOR.user_id)


@pytest.mark.parametrize(
    ("visibility", "state", "seen_by"),
    [
        (Visibility.SHOWN, State.READY, {OWNER, OTHER, MODERATOR}),
        (Visibility.HIDDEN, State.READY, {OWNER, MODERATOR}),
        (Visibility.HELD, State.QUEUED, {OWNER, MODERATOR}),
        (Visibility.REMOVED, State.READY, set()),
        (Visibility.SHOWN, State.FAILED, {OWNER}),
    ],
)
def test_who_knows_of_it(visibility: Visibility, state: State, seen_by: set[Viewer]) -> None:
    video = make_video(visibility=visibility, state=state, failure="broken-file" if state is State.FAILED else None)
    assert {viewer for viewer in (OWNER, OTHER, MODERATOR) if may_see(video, viewer)} == seen_by


def test_a_failed_video_can_be_deleted_and_little_else() -> None:
    failed = make_video(state=State.FAILED, failure="broken-file", renditions=())
    assert can(failed, OWNER) == {"rename", "hide", "delete"}


def test_an_old_version_is_a_conflict() -> None:
    video = make_video(version=3)
    assert managed(video, VideoChange(title="New", version=3), OWNER, is_avatar=False)[0].title == "New"
    with pytest.raises(ConflictError):
        managed(video, VideoChange(title="New", version=2), OWNER, is_avatar=False)


@pytest.mark.parametrize(
    "change", [VideoChange(title="x"), VideoChange(visibility=Visibility.SHOWN), VideoChange(published=False)]
)
def test_others_change_nothing(change: VideoChange) -> None:
    with pytest.raises(ForbiddenError):
        managed(make_video(), change, OTHER, is_avatar=False)


def test_who_orders() -> None:
    assert may_order(ALICE, OWNER, RoomSettings())
    assert may_order(ALICE, MODERATOR, RoomSettings())
    assert not may_order(ALICE, OTHER, RoomSettings())
    by_moderators = RoomSettings(order=Who.MODERATORS)
    assert not may_order(ALICE, OWNER, by_moderators)
    assert may_order(ALICE, MODERATOR, by_moderators)


def ids(text: str) -> list[VideoId]:
    return [VideoId(letter) for letter in text]


@pytest.mark.parametrize(
    ("current", "wanted", "base", "after"),
    [
        ("abc", "cab", "abc", "cab"),
        ("abc", "cab", None, "cab"),
        ("abcd", "ba", None, "bacd"),  # what was not named stays behind
        ("abcd", "cba", "abc", "cbad"),  # d was sent meanwhile
        ("ac", "cba", "abc", "ca"),  # b was deleted meanwhile
        ("abc", "", None, "abc"),
    ],
)
def test_an_order(current: str, wanted: str, base: str | None, after: str) -> None:
    assert reordered(ids(current), ids(wanted), None if base is None else ids(base)) == ids(after)


def test_an_order_of_something_else_is_a_conflict() -> None:
    with pytest.raises(ConflictError):
        reordered(ids("bac"), ids("cab"), ids("abc"))


def test_an_order_of_ten_thousand_is_no_work() -> None:
    many = [VideoId(str(number)) for number in range(10_000)]
    began = time.process_time()
    assert reordered(many, many[::-1][:5000], many) == many[::-1][:5000] + many[:5000]
    assert time.process_time() - began < 1


def test_no_video_stands_twice() -> None:
    with pytest.raises(BadJsonError):
        reordered(ids("ab"), ids("aa"), None)


@given(st.lists(st.sampled_from("abcdefgh"), unique=True), st.lists(st.sampled_from("abcdefgh"), unique=True))
def test_nothing_is_lost_or_made(current: list[str], wanted: list[str]) -> None:
    after = reordered(ids("".join(current)), ids("".join(wanted)), None)
    assert sorted(after) == sorted(current)
    assert [video for video in after if video in wanted] == [video for video in wanted if video in current]


def test_every_action_has_a_name_of_the_api() -> None:
    assert {action.value for action in Action} == {
        "rename", "hide", "show", "delete", "avatar", "publish", "report", "reject", "block",
    }  # fmt: skip


@pytest.mark.parametrize("held_for", [None, *HeldFor])
def test_only_who_decides_on_a_video_watches_it_before(held_for: HeldFor | None) -> None:
    held = make_video(visibility=Visibility.HELD, held_for=held_for)
    decided_here = held_for in {None, HeldFor.APPROVAL, HeldFor.REPORTS}
    for viewer in (OWNER, OTHER, MODERATOR, MODERATING_OWNER):
        assert may_watch(held, viewer) is (decided_here and viewer.moderates)
        assert ("reject" in can(held, viewer)) is (decided_here and viewer.moderates)


@pytest.mark.parametrize(("hidden_by", "watches"), [(ALICE, [OWNER]), (MODERATOR.user_id, [MODERATOR])])
def test_what_is_hidden_is_watched_by_whoever_may_show_it(hidden_by: UserId, watches: list[Viewer]) -> None:
    hidden = make_video(visibility=Visibility.HIDDEN, hidden_by=hidden_by)
    assert [viewer for viewer in (OWNER, OTHER, MODERATOR) if may_watch(hidden, viewer)] == watches
    assert not may_watch(make_video(visibility=Visibility.REMOVED), MODERATOR)


def test_members_block_nothing_and_moderators_what_they_may_know_of() -> None:
    check_block(make_video(), MODERATOR)
    for viewer in (OWNER, OTHER):
        with pytest.raises(ForbiddenError):
            check_block(make_video(), viewer)
    with pytest.raises(NotFoundError):
        check_block(make_video(visibility=Visibility.REMOVED), MODERATOR)
