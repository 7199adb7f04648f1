"""Files with bytes before their container, or with unusual edit lists, play in both stages alike."""

import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.video.container_edits import with_boxes, with_edit_list
from tests.support.video.decoded_stages import assert_stages, pattern
from tests.support.video.output_checks import Clip, Transcoded
from transcode import Limits, Tools, video_of_audio
from transcode.errors import NotAVideo
from transcode.examine.file import examine
from transcode.mp4.boxes import box
from transcode.settings import DEFAULT

AAC = "-c:a", "aac", "-b:a", "96k"
H264 = "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30", *AAC
REORDERED = "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-bf", "2", "-g", "30", *AAC
HEVC = "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", "-g", "30", *AAC
VP9 = "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"
M2TS = "-mpegts_m2ts_mode", "1"

NOISE = random.Random(16).randbytes(5000)  # noqa: S311 - the same each time
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n"


def tagged(size: int) -> bytes:
    """An ID3v2.4 tag whose frames are `size` bytes of padding."""
    return b"ID3\x04\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)


def off_boundary(data: bytes) -> bytes:
    """What is left of packets whose first one was cut through, its adaptation field full of stuffing."""
    return b"\xff" * 88 + data


def moved(data: bytes, before: bytes) -> bytes:
    """Put boxes before an MP4, whose index counts them."""

    def change(stco: bytes) -> bytes:
        return stco[:8] + b"".join(
            struct.pack(">I", old + len(before)) for (old,) in struct.iter_unpack(">I", stco[8:])
        )

    return before + with_boxes(data, [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stco"], change)


@dataclass(frozen=True)
class Case:
    """A file of four seconds, and the change of its bytes."""

    name: str
    arguments: Sequence[str]
    change: Callable[[bytes], bytes]

    def __str__(self) -> str:
        return self.name


LEADING = [
    Case("off-boundary.ts", H264, off_boundary),
    Case("off-boundary-hevc.ts", HEVC, off_boundary),
    Case("off-boundary.m2ts", (*H264, *M2TS), lambda data: data[188:]),
    Case("noise.ts", H264, lambda data: NOISE + data),
    Case("noise.m2ts", (*H264, *M2TS), lambda data: NOISE[:333] + data),
    Case("id3.ts", H264, lambda data: tagged(73) + data),
    Case("two-tags.ts", H264, lambda data: tagged(70_000) + tagged(5) + data),
    Case("noise.webm", VP9, lambda data: NOISE[:777] + data),
    Case("line-breaks.mkv", H264, lambda data: b"\r\n\r\n" + data),
    Case("http-header.mp4", H264, lambda data: HTTP + data),
    Case("http-header-hevc.mp4", HEVC, lambda data: HTTP + data),
    Case("uuid.mp4", H264, lambda data: moved(data, box(b"uuid", bytes(100)))),
    Case("styp.mp4", H264, lambda data: moved(data, box(b"styp", b"msdh\0\0\0\0msdh"))),
    Case("id3.mp4", H264, lambda data: tagged(9) + data),
    Case("noise.flv", (*H264, "-ar", "44100"), lambda data: NOISE + data),
    Case("noise.mpg", ("-c:v", "mpeg1video", "-r", "30", "-b:v", "2M", "-c:a", "mp2"), lambda data: NOISE[:99] + data),
]
EDITED = [
    Case("two-edits.mp4", H264, lambda data: with_edit_list(data, (0.041, -1, 1), (0, 0, 1), kinds=[b"vide"])),
    Case("two-edits-hevc.mp4", HEVC, lambda data: with_edit_list(data, (0.041, -1, 1), (0, 0, 1), kinds=[b"vide"])),
    Case(
        "two-edits-reordered.mp4",
        REORDERED,
        lambda data: with_edit_list(data, (0.041, -1, 1), (0, 0, 1), kinds=[b"vide"]),
    ),
    Case("shorter-than-a-frame.mp4", H264, lambda data: with_edit_list(data, (0.005, 0, 1))),
    Case("one-edit-of-no-length.mp4", H264, lambda data: with_edit_list(data, (0, 0, 1), kinds=[b"vide"])),
    Case("of-audio.mp4", H264, lambda data: with_edit_list(data, (0, 0, 1), kinds=[b"soun"])),
    Case("of-reordered-frames.mp4", REORDERED, lambda data: with_edit_list(data, (0, 1 / 15, 1), kinds=[b"vide"])),
    Case("behind-the-end.mp4", H264, lambda data: with_edit_list(data, (4, 100, 1), kinds=[b"vide"])),
    Case("nothing-but-a-pause.mp4", H264, lambda data: with_edit_list(data, (0.5, -1, 1), kinds=[b"vide"])),
]


@pytest.mark.parametrize("case", [*LEADING, *EDITED], ids=str)
async def test_it_plays_whole(case: Case, clip: Clip, tools: Tools, transcoded: Transcoded) -> None:
    source = clip(case.name, *pattern(4), *case.arguments)
    source.write_bytes(case.change(source.read_bytes()))
    assert_stages(tools, await transcoded(source), duration=4, aspect=16 / 9, flashes=[1, 3])


async def test_a_stream_that_was_cut_into_plays_from_its_first_key_frame(
    clip: Clip, tools: Tools, transcoded: Transcoded
) -> None:
    # No key frame is a flash.
    whole = clip("whole.ts", *pattern(6), *H264, "-g", "20")
    data = whole.read_bytes()
    source = whole.with_name("cut.ts")
    source.write_bytes(data[len(data) // 3 :])
    playable, ready = assert_stages(tools, await transcoded(source), first="other")
    assert 2.5 < playable.duration < 5
    assert playable.frames == ready.frames


@pytest.mark.parametrize(
    ("name", "codec"), [("tagged.mp3", "libmp3lame"), ("tagged.aac", "aac"), ("tagged.flac", "flac")]
)
async def test_audio_behind_a_tag_is_read(name: str, codec: str, clip: Clip, tools: Tools, tmp_path: Path) -> None:
    source = clip(name, "-f", "lavfi", "-i", "sine=440:r=44100:d=2", "-c:a", codec, "-map_metadata", "-1")
    source.write_bytes(tagged(3000) + source.read_bytes())
    target = tmp_path / "video.mp4"
    await video_of_audio(source, target, tools=tools, limits=Limits())
    examined = await examine(target, tools, Limits(), DEFAULT, float("inf"))
    assert examined.plan.duration == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize("before", [b"PK\x03\x04", b"\xff\xd8\xff\xe0", b"%PDF-1.7\n"])
async def test_a_file_of_another_kind_is_not_searched(before: bytes, clip: Clip, tools: Tools) -> None:
    source = clip("inside.mp4", *pattern(1), *H264)
    source.write_bytes(before + bytes(200) + source.read_bytes())
    with pytest.raises(NotAVideo):
        await examine(source, tools, Limits(), DEFAULT, float("inf"))
