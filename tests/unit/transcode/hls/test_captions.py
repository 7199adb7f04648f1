"""Which subtitles become captions, and that what is hostile in them is only text."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.hls.captions import MOST_TRACKS, Captions, cleaned, tracks_of
from transcode.source.ffprobe import parse


def stream(index: int, codec: str = "subrip", kind: str = "subtitle", **tags: str) -> dict[str, Any]:
    return {"index": index, "codec_type": kind, "codec_name": codec, "tags": tags}


def tracks(*streams: dict[str, Any]) -> list[tuple[int, str, str | None, str]]:
    found = tracks_of(parse(json.dumps({"streams": streams})))
    return [(each.index, each.captions.name, each.captions.language, each.captions.label) for each in found]


def test_tracks_of_text() -> None:
    assert tracks(
        stream(0, "h264", "video"),
        stream(1, "hdmv_pgs_subtitle"),
        stream(2, "mov_text", language="chi", title="中文"),
        stream(3, "ass", language="eng"),
        {"index": 4, "codec_type": "subtitle", "codec_name": "webvtt"},
        stream(5, LANGUAGE="eng"),
    ) == [
        (2, "captions0.vtt", "zh", "中文"),
        (3, "captions1.vtt", "en", "en"),
        (4, "captions2.vtt", None, "3"),
        (5, "captions3.vtt", "en", "en (4)"),
    ]
    assert tracks() == []
    assert len(tracks(*(stream(index) for index in range(20)))) == MOST_TRACKS


@pytest.mark.parametrize(
    ("stated", "language"),
    [
        ("und", None), ("", None), ("mul", None), ("eng", "en"), ("en", "en"), ("fil", "fil"),
        ("zh-hant-tw", "zh-Hant-TW"), ("pt_BR", "pt-BR"), ("chi", "zh"), ("chi-hant", "zh-Hant"), ("scr", "hr"),
        ("../../x", None), ("<script>", None), ("e", None), ("zh-" + "a" * 300, None), ("عر", None),
    ],
)  # fmt: skip
def test_languages(stated: str, language: str | None) -> None:
    assert tracks(stream(0, language=stated))[0][2] == language


def test_tags_are_not_kept() -> None:
    tags = [f"en-v{number:05d}" for number in range(5000)]
    tracks(stream(0, language="en"))  # what is loaded once
    tracemalloc.start()
    try:
        for tag in tags:
            assert tracks(stream(0, language=tag))[0][2] == tag
        assert tracemalloc.get_traced_memory()[0] < 256 * 1024
    finally:
        tracemalloc.stop()


def test_labels_are_plain_and_short() -> None:
    (found,) = tracks(stream(0, title="Evil\n\u202e\x00" + "x" * 500))
    assert found[3] == "Evil" + "x" * 56


def test_json_and_back() -> None:
    captions = Captions("captions0.vtt", "zh", "中文")
    assert Captions.from_json(json.loads(json.dumps(captions.to_json()))) == captions


def test_cues_are_kept() -> None:
    given_text = (
        "WEBVTT\n\n00:01.000 --> 00:02.500\n你好\n<i>world</i>\n\n2\n01:00:00.000 --> 01:00:01.000 line:0\n1 & 2 < 3\n"
    )
    assert cleaned(given_text) == (
        "WEBVTT\n\n00:01.000 --> 00:02.500\n你好\n<i>world</i>\n\n01:00:00.000 --> 01:00:01.000\n1 &amp; 2 &lt; 3\n"
    )


def test_nothing_but_text_comes_through() -> None:
    hostile = (
        "WEBVTT\n\nSTYLE\n::cue { background: url(https://evil.example/) }\n\nREGION\nid:x\n\n"
        "00:01.000 --> 00:02.000\n<script>alert(1)</script><c.evil><v Bob onload=x>--> &lt;b&gt;{\\an8}\x00\n\n"
        "00:02.000 --> 00:01.000\nbackwards\n\n00:03.000 --> 00:04.000\n{\\pos(1,1)}\n"
    )
    assert cleaned(hostile) == (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n&lt;script&gt;alert(1)&lt;/script&gt;&lt;c.evil&gt;&lt;v Bob onload=x&gt;"
        "--&gt; &lt;b&gt;\ufffd\n"
    )
    assert cleaned("WEBVTT\n\n") == cleaned("") == cleaned("nonsense --> more") == ""


def test_there_is_an_end() -> None:
    many = "WEBVTT\n\n" + "00:01.000 --> 00:02.000\nx\n\n" * 30_000
    assert cleaned(many).count("-->") == 20_000
    assert len(cleaned("WEBVTT\n\n00:01.000 --> 00:02.000\n" + "x" * 10_000)) < 2100


@given(st.text())
def test_whatever_a_cue_says(said: str) -> None:
    lines = cleaned(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{said}\n").split("\n")
    text = [line for line in lines if " --> " not in line]
    assert not any(">" in line.replace("<i>", "").replace("</i>", "").replace("<b>", "").replace("</b>", "")
                   .replace("<u>", "").replace("</u>", "") for line in text)  # fmt: skip
