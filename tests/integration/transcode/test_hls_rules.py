"""The rules that HLS's standards set, by name, on copied and encoded ladders: playlists, and each segment alone.

RFC: RFC 8216, with its section. Apple: the wording of the HLS Authoring Specification for Apple Devices. MSE: the byte
stream format for ISO BMFF, with its section. Ours: what gapless lists need beyond them.
"""

import math
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import m3u8
import pytest

from tests.support.video.ladders import SOURCES, Ladder, RenditionFiles
from transcode import media_playlist
from transcode.mp4.boxes import boxes

CLOCK, AUDIO_RATE, AAC_FRAME = 90_000, 48_000, 1024
# Seconds by which a segment's audio may start or end beside its video: a muxer cuts by decode times.
_APART = 0.15
Rule = Callable[[Ladder], None]
RULES: dict[str, Rule] = {}


def rule(name: str) -> Callable[[Rule], Rule]:
    def keep(check: Rule) -> Rule:
        RULES[name] = check
        return check

    return keep


def each(check: Callable[[RenditionFiles], None]) -> Rule:
    def check_all(ladder: Ladder) -> None:
        for files in ladder.files:
            check(files)

    return check_all


@rule("RFC 4.1 the first line is EXTM3U, the text is UTF-8 without a byte order mark")
def _(ladder: Ladder) -> None:
    for text in (ladder.master_text, *(files.text for files in ladder.files)):
        assert text.encode("ascii").startswith(b"#EXTM3U\n")
        assert not any(ord(character) < 32 for character in text.replace("\n", ""))


@rule("RFC 7 EXT-X-VERSION is once there, and at least 6 for EXT-X-MAP without I-frames-only")
def _(ladder: Ladder) -> None:
    for text in (ladder.master_text, *(files.text for files in ladder.files)):
        (version,) = re.findall(r"^#EXT-X-VERSION:(\d+)$", text, re.MULTILINE)
        assert int(version) >= 6


@rule("RFC 4.3.3.1 EXT-X-TARGETDURATION is at least every EXTINF, rounded")
@each
def _(files: RenditionFiles) -> None:
    assert all(round(segment.duration) <= files.playlist.target_duration for segment in files.playlist.segments)


@rule("Apple: media segments MUST NOT exceed the target duration by more than 0.5 seconds")
@each
def _(files: RenditionFiles) -> None:
    for packets in files.of("video"):
        assert sum(packet.length for packet in packets) / CLOCK <= files.playlist.target_duration + 0.5


@rule("RFC 4.3.2.1 EXTINF is the duration of the segment")
@each
def _(files: RenditionFiles) -> None:
    starts = [min(packet.shown for packet in packets) for packets in files.of("video")]
    last = files.of("video")[-1]
    ends = [*starts[1:], max(packet.shown + packet.length for packet in last)]
    stated = [segment.duration for segment in files.playlist.segments]
    assert [(end - start) / CLOCK for start, end in zip(starts, ends, strict=True)] == pytest.approx(stated, abs=1e-4)


@rule("RFC 4.3.2.5 EXT-X-MAP names one init segment for all segments of the rendition")
@each
def _(files: RenditionFiles) -> None:
    assert len(files.playlist.segment_map) == 1
    assert {segment.init_section.uri for segment in files.playlist.segments} == {files.playlist.segment_map[0].uri}
    assert files.init.is_file()
    assert all(segment.is_file() for segment in files.segments)


@rule("RFC 4.3.3.2 EXT-X-MEDIA-SEQUENCE counts from the same number in every rendition")
def _(ladder: Ladder) -> None:
    assert {files.playlist.media_sequence for files in ladder.files} == {0}


@rule("RFC 4.3.3.5 EXT-X-PLAYLIST-TYPE is VOD, and RFC 4.3.3.4 EXT-X-ENDLIST ends it")
@each
def _(files: RenditionFiles) -> None:
    assert files.playlist.playlist_type == "vod"
    assert files.text.endswith("\n#EXT-X-ENDLIST\n")


@rule("RFC 4.3.5.1 EXT-X-INDEPENDENT-SEGMENTS in the master playlist and in each media playlist")
def _(ladder: Ladder) -> None:
    assert "\n#EXT-X-INDEPENDENT-SEGMENTS\n" in ladder.master_text
    assert all(files.playlist.is_independent_segments for files in ladder.files)


@rule("RFC 4.3.5.1 each segment starts with a key frame (an IDR)")
@each
def _(files: RenditionFiles) -> None:
    for segment, packets in zip(files.segments, files.of("video"), strict=True):
        assert packets[0].is_key
        assert packets[0].shown == min(packet.shown for packet in packets)
        assert _first_slice(files, segment) == 5


@rule("Apple: key frames (IDRs) SHOULD be present every two seconds")
@each
def _(files: RenditionFiles) -> None:
    # A copy keeps its sender's; every other rung follows it.
    assert max(segment.duration for segment in files.playlist.segments) <= 3.5


@rule("RFC 6.2.4 the segments of all renditions are the same in number and duration")
def _(ladder: Ladder) -> None:
    assert len({tuple(segment.duration for segment in files.playlist.segments) for files in ladder.files}) == 1


@rule("RFC 6.2.4 matching content has matching time stamps in all renditions")
def _(ladder: Ladder) -> None:
    for kind in ("video", "audio"):
        starts = [[min(packet.shown for packet in packets) for packets in files.of(kind)] for files in ladder.files]
        assert all(start == pytest.approx(starts[0], abs=2) for start in starts)


@rule("RFC 6.2.4 discontinuities are at the same places in all renditions")
def _(ladder: Ladder) -> None:
    assert {files.text.count("EXT-X-DISCONTINUITY") for files in ladder.files} == {0}


@rule("RFC 4.3.4.2 CODECS names every codec, as the init segment declares it (RFC 6381)")
def _(ladder: Ladder) -> None:
    for info, files in ladder.variants():
        init = files.init.read_bytes()
        avcc = init.index(b"avcC") + 4
        esds = init.index(b"esds")
        config = init.index(b"\x05\x80\x80\x80", esds) + 5
        assert info.codecs == f"avc1.{init[avcc + 1 : avcc + 4].hex()},mp4a.40.{init[config] >> 3}"


@rule("RFC 4.3.4.2 the codec parameters hold for the samples: no other profile or level inside")
def _(ladder: Ladder) -> None:
    profiles = {"Constrained Baseline": "42", "Baseline": "42", "Main": "4d", "High": "64"}
    for info, files in ladder.variants():
        video = files.streams[0]
        assert info.codecs[5:7] == profiles[video["profile"]]
        assert info.codecs[9:11] == f"{video['level']:02x}"


@rule("Apple: all video MUST be H.264, at most High Profile, Level 5.2; High SHOULD be preferred")
@each
def _(files: RenditionFiles) -> None:
    video = files.streams[0]
    assert (video["codec_name"], video["profile"], video["pix_fmt"]) == ("h264", "High", "yuv420p")
    assert video["level"] <= 52


@rule("RFC 4.3.4.2 RESOLUTION is that of the frames, which have square pixels and no rotation")
def _(ladder: Ladder) -> None:
    for info, files in ladder.variants():
        video = files.streams[0]
        assert info.resolution == (video["width"], video["height"])
        assert video["sample_aspect_ratio"] in {"1:1", "0:1"}
        assert "side_data_list" not in video


@rule("RFC 4.3.4.2 FRAME-RATE is the video's, rounded to three decimals; Apple: at most 60")
def _(ladder: Ladder) -> None:
    for info, files in ladder.variants():
        lengths = [packet.length for packets in files.of("video") for packet in packets]
        assert info.frame_rate == pytest.approx(len(lengths) * CLOCK / sum(lengths), abs=0.002)
        assert info.frame_rate <= 60


@rule("RFC 4.3.4.2 BANDWIDTH is an upper bound of what any run of segments takes")
def _(ladder: Ladder) -> None:
    for info, files in ladder.variants():
        assert info.bandwidth >= _peak(files) - 1


@rule("Apple: for VOD the measured peak bit rate MUST be within 10 % of BANDWIDTH")
def _(ladder: Ladder) -> None:
    for info, files in ladder.variants():
        assert info.bandwidth == pytest.approx(_peak(files), rel=0.1)


@rule("Apple: for VOD the average segment bit rate MUST be within 10 % of AVERAGE-BANDWIDTH")
def _(ladder: Ladder) -> None:
    for info, files in ladder.variants():
        bits = sum(segment.stat().st_size * 8 for segment in files.segments)
        assert info.average_bandwidth == pytest.approx(bits / sum(s.duration for s in files.playlist.segments), rel=0.1)
        assert info.average_bandwidth <= info.bandwidth


@rule("RFC 4.3.4.2 variants are in the order of their bandwidths, each with its own address")
def _(ladder: Ladder) -> None:
    bits = [info.bandwidth for info, _ in ladder.variants()]
    assert bits == sorted(bits)
    assert len({variant.uri for variant in ladder.master.playlists}) == len(bits) == len(ladder.files)


@rule("RFC 3.3 an init segment has moov, no samples and mvex; a media segment starts with moof (and styp)")
@each
def _(files: RenditionFiles) -> None:
    assert _boxes(files.init.read_bytes())[:2] == ["ftyp", "moov"]
    assert b"mvex" in files.init.read_bytes()
    for segment in files.segments:
        kinds = _boxes(segment.read_bytes())
        assert {*kinds} <= {"styp", "sidx", "prft", "emsg", "moof", "mdat"}
        assert kinds.count("moof") == kinds.count("mdat") >= 1


@rule("RFC 3.3 every track fragment has a tfdt, and every segment all tracks")
@each
def _(files: RenditionFiles) -> None:
    for segment in files.segments:
        moofs = _moofs(segment.read_bytes())
        assert moofs.count(b"tfdt") == moofs.count(b"traf") >= 2


@rule("MSE 3 data offsets count from their moof: a segment means the same wherever it is appended")
@each
def _(files: RenditionFiles) -> None:
    for segment in files.segments:
        moofs = _moofs(segment.read_bytes())
        for found in re.finditer(b"tfhd", moofs):
            flags = int.from_bytes(moofs[found.end() + 1 : found.end() + 4])
            assert flags & 0x020000
            assert not flags & 0x000001


@rule("RFC 3 and MSE: each segment can be read alone, with its init segment, without a complaint")
@each
def _(files: RenditionFiles) -> None:
    assert all({packet.kind for packet in packets} == {"video", "audio"} for packets in files.alone)


@rule("RFC 6.2.1 time stamps go on from segment to segment without a gap, video and audio alike")
@each
def _(files: RenditionFiles) -> None:
    for kind in ("video", "audio"):
        parts = files.of(kind)
        for before, after in pairwise(parts):
            assert abs(after[0].decoded - (before[-1].decoded + before[-1].length)) <= (2 if kind == "video" else 0)
        decoded = [packet.decoded for part in parts for packet in part]
        assert decoded == sorted(set(decoded))


@rule("RFC 3 each segment holds the audio of its video")
@each
def _(files: RenditionFiles) -> None:
    for video, audio in zip(files.of("video"), files.of("audio"), strict=True):
        start = Fraction(min(packet.shown for packet in video), CLOCK)
        end = Fraction(max(packet.shown + packet.length for packet in video), CLOCK)
        heard = [Fraction(packet.shown, AUDIO_RATE) for packet in audio]
        assert abs(heard[0] - start) <= _APART
        assert abs(heard[-1] + Fraction(AAC_FRAME, AUDIO_RATE) - end) <= _APART


@rule("Apple: audio and video start together; Ours: both at 0, where both also end")
@each
def _(files: RenditionFiles) -> None:
    video = [packet for part in files.of("video") for packet in part]
    audio = [packet for part in files.of("audio") for packet in part]
    assert (min(packet.shown for packet in video), audio[0].shown) == (0, 0)
    end = max(packet.shown + packet.length for packet in video) / CLOCK
    assert abs((audio[-1].shown + audio[-1].length) / AUDIO_RATE - end) < AAC_FRAME / AUDIO_RATE


@rule("Ours: reordered frames need no edit list: the first is shown when it is decoded")
@each
def _(files: RenditionFiles) -> None:
    init = files.init.read_bytes()
    for found in re.finditer(b"elst", init):
        assert int.from_bytes(init[found.end() + 12 : found.end() + 16]) == 0
    assert files.of("video")[0][0].shown == files.of("video")[0][0].decoded == 0


@rule("Apple: audio MUST be the same in codec, channels and sample rate in all variants")
def _(ladder: Ladder) -> None:
    keys = ("codec_name", "profile", "sample_rate", "channels", "channel_layout", "time_base")
    found = {tuple(files.streams[1][key] for key in keys) for files in ladder.files}
    assert found == {("aac", "LC", "48000", 2, "stereo", "1/48000")}


@rule("Ours: one clock and one order of tracks in all renditions")
@each
def _(files: RenditionFiles) -> None:
    assert [(s["codec_type"], s["time_base"]) for s in files.streams] == [("video", "1/90000"), ("audio", "1/48000")]


@rule("Ours: the largest is as sharp as the source, none is sharper, and aspects agree")
def _(ladder: Ladder) -> None:
    sizes = [(files.rendition.width, files.rendition.height) for files in ladder.files]
    assert sizes[0] == (480, 360)
    assert sizes == sorted(sizes, reverse=True)
    assert all(width / height == pytest.approx(4 / 3, rel=0.01) for width, height in sizes)


def _first_slice(files: RenditionFiles, segment: Path) -> int:
    """The type of the first NAL unit that is a slice (ISO 14496-10, table 7-1)."""
    data = segment.read_bytes()
    start = data.index(b"mdat") + 4
    while True:
        length, kind = int.from_bytes(data[start : start + 4]), data[start + 4] & 0x1F
        if kind in range(1, 6):
            return kind
        start += 4 + length


def _boxes(data: bytes) -> list[str]:
    return [kind.decode("ascii") for kind, _ in boxes(data)]


def _moofs(segment: bytes) -> bytes:
    """All that a segment has but its media, whose bytes may spell the name of any box."""
    return b"".join(body for kind, body in boxes(segment) if kind == b"moof")


def _peak(files: RenditionFiles) -> float:
    """The highest rate of contiguous segments of half to one and a half target durations (RFC 8216, 4.1)."""
    target = files.playlist.target_duration
    sizes = [segment.stat().st_size * 8 for segment in files.segments]
    lengths = [segment.duration for segment in files.playlist.segments]
    rates = [0.0]
    for start in range(len(sizes)):
        for end in range(start + 1, len(sizes) + 1):
            length = math.fsum(lengths[start:end])
            if target / 2 <= length <= target * 1.5:
                rates.append(sum(sizes[start:end]) / length)
    return max(rates)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("source", [f"{source} {stage}" for source in SOURCES for stage in ("playable", "ready")])
def test_rule(name: str, source: str, ladders: dict[str, Ladder]) -> None:
    RULES[name](ladders[source])


def _event_playlists(ladder: Ladder) -> list[str]:
    """Return each state of the first rendition's playlist; a new poster alone does not change it."""
    texts = (media_playlist([("", state.renditions[0])], available=state.available) for state in ladder.states)
    return list(dict.fromkeys(texts))


IN_PROGRESS = ["encoded playable", "silent playable"]


@pytest.mark.parametrize("source", IN_PROGRESS)
def test_rule_rfc_4_3_3_5_an_event_playlist_is_only_appended_to(source: str, ladders: dict[str, Ladder]) -> None:
    states = _event_playlists(ladders[source])
    assert len(states) > 1
    assert all(after.startswith(before) for before, after in pairwise(states))
    assert [text.count("#EXTINF") for text in states] == sorted({text.count("#EXTINF") for text in states})


@pytest.mark.parametrize("source", IN_PROGRESS)
def test_rule_rfc_6_2_1_endlist_comes_once_and_stays(source: str, ladders: dict[str, Ladder]) -> None:
    *events, last = _event_playlists(ladders[source])
    assert all("#EXT-X-PLAYLIST-TYPE:EVENT\n" in text and "#EXT-X-ENDLIST" not in text for text in events)
    assert last.endswith("#EXT-X-ENDLIST\n")


@pytest.mark.parametrize("source", IN_PROGRESS)
def test_rule_rfc_4_3_3_1_the_target_duration_never_changes(source: str, ladders: dict[str, Ladder]) -> None:
    assert len({m3u8.loads(text).target_duration for text in _event_playlists(ladders[source])}) == 1


@pytest.mark.parametrize("source", IN_PROGRESS)
def test_rule_rfc_4_3_5_2_an_event_playlist_is_played_from_its_start(source: str, ladders: dict[str, Ladder]) -> None:
    *events, _ = _event_playlists(ladders[source])
    assert {m3u8.loads(text).start.time_offset for text in events} == {0}
