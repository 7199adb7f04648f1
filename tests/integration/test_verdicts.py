"""The detection webhook on the real service, with the example of `deploy/`, and services that do not respond well."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import free_port
from tests.support.clips import with_padding
from tests.support.commands import CommandSender, open_direct
from tests.support.installation import Installation
from tests.support.rooms import make_room, wait_for_notice
from tests.support.waiting import eventually

SECRET = "a-secret-of-the-tests"
EXAMPLE = Path(__file__).parents[2] / "deploy" / "verdict_webhook_example.py"

Respond = Callable[[dict[str, Any]], Awaitable[web.Response]]


@contextlib.asynccontextmanager
async def example(blocked: Path) -> AsyncIterator[str]:
    """Run the example as an operator would, and return its address."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLE), "--port", str(port), "--blocked", str(blocked),
        env={**os.environ, "ROOMREEL_WEBHOOK_SECRET": SECRET}, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:

        async def listens() -> bool:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return True
            return False

        await eventually(listens, what="the example listening")
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def service(rooms: set[str], respond: Respond) -> AsyncIterator[str]:
    """Run a service of our own, which checks that Roomreel signed its requests, and return its address.

    Only requests about `rooms` are passed to `respond`: the bot may still be in rooms of other tests.
    """

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert request.headers["X-Roomreel-Signature"] == f"sha256={signature}"
        query = json.loads(body)
        return await respond(query) if query["room_id"] in rooms else web.json_response({"verdict": "allow"})

    app = web.Application()
    app.router.add_post("/verdict", handle)
    # Handlers that do not respond are not waited for.
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.1)
    try:
        yield str(server.make_url("/verdict"))
    finally:
        await server.close()


async def row_of(spare: Installation, event_id: str) -> dict[str, Any]:
    rows = await spare.rows("SELECT * FROM videos WHERE event_id = $1", event_id)
    return dict(rows[0]) if rows else {}


async def becomes(spare: Installation, event_id: str, **wanted: object) -> dict[str, Any]:
    """Wait until a video's row has these values, and return it."""

    async def matching_row() -> dict[str, Any]:
        row = await row_of(spare, event_id)
        return row if row and all(row[name] == value for name, value in wanted.items()) else {}

    return await eventually(matching_row, what=f"{event_id} being {wanted}")


async def test_the_example_allows_and_blocks(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path, tmp_path: Path
) -> None:
    bad = with_padding(clip, tmp_path / "bad.mp4", b"bad")
    blocked = tmp_path / "blocked.txt"
    blocked.write_text(hashlib.sha256(bad.read_bytes()).hexdigest() + "\n")
    async with example(blocked) as url:
        spare.write_config(moderation={"webhook": {"url": url, "secret": SECRET}})
        async with spare.running():
            room_id = await make_room(alice, spare, bob)
            viewer = await spare.viewer(http, alice, room_id)
            good = await bob.send_video(room_id, clip)
            await becomes(spare, good, state="ready", visibility="shown", judged=True)
            assert await viewer.video(good)
            event_id = await bob.send_video(room_id, bad)
            text = await wait_for_notice(bob, room_id, "not accepted by the check", thread=event_id)
            assert "It is on the list of this server." in text
            assert await viewer.video(event_id) is None
            # It does not come again, and what looks like it goes with it.
            again = await bob.send_video(room_id, bad)
            await becomes(spare, again, state="failed", failure="blocked")
            deeds = await spare.rows("SELECT actor, action FROM audit WHERE details->>'because' = 'verdict'")
            assert [tuple(deed) for deed in deeds] == [("roomreel", "released")]

            async def gone() -> bool:
                return await viewer.video(good) is None

            await eventually(gone, what="the copy being taken away")


async def test_a_block_holds_in_all_rooms_where_the_operator_chose_so(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path, tmp_path: Path
) -> None:
    bad = with_padding(clip, tmp_path / "bad.mp4", b"bad")
    blocked = tmp_path / "blocked.txt"
    blocked.write_text("")
    async with example(blocked) as url:
        webhook = {"url": url, "secret": SECRET, "block": "server"}
        spare.write_config(moderation={"webhook": webhook}, permissions={"*": "user", alice.user_id: "admin"})
        async with spare.running():
            one, other = [await make_room(alice, spare, bob) for _ in range(2)]
            alone = CommandSender(alice, await open_direct(alice, spare))
            viewer = await spare.viewer(http, alice, other)
            passed = await bob.send_video(other, bad)
            await becomes(spare, passed, state="ready", visibility="shown")
            blocked.write_text(hashlib.sha256(bad.read_bytes()).hexdigest() + "\n")
            await bob.send_video(one, bad)
            await wait_for_notice(bob, one, "not accepted by the check")

            async def gone() -> bool:
                return await viewer.video(passed) is None

            await eventually(gone, what="the file being taken out of another room")
            (block,) = await spare.rows("SELECT room_id, blocked_by FROM blocks")
            assert (block["room_id"], block["blocked_by"]) == (None, "roomreel")
            again = await bob.send_video(other, bad)

            async def kept_out() -> bool:
                row = await row_of(spare, again)
                # Whoever learns just then what the file looks like may take it away first.
                return bool(row) and (row["failure"] == "blocked" or row["visibility"] == "removed")

            await eventually(kept_out, what="the file being refused in another room")
            # An admin ends it, and there is a new request.
            blocked.write_text("")
            digits = hashlib.sha256(bad.read_bytes()).hexdigest()[:8]
            assert (await alone(f"!reel unblock-everywhere #{digits}")).reactions == ["✅"]
            assert not await spare.rows("SELECT FROM blocks")
            last = await bob.send_video(one, bad)
            await becomes(spare, last, state="ready", visibility="shown")


@pytest.mark.parametrize("encryption", [{}, {"key": "a key of the tests, which is long enough", "all_rooms": True}])
async def test_nobody_sees_it_before_the_verdict(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path,
    encryption: dict[str, object],
) -> None:  # fmt: skip
    rooms: set[str] = set()
    requests: list[dict[str, Any]] = []
    may_respond = asyncio.Event()

    async def respond(query: dict[str, Any]) -> web.Response:
        requests.append(query)
        await may_respond.wait()
        return web.json_response({"verdict": "hold", "reason": "a face"})

    async with service(rooms, respond) as url:
        webhook = {"url": url, "secret": SECRET, "timeout": 60}
        spare.write_config(moderation={"webhook": webhook}, encryption=encryption)
        async with spare.running():
            room_id = await make_room(alice, spare, bob)
            rooms.add(room_id)
            member, moderator = await spare.viewer(http, bob, room_id), await spare.viewer(http, alice, room_id)
            event_id = await alice.send_video(room_id, clip)

            async def is_requested() -> bool:
                return bool(requests)

            await eventually(is_requested, what="the request")
            row = await row_of(spare, event_id)
            assert (row["state"], row["visibility"], row["held_for"]) == ("ready", "held", "verdict")
            assert await member.video(event_id) is None
            query = requests[0]
            images = {each["name"]: base64.b64decode(each["data"]) for each in query.pop("pictures")}
            assert set(images) == {"poster", "storyboard"}
            assert all(data.startswith(b"\xff\xd8") for data in images.values())
            assert query.pop("duration") == pytest.approx(row["duration"])
            assert query == {
                "video_id": str(row["id"]), "event_id": event_id, "room_id": room_id, "sender": alice.user_id,
                "kind": "video", "width": row["width"], "height": row["height"],
                "sha256": hashlib.sha256(clip.read_bytes()).hexdigest(),
            }  # fmt: skip
            # Moderators do not run ahead of it; after it, they decide.
            seen = await moderator.video(event_id)
            assert seen
            assert "show" not in seen["can"]
            may_respond.set()
            await becomes(spare, event_id, held_for="approval", judged=True, quarantined=None)
            seen = await moderator.video(event_id)
            assert seen
            assert "show" in seen["can"]
            assert await member.video(event_id) is None


@pytest.mark.parametrize(("on_failure", "visibility"), [("hold", "held"), ("allow", "shown")])
async def test_without_a_verdict_the_configuration_decides(
    spare: Installation, alice: MatrixClient, clip: Path, on_failure: str, visibility: str
) -> None:
    responses = [
        web.Response(status=500), web.Response(text="yes"), web.json_response({"verdict": "perhaps"})
    ]  # fmt: skip
    rooms: set[str] = set()
    tries: list[str] = []

    async def respond(query: dict[str, Any]) -> web.Response:
        tries.append(query["video_id"])
        return responses.pop(0)

    async with service(rooms, respond) as url:
        spare.write_config(moderation={"webhook": {"url": url, "secret": SECRET, "on_failure": on_failure}})
        async with spare.running():
            room_id = await make_room(alice, spare)
            rooms.add(room_id)
            event_id = await alice.send_video(room_id, clip)
            row = await becomes(spare, event_id, judged=True)
            assert row["visibility"] == visibility
            assert tries == [str(row["id"])] * 3
    assert "its response has no `verdict` of allow, hold or block" in spare.log_file.read_text()


async def test_what_waits_outlives_a_stop_and_the_end_of_the_webhook(
    spare: Installation, alice: MatrixClient, clip: Path
) -> None:
    rooms: set[str] = set()
    requested = asyncio.Event()

    async def respond(query: dict[str, Any]) -> web.Response:
        requested.set()
        await asyncio.sleep(60)
        return web.json_response({"verdict": "block"})

    async with service(rooms, respond) as url:
        spare.write_config(moderation={"webhook": {"url": url, "secret": SECRET, "timeout": 60}})
        async with spare.running():
            room_id = await make_room(alice, spare)
            rooms.add(room_id)
            event_id = await alice.send_video(room_id, clip)
            await asyncio.wait_for(requested.wait(), 60)
        assert (await row_of(spare, event_id))["held_for"] == "verdict"
        await spare.rows("DELETE FROM pgqueuer WHERE entrypoint = 'verdict'")
        requested.clear()
        async with spare.running():
            await asyncio.wait_for(requested.wait(), 60)
    spare.write_config(moderation={"webhook": None})
    async with spare.running():
        await becomes(spare, event_id, visibility="shown", held_for=None, quarantined=None)

        # The stop gave the job back.
        async def done() -> bool:
            return not await spare.rows("SELECT FROM pgqueuer WHERE entrypoint = 'verdict'")

        await eventually(done, what="the job of when a service was configured")
        assert not (await row_of(spare, event_id))["judged"]
