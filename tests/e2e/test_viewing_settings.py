"""How a viewer likes to watch: speed, rendition, captions and keys, in the menu and by the keyboard."""

import pytest
from playwright.async_api import Browser, expect

from tests.support.browser import AXE, axe_finds
from tests.support.widget_page import RoomWithVideos, WidgetPage, open_widget_page


async def test_speed_stays_over_items_and_reels(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:
        await seen.choose("speed", "1.5")
        await expect(seen.part("told")).to_contain_text("1.5")
        await seen.until("the speed", lambda playback: playback["rate"] == 1.5)
        await seen.part("next").click()
        await seen.until(
            "the next item", lambda playback: playback["id"] == room_with_videos.ids[1] and playback["rate"] == 1.5
        )
        # Its keys; they stop at the ends.
        for key, rate in ((">", 1.75), (">", 2), (">", 2), ("<", 1.75)):
            await seen.player.press(key)
            await seen.until(f"{key} giving {rate}", lambda playback, rate=rate: playback["rate"] == rate)  # type: ignore[misc]
        # The channel has its own; alone again, the viewer's is back, on whichever element plays.
        await seen.frame.locator('[data-testid=member][data-member="*"]').click()
        await seen.frame.locator('[data-testid=player][data-reel="*"]').wait_for()
        await seen.until("the channel's speed", lambda playback: abs(playback["rate"] - 1) < 0.06)
        await seen.part("settings").click()
        await seen.part("menu-speed").click()
        await expect(seen.part("speed-2")).to_have_attribute("aria-disabled", "true")
        await expect(seen.part("menu")).to_contain_text("same moment")
        await seen.page.keyboard.press("Escape")
        await seen.page.keyboard.press("Escape")
        await seen.frame.locator(f'[data-testid=member][data-member="{room_with_videos.alice}"]').click()
        await seen.frame.locator(f'[data-testid=player][data-reel="{room_with_videos.alice}"]').wait_for()
        await seen.until("the viewer's speed", lambda playback: playback["rate"] == 1.75)


async def test_holding_is_quick_and_nothing_else(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:
        for part in (seen.part("forward"), seen.player.locator(".screen")):
            await part.hover()
            await seen.page.mouse.down()
            await seen.until("twice the speed", lambda playback: playback["rate"] == 2)
            await expect(seen.part("told")).to_contain_text("2")
            await seen.page.mouse.up()
            await seen.until("the usual speed", lambda playback: playback["rate"] == 1)
            await expect(seen.player).to_have_attribute("data-playing", "true")
        await seen.player.focus()
        await seen.page.keyboard.down("Space")
        await seen.page.keyboard.down("Space")  # as a held key repeats
        await seen.until("twice the speed", lambda playback: playback["rate"] == 2)
        await seen.page.keyboard.up("Space")
        await seen.until("the usual speed", lambda playback: playback["rate"] == 1)
        await expect(seen.player).to_have_attribute("data-playing", "true")
        # Held, the other one rewinds to the start of the item; pressed, both step.
        await seen.player.press("9")
        await seen.player.press("k")
        before = (await seen.playback())["time"]
        await seen.part("back").hover()
        await seen.page.mouse.down()
        await seen.until("the way back", lambda playback: playback["time"] <= before - 2)
        await seen.page.mouse.up()


async def test_renditions(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:
        await seen.part("settings").click()
        await expect(seen.part("menu-quality")).to_contain_text("Automatic (")
        await seen.part("menu-quality").click()
        await expect(seen.part("menu")).to_have_attribute("data-page", "quality")
        offered = await seen.frame.locator("[role=menuitemradio]").all_inner_texts()
        lines = [int("".join(filter(str.isdigit, text))) for text in offered[1:]]
        assert lines == sorted(lines, reverse=True)
        assert len(lines) > 1
        await seen.page.keyboard.press("Escape")
        await seen.page.keyboard.press("Escape")
        for level in (lines[-1], lines[0]):
            await seen.choose("quality", str(level))
            await seen.until(f"{level}p", lambda playback, level=level: playback["lines"] == level)  # type: ignore[misc]
        # Another list keeps to it.
        await seen.choose("quality", str(lines[-1]))
        await seen.frame.locator('[data-testid=member][data-member="*"]').click()
        await seen.frame.locator('[data-testid=player][data-reel="*"]').wait_for()
        await seen.until("the same rendition", lambda playback: playback["lines"] == lines[-1])


async def test_captions(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos, captions=True) as seen:
        await seen.choose("captions", "zh-Hans")
        await expect(seen.part("told")).to_contain_text("简体中文")
        first = await seen.until("captions", lambda playback: playback["cues"] == ["Hello from zh-Hans"])
        # They follow the item, and the element that takes over.
        await seen.until("the next one's", lambda p: p["id"] != first["id"] and p["cues"] == ["Hello from zh-Hans"])
        await seen.frame.locator('[data-testid=member][data-member="*"]').click()
        await seen.until("the other element's", lambda p: p["element"] != first["element"] and len(p["cues"]) == 1)
        await seen.player.press("c")
        await seen.until("none", lambda playback: playback["cues"] == [])
        await seen.player.press("c")
        await seen.until("the first language", lambda playback: playback["cues"] == ["Hello from en"])
        await seen.part("captions").click()
        await seen.until("none", lambda playback: playback["cues"] == [])
        await expect(seen.part("captions")).to_have_attribute("aria-pressed", "false")


async def test_without_captions_there_is_nothing_to_choose(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:
        await seen.part("settings").click()
        await expect(seen.part("menu-speed")).to_be_visible()
        await expect(seen.part("menu-captions")).to_have_count(0)
        await expect(seen.part("captions")).to_have_count(0)


_PRESS_ELSEWHERE_AT_ONCE = """() => new Promise((pressed) => {
    new MutationObserver((_, observer) => {
        if (!document.querySelector('[data-testid=menu]')) return;
        observer.disconnect();
        document.body.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true}));
        pressed();
    }).observe(document, {childList: true, subtree: true});
    document.querySelector('[data-testid=settings]').click();
})"""


async def test_the_menu_by_keyboard(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:
        menu, keyboard = seen.part("menu"), seen.page.keyboard
        await seen.part("settings").focus()
        await keyboard.press("Enter")
        await expect(menu).to_be_visible()
        assert await seen.focused() == "menu-speed"
        await keyboard.press("ArrowUp")
        assert await seen.focused() == "menu-help"
        await keyboard.press("Home")
        await keyboard.press("ArrowRight")
        await expect(menu).to_have_attribute("data-page", "speed")
        assert await seen.focused() == "speed-1"
        await keyboard.press("ArrowDown")
        await keyboard.press("Enter")
        await seen.until("the speed", lambda playback: playback["rate"] == 1.25)
        assert await seen.focused() == "menu-speed"
        await keyboard.press("Escape")
        await expect(menu).to_have_count(0)
        assert await seen.focused() == "settings"
        await keyboard.press("Enter")
        await expect(menu).to_be_visible()
        await seen.frame.locator("[data-testid=videos]").click(position={"x": 5, "y": 5}, force=True)
        await expect(menu).to_have_count(0)
        await seen.frame.evaluate(_PRESS_ELSEWHERE_AT_ONCE)
        await expect(menu).to_have_count(0)


async def test_keys_can_be_listed_and_switched_off(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:
        await seen.player.press("?")
        await expect(seen.part("keys")).to_be_visible()
        await expect(seen.part("keys")).to_contain_text("Slower or faster")
        await seen.page.keyboard.press("Escape")
        await expect(seen.part("keys")).to_have_count(0)
        await seen.part("settings").click()
        await expect(seen.part("menu-keys")).to_have_attribute("aria-checked", "true")
        await seen.part("menu-keys").click()
        await expect(seen.part("menu-keys")).to_have_attribute("aria-checked", "false")
        await seen.page.keyboard.press("Escape")
        muted = await seen.player.get_attribute("data-muted")
        for key in ("m", "k", ">", "?", "c", "9"):
            await seen.player.press(key)
        assert await seen.player.get_attribute("data-muted") == muted
        assert (await seen.playback())["rate"] == 1
        await expect(seen.player).to_have_attribute("data-playing", "true")
        await expect(seen.part("keys")).to_have_count(0)
        # What is no letter, digit or sign still works.
        await seen.player.press("Space")
        await expect(seen.player).to_have_attribute("data-playing", "false")


@pytest.mark.parametrize("width", [280, 1280])
async def test_axe_finds_nothing_in_menu_and_list(
    browser: Browser, room_with_videos: RoomWithVideos, width: int
) -> None:
    async with open_widget_page(browser, room_with_videos, width=width, height=600, captions=True) as seen:
        await seen.player.press("k")
        await seen.part("settings").click()
        await _axe(seen, "menu")
        for page in ("speed", "quality", "captions", "loop"):
            await seen.part(f"menu-{page}").click()
            await _axe(seen, page)
            await seen.page.keyboard.press("Escape")
        await seen.part("menu-help").click()
        await expect(seen.part("keys")).to_be_visible()
        await _axe(seen, "keys")


async def _axe(seen: WidgetPage, view: str) -> None:
    await seen.frame.evaluate(AXE.read_text())
    assert await axe_finds(seen.frame) == [], view
