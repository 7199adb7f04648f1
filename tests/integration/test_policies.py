"""Policy lists: whom they ban is kept out while they do, and comes back; with lists as moderators keep them."""

import secrets
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.commands import VERSIONS, CommandSender, open_direct
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually

BAN = {"recommendation": "m.ban", "reason": "spam"}


async def _list(owner: MatrixClient, alias: str | None = None) -> str:
    room_id = await owner.create_room(preset="public_chat", name="Bad company")
    if alias:
        await owner.request("PUT", f"/_matrix/client/v3/directory/room/%23{alias}", json={"room_id": room_id})
    return room_id


@pytest.mark.parametrize("version", VERSIONS)
async def test_whom_a_list_bans(
    spare: Installation, synapse: Synapse, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient,
    clip: Path, version: str,
) -> None:  # fmt: skip
    own = secrets.token_hex(4)
    spam, admin = await synapse.user(f"spam-{own}"), await synapse.user(f"chief-{own}")
    bans = await _list(alice)
    await alice.send_state(bans, "m.policy.rule.room", {**BAN, "entity": "!nowhere:*"}, "rule:room")
    spare.write_config(permissions={"*": "user", admin.user_id: "admin"})
    await spare.start()
    room_id = await make_room(alice, spare, spam, bob, version=version)
    event_id = await spam.send_video(room_id, clip)
    viewer, theirs = await spare.viewer(http, bob, room_id), await spare.viewer(http, spam, room_id)
    video = await viewer.video_in(event_id, "ready")

    commands = CommandSender(admin, await open_direct(admin, spare))
    assert (await commands("policies")).text.startswith("I follow no policy list.")
    for wrong in ("policies add", "policies add here", f"policies add {bans} now", "policies sometimes"):
        assert (await commands(wrong)).reactions == ["❓"], wrong
    assert (await commands("policies add #nothing:test.local")).text.startswith("I cannot find #nothing:test.local.")
    assert (await commands(f"policies remove {bans}")).text == f"I do not follow {bans}."
    assert (await commands(f"policies add {bans}")).reactions == ["✅"]

    async def read() -> bool:
        return f"{bans}: one rule" in (await commands("policies")).text

    await eventually(read, what="the list being read")
    assert (await commands(f"policies add {bans}")).text.endswith("already. I am reading it again.")

    # It bans them from now on: what they have is hidden, and they are shut out.
    await alice.send_state(bans, "m.policy.rule.user", {**BAN, "entity": f"@spam-{own[:4]}*:test.*"}, "rule:spam")

    async def gone() -> bool:
        return await viewer.video(event_id) is None

    await eventually(gone, what="the video being held")
    (row,) = await spare.rows("SELECT visibility, held_for FROM videos WHERE event_id = $1", event_id)
    assert tuple(row) == ("held", "policy")

    async def refused(whose: Viewer) -> bool:
        return (await whose.get(f"/api/v1/rooms/{room_id}"))[0] == 403

    async def let_in(whose: Viewer) -> bool:
        return not await refused(whose)

    await eventually(partial(refused, theirs), what="their session being refused")
    assert (await spare.open_session(http, await spam.openid_token(), room_id))[0] == 403
    assert (await viewer.fetch(video["playlist_url"]))[0] == 404
    ignored = await spam.send_video(room_id, clip)
    await spam.send_text(room_id, "!reel version")
    assert "moderators cannot release it" in (await CommandSender(alice, room_id)("!reel queue")).text
    assert not await spare.rows("SELECT FROM videos WHERE event_id = $1", ignored)
    assert not await spare.rows("SELECT FROM commands WHERE sender = $1", spam.user_id)
    # A rule for everybody does not shut out who could take it back.
    await alice.send_state(bans, "m.policy.rule.server", {**BAN, "entity": "*"}, "rule:all")
    await eventually(partial(refused, viewer), what="everybody else being shut out")
    assert (await commands("policies")).reactions == []
    await alice.send_state(bans, "m.policy.rule.server", {}, "rule:all")
    await eventually(partial(let_in, viewer), what="everybody being back")

    # The rule goes, and they are back with what they had.
    await alice.send_state(bans, "m.policy.rule.user", {}, "rule:spam")
    assert (await viewer.video_in(event_id, "ready"))["visibility"] == "shown"
    assert await spare.viewer(http, spam, room_id)
    deeds = await spare.rows("SELECT action FROM audit WHERE video_id = $1 ORDER BY key", row_id(video))
    assert [deed["action"] for deed in deeds] == ["held", "released"]

    # A list that is followed no more bans nobody.
    await alice.send_state(bans, "m.policy.rule.user", {**BAN, "entity": spam.user_id}, "rule:spam")
    await eventually(gone, what="the video being held again")
    assert (await commands(f"policies remove {bans}")).reactions == ["✅"]
    assert await viewer.video_in(event_id, "ready")

    async def left() -> bool:
        return spare.bot not in await alice.joined_members(bans)

    await eventually(left, what="the bot leaving the list")


def row_id(video: dict[str, object]) -> str:
    return str(video["id"])


async def test_lists_of_the_configuration_and_banned_rooms(
    spare: Installation, synapse: Synapse, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient
) -> None:
    own = secrets.token_hex(4)
    alias = f"bans-{own}:test.local"
    bans = await _list(alice, alias)
    spare.write_config(moderation={"policy_lists": [f"#{alias}", f"#nothing-{own}:test.local"]})
    room_id = await bob.create_room(invite=[])
    await alice.send_state(bans, "m.policy.rule.room", {**BAN, "entity": room_id}, "rule:room")
    await spare.start()

    async def read() -> bool:
        return bool(await spare.rows("SELECT FROM policy_lists WHERE room_id = $1 AND read_at IS NOT NULL", bans))

    await eventually(read, what="the list being read")
    assert spare.log_entries("policy_list_unreachable")
    # The bot does not go where it is banned, and does nothing in a list but read it.
    await bob.invite(room_id, spare.bot)

    async def declined() -> bool:
        members = await bob.request(
            "GET", f"/_matrix/client/v3/rooms/{room_id}/members", params={"membership": "leave"}
        )
        return any(event["state_key"] == spare.bot for event in members["chunk"])

    await eventually(declined, what="the invitation being declined")
    assert not [e for e in await alice.get_full_state(bans) if "widget" in e["type"] and e["content"]]
    # It leaves a room that is banned later.
    later = await make_room(bob, spare)
    await alice.send_state(bans, "m.policy.rule.room", {**BAN, "entity": later}, "rule:later")

    async def gone() -> bool:
        return spare.bot not in await bob.joined_members(later)

    await eventually(gone, what="the bot leaving")
