"""Makes the bot known to the homeserver: its user, and its name and avatar unless an operator chose others."""

from pathlib import Path

import structlog

from appservice.core.errors import ForbiddenError, HomeserverError, MediaError
from appservice.core.events.profiles import may_set
from appservice.matrix.client import HomeserverClient
from appservice.store import Stores

log = structlog.get_logger()

_NAME, _AVATAR = "displayname", "avatar_url"


async def introduce(homeserver: HomeserverClient, stores: Stores, name: str, avatar: Path) -> None:
    """Make sure that the bot's user exists, and set what nobody else did in its profile. May be repeated."""
    if await homeserver.register():
        await stores.installation.delete_bot_profile()
    profile, before = await homeserver.profile(), await stores.installation.bot_profile()
    await _set_name(homeserver, stores, profile.get(_NAME), before.get(_NAME), name)
    # Once: also an avatar that was taken away stays away.
    if _AVATAR not in before and may_set(profile.get(_AVATAR), None):
        await _set_avatar(homeserver, stores, avatar)


async def _set_name(
    homeserver: HomeserverClient, stores: Stores, current: str | None, before: str | None, name: str
) -> None:
    if current != name:
        localpart = homeserver.bot[1:].partition(":")[0]  # what Synapse calls a new user
        if not may_set(current, before, untouched=(None, "", localpart)):
            log.info("display_name_kept", current=current, configured=name)
            return
        await homeserver.set_profile(_NAME, name)
    if before != name:
        await stores.installation.store_bot_profile(_NAME, name)


async def _set_avatar(homeserver: HomeserverClient, stores: Stores, avatar: Path) -> None:
    try:
        mxc = await homeserver.upload(avatar, "image/png")
        await homeserver.set_profile(_AVATAR, mxc)
    except (HomeserverError, ForbiddenError, MediaError) as error:
        log.warning("avatar_not_set", reason=str(error))  # it serves without one
        return
    await stores.installation.store_bot_profile(_AVATAR, mxc)
