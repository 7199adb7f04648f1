"""How smoothly does a list of a thousand videos scroll, against a page with nothing in it that scrolls as far?

Both are scrolled by script, by more than a row with every frame; the browser's frame callbacks measure how long each
frame took. The thousand videos are added to the room's real overview. `./run bench widget scrolling`
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, Frame, Page, Route

from appservice.demo.browser import open_browser
from bench._widget_room import WidgetRoom
from tests.support.browser import widget_frame

VIDEOS = 1000
SECONDS = 4
STEP_PX = 120  # with every frame: more than a row and a half, as a flicked wheel does
# A frame of 60 Hz is 16.7 ms; the browser's own times scatter by some tenths.
LATE_MS = 17.5
RUNS = 3

_SCROLL = """async ([selector, seconds, step]) => {
    const list = document.querySelector(selector);
    const frame = () => new Promise(requestAnimationFrame);
    list.scrollTop = 0;
    for (let rest = 0; rest < 30; rest += 1) await frame();
    const lengths = [];
    let before = await frame(), by = step, rows = 0;
    for (const end = before + seconds * 1000; before < end;) {
        list.scrollTop += by;
        const now = await frame();
        lengths.push(now - before);
        before = now;
        rows = Math.max(rows, document.querySelectorAll('.row').length);
        if (list.scrollTop <= 0 || list.scrollTop + list.clientHeight >= list.scrollHeight - 1) by = -by;
    }
    return {lengths, rows};
}"""
_EMPTY = """<!doctype html><style>body { margin: 0 } #list { block-size: 100vh; overflow: auto }
    #list div { block-size: 70000px }</style><div id="list"><div></div></div>"""


@dataclass(frozen=True)
class Smoothness:
    """Frames a second, and the share of frames that took longer than one of 60 Hz; the most rows that there were."""

    rate: float
    late: float
    rows: int


def _smoothness(runs: Sequence[dict[str, Any]]) -> Smoothness:
    lengths = [length for run in runs for length in run["lengths"]]
    late = sum(length > LATE_MS for length in lengths) / len(lengths)
    return Smoothness(1000 / statistics.mean(lengths), late, max(run["rows"] for run in runs))


def _with_many(session: dict[str, Any]) -> dict[str, Any]:
    page = session["overview"]["page"]
    first = page["videos"][0]
    page["videos"] += [
        {**first, "id": f"{number:08d}-0000-4000-8000-000000000000", "title": f"Video number {number}"}
        for number in range(len(page["videos"]), VIDEOS)
    ]
    return session


async def _open_list(page: Page, room: WidgetRoom) -> Frame:
    async def fulfill(route: Route) -> None:
        response = await route.fetch()
        await route.fulfill(response=response, json=_with_many(await response.json()))

    await page.context.route("**/api/v1/session", fulfill)
    await page.goto(room.widget)
    frame = await widget_frame(page)
    await frame.locator(f'[data-testid=member][data-member="{room.alice.user_id}"]').click()
    await frame.locator(f'[data-testid=video][aria-setsize="{VIDEOS}"]').first.wait_for()
    # Paused, or playing would be measured, too; another bench does that.
    await frame.locator("[data-testid=player][data-playing=true]:not([data-video-id=''])").wait_for()
    await frame.locator("[data-testid=player]").press("k")
    await page.wait_for_timeout(2_000)
    return frame


async def _ours(browser: Browser, room: WidgetRoom) -> dict[str, Any]:
    page = await browser.new_page(viewport={"width": 800, "height": 600})
    frame = await _open_list(page, room)
    run: dict[str, Any] = await frame.evaluate(_SCROLL, [".videos-scroll", SECONDS, STEP_PX])
    await page.context.close()
    return run


async def _empty(browser: Browser) -> dict[str, Any]:
    page = await browser.new_page(viewport={"width": 800, "height": 600})
    await page.set_content(_EMPTY)
    run: dict[str, Any] = await page.evaluate(_SCROLL, ["#list", SECONDS, STEP_PX])
    await page.context.close()
    return run


async def measure(room: WidgetRoom) -> None:
    """Measure and report; the two pages take turns, so that both meet the same machine."""
    ours, empty = [], []
    async with open_browser() as browser:
        for _ in range(RUNS):
            ours.append(await _ours(browser, room))
            empty.append(await _empty(browser))
    print(f"a list of {VIDEOS} videos, {STEP_PX} px with every frame")
    for name, seen in (("Roomreel", _smoothness(ours)), ("empty page", _smoothness(empty))):
        rows = f", at most {seen.rows} rows built" if seen.rows else ""
        print(f"  {name:<12}{seen.rate:6.1f} frames a second, {seen.late:6.1%} took longer than {LATE_MS} ms{rows}")
