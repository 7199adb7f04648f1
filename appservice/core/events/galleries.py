"""Matching of a message's videos with those of its edit. Pure.

A video keeps its slot for good; it is matched by its media, else by its slot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from appservice.core.events.changes import NewVideo
from appservice.core.model import VideoId


@dataclass(frozen=True, slots=True)
class Slot:
    """A video that a message brought: `mxc` of what it is now, `gone` once somebody took it away."""

    id: VideoId
    item: int
    mxc: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Matching:
    """What an edit makes of a message's videos."""

    matched: tuple[tuple[Slot, NewVideo], ...]
    gone: tuple[Slot, ...]
    added: tuple[NewVideo, ...]


def match(slots: Sequence[Slot], items: Sequence[NewVideo]) -> Matching:
    """Match a message's videos with the items that an edit brings; what is added gets slots that nothing had.

    What was taken away does not come back by an edit of something else.
    """
    left = list(items)
    matched: list[tuple[Slot, NewVideo]] = []
    unmatched: list[Slot] = []
    for slot in slots:
        same = [] if slot.gone else [item for item in left if item.mxc == slot.mxc]
        # The same file may be there twice.
        item = next((item for item in same if item.item == slot.item), same[0] if same else None)
        if item is None:
            unmatched.append(slot)
        else:
            left.remove(item)
            matched.append((slot, item))
    by_slot = {item.item: item for item in left}
    gone: list[Slot] = []
    for slot in unmatched:
        item = by_slot.pop(slot.item, None)
        if item is not None and not slot.gone:
            matched.append((slot, item))
        elif not slot.gone:
            gone.append(slot)
    free = max((slot.item for slot in slots), default=-1) + 1
    added = [replace(item, item=free + n) for n, item in enumerate(by_slot.values())]
    return Matching(tuple(sorted(matched, key=lambda pair: pair[0].item)), tuple(gone), tuple(added))
