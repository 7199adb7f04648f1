"""What are the widget's size, cost and speed: first frames, gaps between videos, the channel, a long list?

Each against a peer or a floor measured in the same run.
`./run bench widget [sizes|load|gap|channel|scrolling|cost|loop …]`
"""

import asyncio
import statistics
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from playwright.async_api import Browser, Page

from appservice import resources
from appservice.demo.browser import open_browser
from bench import channel, gap, looping, scrolling, widget_cost
from bench._bare_player import bare_address, open_bare_player, over_line
from bench._bundle_sizes import bundle_sizes
from bench._line import CABLE, Line
from bench._widget_room import WidgetRoom, widget_room
from tests.support.browser import widget_frame

ENTRY_KB, ALL_KB = 35, 220
LOAD_RATIO = 1.5
LOADS = 9

# Milliseconds from the frame's navigation until the second video frame is presented: by then it plays.
_MOVES = """() => new Promise((resolve) => {
    const look = () => {
        const video = document.querySelector('video[data-active]');
        if (video === null) return requestAnimationFrame(look);
        let frames = 0;
        const count = (now) => {
            frames += 1;
            if (frames < 2) video.requestVideoFrameCallback(count);
            else resolve(now);
        };
        video.requestVideoFrameCallback(count);
    };
    look();
})"""
_MOVED = "() => window.moved"


def report_sizes() -> None:
    """Print the bundle's size."""
    weight = bundle_sizes(resources.widget_assets())
    for file, size in weight.by_file.items():
        print(f"  {file:<44}{size / 1000:8.1f} kB gzip")
    print(f"entry {weight.entry / 1000:.1f} kB gzip (target {ENTRY_KB}), ", end="")
    print(f"all JavaScript {weight.everything / 1000:.1f} kB (target {ALL_KB})")


async def _fresh_page(browser: Browser) -> Page:
    # Nothing cached: the first visit is the slowest.
    context = await browser.new_context(viewport={"width": 800, "height": 600})
    await context.add_init_script(f"window.moved = ({_MOVES})();")
    return await context.new_page()


async def _widget_load(browser: Browser, room: WidgetRoom) -> float:
    page = await _fresh_page(browser)
    await page.goto(room.widget, wait_until="commit")
    frame = await widget_frame(page)
    await frame.locator("[data-testid=app]").wait_for()  # over a line, the frame's document is still to come
    milliseconds: float = await frame.evaluate(_MOVED)
    await page.context.close()
    return milliseconds


async def _bare_load(browser: Browser, room: WidgetRoom, playlist: str, *, muted: bool, far: bool) -> float:
    page = await _fresh_page(browser)
    if far:
        await page.goto(bare_address(room.reel.url, playlist, muted=muted), wait_until="commit")
    else:
        await open_bare_player(page, room, playlist, muted=muted)
    milliseconds: float = await page.evaluate(_MOVED)
    await page.context.close()
    return milliseconds


async def report_load(room: WidgetRoom) -> None:
    """Print the time to the second video frame, against a page that has the playlist and hls.js alone.

    Muted and unmuted on both sides: a browser that opens an audio output presents the second frame later.
    """
    # Unmuted last: the setting is stored, and the next measurements need it.
    for muted in (True, False):
        _print_load(f"loopback, {'muted' if muted else 'unmuted'}", *await loads(room, muted=muted))
    _print_load(f"{CABLE.name}, muted", *await loads(room, muted=True, line=CABLE))


def _print_load(name: str, ours: list[float], bare: list[float]) -> None:
    one, other = statistics.median(ours), statistics.median(bare)
    print(f"frame load to second video frame, {name}: ", end="")
    print(f"{one:.0f} ms ({min(ours):.0f}–{max(ours):.0f}), ", end="")
    print(f"bare hls.js page {other:.0f} ms ({min(bare):.0f}–{max(bare):.0f}): ", end="")
    print(f"{one / other:.2f} (target {LOAD_RATIO})")


async def _visit_anew(room: WidgetRoom, muted: bool) -> None:
    """Reset the stored place of the viewer, but for the muting."""
    place = {
        "selection": None, "video": None, "position": 0, "volume": 1, "muted": muted, "speed": 1, "loop": "list",
        "captions": None, "keys": True,
    }  # fmt: skip
    status, body = await room.viewer.request("PUT", f"/api/v1/rooms/{room.room_id}/place", place)
    if status != 200:
        raise RuntimeError(f"The place was refused: {body}")


async def loads(room: WidgetRoom, *, muted: bool, line: Line | None = None) -> tuple[list[float], list[float]]:
    """Return how long the widget took from its frame's load to the second video frame, and the bare page, in ms."""
    playlist = (await room.viewer.room())["channel"]
    ours, bare = [], []
    async with AsyncExitStack() as stack:
        over = [await stack.enter_async_context(over_line(room, line))] if line else []
        browser = await stack.enter_async_context(open_browser("--autoplay-policy=no-user-gesture-required", *over))
        for _ in range(LOADS):
            await _visit_anew(room, muted)
            ours.append(await _widget_load(browser, room))
            bare.append(await _bare_load(browser, room, playlist, muted=muted, far=line is not None))
    return ours, bare


IN_A_ROOM: dict[str, Callable[[WidgetRoom], Awaitable[None]]] = {
    "load": report_load,
    "gap": gap.measure,
    "channel": channel.measure,
    "scrolling": scrolling.measure,
}


async def main(wanted: list[str]) -> None:
    """Measure the named parts, or everything but the loop, which takes ten minutes."""
    if not wanted or "sizes" in wanted:
        report_sizes()
    parts = [part for name, part in IN_A_ROOM.items() if not wanted or name in wanted]
    if parts:
        async with widget_room([gap.SECONDS] * 3) as room:
            for part in parts:
                await part(room)
    if not wanted or "cost" in wanted:
        async with widget_room([widget_cost.SECONDS] * 3) as room:
            await widget_cost.measure(room)
    if "loop" in wanted:
        async with widget_room([gap.SECONDS] * 3) as room:
            await looping.measure(room)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
