"""Open pages of ours outside of a Matrix client; collect their console errors and axe's violations."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Frame, Locator, Page, expect

from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.launch import ROOT
from tests.support.waiting import eventually

AXE = ROOT / "widget" / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN_AXE = """async (tags) => {
    const {violations, passes} = await axe.run(document, {runOnly: {type: 'tag', values: tags}, iframes: false});
    const of = ({id, nodes}) => nodes.map(({html, failureSummary}) => `${id}: ${html}\\n${failureSummary}`);
    return {violations: violations.flatMap(of), passes: passes.length};
}"""
LOG_CSP_VIOLATIONS = """document.addEventListener('securitypolicyviolation', (event) => {
    console.error(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`);
});"""
# Pointer targets smaller than so many pixels, except those that are invisible or behind a dialog.
SMALL_TARGETS = """(least) => {
    const dialog = document.querySelector('dialog[open]');
    const small = [];
    for (const element of document.querySelectorAll('button, input, select, textarea, a[href]')) {
        if (dialog !== null && !dialog.contains(element)) continue;
        if (!element.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
        if (element.type === 'file') continue;
        // Shown when the keyboard reaches it, to nobody who points.
        if (element.dataset.testid === 'skip' && !element.matches(':focus')) continue;
        const {width, height} = element.getBoundingClientRect();
        if (Math.min(width, height) >= least - 0.5) continue;
        small.push(`${element.dataset.testid ?? element.className} ${Math.round(width)}×${Math.round(height)}`);
    }
    return small;
}"""
# A drag of a file, without the pointer.
_DRAG = """(body, [name, type, bytes]) => {
    window.drag = new DataTransfer();
    window.drag.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, {type}));
    body.dispatchEvent(new DragEvent('dragenter', {dataTransfer: window.drag, bubbles: true, cancelable: true}));
}"""
_DROP = """(body) => body.dispatchEvent(
    new DragEvent('drop', {dataTransfer: window.drag, bubbles: true, cancelable: true}))"""
# What is to stay as it is, is looked at as often as the browser draws: a second, or more where that is slow.
_OVER_FRAMES = """async (frames) => {
    const look = () => EXPRESSION, values = [];
    for (let frame = 0; frame <= frames; frame += 1) {
        const value = look();
        if (JSON.stringify(value) !== JSON.stringify(values.at(-1))) values.push(value);
        await new Promise((drawn) => requestAnimationFrame(drawn));
    }
    return values;
}"""
# Pixels by which the page overflows its viewport.
_TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def over_frames(where: Page | Frame, expression: str, *, frames: int = 60) -> list[Any]:
    """Return the different values, in order, of a JavaScript expression while the browser draws so many frames."""
    return list(await where.evaluate(_OVER_FRAMES.replace("EXPRESSION", expression), frames))


async def axe_finds(where: Page | Frame) -> list[str]:
    """Return axe's violations on a page that has loaded `AXE` (WCAG 2.2, A and AA)."""
    found: dict[str, Any] = await where.evaluate(_RUN_AXE, _RULES)
    assert found["passes"] > 5, "axe saw nothing"
    return list(found["violations"])


async def drop_file(body: Locator, data: bytes, name: str, kind: str = "video/mp4") -> None:
    """Drag a file over a widget's page and drop it there."""
    zone = body.locator("[data-testid=drop-zone]")

    async def hovers() -> bool:
        # A browser repeats the event, and the page adds its listener some time after it is drawn.
        await body.evaluate(_DRAG, [name, kind, b64encode(data).decode()])
        return await zone.is_visible()

    await eventually(hovers, what="the place to drop it")
    await body.evaluate(_DROP)
    await zone.wait_for(state="detached")


@dataclass
class ObservedPage:
    """A page and its console errors and exceptions."""

    page: Page
    problems: list[str] = field(default_factory=list)

    async def axe(self, *widths: int, height: int = 700) -> None:
        """Check at each width that axe finds no violation and that nothing overflows the viewport."""
        for width in widths:
            await self.page.set_viewport_size({"width": width, "height": height})
            assert await axe_finds(self.page) == [], f"{width} px"
            assert await self.page.evaluate(_TOO_WIDE) <= 0, f"{width} px"


@asynccontextmanager
async def observed_page(browser: Browser, **options: Any) -> AsyncIterator[tuple[ObservedPage, BrowserContext]]:  # noqa: ANN401 - the browser's
    """Open a page in a context of its own, with its Content-Security-Policy in force."""
    context = await browser.new_context(**options)
    await context.add_init_script(LOG_CSP_VIOLATIONS)
    await context.add_init_script(path=AXE)
    page = await context.new_page()
    page.set_default_timeout(30_000)
    look = ObservedPage(page)

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            look.problems.append(f"{message.text} {message.location['url']}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: look.problems.append(str(error)))
    try:
        yield look, context
    finally:
        await context.close()


def widget_link(reel: Installation, room_id: str) -> str:
    """Return the address of a room's widget outside of Matrix clients."""
    return f"{reel.url}/widget/?room_id={quote(room_id, safe='')}"


async def shown_command(page: Page) -> str:
    """Return the message that signs the browser in, once it shows."""
    shown = page.locator("[data-testid=command]")
    await page.locator("[data-testid=copy]").wait_for()
    await expect(page.locator("main")).to_have_count(1)
    return (await shown.inner_text()).strip()


async def sign_in(page: Page, reel: Installation, user: MatrixClient, room_id: str) -> None:
    """Open a room as `user` in a browser without a client."""
    await page.goto(widget_link(reel, room_id))
    await user.send_text(room_id, await shown_command(page))
    await page.locator("[data-testid=app]:not([data-state=sign-in])").wait_for()


async def widget_frame(page: Page) -> Frame:
    """Wait for the widget in the host page, and return its frame."""
    handle = await page.locator("iframe[data-testid=widget]").element_handle()
    frame = await handle.content_frame()
    assert frame
    return frame
