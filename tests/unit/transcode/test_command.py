from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from transcode import command
from transcode.copying import Copying
from transcode.limits import Limits
from transcode.plan import plan
from transcode.probe import Probe
from transcode.tools import Tools

TOOLS = Tools(Path("/opt/ffmpeg"), Path("/opt/ffprobe"), "8.0", "test")
SOURCE = Path("/in/-odd: name%d.mp4")
LIMITS = Limits(threads=3)
CLIP = Probe(10.0, 1280, 720, 1280, 720, 30.0, 30.0, "h264", 2, 1, 0.0, None, interlaced=False)


def encode(probe: Probe = CLIP) -> list[str]:
    made = plan(probe, LIMITS)
    return command.encode(TOOLS, SOURCE, "mov", probe, made, made.ladder, "veryfast", LIMITS)


def copy(probe: Probe = CLIP, lead: float = 0.0, *, sound: bool = True) -> list[str]:
    return command.copy(TOOLS, SOURCE, "mov", probe, Copying(plan(probe, LIMITS).ladder[0], lead, 10.0, sound), LIMITS)


def values(line: list[str], option: str) -> list[str]:
    return [value for key, value in pairwise(line) if key == option]


@pytest.mark.parametrize(
    "line",
    [
        command.probe(TOOLS, SOURCE, "mov", LIMITS),
        command.packets(TOOLS, SOURCE, "mov", LIMITS),
        encode(),
        copy(),
        command.still(TOOLS, SOURCE, "mov", CLIP, plan(CLIP, LIMITS), LIMITS),
    ],
)
def test_a_strangers_file_is_read_under_every_restriction(line: list[str]) -> None:
    before = line[: line.index(f"file:{SOURCE}")]
    for option, value in {
        "-f": "mov",
        "-protocol_whitelist": "file",
        "-format_whitelist": "mov",
        "-max_streams": "16",
        "-max_pixels": "35400000",
        "-threads": "3",
    }.items():
        assert values(before, option)[0] == value
    allowed = values(before, "-codec_whitelist")[0].split(",")
    assert "h264" in allowed
    assert not {"gif", "png", "ansi", "exr"} & {*allowed}


def test_every_rung_is_made_in_one_run_with_the_same_key_frames() -> None:
    line = encode()
    assert [part for part in line if part.endswith("/index.m3u8")] == [f"{n}/index.m3u8" for n in (720, 480, 360, 240)]
    assert line.count("-i") == 1
    for option in ("-g", "-keyint_min", "-bf", "-sc_threshold", "-preset", "-c:a", "-t", "-hls_segment_options"):
        assert len(values(line, option)) == 4
        assert len(set(values(line, option))) == 1
    assert values(line, "-maxrate") == ["3041000", "1474000", "1036000", "521000"]
    graph = values(line, "-filter_complex")[0]
    assert graph.startswith("[0:2]")
    assert "[0:1]aresample" in graph
    assert graph.count("end_frame=300") == graph.count("end_sample=480000") == 1
    assert line.count("poster.jpg") == 1


def test_silence_is_added_where_there_is_no_sound() -> None:
    line = encode(replace(CLIP, audio_index=None))
    assert "anullsrc=r=48000:cl=stereo" in line
    assert "[1]aformat" in values(line, "-filter_complex")[0]


def test_old_pictures_are_deinterlaced_and_told_their_colours() -> None:
    graph = values(encode(replace(CLIP, interlaced=True, assumed_matrix="bt709")), "-filter_complex")[0]
    assert graph.index("setparams=colorspace=bt709") < graph.index("bwdif") < graph.index("fps=")
    assert "bwdif" not in values(encode(), "-filter_complex")[0]


def test_a_copy_takes_both_tracks_as_they_are() -> None:
    line = copy(lead=0.05)
    assert values(line, "-itsoffset") == ["-0.050000"]
    assert values(line, "-map") == ["0:2", "0:1"]
    assert (values(line, "-c:v"), values(line, "-c:a")) == (["copy"], ["copy"])
    assert values(line, "-bsf:a") == [r"noise=drop=lt(pts\,0)+gte(pts\,480000)"]
    assert "negative_cts_offsets" in values(line, "-movflags")[0]
    assert "-filter_complex" not in line
    assert "720/copy.mp4" in line


@pytest.mark.parametrize("probe", [CLIP, replace(CLIP, audio_index=None)])
def test_a_copy_may_have_sound_of_our_own(probe: Probe) -> None:
    line = copy(probe, sound=False)
    assert (values(line, "-c:v"), values(line, "-c:a")) == (["copy"], ["aac"])
    assert "end_sample=480000" in values(line, "-filter_complex")[0]
    assert values(line, "-t") == ["11.0"]


def test_the_quick_poster_decodes_key_frames_only() -> None:
    line = command.still(TOOLS, SOURCE, "mov", replace(CLIP, assumed_matrix="bt709"), plan(CLIP, LIMITS), LIMITS)
    before = line[: line.index(f"file:{SOURCE}")]
    assert (values(before, "-skip_frame"), values(before, "-ss")) == (["nokey"], ["1.000"])
    assert "setparams=colorspace=bt709" in values(line, "-filter_complex")[0]
