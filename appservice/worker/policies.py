"""Reads policy lists: joins their rooms, stores their rules, and enforces them."""

from dataclasses import dataclass

import structlog

from appservice.config import Config
from appservice.core.errors import ForbiddenError, HomeserverError, NotFoundError, RefusedByHomeserverError
from appservice.core.model import RoomId, UserId
from appservice.core.rules.permissions import Level
from appservice.i18n import Texts
from appservice.matrix.client import HomeserverClient
from appservice.store import PolicyStore
from appservice.store.audit import ITSELF

log = structlog.get_logger()


@dataclass(frozen=True)
class PolicyWork:
    """Follows policy lists; one instance for a process."""

    config: Config
    store: PolicyStore
    homeserver: HomeserverClient
    texts: Texts

    async def begin(self) -> None:
        """Follow the lists of the configuration, and read all lists again: much may have changed meanwhile."""
        admins = [name for name, level in self.config.permissions.items() if level is Level.ADMIN and name[0] == "@"]
        await self.store.exempt([UserId(name) for name in admins])
        for where in self.config.moderation.policy_lists:
            try:
                await self.store.follow(await self.homeserver.room_of(where), by=ITSELF)
            except (ForbiddenError, NotFoundError, RefusedByHomeserverError, HomeserverError) as error:
                log.warning("policy_list_unreachable", policy_list=where, reason=str(error))
                await self.store.unreachable(RoomId(where), str(error))
        for each in await self.store.lists():
            await self.store.follow(each.room_id, by=ITSELF)

    async def enforce(self) -> None:
        """Enforce the rules of all lists. May be repeated."""
        await self.store.enforce()

    async def read(self, room_id: RoomId) -> None:
        """Read a list, or leave one that is followed no more.

        May be repeated. Raises HomeserverError when the homeserver is away.
        """
        try:
            if not await self.store.is_list(room_id):
                await self.homeserver.leave(room_id, self.texts.say("bot-policy-left"))
                return
            await self.homeserver.join(room_id, via=room_id.partition(":")[2] or None)
            requested_at = await self.store.now()
            rules = await self.homeserver.policy_rules(room_id)
        except (ForbiddenError, RefusedByHomeserverError) as error:
            log.warning("policy_list_unreachable", policy_list=room_id, reason=str(error))
            await self.store.unreachable(room_id, str(error))
        else:
            await self.store.read(room_id, rules, requested_at)
            log.info("policy_list_read", policy_list=room_id, rules=len(rules))
