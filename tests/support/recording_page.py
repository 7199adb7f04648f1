"""A page with the widget in which somebody records, in a browser that has cameras of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Frame, Locator, Page, Request

from appservice.demo.client import MatrixClient
from tests.support.browser import AXE, LOG_CSP_VIOLATIONS, widget_frame
from tests.support.waiting import eventually

# Two cameras and two microphones of the browser's own, and nobody has to allow them.
FAKE_DEVICES = ("--use-fake-device-for-media-stream=device-count=2", "--use-fake-ui-for-media-stream")


@dataclass
class RecordingPage:
    """A page with the widget in it; what it complained about, and what it sent to the server."""

    context: BrowserContext
    page: Page
    frame: Frame
    problems: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def at(self, test_id: str, more: str = "") -> Locator:
        return self.frame.locator(f"[data-testid={test_id}]{more}")

    async def press(self, *test_ids: str) -> None:
        for test_id in test_ids:
            await self.at(test_id).click()

    async def requested(self, method: str, times: int = 1) -> None:
        """Wait until the server got so many requests of a method about an upload."""

        async def enough() -> bool:
            return sum(request.method == method for request in self.requests) >= times

        await eventually(enough, what=f"{times} × {method}")


@asynccontextmanager
async def recording_page(
    browser: Browser, url: str, *, user: str = "bob", width: int = 320, height: int = 600, query: str = "",
    motion: Literal["reduce", "no-preference"] = "no-preference",
) -> AsyncIterator[RecordingPage]:  # fmt: skip
    """Open the host page, with nothing but the widget, as somebody; its context is closed at the end of the block."""
    context = await browser.new_context(viewport={"width": width, "height": height}, reduced_motion=motion)
    await context.add_init_script(LOG_CSP_VIOLATIONS)
    await context.add_init_script(path=AXE)
    page = await context.new_page()
    page.set_default_timeout(30_000)
    problems: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # The host page complains when the machine is slow.
        if message.type == "error" and not message.location["url"].startswith(url):
            problems.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: problems.append(str(error)))
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request) if "/api/v1/uploads" in request.url else None)
    try:
        await page.goto(f"{url}?user={user}&layout=widget{query}")
        frame = await widget_frame(page)
        yield RecordingPage(context, page, frame, problems, requests)
    finally:
        await context.close()


async def start_recording(seen: RecordingPage) -> None:
    """Open the view and record the camera, without waiting for the countdown."""
    await seen.press("record", "record-camera", "record-start", "record-skip")
    await seen.at("record-view", "[data-phase=recording]").wait_for()


async def sent_event(seen: RecordingPage, user: MatrixClient, room_id: str) -> dict[str, Any]:
    """Wait until the view says that it is sent, and return the event as the user's client has it."""
    await seen.at("record-sent").wait_for(timeout=90_000)
    event_id = await seen.at("record-sent").get_attribute("data-event-id")
    events = await user.messages(room_id)
    return next(event for event in events if event["event_id"] == event_id)


async def see_play(seen: RecordingPage, video_id: str) -> None:
    """Pick a video and see it move."""
    await seen.at("video", f'[data-video-id="{video_id}"] button').first.click()
    await seen.at("player", f'[data-video-id="{video_id}"][data-playing=true]').wait_for()
    clock = "() => document.querySelector('video[data-active]')?.currentTime ?? 0"
    start = await seen.frame.evaluate(clock)

    async def moved() -> bool:
        return bool(await seen.frame.evaluate(clock) > start + 0.3)

    await eventually(moved, what="the video playing")
