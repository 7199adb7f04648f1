"""Quotas: what is over them fails with a plain reason, as it comes and before the work; people are warned once."""

from pathlib import Path

import aiohttp

from appservice.core.rules.quotas import MIB
from appservice.demo.synapse import Synapse
from tests.support.clips import with_padding
from tests.support.commands import CommandSender
from tests.support.installation import Installation
from tests.support.rooms import make_room, wait_for_notice
from tests.support.waiting import eventually


async def _in_state(spare: Installation, event_id: str, state: str) -> None:
    async def is_in_state() -> bool:
        rows = await spare.rows("SELECT concat(state, ' ', failure) AS state FROM videos WHERE event_id = $1", event_id)
        return [row["state"].strip() for row in rows] == [state]

    await eventually(is_in_state, what=f"{event_id} becoming {state}")


async def test_what_is_over_a_quota(
    spare: Installation, synapse: Synapse, http: aiohttp.ClientSession, clip: Path, tmp_path: Path
) -> None:
    spare.write_config(limits={"user": {"videos": 2}, "room": {"size": 1}, "server": {"videos": 3}})
    await spare.start()
    async with await synapse.user("hoarder") as owner, await synapse.user("hoarders-guest") as guest:
        old = await make_room(owner, spare, guest, version="11")
        new = await make_room(owner, spare, guest, version="12")
        first = await owner.send_video(old, clip)
        await _in_state(spare, first, "ready")
        (row,) = await spare.rows("SELECT id, stage, bytes FROM videos")
        files = [file for file in (spare.media / str(row["id"]) / row["stage"]).rglob("*") if file.is_file()]
        assert row["bytes"] == sum(file.stat().st_size for file in files) > clip.stat().st_size / 2
        second = await owner.send_video(new, clip)
        await _in_state(spare, second, "ready")
        await wait_for_notice(owner, new, "You have used 100 %", thread=second)
        third = await owner.send_video(old, clip)
        await wait_for_notice(owner, old, "You have as many videos here as one person may have.", thread=third)
        await _in_state(spare, third, "failed quota-user")
        said = await CommandSender(owner, old)("!reel quota")
        assert "• You, in all rooms: 2 of 2 videos, 0." in said.text
        assert "• This room: 1 video (no limit), 0." in said.text
        assert said.text.endswith("of 1 MiB")
        # What goes makes room; below nine tenths people are warned anew.
        await owner.redact(new, second)

        async def gone() -> bool:
            return bool(await spare.rows("SELECT FROM videos WHERE event_id = $1 AND visibility = 'removed'", second))

        await eventually(gone, what="the redaction")
        fourth = await owner.send_video(old, with_padding(clip, tmp_path / "4.mp4", b"4"))
        await wait_for_notice(owner, old, "You have used 100 %", thread=fourth)
        # The room's files count together, whoever sent them; what failed does not count.
        await spare.rows("UPDATE videos SET bytes = $1 WHERE event_id = $2", MIB, first)
        fifth = await guest.send_video(old, clip)
        await wait_for_notice(guest, old, "This room has as many videos as it may have.", thread=fifth)
        sixth = await guest.send_video(new, clip)
        await _in_state(spare, sixth, "ready")

        async def is_warned() -> bool:
            return bool(await spare.rows("SELECT FROM quota_warnings WHERE scope = 'server'"))

        await eventually(is_warned, what="a warning to admins")

        # Before the work it is looked at again: what waited, and what failed and is tried again.
        assert await spare.stop() == 0
        spare.write_config(limits={"user": {}, "room": {}, "server": {"videos": 1}})
        (row,) = await spare.rows("UPDATE videos SET state = 'failed' WHERE event_id = $1 RETURNING id", first)
        code, output = await spare.command("admin", "-c", str(spare.config), "requeue", str(row["id"]))
        assert code == 0, output
        await spare.start()
        await _in_state(spare, first, "failed quota-server")
        await wait_for_notice(owner, old, "This server has no room for more videos at the moment.", thread=first)
        seventh = await guest.send_video(new, clip)
        await wait_for_notice(guest, new, "This server has no room for more videos at the moment.", thread=seventh)
