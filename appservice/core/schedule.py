"""The schedule of a room's channel: one list that loops for ever from an agreed instant on. Pure.

Who knows the schedule and the time knows the frame that plays; nobody leads and nothing is sent while it plays.
When the list changes, the video that plays goes on to its end, and the new list begins there with what follows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from appservice.core.model import Video, VideoId


@dataclass(frozen=True, slots=True)
class Turn:
    """One video's turn in the list: `duration` in ms, `stage` the version of it that is served."""

    id: VideoId
    stage: str
    duration: int

    @classmethod
    def of(cls, video: Video) -> Self:
        """Return the turn of a playable video, as long as in its playlist: of one in progress, as it is planned."""
        return cls.lasting(video.id, video.media.stage or "", video.media.renditions[0].duration)

    @classmethod
    def lasting(cls, video_id: VideoId, stage: str, seconds: float) -> Self:
        """Return the turn of a video that plays for so long."""
        return cls(video_id, stage, max(1, round(seconds * 1000)))


@dataclass(frozen=True, slots=True)
class Schedule:
    """`items` again and again from `starts_at` (ms since the epoch) on; until then the end of `before`."""

    starts_at: int
    items: tuple[Turn, ...]
    before: Turn | None = None


@dataclass(frozen=True, slots=True)
class Showing:
    """A turn that shows, and when it began and ends in ms since the epoch."""

    turn: Turn
    began: int
    ends: int


def showing(schedule: Schedule, now: int) -> Showing:
    """Return what shows at `now` (ms since the epoch)."""
    if now < schedule.starts_at:
        # Without one, or long before, the clock was set back: the list's beginning is waited for.
        turn = schedule.before or schedule.items[0]
        return Showing(turn, schedule.starts_at - turn.duration, schedule.starts_at)
    began = now - (now - schedule.starts_at) % sum(turn.duration for turn in schedule.items)
    for turn in schedule.items:
        if now < began + turn.duration:
            return Showing(turn, began, began + turn.duration)
        began += turn.duration
    raise ValueError("a schedule needs items that last")


def plays(schedule: Schedule | None, turns: Sequence[Turn]) -> bool:
    """Say whether a schedule is of these turns, in the same circle: then it need not be revised."""
    if schedule is None or not turns:
        return schedule is None and not turns
    return _from(turns, schedule.items[0].id) == schedule.items


def revise(schedule: Schedule | None, turns: Sequence[Turn], now: int) -> Schedule | None:
    """Return the schedule by which `turns` play from `now` (ms since the epoch) on; None when there are none.

    It is the same one while they are the same in the same circle. Else what shows is shown to its end, whatever its
    stage; only when it is gone the new list begins at once, with what followed it.
    """
    if plays(schedule, turns) or not turns:
        return schedule if turns else None
    if schedule is None:
        return Schedule(now, tuple(turns))
    shown = showing(schedule, now)
    ids = [turn.id for turn in turns]
    if shown.turn.id in ids:
        following = ids[(ids.index(shown.turn.id) + 1) % len(ids)]
        return Schedule(shown.ends, _from(turns, following), shown.turn)
    return Schedule(now, _from(turns, _next_left(schedule, shown.turn, ids)))


def _from(turns: Sequence[Turn], first: VideoId) -> tuple[Turn, ...]:
    """Turn the circle so that it begins with a video, if it is in it."""
    start = next((index for index, turn in enumerate(turns) if turn.id == first), 0)
    return (*turns[start:], *turns[:start])


def _next_left(schedule: Schedule, gone: Turn, ids: Sequence[VideoId]) -> VideoId:
    after = _from(schedule.items, gone.id)[1:]
    return next((turn.id for turn in after if turn.id in ids), ids[0])
