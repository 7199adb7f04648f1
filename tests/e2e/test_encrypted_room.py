"""In Chromium: people watch, record and talk in encrypted rooms, of which the homeserver has nothing but ciphertext."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from appservice.demo.client import Content, MatrixClient
from appservice.demo.encrypted_client import EncryptedClient
from tests.support.encrypted_rooms import (
    KEY,
    People,
    bot_joins,
    check_ciphertext,
    encrypting_user,
    make_encrypted_room,
    opt_in,
    plainly,
)
from tests.support.host import OpenHost, hosts
from tests.support.installation import Installation
from tests.support.recording_page import recording_page, see_play, sent_event, start_recording
from tests.support.rooms import wait_for_widget

pytestmark = pytest.mark.timeout(240)


@dataclass
class Encrypting:
    """A Roomreel that serves encrypted rooms, ada and ben on devices that encrypt, and the page that uses these."""

    reel: Installation
    people: People
    open_host: OpenHost


@pytest.fixture
async def encrypting(spare: Installation) -> AsyncIterator[Encrypting]:
    spare.write_config(encryption={"key": KEY})
    async with spare.running(), AsyncExitStack() as stack:
        people = [await encrypting_user(spare.synapse, name, stack) for name in ("ada", "ben")]
        ada, ben = people
        yield Encrypting(spare, (ada, ben), await stack.enter_async_context(hosts(spare, ada, ben, people)))


def _name(user: MatrixClient) -> str:
    """Return the name by which the page signs somebody in."""
    return user.user_id[1:].partition(":")[0]


async def _make_direct_chat(ada: EncryptedClient, reel: Installation, ben: EncryptedClient) -> str:
    """Make a direct chat of two people, as a client does, which they then invite the bot into."""
    room_id = await ada.create_direct_chat(ben.user_id)
    await ben.join(room_id)
    levels = await ada.get_state(room_id, "m.room.power_levels")
    await ada.send_state(room_id, "m.room.power_levels", levels | {"users": {**levels["users"], reel.bot: 50}})
    await ada.invite(room_id, reel.bot)
    return await opt_in(ada, reel, await bot_joins(ada, reel, room_id))


class MakeRoom(Protocol):
    """Makes a room of two people with the bot, who takes their videos."""

    async def __call__(self, owner: EncryptedClient, service: Installation, guest: EncryptedClient, /) -> str: ...


@pytest.mark.parametrize("make", [make_encrypted_room, _make_direct_chat], ids=["room", "direct chat"])
async def test_another_member_sees_it_play(
    encrypting: Encrypting, http: aiohttp.ClientSession, browser: Browser, clip: Path, make: MakeRoom
) -> None:
    reel, (ada, ben) = encrypting.reel, encrypting.people
    room_id = await make(ada, reel, ben)
    await wait_for_widget(ada, room_id)
    event_id = await ada.send_video(room_id, clip)
    video = await (await reel.viewer(http, ben, room_id)).video_in(event_id, "ready")
    async with plainly(ada) as plain:
        assert [e["type"] for e in await plain.messages(room_id) if e["event_id"] == event_id] == ["m.room.encrypted"]
    url = await encrypting.open_host(room_id)
    async with recording_page(browser, url, user=_name(ben)) as seen:
        await see_play(seen, video["id"])
        assert seen.problems == []


async def test_a_recording_and_what_is_said_about_it(
    encrypting: Encrypting, http: aiohttp.ClientSession, studio: Browser
) -> None:
    reel, (ada, ben) = encrypting.reel, encrypting.people
    room_id = await make_encrypted_room(ada, reel, ben)
    await wait_for_widget(ada, room_id)
    url = await encrypting.open_host(room_id)
    async with (
        recording_page(studio, url, user=_name(ben)) as seen,
        recording_page(studio, url, user=_name(ada), width=1280, height=720) as others,
    ):
        await start_recording(seen)
        await seen.requested("PATCH", times=2)
        await seen.press("record-stop")
        await seen.at("record-caption").fill("Hello from the camera")
        await seen.press("record-send")
        event = await sent_event(seen, ada, room_id)
        assert (event["sender"], event["content"]["body"]) == (ben.user_id, "Hello from the camera")
        assert not {"url", "thumbnail_url"} & (event["content"].keys() | event["content"]["info"].keys())
        assert (await check_ciphertext(ada, http, event["content"]["file"]))[4:8] == b"ftyp"
        await check_ciphertext(ada, http, event["content"]["info"]["thumbnail_file"])
        video = await (await reel.viewer(http, ada, room_id)).video_in(event["event_id"], "ready")
        await see_play(others, video["id"])

        await others.press("talk", "ask")
        await others.at("reply-text").fill("What a hello!")
        await others.at("reply-text").press("Enter")
        await expect(others.at("reply", "[data-own=true]")).to_contain_text("What a hello!")
        await others.at("talk-view").locator("[data-testid=react]").click()
        await others.at("emoji", ":visible").first.click()
        await seen.press("record-watch", "talk", "ask")
        reply = seen.at("reply", "[data-own=false]")
        await expect(reply).to_contain_text("What a hello!")
        await others.at("reply-text").fill("And what a bow!")
        await others.at("reply-text").press("Enter")
        await expect(reply.last).to_contain_text("And what a bow!")
        assert others.problems == seen.problems == []
    events = await _at_homeserver(ada, room_id, ("Hello from", "What a hello", "And what a bow"))
    assert {each["type"] for each in events if each["sender"] == ada.user_id} == {"m.room.encrypted", "m.reaction"}
    assert {each["type"] for each in events if each["sender"] == ben.user_id} == {"m.room.encrypted"}


async def _at_homeserver(user: EncryptedClient, room_id: str, said: tuple[str, ...]) -> list[Content]:
    """Return the messages as the homeserver has them, and check that it reads nothing of what people said."""
    async with plainly(user) as plain:
        events = [event for event in await plain.messages(room_id) if "state_key" not in event]
    assert not [part for part in said if part in json.dumps(events)]
    return events


async def test_the_page_sends_and_shows_what_is_encrypted(
    encrypting: Encrypting, http: aiohttp.ClientSession, browser: Browser, clip: Path
) -> None:
    reel, (ada, ben) = encrypting.reel, encrypting.people
    room_id = await make_encrypted_room(ada, reel, ben)
    await ada.send_text(room_id, "Before")
    page = await browser.new_page()
    try:
        await page.goto(f"{await encrypting.open_host(room_id)}?user={_name(ben)}")
        messages = page.locator("[data-testid=message][data-kind=text]")
        await expect(messages.last.locator(".bubble")).to_have_text("Before")
        await page.locator("[data-testid=composer]").fill("Mine")
        await page.locator("[data-testid=send]").click()
        await expect(messages.last.locator(".bubble")).to_have_text("Mine")
        await page.locator("[data-testid=file-input]").set_input_files(clip)
        await page.locator("[data-testid=message][data-kind=file]").wait_for()
        await expect(page.locator("[data-testid=draft]")).to_have_count(0)
    finally:
        await page.close()
    video = next(e for e in await ada.messages(room_id) if e["content"].get("msgtype") == "m.video")
    assert await check_ciphertext(ada, http, video["content"]["file"]) == clip.read_bytes()
    await (await reel.viewer(http, ada, room_id)).video_in(video["event_id"], "ready")
    events = await _at_homeserver(ada, room_id, ("Before", "Mine"))
    assert {each["type"] for each in events if each["sender"] == ben.user_id} == {"m.room.encrypted"}


async def test_without_a_device_nothing_is_sent_in_clear(encrypting: Encrypting, browser: Browser) -> None:
    reel, (ada, ben) = encrypting.reel, encrypting.people
    room_id = await make_encrypted_room(ada, reel, ben)
    page = await browser.new_page()
    try:
        async with hosts(reel, ada, ben) as serve:
            await page.goto(f"{await serve(room_id)}?user={_name(ben)}")
            await page.locator("[data-testid=composer]").fill("Mine")
            await page.locator("[data-testid=send]").click()
            draft = page.locator("[data-testid=draft][data-state=failed]")
            await expect(draft).to_contain_text("no device of yours that encrypts")
    finally:
        await page.close()
    async with plainly(ada) as plain:
        assert not [event for event in await plain.messages(room_id) if "Mine" in json.dumps(event)]
