"""A room as one viewer may see it."""

from dataclasses import replace
from typing import Any

import pytest

from appservice.model import Member, State, UserId, Video, Visibility
from appservice.web.reels import revision_of
from appservice.web.views import Grant, MemberView, ProgressView, RoomView, VideoView, room_view
from tests.unit.videos import ALICE, BOB, ROOM, make_member, make_room, make_video
from transcode.storyboard import Storyboard

GRANT = Grant("1800000000.sig/3.7", 1_800_000_000_000)
BASE = "/media/1800000000.sig/3.7"
CAROL = UserId("@carol:example.org")


def view(videos: list[Video], viewer: UserId = BOB, members: list[Member] | None = None) -> RoomView:
    both = [make_member(1, ALICE), make_member(2, BOB)]
    return room_view(make_room(), both if members is None else members, videos, viewer, GRANT)


def member(room: RoomView, user_id: UserId) -> MemberView:
    return next(m for m in room.members if m.user_id == user_id)


def seen(room: RoomView) -> list[VideoView]:
    return [video for m in room.members for video in m.videos]


def test_a_room() -> None:
    video = make_video(1)
    room = view([video])
    assert room.model_dump() == {
        "room_id": ROOM, "name": "The den", "channel": f"{BASE}/reel/all/{revision_of([video])}/index.m3u8",
        "grant_expires_at": 1_800_000_000_000,
        "members": [
            {
                "user_id": ALICE, "display_name": None, "avatar_url": None, "video_avatar": None,
                "reel_url": f"{BASE}/reel/1/{revision_of([video])}/index.m3u8",
                "videos": [
                    {
                        "id": video.id, "event_id": "$event1", "title": "Video 1", "state": "ready",
                        "visibility": "shown", "duration": 5.0, "width": 854, "height": 480,
                        "poster_url": f"{BASE}/v/{video.id}/1-ready/poster.jpg",
                        "playlist_url": f"{BASE}/v/{video.id}/1-ready/index.m3u8", "storyboard_url": None,
                        "preview_url": None, "blurhash": None, "progress": None, "created_at": 1, "failure": None,
                    }
                ],
            },
            {
                "user_id": BOB, "display_name": None, "avatar_url": None, "video_avatar": None, "reel_url": None,
                "videos": [],
            },
        ],
    }  # fmt: skip


def test_what_comes_with_a_video() -> None:
    storyboard = Storyboard(columns=3, count=5, width=160, height=90, interval=1.0)
    video = make_video(1, storyboard=storyboard, has_preview=True, blurhash="LEHV6nWB2yk8")
    (shown,) = seen(view([video]))
    assert shown.storyboard_url == f"{BASE}/v/{video.id}/1-ready/storyboard.vtt"
    assert (shown.preview_url, shown.blurhash) == (f"{BASE}/v/{video.id}/1-ready/preview.mp4", "LEHV6nWB2yk8")


@pytest.mark.parametrize(
    ("state", "percent", "told"),
    [
        (State.PROCESSING, 0, True), (State.PLAYABLE, 40, True), (State.PROCESSING, None, False),
        (State.QUEUED, 40, False), (State.READY, 40, False), (State.FAILED, 40, False),
    ],
)  # fmt: skip
def test_progress_is_that_of_work_under_way(state: State, percent: int | None, told: bool) -> None:
    (shown,) = seen(view([make_video(1, state=state, percent=percent, remaining=7)], ALICE))
    assert shown.progress == (ProgressView(percent=percent or 0, remaining=7) if told else None)


def test_a_reel_keeps_its_address_while_its_last_video_grows() -> None:
    first, last = make_video(1), make_video(2, state=State.PLAYABLE, available=1)
    urls = [
        member(view([first, v]), ALICE).reel_url
        for v in (last, replace(last, available=2), replace(last, available=None))
    ]
    assert len(set(urls)) == 1
    # When it is not the last, it goes there, and back when it is whole.
    moved = [member(view([v, first]), ALICE).reel_url for v in (last, replace(last, available=None))]
    assert moved[0] == urls[0] != moved[1]


def test_members_with_videos_come_first_the_latest_sent_ahead_then_the_rest_by_name() -> None:
    users = [UserId(f"@{name}:x") for name in ("a", "b", "c", "d", "e", "f")]
    members = [
        make_member(1, users[0], "zoe"), make_member(2, users[1], "Émile"), make_member(3, users[2]),
        make_member(4, users[3], "Bert"), make_member(5, users[4], "anna"), make_member(6, users[5], "anna"),
    ]  # fmt: skip
    videos = [make_video(10, sender=users[0]), make_video(30, sender=users[3]), make_video(20, sender=users[0])]
    order = [m.user_id for m in view(videos, members=list(reversed(members))).members]
    assert order == ["@d:x", "@a:x", "@e:x", "@f:x", "@c:x", "@b:x"]


def test_a_video_sent_at_the_epoch_counts_as_one() -> None:
    members = [make_member(1, ALICE, "z"), make_member(2, BOB, "a")]
    assert view([make_video(1, created_at=0)], members=members).members[0].user_id == ALICE


def test_what_others_may_not_see_does_not_move_a_member_up() -> None:
    members = [make_member(1, ALICE, "z"), make_member(2, BOB, "a")]
    failed = make_video(9, state=State.FAILED, failure="internal", renditions=())
    assert view([failed], BOB, members).members[0].user_id == BOB
    assert view([failed], ALICE, members).members[0].user_id == ALICE


def test_the_videos_of_a_member_keep_their_order() -> None:
    videos = [make_video(3), make_video(7, sender=BOB), make_video(1), make_video(2)]
    assert [video.event_id for video in member(view(videos), ALICE).videos] == ["$event3", "$event1", "$event2"]


@pytest.mark.parametrize(
    ("fields", "sender_sees", "others_see"),
    [
        ({}, True, True),
        ({"state": State.QUEUED}, True, True),
        ({"state": State.PROCESSING}, True, True),
        ({"state": State.FAILED, "failure": "too-long"}, True, False),
        ({"visibility": Visibility.HIDDEN}, True, False),
        ({"visibility": Visibility.HELD}, True, False),
        ({"visibility": Visibility.REMOVED}, False, False),
        ({"visibility": Visibility.REMOVED, "state": State.FAILED}, False, False),
    ],
)
def test_who_sees_a_video(fields: dict[str, Any], sender_sees: bool, others_see: bool) -> None:
    video = make_video(1, **fields)
    assert bool(seen(view([video], ALICE))) is sender_sees
    assert bool(seen(view([video], BOB))) is others_see


def test_a_failed_video_tells_its_sender_why_and_plays_nothing() -> None:
    video = make_video(1, state=State.FAILED, failure="too-long", renditions=(), stage=None, has_poster=False)
    room = view([video], ALICE)
    (shown,) = seen(room)
    assert shown.failure is not None
    assert shown.failure.code == "too-long"
    assert (shown.playlist_url, shown.poster_url) == (None, None)
    assert member(room, ALICE).reel_url is None
    assert room.channel is None


@pytest.mark.parametrize(
    "fields", [{"visibility": Visibility.HIDDEN}, {"visibility": Visibility.HELD}, {"state": State.PROCESSING}]
)
def test_what_cannot_play_has_no_addresses(fields: dict[str, Any]) -> None:
    room = view([make_video(1, **fields)], ALICE)
    (shown,) = seen(room)
    assert (shown.playlist_url, shown.poster_url) == (None, None)
    assert room.channel is None


def test_a_video_without_a_poster_has_no_poster() -> None:
    (shown,) = seen(view([make_video(1, has_poster=False)]))
    assert shown.poster_url is None
    assert shown.playlist_url is not None


def test_videos_of_people_who_left_are_not_shown() -> None:
    room = view([make_video(1, sender=CAROL)])
    assert room.channel is None
    assert seen(room) == []


def test_a_reel_is_the_same_for_every_viewer() -> None:
    videos = [make_video(1), make_video(2, visibility=Visibility.HIDDEN), make_video(3, state=State.FAILED)]
    urls = {(member(view(videos, viewer), ALICE).reel_url, view(videos, viewer).channel) for viewer in (ALICE, BOB)}
    assert len(urls) == 1


def test_an_avatar_is_served_by_us() -> None:
    members = [make_member(41, ALICE, "Alice", "mxc://example.org/face"), make_member(2, BOB)]
    room = view([], members=members)
    assert member(room, ALICE).avatar_url == f"{BASE}/avatar/41"
    assert member(room, ALICE).display_name == "Alice"
    assert member(room, BOB).avatar_url is None
