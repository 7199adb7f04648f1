import json
from dataclasses import replace
from typing import Any

import pytest

from transcode.copy_policy import StreamCopy, stream_copy_of
from transcode.limits import Limits
from transcode.mp4.moov import StoredTrack
from transcode.plan import plan
from transcode.source import ffprobe
from transcode.source.probe import probe_of

VIDEO: dict[str, Any] = {
    "index": 0,
    "codec_type": "video",
    "codec_name": "h264",
    "codec_tag_string": "avc1",
    "profile": "High",
    "level": 40,
    "nal_length_size": "4",
    "pix_fmt": "yuv420p",
    "field_order": "progressive",
    "sample_aspect_ratio": "1:1",
    "width": 1280,
    "height": 720,
    "avg_frame_rate": "30/1",
    "r_frame_rate": "30/1",
    "start_time": "0.000000",
    "duration": "10.0",
}
AUDIO: dict[str, Any] = {
    "index": 1,
    "codec_type": "audio",
    "codec_name": "aac",
    "profile": "LC",
    "sample_rate": "48000",
    "channels": 2,
    "channel_layout": "stereo",
    "start_time": "0.000000",
    "duration": "10.01",
}
VIDEO_TRACK = StoredTrack("vide", 90_000, 1, ((300, 3000),), True, 6000)
AUDIO_TRACK = StoredTrack("soun", 48_000, 1, ((469, 1024), (1, 896)), True, 1024)


def decided(
    video: dict[str, Any] | None = None,
    audio: dict[str, Any] | None = None,
    video_track: StoredTrack = VIDEO_TRACK,
    audio_track: StoredTrack = AUDIO_TRACK,
    size: int = 5_000_000,
) -> StreamCopy | None:
    streams = [{**VIDEO, **(video or {})}, {**AUDIO, **(audio or {})}]
    printed = json.dumps({"streams": streams, "format": {"start_time": "0", "size": str(size)}})
    description = ffprobe.parse(printed)
    probe = probe_of(description)
    return stream_copy_of(description, (video_track, audio_track), probe, plan(probe, Limits()))


def test_a_phone_clip_is_copied_with_its_audio() -> None:
    made = decided()
    assert made is not None
    assert (made.rung.name, made.rung.width, made.rung.height) == ("720", 1280, 720)
    assert (made.start, made.duration, made.audio_offset, made.copies_audio) == (0, 10, 0, True)


@pytest.mark.parametrize(
    "video",
    [
        {"profile": "Constrained Baseline"},
        {"profile": "Main", "level": 52},
        {"pix_fmt": "yuvj420p"},
        {"sample_aspect_ratio": None},
        {"width": 720, "height": 1280},
        {"duration": "N/A", "avg_frame_rate": "60/1", "r_frame_rate": "60/1"},
    ],
)
def test_what_browsers_play(video: dict[str, Any]) -> None:
    # Without a stated duration, that of the audio stands in until the packets are read.
    assert decided(video) is not None


@pytest.mark.parametrize(
    "video",
    [
        {"codec_name": "hevc"},
        {"codec_tag_string": "avc3"},
        {"nal_length_size": "2"},
        {"profile": "High 10"},
        {"profile": "Extended"},
        {"level": 60},
        {"level": -99},
        {"pix_fmt": "yuv422p"},
        {"field_order": "tt"},
        {"field_order": None},
        {"sample_aspect_ratio": "4:3"},
        {"side_data_list": [{"side_data_type": "Display Matrix", "rotation": -90}]},
        {"side_data_list": [{"side_data_type": "Display Matrix", "rotation": 180}]},
        {"side_data_list": [{"side_data_type": "Frame Cropping"}]},
        {"width": 3840, "height": 2160},
        {"avg_frame_rate": "120/1", "r_frame_rate": "120/1"},
        {"avg_frame_rate": "0/0"},
        {"start_time": "0.3"},
        {"start_time": "x", "duration": "9"},
    ],
)
def test_what_is_not_sure(video: dict[str, Any]) -> None:
    assert decided(video) is None


def test_a_late_first_frame_starts_the_copy() -> None:
    made = decided({"start_time": "0.1"})
    assert made is not None
    assert (made.start, made.duration, made.audio_offset, made.copies_audio) == (0.1, 10, -0.1, False)


def test_audio_that_begins_later() -> None:
    made = decided(audio={"start_time": "0.04"})
    assert made is not None
    assert (made.start, made.audio_offset, made.copies_audio) == (0, 0.04, False)


@pytest.mark.parametrize(
    "video_track",
    [replace(VIDEO_TRACK, plain=False), replace(VIDEO_TRACK, descriptions=2), replace(VIDEO_TRACK, kind="soun")],
)
def test_cuts_and_changes_are_encoded(video_track: StoredTrack) -> None:
    assert decided(video_track=video_track) is None


def test_more_than_a_line_carries_is_encoded() -> None:
    assert decided(size=40_000_000) is None


def test_audio_that_goes_on_is_encoded() -> None:
    assert decided(audio={"duration": "11"}) is None


@pytest.mark.parametrize(
    "audio",
    [
        {"codec_name": "mp3"},
        {"profile": "HE-AAC"},
        {"sample_rate": "44100"},
        {"channels": 1, "channel_layout": "mono"},
        {"start_time": "0.02"},
        {"duration": "9.9"},
    ],
)
def test_other_audio_is_encoded_alone(audio: dict[str, Any]) -> None:
    made = decided(audio=audio)
    assert made is not None
    assert not made.copies_audio


@pytest.mark.parametrize(
    "audio_track",
    [
        replace(AUDIO_TRACK, media_time=2112),
        replace(AUDIO_TRACK, timescale=44_100),
        replace(AUDIO_TRACK, plain=False),
        replace(AUDIO_TRACK, descriptions=2),
        replace(AUDIO_TRACK, durations=()),
        replace(AUDIO_TRACK, durations=((5, 1023), (1, 1024))),
        replace(AUDIO_TRACK, durations=((5, 1024), (2, 1000))),
        replace(AUDIO_TRACK, durations=((5, 1024), (1, 1023), (5, 1024))),
        replace(AUDIO_TRACK, kind="vide"),
    ],
)
def test_uneven_audio_is_encoded_alone(audio_track: StoredTrack) -> None:
    made = decided(audio_track=audio_track)
    assert made is not None
    assert not made.copies_audio


def test_tracks_that_ffprobe_counts_otherwise_are_not_trusted() -> None:
    assert decided({"index": 7}) is None
    made = decided(audio={"index": 7})
    assert made is not None
    assert not made.copies_audio
