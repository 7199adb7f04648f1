"""A first rendition that must be encoded is watched while it is made."""

from pathlib import Path

import pytest

from tests.integration.transcode.media import Clip, check_gapless
from transcode import Limits, Result, Tools, transcode

# More work than the time between two looks, by far.
LONG = [
    "-f",
    "lavfi",
    "-i",
    "testsrc2=s=1280x720:r=60:d=12",
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-pix_fmt",
    "yuv444p",
]


class EnoughError(Exception):
    """Ends the job: the ladder is not looked at here."""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_segments_appear_where_the_folder_went(clip: Clip, tmp_path: Path, tools: Tools) -> None:
    source = clip("long.mp4", *LONG)
    moved, out = tmp_path / "served", tmp_path / "out"
    seen: list[Result] = []

    async def on_playable(result: Result) -> Path:
        (out / "playable").rename(moved)
        assert names(moved) == {"480"}
        await on_grown(result)
        return moved

    async def on_grown(result: Result) -> None:
        seen.append(result)
        assert result.poster is None or names(moved) == {"480", result.poster}
        segments = {f"{number}.m4s" for number in range(result.available)}
        assert {"init.mp4", *segments} <= names(moved / "480")
        if result.whole:
            raise EnoughError

    with pytest.raises(EnoughError):
        await transcode(source, out, tools=tools, limits=Limits(), on_playable=on_playable, on_grown=on_grown)
    counts = [result.available for result in seen]
    assert counts == sorted(counts)
    assert len({(result.available, result.poster) for result in seen}) == len(seen)
    assert 1 <= counts[0] < counts[-1] == 7
    assert seen[0].poster is None
    assert seen[-1].poster == "poster.jpg"
    planned, whole = seen[0].renditions[0], seen[-1].renditions[0]
    assert planned.durations == whole.durations == (1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0)
    assert planned.codecs == whole.codecs
    assert planned.bandwidth >= whole.bandwidth
    check_gapless(moved, seen[-1], tools, tmp_path)


async def test_what_the_publisher_raises_ends_the_job(clip: Clip, tmp_path: Path, tools: Tools) -> None:
    async def refuse(_: Result) -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        await transcode(clip("long.mp4", *LONG), tmp_path / "out", tools=tools, limits=Limits(), on_playable=refuse)
