"""A room as one viewer may see it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from appservice.core.model import HeldFor, Kind, RoomId, Spoiler, State, UserId, Video, VideoId, Visibility
from appservice.core.room import Member
from appservice.core.rules.video_permissions import Viewer
from appservice.core.schedule import Schedule, Turn
from appservice.core.settings import RoomSettings, Who
from appservice.core.tokens import Grant
from appservice.core.web.reels import revision_of
from appservice.core.web.room_views import Broadcast, RoomNow, on_behalf, room_view, video_view
from appservice.core.web.views import MemberView, ProgressView, RoomView, VideoView
from tests.support.factories import ALICE, BOB, ROOM, make_member, make_room, make_video
from transcode.hls.captions import Captions
from transcode.storyboard import Storyboard

GRANT = Grant("1800000000.sig/3.7", 1_800_000_000_000)
BASE = "/media/1800000000.sig/3.7"
LIVE = Broadcast(schedule=None, watching=(), now=1_700_000_000_000)
BOT = UserId("@reel:example.org")
CAROL = UserId("@carol:example.org")


def view(
    videos: list[Video],
    viewer: UserId = BOB,
    members: list[Member] | None = None,
    live: Broadcast = LIVE,
    reports: dict[VideoId, int] | None = None,
    turns: Sequence[str] = (),
) -> RoomView:
    both = [make_member(1, ALICE), make_member(2, BOB)]
    as_viewer = Viewer(viewer, moderates=reports is not None)
    return room_view(
        RoomNow(make_room(), both if members is None else members, videos, live, BOT, reports),
        as_viewer,
        GRANT,
        turns=turns,
    )


def member(room: RoomView, user_id: UserId) -> MemberView:
    return next(m for m in room.members if m.user_id == user_id)


def seen(room: RoomView) -> list[VideoView]:
    return [video for m in room.members for video in m.videos]


def test_a_room() -> None:
    video = make_video(1)
    room = view([video])
    assert room.model_dump() == {
        "room_id": ROOM, "revision": 0, "next": None, "name": "The den", "bot": BOT,
        "channel": f"{BASE}/reel/all/{revision_of([video])}/index.m3u8",
        "grant_expires_at": 1_800_000_000_000, "now": 1_700_000_000_000, "direct": True, "schedule": None,
        "watching": [], "replaced_by": None, "together": None,
        "place": None, "can": [], "encryption": None,
        "members": [
            {
                "user_id": ALICE, "display_name": None, "avatar_url": None, "video_avatar": None,
                "reel_url": f"{BASE}/reel/1/{revision_of([video])}/index.m3u8", "can": [],
                "videos": [
                    {
                        "id": video.id, "event_id": "$event1", "sent_here": True, "title": "Video 1",
                        "kind": "video", "state": "ready",
                        "visibility": "shown", "waits_for": None,
                        "held_for": None, "hidden_by": None, "duration": 5.0, "width": 854, "height": 480,
                        "poster_url": f"{BASE}/v/{video.id}/1-ready/poster.jpg",
                        "playlist_url": f"{BASE}/v/{video.id}/1-ready/index.m3u8", "storyboard_url": None,
                        "preview_url": None, "blurhash": None, "progress": None, "created_at": 1, "failure": None,
                        "captions": [], "version": 1, "can": ["report"], "published": False,
                        "is_video_avatar": False, "reports": None, "spoiler": False, "spoiler_reason": None,
                        "audio_left_out": None,
                    }
                ],
                    "count": 1, "playable": 1,
            },
            {
                "user_id": BOB, "display_name": None, "avatar_url": None, "video_avatar": None, "reel_url": None,
                "can": ["order"], "videos": [], "count": 0, "playable": 0,
            },
        ],
    }  # fmt: skip


def test_what_was_sent_in_the_room_before_is_shown() -> None:
    (before,) = seen(view([make_video(1, sent_in="!before:example.org")]))
    assert not before.sent_here


def test_moderators_see_more_and_may_more() -> None:
    hidden, odd = make_video(1, visibility=Visibility.HIDDEN, hidden_by=CAROL), make_video(2, has_preview=True)
    members = [replace(make_member(1, ALICE), avatar_video=odd.id), make_member(2, BOB)]
    assert [video.id for video in seen(view([hidden, odd], members=members))] == [odd.id]
    room = view([hidden, odd], members=members, reports={odd.id: 2})
    assert {video.id: video.reports for video in seen(room)} == {hidden.id: 0, odd.id: 2}
    assert "show" in seen(room)[0].can
    assert member(room, ALICE).can == ["order"]
    assert seen(room)[1].is_video_avatar
    assert member(room, ALICE).video_avatar == f"{BASE}/v/{odd.id}/1-ready/preview.mp4"


def test_a_spoiler_is_marked_and_plays_nowhere_by_itself() -> None:
    hidden, plain = make_video(1, spoiler=Spoiler("blood"), has_preview=True), make_video(2)
    members = [replace(make_member(1, ALICE), avatar_video=hidden.id), make_member(2, BOB)]
    room = view([hidden, plain], members=members, turns=["*"])
    shown = {video.id: video for video in seen(room)}
    assert (shown[hidden.id].spoiler, shown[hidden.id].spoiler_reason) == (True, "blood")
    assert (shown[plain.id].spoiler, shown[plain.id].spoiler_reason) == (False, None)
    assert shown[hidden.id].playlist_url == f"{BASE}/v/{hidden.id}/1-ready/index.m3u8", "for whoever requests it"
    alone = revision_of([plain])
    assert room.channel == f"{BASE}/reel/all/{alone}/index.m3u8"
    assert member(room, ALICE).reel_url == f"{BASE}/reel/1/{alone}/index.m3u8"
    assert room.together
    assert room.together.reel_url == f"{BASE}/reel/turns/{alone}/index.m3u8"
    assert member(room, ALICE).video_avatar is None
    only = view([hidden], members=members)
    assert (only.channel, member(only, ALICE).reel_url) == (None, None)


def test_a_chat_of_two() -> None:
    assert view([]).direct
    assert not view([], members=[make_member(1, ALICE)]).direct


def test_what_the_channel_shows_when_and_to_whom() -> None:
    one, two = Turn(make_video(1).id, "1", 2500), Turn(make_video(2).id, "2", 1000)
    room = view([], live=Broadcast(Schedule(5, (one,), two), [ALICE], 9)).model_dump()
    assert room["schedule"] == {
        "starts_at": 5, "items": [{"id": one.id, "duration": 2.5}], "before": {"id": two.id, "duration": 1.0},
        "until": None,
    }  # fmt: skip
    assert (room["watching"], room["now"]) == ([ALICE], 9)
    assert view([], live=Broadcast(Schedule(5, (one,)), [], 9)).model_dump()["schedule"]["before"] is None


def test_what_comes_with_a_video() -> None:
    storyboard = Storyboard(columns=3, count=5, width=160, height=90, interval=1.0)
    video = make_video(1, storyboard=storyboard, has_preview=True, blurhash="LEHV6nWB2yk8")
    (shown,) = seen(view([video]))
    assert shown.captions == []
    assert shown.storyboard_url == f"{BASE}/v/{video.id}/1-ready/storyboard.vtt"
    assert (shown.preview_url, shown.blurhash) == (f"{BASE}/v/{video.id}/1-ready/preview.mp4", "LEHV6nWB2yk8")


def test_captions_lie_in_the_stage_that_plays() -> None:
    captions = (Captions("captions0.vtt", "zh", "中文"), Captions("captions1.vtt", None, "2"))
    (shown,) = seen(view([make_video(1, captions=captions)]))
    folder = f"{BASE}/v/{make_video(1).id}/1-ready"
    assert [(each.language, each.label, each.url) for each in shown.captions] == [
        ("zh", "中文", f"{folder}/captions0.vtt"), (None, "2", f"{folder}/captions1.vtt"),
    ]  # fmt: skip
    (failed,) = seen(view([make_video(1, captions=captions, state=State.FAILED, stage=None)], ALICE))
    assert failed.captions == []


@pytest.mark.parametrize(
    ("state", "percent", "reported"),
    [
        (State.PROCESSING, 0, True), (State.PLAYABLE, 40, True), (State.PROCESSING, None, False),
        (State.QUEUED, 40, False), (State.READY, 40, False), (State.FAILED, 40, False),
    ],
)  # fmt: skip
def test_progress_is_that_of_work_under_way(state: State, percent: int | None, reported: bool) -> None:
    (shown,) = seen(view([make_video(1, state=state, percent=percent, remaining=7)], ALICE))
    assert shown.progress == (ProgressView(percent=percent or 0, remaining=7) if reported else None)


def test_a_reel_keeps_its_address_while_its_last_video_is_in_progress() -> None:
    first, last = make_video(1), make_video(2, state=State.PLAYABLE, available=1)
    longer, whole = (replace(last, media=replace(last.media, available=available)) for available in (2, None))
    urls = [member(view([first, v]), ALICE).reel_url for v in (last, longer, whole)]
    assert len(set(urls)) == 1
    # When it is not the last, it goes there, and back when it is whole.
    moved = [member(view([v, first]), ALICE).reel_url for v in (last, whole)]
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


@pytest.mark.parametrize(
    ("held_for", "to_sender", "to_moderator"),
    [
        (None, "moderator", "moderator"),
        (HeldFor.APPROVAL, "moderator", "moderator"),
        (HeldFor.REPORTS, "moderator", "moderator"),
        (HeldFor.VERDICT, "verdict", "verdict"),
        (HeldFor.POLICY, "moderator", "operator"),
        (HeldFor.QUARANTINE, "moderator", "operator"),
    ],
)
def test_whom_a_held_video_waits_for(held_for: HeldFor | None, to_sender: str, to_moderator: str) -> None:
    video = make_video(1, visibility=Visibility.HELD, held_for=held_for)
    grant = Grant("1.s/r", 0)
    reasons = [
        video_view(video, Viewer(ALICE, moderates), f"{grant.base}/", is_avatar=False, reports=None).waits_for
        for moderates in (False, True)
    ]
    assert reasons == [to_sender, to_moderator]
    shown = video_view(make_video(1), Viewer(ALICE, True), f"{grant.base}/", is_avatar=False, reports=None)
    assert (shown.waits_for, shown.kind) == (None, Kind.VIDEO)


@pytest.mark.parametrize(
    ("held_for", "to_sender", "decided_here"),
    [
        (None, HeldFor.APPROVAL, True),
        (HeldFor.APPROVAL, HeldFor.APPROVAL, True),
        (HeldFor.REPORTS, None, True),
        (HeldFor.VERDICT, HeldFor.VERDICT, False),
        (HeldFor.POLICY, None, False),
        (HeldFor.QUARANTINE, None, False),
    ],
)
def test_why_a_video_is_held_and_who_watches_it(
    held_for: HeldFor | None, to_sender: HeldFor | None, decided_here: bool
) -> None:
    video = make_video(1, visibility=Visibility.HELD, held_for=held_for)
    sender, moderator = (
        video_view(video, viewer, "/media/1.s/r/", is_avatar=False, reports=None)
        for viewer in (Viewer(ALICE, False), Viewer(BOB, True))
    )
    assert (sender.held_for, sender.playlist_url, sender.poster_url) == (to_sender, None, None)
    assert moderator.held_for == (held_for or HeldFor.APPROVAL)
    assert (moderator.playlist_url is not None, moderator.poster_url is not None) == (decided_here, decided_here)


def test_a_held_video_is_no_face_also_for_who_may_watch_it() -> None:
    worn = make_video(1, visibility=Visibility.HELD, has_preview=True)
    wearer = replace(make_member(1, ALICE), avatar_video=worn.id)
    room = view([worn], members=[wearer, make_member(2, BOB)], reports={})
    assert seen(room)[0].preview_url is not None
    assert (member(room, ALICE).video_avatar, room.channel, member(room, ALICE).reel_url) == (None, None, None)


@pytest.mark.parametrize("state", State)
def test_what_waits_for_its_upload(state: State) -> None:
    video = make_video(1, state=state, awaited_since=datetime(2026, 1, 1, tzinfo=UTC))
    seen = video_view(video, Viewer(ALICE, False), "/media/1.s/r/", is_avatar=False, reports=None)
    assert seen.waits_for == ("upload" if state is State.QUEUED else None)


def test_a_failed_video_shows_its_sender_why_and_plays_nothing() -> None:
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


def test_members_together_take_turns_in_the_order_of_their_keys() -> None:
    people = [make_member(15, ALICE), make_member(12, BOB), make_member(7, CAROL)]
    videos = [make_video(number, sender=sender) for number, sender in enumerate((ALICE, ALICE, BOB, CAROL), 1)]
    alices, bobs, carols = [videos[0], videos[1]], videos[2], videos[3]
    both = view(videos, members=people, turns=[ALICE, BOB, "@stranger:x"]).together
    assert both
    assert both.members == [BOB, ALICE]
    assert both.reel_url == f"{BASE}/reel/12+15/{revision_of([bobs, *alices])}/index.m3u8"
    everybody = view(videos, members=people, turns=["*"]).together
    assert everybody
    revision = revision_of([carols, bobs, *alices])
    assert (everybody.members, everybody.reel_url) == ([CAROL, BOB, ALICE], f"{BASE}/reel/turns/{revision}/index.m3u8")
    nobody = view(videos, members=people, turns=["@stranger:x"]).together
    assert nobody
    assert (nobody.members, nobody.reel_url) == ([], None)


def test_an_upgraded_room_says_where_it_went() -> None:
    room = make_room(replaced_by=RoomId("!new/room"))
    shown = room_view(RoomNow(room, [make_member(1, ALICE)], [], LIVE, BOT), Viewer(BOB, moderates=False), GRANT)
    server = BOT.partition(":")[2]
    assert shown.replaced_by == f"https://matrix.to/#/!new%2Froom?via={server}"


def test_who_opted_an_encrypted_room_in() -> None:
    at = datetime(2026, 11, 30, 12, tzinfo=UTC)
    members, bob = [make_member(1, ALICE, "Alice")], Viewer(BOB, moderates=False)

    def seen(viewer: Viewer = bob, **room: Any) -> dict[str, object] | None:  # noqa: ANN401 - as `make_room`
        now = RoomNow(make_room(**room), members, [], LIVE, BOT, encrypted_rooms=True)
        shown = room_view(now, viewer, GRANT).encryption
        return shown.model_dump() if shown else None

    assert seen() is None
    nobody = {
        "opted_in_by": None, "opted_in_by_name": None, "opted_in_at": None, "available": True, "may_opt_in": False,
    }  # fmt: skip
    assert seen(encrypted=True) == nobody
    assert seen(Viewer(ALICE, moderates=True), encrypted=True) == {**nobody, "may_opt_in": True}
    assert seen(encrypted=True, direct=True) == {**nobody, "may_opt_in": True}
    agreed = {**nobody, "opted_in_at": round(at.timestamp() * 1000)}
    named = {**agreed, "opted_in_by": ALICE, "opted_in_by_name": "Alice"}
    assert seen(encrypted=True, opted_in_by=ALICE, opted_in_at=at) == named
    # Who left, and who wanted to be forgotten.
    assert seen(encrypted=True, opted_in_by=BOB, opted_in_at=at) == {**agreed, "opted_in_by": BOB}
    assert seen(encrypted=True, opted_in_by="", opted_in_at=at) == agreed


@pytest.mark.parametrize(
    ("room", "can"),
    [
        ({}, ["comment", "react", "send"]),
        ({"encrypted": True}, []),
        ({"power_levels": {"events_default": 50, "users": {BOT: 50}}}, []),
        ({"power_levels": {"events_default": 50, "users": {BOB: 50}}}, []),
        ({"power_levels": {"events_default": 50, "users": {BOB: 50, BOT: 50}}}, ["comment", "react", "send"]),
        ({"power_levels": {"events": {"m.reaction": 50}}}, ["comment", "send"]),
        ({"power_levels": {"events": {"m.room.message": 50}}}, ["react"]),
        ({"settings": RoomSettings(add=Who.MODERATORS)}, ["comment", "react"]),
    ],
)
def test_what_the_bot_does_on_behalf_of_somebody(room: dict[str, Any], can: list[str]) -> None:
    assert on_behalf(make_room(**room), Viewer(BOB, moderates=False), BOT) == can
