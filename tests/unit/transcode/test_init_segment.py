import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.init_segment import init_segment
from transcode.mp4 import box, boxes, child, codecs_of

AVCC = b"\x01\x64\x00\x1f\xff\xe1\x00\x04\x67\x64\x00\x1f\x01\x00\x02\x68\xee"
NCLX = box(b"colr", b"nclx\0\x01\0\x01\0\x01\0")


def descriptor(tag: int, content: bytes, *, long: bool = False) -> bytes:
    return bytes([tag, *(b"\x80\x80\x80" if long else b""), len(content)]) + content


def esds(specific: bytes = b"\x11\x90", *, flags: int = 0, long: bool = False, tag: int = 5) -> bytes:
    config = descriptor(4, bytes([0x40, 0x15]) + bytes(11) + descriptor(tag, specific, long=long), long=long)
    return box(b"esds", bytes(4), descriptor(3, struct.pack(">HB", 7, flags) + config, long=long))


def stsd(*entries: bytes) -> bytes:
    return struct.pack(">II", 0, len(entries)) + b"".join(entries)


def pictures(*content: bytes, kind: bytes = b"avc1") -> bytes:
    return stsd(box(kind, bytes(78), *content))


def sound(*content: bytes) -> bytes:
    return stsd(box(b"mp4a", bytes(28), *content))


PICTURES = pictures(box(b"avcC", AVCC))
SOUND = sound(esds())


def tracks(init: bytes) -> list[dict[bytes, bytes]]:
    return [dict(boxes(body)) for kind, body in boxes(child(init, b"moov")) if kind == b"trak"]


@pytest.mark.parametrize("long", [False, True])
def test_two_tracks(long: bool) -> None:
    init = init_segment(PICTURES, sound(esds(b"\x11\x90\x56\xe5\x00", long=long)), 1280, 720)
    assert codecs_of(init) == "avc1.64001f,mp4a.40.2"
    seen, heard = tracks(init)
    assert struct.unpack(">II", seen[b"tkhd"][-8:]) == (1280 << 16, 720 << 16)
    assert [struct.unpack_from(">I", child(track[b"mdia"], b"mdhd"), 12)[0] for track in (seen, heard)] == [
        90_000, 48_000,
    ]  # fmt: skip
    entry = child(seen[b"mdia"], b"minf", b"stbl", b"stsd")[8:]
    assert struct.unpack_from(">HH", entry, 8 + 24) == (1280, 720)
    assert child(entry[8 + 78 :], b"avcC") == AVCC
    assert b"elst" not in init


def test_only_what_a_decoder_needs_comes_through() -> None:
    private = box(b"uuid", b"52.5200 13.4050")
    init = init_segment(pictures(box(b"avcC", AVCC), NCLX, private), SOUND, 64, 64)
    assert NCLX in init
    assert b"52.5200" not in init
    profile = box(b"colr", b"prof", bytes(500))
    assert b"prof" not in init_segment(pictures(box(b"avcC", AVCC), profile), SOUND, 64, 64)


@pytest.mark.parametrize(
    ("video", "audio", "reason"),
    [
        (stsd(), SOUND, "sample entries"),
        (pictures(box(b"avcC", AVCC), kind=b"encv"), SOUND, "sample entries"),
        (stsd(PICTURES[8:], PICTURES[8:]), SOUND, "sample entries"),
        (pictures(), SOUND, "configuration"),
        (pictures(box(b"avcC", bytes(70_000))), SOUND, "configuration"),
        (PICTURES, stsd(), "sample entries"),
        (PICTURES, sound(), "missing"),
        (PICTURES, sound(box(b"esds", bytes(4))), "cut off"),
        (PICTURES, sound(box(b"esds", bytes(4), b"\x03\x80\x80\x80\x80\x80")), "no length"),
        (PICTURES, sound(esds(b"\x11\x94")), "plain AAC"),
        (PICTURES, sound(esds(b"\x12\x10")), "plain AAC"),
        (PICTURES, sound(esds(flags=0x80)), "depends"),
        (PICTURES, sound(esds(tag=6)), "expected"),
    ],
)
def test_what_is_not_plain_is_refused(video: bytes, audio: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        init_segment(video, audio, 64, 64)


@given(st.data())
def test_damage_raises_only_value_errors(data: st.DataObject) -> None:
    damaged = []
    for whole in (PICTURES, SOUND):
        position = data.draw(st.integers(0, len(whole)))
        damage = data.draw(st.binary(max_size=6))
        damaged.append(whole[:position] + damage + whole[position + len(damage) :])
    try:
        init = init_segment(damaged[0], damaged[1], 64, 64)
    except ValueError:
        return
    assert len(tracks(init)) == 2
