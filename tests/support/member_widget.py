"""The widget of a member, in a browser context of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Frame, Locator, Page

from tests.support.browser import AXE, axe_finds, widget_frame

_WIDER = "() => document.documentElement.scrollWidth - innerWidth"


@dataclass
class MemberWidget:
    """The widget of one member, in their browser."""

    page: Page
    frame: Frame

    def part(self, name: str) -> Locator:
        return self.frame.locator(f"[data-testid={name}]")

    def row(self, title: str) -> Locator:
        """Return the video of a title in the list."""
        return self.part("video").filter(has_text=title)

    async def looks_right(self, screenshot: Path) -> None:
        """Keep a screenshot; check that axe finds nothing, and that nothing is wider than the screen."""
        await self.page.screenshot(path=screenshot)
        assert await axe_finds(self.frame) == []
        assert await self.frame.evaluate(_WIDER) <= 0


@asynccontextmanager
async def member_widget(
    browser: Browser, url: str, width: int, height: int, *, has_touch: bool = False, is_mobile: bool = False
) -> AsyncIterator[MemberWidget]:
    """Open a host page, and yield the widget in it until the end of the block."""
    context = await browser.new_context(
        viewport={"width": width, "height": height}, has_touch=has_touch, is_mobile=is_mobile
    )
    try:
        await context.add_init_script(path=AXE)
        page = await context.new_page()
        page.set_default_timeout(30_000)
        await page.goto(url)
        yield MemberWidget(page, await widget_frame(page))
    finally:
        await context.close()
