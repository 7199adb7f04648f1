import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.errors import BrokenFile, NoDecoder, NotAVideo, TranscodeError
from transcode.source.audio_loss import AudioLoss
from transcode.source.clock_jumps import Jumps
from transcode.source.ffprobe import parse
from transcode.source.packet_times import PacketTimes
from transcode.source.probe import Probe, probe_of

VIDEO: dict[str, Any] = {
    "index": 0,
    "codec_type": "video",
    "codec_name": "h264",
    "pix_fmt": "yuv420p",
    "width": 1920,
    "height": 1080,
    "avg_frame_rate": "30000/1001",
    "r_frame_rate": "30/1",
    "start_time": "0.000000",
    "duration": "10.5",
}
AUDIO: dict[str, Any] = {
    "index": 1,
    "codec_type": "audio",
    "codec_name": "aac",
    "sample_rate": "44100",
    "channels": 1,
    "start_time": "0",
    "duration": "10.52",
}


def probed(*streams: dict[str, Any], start: str = "0.000000") -> Probe:
    return probe_of(parse(json.dumps({"streams": streams, "format": {"start_time": start}})))


def test_an_ordinary_clip() -> None:
    probe = probed(VIDEO, AUDIO)
    assert (probe.duration, probe.video.width, probe.video.height) == (10.5, 1920, 1080)
    assert probe.video.frame_rate == pytest.approx(29.97, abs=0.001)
    assert (probe.video.base_rate, probe.video.codec, probe.has_audio) == (30.0, "h264", True)
    assert (probe.video.index, probe.audio.index, probe.video.interlaced) == (0, 1, False)


@pytest.mark.parametrize("angle", [90, -90, "270", 450])
def test_rotation_swaps_the_sides(angle: object) -> None:
    probe = probed({**VIDEO, "side_data_list": [{}, {"rotation": angle}]})
    assert (probe.video.width, probe.video.height, probe.video.coded_width) == (1080, 1920, 1920)


@pytest.mark.parametrize("angle", [0, 180, "nan", "x"])
def test_other_rotations_do_not(angle: object) -> None:
    assert probed({**VIDEO, "side_data_list": [{"rotation": angle}]}).video.width == 1920


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        ("16:11", (2793, 1080)),
        ("1:2", (1920, 2160)),
        ("0:1", (1920, 1080)),
        ("1:1000", (1920, 1080)),
        ("x", (1920, 1080)),
    ],
)
def test_pixel_aspect(aspect: str, size: tuple[int, int]) -> None:
    probe = probed({**VIDEO, "sample_aspect_ratio": aspect})
    assert (probe.video.width, probe.video.height) == size


def test_the_end_counts_from_the_first_instant() -> None:
    probe = probed({**VIDEO, "start_time": "101.0"}, {**AUDIO, "start_time": "100.5", "duration": "1"})
    assert probe.start == 100.5
    assert probe.duration == pytest.approx(11.0)


def test_the_first_instant_is_that_of_what_is_played() -> None:
    late, commentary = {**VIDEO, "start_time": "12"}, {**AUDIO, "index": 2, "disposition": {"default": 0}}
    played = {**AUDIO, "start_time": "12.5", "disposition": {"default": 1}}
    assert probed(late, played, commentary, start="0").start == 12
    assert probed({**late, "start_time": "-0.2"}, played, start="-0.2").start == -0.2
    # Where the streams do not say, the container may.
    assert probed({**late, "start_time": "N/A"}, {**AUDIO, "start_time": "N/A"}, start="7").start == 7


def test_without_edit_lists_both_begin_together() -> None:
    delayed = parse(json.dumps({"streams": [{**VIDEO, "start_time": "0.0667"}, AUDIO]}))
    assert (probe_of(delayed).video.delay, probe_of(delayed).duration) == (0, 10.5667)
    probe = probe_of(delayed, aligned=True)
    assert (probe.start, probe.video.delay) == (0, 0.0667)
    assert probe.duration == pytest.approx(10.5)


def test_audio_that_goes_on_makes_it_longer() -> None:
    assert probed(VIDEO, {**AUDIO, "duration": "11.1"}).duration == 11.1
    assert probed(VIDEO, {**AUDIO, "duration": "3"}).duration == 10.5
    assert probed({**VIDEO, "duration": "N/A"}).duration == 0


def test_covers_are_no_video_and_codecs_that_are_not_opened_are_reported() -> None:
    cover = {**VIDEO, "disposition": {"attached_pic": 1}}
    with pytest.raises(NotAVideo, match="the file holds"):
        probed(cover, AUDIO)
    for stream in ({**VIDEO, "codec_name": "gif"}, {"codec_type": "video"}):
        with pytest.raises(NoDecoder, match="the file holds"):
            probed(stream, cover, AUDIO)
    with pytest.raises(NotAVideo, match="nothing"):
        probed()


def test_the_default_stream_is_chosen_then_the_largest() -> None:
    small = {**VIDEO, "index": 3, "width": 320, "height": 240}
    assert probed(small, VIDEO).video.index == 0
    assert probed({**small, "disposition": {"default": 1}}, VIDEO).video.index == 3
    spatial = {"index": 2, "codec_type": "audio", "channels": 4, "sample_rate": "48000"}
    assert probed(VIDEO, spatial, AUDIO).audio.index == 1
    assert probed(VIDEO, {**AUDIO, "sample_rate": "0"}).audio.index is None


def test_colours_are_assumed_only_where_nothing_is_said() -> None:
    assert probed(VIDEO).video.assumed_matrix == "bt709"
    assert probed({**VIDEO, "height": 480, "color_space": "unknown"}).video.assumed_matrix == "smpte170m"
    assert probed({**VIDEO, "color_space": "bt2020nc"}).video.assumed_matrix is None
    assert probed({**VIDEO, "pix_fmt": "gbrp"}).video.assumed_matrix is None
    assert probed({**VIDEO, "field_order": "tt"}).video.interlaced


def test_no_size_and_no_json() -> None:
    with pytest.raises(BrokenFile, match="no size"):
        probed({**VIDEO, "width": 0})
    with pytest.raises(BrokenFile, match="not as expected"):
        parse(b"{")
    for shape in (b"[]", b'{"streams": {}}', b'{"streams": [1]}'):
        with pytest.raises(BrokenFile, match="not as expected"):
            parse(shape)


JUNK = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=5), st.just("1/0"), st.just("inf"))


@given(st.dictionaries(st.sampled_from(sorted({*VIDEO} - {"codec_type", "codec_name"})), JUNK), JUNK)
def test_absurd_figures_never_crash(junk: dict[str, Any], start: object) -> None:
    try:
        probe = probe_of(parse(json.dumps({"streams": [{**VIDEO, **junk}], "format": {"start_time": start}})))
    except TranscodeError:
        return
    assert probe.duration >= 0
    assert probe.video.width > 0


def test_packets_give_the_true_duration() -> None:
    times = PacketTimes()
    lines = (
        b"video,0,0.000,0.000,0.04,K__\naudio,1,0.0,0.0,0.02,K__\nvideo,0,0.120,0.040,0.04,___\n"
        b"video,0,N/A,0.080,N/A,___\nvideo,0,-3,-3,0.04,KD_\n"
        b"data,7,99,99,1,K__\naudio,1,5.0,5.0,0.02,K__\njunk\naudio,1,N/A,N/A,1,K__\n"
    )
    for cut in range(0, len(lines), 7):
        times.feed(lines[cut : cut + 7])
    probe = times.applied_to(probed({**VIDEO, "duration": "3600"}, AUDIO))
    assert probe.video.frame_rate == pytest.approx(2 / 0.12)
    assert probe.duration == pytest.approx(5.02)


def test_one_packet_without_duration_lasts_a_frame() -> None:
    times = PacketTimes()
    times.feed(b"video,0,1.0,1.0,N/A,K__\n")
    assert times.applied_to(probed({**VIDEO, "start_time": "1.0"})).duration == pytest.approx(1001 / 30000)
    times = PacketTimes()
    times.feed(b"video,0,0,0,N/A,K__\n")
    assert times.applied_to(probed({**VIDEO, "avg_frame_rate": "0/0"})).duration == 0


def test_all_may_lie_below_zero() -> None:
    # As in a transport stream that ends just before its clock wraps.
    early = {**VIDEO, "start_time": "-42.3", "duration": "N/A"}
    assert probed(early, {**AUDIO, "start_time": "-42.3", "duration": "N/A"}).duration == 0
    times = PacketTimes()
    times.feed(b"video,0,-42.3,-42.3,0.1,K__\nvideo,0,-42.2,-42.2,0.1,___\naudio,1,-42.3,-42.3,0.1,K__\n")
    for streams in ([early], [early, {**AUDIO, "start_time": "-42.3"}]):
        assert times.applied_to(probed(*streams)).duration == pytest.approx(0.2)


def test_no_packets() -> None:
    with pytest.raises(BrokenFile, match="no video frames"):
        PacketTimes().applied_to(probed(VIDEO))


def _lines(kind: str, index: int, start: float, count: int, length: float) -> bytes:
    times = (start + number * length for number in range(count))
    return "".join(f"{kind},{index},{time:.3f},{time:.3f},{length},K__\n" for time in times).encode()


@pytest.mark.parametrize("second", [0.5, 3600.0, 50.0])
def test_a_clock_that_jumps_goes_on(second: float) -> None:
    # Ten seconds of one recording, then ten of another that counts from elsewhere.
    times = PacketTimes(Jumps())
    for start in (100.0, second):
        for part in range(10):
            times.feed(_lines("video", 0, start + part, 25, 0.04) + _lines("audio", 1, start + part, 50, 0.02))
        times.feed(_lines("data", 2, 7.0, 1, 0.0))
    probe = times.applied_to(probed({**VIDEO, "start_time": "100"}, {**AUDIO, "start_time": "100"}))
    assert probe.duration == pytest.approx(20, abs=0.1)
    assert probe.video.frame_rate == pytest.approx(25, rel=0.01)


def test_a_track_with_pauses_is_no_jump() -> None:
    jumps = Jumps()
    assert [jumps.correction(0, number * 4.0, 0.04) for number in range(20)] == [0.0] * 20
    assert jumps.correction(1, None, 0.0) == 0.0
    assert jumps.correction(0, 75.95, 0.04) == 0.0
    assert jumps.correction(0, 200.0, 0.04) == pytest.approx(75.99 - 200)


def test_a_rate_that_no_frames_have_is_none() -> None:
    times = [number / 30 for number in range(60)]
    assert replace(probed(VIDEO).video, base_rate=60.0).with_times(times).base_rate == pytest.approx(30)
    # Three of four are there, in whole milliseconds.
    some = [round(number / 60, 3) for number in range(240) if number % 4]
    assert replace(probed(VIDEO).video, base_rate=60.0).with_times(some).base_rate == 60.0


@pytest.mark.parametrize(
    ("streams", "encrypted", "loss"),
    [
        ([], (), None),
        ([AUDIO], (), None),
        ([{**AUDIO, "codec_name": "ac4"}], (), AudioLoss.NO_DECODER),
        ([{"index": 1, "codec_type": "audio"}], (), AudioLoss.NO_DECODER),
        ([{**AUDIO, "channels": 0}], (), AudioLoss.DAMAGED),
        ([{**AUDIO, "sample_rate": "0"}], (), AudioLoss.DAMAGED),
        ([{**AUDIO, "channels": 65}], (), AudioLoss.TOO_MANY_CHANNELS),
        ([{**AUDIO, "channels": 64}], (), None),
        ([AUDIO], (1,), AudioLoss.ENCRYPTED),
        ([AUDIO, {**AUDIO, "index": 2}], (1,), AudioLoss.SOME_TRACKS),
        # What else a phone writes of the same audio is not missed.
        ([AUDIO, {**AUDIO, "index": 2, "codec_name": "apac"}], (), None),
        ([{**AUDIO, "codec_name": "apac"}, {**AUDIO, "index": 2, "disposition": {"default": 1}}], (), None),
        ([{**AUDIO, "codec_name": "ac4"}, {**AUDIO, "index": 2}], (), AudioLoss.SOME_TRACKS),
    ],
)
def test_audio_that_cannot_be_taken(
    streams: list[dict[str, Any]], encrypted: tuple[int, ...], loss: AudioLoss | None
) -> None:
    probe = probe_of(parse(json.dumps({"streams": [VIDEO, *streams]})), encrypted=encrypted)
    assert probe.audio.left_out is loss
    assert probe.has_audio == (bool(streams) and loss in {None, AudioLoss.SOME_TRACKS})


def test_a_video_without_its_audio_is_as_long() -> None:
    probe = probed(VIDEO, AUDIO).without_audio(AudioLoss.DAMAGED)
    assert (probe.audio.indexes, probe.audio.left_out, probe.duration) == ((), AudioLoss.DAMAGED, 10.5)
