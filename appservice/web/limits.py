"""How often something may be asked for, counted in this process alone."""

import time
from collections import OrderedDict

from appservice.errors import LimitExceededError
from appservice.model import RoomId

_MOST_CODES = 60
_WITHIN_S = 60.0
_MOST_ROOMS = 10_000


class CodeLimit:
    """How many codes may be asked for in a room, in this process: they are no way to fill the database."""

    def __init__(self) -> None:
        self._asked: OrderedDict[RoomId, tuple[float, int]] = OrderedDict()

    def count(self, room_id: RoomId) -> None:
        """Count one more. Raises LimitExceededError when there were too many lately."""
        now = time.monotonic()
        began, count = self._asked.get(room_id, (now, 0))
        if now - began > _WITHIN_S:
            began, count = now, 0
        if count >= _MOST_CODES:
            raise LimitExceededError("Too many codes were asked for in this room. Try again in a minute.")
        self._asked[room_id] = began, count + 1
        self._asked.move_to_end(room_id)
        if len(self._asked) > _MOST_ROOMS:
            self._asked.popitem(last=False)
