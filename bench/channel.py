"""How far apart are two viewers of the room's channel?

Two Chromium processes with wrong clocks, one four seconds behind and one seven ahead, look at the same channel through
the host page while each response of the server takes a different time. Which frame each of them shows when comes from
the browsers' frame callbacks. `./run bench channel`
"""

import asyncio
import bisect
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from playwright.async_api import Browser, Frame, Route

from appservice.demo.browser import open_browser
from bench._widget_room import WidgetRoom, widget_room
from tests.support.browser import widget_frame

CLOCKS_MS = (-4400, 7300)
JITTER_S = (0.02, 0.2)
FROM_S = 10  # by then a viewer who has just joined should be in sync
SECONDS = 75  # over many seams, and once over the end of the playlist, which repeats a short list for a minute
MEDIAN_MS, WORST_MS = 25, 80
LENGTHS = (3, 4, 3.5)

_WRONG_CLOCK = """(() => {
    const Right = Date;
    window.Date = class extends Right {
        constructor(...parts) { if (parts.length === 0) super(Right.now() + SHIFT); else super(...parts); }
        static now() { return Right.now() + SHIFT; }
    };
})();"""
_RECORD = """() => {
    window.frames = [];
    for (const video of document.querySelectorAll('video')) {
        const look = (_, {mediaTime, presentationTime}) => {
            const at = performance.timeOrigin + presentationTime;
            if (video.dataset.active !== undefined) window.frames.push([at, mediaTime * 1000, video.playbackRate]);
            video.requestVideoFrameCallback(look);
        };
        video.requestVideoFrameCallback(look);
    }
}"""
_RECORDED = "() => window.frames.splice(0)"
_CLOCK = "() => performance.timeOrigin + performance.now()"


@dataclass(frozen=True)
class Drift:
    """Distance between two viewers' positions in ms: p50, p95 and maximum, of so many frames."""

    median: float
    most: float
    worst: float
    looks: int

    def __str__(self) -> str:
        return f"p50 {self.median:.0f} ms, p95 {self.most:.0f} ms, worst {self.worst:.0f} ms of {self.looks} frames"


def drift_of(one: Sequence[tuple[float, float]], other: Sequence[tuple[float, float]], length: float) -> Drift:
    """Compare two viewers' frames, each (wall time, position) in ms, of a reel that loops after `length` ms."""
    times = [at for at, _ in other]
    apart = []
    for at, place in one:
        index = bisect.bisect(times, at)
        if not 0 < index < len(times):
            continue
        (before_at, before), (after_at, after) = other[index - 1], other[index]
        if after_at - before_at > 250 or not 0 <= after - before < 250:
            continue  # a stall or a seek: nothing to interpolate
        there = before + (after - before) * (at - before_at) / (after_at - before_at)
        apart.append(abs((place - there + length / 2) % length - length / 2))
    ordered = sorted(apart)
    return Drift(statistics.median(ordered), ordered[int(len(ordered) * 0.95)], ordered[-1], len(ordered))


async def ahead_of_us(frame: Frame) -> float:
    """Return by how many ms a page's clock is ahead of this process's."""
    samples = []
    for _ in range(40):
        requested = time.time() * 1000
        theirs = float(await frame.evaluate(_CLOCK))
        received = time.time() * 1000
        samples.append((received - requested, theirs - (requested + received) / 2))
    return min(samples)[1]


async def _late(route: Route) -> None:
    await asyncio.sleep(random.uniform(*JITTER_S))  # noqa: S311 - no secret
    await route.continue_()


async def _enter(browser: Browser, room: WidgetRoom, user: str, clock_ms: int) -> Frame:
    context = await browser.new_context(viewport={"width": 640, "height": 480})
    await context.add_init_script(_WRONG_CLOCK.replace("SHIFT", str(clock_ms)))
    await context.route("**/media/**", _late)
    await context.route("**/api/v1/time", _late)
    page = await context.new_page()
    await page.goto(f"{room.host}?user={user}&layout=widget")
    frame = await widget_frame(page)
    await frame.locator("[data-testid=member][data-member='*']").click()  # a chat of two opens at the other's reel
    await frame.locator("[data-testid=player][data-reel='*'][data-playing=true]:not([data-video-id=''])").wait_for()
    await frame.evaluate(_RECORD)
    return frame


async def _frames(frame: Frame) -> list[tuple[float, float, float]]:
    ahead = await ahead_of_us(frame)
    recorded: list[list[Any]] = await frame.evaluate(_RECORDED)
    return [(at - ahead, place, rate) for at, place, rate in recorded]


async def measure(room: WidgetRoom) -> None:
    """Print the drift between two viewers."""
    schedule = (await room.viewer.room())["schedule"]
    length = sum(item["duration"] for item in schedule["items"]) * 1000
    # Two processes: two pages of one browser disturb each other.
    async with (
        open_browser("--autoplay-policy=no-user-gesture-required") as one,
        open_browser("--autoplay-policy=no-user-gesture-required") as other,
    ):
        frames = [
            await _enter(browser, room, user, clock_ms)
            for browser, user, clock_ms in zip((one, other), ("alice", "bob"), CLOCKS_MS, strict=True)
        ]
        await asyncio.sleep(FROM_S)
        for frame in frames:
            await _frames(frame)
        await asyncio.sleep(SECONDS)
        alices, bobs = [await _frames(frame) for frame in frames]
    drift = drift_of([frame[:2] for frame in alices], [frame[:2] for frame in bobs], length)
    print(f"two viewers, clocks {CLOCKS_MS[0] / 1000} s and +{CLOCKS_MS[1] / 1000} s, ", end="")
    print(f"{JITTER_S[0] * 1000:.0f}–{JITTER_S[1] * 1000:.0f} ms for each response: {drift}")
    print(f"targets: p50 {MEDIAN_MS}, p95 {WORST_MS}")
    for name, viewer in (("alice", alices), ("bob", bobs)):
        nudged = sum(rate != 1 for _, _, rate in viewer) / len(viewer)
        seeks = sum(abs(b[1] - a[1]) > 500 for a, b in pairwise(viewer))
        print(f"  {name}: nudged {nudged:.0%} of the time, {seeks} jumps (one for each end of the playlist)")


async def main() -> None:
    """Start everything, measure, and leave nothing."""
    async with widget_room(LENGTHS) as room:
        await measure(room)


if __name__ == "__main__":
    asyncio.run(main())
