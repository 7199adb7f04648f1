"""How quickly are media served, against the quickest that could answer the same?

A playlist against a bare aiohttp handler with the same bytes; segments against one nginx worker, by the service alone
and behind deploy/nginx.conf; what is encrypted on disk against the same in clear. All servers have one processor, the
load (`wrk`) another; a hundred members have a grant each. Medians of five runs in turn. `./run bench serving
[NAME...]`, of what is compared
"""

import asyncio
import json
import logging
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog
import yaml

from appservice.core.tokens import GrantScope
from appservice.database.embedded import EmbeddedPostgres
from appservice.demo.synapse import free_port
from bench._load import ON_SERVER_CORE, Load
from tests.support.clips import make_small_clip
from tests.support.databases import apply_migrations
from tests.support.nginx import bare, deployed, nginx
from tests.support.service import TranscodedVideo, serving, settings_of, transcode_video
from transcode import find_tools

RUNS = 5
MEMBERS = 100
CLIP_S = 60
"""Its playlist has some 350 bytes."""
SIZES = {"50 KB": 50_000, "250 KB": 250_000, "1.3 MB": 1_300_000}
ALONE = {"50 KB": 0.25, "250 KB": 0.7, "1.3 MB": 0.95}
BEHIND = {"50 KB": 0.8, "250 KB": 0.9, "1.3 MB": 0.95}
PLAYLIST, ENCRYPTED = 0.7, 0.9
"""Goals, as parts of the floor's rate."""
KEY = {"key": "a key of the benches, long enough to be one", "all_rooms": True}


@dataclass(frozen=True)
class Made:
    """A video that is served: each member's grant, and below it the paths of its files."""

    media: Path
    grants: Sequence[str]
    files: Mapping[str, str]

    def load(self, url: str, name: str) -> Load:
        """Return the load of all members who request a file."""
        return Load(url, [f"/media/{grant}/{self.files[name]}" for grant in self.grants])


async def _make(folder: Path, dsn: str, video: TranscodedVideo, **sections: object) -> Made:
    """Make a room of many members with a video, whose stage has segments of all sizes as well."""
    async with serving(folder, dsn, **sections) as service:
        owner = service.user()
        room = await service.room(owner, *(service.user() for _ in range(MEMBERS - 1)))
        await room.show_video(owner, video)
        member = next(each for each in (await (await service.viewer(owner, room)).room())["members"] if each["videos"])
        _, _, _, _, *parts, _ = member["videos"][0]["playlist_url"].split("/")
        rendition = service.media.joinpath(*parts[1:]) / video.result.renditions[0].name
        for number, size in enumerate(SIZES.values()):
            await asyncio.to_thread((rendition / f"{9000 + number}.m4s").write_bytes, os.urandom(size))
        base = "/".join(parts)
        files = {size: f"{base}/{rendition.name}/{9000 + number}.m4s" for number, size in enumerate(SIZES)}
        _, _, _, _, *reel, _ = member["reel_url"].split("/")
        files |= {
            "reel": f"{'/'.join(reel)}/{rendition.name}.m3u8", "playlist": f"{base}/{rendition.name}.m3u8",
            "poster": f"{base}/poster.jpg",
        }  # fmt: skip
        # All at once, so that none ends before the measurement.
        keys = await service.rows(
            "SELECT rooms.key AS room, members.key FROM rooms JOIN members USING (room_id) WHERE room_id = $1",
            room.room_id,
        )
        grants = [service.context.access.grant(GrantScope(row["room"], row["key"])).path for row in keys]
        return Made(service.media, grants, files)


@asynccontextmanager
async def _process(*command: str | Path, log: Path, answers: str) -> AsyncIterator[None]:
    """Run a server with the others' processor until the context ends, once it answers an address."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(*ON_SERVER_CORE, *command, stdout=output, stderr=output)
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(60):
            while not await _is_answered(http, answers):
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await process.wait()


async def _is_answered(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


async def _serve(stack: AsyncExitStack, folder: Path, dsn: str, **sections: object) -> int:
    """Run `roomreel serve`, and return its port."""
    port = free_port()
    web = {"web": {"public_url": f"http://127.0.0.1:{port}", "port": port}, "metrics": {"port": free_port()}}
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump({**settings_of(folder, "http://127.0.0.1:9", dsn, **sections), **web}))
    command = "roomreel", "serve", "--no-worker", "-c", config
    ready = f"http://127.0.0.1:{port}/ready"
    await stack.enter_async_context(_process(*command, log=folder / "log", answers=ready))
    return port


async def _bare_handler(stack: AsyncExitStack, folder: Path, same: Load) -> Load:
    """Run a bare aiohttp handler that answers with the same bytes and headers."""
    async with aiohttp.ClientSession() as http, http.get(same.url + same.paths[0]) as response:
        body, headers = await response.read(), dict(response.headers)
    for name in ("Date", "Content-Length"):
        headers.pop(name, None)
    print(f"The playlist has {len(body)} bytes.")
    file, port = folder / "body", free_port()
    file.write_bytes(body)
    command = sys.executable, "-m", "bench._bare_server", str(port), file, json.dumps(headers)
    url = f"http://127.0.0.1:{port}"
    await stack.enter_async_context(_process(*command, log=folder / "bare.log", answers=url))
    return Load(url, same.paths)


async def _loads(stack: AsyncExitStack, folder: Path) -> dict[str, Load]:
    """Start everything that is compared."""
    tools, clip, loads = (
        find_tools(),
        await make_small_clip(find_tools(), folder / "clip.mp4", seconds=CLIP_S),
        dict[str, Load](),
    )
    for name, key, sections in (("plain", None, {}), ("encrypted", os.urandom(16), {"encryption": KEY})):
        own = folder / name
        own.mkdir()
        dsn = (await stack.enter_async_context(EmbeddedPostgres(own / "pg"))).dsn
        await apply_migrations(dsn)
        made = await _make(own, dsn, await transcode_video(clip, own / "made" / "video", tools, key), **sections)
        port = await _serve(stack, own, dsn, **sections)
        loads |= {f"{name} {file}": made.load(f"http://127.0.0.1:{port}", file) for file in made.files}
        if name == "plain":
            loads["bare handler"] = await _bare_handler(stack, own, loads["plain playlist"])
            loads |= await _by_nginx(stack, own, made, port)
    return loads


async def _by_nginx(stack: AsyncExitStack, folder: Path, made: Made, upstream: int) -> dict[str, Load]:
    """Run nginx in front of the service and, alone, of its files."""
    port, files = free_port(), free_port()
    conf = deployed(port, upstream, made.media, folder / "deployed")
    behind = await stack.enter_async_context(nginx(folder / "deployed", port, conf, runs_in=ON_SERVER_CORE))
    conf = bare(files, made.media)
    alone = await stack.enter_async_context(nginx(folder / "bare", files, conf, runs_in=ON_SERVER_CORE))
    loads = {f"nginx {size}": Load(alone, [made.files[size].removeprefix("v")]) for size in SIZES}
    return loads | {f"behind nginx {size}": made.load(behind, size) for size in SIZES}


def _compared() -> list[tuple[str, str, float]]:
    """Return what is compared: a load, its floor, and the part of the floor's rate that is the goal."""
    return [
        ("plain playlist", "bare handler", PLAYLIST),
        ("plain reel", "bare handler", PLAYLIST),
        *((f"plain {size}", f"nginx {size}", goal) for size, goal in ALONE.items()),
        *((f"behind nginx {size}", f"nginx {size}", goal) for size, goal in BEHIND.items()),
        *((f"encrypted {size}", f"plain {size}", ENCRYPTED) for size in SIZES),
        ("encrypted reel", "plain reel", ENCRYPTED),
        ("encrypted poster", "plain poster", 0.0),
    ]


async def _measure(names: Sequence[str]) -> None:
    compared = [each for each in _compared() if not names or each[0] in names]
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        loads = await _loads(stack, folder)
        async with aiohttp.ClientSession() as http:
            for name, load in loads.items():
                async with http.get(load.url + load.paths[0]) as response:
                    assert response.status == 200, f"{name}: {await response.text()}"
        loads = {name: load for name, load in loads.items() if any(name in each for each in compared)}
        rates: dict[str, list[float]] = {name: [] for name in loads}
        for _ in range(RUNS):
            for name, load in loads.items():
                rates[name].append(await load.rate(folder))
    print(f"{'Requests a second':<24}{'':>8}  {'floor':<16}{'':>8}  ratio   goal")
    for name, floor, goal in compared:
        ours, theirs = statistics.median(rates[name]), statistics.median(rates[floor])
        verdict = f"{goal:.2f}: {'holds' if ours / theirs >= goal else 'MISSED'}" if goal else "none"
        print(f"{name:<24}{ours:8.0f}  {floor:<16}{theirs:8.0f}   {ours / theirs:.2f}   {verdict}")


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(_measure(sys.argv[1:]))
