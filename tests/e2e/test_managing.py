"""In Chromium: what owners and moderators do with videos in the widget, and what the others see of it at once."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Frame, Locator, Page, Route, expect

from appservice.demo.client import MatrixClient
from tests.support.browser import widget_frame
from tests.support.clips import with_padding
from tests.support.commands import CommandSender
from tests.support.host import OpenHost
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from transcode import Tools

# Everybody sees a change within a second on a machine that does nothing else; tests share theirs.
SOON_MS = 5_000
TITLES = ("lake", "sea", "hill")
THOUSAND = 1000

_ORDER = (
    """() => [...document.querySelectorAll('[data-testid=video] .row-title')].map(({textContent}) => textContent)"""
)
_FOCUSED = """() => {
    const {dataset, className} = document.activeElement, row = document.activeElement.closest('[data-testid=video]');
    return `${row?.querySelector('.row-title, input')?.textContent ?? ''}:${dataset.testid ?? className}`;
}"""
# Rows are built by the list alone: what is counted here is the whole page's.
_SHIFTS = """() => {
    window.shifts = [];
    const list = document.querySelector('.videos-scroll');
    const inList = ({sources}) => sources
        .filter(({node}) => node === null || list.contains(node))
        .map(({node}) => node?.outerHTML.slice(0, 200) ?? 'gone');
    new PerformanceObserver((seen) => window.shifts.push(...seen.getEntries().flatMap(inList)))
        .observe({type: 'layout-shift', buffered: false});
}"""
_SCROLL = """async (screens) => {
    const list = document.querySelector('.videos-scroll'), rows = () => document.querySelectorAll('.row').length;
    let most = 0, blank = 0;
    for (let screen = 0; screen < screens; screen += 1) {
        list.scrollTop += list.clientHeight * 0.9;
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        most = Math.max(most, rows());
        const {left, top, height} = list.getBoundingClientRect();
        const middle = document.elementFromPoint(left + 60, top + height / 2);
        if (middle?.closest('.row') === null) blank += 1;
    }
    return {most, blank, top: list.scrollTop, height: list.scrollHeight};
}"""


@dataclass
class MemberWidget:
    """The widget of one member, in their browser."""

    page: Page
    frame: Frame

    def row(self, title: str) -> Locator:
        pattern = re.compile(f"^{re.escape(title)}$")
        return self.frame.locator("[data-testid=video]").filter(has=self.frame.locator(".row-title", has_text=pattern))

    async def order(self) -> list[str]:
        return list(await self.frame.evaluate(_ORDER))

    async def focused(self) -> str:
        return str(await self.frame.evaluate(_FOCUSED))

    async def choose(self, title: str, item: str) -> None:
        await self.row(title).locator("[data-testid=more]").click()
        await self.frame.locator(f"[data-testid=menu-{item}]").click()

    async def becomes(self, *titles: str) -> None:
        """Wait until these are the list."""

        async def is_in_order() -> bool:
            return await self.order() == list(titles)

        await eventually(
            is_in_order, seconds=SOON_MS / 1000, what=f"the list becoming {titles}, not {await self.order()},"
        )

    async def has_focus_on(self, what: str) -> None:
        async def is_focused() -> bool:
            return await self.focused() == what

        await eventually(is_focused, seconds=5, what=f"{what} having the focus, not {await self.focused()},")


@dataclass
class ModeratedRoom:
    """A room where alice is the moderator and bob has three videos."""

    reel: Installation
    alice: MatrixClient
    bob: MatrixClient
    room_id: str
    host: str
    viewer: Viewer  # bob
    ids: dict[str, str]

    async def bobs(self) -> list[dict[str, Any]]:
        members = (await self.viewer.room())["members"]
        return next(list(member["videos"]) for member in members if member["user_id"] == self.bob.user_id)


@pytest.fixture
async def moderated(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path,
    tmp_path: Path, open_host: OpenHost,
) -> ModeratedRoom:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    viewer = await reel.viewer(http, bob, room_id)
    files = {title: with_padding(clip, tmp_path / f"{title}.mp4", title.encode()) for title in TITLES}
    events = {title: await bob.send_video(room_id, file) for title, file in files.items()}
    ids = {title: str((await viewer.video_in(event_id, "ready"))["id"]) for title, event_id in events.items()}
    return ModeratedRoom(reel, alice, bob, room_id, await open_host(room_id), viewer, ids)


Handle = Callable[[Route], Awaitable[None]]
OpenWidget = Callable[..., Awaitable[MemberWidget]]


@pytest.fixture
async def open_widget(browser: Browser, moderated: ModeratedRoom) -> AsyncIterator[OpenWidget]:
    """Open the widget as somebody, at bob's videos."""
    async with AsyncExitStack() as stack:

        async def open_as(name: str, size: tuple[int, int] = (320, 640), *, touch: bool = False) -> MemberWidget:
            context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, has_touch=touch)
            stack.push_async_callback(context.close)
            page = await context.new_page()
            page.set_default_timeout(30_000)
            await page.goto(f"{moderated.host}?user={name}&layout=widget")
            frame = await widget_frame(page)
            await frame.locator(f'[data-testid=member][data-member="{moderated.bob.user_id}"]').click()
            await frame.locator(
                f'[data-testid=player][data-reel="{moderated.bob.user_id}"][data-playing=true]'
            ).wait_for()
            await frame.locator(".toasts").wait_for(state="attached")
            return MemberWidget(page, frame)

        yield open_as


@asynccontextmanager
async def _routed(widget: MemberWidget, pattern: str, handle: Handle) -> AsyncIterator[None]:
    await widget.page.context.route(pattern, handle)
    yield
    await widget.page.context.unroute(pattern, handle)


async def test_an_owner_manages_and_the_others_see_it(moderated: ModeratedRoom, open_widget: OpenWidget) -> None:
    bob, alice = await open_widget("bob"), await open_widget("alice")
    await bob.choose("sea", "rename")
    await bob.frame.locator("[data-testid=title-field]").fill("The open sea")
    await bob.page.keyboard.press("Enter")
    await expect(bob.row("The open sea")).to_be_visible(timeout=500)
    await expect(alice.row("The open sea")).to_be_visible(timeout=SOON_MS)
    # Alice is a moderator: what others no longer see, she sees as hidden.
    await bob.choose("hill", "hide")
    await expect(alice.row("hill")).to_have_attribute("data-visibility", "hidden", timeout=SOON_MS)
    await bob.choose("hill", "show")
    await expect(alice.row("hill")).to_have_attribute("data-visibility", "shown", timeout=SOON_MS)
    await bob.choose("lake", "avatar-set")
    await expect(alice.row("lake").locator("[data-mark=avatar]")).to_be_visible(timeout=SOON_MS)
    await bob.choose("hill", "avatar-set")
    await expect(bob.frame.locator("[data-mark=avatar]")).to_have_count(1)
    await expect(alice.row("hill").locator("[data-mark=avatar]")).to_be_visible(timeout=SOON_MS)
    await bob.choose("hill", "avatar-unset")
    await expect(alice.frame.locator("[data-mark=avatar]")).to_have_count(0, timeout=SOON_MS)
    assert [video["title"] for video in await moderated.bobs()] == ["lake", "The open sea", "hill"]


async def test_publishing_says_first_what_public_means(moderated: ModeratedRoom, open_widget: OpenWidget) -> None:
    bob = await open_widget("bob")
    await bob.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await bob.choose("lake", "publish")
    dialog = bob.frame.locator("[data-testid=publish-dialog]")
    address = f"{moderated.reel.url}/u/{moderated.bob.user_id}"
    await expect(dialog.locator("[data-testid=address]")).to_have_value(address)
    await dialog.locator("[data-testid=cancel]").click()
    await bob.has_focus_on("lake:more")
    assert not any(video["published"] for video in await moderated.bobs())
    await bob.choose("lake", "publish")
    await dialog.locator("[data-testid=confirm]").click()
    await expect(bob.row("lake").locator("[data-mark=published]")).to_be_visible()
    # Known by now: it is not explained again.
    await bob.choose("sea", "publish")
    await expect(bob.row("sea").locator("[data-mark=published]")).to_be_visible()
    await expect(dialog).to_have_count(0)
    await bob.choose("lake", "copy-link")
    await expect(bob.frame.locator("[data-testid=toast]", has_text="copied")).to_be_visible()
    assert await bob.page.evaluate("() => navigator.clipboard.readText()") == f"{address}#{moderated.ids['lake']}"
    await bob.choose("lake", "unpublish")
    await expect(bob.row("lake").locator("[data-mark=published]")).to_have_count(0)

    async def only_the_sea() -> bool:
        return [video["published"] for video in await moderated.bobs()] == [False, True, False]

    await eventually(only_the_sea, what="only one video being published")


async def test_a_link_is_shown_where_it_cannot_be_copied_and_leads_to_the_video(
    moderated: ModeratedRoom, open_widget: OpenWidget
) -> None:
    bob = await open_widget("bob")
    await bob.frame.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
    await bob.choose("hill", "copy-link")
    field = bob.frame.locator("[data-testid=address-dialog] [data-testid=address]")
    link = await field.input_value()
    assert link.endswith(f"video={moderated.ids['hill']}")
    selected = (
        "() => { const {selectionStart: a, selectionEnd: b, value} = document.activeElement; return [a, b, value]; }"
    )
    assert await bob.frame.evaluate(selected) == [0, len(link), link]
    await bob.page.keyboard.press("Escape")
    await bob.has_focus_on("hill:more")
    # As the address of the frame it starts with that video.
    # The script is there before those of the page: later, the frame may already stand.
    await bob.page.add_init_script(
        f"""new MutationObserver((_, observer) => {{
            const frame = document.querySelector('iframe[data-testid=widget]');
            if (frame && !frame.src.includes('video=')) {{
                observer.disconnect();
                frame.src += '&video={moderated.ids["hill"]}';
            }}
        }}).observe(document, {{childList: true, subtree: true}});
        // On a slow machine it may have ended, and the next one plays, before anybody looks.
        new MutationObserver(() => {{
            const player = document.querySelector('[data-testid=player]');
            window.firstVideo ||= player?.dataset.videoId;
        }}).observe(document, {{childList: true, subtree: true, attributes: true}})"""
    )
    await bob.page.goto(bob.page.url)
    handle = await bob.page.locator('iframe[data-testid=widget][src*="video="]').element_handle()
    frame = await handle.content_frame()
    assert frame
    player = frame.locator("[data-testid=player]:not([data-video-id=''])")
    await player.wait_for()
    await expect(player).to_have_attribute("data-reel", moderated.bob.user_id)
    assert await frame.evaluate("() => window.firstVideo") == moderated.ids["hill"]


async def test_deleting_is_undone(moderated: ModeratedRoom, open_widget: OpenWidget) -> None:
    bob, alice = await open_widget("bob"), await open_widget("alice")
    await bob.choose("sea", "delete")
    await bob.becomes("lake", "hill")
    await bob.has_focus_on("hill:row-body")
    await alice.becomes("lake", "hill")
    await bob.frame.locator("[data-testid=undo]").click()
    await bob.becomes("lake", "sea", "hill")
    await bob.has_focus_on("sea:row-body")
    await alice.becomes("lake", "sea", "hill")
    # By keys, and by a moderator; then for good.
    await alice.row("hill").locator(".row-body").focus()
    await alice.page.keyboard.press("Delete")
    await alice.becomes("lake", "sea")
    await alice.has_focus_on("sea:row-body")
    await alice.page.keyboard.press("Control+z")
    await alice.becomes("lake", "sea", "hill")
    await bob.becomes("lake", "sea", "hill")
    await alice.choose("hill", "delete")
    await expect(alice.frame.locator("[data-testid=undo]")).to_have_count(1)
    await alice.frame.locator("[data-testid=undo]").hover()
    await expect(alice.frame.locator("[data-testid=undo]")).to_have_count(0, timeout=9_000)
    await bob.becomes("lake", "sea")


async def test_reports_reach_the_moderators(
    moderated: ModeratedRoom, open_widget: OpenWidget, clip: Path, tmp_path: Path
) -> None:
    event_id = await moderated.alice.send_video(moderated.room_id, with_padding(clip, tmp_path / "cave.mp4", b"cave"))
    await moderated.viewer.video_in(event_id, "ready")
    bob, alice = await open_widget("bob"), await open_widget("alice")
    for widget in (bob, alice):
        await widget.frame.locator(f'[data-testid=member][data-member="{moderated.alice.user_id}"]').click()
    await bob.row("cave").locator("[data-testid=more]").click()
    await expect(bob.frame.locator("[data-testid=menu] [role=menuitem]").first).to_be_visible()
    items = await bob.frame.locator("[data-testid=menu] [role=menuitem]").all_inner_texts()
    assert items == ["Copy link", "Report…"], "a member may do nothing else with somebody's video"
    await bob.frame.locator("[data-testid=menu-report]").click()
    await bob.frame.locator("[data-testid=reason]").fill("It is too loud.")
    await bob.frame.locator("[data-testid=confirm]").click()
    await expect(bob.frame.locator("[data-testid=toast][data-kind=done]")).to_be_visible()
    await expect(alice.row("cave").locator("[data-mark=reported]")).to_have_text(re.compile("1"), timeout=SOON_MS)
    await alice.choose("cave", "dismiss")
    await expect(alice.row("cave").locator("[data-mark=reported]")).to_have_count(0)
    await expect(bob.row("cave").locator("[data-mark=reported]")).to_have_count(0)


async def test_two_editors_meet(moderated: ModeratedRoom, open_widget: OpenWidget) -> None:
    bob, alice = await open_widget("bob"), await open_widget("alice")
    await bob.choose("lake", "rename")
    field = bob.frame.locator("[data-testid=title-field]")
    await field.fill("Bob's lake")
    # Meanwhile somebody hides it: that is no reason not to rename it. A new title is.
    await alice.choose("lake", "hide")
    await expect(bob.row("sea")).to_be_visible()
    await bob.page.keyboard.press("Enter")
    await expect(alice.row("Bob's lake")).to_have_attribute("data-visibility", "hidden", timeout=SOON_MS)
    await bob.choose("sea", "rename")
    await field.fill("Bob's sea")
    await alice.choose("sea", "rename")
    await alice.frame.locator("[data-testid=title-field]").fill("Alice's sea")
    await alice.page.keyboard.press("Enter")
    await expect(alice.row("Alice's sea")).to_be_visible()

    async def renamed() -> bool:
        return bool((await moderated.bobs())[1]["title"] == "Alice's sea")

    await eventually(renamed, what="alice's title being kept")
    await bob.page.keyboard.press("Enter")
    await expect(bob.frame.locator("[data-testid=toast][data-kind=refused]")).to_be_visible(timeout=SOON_MS)
    await expect(bob.row("Alice's sea")).to_be_visible()
    assert (await moderated.bobs())[1]["title"] == "Alice's sea"


async def test_orders_are_merged(moderated: ModeratedRoom, open_widget: OpenWidget) -> None:
    bob, alice = await open_widget("bob"), await open_widget("alice")
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    async with _routed(bob, "**/order", hold):
        await bob.choose("hill", "move-top")
        await bob.becomes("hill", "lake", "sea")
        await alice.choose("lake", "move-down")
        await alice.becomes("sea", "lake", "hill")
        await bob.becomes("hill", "sea", "lake")  # hers arrived, and bob's lies over it
        held.set()
        for widget in (alice, bob):
            await widget.becomes("hill", "sea", "lake")
    assert await bob.frame.locator("[data-testid=toast]").count() == 0

    async def kept() -> bool:
        return [video["id"] for video in await moderated.bobs()] == [
            moderated.ids[title] for title in ("hill", "sea", "lake")
        ]

    await eventually(kept, what="both moves being kept")


async def test_nothing_is_lost_while_the_server_is_away(moderated: ModeratedRoom, open_widget: OpenWidget) -> None:
    bob = await open_widget("bob")

    async def pass_when_back(route: Route) -> None:
        await (route.continue_() if await bob.frame.evaluate("() => window.isBack === true") else route.abort())

    async def press() -> bool:
        # The server is back just when the button is pressed: between the two the page could try again by itself.
        pressed: bool = await bob.frame.evaluate(
            """() => {
                const button = document.querySelector('[data-testid=save-now]:enabled');
                window.isBack = button !== null;
                button?.click();
                return window.isBack;
            }"""
        )
        return pressed

    await bob.page.context.route("**/api/v1/videos/**", pass_when_back)
    await bob.choose("lake", "rename")
    await bob.frame.locator("[data-testid=title-field]").fill("Far away")
    await bob.page.keyboard.press("Enter")
    await expect(bob.frame.locator("[data-testid=unsaved]")).to_be_visible()
    await expect(bob.row("Far away")).to_be_visible()
    await eventually(press, what="the button")
    await expect(bob.frame.locator("[data-testid=unsaved]")).to_have_count(0)

    async def saved() -> bool:
        return bool((await moderated.bobs())[0]["title"] == "Far away")

    await eventually(saved, what="the new title arriving")


async def test_the_keyboard_does_it_all(moderated: ModeratedRoom, open_widget: OpenWidget) -> None:
    bob = await open_widget("bob")
    keys = bob.page.keyboard
    await bob.row("lake").locator(".row-body").focus()
    await keys.press("Alt+ArrowDown")
    await bob.becomes("sea", "lake", "hill")
    await bob.has_focus_on("lake:row-body")
    await expect(bob.frame.get_by_text(re.compile("lake.* is at place .*2.* of .*3.* now"))).to_be_attached()
    for key, titles in (("Alt+End", ("sea", "hill", "lake")), ("Alt+Home", ("lake", "sea", "hill"))):
        await keys.press(key)
        await bob.becomes(*titles)
        await bob.has_focus_on("lake:row-body")
    for key, title in (("ArrowDown", "sea"), ("End", "hill"), ("Home", "lake"), ("ArrowDown", "sea")):
        await keys.press(key)
        await bob.has_focus_on(f"{title}:row-body")
    # The menu: by its button, by the context menu's key; round and round, by first letters; Escape leads back.
    await keys.press("Tab")
    await bob.has_focus_on("sea:more")
    await keys.press("Enter")
    await bob.has_focus_on(":menu-rename")
    for key, item in (("ArrowUp", "delete"), ("ArrowDown", "rename"), ("End", "delete"), ("c", "copy-link")):
        await keys.press(key)
        await bob.has_focus_on(f":menu-{item}")
    await keys.press("Escape")
    await bob.has_focus_on("sea:more")
    await bob.row("sea").locator(".row-body").focus()
    await keys.press("ContextMenu")
    await bob.has_focus_on(":menu-rename")
    await keys.press("Enter")
    await bob.frame.locator("[data-testid=title-field]").wait_for()
    await keys.type("Nowhere")
    await keys.press("Escape")
    await bob.has_focus_on("sea:row-body")
    await keys.press("F2")
    await bob.frame.locator("[data-testid=title-field]").wait_for()
    await keys.type("Baltic")
    await keys.press("Enter")
    await bob.has_focus_on("Baltic:row-body")
    await bob.becomes("lake", "Baltic", "hill")


async def test_dragging(moderated: ModeratedRoom, open_widget: OpenWidget) -> None:
    bob, alice = await open_widget("bob"), await open_widget("alice", touch=True)
    boxes = [await bob.row(title).bounding_box() for title in TITLES]
    assert boxes[0]
    assert boxes[2]
    mouse = bob.page.mouse
    await mouse.move(boxes[0]["x"] + 100, boxes[0]["y"] + 30)
    await mouse.down()
    await mouse.move(boxes[2]["x"] + 100, boxes[2]["y"] + 40, steps=8)
    await bob.becomes("sea", "hill", "lake")
    await mouse.up()
    await alice.becomes("sea", "hill", "lake")
    # It was no click.
    showing = await bob.frame.locator("[data-testid=player]").get_attribute("data-video-id")
    assert showing in moderated.ids.values()
    await mouse.move(boxes[0]["x"] + 100, boxes[0]["y"] + 30)
    await mouse.down()
    await mouse.move(boxes[2]["x"] + 100, boxes[2]["y"] + 40, steps=8)
    await bob.page.keyboard.press("Escape")
    await mouse.up()
    await bob.becomes("sea", "hill", "lake")
    # A finger on the handle.
    session = await alice.page.context.new_cdp_session(alice.page)
    grip = await alice.row("lake").locator("[data-testid=grip]").bounding_box()
    goal = await alice.row("sea").bounding_box()
    assert grip
    assert goal
    x, y = grip["x"] + 10, grip["y"] + 30
    await session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 9):
        at = {"x": x, "y": y + (goal["y"] + 10 - y) * step / 8}
        await session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
    await alice.becomes("lake", "sea", "hill")
    await session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await bob.becomes("lake", "sea", "hill")


async def test_the_list_distinguishes_photos_and_audio_from_videos(
    moderated: ModeratedRoom, open_widget: OpenWidget, tools: Tools, tmp_path: Path, screenshots: Path
) -> None:
    for setting in ("images on", "voice on"):
        await CommandSender(moderated.alice, moderated.room_id)(f"!reel room {setting}")  # what is sent counts by it
    for name, msgtype, *source in (
        ("Photo of a bird.jpg", "m.image", "-f", "lavfi", "-i", "testsrc2=s=640x480", "-frames:v", "1"),
        ("A song.ogg", "m.audio", "-f", "lavfi", "-i", "sine=d=3", "-c:a", "libopus"),
    ):
        file = tmp_path / name
        process = await asyncio.create_subprocess_exec(str(tools.ffmpeg), "-v", "error", *source, str(file))
        assert await process.wait() == 0
        await moderated.viewer.video_in(
            await moderated.bob.send_video(moderated.room_id, file, msgtype=msgtype), "ready"
        )
    alice = await open_widget("alice")
    for title, kind in (("Photo of a bird", "Photo"), ("A song", "Sound")):
        row = alice.row(title)
        await expect(row.locator(".thumb-kind")).to_be_visible()
        await expect(row.locator(".row-text .unseen")).to_have_text(kind)
    await expect(alice.row("lake").locator(".thumb-kind")).to_have_count(0)
    await alice.page.screenshot(path=screenshots / "kinds-320x640.png")


def _thousand(overview: dict[str, Any]) -> dict[str, Any]:
    page = overview["page"]
    first = page["videos"][0]
    page["videos"] += [
        {
            **first, "id": f"{number:08d}-0000-4000-8000-000000000000", "title": f"Number {number}",
            "position": 1e15 + number,
        }
        for number in range(len(page["videos"]), THOUSAND)
    ]  # fmt: skip
    return {**overview, "page": {**page, "total": THOUSAND}}


async def test_a_thousand_videos(moderated: ModeratedRoom, open_widget: OpenWidget, screenshots: Path) -> None:
    bob = await open_widget("bob")

    async def fulfil(route: Route) -> None:
        response = await route.fetch()
        await route.fulfill(response=response, json=_thousand(await response.json()))

    async with _routed(bob, "**/api/v1/rooms/*/overview", fulfil):
        # What the viewer changes is looked at again.
        await bob.choose("lake", "rename")
        await bob.frame.locator("[data-testid=title-field]").fill("The lake")
        await bob.page.keyboard.press("Enter")
        await expect(bob.row("The lake")).to_be_visible(timeout=SOON_MS)
        rows = bob.frame.locator("[data-testid=video]")
        await expect(rows.first).to_have_attribute("aria-setsize", str(THOUSAND), timeout=SOON_MS)
        await bob.frame.evaluate(_SHIFTS)
        await bob.row("The lake").locator(".row-body").focus()
        seen = await bob.frame.evaluate(_SCROLL, 40)
        assert seen["most"] < 60, seen
        assert seen["blank"] == 0, seen
        assert seen["height"] > THOUSAND * 50, seen
        assert seen["top"] > 5_000, seen
        assert await bob.frame.evaluate("() => window.shifts") == []
        # The focus is where it was, out of sight; keys go on from there, and far.
        await bob.has_focus_on("The lake:row-body")
        await bob.page.keyboard.press("End")
        await bob.has_focus_on("Number 999:row-body")
        await bob.page.screenshot(path=screenshots / "thousand-320x640.png")
        # What plays is far away: a button leads there, and the field finds what one looks for.
        await bob.frame.locator("[data-testid=to-current]").click()
        await expect(bob.frame.locator("[data-testid=video][data-current=true]")).to_be_in_viewport()
        await bob.frame.locator("[data-testid=find]").fill("number 77")
        await expect(rows.first).to_have_attribute("aria-setsize", "19")  # 77, 177, … 977, 770, … 779
        assert (await bob.order())[:3] == ["Number 77", "Number 177", "Number 277"]
        await bob.frame.locator("[data-testid=find]").fill("nothing like that")
        await expect(rows).to_have_count(0)
