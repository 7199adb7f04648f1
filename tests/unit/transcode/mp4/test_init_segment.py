import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.mp4.boxes import box, boxes, child, codecs_of
from transcode.mp4.init_segment import Aac, aac_of, init_segment

AVCC = b"\x01\x64\x00\x1f\xff\xe1\x00\x04\x67\x64\x00\x1f\x01\x00\x02\x68\xee"
NCLX = box(b"colr", b"nclx\0\x01\0\x01\0\x01\0")


def descriptor(tag: int, content: bytes, *, long: bool = False) -> bytes:
    return bytes([tag, *(b"\x80\x80\x80" if long else b""), len(content)]) + content


def esds(specific: bytes = b"\x11\x90", *, flags: int = 0, long: bool = False, tag: int = 5) -> bytes:
    config = descriptor(4, bytes([0x40, 0x15]) + bytes(11) + descriptor(tag, specific, long=long), long=long)
    return box(b"esds", bytes(4), descriptor(3, struct.pack(">HB", 7, flags) + config, long=long))


def stsd(*entries: bytes) -> bytes:
    return struct.pack(">II", 0, len(entries)) + b"".join(entries)


def video_stsd(*content: bytes, kind: bytes = b"avc1") -> bytes:
    return stsd(box(kind, bytes(78), *content))


def audio_stsd(*content: bytes) -> bytes:
    return stsd(box(b"mp4a", bytes(28), *content))


VIDEO_STSD = video_stsd(box(b"avcC", AVCC))
AUDIO_STSD = audio_stsd(esds())


def tracks(init: bytes) -> list[dict[bytes, bytes]]:
    return [dict(boxes(body)) for kind, body in boxes(child(init, b"moov")) if kind == b"trak"]


@pytest.mark.parametrize(
    ("specific", "aac"),
    [
        (b"\x11\x90", Aac(48_000, 2)),
        (b"\x11\x88", Aac(48_000, 1)),
        (b"\x12\x10", Aac(44_100, 2)),
        (b"\x12\x08", Aac(44_100, 1)),
        (b"\x12\x90", Aac(32_000, 2)),
        # HE-AAC could follow, and does not.
        (b"\x12\x08\x56\xe5\x00", Aac(44_100, 1)),
    ],
)
@pytest.mark.parametrize("long", [False, True])
def test_what_audio_is_declared(specific: bytes, aac: Aac, long: bool) -> None:
    stream = esds(specific, long=long)
    assert aac_of(audio_stsd(stream)) == aac
    # As QuickTime has it.
    entry = bytes(8) + b"\0\x01" + bytes(34) + box(b"wave", box(b"frma", b"mp4a"), stream, bytes(4))
    assert aac_of(stsd(box(b"mp4a", entry))) == aac
    again = child(tracks(init_segment(VIDEO_STSD, aac, 64, 64))[1][b"mdia"], b"minf", b"stbl", b"stsd")
    assert aac_of(again) == aac


def test_two_tracks() -> None:
    init = init_segment(VIDEO_STSD, Aac(44_100, 1), 1280, 720)
    assert codecs_of(init) == "avc1.64001f,mp4a.40.2"
    video, audio = tracks(init)
    assert struct.unpack(">II", video[b"tkhd"][-8:]) == (1280 << 16, 720 << 16)
    assert [struct.unpack_from(">I", child(track[b"mdia"], b"mdhd"), 12)[0] for track in (video, audio)] == [
        90_000, 44_100,
    ]  # fmt: skip
    entry = child(video[b"mdia"], b"minf", b"stbl", b"stsd")[8:]
    assert struct.unpack_from(">HH", entry, 8 + 24) == (1280, 720)
    assert child(entry[8 + 78 :], b"avcC") == AVCC
    assert b"elst" not in init


def test_only_what_a_decoder_needs_comes_through() -> None:
    private = box(b"uuid", b"52.5200 13.4050")
    init = init_segment(video_stsd(box(b"avcC", AVCC), NCLX, private), Aac(), 64, 64)
    assert NCLX in init
    assert b"52.5200" not in init
    profile = box(b"colr", b"prof", bytes(500))
    assert b"prof" not in init_segment(video_stsd(box(b"avcC", AVCC), profile), Aac(), 64, 64)


@pytest.mark.parametrize(
    ("video", "reason"),
    [
        (stsd(), "sample entries"),
        (video_stsd(box(b"avcC", AVCC), kind=b"encv"), "sample entries"),
        (stsd(VIDEO_STSD[8:], VIDEO_STSD[8:]), "sample entries"),
        (video_stsd(), "configuration"),
        (video_stsd(box(b"avcC", bytes(70_000))), "configuration"),
    ],
)
def test_video_that_is_not_plain_is_refused(video: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        init_segment(video, Aac(), 64, 64)


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (stsd(), "sample entries"),
        (stsd(AUDIO_STSD[8:], AUDIO_STSD[8:]), "sample entries"),
        (stsd(box(b"mp4a", bytes(8), b"\0\x02", bytes(50))), "version 2"),
        (stsd(box(b"mp4a", bytes(4))), "cut off"),
        (audio_stsd(), "missing"),
        (audio_stsd(box(b"esds", bytes(4))), "cut off"),
        (audio_stsd(box(b"esds", bytes(4), b"\x03\x80\x80\x80\x80\x80")), "no length"),
        (audio_stsd(esds(b"\x11\x94")), "plain AAC"),
        (audio_stsd(esds(b"\x11\xb0")), "plain AAC"),
        (audio_stsd(esds(b"\x13\x90")), "plain AAC"),
        (audio_stsd(esds(b"\x2b\x11\x88\x00")), "plain AAC"),
        (audio_stsd(esds(b"\x12\x08\x56\xe5\xa0")), "HE-AAC"),
        (audio_stsd(esds(flags=0x80)), "depends"),
        (audio_stsd(esds(tag=6)), "expected"),
    ],
)
def test_audio_that_is_not_plain_is_refused(audio: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        aac_of(audio)


@given(st.data())
def test_damage_raises_only_value_errors(data: st.DataObject) -> None:
    damaged = []
    for whole in (VIDEO_STSD, AUDIO_STSD):
        position = data.draw(st.integers(0, len(whole)))
        damage = data.draw(st.binary(max_size=6))
        damaged.append(whole[:position] + damage + whole[position + len(damage) :])
    try:
        init = init_segment(damaged[0], aac_of(damaged[1]), 64, 64)
    except ValueError:
        return
    assert len(tracks(init)) == 2
