"""The link to an export that holds something of an encrypted room is encrypted, or not sent at all."""

import re
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from appservice import resources
from appservice.core.model import RoomId, UserId
from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from appservice.i18n import Texts
from appservice.store import Stores, open_pool
from tests.support.commands import CommandSender, open_direct
from tests.support.encrypted_rooms import KEY, People, make_encrypted_room, plainly
from tests.support.installation import Installation
from tests.support.rooms import wait_for_notice
from tests.support.waiting import eventually

TEXTS = Texts(resources.locales(), "en")


async def _chats(service: Installation, user: MatrixClient, count: int) -> list[str]:
    """Wait for so many chats that the bot made for somebody, join them, and return them, the newest last."""

    async def made() -> list[str]:
        rows = await service.rows("SELECT room_id FROM rooms WHERE made_for = $1 ORDER BY key", user.user_id)
        return [str(row["room_id"]) for row in rows] if len(rows) == count else []

    rooms = await eventually(made, what="a chat of the bot's")
    for room_id in rooms:
        await user.join(room_id)
    return rooms


async def _links(user: MatrixClient, room_id: str) -> list[str]:
    bodies = [str(event.get("content", {}).get("body", "")) for event in await user.messages(room_id)]
    return [found.group(1) for body in bodies if (found := re.search(r"(http\S+/export/\S+)", body))]


async def _link(user: MatrixClient, room_id: str) -> str:
    async def sent() -> list[str]:
        return await _links(user, room_id)

    return (await eventually(sent, what="the link to the export"))[-1]


async def _status(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as response:
        return response.status


async def test_the_link_is_encrypted_also_for_whom_the_bot_has_a_plain_chat(
    spare: Installation, people: People, http: aiohttp.ClientSession, clip: Path
) -> None:
    ada, ben = people
    async with spare.running():
        await CommandSender(ada, await open_direct(ada, spare))("export")
        (before,) = await _chats(spare, ada, 1)
        await _link(ada, before)
    spare.write_config(encryption={"key": KEY})
    async with spare.running():
        room_id = await make_encrypted_room(ada, spare, ben)
        viewer = await spare.viewer(http, ada, room_id)
        await viewer.video_in(await ada.send_video(room_id, clip, body="The lake"), "ready")
        said = await CommandSender(ada, before)("export")
        assert said.text == TEXTS.say("bot-export-there")  # not here
        _, chat = await _chats(spare, ada, 2)
        assert await _status(http, await _link(ada, chat)) == 200
        assert len(await _links(ada, before)) == 1
        async with plainly(ada) as plain:  # as the homeserver has it
            assert await _links(plain, chat) == []
        # Again, in the same one.
        said = await CommandSender(ada, chat)("export")
        assert said.text == TEXTS.say("bot-export-here")

        async def second() -> bool:
            return len(await _links(ada, chat)) == 2

        await eventually(second, what="a second link")
        assert len(await _chats(spare, ada, 2)) == 2


async def test_who_cannot_decrypt_gets_no_link_but_the_reason(
    service: Installation, people: People, synapse: Synapse, http: aiohttp.ClientSession, clip: Path
) -> None:
    ada, _ = people
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(service.running())
        carl = await stack.enter_async_context(await synapse.user("carl"))
        room_id = await make_encrypted_room(ada, service, carl)
        viewer = await service.viewer(http, ada, room_id)
        await viewer.video_in(await carl.send_video(room_id, clip), "ready")
        direct = await open_direct(carl, service)
        await CommandSender(carl, direct)("export")
        (chat,) = await _chats(service, carl, 1)
        await wait_for_notice(carl, chat, TEXTS.say("bot-export-no-keys"))
        assert await _links(carl, chat) == []
        # What is of no encrypted room goes to them as ever.
        await viewer.request("DELETE", f"/api/v1/rooms/{room_id}/opt-in")
        await service.rows("DELETE FROM audit WHERE user_id = $1 OR actor = $1", carl.user_id)
        await CommandSender(carl, direct)("export")
        assert await _status(http, await _link(carl, chat)) == 200


async def test_while_nobody_encrypts_the_link_waits(
    service: Installation, people: People, http: aiohttp.ClientSession
) -> None:
    ada, _ = people
    async with service.running():
        room_id = RoomId(await make_encrypted_room(ada, service))
    async with await open_pool(str(service.settings["database"]), size=2) as pool:
        assert await Stores(pool).exports.request(UserId(ada.user_id), room_id)
    await service.start(wait=False, command=("work",))

    async def waits() -> bool:
        queued = "SELECT FROM outgoing_events o JOIN rooms r USING (room_id) WHERE r.made_for = $1"
        return bool(await service.rows(queued, ada.user_id))

    await eventually(waits, what="a link to be encrypted")
    await service.stop()
    async with service.running():
        (chat,) = await _chats(service, ada, 1)
        assert await _status(http, await _link(ada, chat)) == 200
        async with plainly(ada) as plain:
            assert await _links(plain, chat) == []


async def test_in_a_chat_made_for_somebody_nobody_else_is_a_reader(dsn: str) -> None:
    """Whoever came in after the link was queued, and before it was encrypted."""
    async with await open_pool(dsn, size=2) as pool:
        stores = Stores(pool)
        user, other, made = UserId("@ada:x"), UserId("@eve:x"), RoomId("!made:x")
        await stores.exports.add_direct_room(made, user, encrypted=True)
        assert await stores.rooms.readers(made) == [user]
        for each in (user, other):
            await pool.execute(
                "INSERT INTO members (room_id, user_id, membership) VALUES ($1, $2, 'join')"
                " ON CONFLICT (room_id, user_id) DO UPDATE SET membership = 'join'",
                made, each,
            )  # fmt: skip
        assert await stores.rooms.readers(made) == [user]
        assert await stores.exports.room_made_for(user, encrypted=True) == made
        assert await stores.exports.room_made_for(user, encrypted=False) is None
