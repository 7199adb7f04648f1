"""How many events a second are taken in? Transactions as a homeserver sends them: one after another, on one connection.

Video events, alone and 100 in a transaction, beside a bare aiohttp handler that inserts each by asyncpg (and beside one
that inserts all of a transaction in one statement); and a homeserver's mixed traffic, 95 % of which is not ours,
beside a bare handler that parses the same bodies. All in turn, several times; the medians. `./run bench intake`
"""

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from appservice.database.embedded import EmbeddedPostgres
from appservice.demo.synapse import Synapse, free_port
from tests.support.installation import Installation
from tests.support.launch import ROOT
from tests.support.waiting import eventually

ROUNDS = 5
_ROOMS, _USERS = 50, 200
_SERVER = "example.org"
_TARGETS = {"1": 0.5, "100": 0.6, "mixed": 0.6}
_MIXED_EVENTS_A_SECOND = 5000
Event = dict[str, Any]


@dataclass
class Traffic:
    """Makes events, never the same twice, for rooms with the bot."""

    bot: str
    dice: random.Random = field(default_factory=lambda: random.Random(20))  # noqa: S311 - a seed
    _numbers: Iterator[int] = field(default_factory=count)

    def event(self, kind: str, content: dict[str, Any], **more: object) -> Event:
        """Return an event of some member in some room, with what homeservers add."""
        number = next(self._numbers)
        sender = more.get("state_key") or f"@user{self.dice.randrange(_USERS)}:{_SERVER}"
        event_id = f"${number:08x}{self.dice.getrandbits(128):032x}Zz"
        return {
            "type": kind, "room_id": f"!room{self.dice.randrange(_ROOMS)}:{_SERVER}", "sender": sender,
            "event_id": event_id, "content": content, "origin_server_ts": 1_790_000_000_000 + number,
            "unsigned": {"age": self.dice.randrange(9999)}, "user_id": sender, "age": 17, **more,
        }  # fmt: skip

    def video(self) -> Event:
        """Return a video as clients send it."""
        info = {
            "mimetype": "video/mp4", "size": self.dice.randrange(10**8), "w": 1280, "h": 720, "duration": 12_000,
            "thumbnail_url": self._mxc(), "thumbnail_info": {"mimetype": "image/jpeg", "w": 640, "h": 360, "size": 999},
            "xyz.amorgan.blurhash": "L6PZfSi_.AyE_3t7t7R**0o#DgR4",
        }  # fmt: skip
        name = f"VID_20261201_{self.dice.randrange(10**6):06}.mp4"
        content = {"msgtype": "m.video", "body": name, "filename": name, "url": self._mxc(), "info": info}
        return self.event("m.room.message", content)

    def mixed(self) -> Event:
        """Return an event of a homeserver's usual traffic: one of twenty changes something here."""
        ours = self.dice.random() < 0.05
        draw = self.dice.random()
        if ours:
            if draw < 0.6:
                return self.video()
            if draw < 0.9:
                user = f"@user{self.dice.randrange(_USERS)}:{_SERVER}"
                content = {
                    "membership": "join",
                    "displayname": f"Name {self.dice.randrange(99)}",
                    "avatar_url": self._mxc(),
                }
                return self.event("m.room.member", content, state_key=user)
            return self.event("m.room.redaction", {"redacts": self._event_id()}, redacts=self._event_id())
        return self._others(draw)

    def _others(self, draw: float) -> Event:
        words = " ".join(self.dice.choices(("well", "the", "video", "of", "yesterday", "就是", "so", "schön"), k=12))
        text: dict[str, Any] = {"msgtype": "m.text", "body": words, "m.mentions": {}}
        if draw < 0.5:
            return self.event("m.room.message", text)
        if draw < 0.65:
            formatted = {"format": "org.matrix.custom.html", "formatted_body": f"<p>{words}</p>"}
            reply = {"m.relates_to": {"m.in_reply_to": {"event_id": self._event_id()}}}
            return self.event("m.room.message", {**text, **formatted, **reply})
        if draw < 0.85:
            relation = {"rel_type": "m.annotation", "event_id": self._event_id(), "key": "👍️"}
            return self.event("m.reaction", {"m.relates_to": relation})
        if draw < 0.92:
            edit = {"m.new_content": text, "m.relates_to": {"rel_type": "m.replace", "event_id": self._event_id()}}
            return self.event("m.room.message", {**text, "body": f"* {words}", **edit})
        if draw < 0.96:
            image = {"msgtype": "m.image", "body": "photo.jpg", "url": self._mxc(), "info": {"mimetype": "image/jpeg"}}
            return self.event("m.room.message", image)
        return self.event("org.matrix.msc3401.call.member", {"m.calls": []}, state_key=f"_{draw}")

    def state(self) -> list[Event]:
        """Return how the bot came into the rooms, and their members."""
        events = []
        for number in range(_ROOMS):
            room = {"room_id": f"!room{number}:{_SERVER}"}
            users = (self.bot, *(f"@user{n}:{_SERVER}" for n in range(_USERS // 10)))
            joins = (self.event("m.room.member", {"membership": "join"}, state_key=user) for user in users)
            events += [{**each, **room} for each in joins]
            levels = {"users": {self.bot: 50, f"@user0:{_SERVER}": 100}}
            events.append({**self.event("m.room.power_levels", levels, state_key=""), **room})
        return events

    def _mxc(self) -> str:
        return f"mxc://{_SERVER}/{self.dice.getrandbits(96):024x}"

    def _event_id(self) -> str:
        return f"${self.dice.getrandbits(160):040x}Zzz"


@dataclass
class Homeserver:
    """Sends transactions on one connection, the next one when the last is acknowledged."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    path: str
    token: str
    _sent: int = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def connected(cls, port: int, path: str, token: str = "") -> AsyncIterator["Homeserver"]:
        """Yield one that is connected to a server on this machine."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield cls(reader, writer, path, token)
        finally:
            writer.close()

    async def send(self, bodies: Sequence[bytes]) -> float:
        """Send transactions, and return how many seconds it took until the last was acknowledged."""
        requests = [self._request(body) for body in bodies]
        started = time.perf_counter()
        for request in requests:
            self.writer.write(request)
            head = await self.reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await self.reader.readexactly(length)
        return time.perf_counter() - started

    def _request(self, body: bytes) -> bytes:
        self._sent += 1
        head = (
            f"PUT {self.path}/{self._sent} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@dataclass(frozen=True)
class Scene:
    """What is sent in a round: so many transactions of so many events, and to whom beside us."""

    name: str
    transactions: int
    events: int
    floors: tuple[str, ...]


_SCENES = (
    Scene("1", 300, 1, ("insert",)),
    Scene("100", 15, 100, ("insert", "set")),
    Scene("mixed", 60, 100, ("parse",)),
)


def _bodies(traffic: Traffic, scene: Scene) -> list[bytes]:
    make = traffic.mixed if scene.name == "mixed" else traffic.video
    return [
        json.dumps({"events": [make() for _ in range(scene.events)]}, ensure_ascii=False).encode()
        for _ in range(scene.transactions)
    ]


@contextlib.asynccontextmanager
async def _bare(dsn: str) -> AsyncIterator[int]:
    """Yield the port of the floors."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench._bare_intake", str(port), dsn, cwd=ROOT)
    try:

        async def listens() -> bool:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return True
            return False

        await eventually(listens, what="the bare handlers")
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _measure(servers: dict[str, Homeserver], traffic: Traffic, rounds: int) -> None:
    for scene in _SCENES:
        rates: dict[str, list[float]] = {}
        for number in range(rounds + 1):
            bodies = _bodies(traffic, scene)
            for name in ("ours", *scene.floors):
                seconds = await servers[name].send(bodies)
                if number:  # the first warms up: prepared statements, connections
                    rates.setdefault(name, []).append(scene.transactions * scene.events / seconds)
        ours = statistics.median(rates["ours"])
        print(f"{scene.name:>6}: {ours:8,.0f} events a second")
        if scene.name == "mixed":
            print(f"        (target ≥ {_MIXED_EVENTS_A_SECOND:,})")
        for floor in scene.floors:
            ratio = statistics.median(mine / bare for mine, bare in zip(rates["ours"], rates[floor], strict=True))
            target = f" (target ≥ {_TARGETS[scene.name]})" if floor != "set" else ""
            print(f"        {ratio:.2f} of a bare {floor}, {statistics.median(rates[floor]):,.0f} a second{target}")


async def _run(rounds: int) -> None:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "pg"))
        # It gives its name; nothing here needs it to run.
        synapse = Synapse(folder / "synapse")
        reel = Installation.prepare(folder / "reel", synapse, slot="reel", database=postgres.dsn)
        reel.write_config(log={"level": "warning"})
        await reel.start(command=("serve", "--no-worker"))
        stack.push_async_callback(reel.stop)
        bare = await stack.enter_async_context(_bare(postgres.dsn))
        port, path = int(reel.settings["web"]["port"]), "/_matrix/app/v1/transactions"
        servers = {"ours": await stack.enter_async_context(Homeserver.connected(port, path, reel.hs_token))}
        for floor in ("insert", "set", "parse"):
            servers[floor] = await stack.enter_async_context(Homeserver.connected(bare, f"/{floor}"))
        traffic = Traffic(reel.bot)
        await servers["ours"].send([json.dumps({"events": traffic.state()}).encode()])
        # As the worker does soon after the bot came: until then rooms may be encrypted.
        await reel.rows("UPDATE rooms SET state_read_at = now()")
        await _measure(servers, traffic, rounds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./run bench intake", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="fewer, for a quick look")
    asyncio.run(_run(parser.parse_args().rounds))


if __name__ == "__main__":
    main()
