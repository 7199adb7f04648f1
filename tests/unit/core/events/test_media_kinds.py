"""What joins reels as what, and by which choice."""

import pytest

from appservice.core.events.changes import NewVideo
from appservice.core.events.media_kinds import Choice, joins, name_without_suffix
from appservice.core.model import Kind
from appservice.core.settings import RoomSettings
from tests.unit.core.events.test_intake import FILE, MXC, message, read


def taken(event: dict[str, object]) -> tuple[str, str | None, bool] | None:
    change = read(event)
    assert change is None or isinstance(change, NewVideo)
    return (change.kind, change.choice, change.certain) if change else None


@pytest.mark.parametrize(
    ("msgtype", "info", "expected"),
    [
        ("m.image", {"mimetype": "image/jpeg"}, ("image", "images", True)),
        ("m.image", None, ("image", "images", True)),
        ("m.image", {"mimetype": "image/gif"}, ("image", "stickers", True)),
        ("m.image", {"mimetype": "image/gif", "is_animated": False}, ("image", "images", True)),
        ("m.image", {"mimetype": "image/webp", "org.matrix.msc4230.is_animated": True}, ("image", "stickers", True)),
        ("m.image", {"is_animated": "yes"}, ("image", "images", True)),
        ("m.audio", {"mimetype": "audio/ogg"}, ("voice", "voice", True)),
        ("m.audio", {"mimetype": []}, ("voice", "voice", True)),
        ("m.video", {"fi.mau.gif": True}, ("video", "stickers", True)),
        ("m.video", {"fi.mau.loop": True}, ("video", "stickers", True)),
        ("m.video", {"fi.mau.loop": 1}, ("video", None, True)),
        ("m.video", {}, ("video", None, True)),
        ("m.file", {"mimetype": "image/png"}, ("image", "images", False)),
        ("m.file", {"mimetype": "image/gif"}, ("image", "stickers", False)),
        ("m.file", {"mimetype": "audio/flac"}, ("voice", "voice", False)),
        ("m.file", {"mimetype": "application/ogg"}, ("video", None, False)),
        ("m.file", {"mimetype": "application/pdf"}, None),
        ("m.file", {}, ("video", None, False)),
        ("m.file", {"mimetype": "video/mp4"}, ("video", None, True)),
        ("m.location", {}, None),
    ],
)
def test_messages(msgtype: str, info: object, expected: object) -> None:
    content = {"msgtype": msgtype, "body": "a", "url": MXC, "info": info, "org.matrix.msc3245.voice": {}}
    assert taken(message(content)) == expected


def test_stickers() -> None:
    def sticker(**content: object) -> dict[str, object]:
        return message(content, type="m.sticker")

    assert taken(sticker(body="Hi", url=MXC)) == ("image", "stickers", False)
    assert taken(sticker(body="Hi", file=FILE, info={"mimetype": "video/webm"})) == ("video", "stickers", False)
    assert taken(sticker()) is None, "redacted"
    assert taken(sticker(body="Hi", url=MXC) | {"sender": "@reel:example.org"}) is None
    assert taken(sticker(body="Hi", url=MXC) | {"sender": "@eve:example.org"}) is None


@pytest.mark.parametrize("choice", Choice)
def test_a_room_chooses_each_by_itself(choice: Choice) -> None:
    assert joins(None, RoomSettings())
    assert [other for other in Choice if joins(other, RoomSettings())] == []
    assert [other for other in Choice if joins(other, RoomSettings().changed(choice, "on"))] == [choice]


def test_names() -> None:
    assert name_without_suffix("IMG_1.HEIC", Kind.IMAGE) == "IMG_1"
    assert name_without_suffix("Voice message.ogg", Kind.VOICE) == "Voice message"
    assert name_without_suffix("holiday.mp4", Kind.IMAGE) == "holiday.mp4"
    assert name_without_suffix(".png", Kind.IMAGE) == ".png"
