"""Audio that cannot be decoded is replaced by silence and reported, and costs the video nothing; the rest is kept."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.video.container_edits import with_boxes
from tests.support.video.output_checks import Outcome, Transcoded
from tests.support.video.sync_pattern import GREEN, RED, X264, audio, concatenated, decode_rendition, made, video
from transcode import Limits, Tools, prepare_recording
from transcode.mp4.boxes import box, boxes
from transcode.source.audio_loss import AudioLoss

SECONDS = 6
AAC = ["-c:a", "aac"]
ENCODED = ["-c:v", "mpeg4"]
"""What is never a copy."""

ALL = [1.0, 3.0, 5.0]
NOISE = ["-bsf:a", "noise=amount=1"]
_SINF = box(b"sinf", box(b"frma", b"mp4a"), box(b"schm", bytes(4), b"cenc", bytes(4)))


def _noise(start: float) -> list[str]:
    """Spoil every packet of the audio from some second on."""
    return ["-bsf:a", f"noise=amount=gt(pts*tb\\,{start})"]


def _described(data: bytes, change: Callable[[bytes, bytes], bytes]) -> bytes:
    """Change each sample description of an MP4 whose index is last, by its kind and content."""

    def stsd(body: bytes) -> bytes:
        return body[:8] + b"".join(change(kind, content) for kind, content in boxes(body[8:]))

    return with_boxes(data, [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"], stsd)


def _encrypted(data: bytes) -> bytes:
    return _described(data, lambda kind, body: box(b"enca", body, _SINF) if kind == b"mp4a" else box(kind, body))


def _unknown(data: bytes) -> bytes:
    # As phones write the audio of spatial videos.
    return data.replace(b"mp4a", b"apac").replace(b"esds", b"free").replace(b"A_AAC", b"A_ZZZ")


def _heard(
    tools: Tools, outcome: Outcome, scratch: Path, stages: Sequence[str] = ("playable", "ready")
) -> list[list[float]]:
    """Check that each rendition of some stages shows the whole pattern, and return when each of them beeps."""
    beeps = []
    for stage in stages:
        for rendition in (outcome.ready if stage == "ready" else outcome.playable).renditions:
            shown = decode_rendition(tools, outcome.out / stage, rendition, scratch)
            assert shown.duration == pytest.approx(SECONDS, abs=0.1)
            assert (shown.first, shown.last) == (GREEN, RED)
            assert shown.flashes == pytest.approx(ALL, abs=0.045)
            beeps.append([float(round(beep)) for beep in shown.beeps])
    return beeps


@pytest.mark.parametrize(
    ("name", "codec", "reason", "change"),
    [
        ("unknown.mp4", X264, AudioLoss.NO_DECODER, _unknown),
        ("unknown.mkv", X264, AudioLoss.NO_DECODER, _unknown),
        ("encrypted.mp4", X264, AudioLoss.ENCRYPTED, _encrypted),
        ("encrypted.mov", ENCODED, AudioLoss.ENCRYPTED, _encrypted),
    ],
)
async def test_what_nobody_here_can_decode(
    name: str, codec: list[str], reason: AudioLoss, change: Callable[[bytes], bytes], tools: Tools, tmp_path: Path,
    transcoded: Transcoded,
) -> None:  # fmt: skip
    source = made(tools, tmp_path / name, *video(SECONDS), *audio(SECONDS), *codec, *AAC)
    source.write_bytes(change(source.read_bytes()))
    outcome = await transcoded(source)
    assert outcome.playable.audio_left_out is outcome.ready.audio_left_out is reason
    assert not any(_heard(tools, outcome, tmp_path))


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("copied.mp4", [*X264, *AAC]),
        ("aac.mp4", [*ENCODED, *AAC]),
        ("aac.mkv", [*ENCODED, *AAC]),
        ("aac.ts", [*X264, *AAC]),
        ("flac.mkv", [*X264, "-c:a", "flac"]),
        ("ac3.mkv", [*X264, "-c:a", "ac3"]),
    ],
)
async def test_what_is_all_damaged(
    name: str, codec: list[str], tools: Tools, tmp_path: Path, transcoded: Transcoded
) -> None:
    source = made(tools, tmp_path / name, *video(SECONDS), *audio(SECONDS), *codec, *NOISE)
    outcome = await transcoded(source)
    assert outcome.ready.audio_left_out is AudioLoss.DAMAGED
    assert not any(_heard(tools, outcome, tmp_path, ["ready"]))


@pytest.mark.parametrize("codec", ["aac", "ac3", "flac"])
@pytest.mark.parametrize(("start", "beeps"), [(4.0, [1.0, 3.0]), (1.5, [1.0])])
async def test_what_is_damaged_from_some_time_on(
    codec: str, start: float, beeps: list[float], tools: Tools, tmp_path: Path, transcoded: Transcoded
) -> None:
    # From 1.5 s on, it is more than ffmpeg bears by default.
    source = made(tools, tmp_path / "part.mkv", *video(SECONDS), *audio(SECONDS), *X264, "-c:a", codec, *_noise(start))
    outcome = await transcoded(source)
    assert outcome.ready.audio_left_out is AudioLoss.PARTS
    assert _heard(tools, outcome, tmp_path, ["ready"]) == [beeps] * len(outcome.ready.renditions)


async def test_more_channels_than_can_be_mixed(tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    many = ["-f", "s16le", "-ar", "8000", "-ch_layout", "100C", "-i", str(tmp_path / "raw")]
    (tmp_path / "raw").write_bytes(bytes(SECONDS * 8000 * 100 * 2))
    source = made(tools, tmp_path / "hall.mov", *video(SECONDS), *many, *X264, "-c:a", "copy")
    outcome = await transcoded(source)
    assert outcome.ready.audio_left_out is AudioLoss.TOO_MANY_CHANNELS
    assert not any(_heard(tools, outcome, tmp_path))


@pytest.mark.parametrize("layout", ["mono", "stereo"])
async def test_a_damaged_track_beside_another(
    layout: str, tools: Tools, tmp_path: Path, transcoded: Transcoded
) -> None:
    # Two microphones, of which one is left; or two languages, of which the one that players choose is not.
    each = ["-map", "0:v", "-map", "1:a", "-map", "2:a", "-bsf:a:0", "noise=amount=1"]
    inputs = [*video(SECONDS), *audio(SECONDS, layout=layout), *audio(SECONDS, layout=layout)]
    source = made(tools, tmp_path / "tracks.mov", *inputs, *each, *X264, *AAC)
    outcome = await transcoded(source)
    assert outcome.ready.audio_left_out is AudioLoss.SOME_TRACKS
    assert set(map(tuple, _heard(tools, outcome, tmp_path))) == {tuple(ALL)}


async def test_microphones_that_change_their_format(tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    each = ["-map", "0:v", "-map", "1:a", "-map", "2:a", *X264, "-c:a", "mp2"]
    parts = []
    # The beeps by turns: neither of the tracks has all.
    for number, rate in enumerate((48_000, 32_000)):
        start = 3.0 * number
        tracks = [
            *audio(3, start=start, rate=rate, heard="1" if number else "0"),
            *audio(3, start=start, rate=rate, heard="0" if number else "1"),
        ]
        inputs = [*video(3, start=start, end=number == 1), *tracks]
        parts.append(made(tools, tmp_path / f"{number}.mkv", *inputs, *each))
    source = concatenated(tools, tmp_path / "microphones.mkv", *parts)
    outcome = await transcoded(source)
    assert outcome.ready.audio_left_out is None
    assert set(map(tuple, _heard(tools, outcome, tmp_path))) == {tuple(ALL)}


@pytest.mark.parametrize("audible", [[], audio(SECONDS)], ids=["silent", "heard"])
async def test_nothing_is_reported_where_nothing_is_lost(
    audible: list[str], tools: Tools, tmp_path: Path, transcoded: Transcoded
) -> None:
    for name in ("clip.mp4", "clip.mkv"):
        outcome = await transcoded(made(tools, tmp_path / name, *video(SECONDS), *audible, *X264))
        assert outcome.playable.audio_left_out is outcome.ready.audio_left_out is None
        assert all(beeps == (ALL if audible else []) for beeps in _heard(tools, outcome, tmp_path))


async def test_a_recording_is_prepared_without_its_audio(tools: Tools, tmp_path: Path) -> None:
    source = made(tools, tmp_path / "recording.mkv", *video(SECONDS), *audio(SECONDS), *X264, *AAC, *NOISE)
    prepared = await prepare_recording(source, tmp_path / "out", tools=tools, limits=Limits())
    assert prepared.duration == pytest.approx(SECONDS, abs=0.1)
    assert prepared.audio_left_out is AudioLoss.DAMAGED
