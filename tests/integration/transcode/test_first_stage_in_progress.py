"""A first rendition that must be encoded, or a large one to encrypt, is published while it is in progress."""

from pathlib import Path

from tests.support.video.corpus_case import X264
from tests.support.video.decrypted import decrypted_stage, in_the_clear
from tests.support.video.output_checks import Clip, check_gapless
from transcode import Limits, Result, Tools, Transcoding

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


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_segments_appear_where_the_folder_went(clip: Clip, tmp_path: Path, tools: Tools) -> None:
    source = clip("long.mp4", *LONG)
    moved, out = tmp_path / "served", tmp_path / "out"
    states: list[Result] = []

    async with Transcoding(source, out, tools=tools, limits=Limits()) as job:
        async for result in job.first_stage():
            if not states:
                (out / "playable").rename(moved)
                assert names(moved) == {"480"}
            states.append(result)
            assert result.poster is None or names(moved) == {"480", result.poster}
            segments = {f"{number}.m4s" for number in range(result.available)}
            assert {"init.mp4", *segments} <= names(moved / "480")
    counts = [result.available for result in states]
    assert counts == sorted(counts)
    assert len({(result.available, result.poster) for result in states}) == len(states)
    assert 1 <= counts[0] < counts[-1] == 7
    assert states[0].poster is None
    assert states[-1].poster == "poster.jpg"
    planned, whole = states[0].renditions[0], states[-1].renditions[0]
    assert planned.durations == whole.durations == (1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0)
    assert planned.codecs == whole.codecs
    assert planned.bandwidth >= whole.bandwidth
    check_gapless(moved, states[-1], tools, tmp_path)


async def test_a_large_copy_is_encrypted_while_its_start_plays(clip: Clip, tmp_path: Path, tools: Tools) -> None:
    noise = ["-f", "lavfi", "-i", "nullsrc=s=1280x720:r=30:d=8,noise=alls=100:allf=t", *X264, "-preset", "ultrafast"]
    source = clip("noise.mp4", *noise, "-b:v", "16M", "-maxrate", "16M", "-bufsize", "16M", "-g", "30")
    moved, out, key = tmp_path / "served", tmp_path / "out", bytes(range(16))
    states: list[Result] = []
    async with Transcoding(source, out, tools=tools, limits=Limits()) as job:
        async for result in job.first_stage(key):
            if not states:
                (out / "playable").rename(moved)
            states.append(result)
            assert {f"{number}.m4s" for number in range(result.available)} <= names(moved / result.renditions[0].name)
            assert in_the_clear(moved) == []
    counts = [(result.available, result.poster) for result in states]
    first = counts[0][0]
    total = len(states[0].renditions[0].durations)
    assert 1 <= first < total
    assert counts == [(first, None), (total, None), (total, "poster.jpg")]
    segments = [content for name, content in decrypted_stage(moved, key).items() if name.endswith(".m4s")]
    assert sum(map(len, segments)) > source.stat().st_size * 0.95
