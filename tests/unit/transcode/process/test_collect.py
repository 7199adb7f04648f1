"""What a program in the sandbox may have left instead of the file that was to be made."""

import os
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.video.decrypted import decrypted_file
from transcode.hls.encryption import FileEncryptor
from transcode.process import collect
from transcode.process.collect import JPEG, Directory, PlantedError

SECRET = b"\xff\xd8\xff as_token: of the configuration"


def a_link(path: Path, secret: Path) -> None:
    path.symlink_to(secret)


def a_fifo(path: Path, _: Path) -> None:
    os.mkfifo(path)


def a_device(path: Path, _: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can make a device")
    os.mknod(path, 0o20666, os.makedev(1, 5))


def a_hard_link(path: Path, secret: Path) -> None:
    path.hardlink_to(secret)


def a_folder(path: Path, _: Path) -> None:
    path.mkdir()


def a_socket(path: Path, _: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


def a_giant(path: Path, _: Path) -> None:
    with path.open("wb") as file:
        file.write(SECRET)
        file.truncate(JPEG.most + 1)


PLANTED = [a_link, a_fifo, a_device, a_hard_link, a_folder, a_socket, a_giant]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_bytes(SECRET)
    return path


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("plant", PLANTED)
def test_what_was_planted_does_not_leave(
    plant: Callable[[Path, Path], None], made: Path, secret: Path, tmp_path: Path
) -> None:
    plant(made / "poster.jpg", secret)
    target = tmp_path / "poster.jpg"
    with pytest.raises(PlantedError, match=r"poster\.jpg"):
        collect.take(made, "poster.jpg", target, JPEG)
    with pytest.raises(PlantedError):
        collect.read(made, "poster.jpg", JPEG.most)
    assert not target.exists()


def test_no_folder_on_the_way_may_be_a_link(made: Path, secret: Path) -> None:
    (made / "480").symlink_to(secret.parent)
    with pytest.raises(PlantedError):
        collect.opened(made, f"480/{secret.name}", 100)


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"as_token"])
def test_another_type_does_not_leave(content: bytes, made: Path, tmp_path: Path) -> None:
    (made / "poster.jpg").write_bytes(content)
    with pytest.raises(PlantedError, match="type"):
        collect.take(made, "poster.jpg", tmp_path / "poster.jpg", JPEG)


def test_what_leaves_is_a_copy(made: Path, tmp_path: Path) -> None:
    file, target = made / "poster.jpg", tmp_path / "poster.jpg"
    file.write_bytes(SECRET)
    file.chmod(0o4777)
    assert collect.take(made, "poster.jpg", target, JPEG)
    assert target.read_bytes() == SECRET
    assert not target.samefile(file)
    assert not target.stat().st_mode & 0o7111
    assert not collect.take(made, "other.jpg", tmp_path / "other.jpg", JPEG)
    assert collect.read(made, "other.jpg", 10) == b""


def test_nothing_is_written_through_a_link(made: Path, secret: Path, tmp_path: Path) -> None:
    (made / "stencil.rgba").symlink_to(secret)
    collect.put(made, "stencil.rgba", b"ours")
    assert (made / "stencil.rgba").read_bytes() == b"ours"
    assert secret.read_bytes() == SECRET
    (tmp_path / "0.m4s.tmp").symlink_to(secret)
    with (made / "stencil.rgba").open("rb") as file, closing(Directory(tmp_path)) as directory:
        directory.write(file, range(1, 3), "0.m4s")
        with pytest.raises(EOFError):
            directory.write(file, range(1, 9), "1.m4s")
    assert (tmp_path / "0.m4s").read_bytes() == b"ur"
    assert not (tmp_path / "1.m4s").exists()
    assert secret.read_bytes() == SECRET
    (made / "folder").mkdir()
    with pytest.raises(PlantedError):
        collect.put(made, "folder", b"ours")


def test_what_is_taken_encrypted_is_nowhere_in_the_clear(made: Path, tmp_path: Path) -> None:
    content = b"\xff\xd8\xff" + bytes(200_000)
    (made / "poster.jpg").write_bytes(content)
    assert collect.take(made, "poster.jpg", tmp_path / "poster.jpg", JPEG, FileEncryptor(b"k" * 16, b"i" * 16))
    written = (tmp_path / "poster.jpg").read_bytes()
    assert len(written) == len(content) + 16
    assert decrypted_file(written, b"k" * 16) == content
    (made / "poster.jpg").write_bytes(content)
    with (made / "poster.jpg").open("rb") as file, closing(Directory(tmp_path)) as directory, pytest.raises(EOFError):
        directory.write(file, range(len(content) + 1), "longer", FileEncryptor(b"k" * 16, b"i" * 16))
    assert not (tmp_path / "longer").exists()
