"""Voice messages become videos: their audio under its waveform, which shows the position."""

import json
import math
from array import array
from pathlib import Path

import pytest

from tests.support.video.output_checks import Clip, Transcoded, output_of
from transcode import Limits, Tools, TranscodeError, video_of_audio

# Loud, then silent: the second half of the waveform is flat.
_SPOKEN = ["-f", "lavfi", "-i", "sine=f=440:d=3,volume='if(lt(t,1.5),1,0)':eval=frame"]
KINDS = {
    "voice.ogg": ["-c:a", "libopus"],
    "voice.m4a": ["-c:a", "aac"],
    "song.mp3": [],
    "tone.wav": [],
    "tone.flac": [],
    "call.webm": ["-c:a", "libopus"],
    "phone.amr": ["-ar", "8000", "-ac", "1", "-c:a", "libopencore_amrnb"],
    "voice.aac": ["-f", "adts", "-c:a", "aac"],
}
_WIDTH, _HEIGHT = 640, 360


async def make_video(source: Path, tools: Tools, limits: Limits | None = None) -> Path:
    target = source.parent / f"{source.name}.mp4"
    await video_of_audio(source, target, tools=tools, limits=limits or Limits())
    return target


def brightness(path: Path, tools: Tools, at: float) -> list[int]:
    """Return the number of bright pixels of each column."""
    raw = output_of(
        tools.ffmpeg, "-ss", str(at), "-i", path, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"
    )
    return [sum(raw[row * _WIDTH + column] > 128 for row in range(_HEIGHT)) for column in range(_WIDTH)]


def loudness(path: Path, tools: Tools, start: float, seconds: float) -> float:
    raw = output_of(tools.ffmpeg, "-ss", str(start), "-t", str(seconds), "-i", path, "-ac", "1", "-f", "s16le", "-")
    samples = array("h", raw)
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


@pytest.mark.parametrize("name", KINDS)
async def test_audio_of_each_kind(name: str, clip: Clip, tools: Tools) -> None:
    made = await make_video(clip(name, *_SPOKEN, *KINDS[name]), tools)
    streams = json.loads(output_of(tools.ffprobe, "-show_streams", "-of", "json", made))["streams"]
    assert [stream["codec_name"] for stream in streams] == ["h264", "aac"]
    assert [float(stream["duration"]) for stream in streams] == pytest.approx([3, 3], abs=0.15)
    assert loudness(made, tools, 0.5, 0.5) > 1000
    assert loudness(made, tools, 2, 0.5) < 100


async def test_the_waveform_shows_the_position_and_the_ladder_is_right(
    clip: Clip, tools: Tools, transcoded: Transcoded
) -> None:
    made = await make_video(clip("voice.ogg", *_SPOKEN, *KINDS["voice.ogg"]), tools)
    start, end = brightness(made, tools, 0.1), brightness(made, tools, 2.9)
    assert sum(start) < sum(end) / 5
    assert sum(end[: _WIDTH // 2]) > 5 * sum(end[_WIDTH // 2 :]) > 0
    outcome = await transcoded(made)
    assert outcome.ready.duration == pytest.approx(3, abs=0.05)
    assert outcome.ready.poster is not None


async def test_an_instant_and_silence(clip: Clip, tools: Tools, transcoded: Transcoded) -> None:
    short = await transcoded(await make_video(clip("short.ogg", "-f", "lavfi", "-i", "sine=d=0.1"), tools))
    assert short.ready.duration == pytest.approx(0.1, abs=0.06)
    silent = await make_video(clip("silent.wav", "-f", "lavfi", "-i", "anullsrc", "-t", "2"), tools)
    assert max(brightness(silent, tools, 1.9)) <= 8


CHANGES = {
    "rate.aac": (("44100", "1"), ("48000", "1")),
    "channels.aac": (("48000", "1"), ("48000", "2")),
    "both.mp3": (("44100", "2"), ("48000", "1")),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_audio_that_changes_its_format(name: str, clip: Clip, tools: Tools, transcoded: Transcoded) -> None:
    parts = []
    for number, (rate, channels) in enumerate(CHANGES[name]):
        # The second part is heard at its end alone.
        heard = "lt(t,3)" if number == 0 else "gt(t,2)"
        spoken = ["-f", "lavfi", "-i", f"sine=f=440:d=3,volume='if({heard},1,0)':eval=frame"]
        bare = ["-write_xing", "0", "-id3v2_version", "0"] if name.endswith(".mp3") else ["-f", "adts"]
        parts.append(clip(f"{number}.{name}", *spoken, "-ar", rate, "-ac", channels, *bare))
    source = parts[0].with_name(name)
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    made = await make_video(source, tools)
    streams = json.loads(output_of(tools.ffprobe, "-show_streams", "-of", "json", made))["streams"]
    assert [float(stream["duration"]) for stream in streams] == pytest.approx([6, 6], abs=0.2)
    assert loudness(made, tools, 2.3, 0.5) > 1000
    assert loudness(made, tools, 3.5, 1) < 100
    assert loudness(made, tools, 5.2, 0.5) > 1000
    outcome = await transcoded(made)
    assert outcome.ready.duration == pytest.approx(6, abs=0.2)


REFUSED = {
    "packed.mp3": (b"PK\x03\x04" + bytes(100), "not-a-sound"),
    "playlist.ogg": (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "not-a-sound"),
    "text.wav": (b"Dear diary", "not-a-sound"),
    "noise.mp3": (b"ID3" + bytes(9000), "broken-file"),
    "empty.ogg": (b"", "empty-file"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_audio(name: str, tmp_path: Path, tools: Tools) -> None:
    source = tmp_path / name
    data, code = REFUSED[name]
    source.write_bytes(data)
    await refused(source, tools, code)


async def test_video_without_audio_and_audio_that_is_too_long(clip: Clip, tools: Tools) -> None:
    await refused(clip("mute.mp4", "-f", "lavfi", "-i", "testsrc2=d=1:s=160x120"), tools, "not-a-sound")
    await refused(clip("long.ogg", "-f", "lavfi", "-i", "sine=d=5"), tools, "too-long", Limits(max_duration=3))


async def refused(source: Path, tools: Tools, code: str, limits: Limits | None = None) -> None:
    before = set(source.parent.iterdir())
    with pytest.raises(TranscodeError) as caught:
        await make_video(source, tools, limits)
    assert (caught.value.code, caught.value.final) == (code, True)
    assert set(source.parent.iterdir()) == before
