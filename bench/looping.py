"""Does a looping reel leak: heap, nodes, listeners, buffered media?

Ratios compare with the first minute. `./run bench widget loop` takes ten minutes, so a run of everything leaves it out.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

from playwright.async_api import CDPSession, Frame, Page

from appservice.demo.browser import open_browser
from bench._widget_room import WidgetRoom
from tests.support.browser import widget_frame

MINUTES = 10
TARGET = 1.1
_MINUTE_S = 60.0
# Seconds that all media elements have buffered.
_BUFFERED = """() => [...document.querySelectorAll('video')]
    .flatMap(({buffered}) => Array.from(buffered, (_, index) => buffered.end(index) - buffered.start(index)))
    .reduce((sum, each) => sum + each, 0)"""
_COUNT_VIDEOS = """() => {
    window.videos = 0;
    const count = new MutationObserver(() => { window.videos += 1; });
    count.observe(document.querySelector('[data-testid=player]'), {attributeFilter: ['data-video-id']});
}"""


@dataclass(frozen=True)
class Size:
    """Memory of a page: MB of script heap after a collection, nodes, listeners, seconds of buffered media."""

    heap: float
    nodes: float
    listeners: float
    buffered: float


async def _size(session: CDPSession, frame: Frame) -> Size:
    await session.send("HeapProfiler.collectGarbage")
    metrics = {each["name"]: each["value"] for each in (await session.send("Performance.getMetrics"))["metrics"]}
    return Size(
        metrics["JSHeapUsedSize"] / 1e6, metrics["Nodes"], metrics["JSEventListeners"], await frame.evaluate(_BUFFERED)
    )


async def _start(page: Page, room: WidgetRoom) -> Frame:
    await page.goto(room.widget)
    frame = await widget_frame(page)
    # Her reel: the channel is kept at the live position.
    await frame.locator('[data-testid=member][data-member^="@alice:"]').click()
    await frame.locator("[data-testid=player][data-reel^='@alice:'][data-playing=true]").wait_for()
    await frame.evaluate(_COUNT_VIDEOS)
    return frame


def _report(sizes: Sequence[Size], loops: float) -> None:
    first, last = sizes[0], sizes[-1]
    print(f"a reel that looped {loops:.0f} times in {len(sizes)} minutes; target {TARGET} of the first minute")
    for field, one, other in zip(fields(Size), astuple(first), astuple(last), strict=True):
        print(f"  {field.name:<10}{one:10.1f} → {other:10.1f}: {other / one:.2f}")


async def measure(room: WidgetRoom) -> None:
    """Measure each minute, and report."""
    async with open_browser("--autoplay-policy=no-user-gesture-required") as browser:
        page = await browser.new_page(viewport={"width": 800, "height": 600})
        frame = await _start(page, room)
        session = await page.context.new_cdp_session(page)
        await session.send("Performance.enable")
        sizes = []
        for minute in range(1, MINUTES + 1):
            await asyncio.sleep(_MINUTE_S)
            sizes.append(await _size(session, frame))
            values = ", ".join(f"{f.name} {v:.1f}" for f, v in zip(fields(Size), astuple(sizes[-1]), strict=True))
            print(f"  minute {minute}: {values}", flush=True)
        _report(sizes, await frame.evaluate("() => window.videos") / len(await room.viewer.videos()))
