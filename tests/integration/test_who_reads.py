"""What is for one person is said where nobody else reads, as the homeserver says just then."""

import re
import secrets
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.commands import CommandSender, open_direct
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.waiting import eventually


async def _links(user: MatrixClient, room_id: str) -> list[str]:
    bodies = [str(event.get("content", {}).get("body", "")) for event in await user.messages(room_id)]
    return [link for body in bodies for link in re.findall(r"http\S+/export/\S+", body)]


async def _room_with_link(reel: Installation, user: MatrixClient, others: Sequence[str]) -> str:
    """Wait until the bot sent a link in another room than these, and return that room."""

    async def found() -> str:
        rows = await reel.rows(
            "SELECT room_id FROM rooms JOIN members USING (room_id)"
            " WHERE user_id = $1 AND membership IN ('invite', 'join') AND NOT room_id = ANY ($2)",
            user.user_id, list(others),
        )  # fmt: skip
        for row in rows:
            await user.join(row["room_id"])
            if await _links(user, row["room_id"]):
                return str(row["room_id"])
        return ""

    return await eventually(found, what="a link in another room")


@pytest.mark.parametrize("where", ["there", "elsewhere"])
async def test_an_export_is_told_in_no_room_that_another_made_direct(
    reel: Installation, synapse: Synapse, alice: MatrixClient, mallory: MatrixClient, where: str
) -> None:
    """The trap is open to all, calls itself direct, and holds its victim and the bot alone once its maker has left."""
    async with await synapse.user(f"victim-{secrets.token_hex(4)}") as user:
        world_readable = {"type": "m.room.history_visibility", "content": {"history_visibility": "world_readable"}}
        trap = await mallory.create_room(
            preset="public_chat", initial_state=[world_readable], direct=True, invite=[reel.bot, user.user_id]
        )
        await user.join(trap)
        rooms = [trap]
        if where == "elsewhere":
            rooms.append(await make_room(alice, reel, user))

        async def ready() -> bool:
            return {reel.bot, user.user_id} <= set(await mallory.joined_members(trap))

        await eventually(ready, what="the bot in the trap")
        await mallory.leave(trap)

        async def alone() -> bool:
            rows = await reel.rows(
                "SELECT membership FROM members WHERE room_id = $1 AND user_id = $2", trap, mallory.user_id
            )
            return [row["membership"] for row in rows] == ["leave"]

        await eventually(alone, what="the maker's going known")
        said = await CommandSender(user, rooms[-1])("!reel export")
        assert said.text.endswith("The link comes in a chat with me alone when they are ready.")
        new_room = await _room_with_link(reel, user, rooms)
        assert [await _links(user, room_id) for room_id in rooms] == [[] for _ in rooms]
        state = {(e["type"], e["state_key"]): e for e in await user.get_full_state(new_room)}
        assert state["m.room.create", ""]["sender"] == reel.bot
        assert state["m.room.join_rules", ""]["content"] == {"join_rule": "invite"}
        assert state["m.room.guest_access", ""]["content"] == {"guest_access": "forbidden"}
        assert state["m.room.history_visibility", ""]["content"] == {"history_visibility": "invited"}
        assert state["m.room.power_levels", ""]["content"]["invite"] == 100


async def test_a_secret_goes_to_a_new_room_where_somebody_came_in(
    reel: Installation, synapse: Synapse, alice: MatrixClient, mallory: MatrixClient
) -> None:
    async with await synapse.user(f"careless-{secrets.token_hex(4)}") as user:
        room_id = await make_room(alice, reel, user)
        await CommandSender(user, room_id)("!reel export")
        first = await _room_with_link(reel, user, [room_id])
        bot = MatrixClient(reel.synapse.base_url, reel.as_token, reel.bot)
        async with bot:
            # Only the bot can invite others: it stands for whatever else brings somebody there.
            await bot.request(
                "POST", f"/_matrix/client/v3/rooms/{first}/invite", json={"user_id": mallory.user_id},
                params={"user_id": reel.bot},
            )  # fmt: skip
        # Before a transaction delivers that, or as if none did.
        await reel.rows("DELETE FROM members WHERE room_id = $1 AND user_id = $2", first, mallory.user_id)
        await CommandSender(user, room_id)("!reel export")
        second = await _room_with_link(reel, user, [room_id, first])
        assert second != first
        assert len(await _links(user, first)) == 1


async def test_a_third_one_in_a_direct_room_reads_nothing_personal(
    reel: Installation, synapse: Synapse, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    async with (
        await synapse.user(f"owner-{secrets.token_hex(4)}") as user,
        await synapse.user(f"third-{secrets.token_hex(4)}") as third,
    ):
        den = await make_room(alice, reel, user)
        event_id = await user.send_video(den, clip)
        await (await reel.viewer(http, user, den)).video_in(event_id, "ready")
        (row,) = await reel.rows("SELECT id FROM videos WHERE event_id = $1", event_id)
        number = f"#{row['id'].hex[:8]}"
        alone = await open_direct(user, reel)
        commands = CommandSender(user, alone)
        assert "clip" in (await commands("mine")).text
        assert "clip" in (await commands(f"play {number}")).text

        await user.invite(alone, third.user_id)
        await _is_refused(commands, number)
        await third.join(alone)
        # As if no transaction had delivered them: the homeserver is queried.
        await reel.rows("DELETE FROM members WHERE room_id = $1 AND user_id = $2", alone, third.user_id)
        await _is_refused(commands, number)

        await third.leave(alone)
        assert "clip" in (await commands("!reel mine")).text


async def _is_refused(commands: CommandSender, number: str) -> None:
    assert "clip" not in (await commands("!reel mine")).text
    assert "clip" not in (await commands(f"!reel play {number}")).text
    assert not re.search("clip", (await commands("!reel list")).text)
