"""What does the widget cost its viewer: CPU time while a video plays, script time and bytes of a first visit?

Each against a page that has hls.js, the same playlist at the same size and nothing else, in turn; both unmuted.
`./run bench widget cost`
"""

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil
from playwright.async_api import Browser, Frame, Page

from appservice.demo.browser import open_browser
from bench._bare_player import open_bare_player
from bench._widget_room import WidgetRoom
from tests.support.browser import widget_frame

RUNS = 5
SECONDS = 30  # of each video: a change of the item costs more than playing it
SETTLE_S, PLAYING_S = 6.0, 10.0
PROCESSOR_RATIO, SCRIPT_RATIO, BYTES_KB = 1.5, 1.6, 190
_PLAYS = "() => [...document.querySelectorAll('video')].some((video) => video.currentTime > 0.5 && !video.paused)"
# What compiles or runs scripts on a page's thread; one within another counts once.
_SCRIPT = {
    "EvaluateScript", "EventDispatch", "FireAnimationFrame", "FunctionCall", "RunMicrotasks", "TimerFire",
    "XHRLoad", "XHRReadyStateChange", "v8.compile", "v8.compileModule", "v8.evaluateModule",
}  # fmt: skip
_TRACED = ["devtools.timeline", "v8", "disabled-by-default-v8.compile"]
# The window, and the area of the widget's video in it, in CSS pixels.
_WINDOW, _STAGE = (800, 600), (560, 600)
_MEDIA = (".m4s", ".mp4", ".m3u8", ".jpg", ".webp", ".vtt")

Show = Callable[[Page, WidgetRoom], Awaitable[Frame]]
"""Opens a player in a page; returns the frame that plays."""


@dataclass(frozen=True)
class Visit:
    """A first visit until its video plays: seconds of script on the page's thread; bytes transferred without media."""

    script: float
    transferred: int


def _browser_seconds() -> float:
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "chrom" in process.name():
                times = process.cpu_times()
                total += times.user + times.system
    return total


async def _fresh(browser: Browser) -> Page:
    context = await browser.new_context(viewport={"width": _WINDOW[0], "height": _WINDOW[1]})
    return await context.new_page()


async def _ours(page: Page, room: WidgetRoom) -> Frame:
    # Another site than the widget's own, as clients are: its frame has a process of its own.
    await page.goto(room.widget.replace("127.0.0.1", "localhost"), wait_until="commit")
    return await widget_frame(page)


async def _bare(page: Page, room: WidgetRoom) -> Frame:
    playlist = (await room.viewer.room())["channel"]
    await open_bare_player(page, room, playlist, muted=False)
    await page.main_frame.locator("video").evaluate(
        "(video, size) => Object.assign(video.style, {inlineSize: `${size[0]}px`, blockSize: `${size[1]}px`})", _STAGE
    )
    return page.main_frame


async def _processor(browser: Browser, room: WidgetRoom, show: Show) -> float:
    """Return the share of one processor that the whole browser takes while the page plays."""
    page = await _fresh(browser)
    frame = await show(page, room)
    await frame.wait_for_function(_PLAYS)
    await asyncio.sleep(SETTLE_S)
    before, started = _browser_seconds(), time.monotonic()
    await asyncio.sleep(PLAYING_S)
    share = (_browser_seconds() - before) / (time.monotonic() - started)
    await page.context.close()
    return share


async def _visit(browser: Browser, room: WidgetRoom, show: Show) -> Visit:
    page = await _fresh(browser)
    await browser.start_tracing(page=page, categories=_TRACED)
    frame = await show(page, room)
    await frame.wait_for_function(_PLAYS)
    trace = json.loads(await browser.stop_tracing())
    transferred = await frame.evaluate(
        """(media) => performance.getEntries()
            .filter(({entryType, name}) => ['navigation', 'resource'].includes(entryType)
                && !media.some((ending) => new URL(name).pathname.endsWith(ending)))
            .reduce((sum, {transferSize}) => sum + transferSize, 0)""",
        list(_MEDIA),
    )
    await page.context.close()
    return Visit(_script_seconds(trace["traceEvents"], room.reel.url), transferred)


def _script_seconds(events: Sequence[dict[str, Any]], site: str) -> float:
    """Return the seconds that scripts took on the thread that ran those of a site."""
    scripts = [event for event in events if event.get("ph") == "X" and event["name"] in _SCRIPT]
    threads = {
        (event["pid"], event["tid"])
        for event in scripts
        if str(event.get("args", {}).get("data", {}).get("url", "")).startswith(site)
    }
    total = 0.0
    for thread in threads:
        end = 0
        for event in sorted((e for e in scripts if (e["pid"], e["tid"]) == thread), key=lambda e: e["ts"]):
            if event["ts"] >= end:
                total += event.get("tdur", event["dur"])
                end = event["ts"] + event["dur"]
    return total / 1e6


def _report(what: str, ours: Sequence[float], bare: Sequence[float], scale: float, unit: str, target: float) -> None:
    one, other = statistics.median(ours), statistics.median(bare)
    spread = f"{min(ours) * scale:.0f}–{max(ours) * scale:.0f}"
    print(f"{what}: {one * scale:.0f} {unit} ({spread}), bare hls.js page {other * scale:.0f} {unit}: ", end="")
    print(f"{one / other:.2f} (target {target})")


async def measure(room: WidgetRoom) -> None:
    """Measure and report; the two pages take turns, so that both meet the same machine."""
    playing: dict[Show, list[float]] = {_ours: [], _bare: []}
    visits: dict[Show, list[Visit]] = {_ours: [], _bare: []}
    async with open_browser("--autoplay-policy=no-user-gesture-required") as browser:
        for _ in range(RUNS):
            for show in (_ours, _bare):
                visits[show].append(await _visit(browser, room, show))
                playing[show].append(await _processor(browser, room, show))
    _report("processor while playing", playing[_ours], playing[_bare], 100, "%", PROCESSOR_RATIO)
    scripts = {show: [visit.script for visit in seen] for show, seen in visits.items()}
    _report("scripts of a first visit", scripts[_ours], scripts[_bare], 1000, "ms", SCRIPT_RATIO)
    transferred = statistics.median(visit.transferred for visit in visits[_ours]) / 1000
    print(f"bytes of a first visit without media: {transferred:.0f} kB (target {BYTES_KB})")
