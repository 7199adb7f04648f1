"""Files that are held ready to be sent."""

import os
from pathlib import Path

from appservice.core.model import VideoId
from appservice.media.hot import MOST_OPEN, SMALL, HotFile, HotFiles

ID = VideoId("8f8f8f8f-0000-0000-0000-000000000000")


def _file(path: Path, size: int) -> HotFile:
    path.write_bytes(b"x" * size)
    return HotFile(path, os.open(path, os.O_RDONLY))


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_small_file_is_in_memory_and_a_large_one_is_open(tmp_path: Path) -> None:
    small, large = _file(tmp_path / "small", SMALL), _file(tmp_path / "large", SMALL + 1)
    assert (small.body, small.size, small.fileno()) == (b"x" * SMALL, SMALL, -1)
    assert (large.body, large.size) == (None, SMALL + 1)
    assert os.pread(large.fileno(), 1, SMALL) == b"x"


async def test_only_so_many_are_open_and_those_let_go_are_closed(tmp_path: Path) -> None:
    files, before = HotFiles(), _open_files()
    for number in range(MOST_OPEN * 2):
        video_id = VideoId(f"{number % 8:08x}-0000-0000-0000-000000000000")
        files.put(video_id, "1-ready", f"180/{number}.m4s", _file(tmp_path / str(number), SMALL + 1))
    assert _open_files() - before == MOST_OPEN
    last = f"180/{MOST_OPEN * 2 - 1}.m4s"
    assert files.get(VideoId(f"{7:08x}-0000-0000-0000-000000000000"), "1-ready", last)


async def test_one_is_found_by_all_of_its_name(tmp_path: Path) -> None:
    files = HotFiles()
    files.put(ID, "1-ready", "180/0.m4s", _file(tmp_path / "0", 10))
    assert files.get(ID, "1-ready", "180/0.m4s")
    assert files.get(ID, "2-ready", "180/0.m4s") is None
    assert files.get(ID, "1-ready", "180/1.m4s") is None
    assert files.get(VideoId("9" + ID[1:]), "1-ready", "180/0.m4s") is None
