"""Playlists of different videos, read to the end by ffmpeg's HLS demuxer from our files."""

import json
from pathlib import Path

import pytest

from tests.support.video.output_checks import Clip, Transcoded, output_of
from transcode import Item, Settings, Tools, master_playlist, media_playlist, tiers

QUICK = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]


def packets_in(tools: Tools, playlist: Path) -> tuple[int, int]:
    """Return the numbers of video and audio packets that a demuxer reads from a playlist."""
    # `.m4s` is not among the names that ffmpeg's HLS demuxer expects.
    options = ["-allowed_extensions", "ALL", "-extension_picky", "0", "-f", "hls", "-count_packets"]
    reported = output_of(
        tools.ffprobe, *options, "-show_entries", "stream=codec_type,nb_read_packets", "-of", "json", playlist
    )
    found = {s["codec_type"]: int(s["nb_read_packets"]) for s in json.loads(reported)["streams"]}
    return found["video"], found["audio"]


async def test_a_reel_of_unlike_videos_plays_to_its_end(
    clip: Clip, transcoded: Transcoded, tmp_path: Path, tools: Tools
) -> None:
    sources = [
        clip("one.mp4", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=2.5", *QUICK),
        clip("two.mp4", "-f", "lavfi", "-i", "testsrc2=s=240x320:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1", *QUICK),
        clip("three.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=24:d=0.05", *QUICK),
    ]
    # With copies, ffmpeg reads on with the parameter sets of the first item; browsers, tested elsewhere, do not.
    outcomes = [await transcoded(source, Settings(copy=False, every_rung=True)) for source in sources]
    items = [Item(f"{outcome.out.relative_to(tmp_path)}/ready/", outcome.ready.renditions) for outcome in outcomes]
    reel = tiers(items)
    assert [tier.name for tier in reel] == ["240", "360"]
    for tier in reel:
        playlist = tmp_path / f"{tier.name}.m3u8"
        playlist.write_text(media_playlist(tier.parts, repeat=2))
        video, audio = packets_in(tools, playlist)
        assert video == 2 * (75 + 25 + 2)
        assert audio == pytest.approx(2 * (2.5 + 1 + 2 / 24) * 48000 / 1024, abs=6)
    master = tmp_path / "index.m3u8"
    master.write_text(master_playlist([(f"{tier.name}.m3u8", tier) for tier in reel]))
    packets_in(tools, master)


async def test_every_tier_of_a_reel_has_one_timeline(clip: Clip, transcoded: Transcoded) -> None:
    outcomes = [
        await transcoded(clip(name, "-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d=2.2", *QUICK))
        for name, size, rate in [("one.mp4", "640x480", "30000/1001"), ("two.mp4", "426x240", "50")]
    ]
    reel = tiers([Item(outcome.out.name + "/", outcome.ready.renditions) for outcome in outcomes])
    assert len({tuple(rendition.durations for _, rendition in tier.parts) for tier in reel}) == 1
