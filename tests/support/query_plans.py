"""How PostgreSQL carries out the named queries: plans with arguments as in operation, and what they read in full."""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from appservice.database.migrate import Connection
from appservice.store.sql import QUERIES, Query

# What a table has only for a time, or a few of: what is due of it is read at once.
BOUNDED = {
    "alarms": "what is wrong now",
    "bot_profile": "three fields",
    "commands": "deleted after 30 days; the bot's own are not many",
    "encrypted_events": "deleted when decrypted, or after some days",
    "exports": "one of each person, for a day",
    "key_bundles": "deleted after 7 days",
    "key_erasures": "deleted when done",
    "offered_jobs": "what waits for a processor",
    "outgoing_events": "deleted after some days",
    "pgqueuer": "what waits or is in progress",
    "pgqueuer_statistics": "deleted after 7 days; one row for a second",
    "policy_exempt": "the admins",
    "policy_lists": "few are followed",
    "ready_totals": "becomes one row every minute",
    "runner_files": "of jobs alone",
    "runner_jobs": "what is offered now",
    "runners": "a few",
    "schema_migrations": "as many as there are files of them",
    "secrets": "a few",
    "sign_in_misses": "deleted after minutes",
    "troubles": "deleted once the admins were told",
    "unpacked_videos": "is only emptied",
    "uploads": "deleted after a day",
    "watching": "who watches now",
}
# Queries, the tables that they may read in full, and why.
EXCEPTIONS = {
    "admin_rooms": ({"rooms"}, "an admin's command: lists all"),
    "admin_users": ({"videos", "quarantined_users"}, "an admin's command: lists all"),
    "in_quarantine": ({"quarantined_users"}, "an admin's command: lists all"),
    "totals": ({"videos", "rooms"}, "an admin's command: counts all"),
    "looks_everywhere": ({"videos"}, "an admin's command: blocks what looks alike, wherever it is"),
    "open_batch": ({"policy_rules"}, "whether there is any: the first row says so"),
    "policy_lists": ({"policy_rules"}, "an admin's command: counts the rules of each list"),
    "remains": (
        {
            "blocks",
            "media_keys",
            "people",
            "places",
            "quota_warnings",
            "reports",
            "room_changes",
            "rooms",
            "sent_for",
            "upload_media",
            "videos",
        },
        "an operator's command: looks into every table",
    ),
    "joined_rooms": ({"rooms"}, "returns all of them, at the start"),
    "rooms_with_us": ({"rooms"}, "returns all of them, to be compared with the homeserver's list"),
    "policed_rooms": ({"rooms"}, "a policy rule changed: whichever rooms it is about, by patterns as well"),
    "key_bundles_to_import": ({"rooms"}, "joins the bundles that wait with their rooms"),
    "unposted": ({"queue_posts"}, "what moderators were to decide, whether that shows"),
}

# Where neither a query nor a name has a value of its own.
_BY_TYPE: dict[str, Any] = {
    "text": "ab", "int2": 1, "int4": 1, "int8": 1, "float8": 60.0, "bool": True, "jsonb": "{}", "bytea": b"x" * 32,
    "uuid": uuid.UUID(int=1), "interval": timedelta(seconds=30), "text[]": ["x"], "bool[]": [True], "float8[]": [1.0],
    "int8[]": [1], "int4[]": [1], "int2[]": [1], "jsonb[]": ["{}"], "bytea[]": [b"x" * 32],
    "uuid[]": [uuid.UUID(int=1)], "timestamptz[]": [datetime.now(UTC)],
    "timestamptz": datetime.now(UTC) - timedelta(hours=1),
}  # fmt: skip
_BY_NAME: dict[str, Any] = {
    "days": 30, "most": 100, "limit": 100, "offset": 0, "digits": "0123abcd", "visibility": "shown", "state": "ready",
    "kind": "video", "longest_ms": 86_400_000 * 365, "held_for": None, "history": None, "relates": [True],
    "part": "text", "membership": "join",
}  # fmt: skip
# Of a video like most, in a room like many.
_TYPICAL = """
SELECT v.id, v.room_id, v.sender, v.event_id, v.mxc, v.source_hash, v.content_hash, v.stage, r.key AS room_key,
    m.key AS member_key,
    (SELECT room_id FROM rooms WHERE room_id <> v.room_id LIMIT 1) AS other_room_id
FROM videos v JOIN rooms r USING (room_id) JOIN members m ON m.room_id = v.room_id AND m.user_id = v.sender
WHERE v.state = 'ready' AND v.visibility = 'shown' AND v.source_hash IS NOT NULL AND v.nonce IS NOT NULL
ORDER BY v.position DESC OFFSET 50 LIMIT 1
"""


async def typical_arguments(connection: Connection) -> dict[str, Any]:
    """Return a value for each name of a parameter that has one of its own, and for each type."""
    row = await connection.fetchrow(_TYPICAL)
    assert row
    room, user, event = row["room_id"], row["sender"], row["event_id"]
    return {
        **_BY_TYPE, **_BY_NAME, "id": row["id"], "video_id": row["id"], "ids": [row["id"]], "event_id": event,
        "event_ids": [event], "target": event, "targets": [event], "sent_in": room, "room_id": room,
        "old_room_id": room, "new_room_id": row["other_room_id"], "other_room_id": row["other_room_id"],
        "moderators_room": row["other_room_id"], "room_ids": [room], "user_id": user, "sender": user, "owner": user,
        "actor": user, "user_ids": [user], "mxc": row["mxc"], "mxcs": [row["mxc"]], "source_hash": row["source_hash"],
        "content_hash": row["content_hash"], "stage": row["stage"], "room_key": row["room_key"],
        "member_key": row["member_key"], "viewer_key": row["member_key"], "without_video": row["id"],
    }  # fmt: skip


def variants(query: Query, types: list[str], known: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Yield arguments of a query: each of those that may be NULL alone, and else all of them."""
    values = [_value(name, kind, known) for name, kind in zip(query.parameters, types, strict=True)]
    optional = [i for i in range(len(values)) if re.search(rf"\${i + 1}(::\w+)? IS NULL OR", query.text)]
    for given in optional or [-1]:
        yield [None if i in optional and i != given else value for i, value in enumerate(values)]


def _value(name: str, kind: str, known: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any that a query takes
    value = known.get(name, known[kind])
    if kind in ("text", "uuid") and isinstance(value, uuid.UUID):
        return value if kind == "uuid" else str(value)
    return known[kind] if not _fits(value, kind) else value


def _fits(value: object, kind: str) -> bool:
    expected = _BY_TYPE[kind]
    return value is None or isinstance(value, type(expected))


async def plan(connection: Connection, query: Query, arguments: list[Any]) -> dict[str, Any]:
    """Return the plan of a query."""
    text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {query.text}", *arguments)
    found: dict[str, Any] = json.loads(text)[0]["Plan"]
    return found


def read_in_full(node: Mapping[str, Any], partial: frozenset[str], *, limited: bool = False) -> Iterator[str]:
    """Yield the tables that a plan reads in full, one row after the other or all of an index.

    `partial` are indexes that do not have all rows of their table. What ends early is not meant: a LIMIT of what an
    index has in order.
    """
    kind = node["Node Type"]
    is_index_scan = kind in ("Index Scan", "Index Only Scan", "Bitmap Index Scan")
    if kind in ("Seq Scan", "Sample Scan"):
        yield node["Relation Name"]
    elif is_index_scan and "Index Cond" not in node and node["Index Name"] not in partial and not limited:
        yield node.get("Relation Name") or node["Index Name"]
    limited = kind == "Limit" or (limited and kind in ("Nested Loop", "Subquery Scan", "LockRows", "Result", "Append"))
    for child in node.get("Plans", ()):
        yield from read_in_full(child, partial, limited=limited)


async def full_reads(connection: Connection, many: int = 3_000) -> dict[str, set[str]]:
    """Return which named queries read tables in full that grow with videos, rooms or people, by the query's name.

    Of a table of fewer than `many` rows it is looked whether an index could be used: its statistics do not matter.
    """
    rows = {
        row["relname"]: row["n"]
        for row in await connection.fetch(
            "SELECT relname, reltuples::bigint AS n FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
    }
    partial, known = await _partial_indexes(connection), await typical_arguments(connection)
    found: dict[str, set[str]] = {}
    for query in QUERIES.values():
        types = [kind.name for kind in (await connection.prepare(query.text)).get_parameters()]
        for arguments in variants(query, types, known):
            full = set(read_in_full(await plan(connection, query, arguments), partial))
            if small := {table for table in full if rows.get(table, 0) < many}:
                async with connection.transaction():
                    await connection.execute("SET LOCAL enable_seqscan = off")
                    possible = set(read_in_full(await plan(connection, query, arguments), partial))
                full -= small - possible
            if full := full & set(rows) - set(BOUNDED):
                found.setdefault(query.name, set()).update(full)
    return found


async def _partial_indexes(connection: Connection) -> frozenset[str]:
    """Return the names of the indexes with a condition."""
    rows = await connection.fetch("SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indpred IS NOT NULL")
    return frozenset(row["name"] for row in rows)
