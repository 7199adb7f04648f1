"""A page that has hls.js, its playlist and nothing else: the floor of what the widget may cost."""

from playwright.async_api import Page, Route

from bench._room import Theatre
from tests.support.launch import ROOT

_HLS = (ROOT / "widget" / "node_modules" / "hls.js" / "dist" / "hls.light.min.js").read_text(encoding="utf-8")
_PAGE = """<!doctype html><video data-active playsinline></video><script src="/bench/hls.js"></script><script>
    const video = document.querySelector('video'), hls = new Hls({enableWorker: false});
    const asked = new URLSearchParams(location.search);
    video.muted = asked.has('muted');
    hls.loadSource(asked.get('url'));
    hls.attachMedia(video);
    video.play();
</script>"""


async def open_bare(page: Page, room: Theatre, playlist: str, *, muted: bool) -> None:
    """Open it in a page, at the address of the media; returns when the navigation is committed."""

    async def fulfill(route: Route) -> None:
        script = route.request.url.endswith(".js")
        await route.fulfill(body=_HLS if script else _PAGE, content_type="text/javascript" if script else "text/html")

    await page.route(f"{room.reel.url}/bench/**", fulfill)
    sound = "&muted" if muted else ""
    await page.goto(f"{room.reel.url}/bench/?url={playlist}{sound}", wait_until="commit")
