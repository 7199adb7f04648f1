"""What waits for moderators, on the real service: whose videos, who decides where and how, who is notified of what."""

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
class ModeratedRoom:
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
        """Give a command in the room, as alice if nobody is named, and return the response."""
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

        async def ready_row() -> dict[str, Any] | None:
            row = await self.row(event_id)
            return row if row.get("state") == "ready" else None

        found = await eventually(ready_row, what=f"{event_id} becoming ready")
        assert found
        return found

    async def short(self, event_id: str) -> str:
        row = await eventually(lambda: self.row(event_id), what=f"{event_id} being taken in")
        return f"#{row['id'].hex[:8]}"


@pytest.fixture(params=VERSIONS)
async def moderated(
    request: pytest.FixtureRequest, reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient,
    bob: MatrixClient, mallory: MatrixClient, clip: Path, tmp_path: Path,
) -> ModeratedRoom:  # fmt: skip
    room_id = await make_room(alice, reel, bob, mallory, version=request.param)
    return ModeratedRoom(reel, room_id, alice, bob, mallory, await reel.viewer(http, mallory, room_id), clip, tmp_path)


async def test_a_new_members_first_video_waits(moderated: ModeratedRoom) -> None:
    assert "hold is new now" in await moderated.say("room hold new")
    first = await moderated.send(moderated.bob)
    row = await moderated.ready(first)
    assert (row["visibility"], row["held_for"]) == ("held", "approval")
    assert await moderated.sees.video(first) is None
    own = await moderated.send(moderated.alice)
    assert (await moderated.sees.video_in(own, "ready"))["visibility"] == "shown"
    queue = await moderated.say("queue")
    assert queue.startswith("One video waits for a decision:")
    assert f"• {await moderated.short(first)} “1” by @bob:test.local, 0:02: waits for approval" in queue

    said = await CommandSender(moderated.alice, moderated.room_id)("!reel approve", about=first)
    assert (said.text, said.reactions) == ("“1” is shown now.", ["✅"])
    video = await moderated.sees.video(first)
    assert video
    assert (await moderated.sees.fetch(video["playlist_url"]))[0] == 200  # it was made while it waited
    assert await moderated.say("queue") == "No video waits for a decision."
    assert await moderated.say("approve", about=first) == "This video does not wait for a decision."
    second = await moderated.send(moderated.bob)
    assert (await moderated.sees.video_in(second, "ready"))["visibility"] == "shown"
    # What was taken away while it waited makes nobody known.
    third = await moderated.send(moderated.mallory)
    assert "is taken away" in await moderated.say(f"reject {await moderated.short(third)}")
    fourth = await moderated.send(moderated.mallory)
    assert (await moderated.ready(fourth))["held_for"] == "approval"
    deeds = await moderated.reel.rows(
        "SELECT actor, action FROM audit WHERE room_id = $1 ORDER BY key", moderated.room_id
    )
    assert [tuple(row) for row in deeds] == [
        (moderated.alice.user_id, "settings-changed"), (moderated.alice.user_id, "approved"),
        (moderated.alice.user_id, "rejected"),
    ]  # fmt: skip


async def test_a_sender_is_notified_once_why_a_video_was_rejected(moderated: ModeratedRoom) -> None:
    await moderated.say("room hold all")
    event_id = await moderated.send(moderated.bob)
    await moderated.ready(event_id)
    short = await moderated.short(event_id)
    assert await moderated.say(f"approve {short}", by=moderated.bob) == "Only the room's moderators may do this."
    assert "its sender will be told" in await moderated.say(f"reject {short} much too dark", about=event_id)
    message = await wait_for_notice(moderated.bob, moderated.room_id, "did not accept", thread=event_id)
    assert message == "A moderator did not accept your video “1”. The reason: much too dark"
    # Without a reason there is none to send.
    another = await moderated.send(moderated.bob)
    await moderated.ready(another)
    await moderated.say(f"reject {await moderated.short(another)}")
    message = await wait_for_notice(moderated.bob, moderated.room_id, "did not accept", thread=another)
    assert message == "A moderator did not accept your video “2”."
    assert "no video" in await moderated.say(f"reject {short}")
    notices = [
        e for e in await moderated.bob.messages(moderated.room_id) if "did not accept" in e["content"].get("body", "")
    ]
    assert [notice["content"]["m.mentions"] for notice in notices] == [{"user_ids": [moderated.bob.user_id]}] * 2
    rows = await moderated.reel.rows(
        "SELECT details FROM audit WHERE action = 'rejected' AND room_id = $1", moderated.room_id
    )
    assert "much too dark" in rows[0]["details"]


async def test_a_rejection_is_undone_before_its_sender_is_notified(moderated: ModeratedRoom) -> None:
    await moderated.say("room hold all")
    mistaken, meant = await moderated.send(moderated.bob), await moderated.send(moderated.bob)
    await moderated.ready(mistaken)
    await moderated.ready(meant)
    await moderated.say(f"reject {await moderated.short(mistaken)} the wrong one")
    await moderated.reel.keep_deletions_open()
    assert await moderated.say("undelete") == "“1” is back."
    assert (await moderated.row(mistaken))["visibility"] == "held"
    # Also where it is taken away once more, what was undone is not notified.
    await moderated.say(f"reject {await moderated.short(mistaken)} on purpose")
    await moderated.say(f"reject {await moderated.short(meant)} too dark")
    # All are notified after the same time, the first of them first.
    await wait_for_notice(moderated.bob, moderated.room_id, "on purpose", thread=mistaken)
    await wait_for_notice(moderated.bob, moderated.room_id, "too dark", thread=meant)
    said = [e["content"].get("body", "") for e in await moderated.bob.messages(moderated.room_id)]
    assert sorted(body.rpartition(": ")[2] for body in said if "did not accept" in body) == ["on purpose", "too dark"]


async def test_who_decides_on_a_video_watches_it_first(moderated: ModeratedRoom, http: aiohttp.ClientSession) -> None:
    await moderated.say("room hold all")
    event_id = await moderated.send(moderated.bob)
    await moderated.ready(event_id)
    alice = await moderated.reel.viewer(http, moderated.alice, moderated.room_id)
    bob = await moderated.reel.viewer(http, moderated.bob, moderated.room_id)
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
    shown = await moderated.sees.video_in(await moderated.send(moderated.alice), "ready")
    for viewer in (moderated.sees, bob):
        video = await viewer.video(shown["event_id"])
        assert video
        grant = video["playlist_url"].partition("/v/")[0]
        for path in (*files, held["playlist_url"]):
            assert (await viewer.fetch(grant + "/v/" + path.partition("/v/")[2]))[0] == 404, path
        for action in ("reject", "block"):
            status, _ = await viewer.request("POST", f"/api/v1/videos/{held['id']}/{action}", {"reason": ""})
            assert status == (404 if viewer is moderated.sees else 403)
    assert (await bob.get(f"/api/v1/videos/{held['id']}/reports"))[0] == 403
    # What moves to others' hands moves out of theirs.
    await moderated.reel.rows("UPDATE videos SET held_for = 'quarantine' WHERE event_id = $1", event_id)
    quarantined = await alice.video(event_id)
    assert quarantined
    assert (quarantined["held_for"], quarantined["playlist_url"]) == ("quarantine", None)
    assert "reject" not in quarantined["can"]

    async def shut() -> bool:
        return {(await alice.fetch(path))[0] for path in files} == {404}

    await eventually(shut, what="the media being shut to moderators, too")


async def test_a_moderator_decides_in_the_widget(moderated: ModeratedRoom, http: aiohttp.ClientSession) -> None:
    await moderated.say("room hold all")
    alice = await moderated.reel.viewer(http, moderated.alice, moderated.room_id)
    event_id = await moderated.send(moderated.bob)
    await moderated.ready(event_id)
    held = await alice.video_in(event_id, "ready")
    path = f"/api/v1/videos/{held['id']}"
    status, gone = await alice.request("POST", f"{path}/reject", {"reason": "too dark"})
    assert status == 200
    assert gone["undo_until"] > held["created_at"]
    await moderated.reel.keep_deletions_open()
    status, back = await alice.request("POST", f"{path}/restore")
    assert (status, back["visibility"], back["held_for"]) == (200, "held", "approval")
    assert (await alice.request("PATCH", path, {"visibility": "shown", "version": back["version"]}))[0] == 200
    assert (await alice.request("POST", f"{path}/reject", {"reason": ""}))[0] == 409
    assert (await moderated.sees.request("POST", f"{path}/report", {"reason": "Too loud"}))[0] == 200
    assert await alice.get(f"{path}/reports") == (200, {"reasons": ["Too loud"]})
    # Hidden by a moderator it is for moderators to look at, hidden by its sender for them alone.
    bob = await moderated.reel.viewer(http, moderated.bob, moderated.room_id)
    for hides, to_alice, to_bob in ((alice, "viewer", "moderator"), (bob, "sender", "viewer")):
        assert (await hides.request("PATCH", path, {"visibility": "hidden"}))[0] == 200
        for sees, by in ((alice, to_alice), (bob, to_bob)):
            video = await sees.video(event_id)
            assert video
            assert (video["hidden_by"], video["playlist_url"] is not None) == (by, sees is hides)
        assert (await hides.request("PATCH", path, {"visibility": "shown"}))[1]["hidden_by"] is None
    again = await moderated.send(moderated.mallory, again=0)
    await moderated.ready(again)
    assert await alice.request("POST", f"{path}/block", {"reason": "spam"}) == (200, {"count": 2})
    assert await alice.video(again) is None
    assert await alice.video(event_id) is None


async def test_where_moderators_add_others_are_notified_politely_and_once(moderated: ModeratedRoom) -> None:
    await moderated.say("room add moderators")
    events = [await moderated.send(moderated.bob) for _ in range(2)]
    own = await moderated.send(moderated.alice)
    await moderated.sees.video_in(own, "ready")
    assert [video["event_id"] for video in await moderated.sees.videos()] == [own]
    await wait_for_notice(moderated.bob, moderated.room_id, "only moderators add videos", thread=events[0])
    assert not [await moderated.row(event_id) for event_id in events if await moderated.row(event_id)]
    await moderated.say("room add default")
    again = await moderated.send(moderated.bob)
    await moderated.sees.video_in(again, "ready")
    messages = await moderated.bob.messages(moderated.room_id)
    assert len([e for e in messages if "only moderators add" in e["content"].get("body", "")]) == 1


async def test_many_reports_make_a_video_wait(moderated: ModeratedRoom, http: aiohttp.ClientSession) -> None:
    await moderated.say("room report-limit 2")
    event_id = await moderated.send(moderated.alice)
    video = await moderated.sees.video_in(event_id, "ready")
    path = f"/api/v1/videos/{video['id']}/report"
    assert await moderated.sees.request("POST", path, {"reason": "far too loud"}) == (200, {})
    assert await moderated.say("queue") == "No video waits for a decision."
    reports = await moderated.say("reports")
    assert f"{await moderated.short(event_id)} “1” by @alice:test.local, one report" in reports
    assert "loud" not in reports  # that is not for everybody
    assert "I tell in a conversation with me alone" in reports
    bobs = await moderated.reel.viewer(http, moderated.bob, moderated.room_id)
    assert await bobs.request("POST", path, {"reason": ""}) == (200, {})
    assert await moderated.sees.video(event_id) is None
    assert "“1” by @alice:test.local, 0:02: was reported" in await moderated.say("queue")
    assert "is forgotten" in await moderated.say("dismiss", about=event_id)
    assert (await moderated.sees.video_in(event_id, "ready"))["visibility"] == "shown"
    assert await moderated.say("reports") == "No video was reported."
    assert await moderated.say("dismiss", about=event_id) == "Nobody reported this video."
    # Nor do they count any more.
    assert await moderated.sees.request("POST", path, {"reason": "still"}) == (200, {})
    assert await moderated.sees.video(event_id)


async def test_a_rooms_own_length(moderated: ModeratedRoom) -> None:
    before = await moderated.send(moderated.bob)
    await moderated.sees.video_in(before, "ready")
    assert "max-length is 1 now" in await moderated.say("room max-length 1")
    # The second is the same file as the first: what was made of that is longer than is allowed now.
    for event_id in (await moderated.send(moderated.bob), await moderated.send(moderated.bob, again=0)):
        message = await wait_for_notice(moderated.bob, moderated.room_id, "cannot be shown", thread=event_id)
        assert message.endswith(
            "The video is too long for this room. Send a shorter one. Here a video may be 0:01 long (minutes:seconds)."
        )
    assert "videos of at most 7200 seconds" in await moderated.say("room max-length 7201")
    await moderated.say("room max-length off")
    await moderated.sees.video_in(await moderated.send(moderated.bob), "ready")


async def test_what_is_blocked_goes_with_all_its_copies(moderated: ModeratedRoom, tools: Tools) -> None:
    await asyncio.to_thread(make_synthetic_clips, tools, moderated.folder, [1, 2], seconds=2, size=SIZE)
    advertisement, other = moderated.folder / "1.mp4", moderated.folder / "2.mp4"
    ways = await asyncio.to_thread(reencode, tools, advertisement, moderated.folder, ["crop 2 %", "half size", "WebM"])
    files = (advertisement, advertisement, ways["half size"], other)
    events = [await moderated.bob.send_video(moderated.room_id, file) for file in files]

    async def known() -> bool:
        return all([(await moderated.row(event_id)).get("fingerprint") for event_id in events])

    await eventually(known, what="what they look like being known")
    said = await moderated.say(f"block {await moderated.short(events[0])} an advertisement", about=events[3])
    assert said.endswith("the same file is not taken again. It was here 3 times.")
    assert [video["event_id"] for video in await moderated.sees.videos()] == [events[3]]
    number = (await moderated.row(events[1]))["source_hash"].hex()
    blocks = await moderated.say("blocks")
    assert f"• #{number[:8]}, by @alice:test.local on 2" in blocks
    assert ": an advertisement" in blocks

    # Neither the file comes again, nor one that was made of it; another does.
    for file in (advertisement, ways["crop 2 %"], ways["WebM"]):
        event_id = await moderated.bob.send_video(moderated.room_id, file)
        message = await wait_for_notice(moderated.bob, moderated.room_id, "This video is blocked", thread=event_id)
        assert "cannot be shown" in message
        assert (await moderated.row(event_id))["failure"] == "blocked"
    assert await moderated.sees.video_in(await moderated.bob.send_video(moderated.room_id, other), "ready")

    for wrong in ("unblock", "unblock xyz", f"unblock #{number[:8]} 2"):
        assert "!reel unblock #ID" in await moderated.say(wrong)
    missing = "abcabc" if not number.startswith("abcabc") else "defdef"
    assert await moderated.say(f"unblock #{missing}") == f"No file whose id begins with #{missing} is blocked."
    assert "may come again" in await moderated.say(f"unblock #{number[:8]}")
    assert await moderated.say("blocks") == "Nothing is blocked."
    assert await moderated.sees.video_in(await moderated.bob.send_video(moderated.room_id, ways["WebM"]), "ready")


async def test_what_is_blocked_in_the_middle_of_the_work_is_known_by_its_looks_too(
    moderated: ModeratedRoom, tools: Tools
) -> None:
    await asyncio.to_thread(make_synthetic_clips, tools, moderated.folder, [6, 8], seconds=30, size=SIZE)
    advertisement, other = moderated.folder / "6.mp4", moderated.folder / "8.mp4"
    ways = await asyncio.to_thread(reencode, tools, advertisement, moderated.folder, ["crop 2 %", "half size"])
    copy, elsewhere = [await moderated.bob.send_video(moderated.room_id, file) for file in (ways["half size"], other)]
    for event_id in (copy, elsewhere):
        await moderated.ready(event_id)
    event_id = await moderated.bob.send_video(moderated.room_id, advertisement)

    async def is_hashed() -> bool:
        return bool((await moderated.row(event_id)).get("source_hash"))

    await eventually(is_hashed, what="its bytes being known")
    said = await moderated.say("block", about=event_id)
    assert "the same file is not taken again" in said

    async def only_other() -> bool:
        return [video["event_id"] for video in await moderated.sees.videos()] == [elsewhere]

    await eventually(only_other, what="the copy being taken away, too")
    again = await moderated.bob.send_video(moderated.room_id, ways["crop 2 %"])
    await wait_for_notice(moderated.bob, moderated.room_id, "This video is blocked", thread=again)


async def test_what_is_not_known_yet_cannot_be_blocked(moderated: ModeratedRoom) -> None:
    event_id = await moderated.send(moderated.bob)

    async def unhashed() -> bool:
        """Make it as of an old release, once what it looks like is kept: that comes after it is ready."""
        known = "event_id = $1 AND fingerprint IS NOT NULL"
        return bool(
            await moderated.reel.rows(
                f"UPDATE videos SET source_hash = NULL WHERE {known} RETURNING id",  # noqa: S608 - ours
                event_id,
            )
        )

    await eventually(unhashed, what="what it looks like being kept")
    assert "I do not know enough" in await moderated.say("block", about=event_id)


async def test_moderators_decide_in_a_room_of_their_own(moderated: ModeratedRoom) -> None:
    own = await make_room(moderated.alice, moderated.reel, moderated.mallory, version="11")
    assert "does not fit" in await moderated.say("room moderators-room nonsense")
    assert "must both be in" in await moderated.say("room moderators-room !nowhere:test.local")
    assert "Choose another room" in await moderated.say(f"room moderators-room {moderated.room_id}")
    await moderated.say("room hold all")
    early = await moderated.send(moderated.bob)
    await moderated.ready(early)
    await moderated.say(f"room moderators-room {own}")
    late = await moderated.send(moderated.bob)
    posts = [await _review_posts(moderated, own, event_id) for event_id in (early, late)]
    image = await _content_of(moderated, own, posts[0]["picture"])
    assert (image["msgtype"], image["body"], image["filename"]) == ("m.image", "1", "poster.jpg")
    text = await _content_of(moderated, own, posts[0]["text"])
    assert "@bob:test.local sent the video above (0:02) to" in text["body"]
    assert f"!reel approve {await moderated.short(early)}" in text["body"]
    reactions = await moderated.alice.relations(own, posts[0]["text"], "m.annotation")
    assert [r["content"]["m.relates_to"]["key"] for r in reactions] == ["✅", "❌"]

    # Mallory is in the room, but no moderator of the video's.
    await moderated.mallory.react(own, posts[0]["text"], "✅")
    await moderated.alice.react(own, posts[0]["text"], "👍")
    assert "2 videos wait" in (await CommandSender(moderated.alice, own)("!reel queue")).text
    assert (await CommandSender(moderated.mallory, own)("!reel queue")).text == "You moderate no room in which I am."
    said = (await CommandSender(moderated.mallory, own)("!reel approve", about=posts[0]["text"])).text
    assert said.startswith("Which video?")
    assert await moderated.sees.video(early) is None
    await moderated.alice.react(own, posts[0]["text"], "✅")
    assert (await moderated.sees.video_in(early, "ready"))["visibility"] == "shown"
    await _edited(moderated, own, posts[0]["text"], "✅ @alice:test.local approved it.")

    await moderated.alice.react(own, posts[1]["picture"], "❌")
    await _edited(moderated, own, posts[1]["text"], "❌ @alice:test.local rejected it.")
    await wait_for_notice(moderated.bob, moderated.room_id, "did not accept", thread=late)
    assert await _content_of(moderated, own, posts[1]["picture"]) == {}  # nothing is left of what was taken away
    assert (await _content_of(moderated, own, posts[0]["picture"]))["msgtype"] == "m.image"

    third = await moderated.send(moderated.bob)
    post = await _review_posts(moderated, own, third)
    await moderated.bob.redact(moderated.room_id, third)
    await _edited(moderated, own, post["text"], "It was taken back: there is nothing to decide any more.")
    fourth = await moderated.send(moderated.bob)
    post = await _review_posts(moderated, own, fourth)
    assert (
        await CommandSender(moderated.alice, own)("!reel approve", about=post["picture"])
    ).text == "“4” is shown now."


async def test_moderators_review_a_spoiler_without_its_image(moderated: ModeratedRoom) -> None:
    own = await make_room(moderated.alice, moderated.reel, moderated.mallory, version="11")
    await moderated.say("room hold all")
    await moderated.say(f"room moderators-room {own}")
    content = {
        "msgtype": "m.video",
        "body": "a.mp4",
        "url": await moderated.bob.upload(moderated.clip.read_bytes(), "video/mp4"),
    }
    marks = {"m.spoiler": True, "m.spoiler.reason": "blood"}
    hidden = await moderated.bob.send_event(moderated.room_id, "m.room.message", {**content, **marks})
    post = await _review_posts(moderated, own, hidden, parts=1)
    assert set(post) == {"text"}
    said = (await _content_of(moderated, own, post["text"]))["body"]
    assert "@bob:test.local sent a video (0:02) to" in said
    assert "It is marked as a spoiler (“blood”)" in said
    assert not [e for e in await moderated.alice.messages(own) if e["content"].get("msgtype") == "m.image"]

    plain = await moderated.send(moderated.bob)
    post = await _review_posts(moderated, own, plain)
    found = {event["event_id"]: event["content"] for event in await moderated.bob.messages(moderated.room_id)}[plain]
    marked = {**found, **marks}
    relation = {"rel_type": "m.replace", "event_id": plain}
    await moderated.bob.send_event(
        moderated.room_id, "m.room.message", {**marked, "m.new_content": marked, "m.relates_to": relation}
    )

    async def withdrawn() -> bool:
        return not await _content_of(moderated, own, post["picture"])

    await eventually(withdrawn, what="the image to be withdrawn")
    await moderated.alice.react(own, post["text"], "✅")
    assert (await moderated.sees.video_in(plain, "ready"))["spoiler"] is True


async def test_nobody_is_made_to_decide_for_another_room(moderated: ModeratedRoom) -> None:
    """Mallory holds what is sent in her own room, and would have it shown to those of alice's room for a decision."""
    other_room = await make_room(moderated.mallory, moderated.reel, moderated.bob)
    for setting in ("hold all", f"moderators-room {moderated.room_id}"):
        said = (await CommandSender(moderated.mallory, other_room)(f"!reel room {setting}")).text
    assert said.startswith("You do not moderate that room")
    open_to_all = await make_room(moderated.mallory, moderated.reel)
    await moderated.mallory.send_state(open_to_all, "m.room.join_rules", {"join_rule": "public"})
    said = (await CommandSender(moderated.mallory, other_room)(f"!reel room moderators-room {open_to_all}")).text
    assert said.startswith("Anybody may come into that room")

    # As a release of before took it.
    named = "UPDATE rooms SET settings = settings || jsonb_build_object('moderators_room', $2::text) WHERE room_id = $1"
    await moderated.reel.rows(named, other_room, moderated.room_id)
    refused = len(moderated.reel.log_entries("moderators_room_refused"))
    clip = with_padding(moderated.clip, moderated.folder / "den.mp4", f"{other_room}".encode())
    event_id = await moderated.bob.send_video(other_room, clip)
    await moderated.ready(event_id)

    async def noticed() -> bool:
        return len(moderated.reel.log_entries("moderators_room_refused")) > refused

    await eventually(noticed, what="the refusal")
    assert not await moderated.reel.rows("SELECT FROM queue_posts WHERE room_id = $1", moderated.room_id)
    assert not [
        e for e in await moderated.alice.messages(moderated.room_id) if e["content"].get("msgtype") == "m.image"
    ]

    # A room of her own, of those whom she invited, is notified of what is to come.
    own = await make_room(moderated.mallory, moderated.reel)
    said = (await CommandSender(moderated.mallory, other_room)(f"!reel room moderators-room {own}")).text
    assert said.startswith("moderators-room is")
    await wait_for_notice(moderated.mallory, own, f"{moderated.mallory.user_id} chose this room for decisions")
    await _review_posts(moderated, own, event_id, reader=moderated.mallory)


async def _review_posts(
    moderated: ModeratedRoom, room_id: str, event_id: str, parts: int = 2, *, reader: MatrixClient | None = None
) -> dict[str, str]:
    """Wait for the review posts of a video, and return their event ids by part."""

    async def posts() -> dict[str, str] | None:
        rows = await moderated.reel.rows(
            "SELECT part, event_id FROM queue_posts WHERE room_id = $1 AND video_id = $2",
            room_id, (await moderated.row(event_id)).get("id"),
        )  # fmt: skip
        sent = {row["part"]: row["event_id"] for row in rows}
        reactions = (reader or moderated.alice).relations
        if len(sent) < parts or len(await reactions(room_id, sent["text"], "m.annotation")) < 2:
            return None
        return sent

    found = await eventually(posts, what=f"review posts of {event_id}")
    assert found
    return found


async def _content_of(moderated: ModeratedRoom, room_id: str, event_id: str) -> dict[str, Any]:
    """Return the content of an event as it is now: nothing, once it is redacted."""
    events = {event["event_id"]: event["content"] for event in await moderated.alice.messages(room_id)}
    return dict(events[event_id])


async def _edited(moderated: ModeratedRoom, room_id: str, event_id: str, text: str) -> None:
    async def is_edited() -> bool:
        edits = await moderated.alice.relations(room_id, event_id, "m.replace")
        return bool(edits) and edits[-1]["content"]["m.new_content"]["body"] == text

    await eventually(is_edited, what=f"an edit to {text!r}")
