"""Use cases of encrypted rooms: opting one in, so that playable copies of its videos are stored here, and out."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from appservice.core.room import Room
from appservice.core.rules.opt_in import check_opt_in, check_opt_out
from appservice.core.rules.video_permissions import Viewer
from appservice.store import Stores

log = structlog.get_logger()


@dataclass(frozen=True)
class OptInService:
    """Opt-ins. Every method raises what the rules refuse (`core/rules/opt_in`)."""

    stores: Stores
    invalidate: Callable[[], None]
    """Invalidates the caches of this process."""
    available: bool
    """Encrypted rooms are served: the operator has set them up."""

    async def opt_in(self, room: Room, viewer: Viewer) -> bool:
        """Have videos that are sent to an encrypted room from now on stored; False where somebody did before."""
        check_opt_in(room, viewer, available=self.available)
        done = await self.stores.opt_ins.opt_in(room.room_id, by=viewer.user_id)
        if done:
            log.info("room_opted_in", room_id=room.room_id, user_id=viewer.user_id)
            if room.settings.history:
                await self.stores.rooms.backfill([room.room_id], history=room.settings.history)
        return done

    async def opt_out(self, room: Room, viewer: Viewer) -> int:
        """End that, and erase what was made of the room's videos; return how many there were."""
        check_opt_out(room, viewer)
        count = await self.stores.opt_ins.opt_out(room.room_id, by=viewer.user_id)
        self.invalidate()
        log.info("room_opted_out", room_id=room.room_id, user_id=viewer.user_id, videos=count)
        return count
