"""Images, voice messages, stickers and GIFs on the real service: each by the room's choice."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appservice import resources
from appservice.demo.client import MatrixClient
from appservice.i18n import Texts
from tests.support.clips import with_padding
from tests.support.commands import VERSIONS, CommandSender
from tests.support.installation import Installation
from tests.support.rooms import make_room, wait_for_notice
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import Tools

TEXTS = Texts(resources.locales(), "en")


@dataclass
class RoomOfAllKinds:
    """A room of alice's, in which bob sends media of every kind."""

    reel: Installation
    room_id: str
    bob: MatrixClient
    moderator: CommandSender
    sees: Viewer
    """What bob sees."""
    clip: Path
    folder: Path
    tools: Tools

    def make(self, name: str, *arguments: str) -> Path:
        path = self.folder / name
        subprocess.run([self.tools.ffmpeg, "-v", "error", "-y", "-f", "lavfi", *arguments, path], check=True)
        return path

    async def send_each(self) -> dict[str, str]:
        """Send one of each, and return their events."""
        photo = self.make("photo.jpg", "-i", "testsrc2=s=640x480", "-frames:v", "1")
        voice = self.make("Voice message.ogg", "-i", "sine=d=3", "-c:a", "libopus")
        animal = self.make("animal.webp", "-i", "color=red:s=128x128", "-frames:v", "1")
        gif = self.make("laugh.gif", "-i", "testsrc2=s=160x120:r=10:d=2")
        loop = with_padding(self.clip, self.folder / "loop.mp4", self.room_id.encode())
        return {
            "photo": await self.bob.send_video(self.room_id, photo, msgtype="m.image"),
            "voice": await self.bob.send_video(self.room_id, voice, msgtype="m.audio"),
            "sticker": await self.send_sticker(animal),
            "gif": await self.bob.send_video(self.room_id, gif, msgtype="m.image", info={"is_animated": True}),
            "loop": await self.bob.send_video(self.room_id, loop, info={"fi.mau.gif": True}),
        }

    async def send_sticker(self, path: Path) -> str:
        url = await self.bob.upload(path, "image/webp", path.name)
        content = {"body": path.stem, "url": url, "info": {"mimetype": "image/webp", "w": 128, "h": 128}}
        return await self.bob.send_event(self.room_id, "m.sticker", content)

    async def choose(self, *settings: str) -> None:
        for setting in settings:
            assert (await self.moderator(f"!reel room {setting}")).reactions

    async def kinds(self) -> dict[str, str]:
        """Return what was taken in."""
        rows = await self.reel.rows("SELECT event_id, kind FROM videos WHERE room_id = $1", self.room_id)
        return {row["event_id"]: row["kind"] for row in rows}


@pytest.fixture(params=VERSIONS)
async def room(
    request: pytest.FixtureRequest, reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient,
    bob: MatrixClient, clip: Path, tmp_path: Path, tools: Tools,
) -> RoomOfAllKinds:  # fmt: skip
    room_id = await make_room(alice, reel, bob, version=request.param)
    sees = await reel.viewer(http, bob, room_id)
    return RoomOfAllKinds(reel, room_id, bob, CommandSender(alice, room_id), sees, clip, tmp_path, tools)


async def test_nothing_but_videos_unless_the_room_chooses(room: RoomOfAllKinds) -> None:
    await room.send_each()
    video = await room.bob.send_video(room.room_id, room.clip)
    await room.sees.video_in(video, "ready")
    assert await room.kinds() == {video: "video"}
    await room.choose("voice on")
    sent = await room.send_each()
    await room.sees.video_in(sent["voice"], "ready")
    assert await room.kinds() == {video: "video", sent["voice"]: "voice"}


async def test_all_that_people_send(room: RoomOfAllKinds) -> None:
    await room.choose("images on", "image-seconds 2", "voice on", "stickers on")
    sent = await room.send_each()
    shown = {name: await room.sees.video_in(event_id, "ready") for name, event_id in sent.items()}
    assert {name: (await room.kinds())[event_id] for name, event_id in sent.items()} == {
        "photo": "image", "voice": "voice", "sticker": "image", "gif": "image", "loop": "video",
    }  # fmt: skip
    assert {name: round(video["duration"]) for name, video in shown.items() if name != "loop"} == {
        "photo": 2, "voice": 3, "sticker": 2, "gif": 2,
    }  # fmt: skip
    titles = {name: video["title"] for name, video in shown.items()}
    assert titles | {"loop": ""} == {
        "photo": "photo", "voice": "Voice message", "sticker": "animal", "gif": "laugh", "loop": "",
    }  # fmt: skip
    for video in shown.values():
        assert (await room.sees.fetch(video["poster_url"]))[0] == 200
    # Another length is another video, of the same bytes.
    await room.choose("image-seconds 3")
    again = await room.bob.send_video(room.room_id, room.folder / "photo.jpg", msgtype="m.image")
    assert round((await room.sees.video_in(again, "ready"))["duration"]) == 3
    await room.bob.redact(room.room_id, sent["sticker"])

    async def gone() -> bool:
        return await room.sees.video(sent["sticker"]) is None

    await eventually(gone, what="the redacted sticker being gone")


@pytest.mark.parametrize("typed", [True, False], ids=["told", "untold"])
async def test_attachments_join_where_the_room_chose_what_they_are(room: RoomOfAllKinds, typed: bool) -> None:
    files = {
        "image/png": room.make("holiday.png", "-i", "testsrc2=s=640x480", "-frames:v", "1"),
        "image/gif": room.make("laugh.gif", "-i", "testsrc2=s=160x120:r=10:d=2"),
        "audio/mpeg": room.make("song.mp3", "-i", "sine=d=3"),
        # Containers of videos, too.
        "audio/ogg": room.make("memo.ogg", "-i", "sine=d=3", "-c:a", "libopus"),
        "audio/mp4": room.make("memo.m4a", "-i", "sine=d=3"),
    }
    drawing = room.folder / "drawing.svg"
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')

    async def send(path: Path, mimetype: str) -> str:
        said = mimetype if typed else "application/octet-stream"
        return await room.bob.send_video(room.room_id, path, msgtype="m.file", info={"mimetype": said})

    async def only(expected: dict[str, str]) -> None:
        async def only_joined() -> bool:
            return await room.kinds() == expected

        await eventually(only_joined, what="what joined, and nothing else")

    # Nothing of it is chosen yet.
    for mimetype, path in files.items():
        await send(path, mimetype)
    video = await send(with_padding(room.clip, room.folder / "clip.bin", room.room_id.encode()), "")
    await room.sees.video_in(video, "ready")
    await only({video: "video"})
    await room.choose("images on", "image-seconds 2")
    photo = await send(files["image/png"], "image/png")
    for mimetype in ("image/gif", "audio/mpeg", "audio/ogg"):
        await send(files[mimetype], mimetype)
    assert (await room.sees.video_in(photo, "ready"))["title"] == "holiday"
    await only({video: "video", photo: "image"})
    await room.choose("voice on", "stickers on")
    sent = {mimetype: await send(path, mimetype) for mimetype, path in files.items()}
    await send(drawing, "image/svg+xml")
    shown = {mimetype: await room.sees.video_in(event_id, "ready") for mimetype, event_id in sent.items()}
    assert {mimetype: round(video["duration"]) for mimetype, video in shown.items()} == {
        "image/png": 2, "image/gif": 2, "audio/mpeg": 3, "audio/ogg": 3, "audio/mp4": 3,
    }  # fmt: skip
    assert {video["title"] for video in shown.values()} == {"holiday", "laugh", "song", "memo"}
    kinds = {event_id: "voice" if mimetype.startswith("audio") else "image" for mimetype, event_id in sent.items()}
    await only({video: "video", photo: "image", **kinds})


async def test_files_that_are_not_what_they_say(room: RoomOfAllKinds) -> None:
    await room.choose("images on", "voice on", "stickers on")
    text = room.folder / "text.png"
    text.write_bytes(b"Dear diary, this is a text.\n" * 100)
    sticker = await room.send_sticker(text)
    sent = {
        "not-a-picture": await room.bob.send_video(room.room_id, text, msgtype="m.image"),
        "not-a-sound": await room.bob.send_video(room.room_id, text, msgtype="m.audio"),
    }
    for code, event_id in sent.items():
        failed: dict[str, Any] = await room.sees.video_in(event_id, "failed")
        assert failed["failure"] == {"code": code}
        reason = await wait_for_notice(room.bob, room.room_id, TEXTS.failure(code), thread=event_id)
        assert "video" not in reason

    async def only_these() -> bool:
        return set(await room.kinds()) == set(sent.values())

    # What is a sticker only to some clients is no failure of anybody's.
    await eventually(only_these, what="the sticker being erased")
    typed = [e["content"].get("m.relates_to", {}).get("event_id") for e in await room.bob.messages(room.room_id)]
    assert sticker not in typed
