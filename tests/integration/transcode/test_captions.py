"""Subtitles of real files become captions of each stage, and are never more than text."""

import asyncio
from pathlib import Path

from tests.support.video.output_checks import Transcoded, transcode
from tests.support.video.subtitles import ASS, CHINESE, HOSTILE, with_subtitles
from transcode import READY, Limits, Result, Tools

_ZH = "WEBVTT\n\n00:00.500 --> 00:01.500\n你好，世界\n\n00:02.000 --> 00:03.000\n再见 <i>明天</i>\n"


async def _both_stages(source: Path, out: Path, tools: Tools) -> tuple[Result, Result, dict[str, str], dict[str, str]]:
    """Transcode, and return the results of the first stage and of the last, and the captions in their folders."""
    first: list[tuple[Result, dict[str, str]]] = []

    def texts(folder: Path) -> dict[str, str]:
        return {file.name: file.read_text("utf-8") for file in sorted(folder.glob("*.vtt"))}

    def keep(result: Result) -> None:
        first.append((result, texts(out / "playable")))

    ready = await transcode(source, out, tools=tools, limits=Limits(), on_stage=keep)
    return first[0][0], ready, first[0][1], texts(out / READY)


async def test_chinese_in_an_mp4_that_is_copied(tools: Tools, tmp_path: Path) -> None:
    source = with_subtitles(tools, tmp_path / "zh.mp4", {"中文.srt": ("chi", CHINESE)}, "mov_text")
    playable, ready, early, late = await _both_stages(source, tmp_path / "out", tools)
    assert playable.whole
    assert playable.captions == ready.captions
    (captions,) = ready.captions
    assert (captions.name, captions.language) == ("captions0.vtt", "zh")
    assert early == late == {"captions0.vtt": _ZH}


async def test_a_first_stage_in_progress_has_them_at_once(tools: Tools, tmp_path: Path) -> None:
    tracks = {"中文.srt": ("zho", CHINESE), "Signs.ass": ("eng", ASS), "evil.srt": ("und", HOSTILE)}
    source = with_subtitles(tools, tmp_path / "zh.mkv", tracks, "copy", seconds=20)
    playable, ready, early, late = await _both_stages(source, tmp_path / "out", tools)
    assert not playable.whole
    labels = [(each.language, each.label) for each in playable.captions]
    assert labels == [("zh", "中文"), ("en", "Signs"), (None, "evil")]
    assert playable.captions == ready.captions
    assert early == late
    assert early["captions0.vtt"] == _ZH
    assert early["captions1.vtt"] == "WEBVTT\n\n00:01.000 --> 00:02.000\nAbove\nbelow <i>lean</i>\n"
    assert "alert('x')" in early["captions2.vtt"]
    assert "<" not in early["captions2.vtt"]
    assert early["captions2.vtt"].count("-->") == 2


async def test_webvtt_in_webm(tools: Tools, tmp_path: Path) -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\nhello\n"
    source = tmp_path / "vp8.webm"
    (tmp_path / "en.vtt").write_text(text)
    made = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=3", "-i", tmp_path / "en.vtt",
        "-c:v", "libvpx", "-deadline", "realtime", "-c:s", "webvtt", source,
    )  # fmt: skip
    assert await made.wait() == 0
    _, ready, _, late = await _both_stages(source, tmp_path / "out", tools)
    assert [each.label for each in ready.captions] == ["1"]
    assert late == {"captions0.vtt": text}


async def test_most_tracks_and_an_empty_one(tools: Tools, tmp_path: Path) -> None:
    tracks = {f"{number}.srt": ("eng", CHINESE) for number in range(10)}
    source = with_subtitles(tools, tmp_path / "many.mkv", tracks, "srt")
    _, ready, _, late = await _both_stages(source, tmp_path / "out", tools)
    assert len(ready.captions) == len(late) == 8


async def test_videos_without_have_nothing_new(tools: Tools, tmp_path: Path, transcoded: Transcoded) -> None:
    source = with_subtitles(tools, tmp_path / "plain.mp4", {}, "copy")
    outcome = await transcoded(source)
    assert outcome.ready.captions == ()
    assert not list(tmp_path.rglob("*.vtt"))
    assert not list(tmp_path.rglob("captions"))
