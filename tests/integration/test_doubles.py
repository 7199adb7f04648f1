"""Messages that a client sent more than once: one entry, which stays as long as one of them does."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually

NONCE = "chat.roomreel.nonce"


@pytest.fixture
async def room_id(reel: Installation, alice: MatrixClient, bob: MatrixClient) -> str:
    return await make_room(alice, reel, bob)


@pytest.fixture
async def viewer(reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, room_id: str) -> Viewer:
    return await reel.viewer(http, alice, room_id)


def video(url: str, **content: object) -> dict[str, Any]:
    return {"msgtype": "m.video", "body": "clip.mp4", "url": url, "info": {"mimetype": "video/mp4"}, **content}


async def send(user: MatrixClient, room_id: str, content: dict[str, Any]) -> str:
    return await user.send_event(room_id, "m.room.message", content)


async def doubles(reel: Installation, room_id: str) -> list[Any]:
    return [*await reel.rows("SELECT FROM doubles d JOIN videos v ON v.id = video_id WHERE v.room_id = $1", room_id)]


async def settled(viewer: Viewer, alice: MatrixClient, room_id: str, clip: Path) -> list[dict[str, Any]]:
    """Send one more video, and return those of before once it is there: the homeserver delivers in order."""
    last = await alice.send_video(room_id, clip, body="last")
    await viewer.video_in(last, "queued", "processing", "playable", "ready")
    return [each for each in await viewer.videos() if each["event_id"] != last]


async def test_what_comes_again_with_its_nonce_counts_once(
    viewer: Viewer, alice: MatrixClient, bob: MatrixClient, room_id: str, clip: Path
) -> None:
    content = video(await alice.upload(clip, "video/mp4"), **{NONCE: "Pile-up_1"})
    first, *_ = [await send(alice, room_id, content) for _ in range(3)]
    # Somebody else's nonce is another one, whatever it is; and another one of hers is on purpose.
    bobs = await send(bob, room_id, content)
    again = await send(alice, room_id, {**content, NONCE: "Pile-up_2"})
    plain = [await send(alice, room_id, video(content["url"])) for _ in range(2)]
    there = await settled(viewer, alice, room_id, clip)
    assert sorted(each["event_id"] for each in there) == sorted([first, bobs, again, *plain])


async def test_sent_at_the_same_time_one_counts(
    reel: Installation, http: aiohttp.ClientSession, viewer: Viewer, alice: MatrixClient, room_id: str, clip: Path
) -> None:
    content = video(await alice.upload(clip, "video/mp4"), **{NONCE: "race"})
    events = [
        {
            "type": "m.room.message", "event_id": f"${room_id[1:9]}-{number}", "room_id": room_id,
            "sender": alice.user_id, "origin_server_ts": 1, "content": content,
        }
        for number in range(8)
    ]  # fmt: skip
    responses = await asyncio.gather(
        *(reel.transaction(http, [event], txn_id=f"race-{n}-{room_id}") for n, event in enumerate(events))
    )
    assert [status for status, _ in responses] == [200] * 8
    assert len(await viewer.videos()) == 1
    assert len(await doubles(reel, room_id)) == 7


async def test_what_the_widget_uploaded_comes_once_without_a_nonce(
    reel: Installation, viewer: Viewer, alice: MatrixClient, room_id: str, clip: Path
) -> None:
    url = await alice.upload(clip, "video/mp4")
    await reel.rows(
        "INSERT INTO upload_media (mxc, upload_id, owner, room_id, bytes) VALUES ($1, gen_random_uuid(), $2, $3, 1)",
        url, alice.user_id, room_id,
    )  # fmt: skip
    first, _, _ = [await send(alice, room_id, video(url)) for _ in range(3)]
    assert [each["event_id"] for each in await settled(viewer, alice, room_id, clip)] == [first]
    # Much later she means it.
    await reel.rows("UPDATE videos SET received_at = received_at - interval '11 minutes' WHERE event_id = $1", first)
    later = await send(alice, room_id, video(url))
    await viewer.video_in(later, "queued", "processing", "playable", "ready")


async def test_the_entry_stays_while_one_of_the_messages_does(
    reel: Installation, viewer: Viewer, alice: MatrixClient, room_id: str, clip: Path
) -> None:
    content = video(await alice.upload(clip, "video/mp4"), **{NONCE: "three"})
    first, second, third = [await send(alice, room_id, content) for _ in range(3)]
    before = await viewer.video_in(first, "ready")
    await alice.redact(room_id, second)
    await alice.redact(room_id, first)
    after = await viewer.video_in(third, "ready")
    assert (after["id"], after["poster_url"]) == (before["id"], before["poster_url"])
    await alice.redact(room_id, third)

    async def gone() -> bool:
        return await viewer.videos() == []

    await eventually(gone, what="the entry being gone with the last message")
    assert await doubles(reel, room_id) == []


async def test_who_deletes_the_video_deletes_all_of_its_messages(
    viewer: Viewer, alice: MatrixClient, room_id: str, clip: Path
) -> None:
    content = video(await alice.upload(clip, "video/mp4"), **{NONCE: "away"})
    sent = [await send(alice, room_id, content) for _ in range(2)]
    entry = await viewer.video_in(sent[0], "ready")
    status, _ = await viewer.request("DELETE", f"/api/v1/videos/{entry['id']}")
    assert status == 200
    # One that comes while the video can still be brought back is none of its own.
    sent.append(await send(alice, room_id, content))

    async def redacted() -> bool:
        return not {event["event_id"] for event in await alice.messages(room_id) if event["content"].get("url")} & set(
            sent
        )

    await eventually(redacted, seconds=60, what="all three messages being gone")
    assert await viewer.videos() == []
