"""The download of an export by its secret link: in whole, in part, and gone when it should be."""

import hashlib
import io
import secrets
import uuid
from dataclasses import dataclass
from zipfile import ZipFile

import pytest

from appservice.core.model import ExportId, UserId
from tests.support.service import Service


@dataclass
class Export:
    """A zip that a member may fetch."""

    url: str
    body: bytes
    user: str


@pytest.fixture
async def export(service: Service) -> Export:
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("data.json", "{}" + " " * 5000)
    export_id, secret, user = ExportId(str(uuid.uuid4())), secrets.token_urlsafe(32), service.user()
    (service.parts.config.data_dir / "exports" / f"{export_id}.zip").write_bytes(packed.getvalue())
    now = await service.context.stores.installation.now()
    digest = hashlib.sha256(secret.encode()).digest()
    assert await service.context.stores.exports.add(export_id, UserId(user), digest, [], now)
    return Export(f"{service.url}/export/{secret}", packed.getvalue(), user)


async def test_whole_and_in_part(service: Service, export: Export) -> None:
    async with service.http.get(export.url) as response:
        assert (response.status, response.content_type) == (200, "application/zip")
        assert response.headers["Cache-Control"] == "private, no-store"
        assert response.headers["Content-Disposition"] == 'attachment; filename="roomreel.zip"'
        whole, etag = await response.read(), response.headers["ETag"]
    assert whole == export.body
    assert ZipFile(io.BytesIO(whole)).testzip() is None
    async with service.http.get(export.url, headers={"Range": "bytes=4-9"}) as response:
        assert (response.status, await response.read()) == (206, whole[4:10])
    async with service.http.get(export.url, headers={"Range": f"bytes={len(whole)}-"}) as response:
        assert response.status == 416
    async with service.http.get(export.url, headers={"If-None-Match": etag}) as response:
        assert (response.status, await response.read()) == (304, b"")
    async with service.http.head(export.url) as response:
        assert (response.status, response.content_length) == (200, len(whole))


async def test_past_its_day_it_is_a_page_that_says_so(service: Service, export: Export) -> None:
    await service.rows("UPDATE exports SET expires_at = now() WHERE user_id = $1", export.user)
    for language, text in (("en", "This link has ended"), ("zh-CN", "这个链接已失效")):
        headers = {"Accept": "text/html,*/*", "Accept-Language": language}
        async with service.http.get(export.url, headers=headers) as response:
            assert (response.status, response.content_type) == (404, "text/html")
            assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
            assert text in await response.text()
    async with service.http.get(export.url) as response:
        assert response.status == 404
        assert (await response.json())["error"] == (
            "This link does not hold (any more). Ask the bot for a new one: export"
        )


async def test_no_other_link_holds(service: Service, export: Export) -> None:
    for url in (export.url[:-1], export.url + "x", f"{service.url}/export/x"):
        async with service.http.get(url) as response:
            assert response.status == 404


async def test_a_worker_that_died_before_the_file_was_there_is_followed_by_another(service: Service) -> None:
    store, user = service.parts.stores.exports, UserId(service.user())
    digest, now = hashlib.sha256(secrets.token_bytes()).digest(), await service.parts.stores.exports.now()
    for number in range(2):
        export_id = ExportId(str(uuid.uuid4()))
        assert await store.add(export_id, user, digest, [], now), number
        assert await store.by_secret(digest) == (export_id, None)
    assert len(await service.rows("SELECT FROM exports WHERE user_id = $1", user)) == 1
