"""Encrypted files are read, in whole and in any part, as what was written."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest

from appservice.core.errors import NotFoundError
from appservice.media.concatenated import whole_of
from appservice.media.encrypted_writer import EncryptedWriter
from appservice.media.stored import StoredFile, decrypted_file, decrypted_segment, plain_file, read_all
from tests.support.factories import rendition
from tests.support.video.decrypted import decrypted_file as decrypted
from tests.unit.transcode.mp4.test_remux import made
from transcode.hls.encryption import FileEncryptor, SegmentEncryptor

KEY, OTHER = b"k" * 16, b"o" * 16
INIT = made().init

Write = Callable[[Path, bytes], StoredFile]


def as_file(folder: Path, content: bytes) -> StoredFile:
    encryptor = FileEncryptor(KEY, b"\xff" * 16)
    (folder / "preview.mp4").write_bytes(encryptor.update(content) + encryptor.finalize())
    return decrypted_file(plain_file(folder / "preview.mp4"), KEY)


def as_segment(folder: Path, content: bytes) -> StoredFile:
    write_segment(folder / "480", 3, content)
    return decrypted_segment(plain_file(folder / "480" / "3.m4s"), "480", 3, KEY)


def in_the_clear(folder: Path, content: bytes) -> StoredFile:
    (folder / "preview.mp4").write_bytes(content)
    return plain_file(folder / "preview.mp4")


def write_segment(folder: Path, index: int | None, content: bytes) -> None:
    folder.mkdir(exist_ok=True)
    encryptor = SegmentEncryptor(KEY, folder.name, index)
    name = "init.mp4" if index is None else f"{index}.m4s"
    (folder / name).write_bytes(encryptor.update(content) + encryptor.finalize())


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 31, 32, 33, 300_000, 600_001])
@pytest.mark.parametrize("write", [as_file, as_segment, in_the_clear])
def test_every_part_of_a_file(write: Write, size: int, tmp_path: Path) -> None:
    content = bytes(number % 251 for number in range(size))
    file = write(tmp_path, content)
    assert file.size == size
    assert read_all(file) == content
    edges = [edge for edge in (0, 1, 15, 16, 17, 32, 262_143, 262_144, 299_999, size - 1, size) if 0 <= edge <= size]
    for start in edges:
        for stop in edges:
            if start < stop:
                pieces = list(file.read(range(start, stop)))
                assert b"".join(pieces) == content[start:stop], (start, stop)
                assert all(pieces), "an empty piece would be taken for the end"


@pytest.mark.parametrize("damaged", [b"", b"x" * 15, b"x" * 17, b"x" * 4096])
def test_what_nobody_encrypted_is_not_read(damaged: bytes, tmp_path: Path) -> None:
    (tmp_path / "480").mkdir()
    (tmp_path / "480" / "0.m4s").write_bytes(damaged)
    with pytest.raises(NotFoundError):
        decrypted_segment(plain_file(tmp_path / "480" / "0.m4s"), "480", 0, KEY)
    (tmp_path / "poster.jpg").write_bytes(damaged[:15])
    with pytest.raises(NotFoundError):
        decrypted_file(plain_file(tmp_path / "poster.jpg"), KEY)


def _files(folder: Path) -> dict[str, StoredFile]:
    return {path.name: plain_file(path) for path in folder.iterdir()}


def test_a_rendition_as_one_file_is_the_same_encrypted_or_not(tmp_path: Path) -> None:
    played = rendition(seconds=5)
    segments = [bytes([number]) * (1000 + number) for number in range(3)]
    plain = tmp_path / "plain" / "480"
    plain.mkdir(parents=True)
    (plain / "init.mp4").write_bytes(INIT)
    write_segment(tmp_path / "480", None, INIT)
    for number, segment in enumerate(segments):
        (plain / f"{number}.m4s").write_bytes(segment)
        write_segment(tmp_path / "480", number, segment)
    encrypted = _files(tmp_path / "480")
    one, other = whole_of(_files(plain), played), whole_of(encrypted, played, KEY)
    assert one.size == other.size
    assert one.head == other.head, "its index has the sizes that are sent"
    for part in (range(one.size), range(len(one.head) + 990, len(one.head) + 1013), range(one.size - 5, one.size)):
        assert b"".join(other.pieces(part)) == b"".join(one.pieces(part))
    with pytest.raises(NotFoundError):
        whole_of(encrypted, played, OTHER)
    with pytest.raises(NotFoundError):
        whole_of(encrypted, replace(played, durations=(2.0,) * 9), KEY)


def test_a_zip_is_written_encrypted(tmp_path: Path) -> None:
    path, files = tmp_path / "export.zip", {f"videos/{number}.mp4": b"ftyp" * 100_000 for number in range(3)}
    with path.open("wb") as target, ZipFile(EncryptedWriter(target, KEY), "w", ZIP_STORED) as archive:
        archive.writestr("data.json", "{}")
        for name, content in files.items():
            with archive.open(name, "w", force_zip64=True) as entry:
                entry.write(content)
    written = path.read_bytes()
    assert b"ftyp" not in written
    assert b"data.json" not in written
    content = read_all(decrypted_file(plain_file(path), KEY))
    assert content == decrypted(written, KEY)
    archive = ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist() if name != "data.json"} == files
    assert all(not entry.flag_bits & 0x8 for entry in archive.infolist()), "sizes come before the content"
