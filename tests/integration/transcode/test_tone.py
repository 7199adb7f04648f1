"""Tone-map patches of known light from HDR to SDR."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import ffmpeg
import pytest

from tests.support.video.output_checks import Clip, output_of
from transcode import Tools
from transcode.commandline.tone_mapping import HLG, PQ, cube, to_sdr

SIDE = 32
# BT.709 signals of an SDR frame: its white is put at 203 nits, as BT.2408 says.
PATCHES = {
    "black": (0.0, 0.0, 0.0),
    "shadow": (0.1, 0.1, 0.1),
    "grey": (0.43, 0.43, 0.43),
    "skin": (0.65, 0.48, 0.4),
    "leaf": (0.25, 0.5, 0.15),
    "sky": (0.3, 0.45, 0.65),
    "brick": (0.6, 0.2, 0.15),
}
WHITE = (1.0, 1.0, 1.0)

Encode = Callable[[Sequence[float]], list[float]]


def pq(lights: Sequence[float]) -> list[float]:
    """BT.2100 table 4; light is in shares of 203 nits."""
    powers = [(light * 203 / 10_000) ** (2610 / 16384) for light in lights]
    return [((3424 / 4096 + 2413 / 128 * p) / (1 + 2392 / 128 * p)) ** (2523 / 32) for p in powers]


def hlg(lights: Sequence[float]) -> list[float]:
    """BT.2100 table 5, for a display of 1000 nits."""
    shown = [light * 203 / 1000 for light in lights]
    luminance = 0.2627 * shown[0] + 0.6780 * shown[1] + 0.0593 * shown[2]
    scene = [light * luminance ** (1 / 1.2 - 1) if luminance else 0.0 for light in shown]
    return [math.sqrt(3 * e) if e <= 1 / 12 else 0.17883277 * math.log(12 * e - 0.28466892) + 0.55991073 for e in scene]


def stored(signals: Sequence[float], encode: Encode) -> bytes:
    """A patch in 16-bit R'G'B' of BT.2020."""
    r, g, b = (signal**2.4 for signal in signals)
    # BT.2087.
    wide = (
        0.6274 * r + 0.3293 * g + 0.0433 * b,
        0.0691 * r + 0.9195 * g + 0.0114 * b,
        0.0164 * r + 0.0880 * g + 0.8956 * b,
    )
    pixel = b"".join(round(signal * 65535).to_bytes(2, "little") for signal in encode(wide))
    return pixel * SIDE * SIDE


@pytest.mark.parametrize(("transfer", "encode"), [(PQ, pq), (HLG, hlg)], ids=["PQ", "HLG"])
def test_light_below_white_is_kept_and_white_leaves_room_for_highlights(
    transfer: str, encode: Encode, tools: Tools, clip: Clip, tmp_path: Path
) -> None:
    colours = [*PATCHES.values(), WHITE]
    (tmp_path / "patches.rgb").write_bytes(b"".join(stored(colour, encode) for colour in colours))
    height = SIDE * len(colours)
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb48le", "-s", f"{SIDE}x{height}", "-i", str(tmp_path / "patches.rgb")]
    labels = f"setparams=color_primaries=bt2020:color_trc={transfer}"
    ten_bits = ["-vf", f"scale=out_color_matrix=bt2020:out_range=tv,format=yuv420p10le,{labels}", "-c:v", "ffv1"]
    hdr = clip("hdr.mkv", *raw, *ten_bits)
    assert labels_of(hdr, tools) == ("yuv420p10le", "tv", "bt2020nc", transfer, "bt2020")

    (tmp_path / "tone.cube").write_text(cube(transfer))
    sdr = tmp_path / "sdr.mkv"
    video = to_sdr(ffmpeg.input(str(hdr))["v"], str(tmp_path / "tone.cube"), SIDE, height)
    output_of(tools.ffmpeg, *ffmpeg.output(video, str(sdr), **{"c:v": "ffv1"}).get_args())
    assert labels_of(sdr, tools) == ("yuv420p", "tv", "bt709", "bt709", "bt709")

    pixels = output_of(tools.ffmpeg, "-i", sdr, "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1")
    middles = [(SIDE * (SIDE * number + SIDE // 2) + SIDE // 2) * 3 for number in range(len(colours))]
    *shown, white = ([value / 255 for value in pixels[middle : middle + 3]] for middle in middles)
    for (name, wanted), colour in zip(PATCHES.items(), shown, strict=True):
        assert colour == pytest.approx(wanted, abs=0.02), name
    assert white == pytest.approx([0.9] * 3, abs=0.02)


def test_nothing_is_left_that_calls_it_hdr(tools: Tools, clip: Clip, tmp_path: Path) -> None:
    light = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"
    labels = f"log-level=error:colorprim=bt2020:transfer={PQ}:colormatrix=bt2020nc"
    encoder = ["-c:v", "libx265", "-x265-params", f"{labels}:{light}"]
    hdr = clip("hdr.mp4", "-f", "lavfi", "-i", "testsrc=s=64x48:d=0.2,format=yuv420p", *encoder)
    assert {"Mastering display metadata", "Content light level metadata"} <= side_data_of(hdr, tools)

    (tmp_path / "tone.cube").write_text(cube(PQ))
    sdr = tmp_path / "sdr.mp4"
    video = to_sdr(ffmpeg.input(str(hdr))["v"], str(tmp_path / "tone.cube"), 32, 24)
    output_of(tools.ffmpeg, *ffmpeg.output(video, str(sdr), **{"c:v": "libx264"}).get_args())
    assert side_data_of(sdr, tools) <= {"H.26[45] User Data Unregistered SEI message"}


def side_data_of(file: Path, tools: Tools) -> set[str]:
    entries = ["-show_entries", "frame_side_data=side_data_type:stream_side_data=side_data_type", "-of", "json"]
    probed = json.loads(output_of(tools.ffprobe, *entries, "-show_frames", "-show_streams", file))
    return {
        data["side_data_type"]
        for part in (*probed["streams"], *probed["frames"])
        for data in part.get("side_data_list", [])
    }


def labels_of(file: Path, tools: Tools) -> tuple[str, ...]:
    names = ("pix_fmt", "color_range", "color_space", "color_transfer", "color_primaries")
    entries = ["-show_entries", f"stream={','.join(names)}", "-of", "json"]
    (stream,) = json.loads(output_of(tools.ffprobe, *entries, file))["streams"]
    return tuple(stream[name] for name in names)
