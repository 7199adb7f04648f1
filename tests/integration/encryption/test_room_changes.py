"""What belongs to which room: videos that come before a room is known to be encrypted, and those of a replaced one."""

from pathlib import Path

import aiohttp

from appservice import resources
from appservice.core.model import RoomId, UserId
from appservice.i18n import Texts
from appservice.matrix.client import HomeserverClient
from tests.support.commands import CommandSender
from tests.support.encrypted_rooms import People, make_encrypted_room, plainly
from tests.support.installation import Installation
from tests.support.rooms import wait_for_notice
from tests.support.waiting import eventually

TEXTS = Texts(resources.locales(), "en")


async def test_a_video_that_came_before_the_room_was_known_needs_an_opt_in(
    service: Installation, people: People, http: aiohttp.ClientSession, clip: Path
) -> None:
    """In clear, between the bot's coming and its reading of the room's state."""
    ada, _ = people
    room_id = await ada.create_encrypted_room(invite=[service.bot], user_levels={service.bot: 50})
    await service.start(command=("serve", "--no-worker"))
    slot, bot = service.settings["appservice"]["id"], UserId(service.bot)
    await HomeserverClient(http, ada.base_url, service.as_token, slot, bot).join(RoomId(room_id))
    async with plainly(ada) as plain:
        event_id = await plain.send_video(room_id, clip)

        async def came() -> bool:
            return bool(await service.rows("SELECT FROM videos WHERE event_id = $1", event_id))

        await eventually(came, what="the video's row")
        assert await service.rows("SELECT FROM rooms WHERE room_id = $1 AND NOT encrypted", room_id)
        await service.stop()
        async with service.running():
            await wait_for_notice(ada, room_id, TEXTS.say("bot-encrypted", {"command": "!reel enable"}))

            async def is_settled() -> bool:
                unsettled = "SELECT FROM pgqueuer WHERE entrypoint IN ('video', 'room')"
                return not await service.rows(unsettled)

            await eventually(is_settled, what="the work on the room and the video")
            (row,) = await service.rows("SELECT visibility, stage, mxc FROM videos WHERE event_id = $1", event_id)
            assert (row["visibility"], row["stage"], row["mxc"]) == ("removed", None, "")
            # Whoever sends it once somebody agreed, has it.
            await ada.send_text(room_id, "!reel enable")
            await wait_for_notice(ada, room_id, "turned on videos")
            viewer = await service.viewer(http, ada, room_id)
            await viewer.video_in(await plain.send_video(room_id, clip), "ready")


async def test_an_upgrade_into_a_plain_room_leaves_the_videos_behind(
    service: Installation, people: People, http: aiohttp.ClientSession, clip: Path
) -> None:
    ada, _ = people
    async with service.running():
        old = await make_encrypted_room(ada, service)
        viewer = await service.viewer(http, ada, old)
        event_id = await ada.send_video(old, clip, body="The lake")
        await viewer.video_in(event_id, "ready")
        body = {
            "invite": [service.bot],
            "creation_content": {"predecessor": {"room_id": old, "event_id": event_id}},
            "power_level_content_override": {"users": {service.bot: 50}},
        }
        new = str((await ada.request("POST", "/_matrix/client/v3/createRoom", json=body))["room_id"])
        await ada.send_state(old, "m.room.tombstone", {"body": "moved", "replacement_room": new})
        await wait_for_notice(ada, new, TEXTS.say("bot-left-behind"))
        assert await (await service.viewer(http, ada, new)).videos() == []
        assert "The lake" not in (await CommandSender(ada, new)(f"!reel list {ada.user_id}")).text
        assert (await viewer.video_in(event_id, "ready"))["title"] == "The lake"
