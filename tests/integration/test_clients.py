"""What other clients send: matrix-nio's video, an encrypted attachment in a plain room, avatars."""

import base64
import hashlib
import io
import os
from pathlib import Path

import aiohttp
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from nio import AsyncClient, LoginResponse, RoomSendResponse, UploadResponse
from PIL import Image

from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.waiting import eventually


async def test_a_video_sent_by_matrix_nio_is_ready(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel, bob)
    client = AsyncClient(reel.synapse.base_url, bob.user_id)
    try:
        assert isinstance(await client.login("secret"), LoginResponse)
        with clip.open("rb") as file:
            upload, _ = await client.upload(file, "video/mp4", clip.name, filesize=clip.stat().st_size)
        assert isinstance(upload, UploadResponse)
        content = {
            "msgtype": "m.video",
            "body": clip.name,
            "url": upload.content_uri,
            "info": {"mimetype": "video/mp4"},
        }
        sent = await client.room_send(room_id, "m.room.message", content, ignore_unverified_devices=True)
        assert isinstance(sent, RoomSendResponse)
    finally:
        await client.close()
    viewer = await reel.viewer(http, alice, room_id)
    assert (await viewer.video_in(sent.event_id, "ready"))["title"] == "clip"


def _base64(raw: bytes, alphabet: bytes = b"+/") -> str:
    return base64.b64encode(raw, altchars=alphabet).rstrip(b"=").decode()


async def test_an_encrypted_attachment_in_a_plain_room_is_decrypted(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel)
    viewer = await reel.viewer(http, alice, room_id)
    key, iv = os.urandom(32), os.urandom(8) + bytes(8)
    ciphertext = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor().update(clip.read_bytes())
    mxc = await alice.upload(ciphertext, "application/octet-stream", "clip.mp4")
    file = {
        "v": "v2",
        "url": mxc,
        "key": {"kty": "oct", "alg": "A256CTR", "ext": True, "key_ops": ["decrypt"], "k": _base64(key, b"-_")},
        "iv": _base64(iv),
        "hashes": {"sha256": _base64(hashlib.sha256(ciphertext).digest())},
    }
    content = {"msgtype": "m.file", "body": "clip.mp4", "file": file}
    good = await alice.send_event(room_id, "m.room.message", content)
    wrong = {**file, "hashes": {"sha256": _base64(bytes(32))}}
    bad = await alice.send_event(room_id, "m.room.message", {**content, "file": wrong})
    assert (await viewer.video_in(good, "ready"))["duration"]
    assert (await viewer.video_in(bad, "failed"))["failure"] == {"code": "hash-mismatch"}


async def _avatar_url(reel: Installation, http: aiohttp.ClientSession, user: MatrixClient) -> str:
    """Give the user an avatar and a room, and return where a viewer of the room finds it."""
    image = io.BytesIO()
    Image.new("RGB", (200, 200), "teal").save(image, "PNG")
    mxc = await user.upload(image.getvalue(), "image/png", "me.png")
    await user.request("PUT", f"/_matrix/client/v3/profile/{user.user_id}/avatar_url", json={"avatar_url": mxc})
    viewer = await reel.viewer(http, user, await make_room(user, reel))

    async def avatar() -> str | None:
        url: str | None = (await viewer.room())["members"][0]["avatar_url"]
        return url

    return str(await eventually(avatar, what="the avatar"))


async def test_avatars_are_shown_to_members_of_the_room_only(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, mallory: MatrixClient
) -> None:
    hers, mallorys = await _avatar_url(reel, http, alice), await _avatar_url(reel, http, mallory)
    async with http.get(reel.url + hers) as response:
        assert response.status == 200
        assert Image.open(io.BytesIO(await response.read())).width <= 96
    # Mallory's own grant, with the number of a member of another room.
    forged = mallorys.rpartition("/")[0] + "/" + hers.rpartition("/")[2]
    async with http.get(reel.url + forged) as response:
        assert response.status == 404
