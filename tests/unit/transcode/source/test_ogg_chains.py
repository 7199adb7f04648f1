import io
import struct

from transcode.source.ogg_chains import Link, links_to_join

OPUS = b"OpusHead\x01\x01"
STEREO = b"OpusHead\x01\x02"


def theora(width: int, height: int, across: int = 0, down: int = 0) -> bytes:
    sides = b"".join(side.to_bytes(3) for side in (width, height))
    return b"\x80theora\x03\x02\x01" + bytes(4) + sides + bytes(10) + across.to_bytes(3) + down.to_bytes(3) + bytes(6)


def page(content: bytes, *, first: bool = False) -> bytes:
    lacing = bytes([255] * (len(content) // 255) + [len(content) % 255])
    return struct.pack("<4s2BQ3IB", b"OggS", 0, 2 * first, 0, 1, 0, 0, len(lacing)) + lacing + content


def link(*streams: bytes) -> bytes:
    return b"".join(page(stream, first=True) for stream in streams) + page(b"data" * 200)


def links_in(data: bytes) -> tuple[Link, ...]:
    return links_to_join(io.BytesIO(data))


def test_links_are_joined_where_ffmpeg_does_not_go_on() -> None:
    one, other = link(theora(320, 180), OPUS), link(theora(180, 320), OPUS)
    assert links_in(one + other) == (
        Link(0, len(one), (theora(320, 180), OPUS)),
        Link(len(one), len(one + other), (theora(180, 320), OPUS)),
    )
    assert links_in(one) == ()
    assert links_in(link(OPUS) + link(OPUS)) == ()
    assert len(links_in(link(OPUS) + link(STEREO) + link(OPUS))) == 3
    assert links_in(b"ID3" + one + other) == ()
    assert links_in(b"") == links_in(b"OggS") == links_in(page(OPUS, first=True)[:30]) == ()


def test_a_first_page_at_the_edge_of_a_piece() -> None:
    one, other = link(theora(320, 180)), link(theora(320, 180))
    for missing in range(8):
        filling = b"x" * (2**22 - len(one) - missing)
        assert [each.start for each in links_in(one + filling + other)] == [0, 2**22 - missing]


def test_sizes() -> None:
    assert Link(0, 1, (OPUS, theora(352, 288, 12, 11))).size == (384, 288)
    assert Link(0, 1, (theora(352, 288),)).size == (352, 288)
    assert Link(0, 1, (OPUS,)).size is None
    assert Link(0, 1, (theora(352, 288)[:30],)).size is None
    assert Link(0, 1, (OPUS,)).has_audio
    assert not Link(0, 1, (theora(352, 288),)).has_audio
