import errno
import os
import struct
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.video.copies import write_copy
from tests.support.video.decrypted import decrypted_stage, in_the_clear, plain_stage
from tests.unit.transcode.mp4.test_boxes import AVC1, MP4A, init
from tests.unit.transcode.mp4.test_fragments import full
from tests.unit.transcode.mp4.test_remux import AUDIO_AT, FRAME_SIZES, FRAMES, PACKET_SIZES, RATE, SELECTION, made
from transcode.commandline.outputs import FRAGMENTS
from transcode.errors import BrokenFile, DiskFull, Overloaded, TranscodeError
from transcode.mp4.boxes import box
from transcode.segments import INIT as INIT_NAME
from transcode.segments import Copier, Cutter, InvalidRendition

INIT = init(AVC1, MP4A)
IDR = struct.pack(">IB", 1, 0x65)
# The muxer's kind of fragment: one run per track, which starts with a sync sample.
_DATA, _LENGTH, _SIZE = 0x1, 0x100, 0x200


def fragment(frame: bytes = IDR, *, audio: bool = True, sync: bool = True) -> bytes:
    def traf(track: int, offset: int, size: int) -> bytes:
        tfhd = full(b"tfhd", 0x20, track, 0 if sync else 0x10000)
        tfdt = full(b"tfdt", 0, 0, 0, version=1)
        return box(b"traf", tfhd, tfdt, full(b"trun", _DATA | _LENGTH | _SIZE, 1, offset, 100, size))

    tracks = [1, 2] if audio else [1]
    moof = box(b"moof", *(traf(track, 0, len(frame)) for track in tracks))
    offset = len(moof) + 8
    return box(b"moof", *(traf(track, offset, len(frame)) for track in tracks)) + box(b"mdat", frame)


def cutter_of(folder: Path) -> tuple[Cutter, Path]:
    """Cut into the folder `240`, and return ffmpeg's file beside it."""
    made = folder / "made" / "240"
    made.mkdir(parents=True)
    (folder / "240").mkdir()
    return Cutter(made.parent, made.name, folder / "240"), made / FRAGMENTS


def written(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_cut_while_it_is_written(tmp_path: Path) -> None:
    cutter, file = cutter_of(tmp_path)
    folder = tmp_path / "240"
    assert cutter.advance() == 0
    first, second = fragment(IDR + b"1"), fragment(IDR + b"22")
    whole = INIT + first + second
    for end in range(len(whole) + 1):
        file.write_bytes(whole[:end])
        expected = (end >= len(INIT + first)) + (end == len(whole))
        assert cutter.advance() == expected
        names = [f"{number}.m4s" for number in range(expected)]
        assert written(folder) == sorted([*names, *(["init.mp4"] if end >= len(INIT) else [])])
    with closing(cutter):
        cutter.finish()
    assert written(folder) == ["0.m4s", "1.m4s", "init.mp4"]
    assert (folder / "init.mp4").read_bytes() == INIT == cutter.init
    assert (folder / "0.m4s").read_bytes() == first
    assert (folder / "1.m4s").read_bytes() == second
    assert [segment.size for segment in cutter.segments] == [len(first), len(second)]


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EXDEV, errno.EOPNOTSUPP])
def test_a_file_system_that_copies_no_ranges(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(code, "not here")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    cutter, file = cutter_of(tmp_path)
    file.write_bytes(INIT + fragment(IDR + b"1") + fragment())
    with closing(cutter):
        cutter.finish()
    assert (tmp_path / "240" / "0.m4s").read_bytes() == fragment(IDR + b"1")
    assert (tmp_path / "240" / "1.m4s").read_bytes() == fragment()


@pytest.mark.parametrize(
    ("code", "kind"),
    [(errno.ENOSPC, DiskFull), (errno.EDQUOT, DiskFull), (errno.ENOMEM, Overloaded), (errno.EIO, InvalidRendition)],
)
def test_what_the_machine_lacks_is_reported(
    code: int, kind: type[TranscodeError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(code, "so it is")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    cutter, file = cutter_of(tmp_path)
    file.write_bytes(INIT + fragment())
    with closing(cutter), pytest.raises(kind, match="so it is"):
        cutter.finish()


def test_the_folder_may_move_meanwhile(tmp_path: Path) -> None:
    cutter, path = cutter_of(tmp_path)
    after = tmp_path / "after"
    with path.open("wb") as file:
        file.write(INIT + fragment())
        file.flush()
        assert cutter.advance() == 1
        (tmp_path / "240").rename(after)
        file.write(fragment())
    with closing(cutter):
        cutter.finish()
    assert written(after) == ["0.m4s", "1.m4s", "init.mp4"]


@pytest.mark.parametrize(
    "whole",
    [
        None,
        b"",
        b"\x00\x00\x00\x09moof",
        INIT + fragment()[:-1],
        INIT + fragment(audio=False),
        INIT + fragment(sync=False),
        INIT + fragment(struct.pack(">IB", 1, 0x41)),
        INIT + box(b"moof", box(b"traf")) + box(b"mdat"),
    ],
)
def test_what_is_missing_or_broken(whole: bytes | None, tmp_path: Path) -> None:
    cutter, file = cutter_of(tmp_path)
    if whole is not None:
        file.write_bytes(whole)
    with closing(cutter), pytest.raises(InvalidRendition):
        cutter.finish()


def test_audio_alone(tmp_path: Path) -> None:
    cutter, file = cutter_of(tmp_path)
    file.write_bytes(INIT + box(b"moof") + box(b"mdat"))
    with closing(cutter), pytest.raises(BrokenFile):
        cutter.finish()


@pytest.mark.parametrize(
    "head",
    [
        struct.pack(">I4s", 2**30, b"moov"),
        INIT + struct.pack(">I4s", 2**30, b"moof"),
        INIT + box(b"moof") + struct.pack(">I4s", 2**30, b"mdat"),
        INIT + fragment() + struct.pack(">I4sQ", 1, b"free", 2**30),
    ],
)
def test_a_giant_that_takes_no_space_is_not_read(head: bytes, tmp_path: Path) -> None:
    cutter, path = cutter_of(tmp_path)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + 2**30)
    with closing(cutter), pytest.raises(InvalidRendition, match="bytes"):
        cutter.advance()


def copied_from(file: Path) -> bytes:
    """Write a video of which the index is known, without one."""
    data = bytearray(number % 251 for number in range(AUDIO_AT + sum(PACKET_SIZES)))
    for number in range(0, FRAMES, RATE):
        start = 1000 + sum(FRAME_SIZES[:number])
        data[start : start + len(IDR)] = IDR
    file.write_bytes(data)
    return bytes(data)


def test_a_copy_is_written_sample_by_sample(tmp_path: Path) -> None:
    data, copy = copied_from(tmp_path / "source"), made()
    folder = tmp_path / "240"
    folder.mkdir()
    done = write_copy(tmp_path / "source", copy, folder)
    assert done.init == copy.init == (folder / INIT_NAME).read_bytes()
    files = [folder / f"{number}.m4s" for number in range(len(copy.segments))]
    assert {*folder.iterdir()} == {*files, folder / INIT_NAME}
    assert [file.stat().st_size for file in files] == [segment.size for segment in done.segments]
    for part, file in zip(copy.segments, files, strict=True):
        samples = b"".join(data[piece.start : piece.stop] for piece in part.pieces if isinstance(piece, range))
        assert file.read_bytes() == part.head + samples
    assert [segment.video.decode_time for segment in done.segments] == [0, 180_000, 360_000]
    assert done.av_offset == copy.av_offset


def test_a_copy_is_written_in_steps_wherever_its_folder_is(tmp_path: Path, key: bytes) -> None:
    copied_from(tmp_path / "source")
    copy, folder, moved = made(), tmp_path / "240", tmp_path / "moved"
    for each in (folder, tmp_path / "whole" / "240"):
        each.mkdir(parents=True)
    with closing(Copier(tmp_path / "source", copy, folder, key)) as copier:
        assert len(copier.check().segments) == 3
        assert list(folder.iterdir()) == []
        first = sum(map(len, copy.segments[0].pieces))
        assert copier.write(first) == 1
        folder.rename(moved)
        assert {path.name for path in moved.iterdir()} == {"init.mp4", "0.m4s"}
        assert copier.write(1) == 2
        assert copier.write() == 3
    write_copy(tmp_path / "source", copy, tmp_path / "whole" / "240", key)
    for path in (tmp_path / "whole" / "240").iterdir():
        assert (moved / path.name).read_bytes() == path.read_bytes()


def test_silence_is_written_between_samples(tmp_path: Path) -> None:
    data, copy = copied_from(tmp_path / "source"), made(selection=replace(SELECTION, audio_offset=1.0))
    write_copy(tmp_path / "source", copy, tmp_path)
    first = copy.segments[0]
    silence, packets = first.audio
    assert isinstance(silence, bytes)
    assert isinstance(packets, range)
    (frames,) = first.video
    written = (tmp_path / "0.m4s").read_bytes()
    assert written == first.head + data[frames.start : frames.stop] + silence + data[packets.start : packets.stop]


def test_a_copy_of_what_cannot_be_begun_is_unfit(tmp_path: Path) -> None:
    data = copied_from(tmp_path / "source")
    (tmp_path / "source").write_bytes(data.replace(IDR, b"\0\0\0\1\x61"))
    with pytest.raises(InvalidRendition, match="key frame"):
        write_copy(tmp_path / "source", made(), tmp_path)


def test_a_copy_of_what_is_gone_is_unfit(tmp_path: Path) -> None:
    data = copied_from(tmp_path / "source")
    (tmp_path / "source").write_bytes(data[:AUDIO_AT])
    with pytest.raises(InvalidRendition, match="cut off"):
        write_copy(tmp_path / "source", made(), tmp_path)


# With a key


@pytest.fixture
def key() -> bytes:
    return bytes(range(16))


def test_what_is_cut_with_a_key_is_encrypted(tmp_path: Path, key: bytes) -> None:
    _, file = cutter_of(tmp_path)
    first, second = fragment(IDR + b"1" * 70_000), fragment(IDR + b"22")
    file.write_bytes(INIT + first + second)
    with closing(Cutter(file.parent.parent, "240", tmp_path / "240", key=key)) as cutter:
        done = cutter.finish()
    assert [segment.size for segment in done.segments] == [len(first), len(second)], "what bit rates are made of"
    assert in_the_clear(tmp_path / "240") == []
    file.unlink()
    assert decrypted_stage(tmp_path, key) == {"240/init.mp4": INIT, "240/0.m4s": first, "240/1.m4s": second}
    assert done.init == INIT


def test_a_copy_with_a_key_is_encrypted(tmp_path: Path, key: bytes) -> None:
    copied_from(tmp_path / "source")
    copy = made(selection=replace(SELECTION, audio_offset=1.0))
    plain, folder = tmp_path / "plain" / "240", tmp_path / "encrypted" / "240"
    for each in (plain, folder):
        each.mkdir(parents=True)
    assert write_copy(tmp_path / "source", copy, folder, key) == write_copy(tmp_path / "source", copy, plain)
    assert in_the_clear(folder) == []
    assert decrypted_stage(folder.parent, key) == plain_stage(plain.parent)
