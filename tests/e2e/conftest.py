"""A browser, and the demo's host page in front of the service under test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from appservice.demo.browser import open_browser
from appservice.demo.client import MatrixClient
from appservice.demo.host import host_of, serve_host
from appservice.demo.synapse import free_port
from tests.support import Installation, make_small_clip
from transcode import Tools

# Playwright's five seconds are too few for a page on a busy machine.
expect.set_options(timeout=30_000)

SCREENSHOTS = Path(__file__).parent.parent.parent / ".run" / "screenshots"
OpenHost = Callable[[str], Awaitable[str]]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as chromium:
        yield chromium


@pytest.fixture
async def open_host(reel: Installation, alice: MatrixClient, bob: MatrixClient) -> AsyncIterator[OpenHost]:
    """Serve the host page for a room and return its address."""
    async with hosts(reel, alice, bob) as serve:
        yield serve


@asynccontextmanager
async def hosts(reel: Installation, alice: MatrixClient, bob: MatrixClient) -> AsyncIterator[OpenHost]:
    """Yield what serves the host page for a room, until the end of the block, and returns its address."""
    async with AsyncExitStack() as stack:

        async def serve(room_id: str) -> str:
            about = {
                "homeserver_url": reel.synapse.base_url,
                "server_name": reel.synapse.server_name,
                "room_id": room_id,
                "users": [
                    {"user_id": user.user_id, "password": "secret", "display_name": user.user_id[1:].partition(":")[0]}
                    for user in (alice, bob)
                ],
            }
            port = free_port()
            runner = await serve_host(host_of(about, reel.synapse.base_url, reel.url), port)
            stack.push_async_callback(runner.cleanup)
            return f"http://127.0.0.1:{port}/"

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
