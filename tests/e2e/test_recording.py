"""In Chromium: recorded or chosen in the widget, uploaded meanwhile, sent as the viewer, played for all."""

import re
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from appservice.demo.browser import open_browser
from appservice.demo.client import MatrixClient
from tests.integration.transcode.test_recordings import recorded
from tests.support.browser import axe_finds, drop_file, over_frames
from tests.support.host import OpenHost
from tests.support.installation import Installation
from tests.support.recording_page import (
    recording_page,
    see_play,
    sent_event,
    start_recording,
)
from tests.support.rooms import make_room
from tests.support.waiting import eventually
from transcode import Tools

pytestmark = pytest.mark.timeout(180)


async def test_a_recording_outlives_a_lost_connection_and_plays_for_others(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, studio: Browser,
    open_host: OpenHost, screenshots: Path,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    url = await open_host(room_id)
    async with recording_page(studio, url) as seen, recording_page(studio, url, user="alice") as others:
        await seen.press("record", "record-camera")
        await expect(seen.at("record-live")).to_have_attribute("data-mirrored", "true")
        await seen.press("record-start")
        await seen.at("record-view", "[data-phase=counting]").wait_for()
        await seen.press("record-skip")
        # It is uploaded while it is recorded; what comes while there is no connection goes later.
        await seen.requested("PATCH", times=2)
        await seen.context.set_offline(True)
        await seen.at("record-link", "[data-lost=true]").wait_for()
        await seen.page.screenshot(path=screenshots / "recording-offline-320x600.png")
        await expect(seen.at("record-status")).to_contain_text("No connection")
        await seen.context.set_offline(False)
        await seen.at("record-link", "[data-lost=false]").wait_for()
        await seen.press("record-pause")
        clock = "document.querySelector('[data-testid=record-clock]').innerText"
        assert len(await over_frames(seen.frame, clock, frames=80)) == 1, "it shows seconds"
        await seen.press("record-resume", "record-stop")

        await seen.at("trimmer").wait_for()
        end = float(await seen.at("trim-end").input_value())
        assert end > 3
        await seen.at("trim-start").fill("1")
        await seen.at("trim-end").focus()
        await seen.page.keyboard.press("ArrowLeft")
        await expect(seen.at("trim-start-time")).to_have_text("0:01.0")
        await seen.at("record-caption").fill("Hello from the camera")
        await seen.page.screenshot(path=screenshots / "recording-review-320x600.png")
        await seen.press("record-send")
        event = await sent_event(seen, bob, room_id)
        await seen.page.screenshot(path=screenshots / "recording-sent-320x600.png")

        assert event["sender"] == bob.user_id
        content = event["content"]
        assert (content["msgtype"], content["body"]) == ("m.video", "Hello from the camera")
        assert re.fullmatch(r"Recording .+\.mp4", content["filename"])
        assert content["info"]["mimetype"] == "video/mp4"
        assert abs(content["info"]["duration"] / 1000 - (end - 1.1)) < 0.6
        # In the reel of bob, for him and for others.
        viewer = await reel.viewer(http, alice, room_id)
        video = await viewer.video_in(event["event_id"], "ready")
        await seen.at("record-sent", "[data-ready=true]").wait_for()
        await seen.press("record-watch")
        await seen.at("player", f'[data-video-id="{video["id"]}"][data-playing=true]').wait_for()
        await see_play(others, video["id"])
        assert not [problem for problem in seen.problems if "ERR_INTERNET_DISCONNECTED" not in problem]


async def test_the_screen_with_the_microphone(
    reel: Installation, alice: MatrixClient, bob: MatrixClient, studio: Browser, open_host: OpenHost
) -> None:
    room_id = await make_room(alice, reel, bob)
    async with recording_page(studio, await open_host(room_id), width=800, height=300) as seen:
        await seen.press("record", "record-screen")
        await seen.at("record-start").wait_for()
        await expect(seen.at("record-live")).to_have_attribute("data-mirrored", "false")
        # It is on as soon as the microphone is.
        await seen.at("record-with-microphone").click()
        await expect(seen.at("record-with-microphone")).to_be_checked()
        await seen.press("record-start", "record-skip")
        await seen.press("record-mute")
        await expect(seen.at("record-mute")).to_have_attribute("aria-pressed", "true")
        await expect(seen.at("record-clock")).to_contain_text("0:02")
        await seen.press("record-stop", "record-send")
        event = await sent_event(seen, bob, room_id)
        assert event["content"]["info"]["duration"] > 1500
        # Without a caption the file's name is the text.
        assert event["content"]["body"] == event["content"]["filename"]
        assert seen.problems == []


async def test_a_draft_stays_while_the_view_is_closed(
    reel: Installation, alice: MatrixClient, bob: MatrixClient, studio: Browser, open_host: OpenHost
) -> None:
    room_id = await make_room(alice, reel, bob)
    async with recording_page(studio, await open_host(room_id), width=280, height=300) as seen:
        await start_recording(seen)
        await seen.press("record-close")
        await expect(seen.at("record")).to_have_attribute("data-mark", "recording")
        await seen.press("record")
        await expect(seen.at("record-clock")).to_contain_text("0:02")
        await seen.press("record-stop")
        await seen.at("record-caption").fill("Not yet")
        await seen.page.keyboard.press("Escape")
        await seen.at("record-view").wait_for(state="detached")
        await expect(seen.at("record")).to_have_attribute("data-mark", "draft")
        await expect(seen.at("record")).to_be_focused()
        await seen.press("record")
        await expect(seen.at("record-caption")).to_have_value("Not yet")
        # A file that is dropped now must not take its place.
        await drop_file(seen.frame.locator("body"), b"x", "other.mp4")
        await seen.at("record-problem", "[data-problem=kept]").wait_for()
        await seen.press("record-discard", "record-keep")
        await expect(seen.at("record-caption")).to_have_value("Not yet")
        await seen.press("record-discard", "record-confirm-discard")
        await seen.at("record-camera").wait_for()
        await expect(seen.at("record")).not_to_have_attribute("data-mark", re.compile(".*"))
        await seen.requested("DELETE")


async def test_the_keyboard_is_enough_and_nothing_counts_down_under_reduced_motion(
    reel: Installation, alice: MatrixClient, bob: MatrixClient, studio: Browser, open_host: OpenHost
) -> None:
    room_id = await make_room(alice, reel, bob)
    async with recording_page(studio, await open_host(room_id), motion="reduce") as seen:
        keyboard = seen.page.keyboard
        await seen.at("record").focus()
        await keyboard.press("Enter")
        await expect(seen.at("record-camera")).to_be_focused()
        await keyboard.press("Enter")
        await expect(seen.at("record-start")).to_be_focused()
        await keyboard.press("Space")
        await expect(seen.at("record-stop")).to_be_focused()
        await expect(seen.at("record-clock")).to_contain_text("0:02")
        await keyboard.press("Space")
        await expect(seen.at("record-send")).to_be_focused()
        await expect(seen.at("record-status")).to_contain_text("long. Trim it")
        for _ in range(2):  # past 'discard' to the caption
            await keyboard.press("Shift+Tab")
        await keyboard.type("By hand")
        await keyboard.press("Enter")
        assert (await sent_event(seen, bob, room_id))["content"]["body"] == "By hand"
        assert seen.problems == []


@pytest.mark.parametrize("way", ["picked", "dropped"])
async def test_a_file_is_sent_as_it_is(
    reel: Installation,
    alice: MatrixClient,
    bob: MatrixClient,
    browser: Browser,
    open_host: OpenHost,
    clip: Path,
    way: str,
) -> None:
    room_id = await make_room(alice, reel, bob)
    async with recording_page(browser, await open_host(room_id)) as seen:
        if way == "picked":
            await seen.press("record")
            await seen.at("record-file").set_input_files(
                {"name": "note.txt", "mimeType": "text/plain", "buffer": b"no video"}
            )
            await seen.at("record-problem", "[data-problem=not-a-video]").wait_for()
            await seen.at("record-file").set_input_files(clip)
        else:
            await seen.at("record").wait_for()
            await drop_file(seen.frame.locator("body"), clip.read_bytes(), clip.name)
        await seen.at("trimmer").wait_for()
        await seen.press("record-play")
        await expect(seen.at("record-play")).to_have_attribute("data-playing", "true")
        await seen.press("record-send")
        content = (await sent_event(seen, bob, room_id))["content"]
        assert (content["body"], content["info"]["size"]) == (clip.name, clip.stat().st_size)
        assert seen.problems == []


async def test_what_is_longer_than_the_room_takes_is_cut_below_that(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, studio: Browser,
    open_host: OpenHost, tools: Tools, tmp_path: Path, screenshots: Path,
) -> None:  # fmt: skip
    trip = recorded(tools, tmp_path / "trip.webm", seconds=6, size="320x180")
    room_id = await make_room(alice, reel, bob)
    await _takes(reel, alice, room_id, 3)
    viewer = await reel.viewer(http, bob, room_id)
    async with recording_page(studio, await open_host(room_id), height=300) as seen:
        # A recording ends by itself, and what is sent is not longer.
        await start_recording(seen)
        await seen.at("record-view", "[data-phase=review]").wait_for()
        await expect(seen.at("trim-end-time")).to_have_text("0:03.0")
        await seen.press("record-send")
        event = await sent_event(seen, bob, room_id)
        assert 2000 <= event["content"]["info"]["duration"] <= 3000
        assert (await viewer.video_in(event["event_id"], "ready"))["duration"] <= 3
        # Of a file a part is chosen, which may be anywhere; the room takes less since, and nothing is lost.
        await seen.press("record-again")
        await seen.at("record-file").set_input_files(trip)
        await expect(seen.at("record-longest")).to_contain_text(re.compile(r"A video here may be \W*0:03\W* long"))
        await expect(seen.at("trim-end-time")).to_have_text("0:03.0")
        await seen.page.screenshot(path=screenshots / "recording-longest-320x300.png")
        await seen.at("trim-end").fill("4.5")
        await expect(seen.at("trim-start-time")).to_have_text("0:01.5")
        await _takes(reel, alice, room_id, 2)
        await seen.press("record-send")
        await seen.at("record-failed", "[data-step=prepare]").wait_for()
        too_long = re.compile(r"A video here may be \W*0:02\W* long\. Yours is still here")
        await expect(seen.at("record-failed")).to_contain_text(too_long)
        await seen.at("record-save").wait_for()
        await seen.page.screenshot(path=screenshots / "recording-too-long-320x300.png")
        await seen.press("record-edit")
        await expect(seen.at("trim-end-time")).to_have_text("0:03.5")
        await seen.press("record-send")
        event = await sent_event(seen, bob, room_id)
        assert event["content"]["info"]["duration"] == 2000
        assert (await viewer.video_in(event["event_id"], "ready"))["duration"] <= 2
        assert seen.problems == []


async def _takes(reel: Installation, moderator: MatrixClient, room_id: str, seconds: int) -> None:
    await moderator.send_text(room_id, f"!reel room max-length {seconds}")

    async def chosen() -> bool:
        rows = await reel.rows(
            "SELECT (settings ->> 'max_length')::integer AS most FROM rooms WHERE room_id = $1", room_id
        )
        return [row["most"] for row in rows] == [seconds]

    await eventually(chosen, what=f"videos of {seconds} s at most")


async def _may_add(reel: Installation, moderator: MatrixClient, room_id: str, who: str) -> None:
    await moderator.send_text(room_id, f"!reel room add {who}")

    async def chosen() -> bool:
        rows = await reel.rows("SELECT settings ->> 'add' AS add FROM rooms WHERE room_id = $1", room_id)
        return [row["add"] or "members" for row in rows] == [who]

    await eventually(chosen, what=f"{who} being those who add videos")


async def test_what_fails_can_be_tried_again(
    reel: Installation, alice: MatrixClient, bob: MatrixClient, browser: Browser, open_host: OpenHost, clip: Path,
    screenshots: Path,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    async with recording_page(browser, await open_host(room_id), width=320, height=300) as seen:
        await seen.press("record")
        sending = re.compile(r"/send/m\.room\.message/")
        await _may_add(reel, alice, room_id, "moderators")
        await seen.page.route(sending, lambda route: route.fulfill(status=403, json={"errcode": "M_FORBIDDEN"}))
        await seen.at("record-file").set_input_files(clip)
        await seen.at("record-caption").fill("At last")
        await seen.press("record-send")
        await seen.at("record-failed", "[data-step=upload]").wait_for()
        await expect(seen.at("record-failed")).to_contain_text("does not accept videos from you in this room")
        await seen.page.screenshot(path=screenshots / "recording-failed-320x300.png")
        await _may_add(reel, alice, room_id, "members")
        await seen.press("record-retry")
        await seen.at("record-failed", "[data-step=post]").wait_for()
        await seen.press("record-close")
        await expect(seen.at("record")).to_have_attribute("data-mark", "failed")
        await seen.page.unroute(sending)
        await seen.press("record", "record-retry")
        assert (await sent_event(seen, bob, room_id))["content"]["body"] == "At last"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--use-fake-device-for-media-stream", "--deny-permission-prompts"), "denied"),
        (("--use-fake-device-for-media-stream=device-count=0", "--use-fake-ui-for-media-stream"), "missing"),
    ],
)
async def test_without_a_camera_there_is_another_way(
    reel: Installation, alice: MatrixClient, bob: MatrixClient, open_host: OpenHost, clip: Path, screenshots: Path,
    arguments: tuple[str, ...], problem: str,
) -> None:  # fmt: skip
    room_id = await make_room(alice, reel, bob)
    url = await open_host(room_id)
    async with open_browser(*arguments) as browser, recording_page(browser, url, width=280, height=300) as seen:
        await seen.press("record", "record-camera")
        await seen.at("record-problem", f"[data-problem={problem}]").wait_for()
        await seen.page.screenshot(path=screenshots / f"recording-{problem}-280x300.png")
        await expect(seen.at("record-camera")).to_be_focused()
        await seen.at("record-file").set_input_files(clip)
        await seen.at("record-send").wait_for()
        # Untouched, it goes without a question.
        await seen.press("record-discard")
        await seen.at("record-camera").wait_for()
        assert seen.problems == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_while_recording(
    reel: Installation, alice: MatrixClient, bob: MatrixClient, studio: Browser, open_host: OpenHost, theme: str
) -> None:
    room_id = await make_room(alice, reel, bob)
    async with recording_page(studio, await open_host(room_id), query=f"&theme={theme}") as seen:

        async def look(state: str) -> None:
            for width, height in ((280, 300), (320, 600), (1280, 720)):
                await seen.page.set_viewport_size({"width": width, "height": height})
                assert await axe_finds(seen.frame) == [], f"{state}, {width}×{height}, {theme}"

        await seen.press("record")
        await look("choosing")
        await seen.press("record-camera")
        await seen.at("record-start").wait_for()
        await seen.press("record-devices")
        await look("camera")
        cameras = seen.frame.locator(".device select").first
        await cameras.select_option(index=1)
        await expect(seen.at("record-view")).to_have_attribute("data-phase", "live")
        await expect(cameras.locator("option:checked")).to_have_text("fake_device_1")
        await seen.press("record-start", "record-skip")
        await seen.at("record-stop").wait_for()
        await look("recording")
        await seen.press("record-discard")
        await look("asking")
        await seen.press("record-keep", "record-stop")
        await seen.at("trimmer").wait_for()
        await look("review")
        # It stays here: the server gets no request.
        await seen.page.route("**/api/v1/uploads/*/finish", lambda route: route.abort())
        await seen.press("record-send")
        await seen.at("record-step-prepare", "[data-state=running]").wait_for()
        await look("sending")
        # Who leaves takes the recording away: the server erases its part.
        await seen.page.goto("about:blank")

        async def is_erased() -> bool:
            return not await reel.rows("SELECT FROM uploads WHERE room_id = $1", room_id)

        await eventually(is_erased, what="the upload's end")
