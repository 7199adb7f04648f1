"""Rooms of versions 11 and 12: invitations, the widget and its power level, leaving, redaction, upgrades."""

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from appservice import resources
from appservice.core.events.widgets import FORMER_ID, widget_content
from appservice.core.model import RoomId, UserId
from appservice.demo.client import MatrixClient, MatrixError
from appservice.demo.synapse import Synapse
from appservice.i18n import Texts
from appservice.matrix.client import HomeserverClient
from tests.support.installation import Installation
from tests.support.rooms import make_room, wait_for_notice, wait_for_widget
from tests.support.waiting import eventually

TEXTS = Texts(resources.locales(), "en")
VERSIONS = pytest.mark.parametrize("version", ["11", "12"])


@pytest.fixture
async def anna(synapse: Synapse) -> AsyncIterator[MatrixClient]:
    """Somebody in no other room: a new name goes to every room of a user, and alice is in those of all tests."""
    async with await synapse.user(f"anna-{secrets.token_hex(4)}") as user:
        yield user


async def _state_event(user: MatrixClient, room_id: str, kind: str) -> dict[str, Any]:
    event = next(event for event in await user.get_full_state(room_id) if event["type"] == kind)
    return {key: event[key] for key in ("event_id", "content")}


@VERSIONS
async def test_the_widget_is_placed_and_pinned_once(
    spare: Installation, http: aiohttp.ClientSession, anna: MatrixClient, version: str
) -> None:
    async with spare.running():
        room_id = await make_room(anna, spare, version=version)
        content = await wait_for_widget(anna, room_id)
        widget_id = content["id"]
        assert content["creatorUserId"] == spare.bot
        assert content["url"].startswith(f"{spare.url}/widget/?")
        assert "$matrix_room_id" in content["url"]
        await wait_for_notice(anna, room_id, "has a screen now")
        widget = await _state_event(anna, room_id, "im.vector.modular.widgets")
        layout = await _state_event(anna, room_id, "io.element.widgets.layout")
        assert layout["content"]["widgets"][widget_id]["container"] == "top"
    before = len(spare.log_entries("homeserver_connected"))
    async with spare.running():

        async def connected() -> bool:
            return len(spare.log_entries("homeserver_connected")) > before

        await eventually(connected)
        # Something that surely makes the bot look at the room again, and something that comes after it.
        levels = await anna.get_state(room_id, "m.room.power_levels")
        await anna.send_state(room_id, "m.room.power_levels", {**levels, "events": {**levels["events"], "x": 1}})
        viewer = await spare.viewer(http, anna, room_id)
        await anna.set_display_name("Anna")

        async def renamed() -> bool:
            return bool((await viewer.room())["members"][0]["display_name"] == "Anna")

        await eventually(renamed)
        assert await _state_event(anna, room_id, "im.vector.modular.widgets") == widget
        assert await _state_event(anna, room_id, "io.element.widgets.layout") == layout
        # A moderator takes it away: that is respected.
        await anna.send_state(room_id, "im.vector.modular.widgets", {}, state_key=widget_id)
        await anna.send_state(room_id, "m.room.power_levels", levels)
        await anna.set_display_name("anna")

        async def renamed_back() -> bool:
            return bool((await viewer.room())["members"][0]["display_name"] == "anna")

        await eventually(renamed_back)
        assert (await anna.get_state(room_id, "im.vector.modular.widgets", widget_id)) == {}


@VERSIONS
async def test_without_its_power_level_the_bot_says_what_it_needs(
    reel: Installation, alice: MatrixClient, version: str
) -> None:
    room_id = await alice.create_room(version=version, invite=[reel.bot])
    text = await wait_for_notice(alice, room_id, reel.bot)
    assert f"Make me a “Moderator” in the list of the room's members, or send /op {reel.bot} 50 here." in text
    (said,) = [e["content"] for e in await alice.messages(room_id) if e.get("content", {}).get("body") == text]
    assert f"<code>/op {reel.bot} 50</code>" in said["formatted_body"]
    levels = await alice.get_state(room_id, "m.room.power_levels")
    await alice.send_state(
        room_id, "m.room.power_levels", {**levels, "users": {**levels.get("users", {}), reel.bot: 50}}
    )
    await wait_for_widget(alice, room_id)
    notices = [e for e in await alice.messages(room_id) if e.get("content", {}).get("body") == text]
    assert len(notices) == 1


@VERSIONS
async def test_a_direct_chat_with_the_bot_has_a_screen(reel: Installation, alice: MatrixClient, version: str) -> None:
    # In version 12 this preset makes the bot a creator, which no power level can name.
    body = {"is_direct": True, "preset": "trusted_private_chat", "room_version": version, "invite": [reel.bot]}
    room_id = str((await alice.request("POST", "/_matrix/client/v3/createRoom", json=body))["room_id"])
    await wait_for_widget(alice, room_id)


async def test_a_banned_members_videos_are_not_served_any_more(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel, bob)
    event_id = await bob.send_video(room_id, clip)
    viewer = await reel.viewer(http, alice, room_id)
    video = await viewer.video_in(event_id, "ready")
    assert (await viewer.fetch(video["poster_url"]))[0] == 200
    await alice.ban(room_id, bob.user_id)

    async def gone() -> bool:
        return (await viewer.fetch(video["poster_url"]))[0] == 404 and await viewer.video(event_id) is None

    await eventually(gone, seconds=10, what="the banned member's video being gone")


async def test_lowering_the_widgets_level_is_enough(reel: Installation, alice: MatrixClient) -> None:
    room_id = await alice.create_room(
        invite=[reel.bot],
        power_levels={"events": {"im.vector.modular.widgets": 0, "m.room.power_levels": 100}},
    )
    await wait_for_widget(alice, room_id)


async def test_a_blocked_user_is_refused_politely(
    spare: Installation, alice: MatrixClient, mallory: MatrixClient, clip: Path, http: aiohttp.ClientSession
) -> None:
    spare.write_config(permissions={"*": "blocked", spare.synapse.server_name: "user", mallory.user_id: "blocked"})
    async with spare.running():
        refused = await mallory.create_room(invite=[spare.bot])

        async def declined() -> dict[str, Any] | None:
            member = await mallory.get_state(refused, "m.room.member", spare.bot)
            return member if member["membership"] == "leave" else None

        member = await eventually(declined, what="the invitation being declined")
        assert member
        assert member["reason"] == TEXTS.say("bot-declined")
        # In a room of somebody who is served, a blocked sender's videos are not taken.
        room_id = await make_room(alice, spare, mallory)
        await mallory.send_video(room_id, clip)
        theirs = await alice.send_video(room_id, clip)
        viewer = await spare.viewer(http, alice, room_id)
        await viewer.video_in(theirs, "ready")
        assert [video["event_id"] for video in await viewer.videos()] == [theirs]


@VERSIONS
async def test_redaction_takes_the_video_and_its_files_away(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, version: str
) -> None:
    room_id = await make_room(alice, reel, version=version)
    event_id = await alice.send_video(room_id, clip)
    viewer = await reel.viewer(http, alice, room_id)
    video = await viewer.video_in(event_id, "ready")
    folder = reel.media / video["id"]
    assert folder.is_dir()
    await alice.redact(room_id, event_id)

    async def gone() -> bool:
        served = (await viewer.fetch(video["poster_url"]))[0] == 200
        return not served and not folder.exists() and await viewer.video(event_id) is None

    await eventually(gone, seconds=10, what="the video being gone")


@pytest.mark.parametrize(("old", "new"), [("11", "12"), ("11", "11"), ("12", "12")])
async def test_an_upgrade_carries_the_reels_over(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, old: str, new: str
) -> None:
    room_id = await make_room(alice, reel, version=old)
    event_id = await alice.send_video(room_id, clip)
    viewer = await reel.viewer(http, alice, room_id)
    await viewer.video_in(event_id, "ready")
    replacement = await alice.upgrade_room(room_id, new)
    await alice.invite(replacement, reel.bot)

    async def enter() -> bool:
        return (await reel.open_session(http, await alice.openid_token(), replacement))[0] == 200

    await eventually(enter, what="the bot being in the new room")
    in_new = await reel.viewer(http, alice, replacement)
    await in_new.video_in(event_id, "ready")
    # The old room's widget says where it went; the new room has a widget of its own.
    went = f"https://matrix.to/#/{quote(replacement, safe='!:')}?via={reel.synapse.server_name}"
    assert ((await viewer.room())["replaced_by"], (await in_new.room())["replaced_by"]) == (went, None)


async def test_a_room_that_only_claims_to_be_an_upgrade_gets_nothing(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, mallory: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel)
    event_id = await alice.send_video(room_id, clip)
    viewer = await reel.viewer(http, alice, room_id)
    await viewer.video_in(event_id, "ready")
    body = {
        "invite": [reel.bot],
        "creation_content": {"predecessor": {"room_id": room_id, "event_id": "$x"}},
        "power_level_content_override": {"users": {reel.bot: 50}},
    }
    claiming = str((await mallory.request("POST", "/_matrix/client/v3/createRoom", json=body))["room_id"])
    await wait_for_widget(mallory, claiming)
    thief = await reel.viewer(http, mallory, claiming)
    assert await thief.videos() == []
    assert await viewer.video(event_id) is not None


MEGOLM = {"algorithm": "m.megolm.v1.aes-sha2"}
ENCRYPTION = {"type": "m.room.encryption", "state_key": "", "content": MEGOLM}


async def _ours(user: MatrixClient, installation: Installation, room_id: str) -> list[dict[str, Any]]:
    """Return all that the bot sent to a room, but its membership and what it took away again."""
    events = [*await user.get_full_state(room_id), *await user.messages(room_id)]
    by_id = {event["event_id"]: event for event in events if event["sender"] == installation.bot and event["content"]}
    return [event for event in by_id.values() if event["type"] != "m.room.member"]


@VERSIONS
@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("may_change_widgets", [False, True])
async def test_an_encrypted_room_is_notified_once_and_of_nothing_else(
    reel: Installation,
    http: aiohttp.ClientSession,
    alice: MatrixClient,
    version: str,
    direct: bool,
    may_change_widgets: bool,
) -> None:
    room_id = await alice.create_room(
        version=version, invite=[reel.bot], initial_state=[ENCRYPTION], direct=direct,
        user_levels={reel.bot: 50} if may_change_widgets else None,
    )  # fmt: skip
    text = TEXTS.say("bot-unserved-direct" if direct else "bot-unserved")
    await wait_for_notice(alice, room_id, text)
    # Something that surely makes the bot look at the room again, and something that comes after it.
    levels = await alice.get_state(room_id, "m.room.power_levels")
    await alice.send_state(room_id, "m.room.power_levels", {**levels, "events": {**levels["events"], "x": 1}})
    await alice.leave(await make_room(alice, reel))
    await _idle(reel, room_id)
    assert [event["content"]["body"] for event in await _ours(alice, reel, room_id)] == [text]


async def _idle(reel: Installation, room_id: str) -> None:
    """Wait until there is nothing left to do about a room."""

    async def idle() -> bool:
        return not await reel.rows("SELECT FROM pgqueuer WHERE payload = convert_to($1, 'UTF8')", room_id)

    await eventually(idle, what="the end of the work on a room")


async def test_encrypted_later_a_room_keeps_what_it_has(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel)
    await wait_for_notice(alice, room_id, "has a screen now")
    event_id = await alice.send_video(room_id, clip)
    viewer = await reel.viewer(http, alice, room_id)
    video = await viewer.video_in(event_id, "ready")
    before = await _state_event(alice, room_id, "im.vector.modular.widgets")
    await alice.send_state(room_id, "m.room.encryption", MEGOLM)
    await wait_for_notice(alice, room_id, TEXTS.say("bot-unserved-since"))
    assert await _state_event(alice, room_id, "im.vector.modular.widgets") == before
    assert (await viewer.fetch(video["poster_url"]))[0] == 200
    levels = await alice.get_state(room_id, "m.room.power_levels")
    await alice.send_state(room_id, "m.room.power_levels", {**levels, "events": {**levels["events"], "x": 1}})
    await make_room(alice, reel)
    await _idle(reel, room_id)
    said = [e["content"]["body"] for e in await _ours(alice, reel, room_id) if e["type"] == "m.room.message"]
    assert said.count(TEXTS.say("bot-unserved-since")) == 1
    assert TEXTS.say("bot-unserved") not in said


@VERSIONS
async def test_the_widget_of_an_earlier_release_changes_its_id_once_and_keeps_its_place(
    spare: Installation, http: aiohttp.ClientSession, anna: MatrixClient, version: str
) -> None:
    async with spare.running():
        room_id = await make_room(anna, spare, version=version)
        others = await make_room(anna, spare, version=version)
        unpinned = await make_room(anna, spare, version=version)
        taken = await make_room(anna, spare, version=version)
        for room in (room_id, others, unpinned, taken):
            await _idle(spare, room)
    ids = {room: (await wait_for_widget(anna, room))["id"] for room in (room_id, others, unpinned, taken)}
    assert len(set(ids.values())) == 4, "each room has its own"
    assert all(len(each) >= 22 for each in ids.values())
    # As that release left them.
    place = {"container": "right", "index": 2, "width": 30, "height": 70}
    layouts = {room_id: {FORMER_ID: place, "another": {"container": "top"}}, others: {}, unpinned: {}, taken: {}}
    bot = _bot(spare, http)
    for room, layout in layouts.items():
        old = {} if room == taken else widget_content(FORMER_ID, spare.url, spare.bot, "Roomreel")
        await bot.send_state(RoomId(room), "im.vector.modular.widgets", ids[room], {})
        await bot.send_state(RoomId(room), "im.vector.modular.widgets", FORMER_ID, old)
        await bot.send_state(RoomId(room), "io.element.widgets.layout", "", {"widgets": layout})
    await spare.rows("UPDATE rooms SET widget_id = NULL")
    levels = await anna.get_state(others, "m.room.power_levels")
    if version == "11":  # there the bot lost its power level meanwhile
        await anna.send_state(others, "m.room.power_levels", {**levels, "users": {anna.user_id: 100}})
    async with spare.running():
        await eventually(lambda: _widget_is_new(anna, room_id), what="the widget's new id")
        new = (await wait_for_widget(anna, room_id))["id"]
        assert new not in {FORMER_ID, ids[room_id]}
        layout = await anna.get_state(room_id, "io.element.widgets.layout")
        assert layout == {"widgets": {new: place, "another": {"container": "top"}}}
        await eventually(lambda: _widget_is_new(anna, unpinned), what="the widget's new id")
        assert await anna.get_state(unpinned, "io.element.widgets.layout") == {"widgets": {}}
        for room in ids:
            await _idle(spare, room)
        assert await _widgets(anna, taken) == [], "a moderator took it away"
        if version == "11":
            assert [each["id"] for each in await _widgets(anna, others)] == [FORMER_ID], "it still works"
            said = [e["content"].get("body", "") for e in await anna.messages(others)]
            assert not any("no permission" in text for text in said)
            await anna.send_state(others, "m.room.power_levels", levels)
        await eventually(lambda: _widget_is_new(anna, others), what="the widget's new id")
        before = await _widgets(anna, room_id)
        # Else the third time might be the second: the homeserver's first response may be a failure.
        await eventually(lambda: _looked_after(spare, 2))
    async with spare.running():
        await eventually(lambda: _looked_after(spare, 3))
        await _idle(spare, room_id)
        assert await _widgets(anna, room_id) == before


async def _widgets(user: MatrixClient, room_id: str) -> list[dict[str, Any]]:
    state = await user.get_full_state(room_id)
    return [e["content"] for e in state if e["type"] == "im.vector.modular.widgets" and e["content"]]


async def _widget_is_new(user: MatrixClient, room_id: str) -> bool:
    return [each["id"] == FORMER_ID for each in await _widgets(user, room_id)] == [False]


async def _looked_after(installation: Installation, times: int) -> bool:
    return len(installation.log_entries("homeserver_connected")) >= times


async def test_invited_again_the_bot_brings_the_same_widget(reel: Installation, alice: MatrixClient) -> None:
    room_id = await make_room(alice, reel)
    widget_id = (await wait_for_widget(alice, room_id))["id"]
    await wait_for_notice(alice, room_id, "has a screen now")
    await alice.kick(room_id, reel.bot)
    await alice.send_state(room_id, "im.vector.modular.widgets", {}, state_key=widget_id)
    await alice.invite(room_id, reel.bot)
    assert (await wait_for_widget(alice, room_id))["id"] == widget_id

    async def welcomed_again() -> bool:
        said = [e["content"].get("body", "") for e in await alice.messages(room_id)]
        return sum("has a screen now" in text for text in said) == 2

    await eventually(welcomed_again, what="the words of welcome")


async def test_what_a_lost_database_knew_leaves_no_second_widget(spare: Installation, anna: MatrixClient) -> None:
    async with spare.running():
        room_id = await make_room(anna, spare)
        before = (await wait_for_widget(anna, room_id))["id"]
    await spare.rows("TRUNCATE rooms CASCADE")
    async with spare.running():

        async def changed() -> bool:
            ids = [each["id"] for each in await _widgets(anna, room_id)]
            return len(ids) == 1 and ids != [before]

        await eventually(changed, what="one widget by another id")
        layout = await anna.get_state(room_id, "io.element.widgets.layout")
        assert list(layout["widgets"]) == [each["id"] for each in await _widgets(anna, room_id)]


def _bot(installation: Installation, http: aiohttp.ClientSession) -> HomeserverClient:
    slot = installation.settings["appservice"]["id"]
    return HomeserverClient(http, installation.synapse.base_url, installation.as_token, slot, UserId(installation.bot))


async def test_the_bots_profile_is_its_operators(spare: Installation, http: aiohttp.ClientSession) -> None:
    bot = _bot(spare, http)
    localpart = spare.bot[1:].partition(":")[0]

    async def reset_profile() -> None:
        await bot.set_profile("displayname", localpart)
        await bot.set_profile("avatar_url", "")

    async with spare.running():
        await eventually(lambda: _looked_after(spare, 1))
    await reset_profile()  # of other tests
    await spare.rows("DELETE FROM bot_profile")
    async with spare.running():
        await eventually(lambda: _looked_after(spare, 2))
        ours = await bot.profile()
        assert ours["displayname"] == "Roomreel"
        async with http.get(bot.media_url(ours["avatar_url"]), headers=bot.media_headers) as response:
            assert await response.read() == resources.avatar().read_bytes()
    spare.write_config(appservice={"bot_name": "Screen"})
    async with spare.running():
        await eventually(lambda: _looked_after(spare, 3))
        assert await bot.profile() == {**ours, "displayname": "Screen"}, "and no other avatar"
    await bot.set_profile("displayname", "Our own")
    await bot.set_profile("avatar_url", "")
    async with spare.running():
        await eventually(lambda: _looked_after(spare, 4))
        theirs = await bot.profile()
        assert theirs["displayname"] == "Our own"
        assert not theirs.get("avatar_url")
    await reset_profile()


async def test_changes_are_pushed_and_leaving_ends_the_stream(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, bob, room_id)
    headers = {"Authorization": f"Bearer {viewer.token}"}
    async with http.get(f"{reel.url}/api/v1/rooms/{room_id}/events", headers=headers) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        event_id = await alice.send_video(room_id, clip)
        seen: list[str] = []
        banned = False
        async for line in stream.content:
            if line.startswith(b"data:"):
                assert json.loads(line[5:]) == {"room_id": room_id}
            if line.startswith(b"event:"):
                seen.append(line.decode().strip())
                # Several changes may wait to be read when the first one is served: afterwards there is no request.
                video = await viewer.video(event_id) if seen[-1] == "event: changed" and not banned else None
                if video and video["state"] == "ready":
                    await alice.ban(room_id, bob.user_id)
                    banned = True
        assert seen[-1] == "event: revoked"
    with pytest.raises(MatrixError):
        await bob.send_text(room_id, "hello?")
    assert (await reel.open_session(http, await bob.openid_token(), room_id))[0] == 403


async def test_the_bots_leaving_ends_everything(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel)
    event_id = await alice.send_video(room_id, clip)
    viewer = await reel.viewer(http, alice, room_id)
    video = await viewer.video_in(event_id, "ready")
    await alice.kick(room_id, reel.bot)

    async def shut() -> bool:
        return (await viewer.fetch(video["poster_url"]))[0] == 403

    await eventually(shut, seconds=10)
    assert (await reel.open_session(http, await alice.openid_token(), room_id))[0] == 403
    assert (await viewer.get(f"/api/v1/rooms/{room_id}"))[0] == 403
    # Invited again, it takes up where it was.
    await alice.invite(room_id, reel.bot)

    async def back() -> bool:
        return (await reel.open_session(http, await alice.openid_token(), room_id))[0] == 200

    await eventually(back)
    assert await viewer.video(event_id) is not None
