"""In Chromium, with S3: a video is watched while it is made, and when it is ready; from where segments should come."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.browser import LOG_CSP_VIOLATIONS, widget_frame
from tests.support.databases import CreateDatabase
from tests.support.host import hosts
from tests.support.installation import Installation
from tests.support.launch import fork
from tests.support.object_storage import ObjectStorage
from tests.support.processes import suspended
from tests.support.rooms import make_room
from tests.support.waiting import eventually
from transcode import Tools

_CLOCK = "() => document.querySelector('video[data-active]')?.currentTime ?? -1"
_AVAILABLE = "SELECT available FROM videos WHERE event_id = $1 AND available > 1 AND has_poster"
_SECONDS = 40


@pytest.fixture(params=["redirect", "proxy"])
async def reel(
    request: pytest.FixtureRequest, homeserver: tuple[Synapse, dict[str, Installation]], s3: ObjectStorage,
    create_migrated: CreateDatabase, tmp_path: Path,
) -> AsyncIterator[Installation]:  # fmt: skip
    """A Roomreel that stores everything in S3, and makes one rendition on one thread: there is time to look."""
    shared = homeserver[1]["reel-b"]
    installation = Installation(tmp_path / "reel", shared.synapse, dict(shared.settings), launch=fork)
    installation.folder.mkdir()
    installation.write_config(
        database=await create_migrated("objects"), transcode={"rungs": [360], "threads": 1},
        storage=s3.section(secrets.token_hex(4), serve=request.param),
    )  # fmt: skip
    await installation.start()
    yield installation
    await installation.depart()


@pytest.fixture
async def slow_clip(tmp_path: Path, tools: Tools) -> Path:
    """A video that must be encoded: its container is not one that is copied from."""
    path = tmp_path / "slow.mkv"
    process = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-loglevel", "error",
        "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30", "-f", "lavfi", "-i", "sine=440", "-t", str(_SECONDS),
        "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", path,
    )  # fmt: skip
    assert await process.wait() == 0
    return path


async def test_a_video_plays_from_object_storage(
    reel: Installation, s3: ObjectStorage, browser: Browser, alice: MatrixClient, bob: MatrixClient, slow_clip: Path
) -> None:
    origin = s3.origin if reel.settings["storage"]["serve"] == "redirect" else reel.url
    room_id = await make_room(alice, reel, bob)
    page = await browser.new_page(viewport={"width": 320, "height": 300})
    await page.add_init_script(LOG_CSP_VIOLATIONS)
    fetched, errors = list[str](), list[str]()
    page.on("response", lambda response: fetched.append(response.url) if response.status in {200, 206} else None)
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)

    def segments(stage: str) -> set[str]:
        return {url.partition("/videos/")[0] for url in fetched if f"-{stage}/360/" in url and ".m4s" in url}

    async def clock() -> float:
        return float(await frame.evaluate(_CLOCK))

    async with hosts(reel, alice, bob) as serve:
        await page.goto(f"{await serve(room_id)}?user=bob&layout=widget")
        frame = await widget_frame(page)
        event_id = await alice.send_video(room_id, slow_clip)
        await eventually(lambda: reel.rows(_AVAILABLE, event_id), what="segments of a video in progress")
        with suspended(reel.ffmpegs()):
            await frame.locator("[data-testid=player][data-playing=true]:not([data-video-id=''])").wait_for()

            async def plays() -> bool:
                return await clock() > 0.5

            await eventually(plays, what="playing what there is so far")
            assert segments("playable")
            assert all(each.startswith(origin) for each in segments("playable"))
        await frame.locator("[data-testid=video][data-state=ready]").wait_for()
        await frame.locator("input.seek").fill(str(_SECONDS - 3))

        async def plays_the_end() -> bool:
            return await clock() > _SECONDS - 2.5

        await eventually(plays_the_end, what="playing the end of what is ready")
        await eventually(lambda: _has(segments("ready")), seconds=90, what="the better stage being played")
        assert all(each.startswith(origin) for each in segments("ready"))
        await expect(frame.locator("[data-testid=player]")).to_have_attribute("data-playing", "true")
        assert not errors
    await page.close()
    assert not (reel.folder / "data" / "media").exists(), "nothing lies on the machine"


async def _has(found: set[str]) -> bool:
    return bool(found)
