"""A browser, and the demo's host page in front of the service under test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from appservice.demo.browser import open_browser
from appservice.demo.client import MatrixClient
from tests.support.clips import make_small_clip
from tests.support.host import OpenHost, hosts
from tests.support.installation import Installation
from transcode import Tools

# Playwright's five seconds are too few for a page on a busy machine.
expect.set_options(timeout=30_000)

SCREENSHOTS = Path(__file__).parents[2] / ".run" / "screenshots"


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as chromium:
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
