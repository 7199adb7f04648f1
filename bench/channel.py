"""How far apart are two viewers of the room's channel?

Two Chromium processes with wrong clocks, one four seconds behind and one seven ahead, look at the same channel through
the host page: once while each response of the server takes a different time, once over a line with latency and loss.
Two figures: the media clocks (`currentTime`, which the audio follows) and the frames, as the browsers' frame callbacks
have them. A browser presents frames at its refreshes alone (every 16.7 ms), keeps to a rhythm once found, and may be a
frame late or early against its own clock for long: the frames' distance comes in steps of a refresh. How far each
browser's frames are behind its own clock is printed beside, for no player can change that.
`./run bench channel [ROUND …]`
"""

import asyncio
import bisect
import random
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from playwright.async_api import Browser, Frame, Route

from appservice.demo.browser import open_browser
from bench._bare_player import over_line
from bench._line import FAR, Line
from bench._widget_room import WidgetRoom, widget_room
from tests.support.browser import widget_frame

CLOCKS_MS = (-4400, 7300)
JITTER_S = (0.02, 0.2)
FROM_S = 10  # by then a viewer who has just joined should be in sync
SECONDS = 75  # over many seams, and once over the end of the playlist, which repeats a short list for a minute
MEDIAN_MS, MOST_MS = 5, 15
JITTERY = "20–200 ms for each response"
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
            const now = performance.timeOrigin + performance.now(), {currentTime, playbackRate} = video;
            if (video.dataset.active !== undefined) {
                window.frames.push([at, mediaTime * 1000, now, currentTime * 1000, playbackRate]);
            }
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


async def _enter(browser: Browser, room: WidgetRoom, user: str, clock_ms: int, *, jittery: bool) -> Frame:
    context = await browser.new_context(viewport={"width": 640, "height": 480})
    await context.add_init_script(_WRONG_CLOCK.replace("SHIFT", str(clock_ms)))
    for pattern in ("**/media/**", "**/api/v1/time") if jittery else ():
        await context.route(pattern, _late)
    page = await context.new_page()
    await page.goto(f"{room.host}?user={user}&layout=widget")
    frame = await widget_frame(page)
    await frame.locator("[data-testid=member][data-member='*']").click()  # a chat of two opens at the other's reel
    await frame.locator("[data-testid=player][data-reel='*'][data-playing=true]:not([data-video-id=''])").wait_for()
    await frame.evaluate(_RECORD)
    return frame


@dataclass(frozen=True)
class _Look:
    """A frame: when it was presented and which it is; the media clock right after, and the rate. Times in ms."""

    at: float
    frame: float
    read_at: float
    clock: float
    rate: float


async def _frames(frame: Frame) -> list[_Look]:
    ahead = await ahead_of_us(frame)
    recorded: list[list[Any]] = await frame.evaluate(_RECORDED)
    return [_Look(at - ahead, place, read - ahead, clock, rate) for at, place, read, clock, rate in recorded]


async def _watch(room: WidgetRoom, line: Line | None) -> list[list[_Look]]:
    # Two processes: two pages of one browser disturb each other.
    async with AsyncExitStack() as stack:
        browsers = []
        for _ in CLOCKS_MS:
            over = [await stack.enter_async_context(over_line(room, line))] if line else []
            arguments = "--autoplay-policy=no-user-gesture-required", *over
            browsers.append(await stack.enter_async_context(open_browser(*arguments)))
        frames = [
            await _enter(browser, room, user, clock_ms, jittery=line is None)
            for browser, user, clock_ms in zip(browsers, ("alice", "bob"), CLOCKS_MS, strict=True)
        ]
        await asyncio.sleep(FROM_S)
        for frame in frames:
            await _frames(frame)
        await asyncio.sleep(SECONDS)
        return [await _frames(frame) for frame in frames]


async def measure(room: WidgetRoom, *rounds: str) -> None:
    """Print the drift between two viewers, in the named rounds or all."""
    schedule = (await room.viewer.room())["schedule"]
    length = sum(item["duration"] for item in schedule["items"]) * 1000
    print(f"two viewers, clocks {CLOCKS_MS[0] / 1000} s and +{CLOCKS_MS[1] / 1000} s; ", end="")
    print(f"targets: p50 {MEDIAN_MS}, p95 {MOST_MS}")
    for name, line in ROUNDS.items():
        if rounds and name not in rounds:
            continue
        alices, bobs = await _watch(room, line)
        clocks = drift_of(
            [(look.read_at, look.clock) for look in alices], [(look.read_at, look.clock) for look in bobs], length
        )
        shown = drift_of([(look.at, look.frame) for look in alices], [(look.at, look.frame) for look in bobs], length)
        print(f"{name}: {line.name if line else JITTERY}\n  media clocks {clocks}\n  frames {shown}")
        for user, looks in (("alice", alices), ("bob", bobs)):
            nudged = sum(look.rate != 1 for look in looks) / len(looks)
            seeks = sum(abs(b.frame - a.frame) > 500 for a, b in pairwise(looks))
            changes = sum(a.rate != b.rate for a, b in pairwise(looks))
            print(f"  {user}: nudged {nudged:.0%} of the time in {changes} changes, ", end="")
            print(f"{seeks} jumps (one for each end of the playlist); ", end="")
            behind = sorted(look.clock - look.read_at - look.frame + look.at for look in looks)
            print(f"frames behind its clock p50 {statistics.median(behind):.0f} ms, ", end="")
            print(f"p5 to p95 {behind[len(behind) // 20]:.0f} to {behind[len(behind) * 19 // 20]:.0f} ms")


async def main(rounds: list[str]) -> None:
    """Start everything, measure, and leave nothing."""
    async with widget_room(LENGTHS) as room:
        await measure(room, *rounds)


ROUNDS: dict[str, Line | None] = {"jitter": None, "far": FAR}


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
