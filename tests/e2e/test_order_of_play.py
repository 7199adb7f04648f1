"""What plays next: one video repeated, a loop, shuffle, and what the viewer watched last."""

import pytest
from playwright.async_api import Browser, expect

from tests.support.waiting import eventually
from tests.support.widget_page import RECORD_PLAYBACK, RoomWithVideos, WidgetPage, load_widget, open_widget_page


async def test_one_video_again_and_again(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:
        await seen.part("next").click()
        await seen.until("the second", lambda playback: playback["id"] == room_with_videos.ids[1])
        await seen.choose("loop", "one")
        await expect(seen.part("told")).to_contain_text("Repeat this video")
        await seen.frame.evaluate(RECORD_PLAYBACK)

        async def turns() -> bool:
            return await _jumps_back(seen) >= 2

        await eventually(turns, what="two turns")
        assert await seen.frame.evaluate("() => window.shown") == [room_with_videos.ids[1]]
        # The viewer may go on, and stays there.
        await seen.part("next").click()
        await seen.until("the third", lambda playback: playback["id"] == room_with_videos.ids[2])
        before = await _jumps_back(seen)

        async def turned() -> bool:
            return await _jumps_back(seen) > before

        await eventually(turned, what="another turn")
        assert await seen.frame.evaluate("() => window.shown") == room_with_videos.ids[1:]
        assert (await seen.playback())["id"] == room_with_videos.ids[2]


async def _jumps_back(seen: WidgetPage) -> int:
    return int(await seen.frame.evaluate("() => window.clocks.filter((t, i) => t < window.clocks[i - 1] - 1).length"))


@pytest.mark.timeout(180)
async def test_each_video_of_a_loop_is_announced_once_and_can_be_silent(
    browser: Browser, room_with_videos: RoomWithVideos
) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:

        async def spoken() -> list[str]:
            said = await seen.frame.evaluate("() => window.spoken")
            return [
                text.replace("\u2068", "").replace("\u2069", "")
                for reel, text in said
                if reel == room_with_videos.alice
            ]

        async def shown(count: int) -> bool:
            return len(await seen.frame.evaluate("() => window.shown")) >= count

        await seen.frame.evaluate(RECORD_PLAYBACK)
        await eventually(lambda: shown(7), what="two turns of three videos")
        each = [f"Now playing: {title}, from alice" for title in room_with_videos.titles]
        assert sorted(await spoken()) == sorted(each)
        # Whoever chooses one has it announced again.
        await seen.part("next").click()

        async def again() -> bool:
            return len(await spoken()) == len(each) + 1

        await eventually(again, what="the one that was chosen")
        await seen.part("settings").click()
        await expect(seen.part("menu-announce")).to_have_attribute("aria-checked", "true")
        await seen.part("menu-announce").click()
        await seen.page.keyboard.press("Escape")
        before = await spoken()
        for _ in range(2):
            now = (await seen.playback())["id"]
            await seen.part("next").click()
            await seen.until("another one", lambda playback, now=now: playback["id"] != now)  # type: ignore[misc]
        await expect(seen.part("announced")).to_have_text("")
        assert await spoken() == before


@pytest.mark.timeout(180)
async def test_shuffle_shows_all_before_anything_again(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:
        await seen.choose("loop", "shuffle")
        await seen.frame.evaluate(RECORD_PLAYBACK)

        async def shown(count: int) -> list[str]:
            ids = list(await seen.frame.evaluate("() => window.shown"))
            return ids if len(ids) >= count else []

        ids = await eventually(lambda: shown(7), what="seven items")
        assert {*ids[:3]} == {*ids[3:6]} == {*room_with_videos.ids}
        # By hand as well; 'previous' goes the same way back.
        await seen.player.press("k")
        way = [(await seen.playback())["id"]]
        for _ in range(2):
            await seen.part("next").click()
            playback = await seen.until("another one", lambda playback: playback["id"] != way[-1])
            way.append(playback["id"])
        for earlier in reversed(way[:-1]):
            await seen.part("previous").click()
            await seen.until("the way back", lambda playback, earlier=earlier: playback["id"] == earlier)  # type: ignore[misc]


async def test_it_goes_on_where_the_viewer_was(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    # Where nothing plays by itself, the position stands still to be looked at.
    async with open_widget_page(browser, room_with_videos, captions=True, motion="reduce") as seen:
        await seen.frame.locator(f'[data-testid=video][data-video-id="{room_with_videos.ids[2]}"] button').first.click()
        await seen.until("the third", lambda playback: playback["id"] == room_with_videos.ids[2])
        await seen.player.press("k")
        await seen.frame.locator("input.seek").fill("2.5")
        await seen.frame.locator("input.volume-slider").fill("0.4")
        await seen.choose("speed", "0.75")
        await seen.choose("loop", "one")
        await seen.choose("captions", "en")
        await seen.part("settings").click()
        await seen.part("menu-keys").click()
        # As a client does: the frame goes without a word, and comes back.
        again = await load_widget(seen.page, room_with_videos, select=False)
        await expect(again.player).to_have_attribute("data-reel", room_with_videos.alice)
        await again.until("the same video", lambda playback: playback["id"] == room_with_videos.ids[2])
        await again.until("the volume and the speed", lambda p: p["rate"] == 0.75 and abs(p["volume"] - 0.4) < 0.01)
        await again.until("the captions", lambda playback: playback["cues"] == ["Hello from en"])
        assert float(await again.frame.locator("input.seek").input_value()) == pytest.approx(2.5, abs=0.15)
        await again.part("settings").click()
        await expect(again.part("menu-keys")).to_have_attribute("aria-checked", "false")
        await expect(again.part("menu-loop")).to_contain_text("Repeat this video")


async def test_nothing_plays_or_moves_by_itself(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos, select=False, motion="reduce") as seen:
        await seen.part("settings").click()
        await expect(seen.part("menu")).to_be_visible()
        moving = "() => document.getAnimations().filter(({playState}) => playState === 'running').length"
        assert await seen.frame.evaluate(moving) == 0
        await expect(seen.player).to_have_attribute("data-playing", "false")
