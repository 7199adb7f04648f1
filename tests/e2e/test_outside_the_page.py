"""What leaves the page: picture-in-picture, the system's media controls, and staying in sight in the client."""

from playwright.async_api import Browser

from tests.support.browser import over_frames
from tests.support.waiting import eventually
from tests.support.widget_page import RoomWithVideos, open_widget_page


async def test_picture_in_picture_moves_along(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:
        await seen.part("float").click()
        before = await seen.until("picture-in-picture", lambda playback: playback["floating"])
        await seen.frame.locator('[data-testid=member][data-member="*"]').click()
        await seen.until("the other element", lambda p: p["element"] != before["element"] and p["floating"])
        await seen.until("it playing", lambda playback: playback["time"] > before["time"] + 0.5)
        await seen.part("float").click()
        await seen.until("its end", lambda playback: not playback["floating"])


async def test_the_system_knows_what_plays(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:
        session = """() => {
            const {metadata, playbackState} = navigator.mediaSession;
            return [metadata?.title, metadata?.artist, playbackState];
        }"""

        async def knows(*wanted: str) -> bool:
            return bool(await seen.frame.evaluate(session) == list(wanted))

        await eventually(lambda: knows("sunrise", "alice", "playing"), what="title and artist")
        await seen.part("next").click()
        await seen.part("play").click()
        await eventually(lambda: knows("deep-dive", "alice", "paused"), what="the next title")


async def test_the_client_keeps_it_in_sight_while_it_plays(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:

        async def requested(wanted: list[bool]) -> bool:
            return bool(await seen.page.evaluate("() => window.requested") == wanted)

        # At first it stops: nobody wants audio in other rooms that they cannot turn off there.
        await seen.frame.locator("[data-testid=record]").wait_for()
        assert await requested([])
        await seen.choose("elsewhere", "play")
        await eventually(lambda: requested([True]), what="the request to stay")
        await seen.part("play").click()
        await eventually(lambda: requested([True, False]), what="the request to go")
        await seen.part("play").click()
        await eventually(lambda: requested([True, False, True]), what="the request to stay again")
        await seen.part("next").click()
        assert await over_frames(seen.page, "window.requested") == [[True, False, True]]
