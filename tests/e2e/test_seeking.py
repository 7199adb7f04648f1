"""The seek bar and its preview, by pointer, finger and keyboard, and the room that a small tile leaves."""

import pytest
from playwright.async_api import Browser, expect

from tests.support.waiting import eventually
from tests.support.widget_page import RoomWithVideos, WidgetPage, open_widget_page


async def test_the_seek_bar_shows_what_is_where(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos) as seen:
        requested: list[str] = []
        seen.page.on("request", lambda request: requested.append(request.url))
        await seen.player.press("k")
        assert not [url for url in requested if "storyboard" in url], "fetched only when it is needed"
        bar = seen.frame.locator("input.seek")
        box = await bar.bounding_box()
        assert box
        await seen.page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
        preview = seen.part("preview")
        await expect(preview).to_contain_text("0:03")
        await expect(preview).to_have_attribute("data-at", "3")
        await eventually(lambda: _drawn(seen), what="an image in the preview")
        await seen.page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + box["height"] / 2)
        await expect(preview).to_have_attribute("data-at", "0")
        await seen.page.mouse.move(box["x"], box["y"] - 300)
        await expect(preview).to_have_count(0)
        assert len([url for url in requested if url.endswith("storyboard.vtt")]) == 1
        assert len([url for url in requested if url.endswith("storyboard.jpg")]) == 1
        # By the keyboard, at the position itself.
        await seen.player.press("0")
        for _ in range(5):
            # The button over the video may come before it, as long as that is there.
            await seen.page.keyboard.press("Tab")
            if await bar.evaluate("(bar) => bar === document.activeElement"):
                break
        await seen.page.keyboard.press("End")
        await expect(preview).to_have_attribute("data-at", "3")
        spoken = (await bar.get_attribute("aria-valuetext") or "").translate({0x2068: None, 0x2069: None})
        assert spoken == "3 seconds of 4 seconds"


async def _drawn(seen: WidgetPage) -> bool:
    return bool(
        await seen.frame.evaluate("""() => {
            const canvas = document.querySelector('.preview-picture');
            const pixels = canvas?.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data ?? [];
            return pixels.some((value, index) => index % 4 < 3 && value > 60);
        }""")
    )


async def test_a_finger_steps_and_points(browser: Browser, room_with_videos: RoomWithVideos) -> None:
    async with open_widget_page(browser, room_with_videos, width=320, height=600, touch=True) as seen:
        await expect(seen.part("forward")).to_be_hidden()
        shown = (await seen.playback())["id"]
        for _ in range(2):
            await seen.page.touchscreen.tap(290, 70)
        await seen.until("the step over the end", lambda playback: playback["id"] != shown)
        # A finger on the seek bar takes the video along, and sees where it goes.
        await seen.page.touchscreen.tap(160, 70)
        bar = seen.frame.locator("input.seek")
        box = await bar.bounding_box()
        assert box
        length, y = float(str(await bar.get_attribute("max"))), box["y"] + box["height"] / 2
        session = await seen.page.context.new_cdp_session(seen.page)
        for share in (0.2, 0.4, 0.6, 0.8):
            at = {"x": box["x"] + share * box["width"], "y": y}
            kind = "touchStart" if share < 0.3 else "touchMove"
            await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
        assert float(await bar.input_value()) == pytest.approx(0.8 * length, abs=0.1 * length)
        preview = seen.frame.locator(".preview-picture")
        await expect(preview).to_be_visible()
        shown_at = await preview.bounding_box()
        assert shown_at
        # Around the finger, and whole.
        assert shown_at["x"] < at["x"] < shown_at["x"] + shown_at["width"] <= 320
        await session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        await expect(preview).to_have_count(0)


@pytest.mark.parametrize(("width", "height", "listed"), [(304, 278, False), (280, 300, True)])
async def test_a_tile_has_room_for_the_preview(
    browser: Browser, room_with_videos: RoomWithVideos, width: int, height: int, listed: bool
) -> None:
    async with open_widget_page(browser, room_with_videos, width=width, height=height, select=False) as seen:
        await seen.player.hover()
        box = await seen.player.bounding_box()
        assert box
        assert (box["width"], box["height"] == height) == (width, not listed)
        assert await seen.part("videos").is_visible() == listed
        for name in ("previous", "play", "next", "mute", "settings", "fullscreen"):
            button = await seen.part(name).bounding_box()
            assert button
            assert min(button["width"], button["height"]) >= 24
            assert 0 <= button["x"] <= button["x"] + button["width"] <= width
