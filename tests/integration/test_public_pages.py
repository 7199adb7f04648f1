"""A member's public page: what they publish is there for everybody, and gone with the next request once taken back."""

import asyncio
import gzip
import io
import json
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import psutil
import pytest
from multidict import CIMultiDictProxy
from PIL import Image

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.waiting import eventually
from transcode import Tools


async def _get(http: aiohttp.ClientSession, url: str, **headers: str) -> tuple[int, CIMultiDictProxy[str], bytes]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http.get(url, headers=names) as response:
        return response.status, response.headers, await response.read()


async def _publish(reel: Installation, video_id: str, *, published: bool = True) -> None:
    moment = "now()" if published else "NULL"
    await reel.rows(f"UPDATE videos SET published_at = {moment} WHERE id = $1::uuid", video_id)  # noqa: S608 - ours


async def _send(reel: Installation, http: aiohttp.ClientSession, user: MatrixClient, room_id: str, clip: Path) -> str:
    viewer = await reel.viewer(http, user, room_id)
    return str((await viewer.video_in(await user.send_video(room_id, clip), "ready"))["id"])


@dataclass(frozen=True)
class Page:
    """The page of a member with two videos, the second one in another room; both published."""

    reel: Installation
    member: MatrixClient
    rooms: list[str]
    videos: list[str]

    @property
    def url(self) -> str:
        return f"{self.reel.url}/u/{self.member.user_id}"


@pytest.fixture
async def page(
    reel: Installation, synapse: Synapse, http: aiohttp.ClientSession, bob: MatrixClient, clip: Path
) -> AsyncIterator[Page]:
    async with await synapse.user(f"shown-{secrets.token_hex(4)}") as member:
        rooms = [await make_room(member, reel, bob) for _ in range(2)]
        videos = [await _send(reel, http, member, room_id, clip) for room_id in rooms]
        for video_id in videos:
            await _publish(reel, video_id)
        yield Page(reel, member, rooms, videos)


async def _data(http: aiohttp.ClientSession, page: Page) -> dict[str, Any]:
    status, _, body = await _get(http, f"{page.url}/reel.json")
    assert status == 200
    return dict(json.loads(body))


async def test_a_page_with_all_that_belongs_to_it(page: Page, http: aiohttp.ClientSession) -> None:
    reel, videos = page.reel, page.videos
    status, headers, body = await _get(http, page.url)
    html = body.decode()
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["X-Robots-Tag"] == "noindex"
    assert "Accept-Language" in headers["Vary"]
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert re.findall(r'<li class="card" id="([^"]+)"', html) == videos
    assert '<html lang="en">' in html
    assert "2 videos" in html
    assert f'property="og:video" content="{reel.url}/u/{page.member.user_id}/v/{videos[0]}/' in html
    assert f'property="og:image" content="{reel.url}/u/' in html
    assert f'property="og:url" content="{reel.url}/u/{page.member.user_id}"' in html
    assert '<meta name="robots" content="noindex">' in html
    # Nothing of the rooms.
    assert not any(room_id in html for room_id in page.rooms)
    # Percent-encoded it is the same page, and unchanged it is not sent again.
    assert (await _get(http, f"{reel.url}/u/{quote(page.member.user_id, safe='')}"))[2] == body
    status, again, empty = await _get(http, page.url, If_None_Match=headers["ETag"])
    assert (status, again["ETag"], empty) == (304, headers["ETag"], b"")
    chinese = (await _get(http, page.url, Accept_Language="zh-CN,zh;q=0.9"))[2].decode()
    assert '<html lang="zh">' in chinese
    assert "2 个视频" in chinese

    data = await _data(http, page)
    assert [video["id"] for video in data["videos"]] == videos
    playlist = f"{reel.url}{data['reel_url']}"
    status, headers, body = await _get(http, playlist)
    assert (status, headers["Cache-Control"]) == (200, "private, no-cache")
    variant = next(line for line in body.decode().splitlines() if line.endswith(".m3u8"))
    status, _, body = await _get(http, playlist.replace("index.m3u8", variant))
    segments = [line for line in body.decode().splitlines() if line.endswith(".m4s")]
    assert [v for v in videos if any(f"/v/{v}/" in segment for segment in segments)] == videos
    base = playlist.rpartition("/")[0]
    for segment in segments[:2]:
        status, headers, body = await _get(http, f"{base}/{segment}")
        assert (status, headers["Cache-Control"]) == (200, "private, no-cache")
        assert body
        assert (await _get(http, f"{base}/{segment}", If_None_Match=headers["ETag"]))[0] == 304
    for video in data["videos"]:
        for url in (video["poster_url"], video["storyboard_url"], video["video_url"]):
            assert (await _get(http, f"{reel.url}{url}"))[0] == 200


async def test_one_file_in_parts(page: Page, http: aiohttp.ClientSession, tools: Tools, tmp_path: Path) -> None:
    reel = page.reel
    video = (await _data(http, page))["videos"][0]
    url = f"{reel.url}{video['video_url']}"
    status, headers, whole = await _get(http, url)
    assert (status, headers["Content-Type"], headers["Accept-Ranges"]) == (200, "video/mp4", "bytes")
    assert int(headers["Content-Length"]) == len(whole)
    etag = headers["ETag"]
    for asked, part in (
        ("bytes=0-0", whole[:1]), ("bytes=10-1999", whole[10:2000]), (f"bytes={len(whole) - 7}-", whole[-7:]),
        ("bytes=-5", whole[-5:]), ("bytes=5000-999999999", whole[5000:]),
    ):  # fmt: skip
        status, headers, body = await _get(http, url, Range=asked)
        assert (status, body) == (206, part), asked
        assert int(headers["Content-Length"]) == len(part)
        begin = whole.index(part) if len(part) > 100 else None
        if begin is not None:
            assert headers["Content-Range"] == f"bytes {begin}-{begin + len(part) - 1}/{len(whole)}"
    for asked in (f"bytes={len(whole)}-", "bytes=9-1", "lines=1-2", "bytes=x"):
        status, headers, _ = await _get(http, url, Range=asked)
        assert (status, headers["Content-Range"]) == (416, f"bytes */{len(whole)}"), asked
    assert (await _get(http, url, If_None_Match=etag))[0] == 304
    assert (await _get(http, url, Range="bytes=0-9", If_Range=etag))[0] == 206
    assert (await _get(http, url, Range="bytes=0-9", If_Range='"other"'))[2] == whole
    async with http.head(url) as response:
        assert (response.status, int(response.headers["Content-Length"])) == (200, len(whole))
    # It is a film of the right length, and a player may begin in its middle.
    file = tmp_path / "whole.mp4"
    file.write_bytes(whole)
    process = await asyncio.create_subprocess_exec(
        tools.ffprobe, "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", file,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert abs(float((await process.communicate())[0]) - video["duration"]) < 0.1
    decoding = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-v", "error", "-xerror", "-ss", "1.5", "-i", file, "-f", "null", "-",
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert ((await decoding.communicate())[1], decoding.returncode) == (b"", 0)


async def test_taking_back_works_at_once(page: Page, http: aiohttp.ClientSession) -> None:
    reel, (first, second) = page.reel, page.videos
    data = await _data(http, page)
    gone = data["videos"][0]
    playlist = f"{reel.url}{data['reel_url']}"
    folder = gone["video_url"].rpartition("/")[0]
    urls = [f"{reel.url}{url}" for url in (gone["poster_url"], gone["video_url"], gone["storyboard_url"])]
    urls.append(f"{reel.url}{folder}/180/init.mp4")
    for url in urls[:3]:
        assert (await _get(http, url))[0] == 200
    await _publish(reel, first, published=False)
    for url in urls:
        status, _, body = await _get(http, url)
        assert status == 404
        assert json.loads(body)["errcode"] == "M_NOT_FOUND"
    assert (await _get(http, playlist))[0] == 410
    assert [video["id"] for video in (await _data(http, page))["videos"]] == [second]
    await _publish(reel, second, published=False)
    for path in ("", "/reel.json", "/avatar", f"/reel/{'0' * 16}/index.m3u8"):
        assert (await _get(http, f"{page.url}{path}"))[0] == 404


@pytest.mark.parametrize("way", ["hidden", "redacted", "left", "bot-left"])
async def test_only_what_is_shown_where_both_are(page: Page, http: aiohttp.ClientSession, way: str) -> None:
    reel, rooms, (first, second) = page.reel, page.rooms, page.videos
    match way:
        case "hidden":
            await reel.rows("UPDATE videos SET visibility = 'hidden' WHERE id = $1::uuid", first)
        case "redacted":
            event = (await reel.rows("SELECT event_id FROM videos WHERE id = $1::uuid", first))[0]["event_id"]
            await page.member.redact(rooms[0], event)
        case "left":
            await page.member.leave(rooms[0])
        case "bot-left":
            await page.member.kick(rooms[0], reel.bot)

    async def gone() -> bool:
        return [video["id"] for video in (await _data(http, page))["videos"]] == [second]

    await eventually(gone, seconds=20, what="the video being gone")


async def test_nobody_learns_who_exists(
    reel: Installation, synapse: Synapse, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    async with await synapse.user("shy") as shy:
        room_id = await make_room(alice, reel, shy)
        await _send(reel, http, shy, room_id, clip)  # not published
        names = [
            shy.user_id,
            "@nobody:test.local",
            "@x:matrix.org",
            "nonsense",
            "@a%2Fb:x",
            "%00",
            "%ED%A0%80",
            "a" * 3000,
        ]
    for language in ("en", "zh", "zh-TW"):
        answers = [await _get(http, f"{reel.url}/u/{name}", Accept_Language=language) for name in names]
        assert {status for status, _, _ in answers} == {404}
        assert len({body for _, _, body in answers}) == 1
        fixed = [{k: v for k, v in headers.items() if k != "Date"} for _, headers, _ in answers]
        assert all(headers == fixed[0] for headers in fixed)
        assert f'lang="{language}"' in answers[0][2].decode()
        assert answers[0][1]["Content-Type"].startswith("text/html")


async def test_names_and_titles_are_text(page: Page, http: aiohttp.ClientSession) -> None:
    reel, first = page.reel, page.videos[0]
    evil = '</script><img src=x onerror="alert(1)">{{ 7 * 7 }}'
    await reel.rows("UPDATE videos SET title = $2 WHERE id = $1::uuid", first, evil)
    await reel.rows("UPDATE members SET display_name = $2 WHERE user_id = $1", page.member.user_id, evil)
    html = (await _get(http, page.url))[2].decode()
    assert "<img src=x" not in html
    assert "{{ 7 * 7 }}" in html
    data = json.loads(html.split('id="member">')[1].split("</script>")[0])
    assert data["videos"][0]["title"] == evil
    assert data["display_name"] == evil


async def test_a_file_that_a_camera_named_is_called_by_its_date(page: Page, http: aiohttp.ClientSession) -> None:
    name, untitled = "PXL_20261129_103211123", page.videos[1]
    await page.reel.rows("UPDATE videos SET title = $2, kind = 'image' WHERE id = $1::uuid", page.videos[0], name)
    await page.reel.rows("UPDATE videos SET title = '' WHERE id = $1::uuid", untitled)
    html = (await _get(http, page.url))[2].decode()
    title = "Photo of November 29, 2026, 10:32 UTC"
    assert re.findall(r"<h2><bdi>(.*?)</bdi></h2>", html) == [title, "Video"]
    assert f'property="og:image:alt" content="{title}"' in html
    assert f'aria-label="{title}"' in html
    chinese = (await _get(http, page.url, Accept_Language="zh-TW"))[2].decode()
    assert "<bdi>2026年11月29日 10:32（UTC）的圖片</bdi>" in chinese
    # The script makes of the name what suits its viewer's clock.
    assert [(video["title"], video["kind"]) for video in (await _data(http, page))["videos"]] == [
        (name, "image"), ("", "video"),
    ]  # fmt: skip


async def test_the_avatar(page: Page, http: aiohttp.ClientSession) -> None:
    reel = page.reel
    await reel.rows("UPDATE members SET avatar_mxc = NULL WHERE user_id = $1", page.member.user_id)
    assert (await _data(http, page))["avatar_url"] is None
    picture = io.BytesIO()
    Image.new("RGB", (200, 200), "red").save(picture, "PNG")
    mxc = await page.member.upload(picture.getvalue(), "image/png")
    await reel.rows("UPDATE members SET avatar_mxc = $2 WHERE user_id = $1", page.member.user_id, mxc)
    url = (await _data(http, page))["avatar_url"]
    status, headers, body = await _get(http, f"{reel.url}{url}")
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, "image/png", "private, no-cache")
    assert body.startswith(b"\x89PNG")


_COPIES = """INSERT INTO videos SELECT (jsonb_populate_record(v, jsonb_build_object(
    'id', gen_random_uuid(), 'event_id', '$copy' || n, 'position', n))).* FROM videos v, generate_series(1, 2000) n
WHERE v.id = $1::uuid"""


async def _check_pages(http: aiohttp.ClientSession, page: Page) -> None:
    """Sixty at a time, by links; what is no page is the first one, and beyond the end is the last."""
    seen: list[str] = []
    for number, cards in ((1, 60), (2, 60), (34, 22)):
        status, _, body = await _get(http, f"{page.url}?page={number}")
        html = body.decode()
        assert (status, html.count('data-testid="card"')) == (200, cards)
        assert f"Page {number} of 34" in html
        assert ('rel="prev"' in html, 'rel="next"' in html) == (number > 1, number < 34)
        assert len(body) < 100_000
        seen += re.findall(r'data-video-id="([^"]+)"', html)
    assert len(set(seen)) == len(seen) == 142
    first, last = [(await _get(http, f"{page.url}{query}"))[2] for query in ("", "?page=34")]
    for wrong in ("0", "-1", "x", "1e9", "%C2%B2", ""):
        assert (await _get(http, f"{page.url}?page={wrong}"))[2] == first
    assert (await _get(http, f"{page.url}?page={'9' * 40}"))[2] == last
    # Compressed, where that is taken, under a tag of its own.
    async with http.get(f"{page.url}/reel.json", auto_decompress=False) as response:
        packed, tag = await response.read(), response.headers["ETag"]
        assert response.headers["Content-Encoding"] == "gzip"
    async with http.get(f"{page.url}/reel.json", headers={"Accept-Encoding": "identity"}) as response:
        plain = await response.read()
        assert "Content-Encoding" not in response.headers
        assert response.headers["ETag"] != tag
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 5
    async with http.get(f"{page.url}/reel.json", headers={"If-None-Match": tag}) as response:
        assert response.status == 304


async def test_a_page_of_thousands_is_made_once_for_all_strangers(page: Page, http: aiohttp.ClientSession) -> None:
    reel = page.reel
    assert reel.process is not None
    service = psutil.Process(reel.process.pid)
    await reel.rows(_COPIES, page.videos[0])
    try:
        for path, times in (("", 20), ("/reel.json", 20)):
            status, _, first = await _get(http, page.url + path)
            assert status == 200
            before = service.cpu_times()
            for _ in range(times):
                assert (await _get(http, page.url + path))[2] == first
            after = service.cpu_times()
            assert after.user - before.user < 0.2 * times
        videos = (await _data(http, page))["videos"]
        assert len(videos) == 2002
        await _check_pages(http, page)
        await reel.rows("UPDATE videos SET title = 'Another' WHERE id = $1::uuid", page.videos[0])
        assert "Another" in {video["title"] for video in (await _data(http, page))["videos"]}
    finally:
        await reel.rows("DELETE FROM videos WHERE event_id LIKE '$copy%'")
    assert len((await _data(http, page))["videos"]) == 2


async def test_the_widgets_page_speaks_the_viewers_language(reel: Installation, http: aiohttp.ClientSession) -> None:
    titles = {"en": "Videos of this room", "zh": "本房间的视频", "zh-TW": "本聊天室的影片"}
    for asked, accepted, language in (
        ("", "zh-HK,zh;q=0.9", "zh-TW"),
        ("?lang=zh_TW", "en", "zh-TW"),
        ("?lang=zh-cn", "en", "zh"),
        ("?lang=$org.matrix.msc2873.client_language", "zh", "zh"),
        ("?lang=de,zh", "en", "en"),
    ):
        status, headers, body = await _get(http, f"{reel.url}/widget/{asked}", Accept_Language=accepted)
        page = body.decode()
        assert (status, headers["Vary"]) == (200, "Accept-Language"), asked
        assert f'<html lang="{language}">' in page, asked
        assert f"<title>{titles[language]}</title>" in page, asked
