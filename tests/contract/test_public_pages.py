"""A member's public page: what they publish is there for everybody, and gone with the next request once taken back."""

import gzip
import io
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import psutil
import pytest
from multidict import CIMultiDictProxy
from PIL import Image

from tests.support.service import Room, Service, TranscodedVideo


@dataclass(frozen=True)
class Page:
    """The page of a member with two videos, the second one in another room; both published."""

    service: Service
    member: str
    rooms: list[Room]
    videos: list[str]

    @property
    def path(self) -> str:
        return f"/u/{self.member}"

    async def get(self, path: str | None = None, **headers: str) -> tuple[int, CIMultiDictProxy[str], bytes]:
        """Fetch the page, or a path of the same server."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        url = self.service.url + (self.path if path is None else path)
        async with self.service.http.get(url, headers=names) as response:
            return response.status, response.headers, await response.read()

    async def data(self) -> dict[str, Any]:
        status, _, body = await self.get(f"{self.path}/reel.json")
        assert status == 200
        return dict(json.loads(body))

    async def publish(self, video_id: str, *, published: bool = True) -> None:
        published_at = "now()" if published else "NULL"
        query = f"UPDATE videos SET published_at = {published_at} WHERE id = $1::uuid"  # noqa: S608 - ours
        await self.service.rows(query, video_id)


@pytest.fixture
async def page(service: Service, transcoded: TranscodedVideo) -> Page:
    member, bob = service.user("shown"), service.user("bob")
    rooms = [await service.room(member, bob) for _ in range(2)]
    videos = [await room.video_id(await room.show_video(member, transcoded)) for room in rooms]
    page = Page(service, member, rooms, videos)
    for video_id in videos:
        await page.publish(video_id)
    return page


async def test_a_page_with_all_that_belongs_to_it(page: Page) -> None:
    root = page.service.context.config.web.public_url
    status, headers, body = await page.get()
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
    assert re.findall(r'<li class="card" id="([^"]+)"', html) == page.videos
    assert '<html lang="en">' in html
    assert "2 videos" in html
    assert f'property="og:video" content="{root}{page.path}/v/{page.videos[0]}/' in html
    assert f'property="og:image" content="{root}/u/' in html
    assert f'property="og:url" content="{root}{page.path}"' in html
    assert '<meta name="robots" content="noindex">' in html
    # Nothing of the rooms.
    assert not any(room.room_id in html for room in page.rooms)
    # Percent-encoded it is the same page, and unchanged it is not sent again.
    assert (await page.get(f"/u/{quote(page.member, safe='')}"))[2] == body
    status, again, empty = await page.get(If_None_Match=headers["ETag"])
    assert (status, again["ETag"], empty) == (304, headers["ETag"], b"")
    chinese = (await page.get(Accept_Language="zh-CN,zh;q=0.9"))[2].decode()
    assert '<html lang="zh">' in chinese
    assert "2 个视频" in chinese


async def test_the_reel_of_a_page_and_its_media(page: Page) -> None:
    data = await page.data()
    assert [video["id"] for video in data["videos"]] == page.videos
    status, headers, body = await page.get(data["reel_url"])
    assert (status, headers["Cache-Control"]) == (200, "private, no-cache")
    variant = next(line for line in body.decode().splitlines() if line.endswith(".m3u8"))
    status, _, body = await page.get(data["reel_url"].replace("index.m3u8", variant))
    segments = [line for line in body.decode().splitlines() if line.endswith(".m4s")]
    assert [v for v in page.videos if any(f"/v/{v}/" in segment for segment in segments)] == page.videos
    base = data["reel_url"].rpartition("/")[0]
    for segment in segments[:2]:
        status, headers, body = await page.get(f"{base}/{segment}")
        assert (status, headers["Cache-Control"]) == (200, "private, no-cache")
        assert body
        assert (await page.get(f"{base}/{segment}", If_None_Match=headers["ETag"]))[0] == 304
    for video in data["videos"]:
        for url in (video["poster_url"], video["storyboard_url"], video["video_url"]):
            assert (await page.get(url))[0] == 200


async def test_taking_back_works_at_once(page: Page, transcoded: TranscodedVideo) -> None:
    first, second = page.videos
    data = await page.data()
    gone = data["videos"][0]
    folder = gone["video_url"].rpartition("/")[0]
    urls = [
        gone["poster_url"],
        gone["video_url"],
        gone["storyboard_url"],
        f"{folder}/{transcoded.result.renditions[0].name}/init.mp4",
    ]
    for url in urls:
        assert (await page.get(url))[0] == 200
    await page.publish(first, published=False)
    for url in urls:
        status, _, body = await page.get(url)
        assert status == 404
        assert json.loads(body)["errcode"] == "M_NOT_FOUND"
    assert (await page.get(data["reel_url"]))[0] == 410
    assert [video["id"] for video in (await page.data())["videos"]] == [second]
    await page.publish(second, published=False)
    for path in ("", "/reel.json", "/avatar", f"/reel/{'0' * 16}/index.m3u8"):
        assert (await page.get(f"{page.path}{path}"))[0] == 404


@pytest.mark.parametrize("way", ["hidden", "redacted", "left", "bot-left"])
async def test_only_what_is_shown_where_both_are(page: Page, way: str) -> None:
    service, room, (first, second) = page.service, page.rooms[0], page.videos
    match way:
        case "hidden":
            await service.rows("UPDATE videos SET visibility = 'hidden' WHERE id = $1::uuid", first)
        case "redacted":
            (row,) = await service.rows("SELECT event_id FROM videos WHERE id = $1::uuid", first)
            await room.redact(row["event_id"])
        case "left":
            await room.set_member(page.member, "leave")
        case "bot-left":
            await room.set_member(service.bot, "leave")
    assert [video["id"] for video in (await page.data())["videos"]] == [second]


async def test_nobody_learns_who_exists(service: Service, transcoded: TranscodedVideo) -> None:
    shy = service.user("shy")
    room = await service.room(service.user(), shy)
    await room.show_video(shy, transcoded)  # not published
    page = Page(service, shy, [room], [])
    names = [
        shy, "@nobody:test.local", "@x:matrix.org", "nonsense", "@a%2Fb:x", "%00", "%ED%A0%80", "a" * 3000,
    ]  # fmt: skip
    for language in ("en", "zh", "zh-TW"):
        responses = [await page.get(f"/u/{name}", Accept_Language=language) for name in names]
        assert {status for status, _, _ in responses} == {404}
        assert len({body for _, _, body in responses}) == 1
        of_each = {"Date", "X-Request-ID"}
        fixed = [{k: v for k, v in headers.items() if k not in of_each} for _, headers, _ in responses]
        assert all(headers == fixed[0] for headers in fixed)
        assert f'lang="{language}"' in responses[0][2].decode()
        assert responses[0][1]["Content-Type"].startswith("text/html")


async def test_names_and_titles_are_text(page: Page) -> None:
    evil = '</script><img src=x onerror="alert(1)">{{ 7 * 7 }}'
    await page.service.rows("UPDATE videos SET title = $2 WHERE id = $1::uuid", page.videos[0], evil)
    await page.service.rows("UPDATE members SET display_name = $2 WHERE user_id = $1", page.member, evil)
    html = (await page.get())[2].decode()
    assert "<img src=x" not in html
    assert "{{ 7 * 7 }}" in html
    data = json.loads(html.split('id="member">')[1].split("</script>")[0])
    assert data["videos"][0]["title"] == evil
    assert data["display_name"] == evil


async def test_a_file_that_a_camera_named_is_called_by_its_date(page: Page) -> None:
    name, (camera, untitled) = "PXL_20261129_103211123", page.videos
    await page.service.rows("UPDATE videos SET title = $2, kind = 'image' WHERE id = $1::uuid", camera, name)
    await page.service.rows("UPDATE videos SET title = '' WHERE id = $1::uuid", untitled)
    html = (await page.get())[2].decode()
    title = "Photo of November 29, 2026, 10:32 UTC"
    assert re.findall(r"<h2><bdi>(.*?)</bdi></h2>", html) == [title, "Video"]
    assert f'property="og:image:alt" content="{title}"' in html
    assert f'aria-label="{title}"' in html
    chinese = (await page.get(Accept_Language="zh-TW"))[2].decode()
    assert "<bdi>2026年11月29日 10:32（UTC）的圖片</bdi>" in chinese
    # The script makes of the name what suits its viewer's clock.
    assert [(video["title"], video["kind"]) for video in (await page.data())["videos"]] == [
        (name, "image"), ("", "video"),
    ]  # fmt: skip


async def test_the_avatar(page: Page) -> None:
    assert (await page.data())["avatar_url"] is None
    image = io.BytesIO()
    Image.new("RGB", (200, 200), "red").save(image, "PNG")
    mxc = page.service.peer.upload(image.getvalue(), "image/png")
    for room in page.rooms:
        await room.set_member(page.member, avatar_url=mxc)
    url = (await page.data())["avatar_url"]
    status, headers, body = await page.get(url)
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, "image/png", "private, no-cache")
    assert body.startswith(b"\x89PNG")


_COPIES = """INSERT INTO videos SELECT (jsonb_populate_record(v, jsonb_build_object(
    'id', gen_random_uuid(), 'event_id', '$copy' || n, 'position', n))).* FROM videos v, generate_series(1, 2000) n
WHERE v.id = $1::uuid"""


async def _check_pages(page: Page) -> None:
    """Sixty at a time, by links; what is no page is the first one, and beyond the end is the last."""
    seen: list[str] = []
    for number, cards in ((1, 60), (2, 60), (34, 22)):
        status, _, body = await page.get(f"{page.path}?page={number}")
        html = body.decode()
        assert (status, html.count('data-testid="card"')) == (200, cards)
        assert f"Page {number} of 34" in html
        assert ('rel="prev"' in html, 'rel="next"' in html) == (number > 1, number < 34)
        assert len(body) < 100_000
        seen += re.findall(r'data-video-id="([^"]+)"', html)
    assert len(set(seen)) == len(seen) == 142
    first, last = [(await page.get(f"{page.path}{query}"))[2] for query in ("", "?page=34")]
    for wrong in ("0", "-1", "x", "1e9", "%C2%B2", ""):
        assert (await page.get(f"{page.path}?page={wrong}"))[2] == first
    assert (await page.get(f"{page.path}?page={'9' * 40}"))[2] == last


async def _check_compression(page: Page) -> None:
    """Compressed, where that is taken, under a tag of its own."""
    url, http = f"{page.service.url}{page.path}/reel.json", page.service.http
    async with http.get(url, auto_decompress=False) as response:
        packed, tag = await response.read(), response.headers["ETag"]
        assert response.headers["Content-Encoding"] == "gzip"
    async with http.get(url, headers={"Accept-Encoding": "identity"}) as response:
        plain = await response.read()
        assert "Content-Encoding" not in response.headers
        assert response.headers["ETag"] != tag
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 5
    async with http.get(url, headers={"If-None-Match": tag}) as response:
        assert response.status == 304


async def test_a_page_of_thousands_is_made_once_for_all_strangers(page: Page) -> None:
    process = psutil.Process()
    await page.service.rows(_COPIES, page.videos[0])
    try:
        for path, times in (("", 20), ("/reel.json", 20)):
            status, _, first = await page.get(page.path + path)
            assert status == 200
            before = process.cpu_times()
            for _ in range(times):
                assert (await page.get(page.path + path))[2] == first
            after = process.cpu_times()
            assert after.user - before.user < 0.2 * times
        assert len((await page.data())["videos"]) == 2002
        await _check_pages(page)
        await _check_compression(page)
        await page.service.rows("UPDATE videos SET title = 'Another' WHERE id = $1::uuid", page.videos[0])
        assert "Another" in {video["title"] for video in (await page.data())["videos"]}
    finally:
        await page.service.rows("DELETE FROM videos WHERE event_id LIKE '$copy%'")
    assert len((await page.data())["videos"]) == 2
