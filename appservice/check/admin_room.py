"""Checks who reads the room of alerts."""

import aiohttp

from appservice.check.findings import CheckWarning
from appservice.config import Config
from appservice.core.errors import ForbiddenError, HomeserverError
from appservice.core.model import RoomId
from appservice.core.rules.permissions import Level, level_of
from appservice.wiring.parts import homeserver_of

_NAMED = 5


async def admin_room(config: Config) -> str:
    """Check that only admins read what goes wrong."""
    room_id = config.appservice.admin_room
    if room_id is None:
        return "there is none, so nobody gets alerts (appservice.admin_room)"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        try:
            readers = await homeserver_of(config, session).audience(RoomId(room_id))
        except (HomeserverError, ForbiddenError) as error:
            raise CheckWarning(f"cannot be looked at: {error}") from error
    if readers is None:
        raise CheckWarning(f"{config.bot} is not in {room_id}, or it does not exist: invite the bot there.")
    ways = {
        "the join rule is public: make it invite-only": readers.join_rule == "public",
        "anybody can read its history: set its visibility to members only": readers.history == "world_readable",
    }
    others = sorted(
        user_id
        for user_id in readers.joined | readers.invited
        if user_id != config.bot and level_of(user_id, config.permissions) is not Level.ADMIN
    )
    found = [way for way, is_open in ways.items() if is_open]
    if others:
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        found.append(
            f"{', '.join(others[:_NAMED])}{more} read it and are no admins: remove them there, or make them `admin` in "
            "`permissions`"
        )
    if found:
        raise CheckWarning(f"others would read in {room_id} what goes wrong, with people's ids: {'; '.join(found)}.")
    return f"only admins read {room_id}"
