"""Downloads from a real server: limits, decryption and verification; after an error nothing is left."""

import asyncio
import base64
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pytest_aiohttp import AiohttpServer

from appservice.core.errors import MediaError, NotYetUploadedError
from appservice.core.model import EncryptedFile, UserId
from appservice.matrix.client import HomeserverClient
from appservice.matrix.download import CHUNK, Downloaded, download, is_awaited

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
AS_TOKEN = "as-token-for-downloads"
MXC = "mxc://example.org/abc"


@dataclass
class Media:
    """A homeserver's media repository; the latest handler says how it responds."""

    homeserver: HomeserverClient
    session: aiohttp.ClientSession
    target: Path
    handlers: list[Handler] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)

    def responds_with(self, handler: Handler) -> None:
        self.handlers[:] = [handler]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await self.handlers[0](request)

    async def get(self, *, max_bytes: int = 10 * CHUNK, encrypted_file: EncryptedFile | None = None) -> Downloaded:
        return await download(
            self.session, self.homeserver, MXC, self.target, max_bytes=max_bytes, encrypted_file=encrypted_file
        )

    async def refused(self, *, max_bytes: int = 10 * CHUNK, encrypted_file: EncryptedFile | None = None) -> MediaError:
        with pytest.raises(MediaError) as caught:
            await self.get(max_bytes=max_bytes, encrypted_file=encrypted_file)
        assert list(self.target.parent.iterdir()) == []
        assert AS_TOKEN not in str(caught.value)
        return caught.value


@pytest.fixture
async def media(tmp_path: Path, aiohttp_server: AiohttpServer) -> AsyncIterator[Media]:
    async with aiohttp.ClientSession() as session:
        homeserver = HomeserverClient(session, "http://127.0.0.1:1", AS_TOKEN, "roomreel", UserId("@reel:x"))
        media, app = Media(homeserver, session, tmp_path / "f"), web.Application()
        app.router.add_get("/{path:.*}", media.handle)
        homeserver.url = str((await aiohttp_server(app, shutdown_timeout=0.1)).make_url("")).rstrip("/")
        yield media


def sends(body: bytes, status: int = 200) -> Handler:
    async def respond(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status)

    return respond


def streams(body: bytes, *, then_cut: bool = False) -> Handler:
    """Respond without a length; perhaps cut the connection before the end."""

    async def respond(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for start in range(0, len(body), CHUNK):
            await response.write(body[start : start + CHUNK])
        if then_cut:
            assert request.transport
            request.transport.abort()
        return response

    return respond


def encrypt(body: bytes) -> tuple[bytes, EncryptedFile]:
    key, iv = os.urandom(32), os.urandom(8) + bytes(8)
    ciphertext = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor().update(body)
    return ciphertext, EncryptedFile(key=key, iv=iv, sha256=hashlib.sha256(ciphertext).digest())


BODY = os.urandom(3 * CHUNK + 17)


@pytest.mark.parametrize("body", [b"", b"x", BODY])
async def test_a_file_arrives_whole(media: Media, body: bytes) -> None:
    for handler in (sends(body), streams(body)):
        media.responds_with(handler)
        assert await media.get() == Downloaded(len(body), hashlib.sha256(body).digest())
        assert media.target.read_bytes() == body
    request = media.requests[0]
    assert request.path == "/_matrix/client/v1/media/download/example.org/abc"
    assert request.headers["Authorization"] == f"Bearer {AS_TOKEN}"
    assert AS_TOKEN not in str(request.url)


async def test_a_file_of_exactly_the_limit_is_taken(media: Media) -> None:
    for handler in (sends(BODY), streams(BODY)):
        media.responds_with(handler)
        assert (await media.get(max_bytes=len(BODY))).size == len(BODY)


@pytest.mark.parametrize("make", [sends, streams])
async def test_a_larger_file_is_refused_by_its_header_and_while_it_streams(
    media: Media, make: Callable[[bytes], Handler]
) -> None:
    media.responds_with(make(BODY))
    error = await media.refused(max_bytes=len(BODY) - 1)
    assert (error.code, error.final) == ("media-too-large", True)


async def test_a_header_that_announces_too_much_is_enough(media: Media) -> None:
    async def promise(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(10**12)})
        await response.prepare(request)
        await asyncio.sleep(30)
        return response

    media.responds_with(promise)
    async with asyncio.timeout(5):
        assert (await media.refused()).code == "media-too-large"


async def test_an_endless_file_ends_at_the_limit(media: Media) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * CHUNK)
            sent += CHUNK

    media.responds_with(endless)
    assert (await media.refused(max_bytes=4 * CHUNK)).code == "media-too-large"
    assert sent < 200 * CHUNK


async def test_a_compressed_bomb_counts_as_what_it_becomes(media: Media) -> None:
    async def bomb(_request: web.Request) -> web.StreamResponse:
        response = web.Response(body=bytes(20 * CHUNK))
        response.enable_compression(web.ContentCoding.gzip)
        return response

    media.responds_with(bomb)
    assert (await media.refused()).code == "media-too-large"


@pytest.mark.parametrize(
    ("status", "code", "final"),
    [
        (404, "media-gone", False), (410, "media-gone", True), (403, "media-gone", True),
        (400, "media-gone", True), (451, "media-gone", True), (413, "media-too-large", True),
        (408, "download-failed", False), (401, "download-failed", False), (429, "download-failed", False),
        (500, "download-failed", False), (502, "download-failed", False), (206, "download-failed", False),
        (204, "download-failed", False),
    ],
)  # fmt: skip
async def test_other_responses(media: Media, status: int, code: str, final: bool) -> None:
    media.responds_with(sends(b"" if status == 204 else b"{}", status))
    error = await media.refused()
    assert (error.code, error.final) == (code, final)


async def test_what_is_not_uploaded_yet_is_no_failure(media: Media) -> None:
    async def awaited(request: web.Request) -> web.StreamResponse:
        assert request.query["timeout_ms"] == "0", "nobody is to wait in our place"
        return web.json_response({"errcode": "M_NOT_YET_UPLOADED", "error": "not uploaded yet"}, status=504)

    media.responds_with(awaited)
    with pytest.raises(NotYetUploadedError):
        await media.get()
    assert not media.target.exists()
    assert await is_awaited(media.session, media.homeserver, MXC)
    # A proxy's own time-out, in whatever words.
    for body in (b"{}", b"[]", b"<html>", bytes(100_000)):
        media.responds_with(sends(body, 504))
        assert (await media.refused()).code == "download-failed"
        assert not await is_awaited(media.session, media.homeserver, MXC)
    media.responds_with(sends(BODY))
    assert not await is_awaited(media.session, media.homeserver, MXC)


async def test_a_cut_connection_may_be_tried_again(media: Media) -> None:
    media.responds_with(streams(BODY, then_cut=True))
    error = await media.refused()
    assert (error.code, error.final) == ("download-failed", False)


async def test_a_shorter_file_than_promised_is_not_taken(media: Media) -> None:
    async def short(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(BODY))})
        await response.prepare(request)
        await response.write(BODY[:1000])
        assert request.transport
        request.transport.close()
        return response

    media.responds_with(short)
    assert (await media.refused()).code == "download-failed"


async def test_no_response(media: Media, unused_tcp_port: int) -> None:
    media.homeserver.url = f"http://127.0.0.1:{unused_tcp_port}"
    error = await media.refused()
    assert (error.code, error.final) == ("download-failed", False)


async def test_the_token_does_not_follow_to_another_server(media: Media, aiohttp_server: AiohttpServer) -> None:
    elsewhere: list[web.Request] = []

    async def store(request: web.Request) -> web.StreamResponse:
        elsewhere.append(request)
        return web.Response(body=b"from the object store")

    app = web.Application()
    app.router.add_get("/object", store)
    store_url = (await aiohttp_server(app)).make_url("/object")

    async def redirect(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect(store_url)

    media.responds_with(redirect)
    assert (await media.get()).size == 21
    assert "Authorization" not in elsewhere[0].headers


# Encrypted attachments


@pytest.mark.parametrize("body", [b"", b"x" * 15, BODY])
async def test_an_encrypted_file_arrives_decrypted(media: Media, body: bytes) -> None:
    ciphertext, file = encrypt(body)
    media.responds_with(streams(ciphertext))
    assert await media.get(encrypted_file=file) == Downloaded(len(body), hashlib.sha256(body).digest())
    assert media.target.read_bytes() == body


async def test_what_matrix_clients_encrypt(media: Media) -> None:
    # Test vector: AES-256-CTR, NIST SP 800-38A F.5.5, the first two blocks.
    key = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
    iv = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    ciphertext = bytes.fromhex("601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5")
    media.responds_with(sends(ciphertext))
    await media.get(encrypted_file=EncryptedFile(key=key, iv=iv, sha256=hashlib.sha256(ciphertext).digest()))
    assert media.target.read_bytes().hex() == "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"


@pytest.mark.parametrize("flipped", [0, len(BODY) - 1])
async def test_a_file_with_another_hash_is_not_kept(media: Media, flipped: int) -> None:
    ciphertext, file = encrypt(BODY)
    changed = bytearray(ciphertext)
    changed[flipped] ^= 1
    media.responds_with(sends(bytes(changed)))
    error = await media.refused(encrypted_file=file)
    assert (error.code, error.final) == ("hash-mismatch", True)


async def test_the_hash_is_that_of_the_wire_not_of_the_video(media: Media) -> None:
    ciphertext, file = encrypt(BODY)
    media.responds_with(sends(ciphertext))
    wrong = EncryptedFile(key=file.key, iv=file.iv, sha256=hashlib.sha256(BODY).digest())
    assert (await media.refused(encrypted_file=wrong)).code == "hash-mismatch"


async def test_a_truncated_encrypted_file_is_not_kept(media: Media) -> None:
    ciphertext, file = encrypt(BODY)
    media.responds_with(sends(ciphertext[:-1]))
    assert (await media.refused(encrypted_file=file)).code == "hash-mismatch"


async def test_an_error_shows_no_key(media: Media) -> None:
    ciphertext, file = encrypt(BODY)
    media.responds_with(sends(ciphertext + b"!"))
    error = await media.refused(encrypted_file=file)
    for form in (file.key.hex(), base64.b64encode(file.key).decode(), repr(file.key)):
        assert form not in f"{error!r} {file!r}"


async def test_a_place_that_cannot_be_written_is_an_error_of_the_machine(media: Media, tmp_path: Path) -> None:
    media.target = tmp_path / "missing" / "f"
    media.responds_with(sends(BODY))
    with pytest.raises(FileNotFoundError):
        await media.get()
