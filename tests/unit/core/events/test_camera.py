"""File names of cameras: what is parsed from them, by the widget too, and what people are shown."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from appservice import resources
from appservice.core.events.camera import taken_of
from appservice.i18n import Texts
from tests.support.launch import ROOT

_NAMES = json.loads((ROOT / "widget" / "src" / "core" / "camera-names.json").read_text(encoding="utf-8"))
_SENT = datetime(2026, 11, 30, 8, 5, tzinfo=UTC)
_SENT_MS = int(_SENT.timestamp() * 1000)


@pytest.mark.parametrize("case", _NAMES, ids=lambda case: case["name"][:60])
def test_a_name_gives_the_time_of_recording(case: dict[str, Any]) -> None:
    taken, when = taken_of(case["name"], _SENT_MS), case["when"]
    if when is None:
        assert taken is None
        return
    assert taken
    day_alone = len(when) == len("2026-11-29")
    expected = _SENT if when == "sent" else datetime.fromisoformat(f"{when}T12:00" if day_alone else when)
    assert (taken.date, taken.timed, taken.screen) == (expected, not day_alone, case.get("screen", False))


@pytest.mark.parametrize(
    ("language", "name", "kind", "title"),
    [
        ("en", "PXL_20261129_103211123.mp4", "video", "Video of November 29, 2026, 10:32 UTC"),
        ("en", "IMG_20261129_103211.jpg", "image", "Photo of November 29, 2026, 10:32"),
        ("en", "PTT-20261129-WA0003.opus", "voice", "Recording of November 29, 2026"),
        ("en", "Screen Recording 2026-11-29 at 1.05.00 PM", "video", "Screen recording of November 29, 2026, 13:05"),
        ("en", "IMG_0042.MOV", "video", "Video of November 30, 2026, 08:05 UTC"),
        ("zh", "PXL_20261129_103211123.mp4", "video", "2026年11月29日 10:32（UTC）的视频"),
        ("zh-TW", "VID_20261129_103211", "video", "2026年11月29日 10:32的影片"),
        ("en", "My lake.mp4", "video", "My lake.mp4"), ("en", "", "video", ""),
    ],
)  # fmt: skip
def test_people_read_what_the_name_gives(language: str, name: str, kind: str, title: str) -> None:
    assert Texts(resources.locales(), language).title(name, kind, _SENT_MS) == title
