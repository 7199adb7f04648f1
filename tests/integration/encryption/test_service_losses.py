"""The service after losses; and that whoever gets its disk or database finds nothing of an encrypted room's media."""

import base64
import secrets
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

from appservice.core.model import KeyRotation
from appservice.demo.client import MatrixClient
from appservice.demo.encrypted_client import open_device
from appservice.demo.synapse import Synapse
from tests.support.commands import response_to
from tests.support.database_dump import dump
from tests.support.encrypted_rooms import KEY, PASSWORD, People, has_logged, make_encrypted_room, renew_device
from tests.support.installation import Installation
from tests.support.rust_client import rust_client
from tests.support.video.decrypted import in_the_clear
from tests.support.waiting import eventually

OTHER_KEY = "another key of the tests, long enough to be one"


def _forms(key: bytes) -> list[bytes]:
    """Return the ways in which a key may lie in a file or in a text."""
    encoded = (base64.b64encode(key), base64.urlsafe_b64encode(key))
    return [key, key.hex().encode(), *(each.rstrip(b"=") for each in encoded)]


async def test_nothing_of_the_media_is_readable_on_the_disk_or_in_the_database(
    service: Installation, people: People, http: aiohttp.ClientSession, clip: Path
) -> None:
    ada, ben = people
    async with service.running():
        room_id = await make_encrypted_room(ada, service, ben)
        event_id = await ada.send_video(room_id, clip)
        viewer = await service.viewer(http, ben, room_id)
        playable = await viewer.video_in(event_id, "playable", "ready")
        video = await viewer.video_in(event_id, "ready")
        status, playlist = await viewer.fetch(video["playlist_url"])
        assert (status, b"#EXTM3U" in playlist) == (200, True)

        async def is_idle() -> bool:
            return not list((service.folder / "data" / "scratch").glob("*/*"))

        await eventually(is_idle, what="the scratch folder being empty")
        assert list(service.media.rglob("*.m4s"))
        assert in_the_clear(service.folder / "data") == []
        event = next(each for each in await ada.messages(room_id) if each["event_id"] == event_id)
        keys = [(await viewer.fetch(row["playlist_url"].rpartition("/")[0] + "/key"))[1] for row in (playable, video)]
        keys.append(base64.urlsafe_b64decode(event["content"]["file"]["key"]["k"] + "="))
        assert [len(key) for key in keys] == [16, 16, 32]
        found = await dump(service)
        assert event_id in found
        for key in keys:
            assert not [form for form in _forms(key)[1:] if form.decode() in found]
            assert _with_any(service.folder, _forms(key)) == []
        assert {len(row["sealed"]) > 16 for row in await service.rows("SELECT sealed FROM media_keys")} == {True}
        await ada.send_text(room_id, "!reel disable yes")

        async def is_gone() -> bool:
            return not (service.media / video["id"]).exists()

        await eventually(is_gone, seconds=10, what="the media of an opted-out room being gone")
        assert await service.rows("SELECT FROM media_keys") == []
        assert in_the_clear(service.folder / "data") == []
        # Whose folder it is stays.
        assert [path.name for path in service.media.rglob("*.*")] == [".installation"]

        async def is_erased() -> bool:
            code, left = await service.command("admin", "-c", str(service.config), "remains", room_id)
            assert "video" not in left, left
            return code == 0 and left.startswith("Nothing is left of")

        await eventually(is_erased, what="the last command and its response being gone as well")


def _with_any(folder: Path, forms: list[bytes]) -> list[Path]:
    """Return the files below a folder, logs included, that have any of these bytes in them."""
    files = [each for each in folder.rglob("*") if each.is_file()]
    return [each for each in files if (content := each.read_bytes()) and any(form in content for form in forms)]


async def test_no_key_is_left_of_an_erased_room_and_commands_go_on_in_an_opted_out_one(
    service: Installation, people: People
) -> None:
    ada, ben = people
    async with service.running():
        room_id = await make_encrypted_room(ada, service, ben)
        await response_to(ben, room_id, await ada.send_text(room_id, "!reel help"))
        sessions = "SELECT session_id FROM crypto_megolm_inbound_session WHERE room_id = $1"
        indexes = "SELECT session_id FROM crypto_message_index WHERE session_id = ANY ($1)"
        used = [row["session_id"] for row in await service.rows(sessions, room_id)]
        assert await service.rows(indexes, used)
        await ada.send_text(room_id, "!reel disable yes")

        async def is_opted_out() -> bool:
            return bool(await service.rows("SELECT FROM rooms WHERE room_id = $1 AND opted_in_by IS NULL", room_id))

        async def is_erased() -> bool:
            return await service.rows("SELECT FROM key_erasures") == []

        await eventually(is_opted_out, what="the room being opted out")
        await eventually(is_erased, seconds=10, what="the keys of what was read being erased")
        # In the sessions of before, whose keys nobody sends again.
        await response_to(ben, room_id, await ada.send_text(room_id, "!reel help"))
        await ada.kick(room_id, service.bot)

        async def has_left() -> bool:
            return await service.rows(sessions, room_id) == []

        await eventually(has_left, what="the keys of a room going that the bot was kicked from")
        assert await service.rows(indexes, used) == []
        await service.command("admin", "-c", str(service.config), "erase", room_id)

        async def nothing_remains() -> bool:
            return (await service.command("admin", "-c", str(service.config), "remains", room_id))[0] == 0

        await eventually(nothing_remains, what="nothing being left of the room")


async def test_another_operators_key_is_refused_and_a_new_one_takes_its_place(
    service: Installation, people: People, http: aiohttp.ClientSession, clip: Path
) -> None:
    ada, _ = people
    async with service.running():
        room_id = await make_encrypted_room(ada, service)
        event_id = await ada.send_video(room_id, clip)
        await (await service.viewer(http, ada, room_id)).video_in(event_id, "ready")
    for encryption, problem in (
        ({"key": OTHER_KEY}, "not the one under which this installation's keys are stored"),
        ({"key": None}, "`encryption.key` is not set"),
    ):
        service.write_config(encryption=encryption)
        code, output = await service.command("serve", "-c", str(service.config))
        assert (code, problem in output) == (2, True), output
    service.write_config(encryption={"key": OTHER_KEY, "previous_key": KEY})
    async with service.running():
        assert service.log_entries("encryption_key_replaced")
    service.write_config(encryption={"key": OTHER_KEY, "previous_key": None})
    async with service.running():
        viewer = await service.viewer(http, ada, room_id)
        video = await viewer.video_in(event_id, "ready")
        assert (await viewer.fetch(video["poster_url"]))[1][:2] == b"\xff\xd8"
        second = await ada.send_video(room_id, clip)
        await viewer.video_in(second, "ready")


async def test_a_restored_database_is_found_and_a_new_device_mends_it(
    service: Installation, people: People, synapse: Synapse, http: aiohttp.ClientSession, clip: Path
) -> None:
    """What others encrypt by keys that the old database has not got is lost until then."""
    ada, ben = people
    tables = ("crypto_account", "crypto_olm_session", "crypto_megolm_outbound_session")
    async with service.running():
        room_id = await make_encrypted_room(ada, service, ben)
    for table in tables:
        await service.rows(f"CREATE TABLE old_{table} AS TABLE {table}")
    async with service.running(), AsyncExitStack() as stack:
        for number in range(30):  # uses its keys up, and makes it upload others
            device = await stack.enter_async_context(open_device(ada.base_url, ada.user_id, PASSWORD, f"{number}"))
            event_id = await device.send_text(room_id, "!reel help")
            await response_to(ben, room_id, event_id)
    for table in tables:
        await service.rows(f"DELETE FROM {table}")  # noqa: S608 - a name of above
        await service.rows(f"INSERT INTO {table} TABLE old_{table}")
    code, output = await service.command("check", "-c", str(service.config))
    assert code == 1
    assert "FAIL  encryption:" in output, output
    assert "renew-device" in output, output
    async with service.running():
        await eventually(
            lambda: has_logged(service, "device_not_well"), what="the service saying that its database is an old one"
        )
        code, output = await service.command("admin", "-c", str(service.config), "renew-device")
        assert (code, "stop every" in output) == (2, True), output
    await renew_device(service)
    code, output = await service.command("check", "-c", str(service.config))
    assert "ok    encryption:" in output, output
    async with service.running():
        viewer = await service.viewer(http, ben, room_id)
        async with open_device(ada.base_url, ada.user_id, PASSWORD, "new") as device:
            event_id = await device.send_video(room_id, clip)
            await viewer.video_in(event_id, "ready")


async def test_a_deleted_device_is_found_and_no_other_one_is_made_silently(
    service: Installation, people: People, http: aiohttp.ClientSession, clip: Path
) -> None:
    ada, _ = people
    async with service.running():
        room_id = await make_encrypted_room(ada, service)
    owned, *again = service.log_entries("encryption_owned")
    async with MatrixClient(service.synapse.base_url, service.as_token, service.bot) as bot:
        path = f"/_matrix/client/v3/devices/{owned['device_id']}"
        await bot.request("DELETE", path, json={}, params={"user_id": service.bot})
    async with service.running():
        await eventually(lambda: has_logged(service, "device_lost"), what="the service saying that its device is gone")
        assert service.log_entries("encryption_owned") == [owned, *again]
    await renew_device(service)
    async with service.running():
        event_id = await ada.send_video(room_id, clip)
        await (await service.viewer(http, ada, room_id)).video_in(event_id, "ready")


async def test_elements_verification_is_declined_at_once(service: Installation, synapse: Synapse) -> None:
    async with service.running(), await synapse.user(f"element-{secrets.token_hex(4)}") as user, rust_client(
        user
    ) as element:  # fmt: skip
        await element.cross_sign()
        await eventually(lambda: has_logged(service, "encryption_owned"), what="the bot's device")
        owned = service.log_entries("encryption_owned")[-1]
        await element.learn(service.bot)
        await element.perform(await element.device.call("request_verification", service.bot, owned["device_id"]))

        async def is_declined() -> bool:
            await element.sync()
            state = await element.device.call("verification")
            return bool(state["phase"] == "Cancelled" and state["cancelled"]["code"] == "m.unknown_method")

        await eventually(is_declined, what="the verification being declined")


async def test_an_event_that_is_none_and_a_room_with_odd_settings_harm_no_other(
    service: Installation, people: People
) -> None:
    ada, _ = people
    async with service.running():
        odd = await make_encrypted_room(ada, service, rotation=KeyRotation(2**52, 2**52))
        room_id = await make_encrypted_room(ada, service)
        kinds: list[Any] = [["m.room.message"], {}, 5, None]
        for kind in kinds:
            await ada.send_event(room_id, kind, {"msgtype": "m.text", "body": "!reel help"})
        for each in (room_id, odd):
            await response_to(ada, each, await ada.send_text(each, "!reel help"))
        assert not service.log_entries("encryption_broken")
