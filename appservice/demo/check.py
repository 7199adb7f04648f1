"""`roomreel demo --check`: bob, in a real browser, through the widget, sees alice's video play."""

from playwright.async_api import Error, FrameLocator, Page

from appservice.core.errors import RoomreelError
from appservice.demo.browser import open_browser

_TIMEOUT_MS = 60_000
_PLAYED_S = 1.0


class CheckError(RoomreelError):
    """The browser did not see what it should; the text says what was missing."""


async def see_video_play(page_url: str, video_id: str) -> None:
    """Open the host page, as somebody in a room, and return when the video moves. Raises CheckError."""
    async with open_browser() as browser:
        page = await browser.new_page(viewport={"width": 1280, "height": 720})
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(page_url)
        try:
            await _watch(page, page.frame_locator("[data-testid=widget]"), video_id)
        except Error as error:
            seen = await _describe(page)
            raise CheckError(f"The video was not seen to play: {error.message}\n{seen}\n{problems}") from error


async def _watch(page: Page, widget: FrameLocator, video_id: str) -> None:
    await widget.locator("[data-testid=app][data-state=ready]").wait_for(timeout=_TIMEOUT_MS)
    await widget.locator(f'[data-testid=video][data-video-id="{video_id}"] button').first.click(timeout=_TIMEOUT_MS)
    await widget.locator(f'[data-testid=player][data-video-id="{video_id}"]').wait_for(timeout=_TIMEOUT_MS)
    handle = await widget.locator("video[data-active]").element_handle(timeout=_TIMEOUT_MS)
    frame = await handle.owner_frame()
    if frame is None:
        raise CheckError("The widget's frame is gone.")
    # Both the clock and the frames must advance: a clock alone also runs over a black screen.
    await frame.wait_for_function(
        """([video, seconds]) => {
            const frames = video.getVideoPlaybackQuality().totalVideoFrames;
            video.roomreelCheck ??= {time: video.currentTime, frames};
            return video.currentTime - video.roomreelCheck.time >= seconds && frames > video.roomreelCheck.frames + 10;
        }""",
        arg=[handle, _PLAYED_S],
        timeout=_TIMEOUT_MS,
    )


async def _describe(page: Page) -> str:
    texts = [f"--- {frame.url.split('?')[0]}\n{await frame.locator('body').inner_text()}" for frame in page.frames]
    return "\n".join(texts)[-3000:]
