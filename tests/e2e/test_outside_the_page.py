"""What leaves the page: picture-in-picture, the system's media controls, and staying in sight in the client."""

from playwright.async_api import Browser

from tests.support.browser import over_frames
from tests.support.waiting import eventually
from tests.support.widget_page import RoomWithVideos, open_widget_page


async def test_picture_in_picture_moves_along(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:
        await seen.part("float").click()
        before = await seen.until("picture-in-picture", lambda picture: picture["floating"])
        await seen.frame.locator('[data-testid=member][data-member="*"]').click()
        await seen.until("the other element", lambda p: p["element"] != before["element"] and p["floating"])
        await seen.until("it playing", lambda picture: picture["time"] > before["time"] + 0.5)
        await seen.part("float").click()
        await seen.until("its end", lambda picture: not picture["floating"])


async def test_the_system_knows_what_plays(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:
        told = """() => {
            const {metadata, playbackState} = navigator.mediaSession;
            return [metadata?.title, metadata?.artist, playbackState];
        }"""

        async def knows(*wanted: str) -> bool:
            return bool(await seen.frame.evaluate(told) == list(wanted))

        await eventually(lambda: knows("sunrise", "alice", "playing"), what="title and artist")
        await seen.part("next").click()
        await seen.part("play").click()
        await eventually(lambda: knows("deep-dive", "alice", "paused"), what="the next title")


async def test_the_client_keeps_it_in_sight_while_it_plays(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:

        async def asked(wanted: list[bool]) -> bool:
            return bool(await seen.page.evaluate("() => window.requested") == wanted)

        # At first it stops: nobody wants sound in other rooms that they cannot turn off there.
        await seen.frame.locator("[data-testid=record]").wait_for()
        assert await asked([])
        await seen.choose("elsewhere", "play")
        await eventually(lambda: asked([True]), what="asking to stay")
        await seen.part("play").click()
        await eventually(lambda: asked([True, False]), what="letting go")
        await seen.part("play").click()
        await eventually(lambda: asked([True, False, True]), what="asking again")
        await seen.part("next").click()
        assert await over_frames(seen.page, "window.requested") == [[True, False, True]]
