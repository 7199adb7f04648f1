"""Signed in without a client: the bot comments, reacts and sends videos for people, and everybody knows whose it is."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from appservice.core.events.behalf import NONCE, PROFILE, comment_content, reaction_content, video_content
from appservice.core.model import EventId, RoomId, UserId
from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from appservice.matrix.client import HomeserverClient
from tests.support.commands import CommandSender
from tests.support.installation import Installation
from tests.support.proxy import pass_on
from tests.support.rooms import make_room
from tests.support.uploads import Uploader
from tests.support.viewer import Viewer
from tests.support.waiting import eventually


def nonce() -> str:
    return secrets.token_urlsafe(16)


@dataclass
class SignedInMember:
    """Somebody's browser that is signed in, in a room with a video of alice's."""

    reel: Installation
    http: aiohttp.ClientSession
    user: MatrixClient
    viewer: Viewer
    event_id: str
    video_id: str

    @property
    def room_id(self) -> str:
        return self.viewer.room_id

    @property
    def path(self) -> str:
        return f"/api/v1/videos/{self.video_id}"

    async def comment(self, text: str, once: str | None = None) -> tuple[int, Any]:
        return await self.viewer.request("POST", f"{self.path}/comments", {"text": text, "nonce": once or nonce()})

    async def react(self, key: str, once: str | None = None) -> tuple[int, Any]:
        return await self.viewer.request("POST", f"{self.path}/reactions", {"key": key, "nonce": once or nonce()})

    async def take_back(self, event: dict[str, Any]) -> int:
        status, _ = await self.viewer.request("DELETE", f"{self.path}/said/{quote(event['event_id'], safe='')}")
        return status

    async def said(self, kind: str = "m.room.message") -> list[dict[str, Any]]:
        status, response = await self.viewer.get(f"{self.path}/said")
        assert status == 200, response
        return [event for event in response["events"] if event["type"] == kind]

    async def in_matrix(self, rel_type: str = "m.thread") -> list[dict[str, Any]]:
        """Return what others' clients see of the bot's, about the video."""
        events = await self.user.relations(self.room_id, self.event_id, rel_type)
        return [each for each in events if each["sender"] == self.reel.bot and NONCE in each["content"]]

    async def bot_sends(self, kind: str, content: dict[str, Any]) -> str:
        """Send an event as the bot, of which no row knows."""
        bot = HomeserverClient(
            self.http, self.reel.synapse.base_url, self.reel.as_token, self.reel.settings["appservice"]["id"],
            UserId(self.reel.bot),
        )  # fmt: skip
        return await bot.send(RoomId(self.room_id), kind, content, once=nonce())

    async def rows(self) -> list[dict[str, Any]]:
        rows = await self.reel.rows(
            "SELECT * FROM sent_for WHERE room_id = $1 AND user_id <> '' ORDER BY key", self.room_id
        )
        return [dict(row) for row in rows]

    async def sign_in(self, user: MatrixClient) -> "SignedInMember":
        """Return the same for another member."""
        viewer = await self.reel.signed_in(self.http, user, self.room_id)
        return SignedInMember(self.reel, self.http, user, viewer, self.event_id, self.video_id)


Newcomer = Callable[[str], Awaitable[MatrixClient]]


@pytest.fixture
async def newcomer(synapse: Synapse) -> AsyncIterator[Newcomer]:
    """Make users of this test's own: what the bot says for one is limited."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(name: str) -> MatrixClient:
            return await stack.enter_async_context(await synapse.user(f"{name}-{secrets.token_hex(4)}"))

        yield make


@pytest.fixture
async def carol(newcomer: Newcomer) -> MatrixClient:
    user = await newcomer("carol")
    await user.set_display_name("Carol <3")
    return user


async def _signed_in(
    reel: Installation, http: aiohttp.ClientSession, owner: MatrixClient, user: MatrixClient, room_id: str, clip: Path
) -> SignedInMember:
    event_id = await owner.send_video(room_id, clip)
    viewer = await reel.signed_in(http, user, room_id)
    video = await viewer.video_in(event_id, "ready")
    return SignedInMember(reel, http, user, viewer, event_id, video["id"])


@pytest.fixture
async def member(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, carol: MatrixClient, clip: Path
) -> SignedInMember:
    """Carol's, who is no moderator."""
    return await _signed_in(reel, http, alice, carol, await make_room(alice, reel, carol), clip)


async def _gone(member: SignedInMember, rel_type: str, what: str) -> None:
    async def gone() -> bool:
        return await member.in_matrix(rel_type) == []

    await eventually(gone, what=what)


# Comments


async def test_a_comment_is_the_bots_in_matrix_and_somebodys_here(member: SignedInMember, alice: MatrixClient) -> None:
    hers = await member.sign_in(alice)
    own = await alice.reply(member.room_id, member.event_id, "from a client")
    async with hers.viewer.talks() as talks:
        status, response = await member.comment("1 < 2\nyes")
        assert status == 201, response
        event = response["event"]
        # Whoever watches is notified, though no client of theirs has it in its timeline.
        while (await asyncio.wait_for(talks.get(), 30))["event_id"] != member.event_id:
            pass
    (message,) = await member.in_matrix()
    assert message["event_id"] == event["event_id"]
    content = message["content"]
    name = content[PROFILE]["displayname"]
    assert (content[PROFILE]["id"], name.strip("\u2060")) == (member.user.user_id, "Carol <3")
    assert (content["msgtype"], content["body"]) == ("m.text", f"{name}: \u20601 < 2\nyes")
    assert content["formatted_body"].endswith("Carol &lt;3: </strong>\u20601 &lt; 2<br>yes")

    for each in (member, hers):
        there = {each["event_id"]: each for each in await each.said()}
        assert there[own]["sender"] == alice.user_id
        assert not there[own]["on_behalf"]
        found = there[event["event_id"]]
        assert (found["sender"], found["content"]["body"], found["on_behalf"]) == (
            member.user.user_id, "1 < 2\nyes", True,
        )  # fmt: skip
        assert found == event


async def test_a_repeated_nonce_is_one_comment(member: SignedInMember, alice: MatrixClient) -> None:
    once = nonce()
    responses = await asyncio.gather(*(member.comment("again and again", once) for _ in range(4)))
    responses.append(await member.comment("again and again", once))
    assert {status for status, _ in responses} == {201}
    assert len({response["event"]["event_id"] for _, response in responses}) == 1
    assert len(await member.in_matrix()) == 1
    # It is nobody else's, and nothing else's.
    hers = await member.sign_in(alice)
    for status, response in (
        await hers.comment("again and again", once), await member.react("👍", once), await member.comment("no", once),
    ):  # fmt: skip
        assert (status, response["errcode"]) == (409, "M_CONFLICT")
    assert len(await member.in_matrix()) == 1


async def test_whoever_said_it_takes_it_back(member: SignedInMember, alice: MatrixClient) -> None:
    hers = await member.sign_in(alice)
    once = nonce()
    event = (await member.comment("oops", once))[1]["event"]
    assert await hers.take_back(event) == 404, "not hers to take back from here"
    async with hers.viewer.talks() as talks:
        assert [await member.take_back(event) for _ in range(2)] == [204, 204]
        while (await asyncio.wait_for(talks.get(), 30))["event_id"] != event["event_id"]:
            pass
    assert await member.said() == await hers.said() == []
    await _gone(member, "m.thread", "the message's redaction")
    status, response = await member.comment("oops", once)
    assert (status, response["errcode"]) == (410, "M_GONE")
    own = await alice.reply(member.room_id, member.event_id, "from a client")
    assert await hers.take_back({"event_id": own}) == 404


async def test_what_a_moderator_redacts_is_gone_here_too(member: SignedInMember, alice: MatrixClient) -> None:
    event = (await member.comment("rude"))[1]["event"]
    await member.react("👎")
    (reaction,) = await member.in_matrix("m.annotation")
    for each in (event, reaction):
        await alice.redact(member.room_id, each["event_id"])

    async def known() -> bool:
        return all(row["taken_back_at"] for row in await member.rows())

    await eventually(known, what="both being known to be gone")
    assert await member.said() == await member.said("m.reaction") == []
    assert (await member.react("👎"))[0] == 201
    assert len(await member.said("m.reaction")) == 1


async def test_a_video_within_a_thread_gets_replies_without_one(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, carol: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel, carol)
    root = await alice.send_text(room_id, "A trip")
    relation = {"rel_type": "m.thread", "event_id": root, "is_falling_back": True, "m.in_reply_to": {"event_id": root}}
    url = await alice.upload(clip, "video/mp4")
    content = {"msgtype": "m.video", "body": "clip.mp4", "url": url, "m.relates_to": relation}
    event_id = await alice.send_event(room_id, "m.room.message", content)
    viewer = await reel.signed_in(http, carol, room_id)
    video = await viewer.video_in(event_id, "ready")
    member = SignedInMember(reel, http, carol, viewer, event_id, video["id"])
    once = nonce()
    responses = [await member.comment("nice", once) for _ in range(2)]
    assert [status for status, _ in responses] == [201, 201]
    event = responses[0][1]["event"]
    assert event["content"]["m.relates_to"] == {"m.in_reply_to": {"event_id": event_id}}
    there = [each for each in await alice.messages(room_id) if each["content"].get(NONCE) == once]
    assert [each["event_id"] for each in there] == [event["event_id"]]
    (said,) = await member.said()
    assert (said["event_id"], said["sender"]) == (event["event_id"], carol.user_id)


# Reactions


async def test_two_people_share_a_reaction(member: SignedInMember, alice: MatrixClient) -> None:
    hers = await member.sign_in(alice)
    assert [(await each.react("👍"))[0] for each in (member, member, hers)] == [201, 200, 201]
    (shared,) = await member.in_matrix("m.annotation")
    assert PROFILE not in shared["content"]
    parts = {part["sender"]: part for part in await member.said("m.reaction")}
    assert set(parts) == {alice.user_id, member.user.user_id}
    assert len({part["event_id"] for part in parts.values()}) == 2
    assert {part["content"]["m.relates_to"]["key"] for part in parts.values()} == {"👍"}

    assert await hers.take_back(parts[member.user.user_id]) == 404
    async with hers.viewer.talks() as talks:
        assert [await member.take_back(parts[member.user.user_id]) for _ in range(2)] == [204, 204]
        assert (await asyncio.wait_for(talks.get(), 30))["event_id"] == member.event_id
    assert [part["sender"] for part in await member.said("m.reaction")] == [alice.user_id]
    assert [each["event_id"] for each in await member.in_matrix("m.annotation")] == [shared["event_id"]]
    assert await hers.take_back(parts[alice.user_id]) == 204
    await _gone(member, "m.annotation", "the reaction going with the last of them")
    # And again, as often as one likes.
    assert (await member.react("👍"))[0] == 201
    assert len(await member.in_matrix("m.annotation")) == 1


async def test_at_once_it_is_one_event(member: SignedInMember, alice: MatrixClient) -> None:
    hers = await member.sign_in(alice)
    responses = await asyncio.gather(*(each.react("🎉") for each in (member, hers, member, hers)))
    assert sorted(status for status, _ in responses) == [200, 200, 201, 201]
    assert len(await member.in_matrix("m.annotation")) == 1
    assert len(await member.said("m.reaction")) == 2


async def test_a_reaction_comes_back_while_its_redaction_is_under_way(member: SignedInMember) -> None:
    for _ in range(3):
        status, response = await member.react("🔁")
        assert status == 201
        assert len(await member.said("m.reaction")) == 1
        assert await member.take_back(response["event"]) == 204
    await _gone(member, "m.annotation", "the last redaction")


async def test_an_equal_reaction_that_is_nobodys_gives_way(member: SignedInMember) -> None:
    content = reaction_content(EventId(member.event_id), "👻", nonce())
    unattributed = await member.bot_sends("m.reaction", content)
    assert await member.said("m.reaction") == []
    assert (await member.react("👻"))[0] == 201
    (fresh,) = await member.in_matrix("m.annotation")
    assert fresh["event_id"] != unattributed
    assert len(await member.said("m.reaction")) == 1


async def test_the_bots_own_marks_are_not_peoples(member: SignedInMember) -> None:
    async def marked() -> bool:
        marks = await member.user.relations(member.room_id, member.event_id, "m.annotation")
        return "▶️" in [each["content"]["m.relates_to"]["key"] for each in marks]

    await eventually(marked, what="the bot's mark")
    assert await member.said("m.reaction") == []
    status, response = await member.react("▶️")
    assert status == 201
    assert response["event"]["content"]["m.relates_to"]["key"] == "▶"
    assert await member.take_back(response["event"]) == 204
    await _gone(member, "m.annotation", "the person's reaction being gone")
    assert await marked()


async def test_reactions_are_to_the_message_that_a_video_passed_on_to(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, carol: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel, carol)
    content = {"msgtype": "m.video", "body": "clip.mp4", "url": await alice.upload(clip, "video/mp4"), NONCE: nonce()}
    first, second = [await alice.send_event(room_id, "m.room.message", content) for _ in range(2)]
    viewer = await reel.signed_in(http, carol, room_id)
    video = await viewer.video_in(first, "ready")
    member = SignedInMember(reel, http, carol, viewer, first, video["id"])
    assert (await member.react("👍"))[0] == 201
    await alice.redact(room_id, first)
    await viewer.video_in(second, "ready")
    assert (await member.react("👍"))[0] == 201
    (reaction,) = await member.said("m.reaction")
    assert reaction["content"]["m.relates_to"]["event_id"] == second
    assert await member.take_back(reaction) == 204
    assert await member.said("m.reaction") == []


# Videos


async def _upload(member: SignedInMember, clip: Path) -> str:
    """Upload a clip as the widget does, and return its id once it is ready to be sent."""
    uploader = Uploader(member.viewer)
    await uploader.send(clip)
    assert (await uploader.finish()).status == 202
    assert (await uploader.outcome())["state"] == "ready"
    return uploader.id()


async def _send(member: SignedInMember, upload: str, **fields: object) -> tuple[int, Any]:
    path = f"/api/v1/rooms/{quote(member.room_id, safe='')}/videos"
    return await member.viewer.request("POST", path, {"upload": upload, "nonce": nonce(), **fields})


async def test_a_video_is_in_its_senders_reel(member: SignedInMember, alice: MatrixClient, clip: Path) -> None:
    upload = await _upload(member, clip)
    once = nonce()
    responses = [await _send(member, upload, title="A  trip", nonce=once) for _ in range(2)]
    responses.append(await _send(member, upload))  # a page that was opened anew knows no nonce
    assert [status for status, _ in responses] == [201, 201, 201], responses
    (event_id,) = {response["event_id"] for _, response in responses}
    video = await member.viewer.video_in(event_id, "ready")
    assert video["title"] == "A trip"
    members = {each["user_id"]: each for each in (await member.viewer.room())["members"]}
    assert [each["id"] for each in members[member.user.user_id]["videos"]] == [video["id"]]
    assert "delete" in video["can"]
    message = next(each for each in await alice.messages(member.room_id) if each["event_id"] == event_id)
    assert message["sender"] == member.reel.bot
    assert message["content"]["body"] == "\u2060Carol <3: \u2060A trip"
    assert message["content"]["info"]["w"] == 320

    # An edit of the bot's message is none that Matrix knows, whoever sends it.
    relation = {"rel_type": "m.replace", "event_id": event_id}
    new = {**message["content"], "body": "Otherwise"}
    await member.user.send_event(
        member.room_id, "m.room.message", {**new, "m.new_content": new, "m.relates_to": relation}
    )
    later = await alice.send_video(member.room_id, clip)
    await member.viewer.video_in(later, "queued", "processing", "playable", "ready")
    assert (await member.viewer.video(event_id) or {})["title"] == "A trip"
    # The response is the same once the upload is gone, and no other upload comes by its nonce.
    await member.reel.rows("DELETE FROM uploads WHERE id = $1", upload)
    assert await _send(member, upload, nonce=once) == (201, {"event_id": event_id})
    assert (await _send(await member.sign_in(alice), upload))[0] == 404
    assert (await _send(member, await _upload(member, clip), nonce=once))[0] == 409

    # The whole of it is hers: she deletes it, message and all.
    assert (await member.viewer.request("DELETE", f"/api/v1/videos/{video['id']}"))[0] == 200

    async def gone() -> bool:
        return not any(
            each["content"].get("url") for each in await alice.messages(member.room_id) if each["event_id"] == event_id
        )

    await eventually(gone, what="the message being gone")


async def test_moderators_hold_a_video_as_any_other(member: SignedInMember, alice: MatrixClient, clip: Path) -> None:
    assert "all" in (await CommandSender(alice, member.room_id)("!reel room hold all")).text
    _, response = await _send(member, await _upload(member, clip))
    video = await member.viewer.video_in(response["event_id"], "ready")
    assert (video["visibility"], video["waits_for"]) == ("held", "moderator")
    hers = await member.reel.viewer(member.http, alice, member.room_id)
    seen = await hers.video_in(response["event_id"], "ready")
    assert "show" in seen["can"]


async def test_a_video_counts_for_its_senders_quota(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, carol: MatrixClient, clip: Path
) -> None:
    spare.write_config(limits={"user": {"videos": 1}})
    async with spare.running():
        room_id = await make_room(alice, spare, carol)
        member = await _signed_in(spare, http, alice, carol, room_id, clip)
        _, response = await _send(member, await _upload(member, clip))
        assert (await member.viewer.video_in(response["event_id"], "ready"))["failure"] is None
        uploader = Uploader(member.viewer)
        refused = await uploader.create(5)
        assert (refused.status, refused.body["errcode"]) == (403, "M_USER_LIMIT_EXCEEDED")


async def test_what_the_response_was_lost_of_is_somebodys_all_the_same(
    member: SignedInMember, alice: MatrixClient, clip: Path
) -> None:
    """The process died between storing whose it is and the homeserver's response: the event attributes it."""
    url = await alice.upload(clip, "video/mp4")
    names = {kind: nonce() for kind in ("comment", "video")}
    for kind, name in names.items():
        await member.reel.rows(
            "INSERT INTO sent_for (room_id, user_id, nonce, digest, kind, target) VALUES ($1, $2, $3, '', $4, $5)",
            member.room_id, member.user.user_id, name, kind, member.event_id if kind == "comment" else None,
        )  # fmt: skip
    carol = UserId(member.user.user_id)
    prepared = {"msgtype": "m.video", "body": "clip.mp4", "filename": "clip.mp4", "url": url, "info": {}}
    contents = {
        "comment": comment_content(EventId(member.event_id), "still here", names["comment"], carol, "Carol"),
        "video": video_content(prepared, None, names["video"], carol, "Carol"),
    }
    sent = {kind: await member.bot_sends("m.room.message", content) for kind, content in contents.items()}
    # Nobody requested this one of the bot.
    stray = await member.bot_sends("m.room.message", {**contents["video"], NONCE: nonce()})
    await member.viewer.video_in(sent["video"], "ready")
    (found,) = await member.said()
    assert (found["event_id"], found["sender"]) == (sent["comment"], member.user.user_id)
    last = await alice.send_video(member.room_id, clip)
    await member.viewer.video_in(last, "queued", "processing", "playable", "ready")
    assert await member.viewer.video(stray) is None


async def test_an_event_is_attributed_by_its_nonce(member: SignedInMember, alice: MatrixClient, clip: Path) -> None:
    """The homeserver said nothing of it, and its transaction is late."""
    content = comment_content(EventId(member.event_id), "hello", nonce(), UserId(member.user.user_id), "Carol")
    event_id = await member.bot_sends("m.room.message", content)
    later = await alice.send_video(member.room_id, clip)
    await member.viewer.video_in(later, "queued", "processing", "playable", "ready")
    # That of one who took it back, and of one who was erased, comes back for nobody.
    assert await member.said() == []
    await member.reel.rows(
        "INSERT INTO sent_for (room_id, user_id, nonce, digest, kind, target) VALUES ($1, $2, $3, '', 'comment', $4)",
        member.room_id, member.user.user_id, content[NONCE], member.event_id,
    )  # fmt: skip
    (found,) = await member.said()
    assert (found["event_id"], found["sender"], found["content"]["body"]) == (event_id, member.user.user_id, "hello")
    assert await member.take_back(found) == 204
    assert await member.said() == []


@dataclass
class LossyProxy:
    """A proxy before the homeserver that fails as long as a test wants it.

    `loses`: responses to what is sent get lost. `duplicates`: what is sent again is a new event. `forbids`: it has no
    relations for anybody, and `requests` counts who requests them. `is_away`: it takes nothing that is sent; `refuses`:
    it forbids that.
    """

    url: str
    is_away: bool = False
    refuses: bool = False
    loses: bool = False
    duplicates: bool = False
    forbids: bool = False
    requests: int = 0


@contextlib.asynccontextmanager
async def _lossy_proxy(target: str, http: aiohttp.ClientSession) -> AsyncIterator[LossyProxy]:
    async def forward(request: web.Request) -> web.Response:
        path = request.raw_path
        if "/relations/" in path:
            proxy.requests += 1
            if proxy.forbids:
                return web.json_response({"errcode": "M_FORBIDDEN", "error": "No."}, status=403)
        if proxy.is_away and "/send/" in path:
            return web.Response(status=502)
        if proxy.refuses and "/send/" in path:
            return web.json_response({"errcode": "M_FORBIDDEN", "error": "No."}, status=403)
        if proxy.duplicates and "/send/" in path:
            address, _, query = path.partition("?")
            path = f"{address.rpartition('/')[0]}/{nonce()}?{query}"
        response = await pass_on(http, target, request, raw_path=path)
        return web.Response(status=502) if proxy.loses and "/send/" in request.raw_path else response

    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", forward)
    async with TestServer(app) as server:
        proxy = LossyProxy(str(server.make_url("")).rstrip("/"))
        yield proxy


@pytest.fixture
async def lossy(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, carol: MatrixClient, clip: Path
) -> AsyncIterator[tuple[LossyProxy, SignedInMember]]:
    """A proxy before the homeserver that loses what a test wants, and carol's browser behind it."""
    async with _lossy_proxy(spare.synapse.base_url, http) as proxy:
        spare.write_config(homeserver={"url": proxy.url})
        async with spare.running():
            yield proxy, await _signed_in(spare, http, alice, carol, await make_room(alice, spare, carol), clip)


async def test_what_is_sent_again_because_the_response_was_lost_comes_once(
    lossy: tuple[LossyProxy, SignedInMember], alice: MatrixClient, carol: MatrixClient, clip: Path
) -> None:
    proxy, member = lossy
    upload = await _upload(member, clip)
    names = [nonce() for _ in range(3)]

    async def send() -> list[int]:
        responses = [
            await member.comment("hello", names[0]), await member.react("👍", names[1]),
            await _send(member, upload, nonce=names[2]),
        ]  # fmt: skip
        return [status for status, _ in responses]

    proxy.loses = True
    assert await send() == [503, 503, 503]
    proxy.loses = False
    assert await send() == [201, 200, 201], "the reaction was kept, and is there by now"
    assert len(await member.in_matrix()) == len(await member.in_matrix("m.annotation")) == 1
    assert [each["sender"] for each in await member.said()] == [carol.user_id]
    sent = [each for each in await alice.messages(member.room_id) if each["content"].get(NONCE) == names[2]]
    assert len(sent) == 1
    await member.viewer.video_in(sent[0]["event_id"], "ready")
    assert len(await member.viewer.videos()) == 2


async def test_a_video_that_did_not_go_out_goes_by_any_nonce(
    lossy: tuple[LossyProxy, SignedInMember], clip: Path
) -> None:
    """The page that tries again was opened anew: it knows the upload alone."""
    proxy, member = lossy
    upload = await _upload(member, clip)
    proxy.is_away = True
    assert (await _send(member, upload))[0] == 503
    proxy.is_away = False
    status, response = await _send(member, upload)
    assert status == 201
    await member.viewer.video_in(response["event_id"], "ready")
    assert await _send(member, upload) == (201, response)


async def test_a_refusal_of_a_repetition_leaves_it_known_whose_it_is(
    lossy: tuple[LossyProxy, SignedInMember], carol: MatrixClient
) -> None:
    proxy, member = lossy
    once = nonce()
    proxy.is_away = True
    assert (await member.comment("hello", once))[0] == 503
    proxy.is_away, proxy.refuses = False, True
    assert (await member.comment("hello", once))[0] == 403
    proxy.refuses = False
    # The first one was taken after all.
    target, user_id = EventId(member.event_id), UserId(carol.user_id)
    content = comment_content(target, "hello", once, user_id, "Carol")
    event_id = await member.bot_sends("m.room.message", content)
    (found,) = await member.said()
    assert (found["event_id"], found["sender"]) == (event_id, carol.user_id)


async def test_where_the_homeserver_fails(lossy: tuple[LossyProxy, SignedInMember]) -> None:
    proxy, member = lossy
    # One that lost its transaction ids sends it again: one of them holds, the others go.
    proxy.duplicates, once = True, nonce()
    responses = await asyncio.gather(*(member.comment("hello", once) for _ in range(4)))
    assert {status for status, _ in responses} == {201}
    (event_id,) = {response["event"]["event_id"] for _, response in responses}

    async def one_holds() -> bool:
        return [each["event_id"] for each in await member.in_matrix()] == [event_id]

    await eventually(one_holds, what="the others being gone")
    proxy.duplicates = False
    # Concurrent requests share few requests to the homeserver.
    proxy.requests = 0
    assert {len(each) for each in await asyncio.gather(*(member.said() for _ in range(20)))} == {1}
    assert proxy.requests < 20
    # What the bot may not read is nothing that the viewer may not see.
    proxy.forbids = True
    status, response = await member.viewer.get(f"{member.path}/said")
    assert (status, response["errcode"]) == (404, "M_NOT_FOUND")


async def test_nobody_speaks_in_anothers_name(
    member: SignedInMember, alice: MatrixClient, newcomer: Newcomer, clip: Path
) -> None:
    impostor = await newcomer("impostor")
    await alice.invite(member.room_id, impostor.user_id)
    await impostor.join(member.room_id)
    awaited = nonce()
    await member.reel.rows(
        "INSERT INTO sent_for (room_id, user_id, nonce, digest, kind) VALUES ($1, $2, $3, '', 'video')",
        member.room_id, member.user.user_id, awaited,
    )  # fmt: skip
    known = (await member.comment("hers"))[1]["event"]["content"][NONCE]
    carol = UserId(member.user.user_id)
    prepared = {
        "msgtype": "m.video",
        "body": "a.mp4",
        "filename": "a.mp4",
        "url": await impostor.upload(clip, "video/mp4"),
    }
    forged = await impostor.send_event(
        member.room_id, "m.room.message", video_content(prepared, None, awaited, carol, "Carol <3")
    )
    comment = await impostor.send_event(
        member.room_id,
        "m.room.message",
        comment_content(EventId(member.event_id), "not hers", known, carol, "Carol <3"),
    )
    await member.viewer.video_in(forged, "ready")
    members = {each["user_id"]: each for each in (await member.viewer.room())["members"]}
    assert [each["event_id"] for each in members[impostor.user_id]["videos"]] == [forged]
    assert members[member.user.user_id]["videos"] == []
    (row,) = [row for row in await member.rows() if row["nonce"] == awaited]
    assert row["event_id"] is None
    said = {each["event_id"]: each for each in await member.said()}
    assert (said[comment]["sender"], said[comment]["on_behalf"]) == (impostor.user_id, False)
    # By the API neither: the name that is another's already comes with the id.
    await impostor.set_display_name("carol <3")
    theirs = await member.sign_in(impostor)

    async def named() -> bool:
        rows = await member.reel.rows(
            "SELECT display_name FROM members WHERE room_id = $1 AND user_id = $2", member.room_id, impostor.user_id
        )
        return bool(rows[0]["display_name"] == "carol <3")

    await eventually(named, what="the new name being known")
    assert (await theirs.comment("it is me"))[0] == 201
    bodies = [each["content"]["body"] for each in await member.in_matrix()]
    assert f"\u2060carol <3 ({impostor.user_id}): \u2060it is me" in bodies


# Who may


async def test_who_was_sent_away_says_nothing_more(member: SignedInMember, alice: MatrixClient) -> None:
    event = (await member.comment("hello"))[1]["event"]
    await alice.kick(member.room_id, member.user.user_id)

    async def out() -> bool:
        return (await member.viewer.get(f"{member.path}/said"))[0] == 403

    await eventually(out, what="her being out")
    assert [(await member.comment("x"))[0], (await member.react("👍"))[0], await member.take_back(event)] == [
        403,
        403,
        403,
    ]


async def test_whom_the_configuration_blocks_the_bot_does_not_speak_for(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, carol: MatrixClient, clip: Path
) -> None:
    async with spare.running():
        member = await _signed_in(spare, http, alice, carol, await make_room(alice, spare, carol), clip)
        assert (await member.comment("hello"))[0] == 201
    spare.write_config(permissions={carol.user_id: "blocked"})
    async with spare.running():
        responses = [
            await member.comment("x"),
            await member.react("👍"),
            await member.viewer.get(f"{member.path}/said"),
        ]
        assert [status for status, _ in responses] == [403, 403, 403]


async def test_what_is_not_to_be_watched_is_not_talked_about(member: SignedInMember, alice: MatrixClient) -> None:
    hers = await member.sign_in(alice)
    assert (await hers.comment("only for me"))[0] == 201
    for visibility, status in (("hidden", 404), ("shown", 200)):
        changed, _ = await hers.viewer.request("PATCH", hers.path, {"visibility": visibility})
        assert changed == 200
        assert (await member.viewer.get(f"{member.path}/said"))[0] == status
        if status == 404:
            assert [(await member.comment("x"))[0], (await member.react("👍"))[0]] == [404, 404]
            assert len(await hers.said()) == 1


async def test_newcomers_read_what_was_said_since_they_came(
    member: SignedInMember, alice: MatrixClient, newcomer: Newcomer
) -> None:
    before = (await member.comment("before"))[1]["event"]
    await alice.send_state(member.room_id, "m.room.history_visibility", {"history_visibility": "joined"})

    async def known() -> bool:
        rows = await member.reel.rows("SELECT history FROM rooms WHERE room_id = $1", member.room_id)
        return bool(rows[0]["history"] == "joined")

    await eventually(known, what="the history visibility")
    dave = await newcomer("dave")
    await alice.invite(member.room_id, dave.user_id)
    await dave.join(member.room_id)
    his = await member.sign_in(dave)
    since = (await member.comment("since"))[1]["event"]
    assert [each["event_id"] for each in await his.said()] == [since["event_id"]]
    assert {each["event_id"] for each in await member.said()} == {before["event_id"], since["event_id"]}


async def test_in_the_room_that_replaced_it_nothing_is_said_about_a_message(
    member: SignedInMember, alice: MatrixClient
) -> None:
    await member.comment("in the room before")
    new = await alice.upgrade_room(member.room_id, "12")
    await alice.invite(new, member.reel.bot)
    await alice.invite(new, member.user.user_id)
    await member.user.join(new)

    async def moved() -> bool:
        rows = await member.reel.rows("SELECT room_id FROM videos WHERE id = $1", member.video_id)
        return bool(rows[0]["room_id"] == new)

    await eventually(moved, what="the video moving on")
    there = await member.reel.signed_in(member.http, member.user, new)
    later = SignedInMember(member.reel, member.http, member.user, there, member.event_id, member.video_id)
    assert (await there.get(f"{member.path}/said"))[0] == 404
    assert (await later.comment("x"))[0] == 404


async def test_the_bots_voice_is_limited(member: SignedInMember) -> None:
    responses = await asyncio.gather(*(member.comment("flood", "same") for _ in range(40)))
    assert {status for status, _ in responses} == {201, 429}
    assert len(await member.in_matrix()) == 1


# Erasing


async def test_what_the_bot_may_not_redact_now_goes_when_it_may(member: SignedInMember, alice: MatrixClient) -> None:
    event = (await member.comment("oops"))[1]["event"]
    levels = await alice.get_state(member.room_id, "m.room.power_levels")
    stricter = {**levels, "events": {**levels.get("events", {}), "m.room.redaction": 90}}
    await alice.send_state(member.room_id, "m.room.power_levels", stricter)
    assert await member.take_back(event) == 204
    waiting = (
        "SELECT id FROM pgqueuer WHERE entrypoint = 'forget' AND execute_after > now() + interval '1 hour'"
        " AND convert_from(payload, 'UTF8') LIKE '%' || $1 || '%'"
    )

    async def postponed() -> bool:
        return bool(await member.reel.rows(waiting, event["event_id"]))

    await eventually(postponed, what="the redaction being put off")
    assert len(await member.in_matrix()) == 1
    await alice.send_state(member.room_id, "m.room.power_levels", levels)
    (job,) = await member.reel.rows(waiting, event["event_id"])
    await member.reel.rows("UPDATE pgqueuer SET execute_after = now() WHERE id = $1", job["id"])
    await _gone(member, "m.thread", "the redaction")


async def test_who_wants_to_be_erased_is_not_quoted_any_more(
    member: SignedInMember, alice: MatrixClient, clip: Path
) -> None:
    hers = await member.sign_in(alice)
    comment = (await member.comment("forget this"))[1]["event"]
    for each in (member, hers):
        await each.react("👍")
    await member.react("🎉")
    _, response = await _send(member, await _upload(member, clip))
    await member.viewer.video_in(response["event_id"], "ready")
    async with hers.viewer.talks() as talks:
        assert (await CommandSender(member.user, member.room_id)("!reel forget-me yes")).reactions == ["✅"]
        while (await asyncio.wait_for(talks.get(), 30))["event_id"] != comment["event_id"]:
            pass

    async def gone() -> bool:
        keys = [each["content"]["m.relates_to"]["key"] for each in await hers.in_matrix("m.annotation")]
        videos = [each for each in await alice.messages(member.room_id) if each["event_id"] == response["event_id"]]
        return await hers.in_matrix() == [] and keys == ["👍"] and not any(each["content"] for each in videos)

    await eventually(gone, what="all of hers being gone")
    assert {row["user_id"] for row in await member.rows()} == {alice.user_id}
    # From here on she is as new.
    again = await member.sign_in(member.user)
    assert (await again.react("🎉"))[0] == 201
    assert sorted(part["sender"] for part in await hers.said("m.reaction")) == sorted(
        [alice.user_id, member.user.user_id]
    )
    assert (await CommandSender(member.user, member.room_id)("!reel forget-me yes")).reactions == ["✅"]

    async def alone() -> bool:
        return [row["user_id"] for row in await member.rows()] == [alice.user_id]

    await eventually(alone, what="being erased again")
    assert [part["sender"] for part in await hers.said("m.reaction")] == [alice.user_id]

    async def nothing_remains() -> bool:
        code, text = await member.reel.command("admin", "-c", str(member.reel.config), "remains", member.user.user_id)
        return code == 0 and "sent by the bot" not in text

    await eventually(nothing_remains, what="nothing being left of her")


async def test_what_leaves_with_somebody_is_nobodys(member: SignedInMember, alice: MatrixClient) -> None:
    await member.comment("left behind")
    await alice.ban(member.room_id, member.user.user_id)

    async def is_erased() -> bool:
        return await member.rows() == []

    await eventually(is_erased, what="her rows going with her videos")
    hers = await member.sign_in(alice)
    assert await hers.said() == []
    assert len(await hers.in_matrix()) == 1, "the message stays, as theirs from a client would"
