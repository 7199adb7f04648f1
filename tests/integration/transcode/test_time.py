"""First stage and ladder have the same timeline, whatever the time stamps of the file are."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.support.video.container_edits import with_edit_list
from tests.support.video.decoded_stages import assert_stages, pattern
from tests.support.video.output_checks import Clip, Transcoded
from transcode import Tools

AAC = "-c:a", "aac", "-b:a", "96k"
H264 = "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30", "-bf", "2", *AAC
HEVC = "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:bframes=2", "-g", "30", *AAC
OPUS = "-c:a", "libopus"
REALTIME = "-deadline", "realtime", "-cpu-used", "8", "-g", "60"
VP8, VP9 = ("-c:v", "libvpx", *REALTIME, *OPUS), ("-c:v", "libvpx-vp9", *REALTIME, *OPUS)
AV1 = "-c:v", "libsvtav1", "-preset", "13", "-svtav1-params", "lp=1", *OPUS

# Without an edit list, the delay of reordered frames would use up the tolerated A/V offset.
NO_DELAY = "-x265-params", "log-level=error:bframes=0"
FRAGMENTS = "-movflags", "frag_keyframe+empty_moov+default_base_moof"
LATER_AUDIO = "-af", "atrim=start=0.4"
LATER_VIDEO = "-vf", "trim=start=0.3"
# ffmpeg's own delay of 1.4 s comes on top; the clock of 33 bits wraps at 95,443.7 s.
WRAPPING = "-output_ts_offset", "95440.3"


def late(seconds: float) -> tuple[str, ...]:
    return "-output_ts_offset", str(seconds)


@dataclass(frozen=True)
class Case:
    """A file of four seconds with unusual time stamps."""

    name: str
    codecs: Sequence[str]
    how: Sequence[str] = ()

    def __str__(self) -> str:
        return self.name


CASES = [
    Case("plain.mp4", H264),
    Case("plain.webm", VP9),
    Case("late.webm", VP9, late(10)),
    Case("late-vp8.webm", VP8, late(7.25)),
    Case("late-av1.webm", AV1, late(3)),
    Case("late-hevc.mkv", HEVC, late(86400)),
    Case("late-h264.mkv", H264, late(10)),
    Case("before-zero-hevc.mkv", HEVC, (*late(-0.2), "-avoid_negative_ts", "disabled")),
    Case("before-zero-h264.mkv", H264, (*late(-0.2), "-avoid_negative_ts", "disabled")),
    Case("empty-edits-hevc.mp4", HEVC, late(3)),
    Case("empty-edits-h264.mp4", H264, late(3)),
    Case("empty-edits-vp9.mp4", VP9, late(3)),
    Case("empty-edits-av1.mp4", AV1, late(0.5)),
    Case("empty-edit-of-audio-hevc.mp4", HEVC, LATER_AUDIO),
    Case("empty-edit-of-audio-h264.mp4", H264, LATER_AUDIO),
    Case("empty-edit-of-video-hevc.mp4", HEVC, LATER_VIDEO),
    Case("empty-edit-of-video-h264.mp4", H264, LATER_VIDEO),
    Case("both-late-audio-later-hevc.mp4", HEVC, (*late(2), *LATER_AUDIO)),
    Case("both-late-video-later-vp9.webm", VP9, (*late(2), *LATER_VIDEO)),
    Case("later-audio-vp9.webm", VP9, LATER_AUDIO),
    Case("no-edits-hevc.mp4", HEVC, ("-use_editlist", "0", *NO_DELAY)),
    Case("no-edits-h264.mp4", H264, ("-use_editlist", "0")),
    Case("late-fragments-hevc.mp4", HEVC, (*FRAGMENTS, *late(10), *NO_DELAY)),
    Case("late-fragments-h264.mp4", H264, (*FRAGMENTS, *late(10))),
    Case("late-fragments-vp9.mp4", VP9, (*FRAGMENTS, *late(10))),
    Case("late-h264.ts", H264, late(50_000)),
    Case("late-hevc.ts", HEVC, late(50_000)),
    Case("later-audio-hevc.ts", HEVC, LATER_AUDIO),
    Case("later-video-hevc.ts", HEVC, LATER_VIDEO),
    Case("wrapping-h264.ts", H264, WRAPPING),
    Case("wrapping-hevc.ts", HEVC, WRAPPING),
    Case("before-wrapping-h264.ts", H264, late(95_400)),
    Case("before-wrapping-without-audio.ts", (*H264, "-an"), late(95_400)),
    Case("late-h264.flv", H264, (*late(10), "-ar", "44100")),
    Case("late-hevc.flv", HEVC, (*late(10), "-ar", "44100")),
    Case("late-vp8.ogv", VP8, late(5)),
    Case("reordered-h264.avi", (*H264, "-c:a", "pcm_s16le")),
    Case("reordered-mpeg4.avi", ("-c:v", "mpeg4", "-q:v", "5", "-bf", "2", "-c:a", "pcm_s16le")),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_both_stages_have_the_same_timeline(case: Case, clip: Clip, tools: Tools, transcoded: Transcoded) -> None:
    source = clip(case.name, *pattern(4), *case.codecs, *case.how)
    assert_stages(
        tools, await transcoded(source), duration=4, aspect=16 / 9, frame_rate=30, flashes=[1, 3],
        audible="-an" not in case.codecs,
    )  # fmt: skip


@pytest.mark.parametrize("offsets", [(0, 0), (0, 3600), (3600, 0)], ids=["again", "onward", "back"])
async def test_recordings_joined_byte_by_byte_play_one_after_the_other(
    offsets: tuple[float, float], clip: Clip, tools: Tools, transcoded: Transcoded
) -> None:
    parts = [clip(f"{n}.ts", *pattern(2), *H264, "-bf", "0", *late(at)) for n, at in enumerate(offsets)]
    source = parts[0].with_name("joined.ts")
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert_stages(tools, await transcoded(source), duration=4, frame_rate=30, flashes=[1, 3])


@pytest.mark.parametrize(
    ("edits", "duration", "flashes"),
    [([(2, 0, 1), (1, -1, 1), (2, 2, 1)], 5, [1, 4]), ([(4, 0, 1), (4, 0, 1)], 8, [1, 3, 5, 7])],
    ids=["pause", "again"],
)
async def test_an_edit_list_sets_the_duration(
    edits: list[tuple[float, float, float]],
    duration: float,
    flashes: list[float],
    clip: Clip,
    tools: Tools,
    transcoded: Transcoded,
) -> None:
    source = clip("edited.mp4", *pattern(4), *H264, "-bf", "0")
    source.write_bytes(with_edit_list(source.read_bytes(), *edits))
    assert_stages(tools, await transcoded(source), duration=duration, frame_rate=30, flashes=flashes)


@pytest.mark.parametrize("codecs", [VP9, H264], ids=["vp9", "h264"])
async def test_a_track_that_is_not_played_has_no_effect_on_time(
    codecs: Sequence[str], clip: Clip, tools: Tools, transcoded: Transcoded
) -> None:
    early = "-f", "lavfi", "-i", "sine=220:r=48000:d=1"
    streams = "-map", "0:v", "-map", "1:a", "-map", "2:a", "-disposition:a:0", "default", "-disposition:a:1", "0"
    offset = [part for at in pattern(4)[3::4] for part in ("-itsoffset", "10", "-f", "lavfi", "-i", at)]
    source = clip("commentary.mkv", *offset, *early, *streams, *codecs)
    assert_stages(tools, await transcoded(source), duration=4, frame_rate=30, flashes=[1, 3])
