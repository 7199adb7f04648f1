"""People's encrypting clients talk with each other through a real Synapse: tests of encrypted rooms rely on that."""

import sys
from pathlib import Path
from typing import Any

import pytest

from appservice.core.model import KeyRotation
from appservice.demo.client import MatrixClient, MatrixError
from appservice.demo.crypto_device import NotSyncingError
from appservice.demo.encrypted_client import EncryptedClient, open_device
from tests.support.clips import make_small_clip
from tests.support.encrypted_rooms import PASSWORD, People
from transcode import Tools


def says(text: str) -> Any:  # noqa: ANN401  # a predicate
    return lambda event: event["content"].get("body") == text


async def _room(ada: EncryptedClient, ben: EncryptedClient, rotation: KeyRotation | None = None) -> str:
    room_id = await ada.create_encrypted_room(invite=[ben.user_id], rotation=rotation or KeyRotation())
    await ben.join(room_id)
    return room_id


async def test_two_people_talk_and_the_homeserver_reads_nothing(
    people: People,
) -> None:
    ada, ben = people
    room_id = await _room(ada, ben)
    sent = await ada.send_text(room_id, "The lake is frozen.")
    heard = await ben.wait_for(room_id, says("The lake is frozen."))
    assert (heard["event_id"], heard["sender"], heard["decrypted"]) == (sent, ada.user_id, True)
    await ben.reply(room_id, sent, "Since when?")
    reply = await ada.wait_for(room_id, says("Since when?"))
    assert reply["content"]["m.relates_to"]["event_id"] == sent
    async with MatrixClient(ada.base_url, ada.access_token, ada.user_id) as plain:
        kinds = [event["type"] for event in await plain.messages(room_id)][-2:]
    assert kinds == ["m.room.encrypted"] * 2
    assert [event["content"].get("body") for event in await ben.messages(room_id)][-2:] == [
        "The lake is frozen.", "Since when?",
    ]  # fmt: skip


async def test_a_video_arrives_as_it_was_sent(people: People, tools: Tools, tmp_path: Path) -> None:
    ada, ben = people
    room_id = await ada.create_direct_chat(ben.user_id)
    await ben.join(room_id)
    clip = await make_small_clip(tools, tmp_path / "lake.mp4")
    thumbnail = tmp_path / "lake.jpg"
    thumbnail.write_bytes(b"an image")
    info = {"thumbnail_file": await ada.upload_encrypted(thumbnail), "thumbnail_info": {"mimetype": "image/jpeg"}}
    await ada.send_video(room_id, clip, info=info)
    content = (await ben.wait_for(room_id, says("lake.mp4")))["content"]
    assert "url" not in content
    assert await ben.download_encrypted(content["file"]) == clip.read_bytes()
    assert await ben.download_encrypted(content["info"]["thumbnail_file"]) == b"an image"
    other_hash = {**content["file"], "hashes": {"sha256": "A" * 43}}
    with pytest.raises(ValueError, match="SHA-256"):
        await ben.download_encrypted(other_hash)


async def test_a_second_device_reads_what_is_sent_from_then_on(
    people: People,
) -> None:
    ada, ben = people
    room_id = await _room(ada, ben)
    await ada.send_text(room_id, "before")
    await ben.wait_for(room_id, says("before"))
    async with open_device(ben.base_url, ben.user_id, PASSWORD, "laptop") as laptop:
        await ada.send_text(room_id, "after")
        await laptop.wait_for(room_id, says("after"))
        await ben.wait_for(room_id, says("after"))
        kinds = [event["type"] for event in await laptop.messages(room_id)][-2:]
        assert kinds == ["m.room.encrypted", "m.room.message"]
        await ben.delete_device(laptop.device_id, PASSWORD)
        with pytest.raises(MatrixError) as caught:
            await laptop.joined_members(room_id)
        assert caught.value.errcode == "M_UNKNOWN_TOKEN"


async def test_a_room_says_when_its_keys_are_replaced(people: People) -> None:
    ada, ben = people
    room_id = await _room(ada, ben, KeyRotation(period_msgs=2))
    keys = []
    for number in range(5):
        await ada.send_text(room_id, f"message {number}")
        keys.append(ada.session_id(room_id))
        await ben.wait_for(room_id, says(f"message {number}"))
    assert keys[0] == keys[1] != keys[2] == keys[3] != keys[4]
    assert len(set(keys)) == 3
    await ada.encrypt_room(room_id, KeyRotation(period_ms=1))
    await ada.send_text(room_id, "at once")
    assert ada.session_id(room_id) not in keys


async def test_a_room_that_is_encrypted_later_and_a_device_that_signs_out(
    people: People,
) -> None:
    ada, ben = people
    room_id = await ada.create_room(invite=[ben.user_id])
    await ben.join(room_id)
    await ada.send_text(room_id, "in clear")
    assert not (await ben.wait_for(room_id, says("in clear")))["decrypted"]
    await ada.encrypt_room(room_id)
    await ada.send_text(room_id, "encrypted")
    assert (await ben.wait_for(room_id, says("encrypted")))["decrypted"]
    await ben.logout()
    with pytest.raises(NotSyncingError):
        await ben.wait_for(room_id, says("never said"))


async def test_nothing_of_libolm_is_needed(people: People) -> None:
    ada, _ = people
    assert ada.device_id
    # In its place is what mautrix gets from us, or nothing.
    assert getattr(sys.modules.get("olm"), "__name__", None) in {None, "appservice.encryption.olm"}
    assert sys.modules["nio.crypto.sessions"].vodozemac.__name__ == "vodozemac"
