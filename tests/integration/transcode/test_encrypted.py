"""Stages with keys: nothing of them lies in the clear, and they decrypt to what is made without."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.support.video.corpus_case import X264
from tests.support.video.decrypted import decrypted_stage, in_the_clear, plain_stage
from tests.support.video.output_checks import output_of, transcode
from tests.support.video.subtitles import CHINESE, with_subtitles
from transcode import PLAYABLE, READY, Item, Limits, Result, Tools, Transcoding, media_playlist, tiers
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
    playable, ready = await _encrypted(source, tmp_path / "encrypted", tools, keys)
    assert playable == states[-1]
    assert ready == plain_ready, "bit rates count what is played, not its padding"
    for stage, key in zip((PLAYABLE, READY), keys, strict=True):
        folder, plain = tmp_path / "encrypted" / stage, plain_stage(tmp_path / "plain" / stage)
        assert in_the_clear(folder) == []
        assert len(in_the_clear(tmp_path / "plain" / stage)) == len(plain), "the check finds each kind of file"
        assert decrypted_stage(folder, key) == plain
        assert {"poster.jpg"} <= set(plain)
    assert {"storyboard.jpg", "preview.mp4"} <= set(plain)
    assert ("captions0.vtt" in plain) == (name != "cut")


async def test_ffmpeg_plays_a_list_of_both_kinds(tools: Tools, tmp_path: Path) -> None:
    source = await asyncio.to_thread(_source, "encoded", tools, tmp_path)
    plain = await transcode(source, tmp_path / "plain", tools=tools, limits=Limits())
    keys = os.urandom(16), os.urandom(16)
    playable, ready = await _encrypted(source, tmp_path / "encrypted", tools, keys)
    for stage, key in zip((PLAYABLE, READY), keys, strict=True):
        (tmp_path / "encrypted" / stage / KEY).write_bytes(key)
    clear, encrypted, first = f"plain/{READY}/", f"encrypted/{READY}/", f"encrypted/{PLAYABLE}/"

    async def frames(name: str, *items: tuple[str, Result]) -> bytes:
        (*_, tier) = tiers([Item(prefix, result.renditions) for prefix, result in items])
        playlist = tmp_path / f"{name}.m3u8"
        playlist.write_text(media_playlist(tier.parts, encrypted={encrypted, first}))
        options = ["-allowed_extensions", "ALL", "-extension_picky", "0", "-f", "hls", "-i", playlist]
        return await asyncio.to_thread(output_of, tools.ffmpeg, *options, "-map", "0", "-f", "framemd5", "pipe:1")

    alone = await frames("clear", (clear, plain))
    assert await frames("encrypted", (encrypted, ready)) == alone
    assert await frames("first", (first, playable)) != b""
    twice = await frames("plain-twice", (clear, plain), (clear, plain))
    assert await frames("clear-encrypted", (clear, plain), (encrypted, ready)) == twice
    assert await frames("encrypted-clear", (encrypted, ready), (clear, plain)) == twice
    (tmp_path / "encrypted" / READY / KEY).write_bytes(keys[0])
    with pytest.raises(Exception, match=r".*"):
        await frames("wrong", (encrypted, ready))
