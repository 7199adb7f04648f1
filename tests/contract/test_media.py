"""Media below a grant: playlists and files, in whole and in part, for those who may watch and nobody else."""

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDictProxy
from PIL import Image

from tests.support.service import ModeratedRoom, Service, TranscodedVideo
from tests.support.waiting import eventually
from transcode import Tools

NIL = "00000000-0000-0000-0000-000000000000"


async def _get(service: Service, path: str, **headers: str) -> tuple[int, CIMultiDictProxy[str], bytes]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with service.http.get(service.url + path, headers=names) as response:
        return response.status, response.headers, await response.read()


async def _segment(moderated: ModeratedRoom, video: dict[str, Any]) -> str:
    """Return the path of a video's first segment."""
    status, body = await moderated.bob.fetch(video["playlist_url"])
    assert status == 200
    folder = video["playlist_url"].rpartition("/")[0]
    variant = next(line for line in body.decode().splitlines() if line.endswith(".m3u8"))
    _, body = await moderated.bob.fetch(f"{folder}/{variant}")
    return f"{folder}/" + next(line for line in body.decode().splitlines() if line.endswith(".m4s"))


async def test_each_file_has_its_type_and_may_be_cached_by_its_viewer_alone(
    moderated: ModeratedRoom, service: Service
) -> None:
    video = (await moderated.bobs(moderated.bob))[0]
    segment = await _segment(moderated, video)
    for path, kind in (
        (video["playlist_url"], "application/vnd.apple.mpegurl"), (video["poster_url"], "image/jpeg"),
        (video["storyboard_url"], "text/vtt"), (video["preview_url"], "video/mp4"),
        (f"{segment.rpartition('/')[0]}/init.mp4", "video/mp4"), (segment, "video/iso.segment"),
    ):  # fmt: skip
        status, headers, body = await _get(service, path)
        assert (status, headers["Content-Type"].partition(";")[0]) == (200, kind), path
        assert headers["Cache-Control"] == "private, max-age=3600, immutable"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert body


async def test_a_segment_in_parts_and_again(moderated: ModeratedRoom, service: Service) -> None:
    path = await _segment(moderated, (await moderated.bobs(moderated.bob))[0])
    status, headers, whole = await _get(service, path)
    assert (status, headers["Accept-Ranges"], int(headers["Content-Length"])) == (200, "bytes", len(whole))
    for byte_range, part in (("bytes=0-0", whole[:1]), ("bytes=10-99", whole[10:100]), ("bytes=-5", whole[-5:])):
        status, ranged, body = await _get(service, path, Range=byte_range)
        assert (status, body) == (206, part)
        assert ranged["Content-Range"].endswith(f"/{len(whole)}")
    status, ranged, _ = await _get(service, path, Range=f"bytes={len(whole)}-")
    assert (status, ranged["Content-Range"]) == (416, f"bytes */{len(whole)}")
    assert (await _get(service, path, If_None_Match=headers["ETag"]))[0] == 304
    assert (await _get(service, path, If_Modified_Since=headers["Last-Modified"]))[0] == 304
    async with service.http.head(service.url + path) as response:
        assert (response.status, int(response.headers["Content-Length"])) == (200, len(whole))


async def test_media_that_are_not_there(moderated: ModeratedRoom, service: Service) -> None:
    video = (await moderated.bobs(moderated.bob))[0]
    folder = video["poster_url"].removesuffix("poster.jpg")
    scope = folder.partition("/v/")[0]
    for path, status, errcode in (
        (f"{scope}/v/{NIL}/1-ready/index.m3u8", 404, "M_NOT_FOUND"),
        (f"{scope}/v/{NIL}/1-ready/poster.jpg", 404, "M_NOT_FOUND"),
        (f"{folder}999.m3u8", 404, "M_NOT_FOUND"), (f"{folder}720/999999.m4s", 404, "M_NOT_FOUND"),
        (f"{folder}secrets.txt", 404, "M_NOT_FOUND"),
        (f"{scope}/v/{video['id']}/9-none/poster.jpg", 404, "M_NOT_FOUND"),
        (f"{scope}/avatar/999999", 404, "M_NOT_FOUND"), (f"{scope}/reel/all/{'0' * 16}/index.m3u8", 410, "M_GONE"),
        (f"{scope}/v/{video['id']}/9-none/index.m3u8", 410, "M_GONE"),
    ):  # fmt: skip
        async with service.http.get(service.url + path) as response:
            assert (response.status, (await response.json())["errcode"]) == (status, errcode), path


@pytest.mark.parametrize("way", ["left", "bot-left", "expired", "forged", "another-member's"])
async def test_a_grant_opens_nothing_any_more(moderated: ModeratedRoom, service: Service, way: str) -> None:
    video = (await moderated.bobs(moderated.mallory))[0]
    path = video["poster_url"]
    assert (await _get(service, path))[0] == 200
    _, _, grant, scope, rest = path.split("/", 4)
    expiry, _, signature = grant.partition(".")
    match way:
        case "left":
            await moderated.room.set_member(moderated.others, "leave")
        case "bot-left":
            await moderated.room.set_member(service.bot, "leave")
        case "expired":
            path = f"/media/1000000000.{signature}/{scope}/{rest}"
        case "forged":
            path = f"/media/{expiry}.{'A' * len(signature)}/{scope}/{rest}"
        case _:
            his = (await moderated.bobs(moderated.bob))[0]["poster_url"].split("/", 4)[3]
            path = f"/media/{grant}/{his}/{rest}"

    assert b"M_FORBIDDEN" in await _refused(service, path)


async def _refused(service: Service, path: str) -> bytes:
    """Wait until a path is refused: what is cached ends by a notification of the database, or in three seconds."""
    body = b""

    async def is_refused() -> bool:
        nonlocal body
        status, _, body = await _get(service, path)
        return status == 403

    await eventually(is_refused, seconds=10, what="a path being refused")
    return body


async def test_media_end_with_the_sign_in_of_their_browser(moderated: ModeratedRoom, service: Service) -> None:
    browser, other = (
        await service.signed_in(moderated.others, moderated.room),
        await service.signed_in(moderated.user, moderated.room),
    )
    poster, bobs = [(await moderated.bobs(viewer))[0]["poster_url"] for viewer in (browser, other)]
    assert (await _get(service, poster))[0] == 200
    await moderated.room.send_event(
        "m.room.message", {"msgtype": "m.text", "body": "!reel sign-out"}, sender=moderated.others
    )
    await _refused(service, poster)
    assert (await _get(service, bobs))[0] == 200


async def test_a_reel_that_has_changed_is_fetched_anew(moderated: ModeratedRoom, transcoded: TranscodedVideo) -> None:
    reel = (await moderated.member(moderated.bob))["reel_url"]
    assert (await moderated.bob.fetch(reel))[0] == 200
    await moderated.room.show_video(moderated.user, transcoded)
    later = (await moderated.member(moderated.bob))["reel_url"]
    assert later != reel
    assert (await moderated.bob.fetch(later))[0] == 200


async def test_an_avatar_is_fetched_from_the_homeserver_for_the_viewer(
    moderated: ModeratedRoom, service: Service
) -> None:
    image = io.BytesIO()
    Image.new("RGB", (96, 96), "red").save(image, "PNG")
    images = {
        "image/png": service.peer.upload(image.getvalue(), "image/png"),
        "image/svg+xml": service.peer.upload(b"<svg/>", "image/svg+xml"), "none": "mxc://example.org/none",
    }  # fmt: skip
    for kind, mxc in images.items():
        await moderated.room.set_member(moderated.user, avatar_url=mxc)
        url = (await moderated.member(moderated.mallory))["avatar_url"]
        status, headers, body = await _get(service, url)
        if kind == "image/png":
            assert (status, headers["Content-Type"], body) == (200, kind, image.getvalue())
            assert headers["Cache-Control"] == "private, max-age=3600, immutable"
        else:
            assert status == 404, "neither what runs scripts nor what is not there"


async def test_a_public_video_as_one_file_in_parts(
    moderated: ModeratedRoom, service: Service, tools: Tools, tmp_path: Path
) -> None:
    video = (await moderated.bobs(moderated.bob))[0]
    assert (await moderated.bob.request("PATCH", f"/api/v1/videos/{video['id']}", {"published": True}))[0] == 200
    async with service.http.get(f"{service.url}/u/{moderated.user}/reel.json") as response:
        (public,) = (await response.json())["videos"]
    url = public["video_url"]
    status, headers, whole = await _get(service, url)
    assert (status, headers["Content-Type"], headers["Accept-Ranges"]) == (200, "video/mp4", "bytes")
    assert int(headers["Content-Length"]) == len(whole)
    etag = headers["ETag"]
    for byte_range, part in (
        ("bytes=0-0", whole[:1]), ("bytes=10-1999", whole[10:2000]), (f"bytes={len(whole) - 7}-", whole[-7:]),
        ("bytes=-5", whole[-5:]), ("bytes=5000-999999999", whole[5000:]),
    ):  # fmt: skip
        status, headers, body = await _get(service, url, Range=byte_range)
        assert (status, body) == (206, part), byte_range
        assert int(headers["Content-Length"]) == len(part)
        start = whole.index(part) if len(part) > 100 else None
        if start is not None:
            assert headers["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{len(whole)}"
    for byte_range in (f"bytes={len(whole)}-", "bytes=9-1", "lines=1-2", "bytes=x"):
        status, headers, _ = await _get(service, url, Range=byte_range)
        assert (status, headers["Content-Range"]) == (416, f"bytes */{len(whole)}"), byte_range
    assert (await _get(service, url, If_None_Match=etag))[0] == 304
    assert (await _get(service, url, Range="bytes=0-9", If_Range=etag))[0] == 206
    assert (await _get(service, url, Range="bytes=0-9", If_Range='"other"'))[2] == whole
    async with service.http.head(service.url + url) as response:
        assert (response.status, int(response.headers["Content-Length"])) == (200, len(whole))
    # It is a video of the right length, and a player may start in its middle.
    file = tmp_path / "whole.mp4"
    file.write_bytes(whole)
    process = await asyncio.create_subprocess_exec(
        tools.ffprobe, "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", file,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert abs(float((await process.communicate())[0]) - public["duration"]) < 0.1
    decoding = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-v", "error", "-xerror", "-ss", "1.5", "-i", file, "-f", "null", "-",
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert ((await decoding.communicate())[1], decoding.returncode) == (b"", 0)
