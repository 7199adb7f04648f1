"""What the widget weighs and costs, and how quick it is: the first moving picture, changes, the channel, a long list.

Each against a peer or a floor measured in the same run.
`./run bench widget [sizes|load|gap|channel|scrolling|cost|loop …]`
"""

import asyncio
import statistics
import sys
from collections.abc import Awaitable, Callable

from playwright.async_api import Browser, Page

from appservice import resources
from appservice.demo.browser import open_browser
from bench import channel, cost, gap, looping, scrolling
from bench._bare import open_bare
from bench._room import Theatre, theatre, widget_frame
from bench._sizes import sizes

ENTRY_KB, ALL_KB = 35, 220
LOAD_RATIO = 2.0
LOADS = 9

# Milliseconds from the frame's navigation until the second picture that is presented: by then it moves.
_MOVES = """() => new Promise((resolve) => {
    const look = () => {
        const video = document.querySelector('video[data-active]');
        if (video === null) return requestAnimationFrame(look);
        let pictures = 0;
        const count = (now) => {
            pictures += 1;
            if (pictures < 2) video.requestVideoFrameCallback(count);
            else resolve(now);
        };
        video.requestVideoFrameCallback(count);
    };
    look();
})"""
_MOVED = "() => window.moved"


def report_sizes() -> None:
    """Print what the page weighs."""
    weight = sizes(resources.widget_assets())
    for file, size in weight.by_file.items():
        print(f"  {file:<44}{size / 1000:8.1f} kB gzip")
    print(f"entry {weight.entry / 1000:.1f} kB gzip (target {ENTRY_KB}), ", end="")
    print(f"all JavaScript {weight.everything / 1000:.1f} kB (target {ALL_KB})")


async def _fresh_page(browser: Browser) -> Page:
    # Nothing cached: the first visit is the slowest.
    context = await browser.new_context(viewport={"width": 800, "height": 600})
    await context.add_init_script(f"window.moved = ({_MOVES})();")
    return await context.new_page()


async def _widget_load(browser: Browser, room: Theatre) -> float:
    page = await _fresh_page(browser)
    await page.goto(room.widget, wait_until="commit")
    milliseconds: float = await (await widget_frame(page)).evaluate(_MOVED)
    await page.context.close()
    return milliseconds


async def _bare_load(browser: Browser, room: Theatre, playlist: str, muted: bool) -> float:
    page = await _fresh_page(browser)
    await open_bare(page, room, playlist, muted=muted)
    milliseconds: float = await page.evaluate(_MOVED)
    await page.context.close()
    return milliseconds


async def report_load(room: Theatre) -> None:
    """Print how long the first moving picture takes, against a page that knows its playlist and has nothing else.

    With sound and without on both sides: a browser that opens its sound shows the second picture later.
    """
    # Aloud at last: the widget remembers it, and what is measured next needs it.
    for muted in (True, False):
        ours, bare = await _loads(room, muted)
        one, other = statistics.median(ours), statistics.median(bare)
        print(f"frame load to moving picture, {'muted' if muted else 'aloud'}: ", end="")
        print(f"{one:.0f} ms ({min(ours):.0f}–{max(ours):.0f}), ", end="")
        print(f"bare hls.js page {other:.0f} ms ({min(bare):.0f}–{max(bare):.0f}): ", end="")
        print(f"{one / other:.2f} (target {LOAD_RATIO})")


async def _visit_anew(room: Theatre, muted: bool) -> None:
    """Put the viewer where nobody was before, but for the sound: the widget remembers the visit before."""
    place = {
        "selection": None, "video": None, "position": 0, "volume": 1, "muted": muted, "speed": 1, "loop": "list",
        "captions": None, "keys": True,
    }  # fmt: skip
    status, answer = await room.viewer.request("PUT", f"/api/v1/rooms/{room.room_id}/place", place)
    if status != 200:
        raise RuntimeError(f"The place was refused: {answer}")


async def _loads(room: Theatre, muted: bool) -> tuple[list[float], list[float]]:
    playlist = (await room.viewer.room())["channel"]
    ours, bare = [], []
    async with open_browser("--autoplay-policy=no-user-gesture-required") as browser:
        for _ in range(LOADS):
            await _visit_anew(room, muted)
            ours.append(await _widget_load(browser, room))
            bare.append(await _bare_load(browser, room, playlist, muted))
    return ours, bare


IN_A_ROOM: dict[str, Callable[[Theatre], Awaitable[None]]] = {
    "load": report_load,
    "gap": gap.measure,
    "channel": channel.measure,
    "scrolling": scrolling.measure,
}


async def main(wanted: list[str]) -> None:
    """Measure what is asked for, or everything but what takes ten minutes."""
    if not wanted or "sizes" in wanted:
        report_sizes()
    parts = [part for name, part in IN_A_ROOM.items() if not wanted or name in wanted]
    if parts:
        async with theatre([gap.SECONDS] * 3) as room:
            for part in parts:
                await part(room)
    if not wanted or "cost" in wanted:
        async with theatre([cost.SECONDS] * 3) as room:
            await cost.measure(room)
    if "loop" in wanted:
        async with theatre([gap.SECONDS] * 3) as room:
            await looping.measure(room)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
