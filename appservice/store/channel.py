"""The room's channel: the schedule that all viewers follow, and who watches."""

from collections.abc import Sequence

import asyncpg

from appservice.core.model import RoomId, State, UserId, Video, VideoId
from appservice.core.schedule import Schedule, Turn, plays, revise
from appservice.core.web.reels import channel
from appservice.store.mapping import read_listed
from appservice.store.outbox import Connection, announce_watching
from appservice.store.packing import first_duration
from appservice.store.pool import Database
from appservice.store.sql import query

_AT_ONCE = 500  # other requests have their turn in between
WATCHING_S = 45.0
"""Seconds after which somebody who gave no further sign of life counts as gone."""


class ChannelStore(Database):
    """Schedules and watchers. Every method raises UnavailableError when the database is away."""

    async def schedule(self, room_id: RoomId, videos: Sequence[Video]) -> Schedule | None:
        """Return the schedule by which a room's videos play; whoever finds it out of date revises it.

        `videos` are those just read that all members may see, of members who are there; whole, or as lists need them.
        """
        async with self._connection() as connection:
            row = await connection.fetchrow(*query("schedule", room_id=room_id))
            stored = _read(row) if row else None
            seen = await _turns(connection, channel(videos), stored.items if stored else ())
        return stored if plays(stored, seen) else await self._revised(room_id, seen)

    async def _revised(self, room_id: RoomId, seen: Sequence[Turn]) -> Schedule | None:
        async with self._transaction() as connection:
            await connection.execute(*query("ensure_schedule", room_id=room_id))
            row = await connection.fetchrow(*query("lock_schedule", room_id=room_id))
            stored = _read(row) if row else None
            if plays(stored, seen):
                return stored  # somebody was quicker: a change makes everybody fetch at once
            # Read again: it may have been revised by something newer than what the caller saw.
            rows = await connection.fetch(*query("present_videos", room_id=room_id))
            turns = await _turns(connection, channel([read_listed(each) for each in rows]), seen)
            now = (await connection.fetchval(*query("clock"))).timestamp()
            schedule = revise(stored, turns, int(now * 1000))
            if schedule != stored:
                items = [_turn_json(turn) for turn in schedule.items] if schedule else []
                before = _turn_json(schedule.before) if schedule and schedule.before else None
                starts_at = schedule.starts_at if schedule else 0
                await connection.execute(
                    *query("set_schedule", room_id=room_id, starts_at=starts_at, items=items, before=before)
                )
        return schedule

    async def watching(self, room_id: RoomId) -> list[UserId]:
        """Return who watches the channel, in a steady order."""
        return [UserId(row["user_id"]) for row in await self._fetch("watching", room_id=room_id)]

    async def watch(self, room_id: RoomId, user_id: UserId) -> None:
        """Store a heartbeat of somebody who watches."""
        async with self._transaction() as connection:
            if await connection.fetchval(*query("watch", room_id=room_id, user_id=user_id, seconds=WATCHING_S)):
                await announce_watching(connection, room_id)

    async def stop_watching(self, room_id: RoomId, user_id: UserId) -> None:
        """Note that somebody does not watch (any more)."""
        async with self._transaction() as connection:
            if await connection.fetchval(*query("stop_watching", room_id=room_id, user_id=user_id)) is not None:
                await announce_watching(connection, room_id)

    async def lapse_watching(self) -> None:
        """Expire those who went without a request."""
        async with self._transaction() as connection:
            for room_id in {row["room_id"] for row in await connection.fetch(*query("lapse_watching"))}:
                await announce_watching(connection, room_id)


async def _turns(connection: Connection, playing: Sequence[Video], before: Sequence[Turn]) -> list[Turn]:
    """Return the turns of videos in this order: how long each plays only a whole one says, or its turn before."""
    known = {turn.id: turn for turn in before}
    turns: dict[VideoId, Turn | None] = {}
    for video in playing:
        turn = known.get(video.id)
        if video.media.renditions[0].durations:
            turn = Turn.of(video)
        elif turn and (turn.stage != video.media.stage or video.state is not State.READY):
            turn = None
        turns[video.id] = turn
    if missing := [video_id for video_id, turn in turns.items() if turn is None]:
        for first in range(0, len(missing), _AT_ONCE):
            some = missing[first : first + _AT_ONCE]
            rows = await connection.fetch(*query("playing_lengths", room_id=playing[0].room_id, ids=some))
            turns |= {VideoId(str(row["id"])): _length(row) for row in rows}
    return [turn for turn in turns.values() if turn]


def _length(row: asyncpg.Record) -> Turn:
    return Turn.lasting(VideoId(str(row["id"])), row["stage"], first_duration(row["renditions"]))


def _turn_json(turn: Turn) -> dict[str, object]:
    return {"id": turn.id, "stage": turn.stage, "duration": turn.duration}


def _read_turn(value: dict[str, str | int]) -> Turn:
    return Turn(VideoId(str(value["id"])), str(value["stage"]), int(value["duration"]))


def _read(row: asyncpg.Record) -> Schedule | None:
    if not row["items"]:
        return None
    items = tuple(_read_turn(item) for item in row["items"])
    return Schedule(row["starts_at"], items, _read_turn(row["before"]) if row["before"] else None)
