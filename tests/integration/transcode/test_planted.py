"""A compromised ffmpeg does its work, and plants something else in place of an output file."""

import os
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.video.output_checks import Clip, transcode
from transcode import Limits, Tools, prepare_recording, video_of_audio, video_of_image
from transcode.process.collect import PlantedError, read
from transcode.process.sandbox import NONE

SECRET = "as_token: hs_token: WEBVTT\n\n00:00.000 --> 00:01.000\nas_token\n\n"
KINDS = {
    "link": "ln -s {secret} {file}",
    "FIFO": "mkfifo {file}",
    "device": "mknod {file} c 1 5",
    "hard link": "ln {secret} {file}",
    "folder": "mkdir {file}",
    "giant": "truncate -s 20G {file}",
}
PRODUCTS = ["poster.jpg", "storyboard.jpg", "preview.mp4", "whole.mp4", "captions0.vtt"]
VIDEO = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=10:d=3", "-f", "lavfi", "-i", "sine=d=3"]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(SECRET)
    return path


Compromised = Callable[[str, str], Tools]


@pytest.fixture
def compromised(tools: Tools, tmp_path: Path, secret: Path) -> Compromised:
    """Return tools that plant a kind of file in place of each file of a name, without a sandbox."""

    def make(kind: str, name: str) -> Tools:
        if kind == "device" and os.geteuid():
            pytest.skip("only root can make a device")
        command = KINDS[kind].format(secret=shlex.quote(str(secret)), file='"$file"')
        script = tmp_path / "ffmpeg"
        script.write_text(
            f'#!/bin/sh\n{shlex.quote(str(tools.ffmpeg))} "$@" || exit\n'
            f'for file in {name} */{name}; do [ -e "$file" ] && rm "$file" && {command}; done; exit 0\n'
        )
        script.chmod(0o755)
        return replace(tools, ffmpeg=script, sandbox=NONE)

    return make


def leaked(folder: Path) -> list[Path]:
    """Find what is no plain file, or has the secret in it."""
    files = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    return [
        path for path in files
        if path.is_symlink() or not path.is_file() or path.stat().st_size > 2**30 or b"as_token" in path.read_bytes()
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name"), [*((kind, "poster.jpg") for kind in KINDS), *(("link", name) for name in PRODUCTS[1:])]
)
async def test_nothing_planted_is_published(
    kind: str,
    name: str,
    compromised: Compromised,
    secret: Path,
    clip: Clip,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A file that is read while it is written would be open already when another takes its name, which is harmless.
    for interval in ("quick_rung._FIRST_INTERVAL_S", "ladder._INTERVAL_S"):
        monkeypatch.setattr(f"transcode.stages.{interval}", 60.0)
    subtitles = tmp_path / "said.srt"
    subtitles.write_text("1\n00:00:00,000 --> 00:00:02,000\nsaid\n")
    source = clip("source.mkv", *VIDEO, "-i", str(subtitles))
    served = tmp_path / "media"

    def publish(_: object) -> None:
        if not served.exists():
            (tmp_path / "out" / "playable").rename(served)

    with pytest.raises(PlantedError) as caught:
        await transcode(source, tmp_path / "out", tools=compromised(kind, name), limits=Limits(), on_stage=publish)
    assert caught.value.final
    published = [served, tmp_path / "out" / "playable", tmp_path / "out" / "ready"]
    assert [path for folder in published if folder.exists() for path in leaked(folder)] == []
    assert secret.read_text() == SECRET


def test_a_link_that_takes_the_name_between_two_calls_is_not_followed(
    secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = tmp_path / "poster.jpg"
    planted.write_bytes(b"\xff\xd8\xff")
    look = os.stat

    def swap(name: str, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        found = look(name, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
        if name == "poster.jpg":
            planted.unlink()
            planted.symlink_to(secret)
        return found

    monkeypatch.setattr(os, "stat", swap)
    with pytest.raises(PlantedError):
        read(tmp_path, "poster.jpg", 2**20)
    assert planted.is_symlink()


async def test_segments_are_appended_where_ffmpeg_cannot_write(
    compromised: Compromised, clip: Clip, tmp_path: Path
) -> None:
    source = clip("source.mkv", *VIDEO)
    served = tmp_path / "media"
    published_files: list[set[Path]] = []

    def publish(_: object) -> None:
        if not served.exists():
            (tmp_path / "out" / "playable").rename(served)
        published_files.append({path.relative_to(served) for path in served.rglob("*") if path.is_file()})

    await transcode(source, tmp_path / "out", tools=compromised("link", "none"), limits=Limits(), on_stage=publish)
    assert published_files
    # On a busy machine perhaps all segments at once, but nothing else.
    allowed = {"init.mp4", "0.m4s", "1.m4s", "2.m4s"}
    assert {path.name for path in published_files[0]} <= allowed
    assert allowed <= {path.name for path in served.rglob("*")}, "segments are appended there"
    assert leaked(tmp_path / "out" / "ready") == []
    assert not list((tmp_path / "out").glob("*/*/whole.mp4"))


async def recording(tools: Tools, clip: Clip, folder: Path) -> None:
    source = clip("source.mkv", *VIDEO)
    await prepare_recording(source, folder / "out", tools=tools, limits=Limits())


async def voice(tools: Tools, clip: Clip, folder: Path) -> None:
    source = clip("source.ogg", "-f", "lavfi", "-i", "sine=d=1")
    await video_of_audio(source, folder / "out", tools=tools, limits=Limits())


async def image(tools: Tools, clip: Clip, folder: Path) -> None:
    source = clip("source.png", *VIDEO[:4], "-frames:v", "1", "-update", "1")
    await video_of_image(source, folder / "out", seconds=1, tools=tools, limits=Limits())


Made = Callable[[Tools, Clip, Path], Awaitable[None]]


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (recording, "recording.mp4"),
        (recording, "poster.jpg"),
        (voice, "audio.raw"),
        (voice, "video.mp4"),
        (image, "downscaled.rgba"),
        (image, "video.mp4"),
    ],
)
@pytest.mark.parametrize("kind", ["link", "FIFO", "hard link"])
async def test_nothing_planted_is_read_or_sent(
    make: Made, name: str, kind: str, compromised: Compromised, secret: Path, clip: Clip, tmp_path: Path
) -> None:
    with pytest.raises(PlantedError):
        await make(compromised(kind, name), clip, tmp_path)
    out = tmp_path / "out"
    assert not out.is_file()
    assert not (out / name).exists()
    assert secret.read_text() == SECRET


async def test_a_stencil_is_not_written_through_a_link(
    compromised: Compromised, secret: Path, clip: Clip, tools: Tools, tmp_path: Path
) -> None:
    """It is the one file that we write into ffmpeg's folder."""
    planting = compromised("link", "audio.raw")
    text = planting.ffmpeg.read_text()
    line = f"[ -e audio.raw ] && [ ! -e stencil.rgba ] && ln -s {shlex.quote(str(secret))} stencil.rgba; exit 0"
    planting.ffmpeg.write_text(text.rsplit("\nfor", 1)[0] + f"\n{line}\n")
    await voice(planting, clip, tmp_path)
    assert secret.read_text() == SECRET
    assert (tmp_path / "out").stat().st_size > 0
