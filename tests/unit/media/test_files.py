"""The media folder: complete stages appear at once, names that are none of ours lead nowhere."""

import os
import uuid
from pathlib import Path

import pytest

from appservice.core.errors import NotFoundError
from appservice.core.model import Video, VideoId
from appservice.media.files import LocalFiles
from appservice.media.names import files_of
from appservice.media.storage import StageName
from appservice.media.stored import open_plain, plain_size
from tests.support.factories import make_video
from transcode.storyboard import Storyboard

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
    await files.sweep(VIDEO, keep=["1-ready"])
    assert [folder.name for folder in (tmp_path / "media" / VIDEO).iterdir()] == ["1-ready"]
    await files.sweep(VIDEO, keep=[])
    assert not (tmp_path / "media" / VIDEO).exists()
    await files.sweep(VIDEO, keep=["1-ready"])


async def test_a_stage_of_an_overtaken_attempt_is_removed_alone(files: LocalFiles, tmp_path: Path) -> None:
    for stage in ("1-playable", "2-playable"):
        await files.publish(_stage(tmp_path / stage, stage), VIDEO, stage)
    await files.remove(VIDEO, "1-playable")
    await files.remove(VIDEO, "1-playable")
    assert [folder.name for folder in (tmp_path / "media" / VIDEO).iterdir()] == ["2-playable"]


async def _whole(files: LocalFiles, folder: Path, video: Video) -> None:
    for name in files_of(video):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    await files.publish(folder, video.id, str(video.media.stage))


async def test_shared_files_outlive_those_of_the_other_video(files: LocalFiles, tmp_path: Path) -> None:
    storyboard = Storyboard(columns=1, count=1, width=160, height=90, interval=1.0)
    one, other = make_video(1, storyboard=storyboard, has_preview=True), VideoId(str(uuid.UUID(int=2)))
    await _whole(files, tmp_path / "one", one)
    assert await files.copy(StageName(one.id, "1-ready"), files_of(one), StageName(other, "1-ready"))
    assert await files.stages(other) == {"1-ready"}
    await files.sweep(one.id, keep=[])
    names = list(files_of(one))
    assert names == [
        "480/init.mp4", "480/0.m4s", "480/1.m4s", "480/2.m4s", "poster.jpg", "storyboard.jpg", "preview.mp4",
    ]  # fmt: skip
    for name in names:
        assert files.path(other, "1-ready", name).read_text() == name


@pytest.mark.parametrize("missing", ["480/init.mp4", "480/2.m4s", "poster.jpg", None])
async def test_what_is_being_swept_is_not_shared(files: LocalFiles, tmp_path: Path, missing: str | None) -> None:
    video = make_video(1)
    await _whole(files, tmp_path / "one", video)
    if missing:
        files.path(video.id, "1-ready", missing).unlink()
    else:
        await files.sweep(video.id, keep=[])
    target = StageName(VideoId(str(uuid.UUID(int=2))), "1-ready")
    assert not await files.copy(StageName(video.id, "1-ready"), files_of(video), target)
    assert not await files.stages(target.video_id)


@pytest.mark.parametrize(
    "name", ["720/init.mp4", "240/0.m4s", "1080/123456.m4s", "poster.jpg", "storyboard.jpg", "preview.mp4"]
)
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
        ("1-ready", "index.m3u8"),
        ("1-ready", "720/3.m4s.tmp"),
        ("1-ready", "720/init.mp4.tmp"),
        ("1-ready", "poster.jpg.tmp"),
        ("1-ready", "previewxmp4"),
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


async def test_the_size_of_a_stage(files: LocalFiles) -> None:
    stage = files.path(VIDEO, "1-ab", "poster.jpg").parent
    (stage / "240").mkdir(parents=True)
    (stage / "240" / "0.m4s").write_bytes(b"12345")
    (stage / "poster.jpg").write_bytes(b"123")
    (stage / "gone").symlink_to(stage / "renamed")
    assert await files.size(VIDEO, "1-ab") == 8


@pytest.mark.parametrize("kind", ["link", "link on the way", "FIFO", "folder"])
async def test_only_regular_files_are_served(kind: str, files: LocalFiles, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    for name in ("init.mp4", "config.yaml"):
        (secret / name).write_text("as_token")
    stage = _stage(tmp_path / "made", "well") if kind != "link on the way" else tmp_path / "made"
    stage.mkdir(exist_ok=True)
    place = (await files.publish(stage, VIDEO, "1-ready")).path
    init, poster = place / "720" / "init.mp4", place / "poster.jpg"
    if kind == "link on the way":
        (place / "720").symlink_to(secret)
        wrong = "720/init.mp4"
        with pytest.raises(NotFoundError):
            await files.local(VIDEO, "1-ready", wrong)
        return
    assert await files.local(VIDEO, "1-ready", "720/init.mp4") == init
    {"link": lambda: poster.symlink_to(secret / "config.yaml"), "FIFO": lambda: os.mkfifo(poster)}.get(
        kind, poster.mkdir
    )()
    with pytest.raises(NotFoundError):
        await files.local(VIDEO, "1-ready", "poster.jpg")
    if kind != "folder":
        with pytest.raises((NotFoundError, OSError)):
            open_plain(poster)
        with pytest.raises(NotFoundError):
            plain_size(poster)
