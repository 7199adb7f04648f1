"""Fill a room with more videos, and members, than its first response holds: copies of one that was sent."""

import os
from collections.abc import Sequence
from pathlib import Path

from tests.support.installation import Installation

_OWN = ("id", "event_id", "sender", "position", "sent_at", "title")


def _link(source: Path, target: Path) -> None:
    for file in source.rglob("*"):
        if file.is_file():
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, copy)


async def add_members(reel: Installation, room_id: str, count: int) -> list[str]:
    """Let members join of whom the homeserver knows nothing; return their user ids."""
    server_name = reel.synapse.server_name
    users = [f"@member-{number:03d}:{server_name}" for number in range(count)]
    await reel.rows(
        "INSERT INTO members (room_id, user_id, membership, display_name, joined_at)"
        " SELECT $1, u, 'join', 'Member ' || n, now() FROM unnest($2::text[]) WITH ORDINALITY AS m (u, n)",
        room_id, users,
    )  # fmt: skip
    return users


async def copy_video(reel: Installation, video_id: str, senders: Sequence[str], count: int) -> None:
    """Give each sender so many copies of a video: `Video 1`, `Video 2`, …, sent one after the other, by turns."""
    columns = [
        row["column_name"]
        for row in await reel.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'videos' AND is_generated = 'NEVER'"
        )
        if row["column_name"] not in _OWN
    ]
    rows = await reel.rows(
        f"INSERT INTO videos (event_id, sender, position, sent_at, title, {', '.join(columns)})"  # noqa: S608 - names
        " SELECT '$' || gen_random_uuid(), s.sender, v.position + n, v.sent_at + n * 1000 + place, 'Video ' || n,"
        f" v.{', v.'.join(columns)}"
        " FROM videos v, unnest($2::text[]) WITH ORDINALITY AS s (sender, place), generate_series(1, $3) AS n"
        " WHERE v.id = $1::uuid RETURNING id",
        video_id, list(senders), count,
    )  # fmt: skip
    for row in rows:
        _link(reel.media / video_id, reel.media / str(row["id"]))
