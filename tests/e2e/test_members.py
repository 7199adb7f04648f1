"""The strip of members in Chromium: several by turns, a chat of two, and faces that move where they may."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Frame, Page, expect

from appservice.demo.client import MatrixClient
from tests.support.browser import widget_frame
from tests.support.clips import with_padding
from tests.support.host import OpenHost
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually

_ORDER = """() => {
    const player = document.querySelector('[data-testid=player]');
    window.order = [];
    setInterval(() => {
        const id = player.dataset.videoId;
        if (id && window.order.at(-1) !== id) window.order.push(id);
    }, 40);
}"""
_HIDE = """(hidden) => {
    Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
    document.dispatchEvent(new Event('visibilitychange'));
}"""
_SAVES_DATA = (
    "Object.defineProperty(navigator, 'connection', {value: Object.assign(new EventTarget(), {saveData: true})})"
)
_LOW = """(() => {
    const battery = Object.assign(new EventTarget(), {charging: false, level: 0.1});
    navigator.getBattery = async () => battery;
    window.charge = () => { battery.charging = true; battery.dispatchEvent(new Event('chargingchange')); };
})()"""
CLIP = "[data-testid=video-avatar]"
_CHOSEN_IN_SIGHT = """() => {
    const strip = document.querySelector('[data-testid=members]').getBoundingClientRect();
    const face = document.querySelector('[data-testid=member][aria-pressed=true]').getBoundingClientRect();
    return face.left >= strip.left && face.right <= strip.right;
}"""


@dataclass
class MemberStrip:
    page: Page
    frame: Frame

    def face(self, user: MatrixClient | str) -> Any:  # noqa: ANN401 - playwright's locator
        user_id = user if isinstance(user, str) else user.user_id
        return self.frame.locator(f'[data-testid=member][data-member="{user_id}"]')

    async def until(self, script: str) -> None:
        # Not by the browser's driver: its waiting needs `eval`, which the page's policy forbids.
        await eventually(lambda: self.frame.evaluate(script), what=script)

    async def selected(self, key: str) -> None:
        await self.frame.locator(f'[data-testid=app][data-selected="{key}"]').wait_for()


async def _open(browser: Browser, url: str, *, script: str = "", width: int = 900, **options: Any) -> MemberStrip:  # noqa: ANN401
    context = await browser.new_context(viewport={"width": width, "height": 700}, **options)
    if script:
        await context.add_init_script(script)
    page = await context.new_page()
    page.set_default_timeout(30_000)
    await page.goto(f"{url}?user=bob&layout=widget")
    frame = await widget_frame(page)
    await frame.locator("[data-testid=app][data-state=ready]").wait_for()
    return MemberStrip(page, frame)


async def _send(user: MatrixClient, viewer: Viewer, clip: Path, folder: Path, name: str) -> str:
    file = with_padding(clip, folder / f"{name}.mp4", f"{folder}{name}".encode())
    return str((await viewer.video_in(await user.send_video(viewer.room_id, file), "ready"))["id"])


@pytest.mark.timeout(240)
async def test_several_members_take_turns(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, mallory: MatrixClient,
    browser: Browser, open_host: OpenHost, clip: Path, tmp_path: Path, screenshots: Path,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob, mallory)
    viewer = await reel.viewer(http, bob, room_id)
    ids = [
        await _send(user, viewer, clip, tmp_path, name)
        for name, user in (("a1", alice), ("a2", alice), ("m1", mallory), ("b1", bob))
    ]
    strip = await _open(browser, await open_host(room_id))
    await strip.selected("*")
    several = strip.frame.locator("[data-testid=several]")
    await several.focus()
    await strip.page.keyboard.press("Enter")
    await expect(several).to_have_attribute("aria-pressed", "true")
    await strip.face(alice).click()
    await strip.selected(alice.user_id)
    await strip.face(mallory).click()
    key = f"{alice.user_id}+{mallory.user_id}"
    await strip.selected(key)
    await strip.frame.locator(f'[data-testid=player][data-reel="{key}"][data-playing=true]').wait_for()
    pressed = [await strip.face(user).get_attribute("aria-pressed") for user in (alice, mallory, bob)]
    assert pressed == ["true", "true", "false"]
    await expect(strip.frame.locator("nav [role=status]")).to_contain_text("play in turn")
    await strip.frame.evaluate(_ORDER)
    await strip.until("() => window.order.length > 4")
    order = (await strip.frame.evaluate("window.order"))[:5]
    rows = strip.frame.locator("[data-testid=video]")
    wanted = [await row.get_attribute("data-video-id") for row in await rows.all()]
    # Who came first has the first turn, and who has a second video the last.
    assert wanted in ([ids[0], ids[2], ids[1]], [ids[2], ids[0], ids[1]])
    start = wanted.index(order[0])
    assert order == [wanted[(start + n) % 3] for n in range(5)]
    await strip.page.screenshot(path=screenshots / "members-several.png")
    await strip.page.set_viewport_size({"width": 280, "height": 600})
    await strip.page.screenshot(path=screenshots / "members-several-280.png")
    assert await several.evaluate("b => b.getBoundingClientRect().right <= innerWidth"), "at hand in a narrow frame"
    await strip.page.set_viewport_size({"width": 900, "height": 700})

    await strip.face("+").click()
    await strip.selected("+")
    await expect(rows).to_have_count(4)
    # Without choosing, a face is alone again.
    await several.click()
    await strip.face(bob).click()
    await strip.selected(bob.user_id)
    await strip.page.context.close()


@pytest.mark.timeout(180)
async def test_in_a_chat_of_two_the_other_one_greets(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient,
    browser: Browser, open_host: OpenHost, clip: Path, tmp_path: Path, screenshots: Path,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, bob, room_id)
    await _send(alice, viewer, clip, tmp_path, "a1")
    await _send(bob, viewer, clip, tmp_path, "b1")
    strip = await _open(browser, await open_host(room_id), width=320)
    await strip.selected(alice.user_id)
    faces = strip.frame.locator("[data-testid=member]")
    # The strip comes after the video's first frame.
    await expect(faces).to_have_count(3)
    order = [await face.get_attribute("data-member") for face in await faces.all()]
    assert order == [alice.user_id, bob.user_id, "*"]
    await strip.page.screenshot(path=screenshots / "members-two.png")
    # Whoever is chosen is in sight, also once there are more buttons beside the strip.
    await strip.page.set_viewport_size({"width": 280, "height": 300})
    await strip.frame.locator("[data-testid=record]").wait_for()
    for key in ("*", alice.user_id, "*"):
        await strip.face(key).evaluate("face => face.click()")
        await strip.selected(key)
        await strip.until(_CHOSEN_IN_SIGHT)
    await strip.page.screenshot(path=screenshots / "members-two-280.png")
    await strip.page.context.close()


@pytest.mark.timeout(240)
async def test_faces_move_only_where_they_may(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient,
    browser: Browser, open_host: OpenHost, clip: Path, tmp_path: Path, screenshots: Path,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    hers = await reel.viewer(http, alice, room_id)
    video_id = await _send(alice, hers, clip, tmp_path, "face")
    assert (await hers.request("PATCH", f"/api/v1/videos/{video_id}", {"video_avatar": True}))[0] == 200
    url = await open_host(room_id)
    strip = await _open(browser, url)
    moving = strip.frame.locator(CLIP)
    await strip.frame.locator(f"{CLIP}[data-plays=true]").wait_for()
    assert await moving.evaluate("v => v.muted && v.loop && !v.paused && v.currentSrc.includes('preview.mp4')")
    await strip.until(f"() => document.querySelector('{CLIP}').currentTime > 0.2")
    await strip.page.screenshot(path=screenshots / "members-moving.png")

    # It stands still while nobody looks, and where the viewer wants nothing to move.
    await strip.frame.evaluate(_HIDE, True)
    await expect(moving).to_have_count(0)
    await strip.frame.evaluate(_HIDE, False)
    await expect(moving).to_have_count(1)
    await strip.page.emulate_media(reduced_motion="reduce")
    await expect(moving).to_have_count(0)
    await expect(strip.face(alice).locator("img")).to_have_count(1)
    await strip.page.emulate_media(reduced_motion="no-preference")
    await expect(moving).to_have_count(1)
    # Taken back, it is gone from everybody's strip.
    assert (await hers.request("PATCH", f"/api/v1/videos/{video_id}", {"video_avatar": False}))[0] == 200
    await expect(moving).to_have_count(0)
    await expect(strip.face(alice).locator("img")).to_have_count(0)
    assert (await hers.request("PATCH", f"/api/v1/videos/{video_id}", {"video_avatar": True}))[0] == 200
    await expect(moving).to_have_count(1)
    await strip.page.context.close()

    for script in (_SAVES_DATA, _LOW):
        strip = await _open(browser, url, script=script)
        await expect(strip.face(alice).locator("img")).to_have_count(1)
        await expect(strip.frame.locator(CLIP)).to_have_count(0)
        if script is _LOW:
            await strip.frame.evaluate("window.charge()")
            await expect(strip.frame.locator(CLIP)).to_have_count(1)
        await strip.page.context.close()


@pytest.mark.timeout(180)
async def test_a_face_that_is_scrolled_out_stands_still(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, mallory: MatrixClient,
    browser: Browser, open_host: OpenHost, clip: Path, tmp_path: Path,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob, mallory)
    hers, his = await reel.viewer(http, alice, room_id), await reel.viewer(http, bob, room_id)
    video_id = await _send(alice, hers, clip, tmp_path, "far")
    assert (await hers.request("PATCH", f"/api/v1/videos/{video_id}", {"video_avatar": True}))[0] == 200
    await _send(bob, his, clip, tmp_path, "near")
    # Wide enough for all faces also when the buttons beside them are there.
    strip = await _open(browser, await open_host(room_id), width=480)
    clips = strip.frame.locator(CLIP)
    await expect(clips).to_have_count(1)
    await strip.frame.evaluate("""() => {
        const strip = document.querySelector('[data-testid=members]');
        strip.querySelector('ul').style.setProperty('padding-inline-end', '600px');
        strip.scrollLeft = 500;
    }""")
    await expect(clips).to_have_count(0)
    await strip.frame.evaluate("() => { document.querySelector('[data-testid=members]').scrollLeft = 0; }")
    await expect(clips).to_have_count(1)
    await strip.page.context.close()


@pytest.mark.timeout(180)
async def test_a_clip_that_cannot_be_had_leaves_the_image(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient,
    browser: Browser, open_host: OpenHost, clip: Path, tmp_path: Path,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    hers = await reel.viewer(http, alice, room_id)
    video_id = await _send(alice, hers, clip, tmp_path, "broken")
    assert (await hers.request("PATCH", f"/api/v1/videos/{video_id}", {"video_avatar": True}))[0] == 200
    for file in (reel.media / video_id).glob("*/preview.mp4"):
        file.write_bytes(b"nothing that plays")
    strip = await _open(browser, await open_host(room_id))
    await expect(strip.face(alice).locator("img")).to_have_count(1)
    await expect(strip.frame.locator(CLIP)).to_have_count(0)
    await strip.frame.locator("[data-testid=player][data-playing=true]").wait_for()
    await strip.page.context.close()
