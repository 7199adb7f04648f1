"""Chained Ogg files play whole: ffmpeg alone goes on only where the next link has the same format."""

import json
from pathlib import Path

import pytest

from tests.support.video.output_checks import Clip, Transcoded, output_of
from tests.support.video.sync_pattern import assert_square, assert_whole, audio, made, video
from transcode import Limits, Tools, TranscodeError, verify_video, video_of_audio

THEORA = ["-c:v", "libtheora", "-q:v", "6"]
VORBIS, OPUS = ["-c:a", "libvorbis"], ["-c:a", "libopus"]
CHAINS = {
    "alike": (("192x108", VORBIS), ("192x108", VORBIS)),
    "other-codec": (("192x108", VORBIS), ("192x108", OPUS)),
    "turned": (("320x180", OPUS), ("180x320", OPUS)),
}


def _chained(source: Path, *parts: Path) -> Path:
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    return source


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("serial", ["0", "1"], ids=["same-serials", "other-serials"])
async def test_a_chained_video(name: str, serial: str, tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    parts = []
    for number, (size, audio_codec) in enumerate(CHAINS[name]):
        inputs = [*video(2, start=2.0 * number, size=size, end=number == 1), *audio(2)]
        serials = ["-serial_offset", str(number * int(serial) * 7)]
        parts.append(made(tools, tmp_path / f"{number}.ogv", *inputs, *THEORA, *audio_codec, *serials))
    source = _chained(tmp_path / "chain.ogv", *parts)
    outcome = await transcoded(source)
    for shown in assert_whole(tools, outcome, tmp_path, 4):
        assert_square(shown)
    verified = await verify_video(source, tmp_path / "verified", tools=tools, limits=Limits())
    assert verified.duration == pytest.approx(4, abs=0.1)
    # It is sent as it is.
    assert (verified.path, verified.mimetype) == (source, "video/ogg")


async def test_a_link_without_audio(tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    first = made(tools, tmp_path / "0.ogv", *video(2, end=False), *audio(2), *THEORA, *VORBIS)
    second = made(tools, tmp_path / "1.ogv", *video(2, start=2), *THEORA)
    outcome = await transcoded(_chained(tmp_path / "chain.ogv", first, second))
    for shown in assert_whole(tools, outcome, tmp_path, 4, heard=False):
        assert shown.beeps == pytest.approx([1], abs=0.05)


SPOKEN = {"mono": ["-ac", "1"], "stereo": ["-ac", "2"]}


@pytest.mark.parametrize("codecs", [(OPUS, OPUS), (VORBIS, VORBIS), (OPUS, VORBIS)], ids=["opus", "vorbis", "both"])
@pytest.mark.parametrize("second", SPOKEN)
async def test_a_chained_voice_message(
    codecs: tuple[list[str], list[str]], second: str, clip: Clip, tools: Tools, tmp_path: Path
) -> None:
    sine = ["-f", "lavfi", "-i", "sine=d=3"]
    parts = [
        clip(f"{number}.ogg", *sine, *codec, *channels)
        for number, (codec, channels) in enumerate(zip(codecs, (SPOKEN["mono"], SPOKEN[second]), strict=True))
    ]
    target = tmp_path / "video.mp4"
    await video_of_audio(_chained(tmp_path / "chain.ogg", *parts), target, tools=tools, limits=Limits())
    streams = json.loads(output_of(tools.ffprobe, "-show_streams", "-of", "json", target))["streams"]
    assert [float(stream["duration"]) for stream in streams] == pytest.approx([6, 6], abs=0.1)


async def test_a_chain_of_too_many_links_is_refused_in_words(clip: Clip, tools: Tools, tmp_path: Path) -> None:
    mono = clip("mono.ogg", "-f", "lavfi", "-i", "sine=d=0.1", *OPUS)
    stereo = clip("stereo.ogg", "-f", "lavfi", "-i", "sine=d=0.1", "-ac", "2", *OPUS)
    source = _chained(tmp_path / "chain.ogg", *[mono, stereo] * 33)
    with pytest.raises(TranscodeError) as refused:
        await video_of_audio(source, tmp_path / "video.mp4", tools=tools, limits=Limits())
    assert (refused.value.code, refused.value.final) == ("too-many-streams", True)
