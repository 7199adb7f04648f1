"""Reels: what plays, under which revision, how often, and that every relative address stays below the scope."""

import math
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any
from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.core.errors import NotFoundError
from appservice.core.model import History, RoomId, Spoiler, State, UserId, Video, Visibility
from appservice.core.web.reels import (
    Reel,
    ReelCache,
    build_reel,
    channel,
    for_all,
    key_of_turns,
    keys_of_turns,
    members_reel,
    refreshed,
    revision_of,
    taking_turns,
    together,
    video_playlists,
)
from tests.support.factories import ALICE, BOB, make_member, make_video, rendition

BASE = "https://reel.example/media/1800000000.sig/3.7/"


def _addresses(text: str) -> list[str]:
    maps = re.findall(r'#EXT-X-MAP:URI="([^"]+)"', text)
    return maps + [line for line in text.splitlines() if line and not line.startswith("#")]


def _seconds(text: str) -> float:
    return math.fsum(float(value) for value in re.findall(r"#EXTINF:([0-9.]+),", text))


def test_a_members_reel_is_their_playable_videos_in_the_given_order() -> None:
    mine = [make_video(3), make_video(1), make_video(2, state=State.PLAYABLE)]
    others = [
        make_video(4, sender=BOB),
        make_video(5, visibility=Visibility.HIDDEN),
        make_video(6, visibility=Visibility.HELD),
        make_video(7, state=State.PROCESSING),
        make_video(8, state=State.FAILED),
        make_video(9, renditions=()),
    ]
    assert members_reel([*others, *mine, *others], ALICE) == mine


def test_the_channel_is_everybodys_in_the_order_sent() -> None:
    videos = [make_video(5, created_at=20), make_video(2, sender=BOB, created_at=20), make_video(9, created_at=10)]
    hidden = make_video(1, created_at=1, visibility=Visibility.HIDDEN)
    gallery = [make_video(9 - item, created_at=5, item=item) for item in range(4)]
    assert channel(gallery[::-1]) == gallery
    assert channel([make_video(1, spoiler=Spoiler())]) == members_reel([make_video(1, spoiler=Spoiler())], ALICE) == []
    assert [video.event_id for video in channel([hidden, *videos])] == ["$event9", "$event2", "$event5"]


@pytest.mark.parametrize(
    ("senders", "played"),
    [
        ("a", "a1 a2 a3"), ("ab", "a1 b1 a2 b2 a3"), ("ba", "b1 a1 b2 a2 a3"), ("abc", "a1 b1 c1 a2 b2 a3"),
        ("ad", "a1 a2 a3"), ("", ""), ("d", ""),
    ],
)  # fmt: skip
def test_several_members_take_turns(senders: str, played: str) -> None:
    videos = [
        make_video(index, sender=UserId(f"@{name[0]}:x"), title=name)
        for index, name in enumerate(["a1", "b1", "a2", "c1", "a3", "b2"], 1)
    ]
    hidden = make_video(9, sender=UserId("@d:x"), visibility=Visibility.HIDDEN)
    order = together([*videos, hidden], [UserId(f"@{name}:x") for name in senders])
    assert " ".join(video.title for video in order) == played


def test_what_is_in_progress_is_the_last_of_a_reel_of_several() -> None:
    in_progress = [make_video(n, sender=s, state=State.PLAYABLE, available=1) for n, s in ((1, ALICE), (2, BOB))]
    whole = [make_video(3, sender=ALICE), make_video(4, sender=BOB)]
    order = together([*in_progress, *whole], [ALICE, BOB])
    assert order == [*whole, in_progress[0]]
    assert build_reel(order).videos == tuple(order)


def test_who_takes_turns() -> None:
    people = [make_member(15, ALICE), make_member(9, BOB), make_member(12, UserId("@c:x"))]
    assert [m.key for m in taking_turns(people)] == [9, 12, 15]
    assert key_of_turns(taking_turns(people, {15, 12, 99})) == "12+15"
    assert key_of_turns(taking_turns(people, set())) == ""


def test_a_revision_is_what_plays_and_in_which_order() -> None:
    one, two = make_video(1), make_video(2)
    revision = revision_of([one, two])
    assert re.fullmatch("[0-9a-f]{16}", revision)
    assert revision == revision_of([make_video(1, title="Renamed"), two])
    different = [[two, one], [one], [one, one, two], [make_video(1, stage="2-ready"), two], []]
    assert len({revision, *map(revision_of, different)}) == 6


@pytest.mark.parametrize(
    ("seconds", "repeats"), [(5.0, 12), (7.0, 9), (59.0, 2), (60.0, 1), (3600.0, 1), (3.0, 20), (0.05, 20)]
)
def test_a_short_reel_is_written_several_times(seconds: float, repeats: int) -> None:
    video = make_video(1, duration=seconds, renditions=(rendition(seconds=seconds),))
    text = build_reel([video]).playlists["480.m3u8"]
    assert text.count("init.mp4") == repeats
    assert text.count("#EXT-X-DISCONTINUITY\n") == repeats - 1
    assert text.count("#EXT-X-ENDLIST") == 1


def test_an_unknown_duration_does_not_repeat_without_end() -> None:
    assert build_reel([make_video(1, duration=None)]).playlists["480.m3u8"].count("init.mp4") == 20


def test_an_empty_reel_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="needs a video"):
        build_reel([])


LADDERS = st.lists(
    st.tuples(
        st.sets(st.sampled_from([240, 360, 480, 720, 1080]), min_size=1), st.floats(0.5, 300).map(lambda s: round(s, 3))
    ),
    min_size=1,
    max_size=5,
)


def _reel(ladders: list[tuple[set[int], float]]) -> tuple[list[Video], Reel]:
    videos = [
        make_video(
            number,
            duration=seconds,
            renditions=tuple(
                rendition(str(side), seconds=seconds, width=side * 16 // 9, height=side) for side in sorted(sides)
            ),
        )
        for number, (sides, seconds) in enumerate(ladders, start=1)
    ]
    return videos, build_reel(videos)


@given(LADDERS)
def test_every_address_of_a_reel_resolves_below_its_scope(ladders: list[tuple[set[int], float]]) -> None:
    videos, reel = _reel(ladders)
    index = f"{BASE}reel/9/{reel.revision}/index.m3u8"
    variants = [urljoin(index, name) for name in _addresses(reel.playlists["index.m3u8"])]
    assert {url.rpartition("/")[2] for url in variants} == set(reel.playlists) - {"index.m3u8"}
    known = {f"{BASE}v/{video.id}/{video.media.stage}/{r.name}/" for video in videos for r in video.media.renditions}
    for url in variants:
        assert url.startswith(f"{BASE}reel/9/{reel.revision}/")
        for address in _addresses(reel.playlists[url.rpartition("/")[2]]):
            folder, _, name = urljoin(url, address).rpartition("/")
            assert folder + "/" in known
            assert re.fullmatch(r"init\.mp4|\d+\.m4s", name)


@given(LADDERS)
def test_all_tiers_of_a_reel_have_the_same_timeline(ladders: list[tuple[set[int], float]]) -> None:
    videos, reel = _reel(ladders)
    lines = [text for name, text in reel.playlists.items() if name != "index.m3u8"]
    assert len({tuple(re.findall(r"#EXTINF:.*|#EXT-X-DISCONTINUITY", text)) for text in lines}) == 1
    length = math.fsum(video.media.duration or 0 for video in videos)
    assert math.isclose(_seconds(lines[0]) / length, round(_seconds(lines[0]) / length), abs_tol=0.01)


def test_the_playlists_of_one_video_lie_in_its_own_folder() -> None:
    video = make_video(1, renditions=(rendition("240", height=240, width=426), rendition("480")))
    playlists = video_playlists(video)
    assert set(playlists) == {"index.m3u8", "240.m3u8", "480.m3u8"}
    assert _addresses(playlists["index.m3u8"]) == ["240.m3u8", "480.m3u8"]
    assert _addresses(playlists["480.m3u8"]) == ["480/init.mp4", "480/0.m4s", "480/1.m4s", "480/2.m4s"]
    assert math.isclose(_seconds(playlists["480.m3u8"]), 5.0)


# Videos in progress


def in_progress(number: int, available: int | None = 1, **changes: Any) -> Video:  # noqa: ANN401 - each field has its own type
    stage = {"state": State.PLAYABLE, "stage": "1-playable", **changes}
    return make_video(number, available=available, **stage)


def test_the_first_video_in_progress_comes_last_and_the_others_wait() -> None:
    one, two, three, four = in_progress(1), make_video(2), in_progress(3), make_video(4)
    assert members_reel([one, two, three, four], ALICE) == [two, four, one]
    assert channel([four, three, two, one]) == [two, four, one]
    assert members_reel([two, three], ALICE) == [two, three]


def test_a_reel_gets_segments_at_its_end_and_then_endlist() -> None:
    first, last = make_video(1), in_progress(2)
    reels = [
        build_reel([first, last]),
        build_reel([first, in_progress(2, 2)]),
        build_reel([first, in_progress(2, available=None)]),
    ]
    assert len({reel.revision for reel in reels}) == 1
    texts = [reel.playlists["480.m3u8"] for reel in reels]
    assert [len(_addresses(text)) for text in texts] == [2 + 3 + 1, 2 + 3 + 2, 6 * (2 + 3 + 3)]
    assert [text.count("#EXT-X-ENDLIST") for text in texts] == [0, 0, 1]
    assert [text.count("#EXT-X-PLAYLIST-TYPE:EVENT") for text in texts] == [1, 1, 1], "it must not change"
    for earlier, later in pairwise(texts):
        assert _segments(later)[: len(_segments(earlier))] == _segments(earlier), "segments are only ever added"
    assert [reel.videos for reel in reels] == [(first, last), (first, in_progress(2, 2)), None]


def _segments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("#EXTINF", "#EXT-X-MAP", "#EXT-X-DISC", "../"))]


def test_only_the_last_video_of_a_reel_may_be_in_progress() -> None:
    with pytest.raises(ValueError, match="only the last"):
        build_reel([in_progress(1), make_video(2)])


def test_a_reel_in_progress_is_refreshed_from_its_last_video() -> None:
    first, last = make_video(1), in_progress(2)
    reel = build_reel([first, last])
    assert refreshed([first, last], in_progress(2, 2)) == build_reel([first, in_progress(2, 2)])
    whole = build_reel([first, in_progress(2, available=None)])
    assert refreshed([first, last], in_progress(2, available=None)) == whole
    # Ready, it is served from another stage; the one that this reel plays was whole before.
    assert refreshed([first, last], make_video(2)) == whole
    assert whole.revision == reel.revision
    gone = [
        None, in_progress(2, stage="2-playable"), in_progress(2, visibility=Visibility.HIDDEN),
        make_video(2, state=State.FAILED, renditions=()), make_video(2, state=State.READY, renditions=()),
    ]  # fmt: skip
    for became in gone:
        assert refreshed([first, last], became) is None


def test_the_playlists_of_one_video_in_progress() -> None:
    text = video_playlists(in_progress(1, 2))["480.m3u8"]
    assert _addresses(text) == ["480/init.mp4", "480/0.m4s", "480/1.m4s"]
    assert "#EXT-X-ENDLIST" not in text


def test_the_cache_evicts_the_least_recently_used() -> None:
    cache = ReelCache(total=250, per_room=250)
    one, two, three = (Reel(str(n), {"index.m3u8": "x" * 100}) for n in range(3))
    cache.put(1, "all", one)
    cache.put(1, "all", two)
    assert cache.get(1, "all", "0") is one
    cache.put(1, "all", three)
    assert cache.get(1, "all", "0") is one
    assert cache.get(1, "all", "1") is None
    assert cache.get(1, "all", "2") is three


def test_the_cache_keeps_rooms_and_lists_apart() -> None:
    cache = ReelCache()
    cache.put(1, "all", Reel("r", {}))
    assert cache.get(2, "all", "r") is None
    assert cache.get(1, "7", "r") is None


@pytest.mark.parametrize("key", ["7+7", "12+7", "07", "7+012", "0012+07"])
def test_a_reel_of_several_has_one_address(key: str) -> None:
    with pytest.raises(NotFoundError):
        keys_of_turns(key)


def test_an_address_that_we_wrote_is_read() -> None:
    assert keys_of_turns("7+12") == (7, 12)
    assert keys_of_turns("7") == (7,)


def test_a_room_pushes_out_its_own_reels_alone() -> None:
    cache = ReelCache(total=1000, per_room=500)
    cache.put(1, "all", Reel("mine", {"index.m3u8": "x" * 400}))
    for number in range(100):
        cache.put(2, str(number), Reel("made-up", {"index.m3u8": "x" * 100}))
    assert cache.get(1, "all", "mine") is not None
    assert [cache.get(2, str(number), "made-up") is not None for number in (0, 94, 95, 99)] == [
        False,
        False,
        True,
        True,
    ]


def test_many_rooms_stay_within_the_whole() -> None:
    cache = ReelCache(total=1000, per_room=500)
    for room in range(100):
        cache.put(room, "all", Reel("r", {"index.m3u8": "x" * 100}))
    assert sum(cache.get(room, "all", "r") is not None for room in range(100)) == 10


def test_what_not_every_member_may_see_is_for_none_of_the_channel() -> None:
    members = [make_member(1, ALICE), replace(make_member(2, BOB), joined_at=20)]
    shared, before = make_video(10), make_video(19, history=History.JOINED)
    after, invited = make_video(20, history=History.JOINED), make_video(21, history=History.INVITED)
    moved = make_video(22, history=History.JOINED, sent_in=RoomId("!before:example.org"))
    gone = make_video(23, sender=UserId("@gone:example.org"))
    assert for_all([shared, before, after, invited, moved, gone], members) == [shared, after, invited]
    assert for_all([shared], []) == []


def test_a_reel_of_both_kinds() -> None:
    plain, encrypted = make_video(1), make_video(2, stage="2-ready", encrypted=True)
    reel = build_reel([plain, encrypted])
    playlist = reel.playlists["480.m3u8"]
    folder = f"../../../v/{encrypted.id}/2-ready/"
    repeats = playlist.count("#EXT-X-KEY:METHOD=NONE\n")
    assert repeats == playlist.count(f"v/{plain.id}/1-ready/480/init.mp4") > 1
    assert playlist.count(f'#EXT-X-KEY:METHOD=AES-128,URI="{folder}key",IV=0x') == 4 * repeats
    assert "EXT-X-KEY" not in build_reel([plain]).playlists["480.m3u8"]


def test_a_live_reel_keeps_its_keys() -> None:
    live = make_video(2, state=State.PLAYABLE, available=1, stage="2-playable", encrypted=True)
    before = build_reel([make_video(1), live]).playlists["480.m3u8"]
    more = refreshed([make_video(1), live], replace(live, media=replace(live.media, available=2)))
    ready = refreshed([make_video(1), live], make_video(2, stage="2-ready"))
    assert more is not None
    assert ready is not None
    assert more.playlists["480.m3u8"].startswith(before)
    assert ready.playlists["480.m3u8"].startswith(more.playlists["480.m3u8"])
    assert "2-playable/key" in ready.playlists["480.m3u8"]


def test_a_video_by_itself_names_its_key() -> None:
    assert 'URI="key"' in video_playlists(make_video(encrypted=True))["480.m3u8"]
    assert "EXT-X-KEY" not in video_playlists(make_video())["480.m3u8"]
