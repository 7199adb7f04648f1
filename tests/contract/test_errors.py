"""Whatever is wrong with a request, the response is an error of Matrix' form, and never a 500."""

import asyncio
import io
import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from structlog.testing import capture_logs
from yarl import URL

from tests.support.service import HS_TOKEN, Service

OURS = {"Authorization": f"Bearer {HS_TOKEN}"}


async def _request(
    service: Service,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    data: bytes | io.BytesIO | None = None,
) -> tuple[int, Any]:
    async with service.http.request(method, service.url + path, headers=headers, data=data) as response:
        assert response.content_type == "application/json", await response.text()
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        return response.status, await response.json()


def _check(found: tuple[int, Any], status: int, errcode: str) -> None:
    assert found[0] == status, found
    assert set(found[1]) == {"errcode", "error"}
    assert found[1]["errcode"] == errcode
    assert isinstance(found[1]["error"], str)
    assert found[1]["error"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"\xff", b"{}", b'{"room_id": "!r"}', b'{"room_id": 5, "openid_token": {}}',
        b'{"room_id": "!r", "openid_token": {"access_token": "x"}}',
        b'{"room_id": "#alias", "openid_token": {"access_token": "x", "matrix_server_name": "test.local"}}',
        b'{"room_id": "!a\\u0000b", "openid_token": {"access_token": "x", "matrix_server_name": "test.local"}}',
        b'{"room_id": "!", "openid_token": {"access_token": "x", "matrix_server_name": "test.local"}}',
        b'{"room_id": "!\\ud800", "openid_token": {"access_token": "x", "matrix_server_name": "test.local"}}',
        b'{"room_id": "!r", "openid_token": {"access_token": "", "matrix_server_name": "test.local"}}',
        b'{"openid_token": null, "sign_in": null, "room_id": "!r"}', b"[" * 60_000,
    ],
)  # fmt: skip
async def test_a_session_request_of_the_wrong_form(service: Service, body: bytes) -> None:
    _check(await _request(service, "POST", "/api/v1/session", data=body), 400, "M_BAD_JSON")


async def test_a_body_that_is_not_what_its_encoding_says(service: Service) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    found = await _request(service, "POST", "/api/v1/session", headers, b"abcde")
    _check(found, 400, "M_BAD_JSON")


@pytest.mark.parametrize("name", ["nope.js", "..%2Fvite.config.ts", ".vite"])
async def test_an_asset_that_is_not_there(service: Service, name: str) -> None:
    async with service.http.get(URL(f"{service.url}/widget/assets/{name}", encoded=True)) as response:
        assert (response.status, set(await response.json())) == (404, {"errcode", "error"})


async def test_a_session_request_that_is_too_long(service: Service) -> None:
    _check(await _request(service, "POST", "/api/v1/session", data=bytes(65 * 1024)), 413, "M_TOO_LARGE")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"events": {}}', b"[" * 100_000, b"\xff"])
async def test_a_transaction_of_the_wrong_form(service: Service, body: bytes) -> None:
    _check(await _request(service, "PUT", "/_matrix/app/v1/transactions/wrong", OURS, body), 400, "M_BAD_JSON")


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer x.y", "Basic abc", "Bearer é.ü"])
async def test_without_a_session(service: Service, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for path in ("/api/v1/rooms/!r", "/api/v1/rooms/!r/events"):
        _check(await _request(service, "GET", path, headers), 401, "M_UNKNOWN_TOKEN")


@pytest.mark.parametrize(
    ("line", "status", "errcode"),
    [
        ("GET /api/v1/rooms/!r", 401, "M_UNKNOWN_TOKEN"),
        ("PUT /_matrix/app/v1/transactions/1", 403, "M_FORBIDDEN"),
    ],
)
async def test_a_header_that_is_not_utf8(service: Service, line: str, status: int, errcode: str) -> None:
    parts = urlsplit(service.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n".encode())
    writer.write(b"Authorization: Bearer \xff.\xfe\r\n\r\n")
    async with asyncio.timeout(60):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    _check((int(head.split()[1]), json.loads(body)), status, errcode)


async def test_the_homeservers_routes_need_our_hs_token(service: Service) -> None:
    wrong = {"Authorization": "Bearer not-ours"}
    for method, path in (
        ("PUT", "/_matrix/app/v1/transactions/1"), ("POST", "/_matrix/app/v1/ping"),
        ("GET", f"/_matrix/app/v1/users/{service.bot}"), ("GET", "/_matrix/app/v1/rooms/%23alias:test.local"),
    ):  # fmt: skip
        _check(await _request(service, method, path, data=b'{"events": []}'), 401, "M_UNKNOWN_TOKEN")
        with capture_logs() as logs:
            _check(await _request(service, method, path, wrong, b'{"events": []}'), 403, "M_FORBIDDEN")
        assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["hs_token_refused"]


async def test_what_one_may_not(service: Service) -> None:
    alice, mallory = service.user("alice"), service.user("mallory")
    room = await service.room(alice)
    found = await service.open_session(service.peer.openid_token(mallory), room.room_id)
    _check(found, 403, "M_FORBIDDEN")
    no_room = await service.open_session(service.peer.openid_token(mallory), "!nowhere:test.local")
    assert no_room == found, "a stranger does not learn which rooms there are"

    viewer = await service.viewer(alice, room)
    _check(await viewer.get("/api/v1/rooms/!another"), 403, "M_FORBIDDEN")
    media = f"/media/9999999999.{'A' * 22}/1.1/reel/all/{'0' * 16}/index.m3u8"
    _check(await _request(service, "GET", media), 403, "M_FORBIDDEN")


async def test_what_is_not_there(service: Service) -> None:
    for path in ("/", "/api/v1/nothing", "/media/x", "/widget/nothing", "/api/v1/rooms//"):
        _check(await _request(service, "GET", path), 404, "M_UNRECOGNIZED")
    for path in ("/_matrix/app/v1/users/@nobody:test.local", "/_matrix/app/v1/rooms/%23alias:test.local"):
        _check(await _request(service, "GET", path, OURS), 404, "M_NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1/session", {"POST"}), ("DELETE", "/api/v1/session", {"POST"}),
        ("POST", "/api/v1/rooms/!r", {"GET", "HEAD"}), ("PUT", "/api/v1/rooms/!r/events", {"GET", "HEAD"}),
        ("POST", "/_matrix/app/v1/transactions/1", {"PUT"}), ("POST", "/widget/", {"GET", "HEAD"}),
        ("PATCH", "/api/v1/uploads", {"OPTIONS", "POST"}),
    ],
)  # fmt: skip
async def test_other_methods(service: Service, method: str, path: str, allowed: set[str]) -> None:
    async with service.http.request(method, service.url + path) as response:
        _check((response.status, await response.json()), 405, "M_UNRECOGNIZED")
        assert {each.strip() for each in response.headers["Allow"].split(",")} == allowed


async def test_too_large_a_body(service: Service) -> None:
    large = 64 * 1024 * 1024 + 1
    path = "/_matrix/app/v1/transactions/large"
    _check(await _request(service, "PUT", path, OURS, io.BytesIO(bytes(large))), 413, "M_TOO_LARGE")
    _check(await _request(service, "POST", "/api/v1/session", data=io.BytesIO(bytes(large))), 413, "M_TOO_LARGE")


@pytest.mark.parametrize("letter", ["%00", "%01", "%1B", "%7F", "%C2%85", "%ED%A0%80", "a" * 3000])
async def test_an_address_that_holds_what_no_id_has(service: Service, letter: str) -> None:
    alice = service.user()
    made = await service.room(alice)
    headers = {"Authorization": f"Bearer {(await service.viewer(alice, made)).token}"}
    room = quote(made.room_id, safe="")
    addresses = [
        ("GET", f"/api/v1/rooms/{room}{letter}"), ("GET", f"/api/v1/rooms/{room}{letter}/events"),
        ("PUT", f"/api/v1/rooms/{room}/members/@a{letter}/order"), ("GET", f"/u/@a{letter}:test.local/reel.json"),
        ("GET", f"/api/v1/uploads/{letter}"), ("DELETE", f"/api/v1/videos/{letter}"), ("GET", f"/export/{letter}"),
        ("GET", f"/api/v1/rooms/{room}?together={letter}"),
    ]  # fmt: skip
    for method, address in addresses:
        url = URL(service.url + address, encoded=True)
        data = b'{"videos": []}' if method == "PUT" else None
        async with service.http.request(method, url, headers=headers, data=data) as response:
            assert response.status in {200, 400, 403, 404}, (address, response.status)
            assert response.content_type == "application/json"
