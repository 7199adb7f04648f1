"""What the bot says by a video's message while it works on it, once it plays, and when it failed."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from tests.support.clips import with_padding
from tests.support.commands import VERSIONS, CommandSender
from tests.support.installation import Installation
from tests.support.rooms import make_room, wait_for_notice
from tests.support.waiting import eventually
from transcode import Tools

AWAITED, PLAYABLE, FAILED = "📤", "▶️", "⚠️"


async def _marks(user: MatrixClient, reel: Installation, room_id: str, event_id: str) -> list[str]:
    """Return the reactions of the bot that are there, in the order in which they came."""
    relations = await user.relations(room_id, event_id, "m.annotation")
    return [r["content"]["m.relates_to"]["key"] for r in relations if r["sender"] == reel.bot and r["content"]][::-1]


async def _become(user: MatrixClient, reel: Installation, room_id: str, event_id: str, *marks: str) -> None:
    async def there() -> bool:
        return await _marks(user, reel, room_id, event_id) == list(marks)

    await eventually(there, what=f"the marks {marks} on {event_id}")


async def _reactions_ever(user: MatrixClient, reel: Installation, room_id: str) -> int:
    """Count the bot's reactions of a room, also those that were taken back."""
    return sum(
        event["type"] == "m.reaction" and event["sender"] == reel.bot for event in await user.messages(room_id, 500)
    )


async def _notices(user: MatrixClient, room_id: str, thread: str) -> list[dict[str, Any]]:
    found = [event["content"] for event in await user.messages(room_id, 500) if event["type"] == "m.room.message"]
    return [
        content
        for content in found
        if content.get("msgtype") == "m.notice" and content.get("m.relates_to", {}).get("event_id") == thread
    ]


@pytest.fixture(params=VERSIONS)
async def room_id(request: pytest.FixtureRequest, reel: Installation, alice: MatrixClient, bob: MatrixClient) -> str:
    return await make_room(alice, reel, bob, version=request.param)


async def test_what_is_quick_gets_one_mark(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, room_id: str, clip: Path
) -> None:
    viewer = await reel.viewer(http, alice, room_id)
    event_id = await bob.send_video(room_id, clip)
    await viewer.video_in(event_id, "ready")
    await _become(alice, reel, room_id, event_id, PLAYABLE)
    assert await _reactions_ever(alice, reel, room_id) == 1
    # It is hidden, and then it is back: the mark goes with it.
    assert (await CommandSender(bob, room_id)("!reel hide", about=event_id)).reactions == ["✅"]
    await _become(alice, reel, room_id, event_id)
    assert (await CommandSender(bob, room_id)("!reel show", about=event_id)).reactions == ["✅"]
    await _become(alice, reel, room_id, event_id, PLAYABLE)


async def test_a_reason_comes_once_and_is_corrected(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, room_id: str, clip: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    await CommandSender(alice, room_id)("!reel room max-length 1")
    own = with_padding(clip, tmp_path / "own.mp4", room_id.encode())
    event_id = await bob.send_video(room_id, own, body="lake.mp4")
    notice = await wait_for_notice(bob, room_id, "cannot be shown", thread=event_id)
    assert notice.startswith("“lake” cannot be shown. The video is too long for this room.")
    await _become(alice, reel, room_id, event_id, FAILED)

    async def requeued() -> None:
        (row,) = await reel.rows("SELECT id FROM videos WHERE event_id = $1", event_id)
        code, said = await reel.command("admin", "-c", str(reel.config), "requeue", str(row["id"]))
        assert code == 0, said

    # Again for the same reason: nothing more is said.
    await requeued()
    await _become(alice, reel, room_id, event_id, FAILED)
    assert len(await _notices(bob, room_id, event_id)) == 1
    await CommandSender(alice, room_id)("!reel room max-length off")
    await requeued()
    viewer = await reel.viewer(http, alice, room_id)
    await viewer.video_in(event_id, "ready")
    await _become(alice, reel, room_id, event_id, PLAYABLE)

    async def corrected() -> bool:
        edits = [
            event["content"]["m.new_content"]["body"]
            for event in await bob.messages(room_id, 500)
            if event["content"].get("m.relates_to", {}).get("rel_type") == "m.replace"
        ]
        return edits == ["“lake” plays now."]

    await eventually(corrected, what="the notice being corrected")
    assert len(await _notices(bob, room_id, event_id)) == 1


async def test_marks_stay_with_their_message_after_an_upgrade(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, room_id: str, clip: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    await CommandSender(alice, room_id)("!reel room max-length 1")
    failed = await bob.send_video(room_id, with_padding(clip, tmp_path / "own.mp4", room_id.encode()), body="lake.mp4")
    await wait_for_notice(bob, room_id, "cannot be shown", thread=failed)
    await _become(alice, reel, room_id, failed, FAILED)
    await CommandSender(alice, room_id)("!reel room max-length off")
    await CommandSender(alice, room_id)("!reel room hold all")
    other = with_padding(clip, tmp_path / "other.mp4", b"other" + room_id.encode())
    waiting = await bob.send_video(room_id, other, body="hill.mp4")
    viewer = await reel.viewer(http, alice, room_id)
    held = await viewer.video_in(waiting, "ready")
    replacement = await alice.upgrade_room(room_id, "12")
    await alice.invite(replacement, reel.bot)
    await alice.invite(replacement, bob.user_id)
    await bob.join(replacement)

    async def carried() -> bool:
        return len(await reel.rows("SELECT FROM videos WHERE room_id = $1", replacement)) == 2

    await eventually(carried, what="the upgrade being followed")
    (row,) = await reel.rows("SELECT id FROM videos WHERE event_id = $1", failed)
    assert (await reel.command("admin", "-c", str(reel.config), "requeue", str(row["id"])))[0] == 0
    await _become(alice, reel, room_id, failed, PLAYABLE)

    async def corrected() -> bool:
        edits = [e["content"].get("m.new_content", {}).get("body") for e in await alice.messages(room_id, 500)]
        return "“lake” plays now." in edits

    await eventually(corrected, what="the notice being corrected in the room where it is")
    moved = await (await reel.viewer(http, bob, replacement)).videos()
    assert [video["sent_here"] for video in moved] == [False, False]
    # What is said to somebody is said where they are now; a thread there cannot start with a message of the other room.
    response = await CommandSender(alice, replacement)(f"!reel reject #{held['id'].replace('-', '')[:8]} too dark")
    assert response.reactions == ["✅"]
    await wait_for_notice(bob, replacement, "too dark")
    await _become(alice, reel, room_id, waiting)
    assert not await _notices(bob, replacement, waiting)


async def test_a_room_may_want_less(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, room_id: str, clip: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    viewer = await reel.viewer(http, alice, room_id)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(clip.read_bytes()[:2000])
    await CommandSender(alice, room_id)("!reel room status failures")
    event_id, wrong = await bob.send_video(room_id, clip), await bob.send_video(room_id, broken)
    await viewer.video_in(event_id, "ready")
    await wait_for_notice(bob, room_id, "cannot be shown", thread=wrong)
    assert await _reactions_ever(alice, reel, room_id) == 1  # of the response to the command
    await CommandSender(alice, room_id)("!reel room status off")
    silent = await bob.send_video(room_id, broken)

    async def failed() -> bool:
        rows = await reel.rows("SELECT state FROM videos WHERE event_id = $1", silent)
        return bool(rows) and rows[0]["state"] == "failed"

    await eventually(failed, what="the last one failing")
    # What is said comes in order with what the bot responds afterwards.
    await viewer.video_in(await bob.send_video(room_id, clip), "ready")
    assert (await CommandSender(alice, room_id)("!reel version")).text
    assert await _notices(bob, room_id, silent) == []
    assert await _marks(alice, reel, room_id, silent) == []


async def test_the_sender_is_notified_of_audio_that_cannot_be_taken(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, room_id: str, clip: Path,
    tmp_path: Path, tools: Tools,
) -> None:  # fmt: skip
    # Of the same frames: its audio is noise, there is none, and as it was.
    damaged, silent = tmp_path / "lake.mp4", tmp_path / "silent.mp4"
    for path, change in ((damaged, ["-bsf:a", "noise=amount=1"]), (silent, ["-an"])):
        made = await asyncio.create_subprocess_exec(
            tools.ffmpeg, "-v", "error", "-i", clip, "-c", "copy", *change, "-metadata", f"title={room_id}", path
        )
        assert await made.wait() == 0
    viewer = await reel.viewer(http, alice, room_id)
    event_id = await bob.send_video(room_id, damaged)
    assert (await viewer.video_in(event_id, "ready"))["audio_left_out"] == "damaged"
    notice = await wait_for_notice(bob, room_id, "Plays without sound", thread=event_id)
    assert notice.startswith("“lake”: Plays without sound: it is damaged.")
    await _become(alice, reel, room_id, event_id, PLAYABLE)
    assert "sound missing" in (await CommandSender(bob, room_id)("!reel mine")).text
    # The same file again is notified again, although nothing is made of it.
    again = await bob.send_video(room_id, damaged)
    assert (await viewer.video_in(again, "ready"))["audio_left_out"] == "damaged"
    await wait_for_notice(bob, room_id, "Plays without sound", thread=again)
    for fine in (silent, clip):
        event_id = await bob.send_video(room_id, fine)
        assert (await viewer.video_in(event_id, "ready"))["audio_left_out"] is None
        await _become(alice, reel, room_id, event_id, PLAYABLE)
        assert await _notices(bob, room_id, event_id) == []


async def test_what_is_still_being_uploaded_is_marked_so(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, room_id: str, clip: Path
) -> None:
    # Clients may send the message first, and the file while others wait for it (MSC2246).
    uri = (await bob.request("POST", "/_matrix/media/v1/create"))["content_uri"]
    content = {"msgtype": "m.video", "body": "late.mp4", "url": uri, "info": {"mimetype": "video/mp4"}}
    event_id = await bob.send_event(room_id, "m.room.message", content)
    await _become(alice, reel, room_id, event_id, AWAITED)
    path = f"/_matrix/media/v3/upload/{uri.removeprefix('mxc://')}"
    await bob.request("PUT", path, data=clip.read_bytes(), headers={"Content-Type": "video/mp4"})
    viewer = await reel.viewer(http, alice, room_id)
    await viewer.video_in(event_id, "ready")
    await _become(alice, reel, room_id, event_id, PLAYABLE)
    assert await _reactions_ever(alice, reel, room_id) == 2
