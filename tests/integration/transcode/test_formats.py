"""Transcode what people really send into renditions that play gaplessly."""

import math
import re
from array import array
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.video.output_checks import AssertCopied, AssertGapless, Clip, Transcoded, joined, output_of
from transcode import Settings, Tools

SINE = ["-f", "lavfi", "-i", "sine=440:r=48000:d=3.5"]
SURROUND = ["-f", "lavfi", "-i", "aevalsrc=0|0|0|0|0|0:c=5.1:d=1"]
FULL_RANGE = ["-vf", "scale=out_range=pc,format=yuvj420p", "-color_range", "pc"]
TRANSPARENT = ["-vf", "format=yuva420p", "-c:v", "libvpx", "-auto-alt-ref", "0", "-deadline", "realtime"]
QUICK = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]


def video(size: str, rate: str = "30", seconds: float = 2.5) -> list[str]:
    return ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={seconds}"]


_ENCODED = Settings(copy=False, every_rung=True)


@dataclass(frozen=True)
class Case:
    name: str
    arguments: list[str]
    width: int
    height: int
    duration: float
    rungs: str
    frame_rate: float = 30.0
    copied: bool = False


CASES = [
    Case("landscape.mp4", [*video("640x360"), *SINE, *QUICK, "-t", "2.5"], 640, 360, 2.5, "360 240", copied=True),
    Case("silent.mp4", [*video("426x240"), *QUICK], 426, 240, 2.5, "240", copied=True),
    Case(
        "b-frames-and-mono.mov",
        [
            *video("320x240"),
            "-f",
            "lavfi",
            "-i",
            "sine=300:r=44100:d=2.5",
            "-c:v",
            "libx264",
            "-bf",
            "3",
            "-ac",
            "1",
        ],
        320,
        240,
        2.5,
        "240",
        copied=True,
    ),
    Case("odd.mkv", [*video("401x301"), *SINE, "-c:v", "libx264", "-pix_fmt", "yuv444p"], 400, 300, 3.5, "360 240"),
    Case("wide-pixels.mp4", [*video("360x288", "25"), *QUICK, "-vf", "setsar=16/11"], 524, 288, 2.52, "360 240", 25.0),
    Case("hevc.mp4", [*video("320x240", "24"), "-c:v", "libx265", "-preset", "ultrafast"], 320, 240, 2.5, "240", 24.0),
    Case("120-fps.mp4", [*video("320x240", "120", 2), *QUICK], 320, 240, 2, "240", 60.0),
    Case("ntsc.ts", [*video("320x240", "30000/1001", 2.5), *SINE, *QUICK], 320, 240, 3.5, "240", 30000 / 1001),
    Case("one-frame.mp4", [*video("320x240", "30", 0.03), *QUICK], 320, 240, 1 / 30, "240", copied=True),
    Case("still-with-music.mp4", [*video("320x240", "1", 1), *SINE, *QUICK], 320, 240, 3.5, "240", 10.0),
    Case(
        "old.avi",
        [*video("320x240", "15"), *SINE, "-c:v", "mpeg4", "-c:a", "mp2", "-t", "2"],
        320,
        240,
        2,
        "240",
        15,
    ),
    Case(
        "fragmented.mp4",
        [*video("320x240"), *QUICK, "-movflags", "frag_keyframe+empty_moov"],
        320,
        240,
        2.5,
        "240",
        copied=True,
    ),
    Case(
        "late-audio.mp4",
        [*video("320x240"), "-itsoffset", "0.7", *SINE, *QUICK, "-t", "2.5"],
        320,
        240,
        2.5,
        "240",
        copied=True,
    ),
    Case("late-video.mkv", ["-itsoffset", "0.7", *video("320x240"), *SINE, *QUICK], 320, 240, 3.2, "240"),
    Case("surround.mkv", [*video("320x240", seconds=1), *SURROUND, *QUICK, "-c:a", "ac3"], 320, 240, 1, "240"),
    Case("full-range.mp4", [*video("320x240", seconds=1), *QUICK, *FULL_RANGE], 320, 240, 1, "240", copied=True),
    Case("transparent.webm", [*video("320x240", seconds=1), *TRANSPARENT], 320, 240, 1, "240"),
    Case("tiny.mp4", [*video("16x16"), *QUICK], 16, 16, 2.5, "240", copied=True),
    Case("panorama.mp4", [*video("1200x240", seconds=0.5), *QUICK], 720, 144, 0.5, "240"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_plays_as_sent(
    case: Case, clip: Clip, transcoded: Transcoded, assert_gapless: AssertGapless, assert_copied: AssertCopied
) -> None:
    source = clip(case.name, *case.arguments)
    outcome = await transcoded(source)
    ready = outcome.ready
    assert (ready.width, ready.height) == (case.width, case.height)
    assert ready.duration == pytest.approx(case.duration, abs=0.06)
    assert " ".join(rendition.name for rendition in ready.renditions) == case.rungs
    assert ready.renditions[0].frame_rate == pytest.approx(case.frame_rate)
    assert len(outcome.playable.renditions) == 1
    assert outcome.playable.duration == pytest.approx(ready.duration, abs=0.1 if case.copied else 0)
    if case.copied:
        assert_copied(source, outcome)
    else:
        assert_gapless(outcome.out / "playable", outcome.playable)
    assert_gapless(outcome.out / "ready", ready)


async def test_a_webm_recording_without_duration(
    clip: Clip, transcoded: Transcoded, assert_gapless: AssertGapless, tmp_path: Path, tools: Tools
) -> None:
    # Written to a pipe, as MediaRecorder does: no duration, no index, and a rate that varies.
    source = tmp_path / "recording.webm"
    irregular = "select='not(mod(n,7))+not(mod(n,3))',setpts=PTS"
    arguments = [*video("320x180", "30", 3), "-f", "lavfi", "-i", "sine=440:d=3", "-vf", irregular]
    codecs = ["-fps_mode", "vfr", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"]
    source.write_bytes(output_of(tools.ffmpeg, *arguments, *codecs, "-f", "webm", "pipe:1"))
    outcome = await transcoded(source)
    assert outcome.ready.duration == pytest.approx(3, abs=0.1)
    assert 10 <= outcome.ready.renditions[0].frame_rate <= 30
    assert_gapless(outcome.out / "ready", outcome.ready)


def gray(tools: Tools, file: Path, size: int) -> bytes:
    """Return the first frame in `size` × `size` gray pixels of a byte each."""
    scaled = f"scale={size}:{size}:flags=area,format=gray"
    return output_of(tools.ffmpeg, "-i", file, "-vf", scaled, "-frames:v", "1", "-f", "rawvideo", "pipe:1")


async def test_a_portrait_clip_stands_upright(
    clip: Clip, transcoded: Transcoded, assert_gapless: AssertGapless, tmp_path: Path, tools: Tools
) -> None:
    # White left half, black right half, to be shown turned by a quarter: white must end up above or below.
    halves = "color=black:s=640x360:r=30:d=1,drawbox=w=320:h=360:c=white:t=fill"
    lying = clip("lying.mp4", "-f", "lavfi", "-i", halves, *QUICK)
    source = clip("portrait.mp4", "-display_rotation", "90", "-i", str(lying), "-c", "copy")
    outcome = await transcoded(source)
    assert (outcome.ready.width, outcome.ready.height) == (360, 640)
    assert_gapless(outcome.out / "ready", outcome.ready)
    made = gray(tools, joined(outcome.out / "ready", outcome.ready.renditions[0], tmp_path / "made.mp4"), 2)
    assert [pixel > 128 for pixel in made] == [pixel > 128 for pixel in gray(tools, source, 2)]
    assert [pixel > 128 for pixel in gray(tools, outcome.out / "ready" / "poster.jpg", 2)] == [p > 128 for p in made]
    assert made[0] > 128 > made[2] or made[2] > 128 > made[0]


async def test_audio_stays_in_sync_with_video(clip: Clip, transcoded: Transcoded, tmp_path: Path, tools: Tools) -> None:
    # A flash and a tone that start together at 1 s.
    source = clip(
        "clapper.mp4",
        *["-f", "lavfi", "-i", "color=black:s=320x240:r=50:d=2,drawbox=w=320:h=240:c=white:t=fill:enable='gte(t,1)'"],
        *["-f", "lavfi", "-i", "aevalsrc='if(gte(t,1),sin(2*PI*1000*t),0)':s=48000:d=2"],
        *QUICK,
    )
    outcome = await transcoded(source)
    made = joined(outcome.out / "ready", outcome.ready.renditions[0], tmp_path / "made.mp4")
    read: list[str | Path] = ["-ignore_editlist", "1", "-i", made]
    levels = output_of(tools.ffmpeg, *read, "-vf", "scale=1:1,format=gray", "-f", "rawvideo", "pipe:1")
    flash = next(number for number, level in enumerate(levels) if level > 128) / 50
    samples = array("h")
    samples.frombytes(output_of(tools.ffmpeg, *read, "-ac", "1", "-f", "s16le", "pipe:1"))
    loud = max(samples) / 5
    tone = next(number for number, sample in enumerate(samples) if abs(sample) > loud) / 48000
    assert flash == pytest.approx(1.0, abs=0.001)
    assert tone == pytest.approx(flash, abs=0.004)


async def test_audio_is_complete_from_the_first_sample_to_the_last(
    clip: Clip, transcoded: Transcoded, tmp_path: Path, tools: Tools
) -> None:
    # Encoder delay or padding at either end would be an audible gap between two videos.
    tone = ["-f", "lavfi", "-i", "sine=1000:r=48000:d=2.5"]
    outcome = await transcoded(clip("tone.mp4", *video("320x240"), *tone, *QUICK))
    made = joined(outcome.out / "ready", outcome.ready.renditions[0], tmp_path / "made.mp4")
    samples = array("h")
    samples.frombytes(output_of(tools.ffmpeg, "-i", made, "-ac", "1", "-f", "s16le", "pipe:1"))
    # Two milliseconds hold two swings of the tone. The first packet swells, as it overlaps with what was before it.
    loudness = [max(map(abs, samples[start : start + 96])) for start in range(0, 120_000, 96)]
    assert min(loudness) > max(loudness) / 20
    assert min(loudness[12:]) > max(loudness) / 2


async def test_a_recording_that_changes_its_size_on_the_way(
    clip: Clip, transcoded: Transcoded, assert_gapless: AssertGapless, tmp_path: Path
) -> None:
    # A shared window that is made larger while it is recorded.
    first = clip("a.ts", *video("320x240", "25", 1), *SINE, *QUICK, "-t", "1")
    second = clip("b.ts", *video("480x360", "25", 1), *SINE, *QUICK, "-t", "1", "-output_ts_offset", "1")
    source = tmp_path / "both.ts"
    source.write_bytes(first.read_bytes() + second.read_bytes())
    outcome = await transcoded(source)
    assert outcome.ready.duration == pytest.approx(2.0, abs=0.2)
    assert_gapless(outcome.out / "ready", outcome.ready)


async def test_high_dynamic_range_becomes_ordinary(
    clip: Clip, transcoded: Transcoded, assert_gapless: AssertGapless, tools: Tools
) -> None:
    labels = "setparams=color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc"
    grey = "color=c=0x808080:s=320x240:r=25:d=1"
    outcome = await transcoded(clip("hdr.mp4", "-f", "lavfi", "-i", grey, "-vf", labels, *QUICK))
    entries = ["-select_streams", "v", "-show_entries", "stream=color_space,color_transfer,color_primaries"]
    for folder, result in (("playable", outcome.playable), ("ready", outcome.ready)):
        assert_gapless(outcome.out / folder, result)
        whole = joined(outcome.out / folder, result.renditions[0], outcome.out / "whole.mp4")
        assert output_of(tools.ffprobe, *entries, "-of", "csv=p=0", whole).strip() == b"bt709,bt709,bt709"
        # The middle of HLG's signal is a good deal darker than reference white, on an ordinary screen too.
        assert 90 < gray(tools, whole, 1)[0] < 190
        assert gray(tools, outcome.out / folder / "poster.jpg", 1)[0] == pytest.approx(gray(tools, whole, 1)[0], abs=3)


@pytest.mark.parametrize("codec", ["yuv420p", "yuv444p"], ids=["copied", "encoded"])
async def test_the_first_poster_is_not_black_either(
    codec: str, clip: Clip, transcoded: Transcoded, tools: Tools
) -> None:
    # A black second, a key frame in it where the poster is looked for first, and then a white frame.
    late = "color=black:s=320x240:r=10:d=4,drawbox=w=320:h=240:c=white:t=fill:enable='gte(t,1)'"
    outcome = await transcoded(clip("late.mp4", "-f", "lavfi", "-i", late, *QUICK, "-g", "2", "-pix_fmt", codec))
    for folder in ("playable", "ready"):
        assert gray(tools, outcome.out / folder / "poster.jpg", 1)[0] > 200


async def test_loudness_is_evened(clip: Clip, transcoded: Transcoded, tmp_path: Path, tools: Tools) -> None:
    levels = []
    for name, volume in (("quiet", -32), ("loud", -6)):
        tone = ["-f", "lavfi", "-i", f"sine=1000:r=48000:d=2,volume={volume + 18}dB"]
        outcome = await transcoded(clip(f"{name}.mp4", *video("320x240"), *tone, *QUICK))
        folders = {rendition.name: rendition for rendition in outcome.ready.renditions}
        made = joined(outcome.out / "ready", folders["240"], tmp_path / "made.mp4")
        samples = array("h")
        samples.frombytes(output_of(tools.ffmpeg, "-i", made, "-ac", "1", "-f", "s16le", "pipe:1"))
        levels.append(20 * math.log10(max(map(abs, samples[24_000:72_000])) / 32768))
    # 26 dB apart when they came; no more than 12 dB are ever added.
    assert levels[1] - levels[0] < 10
    assert levels[1] < -1


async def test_audio_comes_with_its_video_from_the_first_segment_on(
    clip: Clip, transcoded: Transcoded, assert_gapless: AssertGapless
) -> None:
    # Long enough for what a poster, chosen at the very end, once held back.
    outcome = await transcoded(clip("long.mp4", *video("64x64", "10", 24), *SINE, *QUICK), _ENCODED)
    assert_gapless(outcome.out / "playable", outcome.playable)
    assert_gapless(outcome.out / "ready", outcome.ready)
    assert outcome.states[-1].whole


async def test_the_figures_are_those_of_the_files(clip: Clip, transcoded: Transcoded) -> None:
    outcome = await transcoded(clip("clip.mp4", *video("480x360", "30", 5), *QUICK), _ENCODED)
    for rendition in outcome.ready.renditions:
        folder = outcome.out / "ready" / rendition.name
        sizes = [(folder / f"{number}.m4s").stat().st_size for number in range(3)]
        assert rendition.durations == (2.0, 2.0, 1.0)
        rates = [size * 8 / seconds for size, seconds in zip(sizes, rendition.durations, strict=True)]
        assert rendition.bandwidth == pytest.approx(max(rates), abs=1)
        assert rendition.average_bandwidth == pytest.approx(sum(sizes) * 8 / 5, abs=1)


async def test_no_personal_metadata_is_kept(clip: Clip, transcoded: Transcoded) -> None:
    where = "+52.5200+013.4050/"
    source = clip("tagged.mov", *video("320x240", seconds=0.5), *QUICK, "-metadata", f"location={where}")
    assert where.encode() in source.read_bytes()
    outcome = await transcoded(source)
    for file in filter(Path.is_file, outcome.out.rglob("*.*")):
        assert not re.search(rb"52\.52|013\.40", file.read_bytes())
