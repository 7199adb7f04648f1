"""Living with the timeline: edits, lost transactions, what was sent before the bot came, its leaving, upgrades."""

import contextlib
import hashlib
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from appservice.config import load_config
from appservice.demo.client import MatrixClient
from appservice.matrix.client import HomeserverClient
from appservice.store import Stores, open_pool
from appservice.wiring.parts import homeserver_of
from appservice.worker.timeline import TimelineWork
from tests.support.clips import with_padding
from tests.support.installation import Installation
from tests.support.rooms import make_room, wait_for_notice, wait_for_widget
from tests.support.viewer import Viewer
from tests.support.waiting import eventually

VERSIONS = pytest.mark.parametrize("version", ["11", "12"])


async def edit(
    user: MatrixClient, room_id: str, event_id: str, *, caption: str, clip: Path | None = None, url: str | None = None
) -> str:
    """Replace a video's message as clients do."""
    url = url or await user.upload(clip or Path(), "video/mp4")
    new = {"msgtype": "m.video", "body": caption, "filename": "clip.mp4", "url": url, "info": {"mimetype": "video/mp4"}}
    relation = {"rel_type": "m.replace", "event_id": event_id}
    content = {**new, "body": f"* {caption}", "m.new_content": new, "m.relates_to": relation}
    return await user.send_event(room_id, "m.room.message", content)


async def enter(installation: Installation, http: aiohttp.ClientSession, user: MatrixClient, room_id: str) -> Viewer:
    """Wait until the bot is in the room, and return what the user sees there."""

    async def is_there() -> bool:
        return (await installation.open_session(http, await user.openid_token(), room_id))[0] == 200

    await eventually(is_there, what="the bot being there")
    return await installation.viewer(http, user, room_id)


async def titled(viewer: Viewer, event_id: str, title: str) -> dict[str, Any]:
    async def titled_video() -> dict[str, Any] | None:
        video = await viewer.video(event_id)
        return video if video and video["title"] == title else None

    found = await eventually(titled_video, what=f"{event_id} being called {title!r}")
    assert found
    return found


@contextlib.asynccontextmanager
async def swallowing(installation: Installation) -> AsyncIterator[set[str]]:
    """Respond to the homeserver in place of a Roomreel that does not run, and lose what it sends; yield event ids."""
    lost: set[str] = set()

    async def swallow(request: web.Request) -> web.Response:
        lost.update(event["event_id"] for event in (await request.json()).get("events", []))
        return web.json_response({})

    app = web.Application(client_max_size=2**24)
    app.router.add_put("/_matrix/app/v1/transactions/{txn}", swallow)
    async with TestServer(app, port=urlsplit(installation.url).port):
        yield lost


@VERSIONS
async def test_an_edit_by_the_sender_changes_the_video(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path,
    tmp_path: Path, version: str,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob, version=version)
    event_id = await bob.send_video(room_id, clip, body="first")
    viewer = await reel.viewer(http, alice, room_id)
    video = await viewer.video_in(event_id, "ready")
    (row,) = await reel.rows("SELECT mxc, stage FROM videos WHERE event_id = $1", event_id)
    # Alice has the highest power level in the room, and yet it is not her message.
    await edit(alice, room_id, event_id, caption="hostile", clip=clip)
    await edit(bob, room_id, event_id, caption="second", url=row["mxc"])
    edited = await titled(viewer, event_id, "second")
    assert (edited["state"], edited["id"]) == ("ready", video["id"])
    # Other media are worked on anew, while what was there plays.
    other = with_padding(clip, tmp_path / "other.mp4", room_id.encode())
    await edit(bob, room_id, event_id, caption="third", clip=other)

    async def replaced() -> bool:
        now = await viewer.video(event_id)
        assert now
        assert now["state"] in {"playable", "ready"}, now
        (new,) = await reel.rows("SELECT mxc, stage FROM videos WHERE event_id = $1", event_id)
        return bool(new["mxc"] != row["mxc"] and new["stage"] != row["stage"] and now["state"] == "ready")

    await eventually(replaced, what="the new media being ready")
    assert [v["title"] for v in await viewer.videos()] == ["third"]
    # Who takes an edit back, takes back what it brought.
    (third,) = await reel.rows("SELECT mxc FROM videos WHERE event_id = $1", event_id)
    last = await edit(bob, room_id, event_id, caption="fourth", clip=clip)
    await titled(viewer, event_id, "fourth")
    await bob.redact(room_id, last)
    await titled(viewer, event_id, "third")

    async def back() -> bool:
        (now,) = await reel.rows("SELECT mxc, state FROM videos WHERE event_id = $1", event_id)
        return bool((now["mxc"], now["state"]) == (third["mxc"], "ready"))

    await eventually(back, what="the media of before being ready")
    # What a person named keeps its name.
    status, _ = await (await reel.viewer(http, bob, room_id)).request(
        "PATCH", f"/api/v1/videos/{video['id']}",
        {"version": (await titled(viewer, event_id, "third"))["version"], "title": "mine"},
    )  # fmt: skip
    assert status == 200
    (new,) = await reel.rows("SELECT edited_at FROM videos WHERE event_id = $1", event_id)
    await edit(bob, room_id, event_id, caption="fifth", clip=clip)

    async def read() -> bool:
        (now,) = await reel.rows("SELECT edited_at FROM videos WHERE event_id = $1", event_id)
        return bool(now["edited_at"] > new["edited_at"])

    await eventually(read)
    assert (await viewer.video_in(event_id, "ready"))["title"] == "mine"


async def test_what_played_stays_when_the_media_of_an_edit_fail(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, tmp_path: Path
) -> None:
    room_id = await make_room(alice, reel)
    event_id = await alice.send_video(room_id, clip, body="first")
    viewer = await reel.viewer(http, alice, room_id)
    video = await viewer.video_in(event_id, "ready")
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    blocked = with_padding(clip, tmp_path / "blocked.mp4", room_id.encode())
    await reel.rows(
        "INSERT INTO blocks (room_id, source_hash, blocked_by) VALUES ($1, $2, 'test')",
        room_id, hashlib.sha256(blocked.read_bytes()).digest(),
    )  # fmt: skip
    for caption, reason, media in (
        ("gone", "no longer has the file", {"url": f"mxc://{reel.synapse.server_name}/{'x' * 24}"}),
        ("broken", "is damaged", {"clip": broken}),
        ("blocked", "is blocked", {"clip": blocked}),
    ):  # fmt: skip
        await edit(alice, room_id, event_id, caption=caption, **media)
        said = await wait_for_notice(alice, room_id, reason, thread=event_id)
        assert f"in place of “{caption}”" in said
        now = await viewer.video_in(event_id, "ready")
        assert (now["playlist_url"].rpartition("/v/")[2], now["failure"]) == (
            video["playlist_url"].rpartition("/v/")[2], None,
        )  # fmt: skip
        assert (await viewer.fetch(now["playlist_url"]))[0] == 200


async def test_other_media_wait_for_a_moderator_again_and_go_with_the_video(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path, tmp_path: Path
) -> None:
    room_id = await make_room(alice, reel, bob)
    event_id = await bob.send_video(room_id, clip)
    viewer = await reel.viewer(http, alice, room_id)
    video = await viewer.video_in(event_id, "ready")
    await alice.send_text(room_id, "!reel room hold all")
    await wait_for_notice(alice, room_id, "hold")
    notice = next(e for e in await alice.messages(room_id) if e["sender"] == reel.bot and "msgtype" in e["content"])
    post = notice["event_id"]  # any message of the bot's, as if it were the review post of the video
    await reel.rows("INSERT INTO queue_posts VALUES ($1, $2, $3)", post, room_id, uuid.UUID(video["id"]))
    other = with_padding(clip, tmp_path / "other.mp4", room_id.encode())
    edited = await edit(bob, room_id, event_id, caption="other", clip=other)

    async def row() -> dict[str, Any]:
        return dict((await reel.rows("SELECT * FROM videos WHERE event_id = $1", event_id))[0])

    async def waits() -> bool:
        now = await row()
        return (now["visibility"], now["held_for"], now["state"]) == ("held", "approval", "ready")

    await eventually(waits, what="the new media waiting")
    assert not await reel.rows("SELECT FROM queue_posts WHERE event_id = $1", post)
    # What is deleted is deleted with its edits.
    status, _ = await (await reel.viewer(http, bob, room_id)).request("DELETE", f"/api/v1/videos/{video['id']}")
    assert status == 200
    await reel.rows("UPDATE videos SET deleted_at = deleted_at - interval '1 minute' WHERE event_id = $1", event_id)

    async def redacted() -> bool:
        empty = {e["event_id"] for e in await alice.messages(room_id) if not e["content"]}
        return {event_id, edited, post} <= empty

    await eventually(redacted, what="message, edit and post being redacted")


@VERSIONS
async def test_what_was_lost_is_found_at_the_next_start(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path, version: str
) -> None:
    async with spare.running():
        room_id = await make_room(alice, spare, bob, version=version)
        kept = await alice.send_video(room_id, clip, body="kept")
        gone = await alice.send_video(room_id, clip, body="gone")
        viewer = await spare.viewer(http, bob, room_id)
        await viewer.video_in(kept, "ready")
        await viewer.video_in(gone, "ready")

        async def looked() -> bool:
            return bool(await spare.rows("SELECT FROM rooms WHERE room_id = $1 AND last_event IS NOT NULL", room_id))

        await eventually(looked)
    async with swallowing(spare) as lost:
        missed = await bob.send_video(room_id, clip, body="missed")
        (row,) = await spare.rows("SELECT mxc FROM videos WHERE event_id = $1", kept)
        await edit(alice, room_id, kept, caption="edited", url=row["mxc"])
        redaction = await alice.redact(room_id, gone)
        command = await alice.send_text(room_id, "!reel version")

        async def swallowed() -> bool:
            return {missed, redaction, command} <= lost

        await eventually(swallowed, what="the homeserver delivering into nothing")
    async with spare.running():
        viewer = await spare.viewer(http, bob, room_id)
        await viewer.video_in(missed, "ready")
        await titled(viewer, kept, "edited")
        assert await viewer.video(gone) is None
        assert await spare.rows("SELECT FROM commands WHERE event_id = $1", command)
        (found,) = spare.log_entries("gap_closed")
        assert found["missed"] == 4
    async with spare.running():

        async def looked_again() -> bool:
            (row,) = await spare.rows("SELECT last_event FROM rooms WHERE room_id = $1", room_id)
            return bool(row["last_event"] not in {missed, kept, gone, command, redaction})

        await eventually(looked_again, what="the bot's response being looked at")
        assert len(spare.log_entries("gap_closed")) == 1
        assert len(await (await spare.viewer(http, bob, room_id)).videos()) == 2


async def test_lost_invitations_are_handled_at_the_next_start(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient
) -> None:
    async with spare.running():
        known = await make_room(alice, spare)
    # Twice: Synapse caches its responses of the start before.
    for _ in range(2):
        async with swallowing(spare) as lost:
            room_id = await alice.create_room(invite=[], user_levels={spare.bot: 50})
            await alice.invite(room_id, spare.bot)
            withdrawn = await alice.create_room(invite=[spare.bot])
            await alice.kick(withdrawn, spare.bot)

            async def swallowed(room_ids: tuple[str, ...] = (room_id, withdrawn)) -> bool:
                state = [e for room in room_ids for e in await alice.get_full_state(room)]
                return {e["event_id"] for e in state if e.get("state_key") == spare.bot} <= lost

            await eventually(swallowed, what="the homeserver delivering into nothing")
        assert spare.bot not in await alice.joined_members(room_id)
        async with spare.running():
            await enter(spare, http, alice, room_id)
            await wait_for_widget(alice, room_id)
            assert spare.log_entries("invitation_found")[-1]["room_id"] == room_id
    # That of `known` may be found as well, where the look at the start comes between invitation and transaction.
    found = [entry["room_id"] for entry in spare.log_entries("invitation_found")]
    assert len([room_id for room_id in found if room_id != known]) == 2
    assert spare.bot in await alice.joined_members(known)


async def test_rooms_are_looked_at_after_an_outage_and_hourly(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient
) -> None:
    async with spare.running():
        room_id = await make_room(alice, spare)
    config = load_config(spare.config)
    async with await open_pool(str(spare.settings["database"]), size=2) as pool:
        away = HomeserverClient(http, "http://127.0.0.1:1", "x" * 16, config.appservice.id, config.bot)
        later = 0
        work = TimelineWork(config, Stores(pool), away, clock=lambda: monotonic() + later)

        async def looks() -> int:
            """Return how often a look at the room was queued, since the last question."""
            jobs = await pool.fetch("DELETE FROM pgqueuer WHERE entrypoint = 'timeline' RETURNING payload")
            return sum(json.loads(job["payload"])["room_id"] == room_id for job in jobs)

        await looks()
        await work.backfill_all()
        assert await looks() == 0
        work.homeserver = homeserver_of(config, http)
        await work.backfill_all()
        assert await looks() == 1
        await work.backfill_all()
        assert await looks() == 0
        later = 3700
        await work.backfill_all()
        assert await looks() == 1


@VERSIONS
async def test_moderators_may_have_videos_of_before(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, mallory: MatrixClient,
    clip: Path, tmp_path: Path, version: str,
) -> None:  # fmt: skip
    room_id = await alice.create_room(version=version, invite=[bob.user_id, mallory.user_id])
    await bob.join(room_id)
    await mallory.join(room_id)
    gone = await mallory.send_video(room_id, clip)
    (tmp_path / "broken.mp4").write_bytes(b"nothing that plays")
    broken = await bob.send_video(room_id, tmp_path / "broken.mp4")
    first, taken_back = [await bob.send_video(room_id, clip, body=name) for name in ("first", "taken back")]
    await bob.send_text(room_id, "!reel version")
    last = await bob.send_video(room_id, clip, body="last")
    await bob.redact(room_id, taken_back)
    await mallory.leave(room_id)
    await alice.invite(room_id, reel.bot)

    async def looked() -> bool:
        return bool(await reel.rows("SELECT FROM rooms WHERE room_id = $1 AND last_event IS NOT NULL", room_id))

    await eventually(looked, what="the bot having come")
    viewer = await reel.viewer(http, alice, room_id)
    assert await viewer.videos() == []
    # Redactions are no messages.
    await alice.send_text(room_id, "!reel room history 1")
    await viewer.video_in(last, "ready")
    assert len(await viewer.videos()) == 1
    await alice.send_text(room_id, "!reel room history 50")
    await viewer.video_in(first, "ready")
    await (await reel.viewer(http, bob, room_id)).video_in(broken, "failed")
    assert [video["event_id"] for video in await viewer.videos() if video["state"] == "ready"] == [first, last]

    async def done() -> bool:
        return not await reel.rows(
            "SELECT FROM pgqueuer, videos v WHERE entrypoint = 'status' AND payload = convert_to(v.id::text, 'UTF8')"
            " AND event_id = $1", broken
        )  # fmt: skip

    await eventually(done, what="the end of all that is to be said")
    assert not [e for e in await bob.relations(room_id, broken, "m.thread") if e["sender"] == reel.bot]
    rows = await reel.rows("SELECT event_id FROM videos WHERE room_id = $1", room_id)
    assert gone not in {row["event_id"] for row in rows}
    notices = [e["content"]["body"] for e in await bob.messages(room_id) if e["content"].get("msgtype") == "m.notice"]
    assert not [text for text in notices if text.startswith("Roomreel ")], "nobody who spoke before gets a response"


@VERSIONS
async def test_nothing_is_done_for_a_room_that_the_bot_left_and_in_time_nothing_is_kept(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, version: str
) -> None:
    async with spare.running():
        room_id = await make_room(alice, spare, version=version)
        event_id = await alice.send_video(room_id, clip)
        viewer = await spare.viewer(http, alice, room_id)
        video = await viewer.video_in(event_id, "ready")
        folder = spare.media / video["id"]

        async def left() -> bool:
            return bool(await spare.rows("SELECT FROM rooms WHERE room_id = $1 AND left_at IS NOT NULL", room_id))

        await alice.kick(room_id, spare.bot)
        await eventually(left, what="the bot's being kicked")
        assert (await viewer.fetch(video["poster_url"]))[0] == 403
        late = await alice.send_video(room_id, clip, body="late")
        event = next(e for e in await alice.messages(room_id) if e["event_id"] == late)
        assert (await spare.transaction(http, [{**event, "room_id": room_id}], txn_id="late"))[0] == 200

        async def untouched() -> bool:
            (row,) = await spare.rows("SELECT attempts FROM videos WHERE event_id = $1", late)
            jobs = await spare.rows("SELECT FROM pgqueuer WHERE entrypoint = 'video'")
            return row["attempts"] == 0 and not jobs

        await eventually(untouched, what="the job's end")
        # Back again, it goes on.
        await alice.invite(room_id, spare.bot)
        viewer = await enter(spare, http, alice, room_id)
        await viewer.video_in(late, "ready")
        assert folder.is_dir()
    # Kicked while nobody listens.
    async with swallowing(spare) as lost:
        await alice.kick(room_id, spare.bot)
        command = await alice.send_text(room_id, "gone?")
        assert command not in lost
    async with spare.running():
        # The homeserver delivers in order: before an invitation all that it held back, even that the bot came again.
        await make_room(alice, spare)
        await eventually(left, what="learning that it was kicked")
        await spare.rows("UPDATE rooms SET left_at = left_at - interval '31 days' WHERE room_id = $1", room_id)
    async with spare.running():

        async def erased() -> bool:
            rows = await spare.rows("SELECT FROM videos WHERE room_id = $1 AND visibility <> 'removed'", room_id)
            return not rows and not folder.exists()

        await eventually(erased, what="the room's videos being erased")
        (row,) = await spare.rows("SELECT actor FROM audit WHERE room_id = $1 AND action = 'erased' LIMIT 1", room_id)
        assert row["actor"] == "roomreel"


@pytest.mark.parametrize(("old", "new"), [("11", "12"), ("12", "12")])
async def test_an_upgrade_carries_what_was_chosen(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path, old: str,
    new: str,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob, version=old)
    event_id = await bob.send_video(room_id, clip)
    bobs = await reel.viewer(http, bob, room_id)
    video = await bobs.video_in(event_id, "ready")
    path = f"/api/v1/videos/{video['id']}"
    assert (await bobs.request("PATCH", path, {"version": video["version"], "video_avatar": True}))[0] == 200
    await alice.send_text(room_id, "!reel room hold all")

    async def chosen(of: str) -> dict[str, Any]:
        rows = await reel.rows("SELECT settings::text FROM rooms WHERE room_id = $1", of)
        return dict(json.loads(rows[0]["settings"])) if rows else {}

    await eventually(lambda: chosen(room_id), what="the setting")
    await reel.rows("INSERT INTO blocks (room_id, source_hash, blocked_by) VALUES ($1, '\\x01', '@a:b')", room_id)
    replacement = await alice.upgrade_room(room_id, new)
    await alice.invite(replacement, reel.bot)
    await alice.invite(replacement, bob.user_id)

    async def carried() -> bool:
        return bool(await reel.rows("SELECT FROM videos WHERE room_id = $1", replacement))

    await eventually(carried, what="the upgrade being followed")
    assert await chosen(replacement) == {"hold": "all"}
    await bob.join(replacement)
    viewer = await enter(reel, http, bob, replacement)
    assert (await viewer.video_in(event_id, "ready"))["is_video_avatar"]
    assert len(await reel.rows("SELECT FROM blocks WHERE room_id = $1", replacement)) == 1
    deeds = await reel.rows("SELECT action, details::text FROM audit WHERE room_id = $1 ORDER BY key", replacement)
    assert {"avatar-set", "settings-changed"} <= {row["action"] for row in deeds}
    assert all(json.loads(row["details"])["room_before"] == room_id for row in deeds)
