import pytest

from transcode.source.pixel_aspects import KeyFrames, aspect_at_time, headers_in, recorded_in, select_in_order

NARROW, WIDE = bytes.fromhex("16012023"), bytes.fromhex("16012033")
SPS = bytes.fromhex("6742c020da014016ec0440000003004000000f03c60ca8")
HEVC = bytes.fromhex("42010101600000030090000003000003003fa0050201")


def found(*lines: str) -> KeyFrames:
    frames = KeyFrames()
    reported = "".join(f"{line}\n" for line in lines).encode()
    # In two pieces, the first of which ends within a line.
    frames.feed(reported[:20])
    frames.feed(reported[20:])
    return frames


def test_headers_of_mpeg_2() -> None:
    data = b"\0\0\1\xb3" + NARROW + b"..\0\0\1\xb3" + NARROW + b"\0\0\1\0\0\0\1\xb3" + WIDE
    assert headers_in(data, "mpeg2video") == {NARROW, WIDE}


@pytest.mark.parametrize(("codec", "body"), [("h264", SPS), ("hevc", HEVC)])
@pytest.mark.parametrize("start", [b"\0\0\1", b"\0\0\0\1", b"length"])
def test_headers_behind_start_codes_and_lengths(codec: str, body: bytes, start: bytes) -> None:
    start = len(body).to_bytes(4) if start == b"length" else start
    end = b"\0\0\0\4next" if len(start) == 4 else b"\0\0\1next"
    assert headers_in(b"before" + start + body + end, codec) == {body}
    assert headers_in(b"before" + start + b"\x41" + body[1:] + end, codec) == set()


def test_records() -> None:
    avcc = b"\1" + SPS[1:4] + b"\xff\xe1" + len(SPS).to_bytes(2) + SPS + b"\1\0\4pps"
    assert recorded_in(b"avcC" + avcc, "h264") == {SPS}
    assert recorded_in(b"avcC" + avcc.replace(b"\x67\x42", b"\x67\x4d"), "h264") == set()
    # FLV has another one in the middle.
    assert headers_in(b"\x17\0\0\0\0" + avcc, "h264") == {SPS}
    hvcc = b"\x21\0\1" + len(HEVC).to_bytes(2) + HEVC + b"\x22"
    assert recorded_in(b"hvcC" + hvcc, "hevc") == {HEVC}
    assert recorded_in(hvcc, "mpeg2video") == set()


def test_changes_count_from_the_origin() -> None:
    lines = [f"pts_time={60 + second}|sample_aspect_ratio={'12:11' if second < 4 else '16:11'}" for second in range(8)]
    assert found(*lines).changes(60, None) == ((0, 12 / 11), (4, 16 / 11))
    assert found(*lines[:4]).changes(60, None) == ()
    assert found().changes(60, None) == ()


def test_a_container_holds_until_the_frames_say_something_else() -> None:
    lines = [f"pts_time={time}|sample_aspect_ratio={aspect}" for time, aspect in enumerate(("1:1", "2:1", "1:1"))]
    assert found(*lines).changes(0, 1.5) == ((0, 1.5), (1, 2.0), (2, 1.5))
    assert found(*lines).changes(0, None) == ((0, 1.0), (1, 2.0), (2, 1.0))
    # What it says is what they become.
    assert found(*lines[:2]).changes(0, 2.0) == ()


@pytest.mark.parametrize("reported", ["", "N/A", "0:1", "1:0", "100:1", "1:100", "x:y"])
def test_pixels_that_nobody_believes_in_are_square(reported: str) -> None:
    line = f"pts_time=1.0|sample_aspect_ratio={reported}"
    assert found("pts_time=0.0|sample_aspect_ratio=4:3", line).changes(0, None)[1] == (1.0, 1.0)


def test_a_file_of_changes_alone_is_bounded() -> None:
    lines = [f"pts_time={second}|sample_aspect_ratio={1 + second % 2}:1" for second in range(10_000)]
    changes = found(*lines).changes(0, None)
    assert len(changes) == 300
    # Linux takes 128 KiB in an argument.
    assert 4 * len(aspect_at_time(changes)) + 3 * len(select_in_order(changes)) < 100_000


def test_expressions() -> None:
    changes = ((0.0, 1.5), (2.0, 1.25))
    assert aspect_at_time(changes) == "1.500000+gte(t,1.998)*-0.250000"
    assert select_in_order(changes) == "0*st(0,max(max(ld(0),key*(gte(t,1.998))),gte(t,2.498)))+gte(ld(0),gte(t,1.998))"
