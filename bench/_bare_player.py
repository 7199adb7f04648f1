"""Open a page that has hls.js, a playlist and nothing else: the floor for the widget's cost."""

from playwright.async_api import Page, Route

from bench._widget_room import WidgetRoom
from tests.support.launch import ROOT

_HLS = (ROOT / "widget" / "node_modules" / "hls.js" / "dist" / "hls.light.min.js").read_text(encoding="utf-8")
_PAGE = """<!doctype html><video data-active playsinline></video><script src="/bench/hls.js"></script><script>
    const video = document.querySelector('video'), hls = new Hls({enableWorker: false});
    const query = new URLSearchParams(location.search);
    video.muted = query.has('muted');
    hls.loadSource(query.get('url'));
    hls.attachMedia(video);
    video.play();
</script>"""


async def open_bare_player(page: Page, room: WidgetRoom, playlist: str, *, muted: bool) -> None:
    """Open the player at the origin of the media and return when the navigation is committed."""

    async def fulfill(route: Route) -> None:
        script = route.request.url.endswith(".js")
        await route.fulfill(body=_HLS if script else _PAGE, content_type="text/javascript" if script else "text/html")

    await page.route(f"{room.reel.url}/bench/**", fulfill)
    query = "&muted" if muted else ""
    await page.goto(f"{room.reel.url}/bench/?url={playlist}{query}", wait_until="commit")
