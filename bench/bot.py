"""What does a busy server cost the bot? 10,000 events in 50 rooms, 500 of them videos, with commands among them.

Each command's response is awaited as a client receives it, by /sync. The floor, in the same run and under the same
load, is how long a message takes from one member of a room to another: what the homeserver itself needs. Afterwards
every video and every response must be there. `./run bench bot`
"""

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appservice.database.embedded import EmbeddedPostgres
from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from bench._clips import ffmpeg
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.waiting import eventually
from transcode import find_tools

ROOMS, EVENTS, VIDEOS, COMMANDS = 50, 10_000, 500, 500
_AT_ONCE = 16
_DIFFERENT_CLIPS = 10  # the others are the same files again, as when people forward a video
_WAIT_S = 900.0
_FILTER = '{"room": {"timeline": {"limit": 1000}}}'
_COMMAND_TEXTS = ("!reel help", "!reel version", "!reel list", "!reel mine")


@dataclass
class Latencies:
    """Seconds until a member receives, by /sync, the events that are awaited: echoes and responses."""

    sent: dict[str, float] = field(default_factory=dict)
    echoes: list[float] = field(default_factory=list)
    responses: list[float] = field(default_factory=list)
    commands: dict[str, float] = field(default_factory=dict)
    early: dict[str, float] = field(default_factory=dict)

    def command(self, event_id: str, started: float) -> None:
        """Await the response to a command; it may have arrived before the homeserver's response to sending it."""
        if (responded := self.early.pop(event_id, None)) is not None:
            self.responses.append(responded - started)
        else:
            self.commands[event_id] = started

    def event(self, event: dict[str, Any]) -> None:
        """Record the latency of an awaited event."""
        now = time.monotonic()
        content = event.get("content", {})
        if (started := self.sent.pop(str(content.get("body")), None)) is not None:
            self.echoes.append(now - started)
        if content.get("msgtype") == "m.notice":
            command = str(content.get("m.relates_to", {}).get("m.in_reply_to", {}).get("event_id"))
            if (started := self.commands.pop(command, None)) is not None:
                self.responses.append(now - started)
            else:
                self.early[command] = now


@asynccontextmanager
async def _syncing(user: MatrixClient, latencies: Latencies) -> AsyncIterator[None]:
    async def sync() -> None:
        since = ""
        while True:
            query = {"timeout": "10000", "filter": _FILTER, **({"since": since} if since else {})}
            response = await user.request("GET", "/_matrix/client/v3/sync", params=query)
            for room in response.get("rooms", {}).get("join", {}).values():
                for event in room["timeline"]["events"] if since else []:
                    latencies.event(event)
            since = response["next_batch"]

    task = asyncio.create_task(sync())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _kinds(events: int) -> list[str]:
    """Return the order of videos, commands and chat messages, spread evenly."""
    share = events / EVENTS
    videos, commands = round(VIDEOS * share), round(COMMANDS * share)
    kinds = ["chat"] * events
    for number in range(videos):
        kinds[number * events // videos] = "video"
    free = [place for place, kind in enumerate(kinds) if kind == "chat"]
    for number in range(commands):
        kinds[free[number * len(free) // commands]] = "command"
    return kinds


async def _send_all(
    alice: MatrixClient, rooms: list[str], contents: list[dict[str, Any]], kinds: list[str], latencies: Latencies
) -> Counter[str]:
    sent: Counter[str] = Counter()
    numbers = iter(range(len(kinds)))

    async def send() -> None:
        for number in numbers:
            room_id, kind = rooms[number % len(rooms)], kinds[number]
            started = time.monotonic()
            if kind == "video":
                await alice.send_event(room_id, "m.room.message", contents[sent["video"] % len(contents)])
            elif kind == "command":
                event_id = await alice.send_text(room_id, _COMMAND_TEXTS[number % len(_COMMAND_TEXTS)])
                latencies.command(event_id, started)
            else:
                latencies.sent[f"said {number}"] = started
                await alice.send_text(room_id, f"said {number}")
            sent[kind] += 1

    await asyncio.gather(*(send() for _ in range(_AT_ONCE)))
    return sent


def _clips(folder: Path) -> list[Path]:
    tools = find_tools()
    clips = []
    for number in range(_DIFFERENT_CLIPS):
        clip = folder / f"clip-{number}.mp4"
        ffmpeg(
            tools, "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-f", "lavfi", "-i", f"sine={300 + number}",
            "-t", "1", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", clip,
        )  # fmt: skip
        clips.append(clip)
    return clips


def _share(times: list[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def _measure(events: int) -> None:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clips = await asyncio.to_thread(_clips, folder)
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "pg"))
        synapse = Synapse(folder / "synapse")
        reel = Installation.prepare(folder / "reel", synapse, slot="reel", database=postgres.dsn)
        reel.write_config(log={"level": "warning"})
        synapse.registrations = [reel.registration]
        await stack.enter_async_context(synapse)
        await stack.enter_async_context(reel.running())
        alice = await stack.enter_async_context(await synapse.user("alice"))
        rooms = [await make_room(alice, reel) for _ in range(ROOMS)]
        contents = [
            {"msgtype": "m.video", "body": clip.name, "url": await alice.upload(clip, "video/mp4", clip.name)}
            for clip in clips
        ]
        latencies = Latencies()
        async with _syncing(alice, latencies):
            await asyncio.sleep(1)
            kinds = _kinds(events)
            started = time.monotonic()
            sent = await _send_all(alice, rooms, contents, kinds, latencies)
            sending = time.monotonic() - started

            async def quiet() -> bool:
                rows = await reel.rows("SELECT count(*) AS n FROM videos WHERE state NOT IN ('ready', 'failed')")
                return rows[0]["n"] == 0 and not latencies.commands and not latencies.sent

            await eventually(quiet, seconds=_WAIT_S, what="the end of all work")
            working = time.monotonic() - started
        (row,) = await reel.rows("SELECT count(*) FILTER (WHERE state = 'ready') AS ready, count(*) AS n FROM videos")
        assert row["ready"] == row["n"] == sent["video"], (dict(row), sent)
        assert len(latencies.responses) == sent["command"], "a command was lost"
        print(f"{events} events in {ROOMS} rooms: {dict(sent)}; nothing lost")
        print(f"sent in {sending:.0f} s ({events / sending:.0f} a second), all ready after {working:.0f} s")
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            floor, ours = _share(latencies.echoes, share), _share(latencies.responses, share)
            print(
                f"{name}: a command's response {ours * 1000:5.0f} ms, a member's message {floor * 1000:5.0f} ms: "
                f"{ours / floor:.2f}×"
            )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./run bench bot", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help="fewer, for a quick look")
    asyncio.run(_measure(parser.parse_args().events))


if __name__ == "__main__":
    main()
