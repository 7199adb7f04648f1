from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from transcode.commandline import first_stage, images, ladder, preparation, probing
from transcode.commandline.inputs import Access, Source
from transcode.commandline.ladder import CopyAlignment
from transcode.commandline.recording import recording
from transcode.copy_policy import StreamCopy
from transcode.hls.captions import Captions, Track
from transcode.limits import Limits
from transcode.mp4.moov import Edits
from transcode.plan import plan
from transcode.process.tools import Tools
from transcode.settings import Settings
from transcode.source.probe import Audio, Probe, VideoTrack

TOOLS = Tools(Path("/opt/ffmpeg"), Path("/opt/ffprobe"), "8.0", "test")
SOURCE = Path("/in/-odd: name%d.mp4")
LIMITS = Limits(threads=3)
CLIP = Probe(VideoTrack(2, "h264", 1280, 720, 1280, 720, 30.0, 30.0), Audio(index=1), start=0.0, duration=10.0)


TRACKS = [Track(2, Captions("captions-0.vtt", None, "1"))]
GIVEN = Source(TOOLS, SOURCE, "mov", CLIP, LIMITS)


def given(probe: Probe) -> Source:
    return replace(GIVEN, probe=probe)


def with_video(**video: Any) -> Probe:  # noqa: ANN401 - fields of several types
    return replace(CLIP, video=replace(CLIP.video, **video))


def encode(probe: Probe = CLIP) -> list[str]:
    return ladder.ladder(given(probe), plan(probe, LIMITS), Settings(preset="fast"), 0.0)


def stream_copy(*, copies_audio: bool = True, start: float = 0.0) -> StreamCopy:
    return StreamCopy(plan(CLIP, LIMITS).ladder[0], start, 10.0, 0.0, copies_audio)


def beside(*durations: float, lag: float = 0.0) -> list[str]:
    return ladder.ladder_with_copy(GIVEN, plan(CLIP, LIMITS), Settings(), 0.0, aligned(0.05, durations, lag))


def aligned(start: float, durations: tuple[float, ...], lag: float = 0.0, bits: int = 10**7) -> CopyAlignment:
    copied = stream_copy(start=start)
    return CopyAlignment(copied, (copied.rung, *plan(CLIP, LIMITS).rungs(bits)[1:]), durations, lag)


def values(line: list[str], option: str) -> list[str]:
    return [value for key, value in pairwise(line) if key == option]


def graphs(line: list[str]) -> str:
    return " ".join(values(line, "-filter_complex"))


def files(line: list[str]) -> list[str]:
    """The file of each rung, from the description that the tee muxer takes."""
    (described,) = (part for part in line if part.startswith("[select="))
    assert described.count("negative_cts_offsets") == described.count("select=")
    return [slave.split("]")[1] for slave in described.split("|")]


@pytest.mark.parametrize(
    "line",
    [
        probing.probe(TOOLS, SOURCE, "mov", LIMITS),
        probing.packets(TOOLS, SOURCE, "mov", LIMITS),
        first_stage.encode(GIVEN, plan(CLIP, LIMITS), Settings()),
        encode(),
        beside(4.0, 6.0),
        first_stage.copy(GIVEN, stream_copy()),
        images.poster(GIVEN, plan(CLIP, LIMITS), candidates=1, late=True),
        probing.loudness(GIVEN),
    ],
)
def test_a_strangers_file_is_read_under_every_restriction(line: list[str]) -> None:
    before = line[: line.index(f"file:{SOURCE}")]
    for option, value in {
        "-f": "mov",
        "-protocol_whitelist": "file",
        "-format_whitelist": "mov",
        "-max_streams": "128",
        "-max_pixels": "35400000",
        "-threads": "3",
    }.items():
        assert values(before, option)[0] == value
    allowed = values(before, "-codec_whitelist")[0].split(",")
    assert "h264" in allowed
    assert not {"gif", "png", "ansi", "exr"} & {*allowed}


def test_what_is_behind_other_bytes_is_read_under_the_same_restrictions() -> None:
    access = Access(start=88, edits=Edits.IGNORED)
    behind = replace(GIVEN, access=access)
    for line in (
        probing.probe(TOOLS, SOURCE, "mov", LIMITS, access),
        probing.packets(TOOLS, SOURCE, "mov", LIMITS, access),
        first_stage.encode(behind, plan(CLIP, LIMITS), Settings()),
        preparation.captions(behind, TRACKS, None),
    ):
        before = line[: line.index(f"subfile,,start,88,end,0,,:{SOURCE}")]
        assert values(before, "-protocol_whitelist") == ["subfile,file"]
        assert values(before, "-f") == values(before, "-format_whitelist") == ["mov"]
        assert values(before, "-ignore_editlist") == ["1"]


def test_every_rung_is_made_in_one_run_with_the_same_key_frames_and_audio() -> None:
    line = encode()
    assert files(line) == [f"{n}/whole.mp4" for n in (720, 480, 240)]
    assert line.count("-i") == 1
    for number, rate in enumerate((3_041_000, 1_474_000, 521_000)):
        for option, value in {
            "c": "libx264",
            "preset": "fast",
            "g": 60,
            "keyint_min": 60,
            "bf": 0,
            "maxrate": rate,
        }.items():
            assert values(line, f"-{option}:v:{number}") == [str(value)]
    assert values(line, "-c:a") == ["aac"]
    # Separate graphs, or audio would wait for the poster.
    audio, images = sorted(values(line, "-filter_complex"))
    assert audio.startswith("[0:1]pan=")
    assert images.startswith("[0:2]fps")
    graph = graphs(line)
    assert graph.count("end_frame=300") == graph.count("end_sample=480000") == 1
    assert [line.count(name) for name in ("poster.jpg", "storyboard.jpg", "preview.mp4", "blur.rgb")] == [1] * 4


def test_the_quick_rung_is_alone() -> None:
    line = first_stage.encode(GIVEN, plan(CLIP, LIMITS), Settings(preset="slow"))
    assert files(line) == ["480/whole.mp4"]
    assert values(line, "-preset:v:0") == ["superfast"]
    assert "poster.jpg" not in line
    # A key frame after a second, and then where the ladder's are.
    assert values(line, "-force_key_frames:v:0") == ["expr:not(mod(n,60))+eq(n,30)"]


@pytest.mark.parametrize(("codec", "known"), [("vp9", True), ("hevc", True), ("h264", False), ("mpeg4", False)])
def test_a_codec_that_signals_its_reorder_delay_is_decoded_at_once(codec: str, known: bool) -> None:
    probe = with_video(codec=codec)
    line = first_stage.encode(given(probe), plan(probe, LIMITS), Settings())
    assert ("-nofind_stream_info" in line) is known


@pytest.mark.parametrize(("demuxer", "known"), [("mov", True), ("matroska", True), ("flv", False), ("mpegts", False)])
def test_streams_that_the_header_does_not_list_are_probed(demuxer: str, known: bool) -> None:
    probe = with_video(codec="hevc")
    line = first_stage.encode(replace(given(probe), demuxer=demuxer), plan(probe, LIMITS), Settings())
    assert ("-nofind_stream_info" in line) is known


def test_every_line_counts_from_one_origin() -> None:
    late = given(replace(with_video(codec="vp9"), start=10.5))
    made = plan(late.probe, LIMITS)
    from_start = [
        first_stage.encode(late, made, Settings()),
        ladder.ladder(late, made, Settings(), 0.0),
        recording(late, replace(made, ladder=made.ladder[:2]), 0),
        preparation.captions(late, TRACKS, None),
        probing.loudness(late),
    ]
    for line in from_start:
        assert (values(line, "-itsoffset"), values(line, "-seek_timestamp")) == (["-10.500000"], ["1"])
    for line in (
        first_stage.copy(late, stream_copy(start=0.05)),
        preparation.captions(late, TRACKS, stream_copy(start=0.05)),
        ladder.ladder_with_copy(late, made, Settings(), 0.0, aligned(0.05, (2.0,))),
    ):
        assert (values(line, "-itsoffset"), values(line, "-seek_timestamp")) == (["-10.550000"], ["1"])
    line = images.poster(late, made, candidates=1, late=True)
    assert (values(line, "-ss"), values(line, "-seek_timestamp")) == (["11.500000"], ["1"])
    # Negative time stamps get an offset, so that they start at zero.
    early = first_stage.encode(given(replace(CLIP, start=-0.2)), made, Settings())
    assert values(early, "-itsoffset") == ["0.200000"]


def test_rungs_beside_a_copy_are_cut_where_it_is() -> None:
    line = beside(1.5, 4.0, 4.5, lag=0.1)
    assert files(line) == [f"{n}/whole.mp4" for n in (720, 480, 240)]
    assert values(line, "-itsoffset") == ["-0.050000"]
    assert values(line, "-c:v:0") == ["copy"]
    assert values(line, "-preset:v:0") == values(line, "-force_key_frames:v:0") == []
    for number in (1, 2):
        assert values(line, f"-force_key_frames:v:{number}") == ["1.499000,5.499000"]
        assert values(line, f"-bsf:v:{number}") == ["setts=dts=DTS-0.100000/TB"]
    # Each frame at its own time stamp.
    assert "fps=60" not in graphs(line)
    assert not any(option.startswith(("-force_key", "-bsf:v")) for option in beside(10.0))


@pytest.mark.parametrize("width", [1920, 1280, 320])
def test_images_come_from_the_nearest_rung(width: int) -> None:
    probe = with_video(width=width, height=width * 9 // 16)
    made = plan(probe, LIMITS)
    several = CopyAlignment(stream_copy(), made.rungs(10**7), (10.0,), 0)
    for line in (
        encode(probe),
        ladder.ladder_with_copy(given(probe), made, Settings(), 0.0, several),
        ladder.ladder_with_copy(given(probe), made, Settings(), 0.0, replace(several, rungs=several.rungs[:1])),
    ):
        assert [line.count(name) for name in ("poster.jpg", "storyboard.jpg", "preview.mp4")] == [1] * 3


def test_loudness_is_changed_by_one_gain() -> None:
    line = ladder.ladder(GIVEN, plan(CLIP, LIMITS), Settings(), -3.25)
    assert graphs(line).count("volume=-3.25dB") == 1
    assert "volume" not in graphs(encode())


def test_hdr_goes_through_the_table_once() -> None:
    line = encode(with_video(hdr="smpte2084"))
    assert graphs(line).count("lut3d=file=tone.cube") == 1
    assert "lut3d" not in graphs(encode())


def test_silence_is_added_where_there_is_no_audio() -> None:
    line = encode(replace(CLIP, audio=Audio()))
    assert "anullsrc=r=48000:cl=stereo" in line
    assert "[1]aformat" in graphs(line)


def test_old_video_is_deinterlaced_and_labelled_with_its_colours() -> None:
    graph = graphs(encode(with_video(interlaced=True, assumed_matrix="bt709")))
    assert graph.index("setparams=colorspace=bt709") < graph.index("bwdif") < graph.index("fps=")
    assert "bwdif" not in graphs(encode())


def test_a_copy_takes_both_tracks_as_they_are() -> None:
    line = first_stage.copy(GIVEN, stream_copy(start=0.05))
    assert values(line, "-itsoffset") == ["-0.050000"]
    assert values(line, "-map") == ["0:2", "0:1"]
    assert (values(line, "-c:v"), values(line, "-c:a")) == (["copy"], ["copy"])
    assert values(line, "-bsf:a") == [r"noise=drop=lt(pts\,0)+gte(pts\,480000)"]
    assert "-filter_complex" not in line
    assert files(line) == ["720/whole.mp4"]


@pytest.mark.parametrize("probe", [CLIP, replace(CLIP, audio=Audio())])
def test_a_copy_may_have_encoded_audio(probe: Probe) -> None:
    line = first_stage.copy(given(probe), stream_copy(copies_audio=False))
    assert (values(line, "-c:v"), values(line, "-c:a")) == (["copy"], ["aac"])
    assert "end_sample=480000" in graphs(line)
    assert values(line, "-t") == ["11.0"]


def test_the_first_frames_will_do_for_a_poster() -> None:
    line = images.poster(GIVEN, plan(CLIP, LIMITS), candidates=5, late=False)
    assert "-ss" not in line
    assert "thumbnail=5" in graphs(line)


def test_the_quick_poster_decodes_key_frames_only() -> None:
    line = images.poster(given(with_video(assumed_matrix="bt709")), plan(CLIP, LIMITS), candidates=1, late=True)
    before = line[: line.index(f"file:{SOURCE}")]
    assert (values(before, "-skip_frame"), values(before, "-ss")) == (["nokey"], ["1.000000"])
    assert "setparams=colorspace=bt709" in graphs(line)
