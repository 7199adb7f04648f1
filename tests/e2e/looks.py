"""Looks at pages of ours outside of a Matrix client: what they complain about, and what axe finds in them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Frame, Page

from tests.support import ROOT

AXE = ROOT / "widget" / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN_AXE = """async (tags) => {
    const {violations, passes} = await axe.run(document, {runOnly: {type: 'tag', values: tags}, iframes: false});
    const of = ({id, nodes}) => nodes.map(({html, failureSummary}) => `${id}: ${html}\\n${failureSummary}`);
    return {violations: violations.flatMap(of), passes: passes.length};
}"""
TELL_VIOLATIONS = """document.addEventListener('securitypolicyviolation', (event) => {
    console.error(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`);
});"""
# Wider than its window is what a page must never be.
_TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def axe_finds(where: Page | Frame) -> list[str]:
    """Return what axe, which must be there as `AXE`, has against a page as it is now (WCAG 2.2, A and AA)."""
    found: dict[str, Any] = await where.evaluate(_RUN_AXE, _RULES)
    assert found["passes"] > 5, "axe saw nothing"
    return list(found["violations"])


@dataclass
class Look:
    """A page, and everything it complained about."""

    page: Page
    problems: list[str] = field(default_factory=list)

    async def axe(self, *widths: int, height: int = 700) -> None:
        """Check at each width that axe finds nothing and that nothing stands out of the window."""
        for width in widths:
            await self.page.set_viewport_size({"width": width, "height": height})
            assert await axe_finds(self.page) == [], f"{width} px"
            assert await self.page.evaluate(_TOO_WIDE) <= 0, f"{width} px"


@asynccontextmanager
async def looking(browser: Browser, **options: Any) -> AsyncIterator[tuple[Look, BrowserContext]]:  # noqa: ANN401 - the browser's
    """Open a page of its own; its policy is in force as for everybody."""
    context = await browser.new_context(**options)
    await context.add_init_script(TELL_VIOLATIONS)
    await context.add_init_script(path=AXE)
    page = await context.new_page()
    page.set_default_timeout(30_000)
    look = Look(page)

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            look.problems.append(f"{message.text} {message.location['url']}")

    page.on("console", heard)
    page.on("pageerror", lambda error: look.problems.append(str(error)))
    try:
        yield look, context
    finally:
        await context.close()
