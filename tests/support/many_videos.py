"""Fill a database with many videos, distributed over rooms, senders, kinds and states as those of chats are."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

from appservice.database.migrate import Connection
from appservice.store.packing import pack
from appservice.store.sql import by_name, load
from transcode.hls.playlist import Rendition
from transcode.storyboard import plan_storyboard

BATCH = 50_000
_DIFFERENT_MEDIA = 2_000
# Name, AVC profile and level, and the most bits per second.
_RUNGS = (
    (1080, "640028", 6_220_000), (720, "64001f", 2_400_000), (480, "64001f", 980_000), (360, "64001e", 560_000),
    (240, "640015", 330_000),
)  # fmt: skip
# Of each kind of source: how many of a hundred, the short side, least and most seconds, and the seconds of segments.
_SOURCES = (
    (60, 720, 5, 40, (2.0, 2.002, 8.341666666666667)),  # as messengers make them
    (25, 1080, 8, 60, (2.0, 2.002)),  # of phones
    (10, 480, 2, 6, (2.0,)),  # loops
    (5, 720, 60, 1200, (2.0, 5.333333333333333)),
)
_FILE = Path(__file__).with_suffix(".sql")
_STATEMENTS = by_name(load(_FILE.name, _FILE.read_text(encoding="utf-8")))
_BEFORE = ("rooms", "insert_rooms", "members", "insert_members", "index_members", "index_rooms", "media")
_EACH = (
    "batch", "insert_videos", "playable_marks", "redacted_marks", "notices", "media_keys", "doubles", "reports",
    "audit", "upload_media", "sent_for", "jobs", "queue_posts", "drop_batch",
)  # fmt: skip
_AFTER = (
    "seen_events", "job_log", "job_statistics", "commands", "some_people", "of_people", "channels", "room_revisions",
    "room_changes", "policy_list", "policy_rules", "totals",
)  # fmt: skip


def _media() -> Iterator[tuple[int, float, int, int, str, int]]:
    """Yield what is stored of the media of different videos."""
    chance = random.Random(7)  # noqa: S311 - the same each time
    sources = chance.choices(_SOURCES, [weight for weight, *_ in _SOURCES], k=_DIFFERENT_MEDIA)
    for number, (_, side, least, most, segments) in enumerate(sources):
        seconds, each = round(chance.uniform(least, most), 4), chance.choice(segments)
        whole, rest = divmod(seconds, each)
        durations = (each,) * int(whole) + ((rest,) if rest else ())
        rate = 30.0 if each == 2 else 29.97002997002997
        renditions = [
            Rendition(
                str(rung), round(rung * 16 / 9 / 2) * 2, rung, rate, f"avc1.{profile},mp4a.40.2",
                round(bits * chance.uniform(0.7, 1)), round(bits * chance.uniform(0.4, 0.7)), durations,
            )
            for rung, profile, bits in _RUNGS if rung <= side
        ]  # fmt: skip
        stored = json.dumps(pack(renditions, plan_storyboard(renditions[0].width, side, seconds)))
        size = round(sum(each.average_bandwidth for each in renditions) / 8 * seconds)
        yield number, seconds, renditions[0].width, side, stored, size


async def fill(
    connection: Connection, videos: int, *, rooms: int, users: int, seldom: int = 100, rarely: int = 1000
) -> None:
    """Insert so many videos in the order in which they came, with rooms, members and all that belongs to them.

    One of `seldom` has a comment, and was sent twice; one of `rarely` was reported.
    """
    values = {"videos": videos, "rooms": rooms, "users": users, "media": _DIFFERENT_MEDIA}
    values |= {"seldom": seldom, "rarely": rarely}

    async def run(names: tuple[str, ...], **more: int) -> None:
        for statement in map(_STATEMENTS.__getitem__, names):
            await connection.execute(statement.text, *({**values, **more}[name] for name in statement.parameters))

    await connection.execute("SELECT setseed(0.5)")
    await _triggers(connection, "DISABLE")
    await run(_BEFORE)
    await connection.copy_records_to_table("many_media", records=_media())
    await connection.execute("ANALYZE many_rooms, many_members, many_media")
    for first in range(0, videos, BATCH):
        await run(_EACH, first=first, last=min(first + BATCH, videos) - 1)
    await run(_AFTER)
    await _triggers(connection, "ENABLE")
    await connection.execute("VACUUM ANALYZE")


async def _triggers(connection: Connection, enabled: str) -> None:
    """Turn triggers on or off: nobody is there to hear of each row."""
    for table in ("rooms", "members", "videos", "reports"):
        await connection.execute(f"ALTER TABLE {table} {enabled} TRIGGER USER")
