"""Which files are stream-copied, and which only look as if they could be."""

import asyncio
import re
import subprocess
from array import array
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.video.container_edits import mdat_range, with_flipped_bits
from tests.support.video.copies import write_copy
from tests.support.video.output_checks import (
    AssertCopied,
    AssertGapless,
    Clip,
    Transcoded,
    first_presentation_time,
    joined,
    output_of,
    video_digest,
)
from transcode import Item, Tools, media_playlist, tiers
from transcode.commandline import first_stage
from transcode.examine.file import examine
from transcode.limits import Limits
from transcode.mp4.boxes import codecs_of
from transcode.mp4.remux import Selection, remux
from transcode.plan import SHORTEST_COPIED
from transcode.segments import Cutter, Written
from transcode.settings import Settings

VIDEO = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=30:d=3"]
LONGER = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=30:d=5"]
AUDIO = ["-f", "lavfi", "-i", "sine=r=48000:d=3"]
X264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", "30"]
B_FRAMES = [*X264, "-bf", "3"]
STEREO = ["-c:a", "aac", "-ac", "2"]
PHONE = [*VIDEO, *AUDIO, *B_FRAMES, *STEREO]
IRREGULAR = ["-vf", "select='not(mod(n,7))+not(mod(n,3))'", "-fps_mode", "vfr"]


@dataclass(frozen=True)
class Case:
    name: str
    arguments: list[str]


def audio_packets(tools: Tools, file: Path) -> bytes:
    packets = output_of(tools.ffmpeg, "-i", file, "-map", "0:a", "-c", "copy", "-f", "framemd5", "pipe:1")
    # The sixth column; from version 9 on, what follows is about the last packet's padding.
    return b"".join(line.split(b",")[5] for line in packets.splitlines() if not line.startswith(b"#"))


COPIED = [
    Case("main.mp4", [*VIDEO, *X264, "-bf", "2", "-profile:v", "main"]),
    Case("baseline.mp4", [*VIDEO, *X264, "-profile:v", "baseline"]),
    Case("irregular.mp4", [*VIDEO, *AUDIO, *X264, "-bf", "0", *STEREO, *IRREGULAR]),
    Case("ntsc.mov", ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=30000/1001:d=3", *AUDIO, *B_FRAMES, *STEREO]),
    Case("coarse-clock.mp4", [*PHONE, "-video_track_timescale", "600"]),
    Case("mono.mp4", [*VIDEO, "-f", "lavfi", "-i", "sine=r=44100:d=3", *B_FRAMES, "-ac", "1"]),
    Case("short-audio.mp4", [*VIDEO, "-f", "lavfi", "-i", "sine=r=48000:d=2", *B_FRAMES, *STEREO]),
    Case("long-audio.mp4", [*VIDEO, "-f", "lavfi", "-i", "sine=r=48000:d=3.3", *B_FRAMES, *STEREO]),
    Case("mp3.mp4", [*VIDEO, *AUDIO, *B_FRAMES, "-c:a", "libmp3lame"]),
    Case("no-edits.mp4", [*PHONE, "-use_editlist", "0"]),
    Case("fragments.mp4", [*PHONE, "-movflags", "frag_keyframe+empty_moov+default_base_moof"]),
    Case("late-video.mp4", ["-itsoffset", "0.1", *PHONE]),
]
REMUXED = [
    Case("b-frames.mp4", PHONE),
    Case("longer.mp4", [*LONGER, "-f", "lavfi", "-i", "sine=r=48000:d=5", *B_FRAMES, *STEREO]),
    Case("in-order.mp4", [*LONGER, "-f", "lavfi", "-i", "sine=r=48000:d=5.01", *X264, "-bf", "0", *STEREO]),
    Case("all-key-frames.mp4", [*PHONE, "-g", "1"]),
    Case("ntsc.mp4", ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=30000/1001:d=3", *AUDIO, *B_FRAMES, *STEREO]),
    Case("irregular.mp4", [*VIDEO, *AUDIO, *X264, "-bf", "0", *STEREO, *IRREGULAR]),
    Case("coarse-clock.mp4", [*PHONE, "-video_track_timescale", "600"]),
    Case("offsets-below-0.mp4", [*PHONE, "-movflags", "negative_cts_offsets"]),
    Case("audio-first.mp4", [*PHONE, "-map", "1", "-map", "0"]),
]
"""Video and audio that are remuxed without ffmpeg."""

ENCODED = [
    Case("ten-bit.mp4", [*VIDEO, "-c:v", "libx264", "-pix_fmt", "yuv420p10le"]),
    Case("oblong-pixels.mp4", [*VIDEO, *X264, "-vf", "setsar=16/11"]),
    Case("interlaced.mp4", [*VIDEO, *X264, "-flags", "+ilme+ildct", "-vf", "interlace"]),
    Case("fast.mp4", ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=120:d=1", *X264]),
    Case("rare-key-frames.mp4", ["-f", "lavfi", "-i", "color=s=64x64:r=10:d=12", *X264, "-g", "999"]),
    Case("open-groups.mp4", [*LONGER, *X264, "-x264-params", "open-gop=1:bframes=3:keyint=30"]),
    Case("much-longer-audio.mp4", [*VIDEO, "-f", "lavfi", "-i", "sine=d=4", *X264]),
    Case("much-later-video.mp4", ["-itsoffset", "0.7", *VIDEO, *AUDIO, *X264]),
    Case("other-container.mkv", PHONE),
]


@pytest.mark.parametrize("case", COPIED, ids=lambda case: case.name)
async def test_what_browsers_play_is_stream_copied(
    case: Case, clip: Clip, transcoded: Transcoded, assert_copied: AssertCopied
) -> None:
    source = clip(case.name, *case.arguments)
    outcome = await transcoded(source)
    assert_copied(source, outcome)
    assert outcome.playable.duration == pytest.approx(outcome.ready.duration, abs=0.15)


@pytest.mark.parametrize("index", ["0", "faststart"])
async def test_a_phone_clip_keeps_its_audio_too(
    index: str, clip: Clip, transcoded: Transcoded, assert_copied: AssertCopied, tmp_path: Path, tools: Tools
) -> None:
    where = "+52.5200+013.4050/"
    source = clip("phone.mp4", *PHONE, "-metadata", f"comment={where}", "-movflags", index)
    outcome = await transcoded(source)
    assert_copied(source, outcome)
    made = joined(outcome.out / "playable", outcome.playable.renditions[0], tmp_path / "made.mp4")
    assert audio_packets(tools, made) in audio_packets(tools, source)
    assert where.encode() in source.read_bytes()
    assert where.encode() not in made.read_bytes()


@dataclass(frozen=True)
class Kept:
    """Audio that is copied: its duration, and its offset from the start of the video, in seconds."""

    name: str
    rate: int
    channels: int
    seconds: float = 3.2
    late: float = 0.0


KEPT = [
    Kept("mono.mp4", 48000, 1),
    Kept("cd.mp4", 44100, 2),
    Kept("cd-mono.mp4", 44100, 1),
    Kept("cd.mov", 44100, 2),
    Kept("low.mp4", 32000, 1),
    Kept("short.mp4", 48000, 2, seconds=2),
    Kept("short-mono.mp4", 44100, 1, seconds=2.5),
    Kept("late.mp4", 44100, 2, late=0.7),
    Kept("a-bit-late.mp4", 48000, 2, late=0.03),
]


@pytest.mark.parametrize("case", KEPT, ids=lambda case: case.name)
async def test_audio_that_browsers_play_is_kept(
    case: Kept, clip: Clip, transcoded: Transcoded, assert_copied: AssertCopied, tmp_path: Path, tools: Tools
) -> None:
    audio = ["-itsoffset", f"{case.late}", "-f", "lavfi", "-i", f"sine=r={case.rate}:d={case.seconds}"]
    source = clip(case.name, *VIDEO, *audio, *B_FRAMES, "-c:a", "aac", "-ac", f"{case.channels}", "-t", "3.05")
    outcome = await transcoded(source)
    assert_copied(source, outcome)
    made = joined(outcome.out / "playable", outcome.playable.renditions[0], tmp_path / "made.mp4")
    entries = ["-select_streams", "a", "-show_entries", "stream=sample_rate,channels", "-of", "csv=p=0"]
    assert output_of(tools.ffprobe, *entries, made).decode().strip() == f"{case.rate},{case.channels}"
    packets, kept = audio_packets(tools, source).split(), audio_packets(tools, made).split()
    silent = len(kept) - len([packet for packet in kept if packet in packets])
    missing = case.late + max(0, 3 - case.seconds - case.late)
    assert silent == pytest.approx(missing * case.rate / 1024, abs=2)
    # ffmpeg reports no error, such as a packet that cannot be decoded.
    output_of(tools.ffmpeg, "-i", made, "-f", "null", "-")


async def test_a_video_without_audio_gets_silence(
    clip: Clip, transcoded: Transcoded, assert_copied: AssertCopied, tmp_path: Path, tools: Tools
) -> None:
    source = clip("silent.mp4", *VIDEO, *B_FRAMES)
    outcome = await transcoded(source)
    assert_copied(source, outcome)
    made = joined(outcome.out / "playable", outcome.playable.renditions[0], tmp_path / "made.mp4")
    heard = output_of(tools.ffmpeg, "-i", made, "-vn", "-f", "s16le", "pipe:1")
    assert len(heard) == pytest.approx(3 * 48000 * 4, abs=1024 * 4)
    assert not any(heard)


@pytest.mark.parametrize("case", REMUXED, ids=lambda case: case.name)
async def test_a_copy_is_the_one_that_ffmpeg_makes(case: Case, clip: Clip, tools: Tools, tmp_path: Path) -> None:
    source = clip(case.name, *case.arguments)
    examined = await examine(source, tools, Limits(), Settings(), asyncio.get_running_loop().time() + 60)
    probe, stream_copy = examined.source.probe, examined.stream_copy
    assert stream_copy
    assert stream_copy.copies_audio
    assert probe.audio.index is not None
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        (folder / stream_copy.rung.name).mkdir(parents=True)
    data = source.read_bytes()
    moov = data[examined.index.start : examined.index.stop]
    rung = stream_copy.rung
    selection = Selection(
        probe.video.index, probe.audio.index, rung.width, rung.height, stream_copy.duration, stream_copy.audio_offset,
        SHORTEST_COPIED,
    )  # fmt: skip
    copy = remux(moov, selection, len(data))
    made = write_copy(source, copy, ours / stream_copy.rung.name)
    same = made_by_ffmpeg(first_stage.copy(examined.source, stream_copy), theirs / stream_copy.rung.name)
    assert len(made.segments) > 1
    assert ticks(made) == ticks(same)
    assert codecs_of(made.init) == codecs_of(same.init)
    samples = [
        [output_of(tools.ffmpeg, "-i", whole(folder / stream_copy.rung.name, made), "-c", "copy", "-map", "0",
                   "-f", "streamhash", "pipe:1")] for folder in (ours, theirs)
    ]  # fmt: skip
    assert samples[0] == samples[1]


def made_by_ffmpeg(line: list[str], folder: Path) -> Written:
    subprocess.run(line, cwd=folder.parent, check=True, stdout=subprocess.DEVNULL)
    with closing(Cutter(folder.parent, folder.name, folder)) as cutter:
        return cutter.finish()


def ticks(made: Written) -> list[tuple[int, tuple[int, ...], tuple[int, ...]]]:
    return [
        (run.decode_time, run.durations, run.composition_offsets)
        for segment in made.segments
        for run in (segment.video, segment.audio)
    ]


def whole(folder: Path, made: Written) -> Path:
    parts = [folder / "init.mp4", *(folder / f"{number}.m4s" for number in range(len(made.segments)))]
    file = folder / "whole.mp4"
    file.write_bytes(b"".join(part.read_bytes() for part in parts))
    return file


async def test_the_poster_comes_after_the_copy(clip: Clip, transcoded: Transcoded) -> None:
    outcome = await transcoded(clip("phone.mp4", *PHONE))
    first, then = outcome.states
    assert (first.whole, first.poster, first.blurhash) == (True, None, None)
    assert replace(then, poster=None, blurhash=None) == first
    assert (then.poster, then.blurhash) != (None, None)


async def test_what_ffprobe_reports_errors_of_is_not_copied(clip: Clip, tools: Tools, tmp_path: Path) -> None:
    data = clip("phone.mp4", *PHONE).read_bytes()
    start, end = mdat_range(data)
    source = tmp_path / "damaged.mp4"
    source.write_bytes(with_flipped_bits(data, seed=1, count=2000, start=start, end=start + (end - start) // 2))
    examined = await examine(source, tools, Limits(), Settings(), asyncio.get_running_loop().time() + 60)
    assert examined.stream_copy is None


@pytest.mark.parametrize("case", ENCODED, ids=lambda case: case.name)
async def test_what_is_not_sure_is_encoded(
    case: Case, clip: Clip, transcoded: Transcoded, assert_gapless: AssertGapless, tmp_path: Path, tools: Tools
) -> None:
    source = clip(case.name, *case.arguments)
    outcome = await transcoded(source)
    assert_gapless(outcome.out / "playable", outcome.playable)
    made = joined(outcome.out / "playable", outcome.playable.renditions[0], tmp_path / "made.mp4")
    assert video_digest(tools, made) != video_digest(tools, source)


@pytest.mark.parametrize("change", [["-display_rotation", "90"], ["-display_rotation", "180"], ["-display_hflip"]])
async def test_what_has_a_rotation_is_encoded(
    change: list[str], clip: Clip, transcoded: Transcoded, assert_gapless: AssertGapless
) -> None:
    # Chromium rotates the frames, but keeps the old sides where the item before was not rotated.
    outcome = await transcoded(clip("turned.mp4", *change, "-i", str(clip("lying.mp4", *PHONE)), "-c", "copy"))
    assert_gapless(outcome.out / "playable", outcome.playable)


async def test_what_was_cut_by_its_index_is_encoded(
    clip: Clip, transcoded: Transcoded, assert_gapless: AssertGapless
) -> None:
    # Copying from the middle of a group: an edit list hides the frames before it.
    outcome = await transcoded(clip("cut.mp4", "-ss", "1.3", "-i", str(clip("long.mp4", *PHONE)), "-c", "copy"))
    assert_gapless(outcome.out / "playable", outcome.playable)


async def test_reordered_frames_at_a_varying_rate_are_encoded(
    clip: Clip, transcoded: Transcoded, assert_gapless: AssertGapless
) -> None:
    outcome = await transcoded(clip("irregular.mp4", *VIDEO, *AUDIO, *X264, "-bf", "2", *STEREO, *IRREGULAR))
    assert_gapless(outcome.out / "playable", outcome.playable)


async def test_too_many_bits_for_a_line_are_encoded(clip: Clip, tools: Tools) -> None:
    noise = ["-f", "lavfi", "-i", "nullsrc=s=640x480:r=30:d=1,geq=random(1)*255:128:128"]
    source = clip("noise.mp4", *noise, *X264, "-preset", "ultrafast", "-qp", "1")
    deadline = asyncio.get_running_loop().time() + 60
    assert (await examine(source, tools, Limits(), Settings(), deadline)).stream_copy is None


@pytest.mark.parametrize(("video", "audio"), [("0", "0"), ("0.1", "0"), ("0", "0.1")])
@pytest.mark.parametrize("rate", ["48000", "44100"])
async def test_audio_stays_in_sync_with_copied_video(
    video: str, audio: str, rate: str,
    clip: Clip, transcoded: Transcoded, assert_copied: AssertCopied, tmp_path: Path, tools: Tools,
) -> None:  # fmt: skip
    # A flash and a tone that start together at 1 s; then one of them is delayed.
    white = "color=black:s=320x240:r=50:d=2,drawbox=w=320:h=240:c=white:t=fill:enable='gte(t,1)'"
    tone = f"aevalsrc='if(gte(t,1),sin(2*PI*1000*t),0)':s={rate}:d=2.2"
    both = clip("both.mp4", "-f", "lavfi", "-i", white, "-f", "lavfi", "-i", tone, *B_FRAMES, *STEREO)
    source = clip("clapper.mp4", "-itsoffset", video, "-i", str(both), "-itsoffset", audio, "-i", str(both),
                  "-map", "0:v", "-map", "1:a", "-c", "copy")  # fmt: skip
    late = float(audio) - float(video)
    outcome = await transcoded(source)
    assert_copied(source, outcome)
    made = joined(outcome.out / "playable", outcome.playable.renditions[0], tmp_path / "made.mp4")
    flash, heard = clapped(tools, made)
    assert flash == pytest.approx(1.0)
    # Kept audio starts with a whole packet, so that it is up to half of one early or late.
    moved = 0.0 if late == 0 and rate == "48000" else 512 / int(rate)
    assert heard - late == pytest.approx(flash, abs=0.004 + moved)
    made = joined(outcome.out / "ready", outcome.ready.renditions[-1], tmp_path / "ready.mp4")
    flash, heard = clapped(tools, made)
    assert heard - late == pytest.approx(flash, abs=0.004)


def clapped(tools: Tools, made: Path) -> tuple[float, float]:
    """Return the times of the flash and of the tone, in seconds."""
    levels = output_of(tools.ffmpeg, "-i", made, "-vf", "scale=1:1,format=gray", "-fps_mode", "passthrough",
                       "-f", "rawvideo", "pipe:1")  # fmt: skip
    flash = next(number for number, level in enumerate(levels) if level > 128) / 50
    samples = array("h")
    samples.frombytes(output_of(tools.ffmpeg, "-i", made, "-vn", "-ac", "1", "-ar", "48000", "-f", "s16le", "pipe:1"))
    # The ladder is as loud as everything else.
    loud = max(samples) / 5
    heard = next(number for number, sample in enumerate(samples) if abs(sample) > loud) / 48000
    return flash, heard


async def test_copies_and_ladders_make_one_playlist(
    clip: Clip, transcoded: Transcoded, tmp_path: Path, tools: Tools
) -> None:
    outcome = await transcoded(clip("phone.mp4", *PHONE))
    folder = f"{outcome.out.relative_to(tmp_path)}"
    items = [
        Item(f"{folder}/playable/", outcome.playable.renditions),
        Item(f"{folder}/ready/", outcome.ready.renditions),
        Item(f"{folder}/playable/", outcome.playable.renditions),
    ]
    (tier,) = tiers(items)
    playlist = tmp_path / "reel.m3u8"
    playlist.write_text(media_playlist(tier.parts))
    # It reports frames of one item that it parsed under the parameters of another.
    options = ["-v", "quiet", "-allowed_extensions", "ALL", "-extension_picky", "0", "-f", "hls", "-count_packets"]
    shown = ["-select_streams", "v", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"]
    reported = output_of(tools.ffprobe, *options, *shown, playlist).decode()
    assert {*re.findall(r"\d+", reported)} == {"270"}
    assert first_presentation_time(outcome.out / "playable" / "240" / "0.m4s") == 0
