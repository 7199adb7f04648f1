"""The channel's schedule as JSON, as much of it as a viewer needs. Pure."""

from appservice.core.schedule import Schedule, Turn, showing
from appservice.core.web.views import ScheduleView, TurnView

MOST_TURNS = 100
"""Turns of the channel that a response has."""


def schedule_view(schedule: Schedule, now: int) -> ScheduleView:
    """Return a schedule; of a long one what shows at `now` (ms since the epoch) and next."""
    items, before, starts_at, until = schedule.items, schedule.before, schedule.starts_at, None
    if len(items) > MOST_TURNS:
        if now >= starts_at:
            shown = showing(schedule, now)
            first, starts_at, before = items.index(shown.turn), shown.began, None
            items = (*items[first:], *items[:first])
        items = items[:MOST_TURNS]
        until = starts_at + sum(turn.duration for turn in items)
    return ScheduleView(
        starts_at=starts_at,
        items=[_turn_view(turn) for turn in items],
        before=_turn_view(before) if before else None,
        until=until,
    )


def _turn_view(turn: Turn) -> TurnView:
    return TurnView(id=turn.id, duration=turn.duration / 1000)
