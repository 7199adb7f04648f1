"""A room by revision: shared pages, what is personal apart, and deltas that lead from one revision to the next."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

from appservice.core.model import RoomId, UserId
from appservice.core.web.lists import PAGE
from appservice.core.web.room_state import ordinal
from appservice.web.room_cache import SMALL, RoomCache
from tests.support.service import ModeratedRoom, Room, Service, TranscodedVideo
from tests.support.viewer import Viewer

# What comes must come; a busy machine may take its time.
_LONG_S = 60


def _path(viewer: Viewer, what: str = "") -> str:
    return f"/api/v1/rooms/{viewer.room_id}{what}"


async def _get(viewer: Viewer, what: str) -> dict[str, Any]:
    status, response = await viewer.get(_path(viewer, what))
    assert status == 200, response
    return dict(response)


@contextlib.asynccontextmanager
async def _following(viewer: Viewer, since: int, **headers: str) -> AsyncIterator["asyncio.Queue[tuple[str, Any]]"]:
    """Yield the events of a stream that follows from a revision: names and data; `:` for a comment."""
    queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    url = f"{viewer.base_url}{_path(viewer, '/events')}?since={since}"
    async with viewer.http.get(url, headers={"Authorization": f"Bearer {viewer.token}", **headers}) as response:
        assert response.status == 200

        async def read() -> None:
            event: dict[str, str] = {}
            async for line in response.content:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field in {"id", "event", "data"}:
                    event[field] = value
                elif not field and event:
                    data = json.loads(event["data"])
                    assert event["event"] != "delta" or int(event["id"]) == data["revision"]
                    queue.put_nowait((event["event"], data))
                    event = {}
            queue.put_nowait(("end", None))

        reading = asyncio.create_task(read())
        try:
            yield queue
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _next(events: "asyncio.Queue[tuple[str, Any]]", *names: str) -> Any:  # noqa: ANN401 - JSON
    """Return the data of the next event of one of these names."""
    async with asyncio.timeout(_LONG_S):
        while True:
            name, data = await events.get()
            if name in names:
                return data
            assert name in {"mine", "progress", "watching", "talk"}, (name, data)


async def _fill(service: Service, room: Room, senders: list[str], count: int, shown: TranscodedVideo) -> None:
    """Give members so many videos each, as ready as one that was published."""
    event_id = await room.show_video(senders[0], shown)
    video_id = await room.video_id(event_id)
    columns = [
        row["column_name"]
        for row in await service.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'videos' AND is_generated = 'NEVER'"
        )
        if row["column_name"] not in {"id", "event_id", "sender", "position", "sent_at", "title"}
    ]
    await service.rows(
        f"INSERT INTO videos (event_id, sender, position, sent_at, title, {', '.join(columns)})"  # noqa: S608 - names
        f" SELECT '$' || gen_random_uuid(), s.sender, n, n * 10 + place, 'Video ' || n, v.{', v.'.join(columns)}"
        " FROM videos v, unnest($2::text[]) WITH ORDINALITY AS s (sender, place), generate_series(1, $3) AS n"
        " WHERE v.id = $1::uuid",
        video_id, senders, count,
    )  # fmt: skip


async def test_an_overview_is_the_same_for_all_with_the_same_rights_and_personal_things_are_apart(
    service: Service, moderated: ModeratedRoom
) -> None:
    room, alice, bob = moderated.room, moderated.alice, moderated.bob
    mine = await _get(alice, "/mine")
    urls = []
    etags = []
    for viewer in (bob, moderated.mallory, alice):
        url = viewer.base_url + _path(viewer, "/overview")
        async with viewer.http.get(url, headers={"Authorization": f"Bearer {viewer.token}"}) as response:
            body = await response.read()
            etags.append(response.headers["ETag"])
            assert response.headers["Cache-Control"] == "private, no-cache"
            assert b"/media/" not in body
            urls.append(json.loads(body))
    assert urls[0] == urls[1]
    assert etags[0] == etags[1] != etags[2]
    overview = urls[0]
    assert overview["revision"] == mine["revision"]
    (video, _) = overview["page"]["videos"]
    whole = (await moderated.bobs(bob))[0]
    theirs = {**video, "can": video["sender_can"]}
    base = (await _get(bob, "/mine"))["media"]
    for key, value in whole.items():
        relative = value.removeprefix(base) if isinstance(value, str) else value
        assert theirs[key] == relative, key
    head = next(each for each in overview["members"] if each["user_id"] == moderated.user)
    assert (head["count"], head["playable"], head["sender_can"]) == (2, 2, ["order"])
    assert (overview["count"], overview["playable"], overview["members_total"]) == (2, 2, 3)
    assert base + head["reel_url"] == (await moderated.member(bob))["reel_url"]
    # What is not changed is not sent again.
    url = bob.base_url + _path(bob, "/overview")
    known = {"Authorization": f"Bearer {bob.token}", "If-None-Match": etags[0]}
    async with bob.http.get(url, headers=known) as response:
        assert response.status == 304
        assert await response.read() == b""
    await room.send_event("m.room.name", {"name": "Renamed"}, state_key="")
    async with bob.http.get(url, headers=known) as response:
        assert response.status == 200
        assert (await response.json())["name"] == "Renamed"


async def test_a_rename_is_a_small_delta(moderated: ModeratedRoom) -> None:
    (video, _) = await moderated.bobs(moderated.bob)
    revision = (await _get(moderated.mallory, "/overview"))["revision"]
    async with _following(moderated.mallory, revision) as events:
        status, _ = await moderated.bob.request("PATCH", f"/api/v1/videos/{video['id']}", {"title": "Otherwise"})
        assert status == 200
        delta = await _next(events, "delta")
    (patch,) = delta.pop("videos")
    assert patch == {"id": video["id"], "title": "Otherwise", "version": video["version"] + 1}
    assert ordinal(delta.pop("revision")) == ordinal(revision) + 1
    assert delta == {}
    # Who comes back with the older number catches up; who has the newest gets nothing.
    async with _following(moderated.alice, 0, **{"Last-Event-ID": str(revision)}) as events:
        assert (await _next(events, "delta"))["videos"] == [patch]


async def test_what_is_hidden_is_gone_for_members_and_stays_for_moderators(moderated: ModeratedRoom) -> None:
    (video, _) = await moderated.bobs(moderated.bob)
    path = f"/api/v1/videos/{video['id']}"
    revision = (await _get(moderated.mallory, "/overview"))["revision"]
    async with (
        _following(moderated.mallory, revision) as others,
        _following(moderated.alice, revision) as moderators,
        _following(moderated.bob, revision) as senders,
    ):
        await moderated.alice.request("PATCH", path, {"visibility": "hidden"})
        delta = await _next(others, "delta")
        assert delta["gone"] == [video["id"]]
        assert "videos" not in delta
        (head,) = delta["members"]
        assert (head["user_id"], head["count"]) == (moderated.user, 1)
        (seen,) = (await _next(moderators, "delta"))["videos"]
        assert (seen["visibility"], seen["hidden_by"], seen["can"]) == ("hidden", "moderator", [*seen["can"]])
        assert (await _next(senders, "delta"))["gone"] == [video["id"]]
        assert await _next(senders, "mine")
        (own,) = (await _get(moderated.bob, "/mine"))["own"]
        assert (own["id"], own["visibility"], own["playlist_url"]) == (video["id"], "hidden", None)
        assert (await _get(moderated.alice, "/mine"))["hidden_by_viewer"] == [video["id"]]
        assert (await _get(moderated.mallory, "/mine"))["own"] == []
        # What nobody of the others knew of is no news for them, whatever becomes of it.
        await moderated.alice.request("PATCH", path, {"title": "Still hidden"})
        assert (await _next(moderators, "delta"))["videos"][0]["title"] == "Still hidden"
        await moderated.alice.request("PATCH", path, {"visibility": "shown"})
        (again,) = (await _next(others, "delta"))["videos"]
        assert (again["title"], again["state"]) == ("Still hidden", "ready")
        assert again["playlist_url"] == f"v/{video['id']}/{video['playlist_url'].split('/')[-2]}/index.m3u8"


async def test_other_rights_begin_anew_and_who_is_thrown_out_is_told(moderated: ModeratedRoom) -> None:
    revision = (await _get(moderated.mallory, "/overview"))["revision"]
    async with _following(moderated.mallory, revision) as events:
        users = {moderated.room.owner: 100, moderated.others: 50, moderated.room.service.bot: 50}
        await moderated.room.send_event("m.room.power_levels", {"users": users}, state_key="")
        await _next(events, "reset")
        overview = await _get(moderated.mallory, "/overview")
        assert overview["members"][0]["can"] == ["order"]
        # Now as a moderator.
        video_id = overview["page"]["videos"][0]["id"]
        await moderated.alice.request("PATCH", f"/api/v1/videos/{video_id}", {"visibility": "hidden"})
        (seen,) = (await _next(events, "delta"))["videos"]
        assert seen["visibility"] == "hidden"
        await moderated.room.set_member(moderated.others, "leave")
        await _next(events, "revoked")
        assert await asyncio.wait_for(events.get(), _LONG_S) == ("end", None)
    for what in ("/overview", "/mine", "/videos?of=*", "/members?after=@x"):
        assert (await moderated.mallory.get(_path(moderated.mallory, what)))[0] == 403


async def test_numbers_that_are_not_known_begin_anew(moderated: ModeratedRoom) -> None:
    for since in (10**9, 0):
        async with _following(moderated.bob, since) as events:
            if since:
                await _next(events, "reset")
            else:
                await _next(events, "delta", "reset")
    async with _following(moderated.bob, 0, **{"Last-Event-ID": "nonsense"}) as events:
        await _next(events, "reset")
    status, _ = await moderated.bob.get(_path(moderated.bob, "/events?since=-1"))
    assert status == 400


async def test_members_come_change_and_go_in_deltas(moderated: ModeratedRoom, service: Service) -> None:
    carol = service.user("carol")
    revision = (await _get(moderated.bob, "/overview"))["revision"]
    async with _following(moderated.bob, revision) as events:
        await moderated.room.set_member(carol, displayname="Carol")
        delta = await _next(events, "delta")
        (head,) = delta["members"]
        assert (head["user_id"], head["display_name"], head["count"]) == (carol, "Carol", 0)
        assert delta["room"]["members_total"] == 4
        await moderated.room.set_member(carol, displayname="Caroline")
        assert (await _next(events, "delta"))["members"][0]["display_name"] == "Caroline"
        await moderated.room.set_member(carol, "leave")
        assert (await _next(events, "delta"))["left"] == [carol]


async def test_another_order_is_a_delta_of_positions(moderated: ModeratedRoom) -> None:
    first, second = [video["id"] for video in await moderated.bobs(moderated.bob)]
    revision = (await _get(moderated.mallory, "/overview"))["revision"]
    async with _following(moderated.mallory, revision) as events:
        path = _path(moderated.bob, f"/members/{moderated.user}/order")
        await moderated.bob.request("PUT", path, {"videos": [second, first]})
        delta = await _next(events, "delta")
    places = {video["id"]: video["position"] for video in delta["videos"]}
    assert all(set(video) == {"id", "position", "version"} for video in delta["videos"])
    assert places[second] < places[first]
    (head,) = delta["members"]
    assert head["reel_url"] in (await moderated.member(moderated.mallory))["reel_url"]


async def test_reports_are_for_moderators_alone(moderated: ModeratedRoom) -> None:
    (video, _) = await moderated.bobs(moderated.bob)
    revision = (await _get(moderated.mallory, "/overview"))["revision"]
    async with _following(moderated.mallory, revision) as others, _following(moderated.alice, revision) as moderators:
        await moderated.mallory.request("POST", f"/api/v1/videos/{video['id']}/report", {"reason": "It is not mine"})
        delta = await _next(moderators, "delta")
        assert delta["videos"] == [{"id": video["id"], "version": video["version"], "reports": 1}]
        assert delta["room"]["review"] == 1
        await moderated.room.send_event("m.room.name", {"name": "Next"}, state_key="")
        assert "videos" not in await _next(others, "delta")
    assert (await _get(moderated.alice, "/videos?of=review"))["total"] == 1
    assert (await _get(moderated.mallory, "/videos?of=review"))["total"] == 0


async def test_who_follows_the_pages_of_a_large_room_has_all_of_it(
    service: Service, transcoded: TranscodedVideo
) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room = await service.room(alice, bob)
    viewer = await service.viewer(bob, room)
    await _fill(service, room, [alice, bob], SMALL, transcoded)
    first = await viewer.room()
    members = {member["user_id"]: list(member["videos"]) for member in first["members"]}
    assert sum(map(len, members.values())) == PAGE
    assert {m["user_id"]: (m["count"], m["playable"]) for m in first["members"]} == {
        alice: (SMALL + 1, SMALL + 1), bob: (SMALL, SMALL),
    }  # fmt: skip
    following = first["next"]
    while following:
        status, page = await viewer.get(f"/api/v1/rooms/{room.room_id}?after={following}")
        assert status == 200, page
        for member in page["members"]:
            members[member["user_id"]] += member["videos"]
        following = page["next"]
    for user_id in (alice, bob):
        rows = await service.rows(
            "SELECT id FROM videos WHERE room_id = $1 AND sender = $2 ORDER BY position, sent_at, id",
            room.room_id, user_id,
        )  # fmt: skip
        assert [video["id"] for video in members[user_id]] == [str(row["id"]) for row in rows]
    async with viewer.http.get(viewer.base_url + members[alice][0]["playlist_url"]) as response:
        assert response.status == 200
    assert len(first["schedule"]["items"]) == 100
    assert first["schedule"]["until"] > first["schedule"]["starts_at"]
    # The same by cursors of lists, in both directions.
    pages = [await _get(viewer, "/videos?of=*")]
    while cursor := pages[-1]["after"]:
        pages.append(await _get(viewer, f"/videos?of=*&after={cursor}"))
    ids = [video["id"] for page in pages for video in page["videos"]]
    assert len(set(ids)) == len(ids) == pages[0]["total"] == 2 * SMALL + 1
    assert sorted(ids) == sorted(video["id"] for videos in members.values() for video in videos)
    back = await _get(viewer, f"/videos?of=*&before={pages[2]['before']}")
    assert [video["id"] for video in back["videos"]] == [video["id"] for video in pages[1]["videos"]]
    around = await _get(viewer, f"/videos?of={bob}&around={members[bob][60]['id']}")
    assert (around["start"], len(around["videos"])) == (50, 50)
    status, _ = await viewer.get(f"/api/v1/rooms/{room.room_id}/videos?of=*&around={uuid.uuid4()}")
    assert status == 404
    status, _ = await viewer.get(f"/api/v1/rooms/{room.room_id}/videos?of=*&after=nonsense")
    assert status == 400
    overview = await _get(viewer, "/overview")
    assert len(overview["page"]["videos"]) == PAGE
    schedule = (await _get(viewer, "/mine"))["schedule"]
    assert schedule["items"][0]["id"] in {video["id"] for video in overview["page"]["videos"]}


async def test_a_session_brings_overview_and_what_is_personal(service: Service, moderated: ModeratedRoom) -> None:
    token = service.peer.openid_token(moderated.user)
    status, session = await service.open_session(token, moderated.room.room_id, with_overview=True)
    assert status == 200
    assert session["overview"] == await _get(moderated.bob, "/overview")
    assert session["mine"]["media"].startswith("/media/")
    assert session["room"] is None


async def test_what_was_sent_before_somebody_came_reaches_them_neither_in_pages_nor_in_deltas(
    service: Service, transcoded: TranscodedVideo
) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room = await service.room(alice)
    hers = await service.viewer(alice, room)
    # The room's state says nothing else: only members of then see it.
    video_id = await room.video_id(await room.show_video(alice, transcoded))
    await room.set_member(bob)
    his = await service.viewer(bob, room)
    revision = (await _get(his, "/overview"))["revision"]
    assert (await _get(his, "/overview"))["page"]["videos"] == []
    (seen,) = (await _get(hers, "/overview"))["page"]["videos"]
    assert seen["id"] == video_id
    async with _following(his, revision) as events, _following(hers, revision) as own:
        await hers.request("PATCH", f"/api/v1/videos/{video_id}", {"title": "Of before"})
        assert (await _next(own, "delta"))["videos"][0]["title"] == "Of before"
        # What came after is for both; of the other one there was no word.
        later = await room.video_id(await room.show_video(alice, transcoded))
        delta = await _next(events, "delta")
        assert {video["id"] for video in delta["videos"]} == {later}
        await hers.request("DELETE", f"/api/v1/videos/{video_id}")
        await hers.request("DELETE", f"/api/v1/videos/{later}")
        while later not in (delta := await _next(events, "delta")).get("gone", []):
            assert video_id not in json.dumps(delta)
        assert video_id not in json.dumps(delta)
    # Who comes back may have seen it or not: nothing says any more.
    async with _following(his, revision) as events:
        await _next(events, "reset")


async def test_all_processes_have_the_same_numbers_also_of_what_an_earlier_release_writes(
    service: Service, moderated: ModeratedRoom
) -> None:
    (video, _) = await moderated.bobs(moderated.bob)
    revision = (await _get(moderated.bob, "/overview"))["revision"]
    others = RoomCache(service.parts.stores, service.context.clock, UserId(service.bot), encrypted_rooms=False)
    assert (await others.now(RoomId(moderated.room.room_id))).state.revision == revision
    async with _following(moderated.mallory, revision) as events:
        # Statements of their own, as a release without numbers sends them.
        await service.rows("UPDATE videos SET title = 'One' WHERE id = $1::uuid", video["id"])
        await service.rows("UPDATE videos SET title = 'Two' WHERE id = $1::uuid", video["id"])
        # Nobody sees this: no number.
        await service.rows("UPDATE videos SET attempts = attempts + 1 WHERE id = $1::uuid", video["id"])
        while ordinal((delta := await _next(events, "delta"))["revision"]) < ordinal(revision) + 2:
            pass
    assert delta["videos"][0]["title"] == "Two"
    entry = await others.now(RoomId(moderated.room.room_id))
    assert entry.state.revision == (await _get(moderated.bob, "/overview"))["revision"]
    numbers = [ordinal(change.revision) for change in entry.since(revision) or []]
    assert numbers == [ordinal(revision) + 1, ordinal(revision) + 2]
