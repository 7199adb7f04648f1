"""Audio is heard whatever its codec, its channels and its place among the tracks; too many tracks harm none."""

from pathlib import Path

import pytest

from tests.support.video.dual_mono import dual_mono
from tests.support.video.output_checks import Transcoded, joined, transcode
from tests.support.video.sync_pattern import VP8, X264, assert_whole, audio, beeps, made, video
from transcode import Limits, Tools, TranscodeError

_OPUS = ["-c:a", "libopus"]
_REST = "|".join(f"c{number}=0*c0" for number in range(1, 9))
LAYOUTS = {
    "ambisonic.webm": [*_OPUS, "-mapping_family", "2", "-af", "pan=ambisonic 1|c0=c0|c1=0*c0|c2=0*c0|c3=0*c0"],
    "ambisonic-2.mkv": [*_OPUS, "-mapping_family", "2", "-af", f"pan=ambisonic 2|c0=c0|{_REST}"],
    "binaural.mkv": ["-c:a", "flac", "-af", "pan=binaural|c0=c0|c1=c0"],
    "nobody-knows.mov": ["-c:a", "pcm_s16le", "-af", "pan=9C|c8=c0"],
    "odd.mkv": ["-c:a", "flac", "-af", "pan=FC+BC+LFE|c0=c0"],
    "6.1.mp4": ["-c:a", "aac", "-af", "pan=6.1|c2=c0"],
    "7.1-opus.webm": [*_OPUS, "-af", "pan=7.1|c2=c0"],
}  # fmt: skip
CODECS = {
    "dts.mkv": ["-c:a", "dca", "-strict", "-2"],
    "dts.ts": ["-c:a", "dca", "-strict", "-2"],
    "truehd.mkv": ["-c:a", "truehd", "-strict", "-2"],
    "mlp.mkv": ["-c:a", "mlp", "-strict", "-2"],
    "wavpack.mkv": ["-c:a", "wavpack"],
    "g726.mov": ["-c:a", "adpcm_ms", "-ar", "44100"],
    "bluray.m2ts": ["-c:a", "pcm_bluray"],
    "dvd.vob": ["-c:a", "pcm_s16be"],
    "be.mov": ["-c:a", "pcm_f32be"],
    "latm.ts": ["-c:a", "aac", "-mpegts_flags", "latm"],
}


@pytest.mark.parametrize("name", LAYOUTS)
async def test_any_channels_are_heard(name: str, tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    codec = VP8 if name.endswith(".webm") else X264
    source = made(tools, tmp_path / name, *video(3), *audio(3), *codec, *LAYOUTS[name])
    assert_whole(tools, await transcoded(source), tmp_path, 3)


@pytest.mark.parametrize("name", CODECS)
async def test_any_codec_is_heard(name: str, tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    video_codec = ["-c:v", "mpeg2video"] if name.endswith(".vob") else X264
    source = made(tools, tmp_path / name, *video(3), *audio(3, layout="stereo"), *video_codec, *CODECS[name])
    assert_whole(tools, await transcoded(source), tmp_path, 3)


@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize("layout", ["mono", "stereo"])
async def test_a_silent_first_track_hides_no_other(
    layout: str, copied: bool, tools: Tools, tmp_path: Path, transcoded: Transcoded
) -> None:
    silent = audio(3, layout=layout, heard="0" * (1 + (layout == "stereo")))
    each = ["-map", "0:v", "-map", "1:a", "-map", "2:a", "-metadata:s:a:0", "language=eng"]
    if layout == "stereo":
        each += ["-metadata:s:a:1", "language=deu"]
    codec = X264 if copied else ["-c:v", "mpeg4"]
    source = made(tools, tmp_path / "tracks.mp4", *video(3), *silent, *audio(3, layout=layout), *each, *codec)
    assert_whole(tools, await transcoded(source), tmp_path, 3)


async def test_each_microphone_is_heard(tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    # The beeps by turns: none of the tracks has all.
    tracks = [*audio(2.5), "-itsoffset", "2.5", *audio(2.5, start=2.5)]
    each = ["-map", "0:v", "-map", "1:a", "-map", "2:a"]
    source = made(tools, tmp_path / "microphones.mov", *video(5), *tracks, *each, *X264, "-c:a", "pcm_s16le")
    assert_whole(tools, await transcoded(source), tmp_path, 5)


async def test_both_programmes_of_dual_mono_are_heard(tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    mono = ["-c:a", "aac", "-flags:a", "+bitexact"]
    # The first beeps at odd seconds, the second at even ones.
    programmes = [made(tools, tmp_path / f"{n}.aac", *audio(4, start=float(n)), *mono) for n in range(2)]
    both = tmp_path / "both.aac"
    both.write_bytes(dual_mono(*(programme.read_bytes() for programme in programmes)))
    source = made(tools, tmp_path / "dual.ts", *video(4), "-i", both, *X264, "-c:a", "copy")
    outcome = await transcoded(source)
    assert outcome.ready.audio_left_out is None
    for stage, result in (("playable", outcome.playable), ("ready", outcome.ready)):
        whole = joined(outcome.out / stage, result.renditions[0], tmp_path / "whole.mp4")
        for channel, beats in (("FL", [1, 3]), ("FR", [0, 2])):
            assert beeps(tools, whole, channel) == pytest.approx(beats, abs=0.1)


def _subtitled(tools: Tools, path: Path, count: int) -> Path:
    text = path.with_suffix(".srt")
    text.write_text("1\n00:00:00,100 --> 00:00:02,900\nhello\n\n2\n00:00:03,000 --> 00:00:04,000\nagain\n")
    each: list[str] = [
        word for number in range(count) for word in ("-map", "2:s", f"-metadata:s:s:{number}", f"title=T{number}")
    ]
    inputs = [*video(5), *audio(5), "-i", str(text)]
    return made(tools, path, *inputs, "-map", "0:v", "-map", "1:a", *each, *X264, "-c:s", "srt")


async def test_many_subtitles_cost_no_frame(tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    outcome = await transcoded(_subtitled(tools, tmp_path / "many.mkv", 40))
    assert [captions.label for captions in outcome.ready.captions] == [f"T{number}" for number in range(8)]
    for captions in outcome.ready.captions:
        (outcome.out / "ready" / captions.name).unlink()
        (outcome.out / "playable" / captions.name).unlink()
    assert_whole(tools, outcome, tmp_path, 5)


@pytest.mark.parametrize("name", ["many.mkv", "many.ts"])
async def test_more_streams_than_the_limit_are_refused_in_words(name: str, tools: Tools, tmp_path: Path) -> None:
    tracks = ["-map", "0:v", *["-map", "1:a"] * 9]
    source = made(tools, tmp_path / name, *video(1), *audio(1), *tracks, *X264, "-c:a", "mp2")

    def nobody(_: object) -> None:
        raise AssertionError("nothing may be published of it")

    with pytest.raises(TranscodeError) as refused:
        await transcode(source, tmp_path / "out", tools=tools, limits=Limits(max_streams=5), on_stage=nobody)
    assert (refused.value.code, refused.value.final) == ("too-many-streams", True)
