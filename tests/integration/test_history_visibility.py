"""What was sent before somebody came is kept from them where the room's history visibility says so."""

import secrets
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.integration.commands.conftest import Asking
from tests.support import Installation, Viewer, eventually, make_room, with_padding


async def _set(user: MatrixClient, reel: Installation, room_id: str, visibility: str) -> None:
    """Set the history visibility of a room, and wait until the service knows."""
    await user.send_state(room_id, "m.room.history_visibility", {"history_visibility": visibility})

    async def known() -> bool:
        rows = await reel.rows("SELECT history FROM rooms WHERE room_id = $1", room_id)
        return [row["history"] for row in rows] == [visibility]

    await eventually(known, what=f"{visibility} being known")


async def _send(user: MatrixClient, room_id: str, sees: Viewer, clip: Path, folder: Path) -> dict[str, Any]:
    """Send a new file, and return the video once it is ready."""
    name = secrets.token_hex(4)
    event_id = await user.send_video(room_id, with_padding(clip, folder / f"{name}.mp4", name.encode()))
    return await sees.video_in(event_id, "ready")


@pytest.mark.parametrize("visibility", ["joined", "invited"])
async def test_newcomers_see_what_was_sent_while_they_were_there(
    reel: Installation, http: aiohttp.ClientSession, synapse: Synapse, alice: MatrixClient, clip: Path, tmp_path: Path,
    visibility: str,
) -> None:  # fmt: skip
    async with await synapse.user(f"newcomer-{secrets.token_hex(4)}") as user:
        room_id = await make_room(alice, reel)
        hers = await reel.viewer(http, alice, room_id)
        shared = await _send(alice, room_id, hers, clip, tmp_path)
        await _set(alice, reel, room_id, visibility)
        before = await _send(alice, room_id, hers, clip, tmp_path)
        await alice.invite(room_id, user.user_id)

        async def invited() -> bool:
            return bool(await reel.rows(
                "SELECT FROM members WHERE room_id = $1 AND user_id = $2 AND membership = 'invite'",
                room_id, user.user_id,
            ))  # fmt: skip

        await eventually(invited, what="the invitation being known")
        meanwhile = await _send(alice, room_id, hers, clip, tmp_path)
        await user.join(room_id)
        sees = await reel.viewer(http, user, room_id)
        own = await _send(user, room_id, sees, clip, tmp_path)
        after = await _send(alice, room_id, hers, clip, tmp_path)

        kept = [before] if visibility == "invited" else [before, meanwhile]
        shown = [video for video in (shared, before, meanwhile, own, after) if video not in kept]
        assert {video["id"] for video in await sees.videos()} == {video["id"] for video in shown}
        assert len(await hers.videos()) == 5
        await _nothing_is_told_of(reel, sees, Asking(user, room_id), hers, kept)
        # What may be seen plays, also in the reels.
        status, room = await sees.get(f"/api/v1/rooms/{room_id}?together=*")
        assert status == 200
        reels = [m["reel_url"] for m in room["members"]] + [room["channel"], room["together"]["reel_url"]]
        for url in reels:
            status, playlist = await sees.fetch(url)
            assert status == 200, url
            folder = url.rpartition("/")[0]
            status, playlist = await sees.fetch(f"{folder}/{_first_line(playlist)}")
            assert status == 200
            assert not [video["id"] for video in kept if video["id"].encode() in playlist], url
        assert {turn["id"] for turn in room["schedule"]["items"]} == {shared["id"], own["id"], after["id"]}

        # A change holds for what is sent from then on.
        await _set(alice, reel, room_id, "shared")
        assert {video["id"] for video in await sees.videos()} == {video["id"] for video in shown}

        # Whoever was away sees nothing of the time between.
        await _set(alice, reel, room_id, visibility)
        await user.leave(room_id)
        away = await _send(alice, room_id, hers, clip, tmp_path)
        await alice.invite(room_id, user.user_id)
        await user.join(room_id)
        again = await reel.viewer(http, user, room_id)
        seen = {video["id"] for video in await again.videos()}
        assert away["id"] not in seen
        assert {shared["id"], own["id"]} <= seen


def _first_line(playlist: bytes) -> str:
    return next(line for line in playlist.decode().splitlines() if line and not line.startswith("#"))


async def _nothing_is_told_of(
    reel: Installation, sees: Viewer, ask: Asking, hers: Viewer, kept: list[dict[str, Any]]
) -> None:
    """Try every way to videos whose ids and addresses somebody gave away."""
    base = "/".join(str((await sees.videos())[0]["poster_url"]).split("/")[:4])
    for video in kept:
        for url in (video["poster_url"], video["playlist_url"], video["storyboard_url"], video["preview_url"]):
            if url is None:
                continue
            path = "/".join(url.split("/")[4:])
            assert (await hers.fetch(url))[0] == 200
            assert (await sees.fetch(f"{base}/{path}"))[0] == 404, path
        headers = {"Authorization": f"Bearer {sees.token}"}
        for method, path, body in (("PATCH", "", {"title": "x"}), ("DELETE", "", None), ("POST", "/report", {})):
            async with sees.http.request(
                method, f"{reel.url}/api/v1/videos/{video['id']}{path}", headers=headers, json=body
            ) as response:
                assert response.status == 404, (method, path)
        number = f"#{video['id'].replace('-', '')[:8]}"
        assert "no video" in (await ask(f"!reel play {number}")).text.lower()
