"""What waits for moderators, on the real service: whose videos, who decides where and how, and what is told to whom."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from tests.support.clips import with_padding
from tests.support.commands import VERSIONS, CommandSender
from tests.support.installation import Installation
from tests.support.rooms import make_room, wait_for_notice
from tests.support.video.synthetic_clips import SIZE, make_synthetic_clips, reencode
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import Tools


@dataclass
class Hall:
    """A room of alice's, who moderates it, with bob and mallory, who do not; and what makes new videos."""

    reel: Installation
    room_id: str
    alice: MatrixClient
    bob: MatrixClient
    mallory: MatrixClient
    sees: Viewer
    """What mallory sees."""
    clip: Path
    folder: Path
    count: int = 0

    async def say(self, command: str, *, about: str | None = None, by: MatrixClient | None = None) -> str:
        """Give a command in the room, as alice if nobody is named, and return the answer."""
        return (await CommandSender(by or self.alice, self.room_id)(f"!reel {command}", about=about)).text

    async def send(self, user: MatrixClient, *, again: int | None = None) -> str:
        """Send a video, or the same file again, and return its event."""
        number = self.count if again is None else again
        self.count += 1
        return await user.send_video(
            self.room_id, with_padding(self.clip, self.folder / f"{self.count}.mp4", f"{self.room_id}{number}".encode())
        )

    async def row(self, event_id: str) -> dict[str, Any]:
        rows = await self.reel.rows("SELECT * FROM videos WHERE event_id = $1", event_id)
        return dict(rows[0]) if rows else {}

    async def ready(self, event_id: str) -> dict[str, Any]:
        """Wait for the end of the work on a video, whoever may see it."""

        async def ask() -> dict[str, Any] | None:
            row = await self.row(event_id)
            return row if row.get("state") == "ready" else None

        found = await eventually(ask, what=f"{event_id} becoming ready")
        assert found
        return found

    async def short(self, event_id: str) -> str:
        row = await eventually(lambda: self.row(event_id), what=f"{event_id} being taken in")
        return f"#{row['id'].hex[:8]}"


@pytest.fixture(params=VERSIONS)
async def hall(
    request: pytest.FixtureRequest, reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient,
    bob: MatrixClient, mallory: MatrixClient, clip: Path, tmp_path: Path,
) -> Hall:  # fmt: skip
    room_id = await make_room(alice, reel, bob, mallory, version=request.param)
    return Hall(reel, room_id, alice, bob, mallory, await reel.viewer(http, mallory, room_id), clip, tmp_path)


async def test_a_new_members_first_video_waits(hall: Hall) -> None:
    assert "hold is new now" in await hall.say("room hold new")
    first = await hall.send(hall.bob)
    row = await hall.ready(first)
    assert (row["visibility"], row["held_for"]) == ("held", "approval")
    assert await hall.sees.video(first) is None
    own = await hall.send(hall.alice)
    assert (await hall.sees.video_in(own, "ready"))["visibility"] == "shown"
    queue = await hall.say("queue")
    assert queue.startswith("One video waits for a decision:")
    assert f"• {await hall.short(first)} “1” by @bob:test.local, 0:02: waits for approval" in queue

    said = await CommandSender(hall.alice, hall.room_id)("!reel approve", about=first)
    assert (said.text, said.reactions) == ("“1” is shown now.", ["✅"])
    video = await hall.sees.video(first)
    assert video
    assert (await hall.sees.fetch(video["playlist_url"]))[0] == 200  # it was made while it waited
    assert await hall.say("queue") == "No video waits for a decision."
    assert await hall.say("approve", about=first) == "This video does not wait for a decision."
    second = await hall.send(hall.bob)
    assert (await hall.sees.video_in(second, "ready"))["visibility"] == "shown"
    # What was taken away while it waited makes nobody known.
    third = await hall.send(hall.mallory)
    assert "is taken away" in await hall.say(f"reject {await hall.short(third)}")
    fourth = await hall.send(hall.mallory)
    assert (await hall.ready(fourth))["held_for"] == "approval"
    deeds = await hall.reel.rows("SELECT actor, action FROM audit WHERE room_id = $1 ORDER BY key", hall.room_id)
    assert [tuple(row) for row in deeds] == [
        (hall.alice.user_id, "settings-changed"), (hall.alice.user_id, "approved"), (hall.alice.user_id, "rejected"),
    ]  # fmt: skip


async def test_a_sender_is_told_once_why_a_video_was_rejected(hall: Hall) -> None:
    await hall.say("room hold all")
    event_id = await hall.send(hall.bob)
    await hall.ready(event_id)
    short = await hall.short(event_id)
    assert await hall.say(f"approve {short}", by=hall.bob) == "Only the room's moderators may do this."
    assert "its sender will be told" in await hall.say(f"reject {short} much too dark", about=event_id)
    told = await wait_for_notice(hall.bob, hall.room_id, "did not accept", thread=event_id)
    assert told == "A moderator did not accept your video “1”. The reason: much too dark"
    # Without a reason there is none to tell.
    another = await hall.send(hall.bob)
    await hall.ready(another)
    await hall.say(f"reject {await hall.short(another)}")
    told = await wait_for_notice(hall.bob, hall.room_id, "did not accept", thread=another)
    assert told == "A moderator did not accept your video “2”."
    assert "no video" in await hall.say(f"reject {short}")
    notices = [e for e in await hall.bob.messages(hall.room_id) if "did not accept" in e["content"].get("body", "")]
    assert [notice["content"]["m.mentions"] for notice in notices] == [{"user_ids": [hall.bob.user_id]}] * 2
    rows = await hall.reel.rows("SELECT details FROM audit WHERE action = 'rejected' AND room_id = $1", hall.room_id)
    assert "much too dark" in rows[0]["details"]


async def test_a_rejection_is_undone_before_its_sender_is_told(hall: Hall) -> None:
    await hall.say("room hold all")
    mistaken, meant = await hall.send(hall.bob), await hall.send(hall.bob)
    await hall.ready(mistaken)
    await hall.ready(meant)
    await hall.say(f"reject {await hall.short(mistaken)} the wrong one")
    await hall.reel.keep_deletions_open()
    assert await hall.say("undelete") == "“1” is back."
    assert (await hall.row(mistaken))["visibility"] == "held"
    # Also where it is taken away once more, what was undone is not told.
    await hall.say(f"reject {await hall.short(mistaken)} on purpose")
    await hall.say(f"reject {await hall.short(meant)} too dark")
    # All are told after the same time, the first of them first.
    await wait_for_notice(hall.bob, hall.room_id, "on purpose", thread=mistaken)
    await wait_for_notice(hall.bob, hall.room_id, "too dark", thread=meant)
    said = [e["content"].get("body", "") for e in await hall.bob.messages(hall.room_id)]
    assert sorted(body.rpartition(": ")[2] for body in said if "did not accept" in body) == ["on purpose", "too dark"]


async def test_who_decides_on_a_video_watches_it_first(hall: Hall, http: aiohttp.ClientSession) -> None:
    await hall.say("room hold all")
    event_id = await hall.send(hall.bob)
    await hall.ready(event_id)
    alice = await hall.reel.viewer(http, hall.alice, hall.room_id)
    bob = await hall.reel.viewer(http, hall.bob, hall.room_id)
    held = await alice.video_in(event_id, "ready")
    assert (held["visibility"], held["held_for"]) == ("held", "approval")
    assert {"show", "reject", "block"} <= set(held["can"])
    playlist = (await alice.fetch(held["playlist_url"]))[1].decode()
    variant = next(line for line in playlist.splitlines() if line.endswith(".m3u8"))
    folder = held["playlist_url"].rpartition("/")[0]
    segments = (await alice.fetch(f"{folder}/{variant}"))[1].decode().splitlines()
    media = [f"{folder}/{line}" for line in segments if line.endswith(".m4s")]
    assert media
    files = [held["poster_url"], held["preview_url"], *media]
    for path in files:
        assert (await alice.fetch(path))[0] == 200, path
    # Neither its sender nor another member has any of it, also with a grant of their own.
    own = await bob.video_in(event_id, "ready")
    assert own["held_for"] == "approval"
    assert [own[name] for name in ("poster_url", "playlist_url", "preview_url")] == [None] * 3
    assert not {"show", "reject", "block"} & set(own["can"])
    shown = await hall.sees.video_in(await hall.send(hall.alice), "ready")
    for viewer in (hall.sees, bob):
        video = await viewer.video(shown["event_id"])
        assert video
        grant = video["playlist_url"].partition("/v/")[0]
        for path in (*files, held["playlist_url"]):
            assert (await viewer.fetch(grant + "/v/" + path.partition("/v/")[2]))[0] == 404, path
        for action in ("reject", "block"):
            status, _ = await viewer.request("POST", f"/api/v1/videos/{held['id']}/{action}", {"reason": ""})
            assert status == (404 if viewer is hall.sees else 403)
    assert (await bob.get(f"/api/v1/videos/{held['id']}/reports"))[0] == 403
    # What moves to others' hands moves out of theirs.
    await hall.reel.rows("UPDATE videos SET held_for = 'quarantine' WHERE event_id = $1", event_id)
    quarantined = await alice.video(event_id)
    assert quarantined
    assert (quarantined["held_for"], quarantined["playlist_url"]) == ("quarantine", None)
    assert "reject" not in quarantined["can"]

    async def shut() -> bool:
        return {(await alice.fetch(path))[0] for path in files} == {404}

    await eventually(shut, what="the media being shut to moderators, too")


async def test_a_moderator_decides_in_the_widget(hall: Hall, http: aiohttp.ClientSession) -> None:
    await hall.say("room hold all")
    alice = await hall.reel.viewer(http, hall.alice, hall.room_id)
    event_id = await hall.send(hall.bob)
    await hall.ready(event_id)
    held = await alice.video_in(event_id, "ready")
    path = f"/api/v1/videos/{held['id']}"
    status, gone = await alice.request("POST", f"{path}/reject", {"reason": "too dark"})
    assert status == 200
    assert gone["undo_until"] > held["created_at"]
    await hall.reel.keep_deletions_open()
    status, back = await alice.request("POST", f"{path}/restore")
    assert (status, back["visibility"], back["held_for"]) == (200, "held", "approval")
    assert (await alice.request("PATCH", path, {"visibility": "shown", "version": back["version"]}))[0] == 200
    assert (await alice.request("POST", f"{path}/reject", {"reason": ""}))[0] == 409
    assert (await hall.sees.request("POST", f"{path}/report", {"reason": "Too loud"}))[0] == 200
    assert await alice.get(f"{path}/reports") == (200, {"reasons": ["Too loud"]})
    # Hidden by a moderator it is for moderators to look at, hidden by its sender for them alone.
    bob = await hall.reel.viewer(http, hall.bob, hall.room_id)
    for hides, to_alice, to_bob in ((alice, "viewer", "moderator"), (bob, "sender", "viewer")):
        assert (await hides.request("PATCH", path, {"visibility": "hidden"}))[0] == 200
        for sees, by in ((alice, to_alice), (bob, to_bob)):
            video = await sees.video(event_id)
            assert video
            assert (video["hidden_by"], video["playlist_url"] is not None) == (by, sees is hides)
        assert (await hides.request("PATCH", path, {"visibility": "shown"}))[1]["hidden_by"] is None
    again = await hall.send(hall.mallory, again=0)
    await hall.ready(again)
    assert await alice.request("POST", f"{path}/block", {"reason": "spam"}) == (200, {"count": 2})
    assert await alice.video(again) is None
    assert await alice.video(event_id) is None


async def test_where_moderators_add_others_are_told_politely_and_once(hall: Hall) -> None:
    await hall.say("room add moderators")
    events = [await hall.send(hall.bob) for _ in range(2)]
    own = await hall.send(hall.alice)
    await hall.sees.video_in(own, "ready")
    assert [video["event_id"] for video in await hall.sees.videos()] == [own]
    await wait_for_notice(hall.bob, hall.room_id, "only moderators add videos", thread=events[0])
    assert not [await hall.row(event_id) for event_id in events if await hall.row(event_id)]
    await hall.say("room add default")
    again = await hall.send(hall.bob)
    await hall.sees.video_in(again, "ready")
    messages = await hall.bob.messages(hall.room_id)
    assert len([e for e in messages if "only moderators add" in e["content"].get("body", "")]) == 1


async def test_many_reports_make_a_video_wait(hall: Hall, http: aiohttp.ClientSession) -> None:
    await hall.say("room report-limit 2")
    event_id = await hall.send(hall.alice)
    video = await hall.sees.video_in(event_id, "ready")
    path = f"/api/v1/videos/{video['id']}/report"
    assert await hall.sees.request("POST", path, {"reason": "far too loud"}) == (200, {})
    assert await hall.say("queue") == "No video waits for a decision."
    reports = await hall.say("reports")
    assert f"{await hall.short(event_id)} “1” by @alice:test.local, one report" in reports
    assert "loud" not in reports  # that is not for everybody
    assert "I tell in a conversation with me alone" in reports
    bobs = await hall.reel.viewer(http, hall.bob, hall.room_id)
    assert await bobs.request("POST", path, {"reason": ""}) == (200, {})
    assert await hall.sees.video(event_id) is None
    assert "“1” by @alice:test.local, 0:02: was reported" in await hall.say("queue")
    assert "is forgotten" in await hall.say("dismiss", about=event_id)
    assert (await hall.sees.video_in(event_id, "ready"))["visibility"] == "shown"
    assert await hall.say("reports") == "No video was reported."
    assert await hall.say("dismiss", about=event_id) == "Nobody reported this video."
    # Nor do they count any more.
    assert await hall.sees.request("POST", path, {"reason": "still"}) == (200, {})
    assert await hall.sees.video(event_id)


async def test_a_rooms_own_length(hall: Hall) -> None:
    before = await hall.send(hall.bob)
    await hall.sees.video_in(before, "ready")
    assert "max-length is 1 now" in await hall.say("room max-length 1")
    # The second is the same file as the first: what was made of that is longer than is allowed now.
    for event_id in (await hall.send(hall.bob), await hall.send(hall.bob, again=0)):
        told = await wait_for_notice(hall.bob, hall.room_id, "cannot be shown", thread=event_id)
        assert told.endswith(
            "The video is too long for this room. Send a shorter one. Here a video may be 0:01 long (minutes:seconds)."
        )
    assert "videos of at most 7200 seconds" in await hall.say("room max-length 7201")
    await hall.say("room max-length off")
    await hall.sees.video_in(await hall.send(hall.bob), "ready")


async def test_what_is_blocked_goes_with_all_its_copies(hall: Hall, tools: Tools) -> None:
    await asyncio.to_thread(make_synthetic_clips, tools, hall.folder, [1, 2], seconds=2, size=SIZE)
    advertisement, other = hall.folder / "1.mp4", hall.folder / "2.mp4"
    ways = await asyncio.to_thread(reencode, tools, advertisement, hall.folder, ["crop 2 %", "half size", "WebM"])
    files = (advertisement, advertisement, ways["half size"], other)
    events = [await hall.bob.send_video(hall.room_id, file) for file in files]

    async def known() -> bool:
        return all([(await hall.row(event_id)).get("fingerprint") for event_id in events])

    await eventually(known, what="what they look like being known")
    said = await hall.say(f"block {await hall.short(events[0])} an advertisement", about=events[3])
    assert said.endswith("the same file is not taken again. It was here 3 times.")
    assert [video["event_id"] for video in await hall.sees.videos()] == [events[3]]
    number = (await hall.row(events[1]))["source_hash"].hex()
    blocks = await hall.say("blocks")
    assert f"• #{number[:8]}, by @alice:test.local on 2" in blocks
    assert ": an advertisement" in blocks

    # Neither the file comes again, nor one that was made of it; another does.
    for file in (advertisement, ways["crop 2 %"], ways["WebM"]):
        event_id = await hall.bob.send_video(hall.room_id, file)
        told = await wait_for_notice(hall.bob, hall.room_id, "This video is blocked", thread=event_id)
        assert "cannot be shown" in told
        assert (await hall.row(event_id))["failure"] == "blocked"
    assert await hall.sees.video_in(await hall.bob.send_video(hall.room_id, other), "ready")

    for wrong in ("unblock", "unblock xyz", f"unblock #{number[:8]} 2"):
        assert "!reel unblock #ID" in await hall.say(wrong)
    missing = "abcabc" if not number.startswith("abcabc") else "defdef"
    assert await hall.say(f"unblock #{missing}") == f"No file whose id begins with #{missing} is blocked."
    assert "may come again" in await hall.say(f"unblock #{number[:8]}")
    assert await hall.say("blocks") == "Nothing is blocked."
    assert await hall.sees.video_in(await hall.bob.send_video(hall.room_id, ways["WebM"]), "ready")


async def test_what_is_blocked_in_the_middle_of_the_work_is_known_by_its_looks_too(hall: Hall, tools: Tools) -> None:
    await asyncio.to_thread(make_synthetic_clips, tools, hall.folder, [6, 8], seconds=30, size=SIZE)
    advertisement, other = hall.folder / "6.mp4", hall.folder / "8.mp4"
    ways = await asyncio.to_thread(reencode, tools, advertisement, hall.folder, ["crop 2 %", "half size"])
    copy, elsewhere = [await hall.bob.send_video(hall.room_id, file) for file in (ways["half size"], other)]
    for event_id in (copy, elsewhere):
        await hall.ready(event_id)
    event_id = await hall.bob.send_video(hall.room_id, advertisement)

    async def began() -> bool:
        return bool((await hall.row(event_id)).get("source_hash"))

    await eventually(began, what="its bytes being known")
    said = await hall.say("block", about=event_id)
    assert "the same file is not taken again" in said

    async def only_other() -> bool:
        return [video["event_id"] for video in await hall.sees.videos()] == [elsewhere]

    await eventually(only_other, what="the copy being taken away, too")
    again = await hall.bob.send_video(hall.room_id, ways["crop 2 %"])
    await wait_for_notice(hall.bob, hall.room_id, "This video is blocked", thread=again)


async def test_what_is_not_known_yet_cannot_be_blocked(hall: Hall) -> None:
    event_id = await hall.send(hall.bob)

    async def forgotten() -> bool:
        """Make it as of an old release, once what it looks like is kept: that comes after it is ready."""
        known = "event_id = $1 AND fingerprint IS NOT NULL"
        return bool(await hall.reel.rows(f"UPDATE videos SET source_hash = NULL WHERE {known} RETURNING id", event_id))  # noqa: S608 - ours

    await eventually(forgotten, what="what it looks like being kept")
    assert "I do not know enough" in await hall.say("block", about=event_id)


async def test_moderators_decide_in_a_room_of_their_own(hall: Hall) -> None:
    own = await make_room(hall.alice, hall.reel, hall.mallory, version="11")
    assert "does not fit" in await hall.say("room moderators-room nonsense")
    assert "must both be in" in await hall.say("room moderators-room !nowhere:test.local")
    assert "Choose another room" in await hall.say(f"room moderators-room {hall.room_id}")
    await hall.say("room hold all")
    early = await hall.send(hall.bob)
    await hall.ready(early)
    await hall.say(f"room moderators-room {own}")
    late = await hall.send(hall.bob)
    posts = [await _asked(hall, own, event_id) for event_id in (early, late)]
    picture = await _event(hall, own, posts[0]["picture"])
    assert (picture["msgtype"], picture["body"], picture["filename"]) == ("m.image", "1", "poster.jpg")
    text = await _event(hall, own, posts[0]["text"])
    assert "@bob:test.local sent the video above (0:02) to" in text["body"]
    assert f"!reel approve {await hall.short(early)}" in text["body"]
    reactions = await hall.alice.relations(own, posts[0]["text"], "m.annotation")
    assert [r["content"]["m.relates_to"]["key"] for r in reactions] == ["✅", "❌"]

    # Mallory is in the room, but no moderator of the video's.
    await hall.mallory.react(own, posts[0]["text"], "✅")
    await hall.alice.react(own, posts[0]["text"], "👍")
    assert "2 videos wait" in (await CommandSender(hall.alice, own)("!reel queue")).text
    assert (await CommandSender(hall.mallory, own)("!reel queue")).text == "You moderate no room in which I am."
    said = (await CommandSender(hall.mallory, own)("!reel approve", about=posts[0]["text"])).text
    assert said.startswith("Which video?")
    assert await hall.sees.video(early) is None
    await hall.alice.react(own, posts[0]["text"], "✅")
    assert (await hall.sees.video_in(early, "ready"))["visibility"] == "shown"
    await _edited(hall, own, posts[0]["text"], "✅ @alice:test.local approved it.")

    await hall.alice.react(own, posts[1]["picture"], "❌")
    await _edited(hall, own, posts[1]["text"], "❌ @alice:test.local rejected it.")
    await wait_for_notice(hall.bob, hall.room_id, "did not accept", thread=late)
    assert await _event(hall, own, posts[1]["picture"]) == {}  # nothing is left of what was taken away
    assert (await _event(hall, own, posts[0]["picture"]))["msgtype"] == "m.image"

    third = await hall.send(hall.bob)
    post = await _asked(hall, own, third)
    await hall.bob.redact(hall.room_id, third)
    await _edited(hall, own, post["text"], "It was taken back: there is nothing to decide any more.")
    fourth = await hall.send(hall.bob)
    post = await _asked(hall, own, fourth)
    assert (await CommandSender(hall.alice, own)("!reel approve", about=post["picture"])).text == "“4” is shown now."


async def test_moderators_are_asked_about_a_spoiler_without_its_picture(hall: Hall) -> None:
    own = await make_room(hall.alice, hall.reel, hall.mallory, version="11")
    await hall.say("room hold all")
    await hall.say(f"room moderators-room {own}")
    content = {"msgtype": "m.video", "body": "a.mp4", "url": await hall.bob.upload(hall.clip.read_bytes(), "video/mp4")}
    marks = {"m.spoiler": True, "m.spoiler.reason": "blood"}
    hidden = await hall.bob.send_event(hall.room_id, "m.room.message", {**content, **marks})
    post = await _asked(hall, own, hidden, parts=1)
    assert set(post) == {"text"}
    said = (await _event(hall, own, post["text"]))["body"]
    assert "@bob:test.local sent a video (0:02) to" in said
    assert "It is marked as a spoiler (“blood”)" in said
    assert not [e for e in await hall.alice.messages(own) if e["content"].get("msgtype") == "m.image"]

    plain = await hall.send(hall.bob)
    post = await _asked(hall, own, plain)
    found = {event["event_id"]: event["content"] for event in await hall.bob.messages(hall.room_id)}[plain]
    marked = {**found, **marks}
    relation = {"rel_type": "m.replace", "event_id": plain}
    await hall.bob.send_event(
        hall.room_id, "m.room.message", {**marked, "m.new_content": marked, "m.relates_to": relation}
    )

    async def withdrawn() -> bool:
        return not await _event(hall, own, post["picture"])

    await eventually(withdrawn, what="the picture to be withdrawn")
    await hall.alice.react(own, post["text"], "✅")
    assert (await hall.sees.video_in(plain, "ready"))["spoiler"] is True


async def test_nobody_is_made_to_decide_for_another_room(hall: Hall) -> None:
    """Mallory holds what is sent in her own room, and would have it shown to those of alice's room for a decision."""
    den = await make_room(hall.mallory, hall.reel, hall.bob)
    for setting in ("hold all", f"moderators-room {hall.room_id}"):
        said = (await CommandSender(hall.mallory, den)(f"!reel room {setting}")).text
    assert said.startswith("You do not moderate that room")
    open_to_all = await make_room(hall.mallory, hall.reel)
    await hall.mallory.send_state(open_to_all, "m.room.join_rules", {"join_rule": "public"})
    said = (await CommandSender(hall.mallory, den)(f"!reel room moderators-room {open_to_all}")).text
    assert said.startswith("Anybody may come into that room")

    # As a release of before took it.
    named = "UPDATE rooms SET settings = settings || jsonb_build_object('moderators_room', $2::text) WHERE room_id = $1"
    await hall.reel.rows(named, den, hall.room_id)
    refused = len(hall.reel.log_entries("moderators_room_refused"))
    clip = with_padding(hall.clip, hall.folder / "den.mp4", f"{den}".encode())
    event_id = await hall.bob.send_video(den, clip)
    await hall.ready(event_id)

    async def noticed() -> bool:
        return len(hall.reel.log_entries("moderators_room_refused")) > refused

    await eventually(noticed, what="the refusal")
    assert not await hall.reel.rows("SELECT FROM queue_posts WHERE room_id = $1", hall.room_id)
    assert not [e for e in await hall.alice.messages(hall.room_id) if e["content"].get("msgtype") == "m.image"]

    # A room of her own, of those whom she asked in, is told what is to come.
    own = await make_room(hall.mallory, hall.reel)
    said = (await CommandSender(hall.mallory, den)(f"!reel room moderators-room {own}")).text
    assert said.startswith("moderators-room is")
    await wait_for_notice(hall.mallory, own, f"{hall.mallory.user_id} chose this room for decisions")
    await _asked(hall, own, event_id, reader=hall.mallory)


async def _asked(
    hall: Hall, room_id: str, event_id: str, parts: int = 2, *, reader: MatrixClient | None = None
) -> dict[str, str]:
    """Wait for the bot to ask about a video, and return the parts of what it posted."""

    async def ask() -> dict[str, str] | None:
        rows = await hall.reel.rows(
            "SELECT part, event_id FROM queue_posts WHERE room_id = $1 AND video_id = $2",
            room_id, (await hall.row(event_id)).get("id"),
        )  # fmt: skip
        sent = {row["part"]: row["event_id"] for row in rows}
        reactions = (reader or hall.alice).relations
        if len(sent) < parts or len(await reactions(room_id, sent["text"], "m.annotation")) < 2:
            return None
        return sent

    found = await eventually(ask, what=f"a question about {event_id}")
    assert found
    return found


async def _event(hall: Hall, room_id: str, event_id: str) -> dict[str, Any]:
    """Return the content of an event as it is now: nothing, once it is redacted."""
    events = {event["event_id"]: event["content"] for event in await hall.alice.messages(room_id)}
    return dict(events[event_id])


async def _edited(hall: Hall, room_id: str, event_id: str, text: str) -> None:
    async def ask() -> bool:
        edits = await hall.alice.relations(room_id, event_id, "m.replace")
        return bool(edits) and edits[-1]["content"]["m.new_content"]["body"] == text

    await eventually(ask, what=f"an edit to {text!r}")
