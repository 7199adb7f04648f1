"""How much one sender, and all together, may cause within a time: whoever sends to-device events chooses how many."""

import time
from collections import Counter
from collections.abc import Callable


class Budget:
    """Counts in windows of `window_s` seconds, in memory for at most `in_all` senders."""

    def __init__(
        self, per_sender: int, in_all: int, window_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_sender, self._in_all, self._window_s = per_sender, in_all, window_s
        self._clock = clock
        self._began = clock()
        self._used: Counter[str] = Counter()

    def take(self, sender: str) -> bool:
        """Take one from the sender's budget; False where it is used up."""
        now = self._clock()
        if now - self._began >= self._window_s:
            self._began = now
            self._used.clear()
        if self._used[sender] >= self._per_sender or self._used.total() >= self._in_all:
            return False
        self._used[sender] += 1
        return True
