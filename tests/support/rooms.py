"""Create rooms with the bot, and await what it sends there."""

from typing import Any

from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.waiting import eventually


async def make_room(owner: MatrixClient, installation: Installation, *guests: MatrixClient, version: str = "12") -> str:
    """Create a room of `owner` with the bot (power level 50) and the guests in it, and wait for the widget."""
    room_id = await owner.create_room(
        version=version, invite=[installation.bot, *(g.user_id for g in guests)], user_levels={installation.bot: 50}
    )
    for guest in guests:
        await guest.join(room_id)
    await wait_for_widget(owner, room_id)
    return room_id


async def wait_for_widget(user: MatrixClient, room_id: str) -> dict[str, Any]:
    async def widget() -> dict[str, Any] | None:
        state = await user.get_full_state(room_id)
        return next((e["content"] for e in state if e["type"] == "im.vector.modular.widgets" and e["content"]), None)

    found = await eventually(widget, what="the widget in the room")
    assert found
    return found


async def wait_for_notice(user: MatrixClient, room_id: str, part: str, *, thread: str | None = None) -> str:
    """Wait for a notice that contains `part` (in the thread of an event) and return its text."""

    def fits(event: dict[str, Any]) -> bool:
        content = event.get("content", {})
        if content.get("msgtype") != "m.notice" or part not in content.get("body", ""):
            return False
        return thread is None or content.get("m.relates_to", {}).get("event_id") == thread

    async def notice() -> str | None:
        return next((e["content"]["body"] for e in await user.messages(room_id) if fits(e)), None)

    found = await eventually(notice, what=f"a notice with {part!r}")
    assert found
    return found
