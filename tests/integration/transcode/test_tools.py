"""Which ffmpeg is taken, tried with the real one and with programs that only claim to be one."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import transcode
from tests.support.video.output_checks import Clip, Transcoded, output_of
from transcode.errors import ToolMissing
from transcode.process.encoders import encoder, trial
from transcode.process.tools import NEEDED, Tools, find_tools, usable_encoder

SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"


def program(folder: Path, name: str, version: str, **without: str) -> str:
    """Make a program that claims every component except those in `without`."""
    lists = {kind: sorted(names - {without.get(kind)}) for kind, names in NEEDED.items()}
    if "av1" not in without:
        lists["decoders"].append("libdav1d")
    path = folder / name
    cases = "".join(f" *-{kind}) printf ' F %s Words\\n' {' '.join(names)};;" for kind, names in lists.items())
    path.write_text(
        f'#!/bin/sh\ncase "$*" in *version) echo "{name} version {version} Copyright";;{cases} *) exit 1;; esac\n'
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
    monkeypatch.setenv("PATH", f"{tmp_path}:{SYSTEM}")
    found = find_tools()
    assert (found.ffmpeg, found.ffprobe) == (tmp_path / "ffmpeg", tmp_path / "ffprobe")
    assert (found.version, found.origin, found.reason) == ("n7.1", "PATH", "")


@pytest.mark.parametrize(
    ("version", "without", "reason"),
    [
        ("5.1.9-0+deb12u1", {}, "is version 5.1.9-0+deb12u1, older than 7"),
        ("8.0", {"encoders": "libx264"}, "lacks the encoders libx264"),
        ("8.0", {"filters": "lut3d"}, "lacks the filters lut3d"),
        ("8.0", {"muxers": "tee"}, "lacks the muxers tee"),
        ("8.0", {"demuxers": "matroska"}, "lacks the demuxers matroska"),
        ("8.0", {"av1": ""}, "cannot decode AV1"),
    ],
)
def test_one_on_path_that_is_not_able_is_rejected_with_the_reason(
    version: str, without: dict[str, str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ffmpeg", "ffprobe"):
        program(tmp_path, name, version, **without)
    monkeypatch.setenv("PATH", f"{tmp_path}:{SYSTEM}")
    # A variable of the package's that would have another one run.
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "ffmpeg"))
    found = find_tools()
    assert found.origin == "imageio-ffmpeg"
    assert found.ffmpeg.parts[-3:-1] == ("imageio_ffmpeg", "binaries")
    assert found.reason == f"{tmp_path / 'ffmpeg'} {reason}"


@pytest.mark.parametrize(
    ("version", "without", "reason"),
    [
        ("6.1", {}, "version 6.1"),
        ("8.0", {"encoders": "libx264"}, "lacks the encoders libx264"),
        ("8.0", {"muxers": "tee"}, "lacks the muxers tee"),
    ],
)
def test_one_that_was_configured_is_refused_with_advice(
    version: str, without: dict[str, str], reason: str, tmp_path: Path
) -> None:
    ffmpeg = program(tmp_path, "ffmpeg", version, **without)
    ffprobe = program(tmp_path, "ffprobe", version)
    with pytest.raises(ToolMissing, match=f"{reason}.*install ffmpeg 7 or newer"):
        find_tools(ffmpeg, ffprobe)


def test_what_is_not_ffmpeg_at_all(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="not an executable"):
        find_tools(str(tmp_path / "nowhere"))
    with pytest.raises(ToolMissing, match="does not print its version"):
        find_tools("/bin/echo", "/bin/echo")
    with pytest.raises(ToolMissing, match="does not run"):
        find_tools("/bin/false", "/bin/false")


def test_a_development_build_is_new_enough(tmp_path: Path) -> None:
    ffmpeg = program(tmp_path, "ffmpeg", "N-121000-gabcdef")
    assert find_tools(ffmpeg, program(tmp_path, "ffprobe", "2026-01-01-git")).version == "N-121000-gabcdef"


def _filters_named() -> Iterator[str]:
    """Give the name of every filter that our command lines are built with."""
    for file in Path(transcode.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                name = node.args[0]
                if node.func.attr in {"filter", "filter_multi_output"} and isinstance(name, ast.Constant):
                    yield str(name.value)


def test_every_filter_that_we_name_is_required() -> None:
    named = set(_filters_named())
    assert {"scale", "tpad"} < named
    assert named <= NEEDED["filters"]


@pytest.mark.parametrize("name", ["h264_vaapi", "h264_nvenc", "h264_qsv"])
def test_hardware_that_does_not_work_is_replaced_with_the_reason(name: str, tools: Tools) -> None:
    chosen, reason = usable_encoder(tools, name)
    if reason is None:
        # This machine has it, and it encoded.
        assert chosen == name
        return
    assert chosen == "libx264"
    assert "\n" not in reason
    # It is the hardware that is missing, not one of our options.
    assert "option" not in reason.lower()


@pytest.mark.parametrize("name", ["libx264", "h264_vaapi", "h264_nvenc", "h264_qsv"])
def test_ffmpeg_knows_the_options_of_an_encoder(name: str, tools: Tools) -> None:
    words = output_of(tools.ffmpeg, "-h", f"encoder={name}").decode().split()
    if "Encoder" not in words:
        pytest.skip("this ffmpeg was built without it")
    for key, value in encoder(name).quality.items():
        if key in {"global_quality", "sc_threshold"}:
            continue  # options of all encoders
        assert f"-{key}" in words
        assert isinstance(value, int) or value in words


def test_software_needs_no_trial_but_would_pass_it(tools: Tools) -> None:
    assert usable_encoder(tools, "libx264") == ("libx264", None)
    subprocess.run(trial(str(tools.ffmpeg), encoder("libx264")), check=True)


def test_an_encoder_that_nobody_knows(tools: Tools) -> None:
    chosen, reason = usable_encoder(tools, "h264_magic")
    assert chosen == "libx264"
    assert reason is not None
    assert "no H.264 encoder is called h264_magic" in reason


@pytest.mark.parametrize("name", ["new.mp4", "new.webm"])
async def test_av1_becomes_ready(name: str, clip: Clip, transcoded: Transcoded) -> None:
    source = clip(name, "-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=2", "-c:v", "libsvtav1", "-preset", "13")
    ready = (await transcoded(source)).ready
    assert (ready.width, ready.height) == (320, 240)
    assert ready.duration == pytest.approx(2.0)
