"""Stages with keys: nothing of them lies in the clear, and they decrypt to what is made without."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.video.corpus_case import X264
from tests.support.video.decrypted import decrypted_stage, in_the_clear, plain_stage
from tests.support.video.output_checks import output_of, transcode
from tests.support.video.subtitles import CHINESE, with_subtitles
from transcode import PLAYABLE, READY, Item, Limits, Result, Tools, Transcoding, media_playlist, tiers
from transcode.hls.bandwidths import bandwidths
from transcode.hls.encryption import KEY

_SECONDS = 6


def _source(name: str, tools: Tools, folder: Path) -> Path:
    """Make a file that is copied, one whose copy ffmpeg cuts, or one that is encoded quickly."""
    if name == "encoded":
        return with_subtitles(tools, folder / "zh.mkv", {"中文.srt": ("chi", CHINESE)}, "copy", seconds=_SECONDS)
    if name == "remuxed":
        return with_subtitles(tools, folder / "zh.mp4", {"中文.srt": ("chi", CHINESE)}, "mov_text", seconds=_SECONDS)
    # Opus in MP4 has to be encoded, so that ffmpeg makes the copy.
    path = folder / "cut.mp4"
    sources = ["-f", "lavfi", "-i", f"testsrc2=s=480x360:r=30:d={_SECONDS}", "-f", "lavfi", "-i", f"sine=d={_SECONDS}"]
    output_of(tools.ffmpeg, *sources, *X264, "-g", "47", "-c:a", "libopus", "-strict", "-2", path)
    return path


async def _encrypted(source: Path, out: Path, tools: Tools, keys: tuple[bytes, bytes]) -> tuple[Result, Result]:
    """Make both stages with their keys; at no time a file of theirs is in the clear."""
    async with Transcoding(source, out, tools=tools, limits=Limits()) as job:
        async for result in job.first_stage(keys[0]):
            assert in_the_clear(out / PLAYABLE) == []
            first = result
        return first, await job.ladder(keys[1])


@pytest.mark.parametrize("name", ["remuxed", "cut", "encoded"])
async def test_every_file_of_both_stages(name: str, tools: Tools, tmp_path: Path) -> None:
    source = await asyncio.to_thread(_source, name, tools, tmp_path)
    states: list[Result] = []
    plain_ready = await transcode(source, tmp_path / "plain", tools=tools, limits=Limits(), on_stage=states.append)
    keys = os.urandom(16), os.urandom(16)
    made = await _encrypted(source, tmp_path / "encrypted", tools, keys)
    for stage, key, result, plain_result in zip((PLAYABLE, READY), keys, made, (states[-1], plain_ready), strict=True):
        folder, plain = tmp_path / "encrypted" / stage, plain_stage(tmp_path / "plain" / stage)
        assert in_the_clear(folder) == []
        assert len(in_the_clear(tmp_path / "plain" / stage)) == len(plain), "the check finds each kind of file"
        content = decrypted_stage(folder, key)
        assert list(content) == list(plain)
        # Encoders differ between two runs; what is remuxed, and captions, do not.
        same = [
            each for each in plain if each.endswith(".vtt") or (name == "remuxed" and stage == PLAYABLE and "/" in each)
        ]
        assert [content[each] for each in same] == [plain[each] for each in same]
        for made_of, rendition in ((plain, plain_result.renditions[0]), (content, result.renditions[0])):
            segments = [made_of[f"{rendition.name}/{number}.m4s"] for number in range(len(rendition.durations))]
            measured = bandwidths([len(segment) for segment in segments], rendition.durations)
            assert (rendition.bandwidth, rendition.average_bandwidth) == measured, "of what plays, not of its padding"
        assert result.renditions[0].durations == plain_result.renditions[0].durations
        assert _packets(tools, content, result) == _packets(tools, plain, plain_result)
    assert {"poster.jpg", "storyboard.jpg", "preview.mp4"} <= set(plain)
    assert ("captions0.vtt" in plain) == (name != "cut")


def _packets(tools: Tools, stage: dict[str, bytes], result: Result) -> bytes:
    """Count the packets of each track of the first rendition, as a demuxer reads them."""
    rendition = result.renditions[0]
    names = ["init", *map(str, range(len(rendition.durations)))]
    suffixes = ["mp4", *["m4s"] * len(rendition.durations)]
    whole = b"".join(stage[f"{rendition.name}/{name}.{suffix}"] for name, suffix in zip(names, suffixes, strict=True))
    shown = ["-count_packets", "-show_entries", "stream=codec_name,nb_read_packets", "-of", "csv=p=0"]
    done = subprocess.run([tools.ffprobe, "-v", "error", *shown, "-"], input=whole, capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout


async def test_ffmpeg_plays_a_list_of_both_kinds(tools: Tools, tmp_path: Path) -> None:
    source = await asyncio.to_thread(_source, "encoded", tools, tmp_path)
    keys = os.urandom(16), os.urandom(16)
    playable, ready = await _encrypted(source, tmp_path / "encrypted", tools, keys)
    for stage, key in zip((PLAYABLE, READY), keys, strict=True):
        folder = tmp_path / "encrypted" / stage
        for name, content in decrypted_stage(folder, key).items():
            path = tmp_path / "clear" / stage / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (folder / KEY).write_bytes(key)
    clear, encrypted, first = f"clear/{READY}/", f"encrypted/{READY}/", f"encrypted/{PLAYABLE}/"
    results = {clear: ready, encrypted: ready, first: playable, f"clear/{PLAYABLE}/": playable}

    async def frames(*prefixes: str) -> bytes:
        (*_, tier) = tiers([Item(prefix, results[prefix].renditions) for prefix in prefixes])
        playlist = tmp_path / "list.m3u8"
        playlist.write_text(media_playlist(tier.parts, encrypted={encrypted, first}))
        options = ["-allowed_extensions", "ALL", "-extension_picky", "0", "-f", "hls", "-i", str(playlist)]
        return await asyncio.to_thread(output_of, tools.ffmpeg, *options, "-map", "0", "-f", "framemd5", "pipe:1")

    assert await frames(encrypted) == await frames(clear)
    assert await frames(first) == await frames(f"clear/{PLAYABLE}/")
    twice = await frames(clear, clear)
    assert await frames(clear, encrypted) == twice
    assert await frames(encrypted, clear) == twice
    (tmp_path / "encrypted" / READY / KEY).write_bytes(keys[0])
    with pytest.raises((subprocess.CalledProcessError, AssertionError)):
        await frames(encrypted)
