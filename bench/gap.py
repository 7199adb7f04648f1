"""How long do video and audio stop where one video of a reel follows another, and where the reel loops?

Measured in Chromium on the real service through the host page, against bare pages that play the same videos' own
playlists with hls.js: one gives its element a new source for each video, one has two elements that take turns.
The frames' times come from the browser's frame callbacks, silence from the samples that it plays: the videos hold a
continuous tone. `./run bench gap`
"""

import asyncio
import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from playwright.async_api import Browser, Frame, Page

from appservice.demo.browser import open_browser
from bench._widget_room import RATE, WidgetRoom, widget_room
from tests.support.browser import widget_frame
from tests.support.launch import ROOT

SECONDS = 3
CHANGES = 12
WRAPS = 6
LATENCY_MS = 100
FRAME_MS = 1000 / RATE
# Targets: at a change, at most the interval of one missing frame; at a wrap, none.
VIDEO_MS, SILENCE_MS, WRAP_MS = 50, 6, 15
# Around a change within which a longer frame or a silence counts as its own, in milliseconds.
BEFORE_MS, AFTER_MS = 300, 500
_HLS = ROOT / "widget" / "node_modules" / "hls.js" / "dist" / "hls.light.min.js"

_RECORD = """async () => {
    const worklet = `registerProcessor('silence', class extends AudioWorkletProcessor {
        silent = 0;
        process([input]) {
            for (let at = 0; at < 128; at += 1) {
                if (Math.abs(input[0]?.[at] ?? 0) < 0.01) { this.silent += 1; continue; }
                // A tone crosses zero, too: half a millisecond is none of its own.
                if (this.silent > 24 || !this.heard) this.port.postMessage(this.silent / sampleRate * 1000);
                this.silent = 0;
                this.heard = true;
            }
            return true;
        }
    })`;
    const context = new AudioContext({sampleRate: 48000});
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], {type: 'text/javascript'})));
    const node = new AudioWorkletNode(context, 'silence');
    node.connect(context.destination);
    window.recorded = {frames: [], silences: []};
    node.port.onmessage = ({data}) => window.recorded.silences.push({end: performance.now(), length: data});
    document.querySelectorAll('video').forEach((video, element) => {
        context.createMediaElementSource(video).connect(node);
        const look = (_, {mediaTime, presentationTime, presentedFrames}) => {
            if (video.dataset.active !== undefined) {
                window.recorded.frames.push({element, place: mediaTime, at: presentationTime, count: presentedFrames});
            }
            video.requestVideoFrameCallback(look);
        };
        video.requestVideoFrameCallback(look);
    });
    await context.resume();
}"""
_RECORDED = "() => { const {frames, silences} = window.recorded; return {frames, silences}; }"

_NEW_SOURCE = """(urls) => {
    const video = document.querySelector('video'), hls = new Hls({enableWorker: false});
    let next = 0;
    video.dataset.active = '';
    const go = () => { hls.loadSource(urls[next++ % urls.length]); video.play(); };
    video.addEventListener('ended', go);
    hls.attachMedia(video);
    go();
}"""

_TWO_ELEMENTS = """(urls) => {
    const players = [...document.querySelectorAll('video')].map((video) => {
        const hls = new Hls({enableWorker: false});
        hls.attachMedia(video);
        return {video, hls};
    });
    let next = 0;
    const prepare = ({hls}) => hls.loadSource(urls[next++ % urls.length]);
    const show = (one, other) => {
        delete other.video.dataset.active;
        one.video.dataset.active = '';
        one.video.play();
        prepare(other);
    };
    const [one, other] = players;
    one.video.addEventListener('ended', () => show(other, one));
    other.video.addEventListener('ended', () => show(one, other));
    prepare(one);
    show(one, other);
}"""
_PAGE = "<style>video {{ position: fixed; width: 640px }} video:not([data-active]) {{ opacity: 0 }}</style>{}"

_SEEK_TO_LAST = """async (before) => {
    const video = document.querySelector('video[data-active]');
    video.currentTime = video.duration - before;
}"""


@dataclass(frozen=True)
class Change:
    """One video following another: the longest interval between two frames, and the silence, in ms."""

    video: float
    silence: float
    kind: Literal["next", "wrap", "inside"]  # the last one for comparison: in the middle of a video
    skipped: float  # what was not shown at the end of the video before, in ms


def _is_change(before: dict[str, Any], after: dict[str, Any]) -> bool:
    item, next_item = (int((frame["place"] + 0.5 / RATE) / SECONDS) for frame in (before, after))
    return bool(item != next_item or before["element"] != after["element"] or after["place"] < before["place"] - 1)


def _interval(before: dict[str, Any], after: dict[str, Any]) -> float:
    # Where a callback was missed, the frames in between were shown all the same.
    missed = after["count"] - before["count"] if before["element"] == after["element"] else 1
    return float(after["at"] - before["at"]) / max(1, missed)


def read_changes(recorded: dict[str, list[dict[str, Any]]]) -> list[Change]:
    """Find where one video followed another, in any of the players."""
    assert recorded["silences"], "no audio was played at all"
    pairs = list(zip(recorded["frames"], recorded["frames"][1:], strict=False))
    changes = []
    for before, after in pairs:
        if after["place"] - before["place"] > SECONDS / 2:
            continue  # our own seek
        middle = 0 <= (after["place"] + 0.5 / RATE) % SECONDS - SECONDS / 2 < 1 / RATE
        kind: Literal["next", "wrap", "inside"] | None = "inside" if middle else None
        if _is_change(before, after):
            kind = "wrap" if after["place"] < before["place"] else "next"
        if kind is not None:
            start, end = before["at"] - BEFORE_MS, after["at"] + AFTER_MS
            near = [_interval(*pair) for pair in pairs if start < pair[0]["at"] and pair[1]["at"] < end]
            silent = sum(s["length"] for s in recorded["silences"] if start < s["end"] < end)
            skipped = -((before["place"] + 1 / RATE) % -SECONDS) * 1000
            changes.append(Change(max(near), silent, kind, skipped))
    return changes


async def _watch(page: Page, frame: Frame, seconds: float) -> None:
    await frame.evaluate(_RECORD)
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    conditions = {"offline": False, "latency": LATENCY_MS, "downloadThroughput": -1, "uploadThroughput": -1}
    await session.send("Network.emulateNetworkConditions", conditions)
    await asyncio.sleep(seconds)


async def _ours(page: Page, url: str) -> list[Change]:
    await page.goto(url)
    frame = await widget_frame(page)
    # Her reel: in the channel the player is kept at the live position.
    await frame.locator('[data-testid=member][data-member^="@alice:"]').click()
    await frame.locator(
        "[data-testid=player][data-reel^='@alice:'][data-playing=true]:not([data-video-id=''])"
    ).wait_for()
    assert await frame.locator("[data-testid=player]").get_attribute("data-muted") == "false"
    await _watch(page, frame, CHANGES * SECONDS + 1)
    for _ in range(WRAPS):
        await frame.evaluate(_SEEK_TO_LAST, SECONDS * 0.8)
        await asyncio.sleep(SECONDS * 1.6)
    return read_changes(await frame.evaluate(_RECORDED))


async def _peer(page: Page, base_url: str, urls: Sequence[str], script: str, elements: int) -> list[Change]:
    # Any small response of the service: the page must be of its origin.
    await page.goto(f"{base_url}/ready")
    await page.set_content(_PAGE.format("<video></video>" * elements))
    await page.add_script_tag(path=_HLS)
    await page.evaluate(script, [base_url + url for url in urls])
    await _watch(page, page.main_frame, CHANGES * (SECONDS + 0.4))
    return read_changes(await page.evaluate(_RECORDED))


@asynccontextmanager
async def _page(browser: Browser) -> AsyncIterator[Page]:
    # The recorder is an AudioWorklet, which the widget's policy rightly forbids.
    context = await browser.new_context(bypass_csp=True, viewport={"width": 800, "height": 600})
    try:
        yield await context.new_page()
    finally:
        await context.close()


def _row(name: str, changes: Sequence[Change], peer: Sequence[Change] = ()) -> None:
    gaps, silences = [c.video for c in changes], [c.silence for c in changes]
    video, silence = statistics.median(gaps), statistics.median(silences)
    ratios = f"{video / median_gap(peer):10.2f} {silence / _median_silence(peer):8.2f}" if peer else ""
    print(f"{name:<34}{len(gaps):3} {video:10.0f} {max(gaps):6.0f} {silence:11.1f} {max(silences):6.1f} {ratios}")


def median_gap(changes: Sequence[Change]) -> float:
    """Return the median of the longest interval between two frames, in ms."""
    return statistics.median(c.video for c in changes)


def _median_silence(changes: Sequence[Change]) -> float:
    return statistics.median(c.silence for c in changes)


def report(ours: Sequence[Change], new_source: Sequence[Change], two: Sequence[Change]) -> None:
    """Print medians and worst in ms, and the ratios of the medians to the page with a new source for each video."""
    inside, following, wraps = ([c for c in ours if c.kind == kind] for kind in ("inside", "next", "wrap"))
    peer, turns = ([c for c in changes if c.kind != "inside"] for changes in (new_source, two))
    print(f"three videos of {SECONDS} s, {RATE} frames per second, {LATENCY_MS} ms of latency added")
    print("                              number      frame  worst     silence  worst    to a new source")
    _row("Roomreel, in the middle of one", inside)
    _row("Roomreel, the next one", following, peer)
    _row("Roomreel, looping", wraps, peer)
    _row("bare hls.js, a new source each", peer)
    _row("bare hls.js, two elements in turn", turns)
    print(f"targets: frame {VIDEO_MS}, silence {SILENCE_MS}; looping {WRAP_MS} beyond a frame's duration")
    beyond, skipped = median_gap(wraps) - FRAME_MS, statistics.median(c.skipped for c in wraps)
    print(f"looping: {beyond:.0f} ms beyond a frame's duration; {skipped:.0f} ms of the last video are not shown")


async def changes_in_the_widget(room: WidgetRoom) -> list[Change]:
    """Return how one video follows another in the widget of a room whose videos are `SECONDS` long."""
    async with open_browser("--autoplay-policy=no-user-gesture-required") as browser, _page(browser) as page:
        return await _ours(page, room.widget)


async def measure(room: WidgetRoom) -> None:
    """Measure and report, in a room whose videos are `SECONDS` long."""
    urls = [video["playlist_url"] for video in await room.viewer.videos()]
    async with open_browser("--autoplay-policy=no-user-gesture-required") as browser:
        async with _page(browser) as page:
            ours = await _ours(page, room.widget)
        async with _page(browser) as page:
            new_source = await _peer(page, room.reel.url, urls, _NEW_SOURCE, 1)
        async with _page(browser) as page:
            two = await _peer(page, room.reel.url, urls, _TWO_ELEMENTS, 2)
    report(ours, new_source, two)


async def main() -> None:
    """Start everything, measure, and leave nothing."""
    async with widget_room([SECONDS] * 3) as room:
        await measure(room)


if __name__ == "__main__":
    asyncio.run(main())
