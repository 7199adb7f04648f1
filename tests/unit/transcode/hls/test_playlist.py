import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.hls.bandwidths import bandwidths
from transcode.hls.playlist import Item, Rendition, has_segment, master_playlist, media_playlist, tiers

LARGE = Rendition("720", 1280, 720, 30.0, "avc1.64001f,mp4a.40.2", 3_000_000, 2_000_000, (2.0, 2.0, 0.5))
SMALL = replace(
    LARGE, name="240", width=426, height=240, codecs="avc1.640015,mp4a.40.2", bandwidth=5, average_bandwidth=4
)
PORTRAIT = Rendition("480", 480, 854, 29.97, "avc1.640020,mp4a.40.2", 900_000, 800_000, (2.002, 1.001))


def test_a_video_by_itself() -> None:
    assert media_playlist([("", PORTRAIT)]).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:3",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="480/init.mp4"',
        "#EXTINF:2.002000,",
        "480/0.m4s",
        "#EXTINF:1.001000,",
        "480/1.m4s",
        "#EXT-X-ENDLIST",
    ]


def test_a_list_has_a_discontinuity_and_an_init_segment_at_each_change() -> None:
    lines = media_playlist([("../v/a/", LARGE), ("../v/b/", PORTRAIT)], repeat=3).splitlines()
    assert lines.count("#EXT-X-DISCONTINUITY") == 5
    assert lines.count("#EXT-X-ENDLIST") == 1
    maps = [number for number, line in enumerate(lines) if line.startswith("#EXT-X-MAP")]
    assert [lines[number] for number in maps[:2]] == [
        '#EXT-X-MAP:URI="../v/a/720/init.mp4"',
        '#EXT-X-MAP:URI="../v/b/480/init.mp4"',
    ]
    assert all(lines[number - 1] == "#EXT-X-DISCONTINUITY" for number in maps[1:])
    assert [line for line in lines if line.endswith(".m4s")].count("../v/b/480/1.m4s") == 3


def test_an_event_playlist() -> None:
    def lines(available: int | None) -> list[str]:
        return media_playlist([("a/", PORTRAIT), ("b/", LARGE)], available=available).splitlines()

    header = lines(1)[:8]
    assert header[2:] == [
        "#EXT-X-TARGETDURATION:3",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-START:TIME-OFFSET=0",
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES",
    ]
    assert lines(1)[8:] == [*lines(2)[8:-2]]
    assert lines(2)[-2:] == ["#EXTINF:2.000000,", "b/720/1.m4s"]
    assert lines(3)[:8] == header, "its type must not change"
    assert lines(3)[:-3] == lines(2), "what was there stays when it is whole"
    assert lines(3)[8:] == lines(None)[6:]
    assert lines(3)[-1] == "#EXT-X-ENDLIST"
    assert "#EXT-X-ENDLIST" not in lines(2)
    ended = media_playlist([("", LARGE)], repeat=2, available=3)
    assert ended.startswith(media_playlist([("", LARGE)], available=2))
    with pytest.raises(ValueError, match="repeat"):
        media_playlist([("", LARGE)], repeat=2, available=1)


def test_a_request_for_a_segment_to_come_is_held() -> None:
    part = media_playlist([("a/", PORTRAIT), ("b/", LARGE)], available=1)
    count = len(PORTRAIT.durations) + 1
    assert [has_segment(part, number) for number in (0, count - 1, count, count + 9)] == [True, True, False, False]
    assert has_segment(media_playlist([("a/", PORTRAIT)]), 99), "nothing comes after the end"


def test_the_master_playlist_says_what_was_measured() -> None:
    assert master_playlist([("720/index.m3u8", LARGE)]).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-STREAM-INF:BANDWIDTH=3000000,AVERAGE-BANDWIDTH=2000000,RESOLUTION=1280x720,"
        'CODECS="avc1.64001f,mp4a.40.2",FRAME-RATE=30.000',
        "720/index.m3u8",
    ]


def test_tiers_of_unlike_items() -> None:
    found = tiers([Item("a/", (LARGE, SMALL)), Item("b/", (PORTRAIT,))])
    assert [tier.name for tier in found] == ["240", "480", "720"]
    assert [[rendition.name for _, rendition in tier.parts] for tier in found] == [
        ["240", "480"],
        ["240", "480"],
        ["720", "480"],
    ]
    best = found[-1]
    assert [prefix for prefix, _ in best.parts] == ["a/", "b/"]
    assert (best.width, best.height, best.frame_rate) == (1280, 720, 30.0)
    assert (best.bandwidth, best.codecs) == (3_000_000, "avc1.640020,mp4a.40.2")
    assert best.average_bandwidth == math.ceil((2_000_000 * 4.5 + 800_000 * 3.003) / 7.503)


def test_a_tier_is_announced_with_the_highest_profile_and_level() -> None:
    copy = replace(LARGE, codecs="avc1.42c033,mp4a.40.2")
    (tier,) = tiers([Item("a/", (LARGE,)), Item("b/", (copy,))])
    assert tier.codecs == "avc1.640033,mp4a.40.2"


@given(st.lists(st.sets(st.sampled_from(["240", "360", "480", "720", "1080"]), min_size=1), min_size=1, max_size=6))
def test_every_tier_has_every_item_and_never_falls_with_higher_tiers(ladders: list[set[str]]) -> None:
    def rendition(name: str) -> Rendition:
        return replace(LARGE, name=name, width=int(name) * 2, height=int(name), bandwidth=int(name))

    items = [Item(f"{index}/", tuple(map(rendition, sorted(names)))) for index, names in enumerate(ladders)]
    found = tiers(items)
    assert {tier.name for tier in found} == set().union(*ladders)
    for tier in found:
        assert [prefix for prefix, _ in tier.parts] == [item.prefix for item in items]
        for item, (_, part) in zip(items, tier.parts, strict=True):
            fitting = [r.short_side for r in item.renditions if r.short_side <= int(tier.name)]
            assert part.short_side == max(fitting, default=min(r.short_side for r in item.renditions))
    assert [tier.bandwidth for tier in found] == sorted(tier.bandwidth for tier in found)


def test_a_rendition_survives_json() -> None:
    assert Rendition.from_json(json.loads(json.dumps(LARGE.to_json()))) == LARGE


@pytest.mark.parametrize(
    "change",
    [
        {"name": 720},
        {"width": 1.5},
        {"height": True},
        {"frame_rate": "30"},
        {"frame_rate": False},
        {"durations": "2.0"},
        {"durations": [None]},
        {"other": 1},
    ],
)
def test_stored_nonsense_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="rendition"):
        Rendition.from_json({**LARGE.to_json(), **change})


def test_what_cannot_be_a_playlist() -> None:
    with pytest.raises(ValueError, match="at least one item"):
        media_playlist([])
    with pytest.raises(ValueError, match="repeat"):
        media_playlist([("", LARGE)], repeat=0)
    with pytest.raises(ValueError, match="at least one variant"):
        master_playlist([])
    with pytest.raises(ValueError, match="no renditions"):
        Item("a/", ())


@pytest.mark.parametrize("prefix", ["a", 'a"/', "a\n#EXT-X-ENDLIST/", "a b/", "a\x00/"])
def test_no_prefix_breaks_out_of_its_line(prefix: str) -> None:
    with pytest.raises(ValueError, match=r"prefix|URI"):
        Item(prefix, (LARGE,))
    with pytest.raises(ValueError, match=r"prefix|URI"):
        media_playlist([(prefix, LARGE)])


def test_a_short_last_segment_is_no_peak() -> None:
    assert bandwidths([2000, 1000, 500], [2.0, 2.0, 0.01]) == (8000, math.ceil(3500 * 8 / 4.01))
    assert bandwidths([1000], [0.033]) == (math.ceil(8000 / 0.033), math.ceil(8000 / 0.033))


def test_sizes_and_durations_belong_together() -> None:
    with pytest.raises(ValueError, match="do not describe"):
        bandwidths([1], [])


def _key(folder: str, iv: str) -> str:
    return f'#EXT-X-KEY:METHOD=AES-128,URI="{folder}key",IV=0x{iv}'


def test_an_encrypted_video_names_its_key_before_each_file() -> None:
    rung = "00000000000001e0"
    assert media_playlist([("", PORTRAIT)], encrypted=[""]).splitlines()[6:] == [
        _key("", f"{rung}0000000000000000"),
        '#EXT-X-MAP:URI="480/init.mp4"',
        _key("", f"{rung}0000000000000001"),
        "#EXTINF:2.002000,",
        "480/0.m4s",
        _key("", f"{rung}0000000000000002"),
        "#EXTINF:1.001000,",
        "480/1.m4s",
        "#EXT-X-ENDLIST",
    ]


def test_no_key_counts_for_another_item() -> None:
    items = [("a/", PORTRAIT), ("b/", LARGE), ("c/", PORTRAIT), ("d/", PORTRAIT)]
    playlist = media_playlist(items, repeat=2, encrypted={"b/", "d/"})
    key, met = "", []
    for line in playlist.splitlines():
        if line.startswith("#EXT-X-KEY"):
            key = line
        elif line.startswith("#EXT-X-MAP"):
            met.append((line.split('"')[1], key))
        elif line.endswith(".m4s"):
            met.append((line, key))
    for file, counted in met:
        folder, name = file[:2], file.rpartition("/")[2]
        if folder in {"a/", "c/"}:
            assert counted in {"", "#EXT-X-KEY:METHOD=NONE"}, file
        else:
            number = 0 if name == "init.mp4" else int(name.removesuffix(".m4s")) + 1
            assert counted.startswith(f'#EXT-X-KEY:METHOD=AES-128,URI="{folder}key",IV=0x'), file
            assert counted.endswith(f"{number:016x}"), file
    assert len(met) == 2 * (4 + 3 * len(PORTRAIT.durations) + len(LARGE.durations))


def test_an_encrypted_event_playlist_only_grows() -> None:
    def written(available: int) -> str:
        return media_playlist([("a/", PORTRAIT), ("b/", LARGE)], available=available, encrypted={"b/"})

    assert written(2).startswith(written(1))
    assert written(3).startswith(written(2))
    assert [has_segment(written(2), number) for number in (3, 4)] == [True, False]
