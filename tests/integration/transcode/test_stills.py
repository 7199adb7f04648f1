"""Images become videos: upright, on a background with contrast, of the requested duration; others are refused."""

import json
import struct
import zlib
from pathlib import Path

import pytest

from tests.support.video.output_checks import Clip, Transcoded, output_of
from transcode import Limits, Tools, TranscodeError, video_of_image
from transcode.mp4.boxes import box, child

Colour = tuple[int, int, int]
RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)
DARK, PAPER = (11, 13, 18), (246, 247, 249)
# Four colours, one in each quarter: red and green above, blue and yellow below.
_QUARTERS = "color=red:s={0},format=rgb24,drawbox=iw/2:0:iw:ih/2:lime:fill,drawbox=0:ih/2:iw:ih:blue:fill,\
drawbox=iw/2:ih/2:iw:ih:yellow:fill"
_SPOT = "color=black@0:s=400x400,format=rgba,drawbox=100:100:200:200:{0}:fill:1"
_TURNED_RIGHT = 6
# Quantisation step of a GIF's default palette.
NEAR = 70


def quarters(size: str) -> list[str]:
    return ["-f", "lavfi", "-i", _QUARTERS.format(size), "-frames:v", "1"]


def spot(colour: str) -> list[str]:
    return ["-f", "lavfi", "-i", _SPOT.format(colour), "-frames:v", "1"]


def turned(jpeg: bytes, orientation: int) -> bytes:
    tag = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HH", orientation, 0) + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(tag) + 2) + tag + jpeg[2:]


def png_of(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def heif(tiles: list[tuple[bytes, bytes]], size: tuple[int, int]) -> bytes:
    """Make a grid image of two times two tiles (their `av1C` and data), rotated to the right, as phones make theirs."""

    def full(kind: bytes, version: int, *parts: bytes) -> bytes:
        return box(kind, bytes([version, 0, 0, 0]) + b"".join(parts))

    numbers = range(2, 6)
    entries = [full(b"infe", 2, struct.pack(">HH4s", 1, 0, b"grid"), b"\0")]
    entries += [full(b"infe", 2, struct.pack(">HH4s", number, 0, b"av01"), b"\0") for number in numbers]
    properties = [
        full(b"ispe", 0, struct.pack(">II", 256, 256)), box(b"av1C", tiles[0][0]),
        full(b"ispe", 0, struct.pack(">II", *size)), box(b"irot", b"\3"),
    ]  # fmt: skip
    # Of each item the properties, by their numbers; the highest bit says that one must know it.
    owned = [struct.pack(">HBBB", 1, 2, 3, 0x84), *(struct.pack(">HBBB", number, 2, 1, 0x82) for number in numbers)]
    grid = struct.pack(">BBBBHH", 0, 0, 1, 1, *size)

    def meta(start: int) -> bytes:
        places = [struct.pack(">HHHHII", 1, 1, 0, 1, 0, len(grid))]
        for number, (_, data) in zip(numbers, tiles, strict=True):
            places.append(struct.pack(">HHHHII", number, 0, 0, 1, start, len(data)))
            start += len(data)
        return full(
            b"meta", 0,
            full(b"hdlr", 0, b"\0\0\0\0pict", bytes(13)), full(b"pitm", 0, b"\0\1"),
            full(b"iloc", 1, b"\x44\0\0\5", *places), full(b"iinf", 0, b"\0\5", *entries),
            full(b"iref", 0, box(b"dimg", struct.pack(">HH4H", 1, 4, *numbers))),
            box(b"iprp", box(b"ipco", b"".join(properties)) + full(b"ipma", 0, b"\0\0\0\5", *owned)),
            box(b"idat", grid),
        )  # fmt: skip

    brand = box(b"ftyp", b"avif\0\0\0\0avifmif1")
    start = len(brand) + len(meta(0)) + 8
    return brand + meta(start) + box(b"mdat", b"".join(data for _, data in tiles))


class VideoOfImage:
    """The video that was made of an image."""

    def __init__(self, path: Path, tools: Tools) -> None:
        self._path, self._tools = path, tools
        probed = json.loads(output_of(tools.ffprobe, "-show_streams", "-of", "json", path))
        (track,) = probed["streams"]
        self.size = (track["width"], track["height"])
        self.seconds = float(track["duration"])

    def colour(self, across: float, down: float, at: float = 0.2) -> Colour:
        raw = output_of(
            self._tools.ffmpeg, "-ss", str(at), "-i", self._path, "-frames:v", "1", "-f", "rawvideo",
            "-pix_fmt", "rgb24", "-",
        )  # fmt: skip
        start = 3 * (int(down * self.size[1]) * self.size[0] + int(across * self.size[0]))
        return raw[start], raw[start + 1], raw[start + 2]


def alike(shown: Colour, meant: Colour) -> bool:
    return all(abs(one - other) < NEAR for one, other in zip(shown, meant, strict=True))


async def make_video(source: Path, tools: Tools, seconds: float = 4) -> VideoOfImage:
    target = source.parent / f"{source.name}.mp4"
    await video_of_image(source, target, seconds=seconds, tools=tools, limits=Limits())
    # No temporary folder is left.
    assert not [path for path in source.parent.iterdir() if path.is_dir()]
    return VideoOfImage(target, tools)


@pytest.mark.parametrize(
    ("name", "size", "arguments", "shown"),
    [
        ("photo.jpg", "1600x1200", [], (1440, 1080)),
        ("small.webp", "100x80", [], (360, 360)),
        ("odd.png", "601x401", [], (602, 402)),
        ("still.gif", "640x480", [], (640, 480)),
        ("modern.avif", "640x480", ["-c:v", "libaom-av1", "-cpu-used", "8"], (640, 480)),
        ("tall.png", "400x4000", [], (640, 1920)),
    ],
)
async def test_an_image_is_shown_as_it_is(
    name: str, size: str, arguments: list[str], shown: tuple[int, int], clip: Clip, tools: Tools
) -> None:
    made = await make_video(clip(name, *quarters(size), *arguments), tools)
    assert made.size == shown
    assert max(made.size) <= 1920
    assert made.seconds == pytest.approx(4, abs=0.01)
    near = [(made.colour(x, y), colour) for x, y, colour in
            ((0.48, 0.48, RED), (0.52, 0.48, GREEN), (0.48, 0.52, BLUE), (0.52, 0.52, YELLOW))]  # fmt: skip
    assert all(alike(*pair) for pair in near), near


async def test_a_phone_held_sideways_and_its_ladder(clip: Clip, tools: Tools, transcoded: Transcoded) -> None:
    source = clip("photo.jpg", *quarters("1600x1200"))
    source.write_bytes(turned(source.read_bytes(), _TURNED_RIGHT))
    made = await make_video(source, tools, 5)
    assert made.size == (1080, 1440)
    # A quarter turn to the right brings what was below on the left up.
    assert alike(made.colour(0.25, 0.25), BLUE)
    assert alike(made.colour(0.75, 0.25), RED)
    outcome = await transcoded(source.parent / "photo.jpg.mp4")
    assert outcome.ready.duration == pytest.approx(5, abs=0.05)
    assert outcome.ready.poster is not None


async def test_an_image_of_many_tiles(clip: Clip, tools: Tools) -> None:
    tiles = []
    for colour in ("red", "lime", "blue", "yellow"):
        tile = clip(
            "tile.avif", "-f", "lavfi", "-i", f"color={colour}:s=256x256", "-frames:v", "1", "-c:v", "libaom-av1",
            "-cpu-used", "8",
        ).read_bytes()  # fmt: skip
        tiles.append((child(child(tile, b"meta")[4:], b"iprp", b"ipco", b"av1C"), child(tile, b"mdat")))
    source = clip("whole.avif", *quarters("64x64"))
    source.write_bytes(heif(tiles, (500, 480)))
    made = await make_video(source, tools)
    assert made.size == (480, 500)
    assert made.seconds == pytest.approx(4, abs=0.01)
    near = [(made.colour(x, y), colour) for x, y, colour in
            ((0.2, 0.2, BLUE), (0.8, 0.2, RED), (0.2, 0.8, YELLOW), (0.8, 0.8, GREEN))]  # fmt: skip
    assert all(alike(*pair) for pair in near), near


@pytest.mark.parametrize(("colour", "meant", "background"), [("black", (0, 0, 0), PAPER), ("yellow", YELLOW, DARK)])
async def test_what_is_transparent_lies_on_a_background_with_contrast(
    colour: str, meant: Colour, background: Colour, clip: Clip, tools: Tools
) -> None:
    made = await make_video(clip("spot.png", *spot(colour)), tools)
    assert alike(made.colour(0.5, 0.5), meant)
    assert alike(made.colour(0.1, 0.1), background)


@pytest.mark.parametrize(
    ("name", "arguments"), [("a.gif", []), ("a.webp", ["-c:v", "libwebp_anim"]), ("a.png", ["-f", "apng"])]
)
async def test_what_moves_plays_whole_loops(name: str, arguments: list[str], clip: Clip, tools: Tools) -> None:
    two = ["-f", "lavfi", "-i", "color=red:s=64x64:r=10:d=1", "-f", "lavfi", "-i", "color=blue:s=64x64:r=10:d=1"]
    source = clip(name, *two, "-filter_complex", "[0][1]concat", *arguments)
    made = await make_video(source, tools, 5)
    assert made.seconds == pytest.approx(6, abs=0.2)
    shown = [made.colour(0.5, 0.5, at) for at in (0.5, 1.5, 2.5, 5.5)]
    assert all(alike(*pair) for pair in zip(shown, (RED, BLUE, RED, BLUE), strict=True)), shown


REFUSED = {
    "drawing.png": (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', "not-a-picture"),
    "playlist.jpg": (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "not-a-picture"),
    "list.gif": (b"ffconcat version 1.0\nfile /etc/passwd\n", "not-a-picture"),
    "pages.png": (b"%PDF-1.7\n", "not-a-picture"),
    "packed.webp": (b"PK\x03\x04" + bytes(100), "not-a-picture"),
    "empty.jpg": (b"", "empty-file"),
    "bomb.png": (png_of(30_000, 30_000), "too-large-picture"),
    "overflow.png": (png_of(2**31 - 1, 2**31 - 1), "too-large-picture"),
    "nothing.png": (png_of(0, 10), "broken-file"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_image_or_too_large(name: str, tmp_path: Path, tools: Tools) -> None:
    source = tmp_path / name
    data, code = REFUSED[name]
    source.write_bytes(data)
    await refused(source, tools, code)


@pytest.mark.parametrize("name", ["cut.jpg", "cut.png", "cut.gif", "cut.webp"])
async def test_a_truncated_image(name: str, clip: Clip, tools: Tools) -> None:
    source = clip(name, "-f", "lavfi", "-i", "testsrc2=s=640x480", "-frames:v", "1")
    source.write_bytes(source.read_bytes()[:700])
    await refused(source, tools, "broken-file")


async def refused(source: Path, tools: Tools, code: str) -> None:
    with pytest.raises(TranscodeError) as caught:
        await make_video(source, tools)
    assert (caught.value.code, caught.value.final) == (code, True)
    assert list(source.parent.iterdir()) == [source]
