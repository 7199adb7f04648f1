"""The media folder: complete stages appear at once, names that are none of ours lead nowhere."""

import uuid
from pathlib import Path

import pytest

from appservice.errors import NotFoundError
from appservice.files import LocalFiles
from appservice.model import VideoId

VIDEO = VideoId(str(uuid.UUID(int=1)))


@pytest.fixture
async def files(tmp_path: Path) -> LocalFiles:
    files = LocalFiles(tmp_path / "media")
    await files.prepare()
    return files


def _stage(folder: Path, content: str) -> Path:
    (folder / "720").mkdir(parents=True)
    (folder / "720" / "init.mp4").write_text(content)
    return folder


async def test_preparing_leaves_nothing_behind(files: LocalFiles, tmp_path: Path) -> None:
    await files.prepare()
    assert list((tmp_path / "media").iterdir()) == []


async def test_a_published_stage_is_found_and_replaces_one_that_was_never_announced(
    files: LocalFiles, tmp_path: Path
) -> None:
    for content in ("old", "new"):
        await files.publish(_stage(tmp_path / content, content), VIDEO, "1-ready")
        assert files.path(VIDEO, "1-ready", "720/init.mp4").read_text() == content
        assert not (tmp_path / content).exists()


async def test_sweeping_keeps_one_stage_or_none(files: LocalFiles, tmp_path: Path) -> None:
    for stage in ("1-playable", "1-ready"):
        await files.publish(_stage(tmp_path / stage, stage), VIDEO, stage)
    await files.sweep(VIDEO, keep="1-ready")
    assert [folder.name for folder in (tmp_path / "media" / VIDEO).iterdir()] == ["1-ready"]
    await files.sweep(VIDEO, keep=None)
    assert not (tmp_path / "media" / VIDEO).exists()
    await files.sweep(VIDEO, keep="1-ready")


@pytest.mark.parametrize("name", ["720/init.mp4", "240/0.m4s", "1080/123456.m4s", "poster.jpg"])
def test_names_of_ours(files: LocalFiles, tmp_path: Path, name: str) -> None:
    assert files.path(VIDEO, "1-ready", name) == tmp_path / "media" / VIDEO / "1-ready" / name


@pytest.mark.parametrize(
    ("stage", "name"),
    [
        ("1-ready", "../../config.yaml"),
        ("1-ready", "720/../init.mp4"),
        ("1-ready", "/etc/passwd"),
        ("1-ready", "720/init.mp4\n"),
        ("1-ready", "720/index.m3u8"),
        ("1-ready", "７20/init.mp4"),
        ("1-ready", "posterxjpg"),
        ("1-ready", ""),
        ("..", "poster.jpg"),
        ("a/b", "poster.jpg"),
        ("", "poster.jpg"),
        ("A", "poster.jpg"),
    ],
)
def test_other_names_lead_nowhere(files: LocalFiles, stage: str, name: str) -> None:
    with pytest.raises(NotFoundError):
        files.path(VIDEO, stage, name)
