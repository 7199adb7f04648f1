"""Galleries (MSC4274) and spoilers (MSC4193) in the whole service: taken, edited, deleted one by one, never shown."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from appservice.core.events.changes import Change, MemberChanged, NewGallery, NewVideo, Redacted, VideoEdited
from appservice.core.events.intake import read_event
from appservice.core.model import EventId, RoomId, Spoiler, UserId, Video
from appservice.core.room import Membership
from appservice.core.rules.permissions import Level
from appservice.core.rules.video_permissions import UNDO_S
from appservice.demo.client import MatrixClient
from appservice.store import ErasureStore, Stores, VideoChangeStore
from appservice.store.audit import ITSELF
from appservice.store.outbox import Pool
from tests.support.clips import with_padding
from tests.support.commands import CommandSender
from tests.support.databases import migrated_pool
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually

ROOM = RoomId("!room:example.org")
ALICE = UserId("@alice:example.org")
MARK = "page.codeberg.everypizza.msc4193.spoiler"


# In the database


@pytest.fixture(scope="module")
async def pool(create_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("galleries"), size=5) as pool:
        yield pool


@pytest.fixture
async def store(pool: Pool) -> Stores:
    await pool.execute("TRUNCATE seen_events, rooms, members, videos, audit, pgqueuer, pgqueuer_log CASCADE")
    store = Stores(pool)
    await store.intake.apply([MemberChanged(ROOM, ALICE, Membership.JOIN, None, None)])
    return store


def part(name: str, **content: object) -> dict[str, object]:
    return {"itemtype": "m.video", "body": f"{name}.mp4", "url": f"mxc://example.org/{name}", **content}


def gallery(*items: dict[str, object], event_id: str = "$gallery", at: int = 1, edits: str | None = None) -> Change:
    content: dict[str, object] = {"msgtype": "dm.filament.gallery", "body": "all", "itemtypes": list(items)}
    if edits:
        content = {**content, "m.new_content": content, "m.relates_to": {"rel_type": "m.replace", "event_id": edits}}
    event = {
        "type": "m.room.message", "event_id": event_id, "room_id": ROOM, "sender": ALICE, "origin_server_ts": at,
        "content": content,
    }  # fmt: skip
    change = read_event(event, bot=UserId("@reel:example.org"), permissions={"*": Level.USER})
    assert isinstance(change, NewGallery | VideoEdited)
    return change


def edit(number: int, *items: dict[str, object]) -> Change:
    return gallery(*items, event_id=f"$edit{number}", at=number + 10, edits="$gallery")


async def here(store: Stores) -> list[tuple[str, int, str]]:
    videos = sorted(await store.videos.room_videos(ROOM), key=lambda video: video.item)
    return [(video.title, video.item, video.file.mxc.rpartition("/")[2]) for video in videos]


async def jobs(pool: Pool, kind: str) -> list[str]:
    rows = await pool.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = $1", kind)
    return [row["payload"].decode() for row in rows]


async def test_each_video_is_a_row_with_a_job_however_often_it_comes(store: Stores, pool: Pool) -> None:
    sent = gallery(part("one"), part("two", **{MARK: True, f"{MARK}.reason": "blood"}), part("one"))
    await store.intake.apply([sent, sent])
    await store.intake.apply([sent])
    assert await here(store) == [("one", 0, "one"), ("two", 1, "two"), ("one", 2, "one")]
    videos = await store.videos.room_videos(ROOM)
    assert [video.item for video in videos] == [0, 1, 2], "they play in the gallery's order"
    assert {video.event_id for video in videos} == {"$gallery"}
    assert {video.item: video.spoiler for video in videos} == {
        0: None, 1: Spoiler("blood"), 2: None
    }  # fmt: skip
    assert sorted(await jobs(pool, "video")) == sorted(video.id for video in videos)


async def test_photos_of_a_gallery_join_where_the_room_chose_so(store: Stores, pool: Pool) -> None:
    photo = part("photo", itemtype="m.image")
    await store.intake.apply([gallery(photo, part("one"))])
    assert await here(store) == [("one", 1, "one")]
    await pool.execute("UPDATE rooms SET settings = '{\"images\": true}'")
    await store.intake.apply([gallery(photo, part("two"), event_id="$next")])
    assert {title for title, _, _ in await here(store)} == {"one", "photo.mp4", "two"}


async def test_edits_follow_each_video(store: Stores) -> None:
    await store.intake.apply([gallery(part("one"), part("two"), part("three"))])
    ids = {video.item: video.id for video in await store.videos.room_videos(ROOM)}
    wave = part("two", body="Wave", filename="two.mp4")
    await store.intake.apply([edit(1, part("one", **{MARK: True}), wave, part("three"))])
    assert await here(store) == [("one", 0, "one"), ("Wave", 1, "two"), ("three", 2, "three")]
    marks = {video.item: video.spoiler for video in await store.videos.room_videos(ROOM)}
    assert marks == {0: Spoiler(), 1: None, 2: None}
    await store.intake.apply([edit(3, part("two"), part("new"), part("four"))])
    # The second goes to the front, the others' places hold other files.
    assert await here(store) == [("two", 1, "two"), ("four", 2, "four"), ("new", 3, "new")] or await here(store)
    now = {video.file.mxc.rpartition("/")[2]: video for video in await store.videos.room_videos(ROOM)}
    assert now["two"].id == ids[1]
    assert set(now) == {"two", "new", "four"}
    assert not now["two"].spoiler
    await store.intake.apply([edit(2, part("old"))])  # comes late
    assert {video.file.mxc.rpartition("/")[2] for video in await store.videos.room_videos(ROOM)} == {
        "two",
        "new",
        "four",
    }


async def test_edits_after_an_upgrade_follow_the_videos_and_the_settings_of_their_room(
    store: Stores, pool: Pool
) -> None:
    new_room = RoomId("!new:example.org")
    await store.intake.apply([gallery(part("a"), part("b"))])
    await store.intake.apply([MemberChanged(new_room, ALICE, Membership.JOIN, None, None)])
    await store.rooms.follow_upgrade(ROOM, new_room)
    await pool.execute("""UPDATE rooms SET settings = '{"hold": "all"}' WHERE room_id = $1""", new_room)
    await store.intake.apply([gallery(part("a"), part("c"), part("d"), event_id="$edit", at=2, edits="$gallery")])
    rows = await pool.fetch("SELECT mxc, room_id, sent_in, held_for FROM videos WHERE visibility <> 'removed'")
    assert {row["mxc"][-1]: (row["room_id"], row["sent_in"], row["held_for"]) for row in rows} == {
        "a": (new_room, ROOM, None),
        "c": (new_room, ROOM, "approval"),
        "d": (new_room, ROOM, "approval"),
    }


async def test_a_plain_video_may_become_a_gallery_and_back(store: Stores) -> None:
    plain = NewVideo(
        event_id=EventId("$gallery"), room_id=ROOM, sender=ALICE, title="one", mxc="mxc://example.org/one",
        encrypted_file=None, claimed_size=None, certain=True, sent_at=1,
    )  # fmt: skip
    await store.intake.apply([plain, edit(1, part("one"), part("two"))])
    assert await here(store) == [("one", 0, "one"), ("two", 1, "two")]
    await store.intake.apply([edit(2, part("two"))])
    assert await here(store) == [("two", 1, "two")]


async def test_only_its_sender_edits_it(store: Stores, pool: Pool) -> None:
    await store.intake.apply([gallery(part("one"), part("two"))])
    await pool.execute("UPDATE videos SET sender = '@bob:example.org'")
    await store.intake.apply([edit(1, part("three"))])
    assert [title for title, _, _ in await here(store)] == ["one", "two"]


async def test_a_redaction_takes_all_of_it(store: Stores, pool: Pool) -> None:
    await store.intake.apply([gallery(part("one"), part("two")), Redacted(ROOM, EventId("$gallery"), ALICE)])
    assert await here(store) == []
    assert len(await jobs(pool, "sweep")) == 2
    await store.intake.apply([gallery(part("one"), part("two"))])
    assert await here(store) == []


async def _remove(pool: Pool, *videos: Video) -> None:
    taken = "UPDATE videos SET visibility = 'removed', deleted_at = now() - interval '1 hour'"
    await pool.execute(f"{taken} WHERE id = ANY ($1::uuid[])", [video.id for video in videos])
    await VideoChangeStore(pool).purge_deleted(UNDO_S)


def _redacted(payloads: list[str]) -> list[bool]:
    return ['"redact": true' in payload for payload in payloads]


async def test_the_message_goes_with_the_last_of_its_videos(store: Stores, pool: Pool) -> None:
    await store.intake.apply([gallery(part("one"), part("two"), part("three"))])
    one, two, three = await store.videos.room_videos(ROOM)
    await _remove(pool, one)
    assert _redacted(await jobs(pool, "forget")) == [False]
    await store.intake.apply([edit(1, part("one", body="x", filename="one.mp4"), part("two"), part("three"))])
    assert len(await here(store)) == 2, "another caption brings nothing back"
    await pool.execute("TRUNCATE pgqueuer")
    await _remove(pool, two, three)
    assert set(_redacted(await jobs(pool, "forget"))) == {True}


async def test_what_can_still_be_brought_back_stays(store: Stores, pool: Pool) -> None:
    await store.intake.apply([gallery(part("one"), part("two"))])
    _, two = await store.videos.room_videos(ROOM)
    await pool.execute("UPDATE videos SET visibility = 'removed', undone_to = 'shown', deleted_at = now()")
    await _remove(pool, two)
    left = await pool.fetch("SELECT id FROM videos WHERE deleted_at IS NOT NULL AND mxc <> ''")
    assert len(left) == 1
    assert str(left[0]["id"]) != two.id


async def test_two_who_take_the_last_two_at_once_leave_no_message(store: Stores, pool: Pool) -> None:
    await store.intake.apply([gallery(part("one"), part("two"))])
    one, two = await store.videos.room_videos(ROOM)
    await pool.execute("UPDATE videos SET visibility = 'removed', deleted_at = now() - interval '1 hour'")
    # Two transactions that each see one of them, as two workers do who skip what the other has.
    async with pool.acquire() as first, first.transaction():
        await first.execute("SELECT FROM videos WHERE id = $1 FOR UPDATE", one.id)
        await VideoChangeStore(pool).purge_deleted(UNDO_S)
    await VideoChangeStore(pool).purge_deleted(UNDO_S)
    assert sorted(_redacted(await jobs(pool, "forget"))) == [False, True]
    assert two.id != one.id


async def test_somebodys_erasure_takes_the_message(store: Stores, pool: Pool) -> None:
    await store.intake.apply([gallery(part("one"), part("two"))])
    await ErasureStore(pool).erase_user(ALICE, by=ITSELF)
    assert set(_redacted(await jobs(pool, "forget"))) == {True}


# On the running service


async def _send_gallery(user: MatrixClient, room_id: str, *files: Path, **content: object) -> str:
    items = [
        {
            "itemtype": "m.video", "body": file.name, "filename": file.name, "info": {"mimetype": "video/mp4"},
            "url": await user.upload(file.read_bytes(), "video/mp4"),
        }
        for file in files
    ]  # fmt: skip
    said = {"msgtype": "dm.filament.gallery", "body": "two from the beach", "itemtypes": items, **content}
    return await user.send_event(room_id, "m.room.message", said)


async def _videos(viewer: Viewer, event_id: str) -> list[dict[str, Any]]:
    return [video for video in await viewer.videos() if video["event_id"] == event_id]


async def test_a_gallery_plays_and_is_deleted_one_by_one(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path, tmp_path: Path
) -> None:
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, bob, room_id)
    files = [with_padding(clip, tmp_path / f"{name}.mp4", name.encode()) for name in ("one", "two")]
    event_id = await _send_gallery(bob, room_id, *files)

    async def ready() -> bool:
        return [video["state"] for video in await _videos(viewer, event_id)] == ["ready", "ready"]

    await eventually(ready, what="both videos of the gallery")
    one, two = await _videos(viewer, event_id)
    assert {one["title"], two["title"]} == {"one", "two"}
    assert (await viewer.fetch(one["playlist_url"]))[0] == (await viewer.fetch(two["playlist_url"]))[0] == 200

    async def marks() -> list[str]:
        sent = [e for e in await alice.relations(room_id, event_id, "m.annotation") if e["sender"] == reel.bot]
        return [event["content"]["m.relates_to"]["key"] for event in sent]

    async def marked_once() -> bool:
        return await marks() in ([], ["▶️"])

    await eventually(marked_once, what="at most one mark that it plays")
    bobs = CommandSender(bob, room_id)
    said = (await bobs("!reel delete", about=event_id)).text
    assert said.startswith("That message brought several videos.")
    assert f"#{one['id'].replace('-', '')[:8]}" in said
    path = f"/_matrix/client/v3/rooms/{quote(room_id)}/event/{quote(event_id)}"
    assert (await viewer.request("DELETE", f"/api/v1/videos/{one['id']}"))[0] == 200

    async def is_erased() -> bool:
        rows = await reel.rows("SELECT mxc FROM videos WHERE id = $1::uuid", one["id"])
        queued = await reel.rows("SELECT FROM pgqueuer WHERE entrypoint = 'forget' AND execute_after <= now()")
        return rows[0]["mxc"] == "" and not queued

    await eventually(is_erased, what="the first video to be erased")
    assert (await bob.request("GET", path))["content"]["msgtype"] == "dm.filament.gallery"
    assert [video["id"] for video in await _videos(viewer, event_id)] == [two["id"]]
    assert (await bobs("!reel delete", about=event_id)).reactions == ["✅"]

    async def redacted() -> bool:
        return not (await bob.request("GET", path))["content"]

    await eventually(redacted, what="the message to be redacted")


async def test_a_spoiler_shows_nothing_of_itself_by_itself(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, bob, room_id)
    marks = {MARK: True, f"{MARK}.reason": "blood"}
    uri = await bob.upload(clip.read_bytes(), "video/mp4")
    content = {"msgtype": "m.video", "body": "gore.mp4", "url": uri, "file": None, "info": {"mimetype": "video/mp4"}}
    event_id = await bob.send_event(room_id, "m.room.message", {**content, **marks})
    video = await viewer.video_in(event_id, "ready")
    assert (video["spoiler"], video["spoiler_reason"]) == (True, "blood")
    assert (await viewer.fetch(video["playlist_url"]))[0] == 200
    room = await viewer.room()
    member = next(member for member in room["members"] if member["user_id"] == bob.user_id)
    assert (room["channel"], room["schedule"], member["reel_url"]) == (None, None, None)
    for change in ({"published": True}, {"video_avatar": True}):
        status, error = await viewer.request("PATCH", f"/api/v1/videos/{video['id']}", change)
        assert (status, error["errcode"]) == (403, "M_FORBIDDEN")
        assert "spoiler" in error["error"]

    async def edit(**marks: object) -> None:
        relation = {"rel_type": "m.replace", "event_id": event_id}
        new = {**content, **marks}
        await bob.send_event(room_id, "m.room.message", {**new, "m.new_content": new, "m.relates_to": relation})

    async def is_spoiler(wanted: bool) -> dict[str, Any] | None:
        found = await viewer.video(event_id)
        return found if found and found["spoiler"] is wanted else None

    await edit()
    await eventually(lambda: is_spoiler(False), what="the mark to go")
    assert (await viewer.room())["channel"]
    for change in ({"published": True}, {"video_avatar": True}):
        assert (await viewer.request("PATCH", f"/api/v1/videos/{video['id']}", change))[0] == 200
    page = f"{reel.url}/u/{quote(bob.user_id, safe='@:')}"
    async with http.get(page) as response:
        assert video["id"] in await response.text()
    await edit(**marks)
    await eventually(lambda: is_spoiler(True), what="the mark to come back")
    async with http.get(page) as response:
        assert video["id"] not in await response.text()
    room = await viewer.room()
    member = next(member for member in room["members"] if member["user_id"] == bob.user_id)
    assert (room["channel"], member["video_avatar"]) == (None, None)
