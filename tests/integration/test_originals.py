"""Whose file at the homeserver goes with a video: its uploader's alone, whoever else sends it."""

from pathlib import Path

import aiohttp

from appservice.demo.client import MatrixClient
from tests.integration.test_unsent_uploads import at_homeserver, gone
from tests.support.clips import with_padding
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually


async def _send(user: MatrixClient, viewer: Viewer, room_id: str, mxc: str) -> str:
    content = {"msgtype": "m.video", "body": "clip.mp4", "url": mxc, "info": {"mimetype": "video/mp4"}}
    event_id = await user.send_event(room_id, "m.room.message", content)
    await viewer.video_in(event_id, "ready")
    return event_id


async def _take_back(spare: Installation, user: MatrixClient, room_id: str, event_id: str) -> None:
    await user.redact(room_id, event_id)

    async def done() -> bool:
        removed = await spare.rows("SELECT FROM videos WHERE event_id = $1 AND visibility = 'removed'", event_id)
        return bool(removed) and not await spare.rows("SELECT FROM pgqueuer WHERE entrypoint = 'forget'")

    await eventually(done, what=f"all that follows the redaction of {event_id}")


async def test_a_file_goes_with_its_uploaders_message_alone(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path,
    tmp_path: Path, admin_token: str,
) -> None:  # fmt: skip
    spare.write_config(homeserver={"admin_token": admin_token})
    await spare.start()
    room_id = await make_room(alice, spare, bob)
    viewer = await spare.viewer(http, alice, room_id)
    files = [with_padding(clip, tmp_path / f"{number}.mp4", bytes([number])) for number in range(2)]
    elsewhere, forwarded = [await alice.upload(file, "video/mp4", "clip.mp4") for file in files]

    # Of a file that she has elsewhere (an avatar, another room), he sends a message and takes it back.
    await _take_back(spare, bob, room_id, await _send(bob, viewer, room_id, elsewhere))
    assert await at_homeserver(alice, elsewhere)

    # What he forwards plays on when she takes hers back, and goes with the last of them.
    hers, his = [await _send(user, viewer, room_id, forwarded) for user in (alice, bob)]
    await _take_back(spare, alice, room_id, hers)
    assert await at_homeserver(bob, forwarded)
    await _take_back(spare, bob, room_id, his)
    await gone(alice, forwarded)
    # And her own message takes her file along.
    await _take_back(spare, alice, room_id, await _send(alice, viewer, room_id, elsewhere))
    await gone(alice, elsewhere)
