"""Whose video is next: a fair share of scarce slots for each sender and each room. Pure.

Rule: who has little in progress goes first, and nobody takes more than half of the slots that are left. So a slot is
there for whoever comes next, however many videos somebody else has sent; and where nobody else comes, almost all of
the slots that one sender may take are taken. Lower rungs of what plays already are nobody's: they have a few slots of
all, after everything else until somebody has waited long for them, however many viewers want them.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

_ROOM_SHARE = 4
_LOWER_RUNGS_SHARE = 18
_HALF_LIFE_S = 600.0
_MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Party:
    """Whom a video counts for: its sender and its room."""

    sender: str
    room_id: str


WANTED_RUNGS, SPARE_RUNGS = Party("wanted", "lower rungs"), Party("spare", "lower rungs")
"""Whom the making of lower rungs counts for: of those that viewers want, and of those in spare time."""
LOWER_RUNGS = (WANTED_RUNGS, SPARE_RUNGS)
"""In the order in which they are made."""
RUNGS_PATIENCE = timedelta(minutes=10)
"""Lower rungs that viewers want for longer go as any other video's ladder."""


@dataclass(slots=True)
class Load:
    """How many slots each sender and each room has, of `slots`."""

    slots: int
    total: int = 0
    _senders: Counter[str] = field(default_factory=Counter)
    _rooms: Counter[str] = field(default_factory=Counter)

    def add(self, party: Party, count: int = 1) -> None:
        """Count a video that has a slot, or with -1 no longer has it."""
        self.total += count
        for counter, key in ((self._senders, party.sender), (self._rooms, party.room_id)):
            counter[key] += count
            if not counter[key]:
                del counter[key]

    def of(self, party: Party) -> int:
        """Return what a party's sender and its room have together."""
        return self._senders[party.sender] + self._rooms[party.room_id]

    def of_sender(self, party: Party) -> int:
        """Return what a party's sender has."""
        return self._senders[party.sender]

    def has_slot(self, party: Party, *, late: bool = False) -> bool:
        """Say whether there is a slot for a party's next video, and one left for others; the last for another room.

        `late`: of lower rungs, those that have waited too long to leave one.
        """
        left = self.slots - self.total
        if party in LOWER_RUNGS:
            return left > (0 if late else 1) and self._senders[party.sender] < max(1, self.slots // _LOWER_RUNGS_SHARE)
        return (
            left > (1 if self._rooms[party.room_id] and self.slots > 1 else 0)
            and self._senders[party.sender] < max(1, left / 2)
            and self._rooms[party.room_id] < max(1, left * _ROOM_SHARE)
        )


class Usage:
    """Seconds of work that each sender and each room had lately: those of ten minutes ago count half."""

    def __init__(self) -> None:
        self._by_key: dict[str, tuple[float, float]] = {}

    def add(self, party: Party, seconds: float, now: float) -> None:
        """Add work that ended at `now` (seconds of a steady clock)."""
        for key in (party.sender, party.room_id):
            self._by_key[key] = self._now(key, now) + seconds, now
        if len(self._by_key) > _MOST_KEYS:
            least = sorted(self._by_key, key=lambda key: self._now(key, now))
            for key in least[: _MOST_KEYS // 2]:
                del self._by_key[key]

    def of(self, party: Party, now: float) -> float:
        """Return what a party's sender and its room had together, faded until `now`."""
        return self._now(party.sender, now) + self._now(party.room_id, now)

    def _now(self, key: str, now: float) -> float:
        seconds, at = self._by_key.get(key, (0.0, now))
        return seconds * math.exp2((at - now) / _HALF_LIFE_S)


@dataclass(frozen=True, slots=True)
class Wish:
    """A video that waits for a slot: for so many seconds by now, and it needs about `cost` seconds of it."""

    party: Party
    waited: float = 0.0
    cost: float = 0.0

    def weight(self, used: float) -> float:
        """Return what its party will have had: what is small goes first, but nothing longer than its work takes."""
        return used + max(0.0, self.cost - self.waited)


def next_in_turn(
    waiting: Sequence[Wish], load: Load, *, used: Callable[[Party], float], sharing: bool = True
) -> int | None:
    """Return which of those that wait, longest first, gets the next slot; None while nobody may have it.

    Without `sharing` a slot goes to whoever waits, however many they have.
    """
    if load.total >= load.slots:
        return None
    may = [number for number, wish in enumerate(waiting) if not sharing or load.has_slot(wish.party)]

    def turn(number: int) -> tuple[int, float, int]:
        wish = waiting[number]
        return load.of(wish.party), wish.weight(used(wish.party)), number

    return min(may, key=turn, default=None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """The oldest queued job of a party among those of one `priority`; a larger number goes first.

    `load` is what its sender and its room have in progress in all processes. `late`: lower rungs that are wanted for
    longer than viewers have patience. `offered`: another process has taken it, and has no slot to begin it.
    """

    job_id: int
    priority: int
    party: Party
    load: int
    late: bool = False
    offered: bool = False


def pick_order(candidates: Sequence[Candidate], ours: Load) -> list[Candidate]:
    """Return the jobs that a process may take now, the fairest first; `ours` is what it has taken."""
    return sorted((each for each in candidates if ours.has_slot(each.party, late=each.late)), key=_turn)


def _turn(candidate: Candidate) -> tuple[int, bool, int, int, int]:
    priority = 0 if candidate.late else candidate.priority
    # Somebody's that waits elsewhere comes before what is nobody's.
    order = rank(candidate.party, late=candidate.late), candidate.offered
    return *order, -priority, candidate.load, candidate.job_id


def rank(party: Party, *, late: bool) -> int:
    """Return after what a party's next video comes, whatever others have: a larger number goes later."""
    return 0 if late or party not in LOWER_RUNGS else 1 + LOWER_RUNGS.index(party)
