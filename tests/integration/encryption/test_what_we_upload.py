"""What is uploaded into encrypted rooms is encrypted before the homeserver has it, and its keys are stored sealed."""

import io
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from appservice.demo.client import MatrixClient
from appservice.demo.encrypted_client import EncryptedClient, open_device
from appservice.demo.synapse import Synapse
from tests.support.commands import CommandSender, response_to
from tests.support.database_dump import dump, forms_of
from tests.support.encrypted_rooms import check_ciphertext
from tests.support.installation import Installation
from tests.support.rooms import make_room, wait_for_notice
from tests.support.uploads import PATH, Uploader
from tests.support.waiting import eventually


@pytest.fixture
async def encrypting(spare: Installation) -> Installation:
    """A Roomreel that serves encrypted rooms."""
    spare.write_config(encryption={"key": secrets.token_hex(32)})
    await spare.start()
    return spare


@pytest.fixture
async def ada(synapse: Synapse) -> AsyncIterator[EncryptedClient]:
    user = await synapse.user(f"ada-{secrets.token_hex(4)}", "secret")
    async with open_device(synapse.base_url, user.user_id, "secret", "phone") as device:
        yield device


async def opted_in(installation: Installation, room_id: str, user_id: str) -> None:
    """Wait until the bot is in an encrypted room, and opt it in as a moderator does."""

    async def changed() -> bool:
        return bool(
            await installation.rows(
                "UPDATE rooms SET opted_in_by = $2, opted_in_at = now()"
                " WHERE room_id = $1 AND bot_membership = 'join' AND encrypted RETURNING room_id",
                room_id,
                user_id,
            )
        )

    await eventually(changed, what="the bot in the encrypted room")


async def test_an_upload_into_an_encrypted_room_is_ciphertext_to_the_homeserver(
    encrypting: Installation, http: aiohttp.ClientSession, ada: EncryptedClient, clip: Path
) -> None:
    room_id = await ada.create_encrypted_room(invite=[encrypting.bot], user_levels={encrypting.bot: 50})
    await opted_in(encrypting, room_id, ada.user_id)
    uploader = Uploader(await encrypting.viewer(http, ada, room_id))
    contents = []
    for options in ({}, {"convert": True, "start": 0.2, "end": 1.5}):
        await uploader.send(clip)
        assert (await uploader.finish(**options)).status == 202
        contents.append((await uploader.outcome("ready"))["content"])
        await uploader.wait_for_deletion(encrypting.uploads)
    whole, cut = contents
    assert await check_ciphertext(ada, http, whole["file"]) == clip.read_bytes()
    mp4 = await check_ciphertext(ada, http, cut["file"])
    assert (mp4[4:8], len(mp4), cut["info"]["mimetype"]) == (b"ftyp", cut["info"]["size"], "video/mp4")
    for content in contents:
        assert (content["msgtype"], content["body"], content["filename"]) == ("m.video", "clip.mp4", "clip.mp4")
        assert content["info"]["xyz.amorgan.blurhash"]
        assert not {"url", "thumbnail_url"} & (content.keys() | content["info"].keys())
        image = Image.open(io.BytesIO(await check_ciphertext(ada, http, content["info"]["thumbnail_file"])))
        assert (image.format, image.width) == ("JPEG", content["info"]["thumbnail_info"]["w"])
    files = [file for content in contents for file in (content["file"], content["info"]["thumbnail_file"])]
    assert len({file["key"]["k"] for file in files}) == len({file["iv"] for file in files}) == 4
    stored = await dump(encrypting)
    assert all(file["url"] in stored for file in files), "else nothing could be deleted"
    assert not [form for file in files for form in forms_of(file) if form in stored]
    assert not [content for content in contents if content["info"]["xyz.amorgan.blurhash"] in stored]
    assert (await uploader.state())["content"] == cut, "fetched again, since the response was lost"
    # The person's client encrypts the event; what comes back to us has the file's own URI.
    event_id = await ada.send_event(room_id, "m.room.message", cut)
    assert (await uploader.viewer.video_in(event_id, "ready"))["duration"] == pytest.approx(1.3, abs=0.1)
    sent = await encrypting.rows("SELECT mxc FROM upload_media WHERE sent_at IS NOT NULL")
    assert {row["mxc"] for row in sent} == {cut["file"]["url"], cut["info"]["thumbnail_file"]["url"]}
    stored = await dump(encrypting)
    assert not [form for file in files for form in forms_of(file) if form in stored]


async def test_who_does_not_opt_in_uploads_nothing(
    encrypting: Installation, http: aiohttp.ClientSession, ada: EncryptedClient, clip: Path
) -> None:
    room_id = await ada.create_encrypted_room(invite=[encrypting.bot])
    await opted_in(encrypting, room_id, ada.user_id)
    uploader = Uploader(await encrypting.viewer(http, ada, room_id))
    await uploader.send(clip)
    await encrypting.rows("UPDATE rooms SET opted_in_by = NULL WHERE room_id = $1", room_id)
    assert (await uploader.call("POST", PATH, Upload_Length="5")).status == 403
    await uploader.finish()
    assert (await uploader.outcome())["failure"] == {"code": "room-encrypted"}
    assert not await encrypting.rows("SELECT mxc FROM upload_media")


async def test_the_key_of_a_file_in_a_plain_room_is_stored_sealed(
    encrypting: Installation, http: aiohttp.ClientSession, alice: MatrixClient, ada: EncryptedClient, clip: Path
) -> None:
    room_id = await make_room(alice, encrypting)
    viewer = await encrypting.viewer(http, alice, room_id)
    file = await ada.upload_encrypted(clip)
    content = {"msgtype": "m.video", "body": "clip.mp4", "file": file, "info": {"mimetype": "video/mp4"}}
    event_id = await alice.send_event(room_id, "m.room.message", content)
    assert (await viewer.video_in(event_id, "ready"))["duration"]
    (row,) = await encrypting.rows("SELECT encrypted_file FROM videos WHERE event_id = $1", event_id)
    stored_key = bytes.fromhex(json.loads(row["encrypted_file"])["key"])
    assert len(stored_key) > 32, "a key in clear"
    stored = await dump(encrypting)
    assert not [form for form in forms_of(file) if form in stored]


@pytest.mark.parametrize("lost", ["kty", "alg", "key_ops"])
async def test_a_file_that_nobody_can_open_fails_with_its_own_reason(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, lost: str
) -> None:
    room_id = await make_room(alice, reel)
    viewer = await reel.viewer(http, alice, room_id)
    key = {"kty": "oct", "alg": "A256CTR", "ext": True, "key_ops": ["decrypt"], "k": "A" * 43}
    del key[lost]
    mxc = await alice.upload(clip, "application/octet-stream")
    file = {"v": "v2", "url": mxc, "key": key, "iv": "A" * 22, "hashes": {"sha256": "A" * 43}}
    event_id = await alice.send_event(room_id, "m.room.message", {"msgtype": "m.video", "body": "a.mp4", "file": file})
    assert (await viewer.video_in(event_id, "failed"))["failure"] == {"code": "encrypted-file"}
    await wait_for_notice(alice, room_id, "did not say how this encrypted file is opened", thread=event_id)


async def test_an_encrypted_moderators_room_gets_an_encrypted_poster(
    encrypting: Installation, http: aiohttp.ClientSession, ada: EncryptedClient, bob: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(ada, encrypting, bob)
    own = await ada.create_encrypted_room(invite=[encrypting.bot], user_levels={encrypting.bot: 50})
    await opted_in(encrypting, own, ada.user_id)
    say = CommandSender(ada, room_id)
    assert (await say("!reel room hold all")).reactions
    assert (await say(f"!reel room moderators-room {own}")).text.startswith("moderators-room is")
    event_id = await bob.send_video(room_id, clip)

    async def poster() -> dict[str, Any] | None:
        contents = [event["content"] for event in await ada.messages(own)]
        return next((content for content in contents if content.get("msgtype") == "m.image"), None)

    image = await eventually(poster, what=f"the poster of {event_id}")
    assert image
    assert "url" not in image
    assert Image.open(io.BytesIO(await check_ciphertext(ada, http, image["file"]))).format == "JPEG"


async def test_nothing_of_an_encrypted_room_is_posted_in_a_plain_one(
    encrypting: Installation, ada: EncryptedClient, bob: MatrixClient, clip: Path
) -> None:
    room_id, own = await make_room(ada, encrypting, bob), await make_room(ada, encrypting)
    say = CommandSender(ada, room_id)
    assert (await say("!reel room hold all")).reactions
    assert (await say(f"!reel room moderators-room {own}")).text.startswith("moderators-room is")
    await ada.encrypt_room(room_id)
    await opted_in(encrypting, room_id, ada.user_id)
    await bob.send_video(room_id, clip)  # by a client that does not encrypt

    async def refused() -> bool:
        entries = encrypting.log_entries("moderators_room_refused")
        return any(entry["wanted"] == own and "not encrypted" in entry["reason"] for entry in entries)

    await eventually(refused, what="the poster being withheld")
    assert not [event for event in await ada.messages(own) if event["content"].get("msgtype") == "m.image"]
    async with MatrixClient(ada.base_url, ada.access_token, ada.user_id) as plain:
        command = await plain.send_text(room_id, f"!reel room moderators-room {own}")
    assert "that one is not" in (await response_to(ada, room_id, command)).text
