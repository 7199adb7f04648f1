"""Retention: a video goes when its room, or the configuration, does not keep it any longer; the shorter time counts."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.waiting import eventually

HOUR = 3600 * 1000


async def _removed(spare: Installation, event_id: str) -> bool:
    rows = await spare.rows(
        "SELECT FROM videos v JOIN audit a ON a.video_id = v.id WHERE event_id = $1 AND visibility = 'removed'"
        " AND actor = 'roomreel' AND action = 'erased' AND details ->> 'because' = 'retention'",
        event_id,
    )
    return bool(rows)


async def _sent_for(spare: Installation) -> list[str]:
    return [row["nonce"] for row in await spare.rows("SELECT nonce FROM sent_for WHERE user_id <> '' ORDER BY nonce")]


async def _content(user: MatrixClient, room_id: str, event_id: str) -> dict[str, Any]:
    path = f"/_matrix/client/v3/rooms/{quote(room_id)}/event/{quote(event_id)}"
    return dict((await user.request("GET", path))["content"])


async def _send_old(spare: Installation, user: MatrixClient, room_id: str, clip: Path, *, hours: float) -> str:
    event_id = await user.send_video(room_id, clip)

    async def ready() -> bool:
        return bool(await spare.rows("SELECT FROM videos WHERE event_id = $1 AND state = 'ready'", event_id))

    await eventually(ready, what="a video")
    await spare.rows("UPDATE videos SET sent_at = sent_at - $2 WHERE event_id = $1", event_id, round(hours * HOUR))
    return event_id


async def test_the_shorter_lifetime_counts(spare: Installation, synapse: Synapse, clip: Path) -> None:
    await spare.start()
    async with await synapse.user("keeper") as owner:
        old = await make_room(owner, spare, version="11")
        new = await make_room(owner, spare, version="12")
        await owner.send_state(old, "m.room.retention", {"max_lifetime": HOUR})

        async def known() -> bool:
            rows = await spare.rows("SELECT FROM rooms WHERE room_id = $1 AND max_lifetime = $2", old, HOUR)
            return bool(rows)

        await eventually(known, what="the room's lifetime")
        due = await _send_old(spare, owner, old, clip, hours=1.1)
        young = await _send_old(spare, owner, old, clip, hours=0.5)
        kept = await _send_old(spare, owner, new, clip, hours=25)
        later = await _send_old(spare, owner, new, clip, hours=20)
        (row,) = await spare.rows("SELECT id FROM videos WHERE event_id = $1", due)
        # What the bot said for people goes with its room's lifetime; in other rooms it stays, and so does whose it is.
        sent = {}
        for nonce, room_id, hours in (("due", old, 1.1), ("young", old, 0.5), ("kept", new, 25)):
            sent[nonce] = await owner.send_text(room_id, "by the bot")
            await spare.rows(
                "INSERT INTO sent_for (room_id, user_id, nonce, digest, kind, event_id, sent_at) VALUES"
                " ($1, $2, $3, '', 'comment', $4, now() - make_interval(secs => $5))",
                room_id, owner.user_id, nonce, sent[nonce], hours * 3600,
            )  # fmt: skip
        # Workers look every minute, and as soon as they start.
        assert await spare.stop() == 0
        # What a room decided meanwhile is known from its state.
        await owner.send_state(new, "m.room.retention", {"max_lifetime": 100 * 24 * HOUR})
        await spare.start()
        await eventually(lambda: _removed(spare, due), what="the end of the room's lifetime")

        async def gone() -> bool:
            return not (spare.media / str(row["id"])).exists() and not await _content(owner, old, due)

        await eventually(gone, what="the deletion of files and message")

        async def redacted() -> bool:
            return not await _content(owner, old, sent["due"])

        await eventually(redacted, what="the redaction of what the bot said")
        assert await _sent_for(spare) == ["kept", "young"]
        assert await _content(owner, old, sent["young"])
        assert not await _removed(spare, young)
        assert not await _removed(spare, kept)

        assert await spare.stop() == 0
        spare.write_config(retention={"days": 1})
        await spare.start()
        await eventually(lambda: _removed(spare, kept), what="the end of the configured lifetime")
        assert not await _removed(spare, young)
        assert not await _removed(spare, later)
        rows = await spare.rows("SELECT max_lifetime FROM rooms WHERE room_id = $1", new)
        assert [row["max_lifetime"] for row in rows] == [100 * 24 * HOUR]
        assert await _sent_for(spare) == ["kept", "young"]
        assert await _content(owner, new, sent["kept"])
