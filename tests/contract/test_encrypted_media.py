"""Media that are encrypted on disk, as they are served: to whom, with which key, and how long."""

import asyncio
import hashlib
import io
import json
import os
import secrets
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from zipfile import ZipFile

import pytest
from multidict import CIMultiDictProxy
from PIL import Image

from appservice.core.model import ExportId, UserId, VideoId
from appservice.media.encrypted_writer import EncryptedWriter
from tests.support.databases import CreateDatabase
from tests.support.service import ModeratedRoom, Service, TranscodedVideo, serving, transcode_video
from tests.support.video.decrypted import decrypted_segment, decrypted_stage, in_the_clear
from tests.support.waiting import eventually
from transcode import Tools

ENCRYPTION = {"key": "a key of the contract tests, long enough", "all_rooms": True}


@pytest.fixture(scope="module")
async def encrypting(
    create_migrated: CreateDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """A web server of an installation that encrypts media in all rooms."""
    folder, dsn = tmp_path_factory.mktemp("encrypting"), await create_migrated("encrypting")
    async with serving(folder, dsn, encryption=ENCRYPTION) as service:
        yield service


@pytest.fixture(scope="module")
async def encrypted(clip: Path, tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> TranscodedVideo:
    """The same small video as `transcoded`, encrypted."""
    return await transcode_video(clip, tmp_path_factory.mktemp("encrypted") / "out", tools, os.urandom(16))


@pytest.fixture
async def private(encrypting: Service, encrypted: TranscodedVideo) -> ModeratedRoom:
    """A room with two videos that are encrypted on disk."""
    return await ModeratedRoom.make(encrypting, encrypted)


async def _get(service: Service, path: str, **headers: str) -> tuple[int, CIMultiDictProxy[str], bytes]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with service.http.get(service.url + path, headers=names) as response:
        return response.status, response.headers, await response.read()


def _folder(video: dict[str, Any]) -> str:
    return str(video["playlist_url"].rpartition("/")[0])


async def _played(room: ModeratedRoom, playlist: str) -> list[tuple[str, str | None, bytes]]:
    """Read a playlist's best variant: the address of each file, with the address of its key and its IV."""
    status, body = await room.bob.fetch(playlist)
    assert status == 200
    variant = [line for line in body.decode().splitlines() if line.endswith(".m3u8")][-1]
    folder = playlist.rpartition("/")[0]
    _, body = await room.bob.fetch(f"{folder}/{variant}")
    files, key, iv = [], None, b""
    for line in body.decode().splitlines():
        if line.startswith("#EXT-X-KEY:METHOD=AES-128"):
            key, iv = line.split('"')[1], bytes.fromhex(line.rpartition("IV=0x")[2])
        elif line == "#EXT-X-KEY:METHOD=NONE":
            key, iv = None, b""
        elif line.startswith("#EXT-X-MAP") or line.endswith(".m4s"):
            files.append((line.split('"')[1] if line.startswith("#") else line, key, iv))
    return [(_joined(folder, file), _joined(folder, key) if key else None, iv) for file, key, iv in files]


def _joined(folder: str, uri: str) -> str:
    return urljoin(f"{folder}/", uri)


async def test_everything_is_served_as_what_it_is(
    private: ModeratedRoom, encrypting: Service, encrypted: TranscodedVideo
) -> None:
    video = (await private.bobs(private.bob))[0]
    assert encrypted.key
    plain = await asyncio.to_thread(decrypted_stage, encrypted.folder, encrypted.key)
    assert in_the_clear(encrypting.media / video["id"]) == []
    for name, kind in (("poster.jpg", "image/jpeg"), ("storyboard.jpg", "image/jpeg"), ("preview.mp4", "video/mp4")):
        status, headers, body = await _get(encrypting, f"{_folder(video)}/{name}")
        assert (status, headers["Content-Type"]) == (200, kind)
        assert headers["Cache-Control"] == "private, max-age=3600, immutable"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert body == plain[name]
    Image.open(io.BytesIO((await _get(encrypting, video["poster_url"]))[2])).verify()
    files = await _played(private, video["playlist_url"])
    best = encrypted.result.renditions[0]
    assert len(files) == 1 + len(best.durations)
    for path, key_path, iv in files:
        assert key_path == f"{_folder(video)}/key"
        status, headers, ciphertext = await _get(encrypting, path)
        assert status == 200
        _, _, key = await _get(encrypting, key_path)
        segment = decrypted_segment(ciphertext, key, iv)
        assert segment == plain["/".join(path.split("/")[-2:])]
        assert segment[4:8] in {b"ftyp", b"moof"}


async def test_a_preview_in_parts_and_again(private: ModeratedRoom, encrypting: Service) -> None:
    path = (await private.bobs(private.bob))[0]["preview_url"]
    status, headers, whole = await _get(encrypting, path)
    assert (status, headers["Accept-Ranges"], int(headers["Content-Length"])) == (200, "bytes", len(whole))
    assert whole[4:8] == b"ftyp"
    for byte_range, part in (
        ("bytes=0-0", whole[:1]), ("bytes=15-16", whole[15:17]), ("bytes=1000-1999", whole[1000:2000]),
        ("bytes=-5", whole[-5:]), (f"bytes={len(whole) - 7}-", whole[-7:]),
    ):  # fmt: skip
        status, ranged, body = await _get(encrypting, path, Range=byte_range)
        assert (status, body) == (206, part), byte_range
        assert ranged["Content-Range"].endswith(f"/{len(whole)}")
    assert (await _get(encrypting, path, Range=f"bytes={len(whole)}-"))[0] == 416
    assert (await _get(encrypting, path, If_None_Match=headers["ETag"]))[0] == 304
    async with encrypting.http.head(encrypting.url + path) as response:
        assert (response.status, int(response.headers["Content-Length"])) == (200, len(whole))


async def test_the_key_is_for_who_may_watch_and_no_cache(
    private: ModeratedRoom, encrypting: Service, encrypted: TranscodedVideo
) -> None:
    video = (await private.bobs(private.mallory))[0]
    path = f"{_folder(video)}/key"
    status, headers, key = await _get(encrypting, path)
    assert (status, key, headers["Cache-Control"]) == (200, encrypted.key, "private, no-store")
    _, _, grant, scope, rest = path.split("/", 4)
    expiry, _, signature = grant.partition(".")
    assert (await _get(encrypting, f"/media/{expiry}.{'A' * len(signature)}/{scope}/{rest}"))[0] == 403
    other = await ModeratedRoom.make(encrypting, encrypted)
    elsewhere = _folder((await other.bobs(other.mallory))[0]).partition("/v/")[0]
    assert (await _get(encrypting, f"{elsewhere}/{rest}"))[0] == 404, "a grant of another room"
    # Hidden from her, and seen by its sender.
    assert (await private.bob.request("PATCH", f"/api/v1/videos/{video['id']}", {"visibility": "hidden"}))[0] == 200
    assert (await _get(encrypting, path))[0] == 404
    his = f"{_folder((await private.bobs(private.bob))[0])}/key"
    assert (await _get(encrypting, his))[0] == 200
    await private.room.set_member(private.others, "leave")

    async def is_refused() -> bool:  # what is cached ends by a notification of the database, or in three seconds
        return (await _get(encrypting, path))[0] == 403

    await eventually(is_refused, seconds=10, what="the key being refused")


async def test_other_stages_have_no_key(private: ModeratedRoom, encrypting: Service) -> None:
    video = (await private.bobs(private.bob))[0]
    video_folder = _folder(video).rpartition("/")[0]
    assert (await _get(encrypting, f"{video_folder}/9-none/key"))[0] == 404
    assert (await _get(encrypting, f"{_folder(video)}/key.txt"))[0] == 404


async def test_a_deleted_video_has_no_key_and_one_that_comes_back_has(
    private: ModeratedRoom, encrypting: Service
) -> None:
    video = (await private.bobs(private.bob))[0]
    path, stored = f"{_folder(video)}/key", "SELECT sealed FROM media_keys WHERE video_id = $1::uuid"
    deleted = f"/api/v1/videos/{video['id']}"
    assert (await private.bob.request("DELETE", deleted))[0] == 200
    assert (await _get(encrypting, path))[0] == 404
    assert len(await encrypting.rows(stored, video["id"])) == 1
    await encrypting.keep_deletions_open(video["id"])
    assert (await private.bob.request("POST", f"{deleted}/restore"))[0] == 200
    assert (await _get(encrypting, path))[0] == 200
    assert (await private.bob.request("DELETE", deleted))[0] == 200
    await encrypting.parts.stores.changes.purge_deleted(0)
    assert await encrypting.rows(stored, video["id"]) == []
    assert (await _get(encrypting, path))[0] == 404


async def test_a_swept_stage_has_no_key(
    private: ModeratedRoom, encrypting: Service, encrypted: TranscodedVideo
) -> None:
    video = (await private.bobs(private.bob))[0]
    before = f"{_folder(video)}/key"
    await encrypting.rows("UPDATE videos SET stage = '9-ready' WHERE id = $1::uuid", video["id"])
    encrypting.parts.access.invalidate()
    assert (await _get(encrypting, before))[0] == 200, "who plays the earlier stage plays on"
    await encrypting.parts.media_keys.sweep(VideoId(video["id"]))
    assert (await _get(encrypting, before))[0] == 404


async def test_a_key_that_cannot_be_opened(private: ModeratedRoom, encrypting: Service) -> None:
    video = (await private.bobs(private.bob))[0]
    await encrypting.rows("UPDATE media_keys SET sealed = 'damaged' WHERE video_id = $1::uuid", video["id"])
    for name in ("key", "poster.jpg", "preview.mp4"):
        status, _, body = await _get(encrypting, f"{_folder(video)}/{name}")
        assert (status, json.loads(body)["errcode"]) == (404, "M_NOT_FOUND"), name


async def test_a_reel_of_both_kinds(
    private: ModeratedRoom, encrypting: Service, encrypted: TranscodedVideo, transcoded: TranscodedVideo
) -> None:
    # As one that was made before encryption was switched on.
    await private.room.show_video(private.user, transcoded)
    videos = await private.bobs(private.bob)
    files = await _played(private, (await private.member(private.bob))["reel_url"])
    kinds = {path.split("/v/")[1].partition("/")[0]: key for path, key, _ in files}
    assert [kinds[video["id"]] for video in videos] == [
        f"{_folder(videos[0])}/key", f"{_folder(videos[1])}/key", None,
    ]  # fmt: skip
    clear = next(path for path, key, _ in files if key is None)
    assert (await _get(encrypting, clear))[2][4:8] == b"ftyp"
    assert (await _get(encrypting, f"{_folder(videos[2])}/key"))[0] == 404
    status, _, poster = await _get(encrypting, videos[2]["poster_url"])
    assert (status, poster) == (200, (transcoded.folder / "poster.jpg").read_bytes())


async def test_it_is_never_public(private: ModeratedRoom, encrypting: Service) -> None:
    video = (await private.bobs(private.bob))[0]
    assert "publish" not in video["can"]
    status, body = await private.bob.request("PATCH", f"/api/v1/videos/{video['id']}", {"published": True})
    assert status == 403
    assert "encrypted on this server" in body["error"]
    # Whatever the row says.
    await encrypting.rows("UPDATE videos SET published_at = now() WHERE id = $1::uuid", video["id"])
    stage = _folder(video).rpartition("/")[2]
    files = [f"/v/{video['id']}/{stage}/{name}" for name in ("poster.jpg", "key", "video.mp4")]
    for path in ("", "/reel.json", *files):
        assert (await _get(encrypting, f"/u/{private.user}{path}"))[0] == 404, path


async def test_what_was_public_before_its_room_was_encrypted(
    private: ModeratedRoom, encrypting: Service, transcoded: TranscodedVideo
) -> None:
    event_id = await private.room.show_video(private.user, transcoded)
    video_id = await private.room.video_id(event_id)
    assert (await private.bob.request("PATCH", f"/api/v1/videos/{video_id}", {"published": True}))[0] == 200
    assert (await _get(encrypting, f"/u/{private.user}/reel.json"))[0] == 200
    await private.room.send_event("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}, state_key="")
    assert (await _get(encrypting, f"/u/{private.user}/reel.json"))[0] == 404
    video = next(each for each in await private.bobs(private.bob) if each["id"] == video_id)
    assert (await _get(encrypting, video["poster_url"]))[0] == 200, "members see it as before"


async def test_it_is_not_shared_by_its_content(private: ModeratedRoom, encrypting: Service) -> None:
    stored = "SELECT content_hash, stage_encrypted FROM videos WHERE room_id = $1"
    rows = await encrypting.rows(stored, private.room.room_id)
    assert [tuple(row) for row in rows] == [(None, True)] * 2


async def test_an_export_is_encrypted_on_disk(encrypting: Service) -> None:
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("data.json", "{}" + " " * 5000)
    export_id, secret, user = ExportId(str(uuid.uuid4())), secrets.token_urlsafe(32), encrypting.user()
    sealed = encrypting.context.media_keys.new_for_export()
    assert sealed
    path = encrypting.parts.config.data_dir / "exports" / f"{export_id}.zip"
    with path.open("wb") as file:
        EncryptedWriter(file, sealed.key).write(packed.getvalue())
    now = await encrypting.parts.stores.installation.now()
    digest = hashlib.sha256(secret.encode()).digest()
    assert await encrypting.parts.stores.exports.add(export_id, UserId(user), digest, [], now, sealed.sealed)
    assert b"data.json" not in await asyncio.to_thread(path.read_bytes)
    status, headers, whole = await _get(encrypting, f"/export/{secret}")
    assert (status, whole, headers["Content-Type"]) == (200, packed.getvalue(), "application/zip")
    status, headers, part = await _get(encrypting, f"/export/{secret}", Range="bytes=17-99")
    assert (status, part) == (206, packed.getvalue()[17:100])
    await encrypting.rows("UPDATE exports SET sealed_key = 'damaged' WHERE user_id = $1", user)
    assert (await _get(encrypting, f"/export/{secret}"))[0] == 404
