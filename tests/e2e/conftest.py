"""A browser, and the demo's host page in front of the service under test."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from appservice.demo.browser import open_browser
from appservice.demo.client import MatrixClient
from appservice.demo.clips import ALICE_CLIPS, make_clip
from tests.support.clips import make_small_clip, with_many_bits
from tests.support.host import OpenHost, hosts
from tests.support.installation import Installation
from tests.support.recording_page import FAKE_DEVICES
from tests.support.rooms import make_room
from tests.support.widget_page import RoomWithVideos
from transcode import Tools

# Playwright's five seconds are too few for a page on a busy machine.
expect.set_options(timeout=30_000)

SCREENSHOTS = Path(__file__).parents[2] / ".run" / "screenshots"


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as chromium:
        yield chromium


@pytest.fixture(scope="session")
async def studio() -> AsyncIterator[Browser]:
    """A browser with cameras and microphones."""
    async with open_browser(*FAKE_DEVICES) as chromium:
        yield chromium


@pytest.fixture
async def open_host(reel: Installation, alice: MatrixClient, bob: MatrixClient) -> AsyncIterator[OpenHost]:
    """Serve the host page for a room and return its address."""
    async with hosts(reel, alice, bob) as serve:
        yield serve


@pytest.fixture(scope="session")
async def clip(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> Path:
    """The small video of all tests, of ten frames a second: without a graphics card a browser draws its whole page
    for each of them.
    """
    return await make_small_clip(tools, tmp_path_factory.mktemp("clips") / "clip.mp4", rate=10)


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where tests put screenshots for people to look at; not part of the repository."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return SCREENSHOTS


@pytest.fixture(scope="session")
async def _room_with_videos(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, tools: Tools,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[str, RoomWithVideos]]:  # fmt: skip
    folder = tmp_path_factory.mktemp("room_with_videos")
    # Some renditions of few frames: a browser without a graphics card draws the whole page for each of them.
    clips = [
        replace(clip, seconds=4.0, width=clip.width // 2, height=clip.height // 2, rate=10) for clip in ALICE_CLIPS
    ]
    paths = [await with_many_bits(tools, await make_clip(clip, folder, tools.ffmpeg)) for clip in clips]
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, bob, room_id)
    events = [await alice.send_video(room_id, path, info=clip.info) for clip, path in zip(clips, paths, strict=True)]
    ids = [str((await viewer.video_in(event_id, "ready"))["id"]) for event_id in events]
    async with hosts(reel, alice, bob) as serve:
        url = f"{await serve(room_id)}?user=bob&layout=widget"
        yield room_id, RoomWithVideos(url, alice.user_id, ids, [Path(clip.filename).stem for clip in clips])


@pytest.fixture
async def room_with_videos(_room_with_videos: tuple[str, RoomWithVideos], reel: Installation) -> RoomWithVideos:
    """A room in which bob has watched nothing yet; the same one for all tests, none of which changes its videos."""
    room_id, room_with_videos = _room_with_videos
    await reel.rows("DELETE FROM places WHERE room_id = $1", room_id)
    return room_with_videos
