"""The API document and the running service agree; every error has the Matrix form."""

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import jsonschema
import pytest
from yarl import URL

from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.viewer import Viewer

Document = dict[str, Any]


@pytest.fixture(scope="module")
async def document(reel: Installation, http: aiohttp.ClientSession) -> Document:
    async with http.get(f"{reel.url}/api/v1/openapi.json") as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        return dict(await response.json())


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def _resolve(document: Document, reference: str) -> Document:
    assert reference.startswith("#/")
    node = document
    for part in reference[2:].split("/"):
        node = node[part]
    return node


def _operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def conform(document: Document, path: str, method: str, status: int, body: object) -> None:
    """Check an answer against what the document says of it."""
    responses = document["paths"][path][method]["responses"]
    assert str(status) in responses, f"{method} {path} answered {status}, which the document does not tell"
    schema = {**responses[str(status)]["content"]["application/json"]["schema"], "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(body)


def strict(document: Document) -> Document:
    """Return the document with every object closed, so that an undocumented key is noticed."""
    copy: Document = json.loads(json.dumps(document))
    for schema in copy["components"]["schemas"].values():
        if schema.get("type") == "object":
            schema["additionalProperties"] = False
            schema["required"] = list(schema["properties"])
    return copy


async def test_the_document_hangs_together(document: Document) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "Roomreel"
    assert document["info"]["version"]
    references = list(_references(document))
    assert references
    for reference in references:
        assert _resolve(document, reference)
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


async def test_every_operation_is_whole(document: Document) -> None:
    seen = set()
    for path, method, operation in _operations(document):
        seen.add(f"{method} {path}")
        assert operation["summary"]
        for status, response in operation["responses"].items():
            assert response["description"]
            assert status in {"200", "204", "206", "304"} or response["content"]["application/json"]
        named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}
        for requirement in operation.get("security", []):
            assert set(requirement) <= set(document["components"]["securitySchemes"])
    assert seen == {
        "post /api/v1/session", "post /api/v1/sign-in", "delete /api/v1/sign-in", "get /api/v1/rooms/{room_id}",
        "get /api/v1/rooms/{room_id}/events",
        "put /api/v1/rooms/{room_id}/watching", "get /api/v1/time", "put /api/v1/rooms/{room_id}/place",
        "patch /api/v1/videos/{id}",
        "delete /api/v1/videos/{id}", "post /api/v1/videos/{id}/restore", "post /api/v1/videos/{id}/report",
        "get /api/v1/videos/{id}/reports", "post /api/v1/videos/{id}/reject", "post /api/v1/videos/{id}/block",
        "delete /api/v1/videos/{id}/reports", "put /api/v1/rooms/{room_id}/members/{user_id}/order",
        "get /api/v1/videos/{id}/said", "delete /api/v1/videos/{id}/said/{event_id}",
        "post /api/v1/videos/{id}/comments", "post /api/v1/videos/{id}/reactions",
        "post /api/v1/rooms/{room_id}/videos",
        "get /api/v1/uploads/{id}", "post /api/v1/uploads/{id}/finish", "get /export/{secret}",
    }  # fmt: skip


def shape(member: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    return member["user_id"], [(video["id"], video["state"]) for video in member["videos"]]


async def test_real_answers_are_as_the_document_says(
    document: Document,
    reel: Installation,
    http: aiohttp.ClientSession,
    alice: MatrixClient,
    clip: Path,
    tmp_path: Path,
) -> None:
    exact = strict(document)
    room_id = await make_room(alice, reel)
    room_path = "/api/v1/rooms/{room_id}"

    status, session = await reel.open_session(http, await alice.openid_token(), room_id)
    conform(exact, "/api/v1/session", "post", status, session)
    assert (session["user_id"], session["room_id"]) == (alice.user_id, room_id)
    assert "moderate" in session["can"]
    viewer = Viewer(reel.url, http, room_id, session["token"])

    conform(exact, room_path, "get", 200, await viewer.room())
    text = tmp_path / "broken.mp4"
    text.write_text("This is not a video.")
    good, bad = await alice.send_video(room_id, clip), await alice.send_video(room_id, text)
    failed = await viewer.video_in(bad, "failed")
    assert failed["failure"]["code"] == "not-a-video"
    await viewer.video_in(good, "ready")
    room = await viewer.room()
    conform(exact, room_path, "get", 200, room)

    status, session = await reel.open_session(http, await alice.openid_token(), room_id, with_room=True)
    conform(exact, "/api/v1/session", "post", status, session)
    brought = session["room"]
    # Its times and addresses are of another moment.
    assert brought["now"] >= session["asked_at"] > room["now"]
    assert [shape(member) for member in brought["members"]] == [shape(member) for member in room["members"]]
    assert brought.keys() == room.keys()
    viewer = Viewer(reel.url, http, room_id, session["token"])
    assert (await viewer.fetch(brought["channel"]))[0] == 200

    conform(exact, "/api/v1/time", "get", *await viewer.get("/api/v1/time"))
    headers = {"Authorization": f"Bearer {session['token']}"}
    url = f"{reel.url}/api/v1/rooms/{quote(room_id, safe='')}/watching"
    for body, answer in ((b'{"watching": true}', 200), (b"{}", 400)):
        found = await _request(http, "PUT", url, headers, body)
        assert found[0] == answer
        conform(exact, room_path + "/watching", "put", *found)
    place = {
        "selection": "*", "video": None, "position": 0, "volume": 1, "muted": False, "speed": 1, "loop": "list",
        "captions": None, "keys": True,
    }  # fmt: skip
    url = f"{reel.url}/api/v1/rooms/{quote(room_id, safe='')}/place"
    for kept, answer in ((place, 200), ({}, 400)):
        found = await _request(http, "PUT", url, headers, json.dumps(kept).encode())
        assert found[0] == answer
        conform(exact, room_path + "/place", "put", *found)
    conform(exact, room_path, "get", 200, await viewer.room())


async def test_the_event_stream_is_one(
    document: Document, reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient
) -> None:
    room_id = await make_room(alice, reel)
    viewer = await reel.viewer(http, alice, room_id)
    url = f"{reel.url}/api/v1/rooms/{quote(room_id, safe='')}/events"
    async with http.get(url, headers={"Authorization": f"Bearer {viewer.token}"}) as response:
        assert response.status == 200
        told = document["paths"]["/api/v1/rooms/{room_id}/events"]["get"]["responses"]["200"]["content"]
        assert list(told) == [response.content_type]
        await alice.send_state(room_id, "m.room.name", {"name": "Renamed"})
        async with asyncio.timeout(10):
            while (line := (await response.content.readline()).decode().rstrip()) != "event: changed":
                assert line == "" or line.startswith(":"), line
            assert json.loads((await response.content.readline()).decode().removeprefix("data: ")) == {
                "room_id": room_id
            }


# Errors


async def _request(
    http: aiohttp.ClientSession,
    method: str,
    url: str,
    headers: dict[str, str] | None = None,
    data: bytes | io.BytesIO | None = None,
) -> tuple[int, Any]:
    async with http.request(method, url, headers=headers, data=data) as response:
        assert response.content_type == "application/json", await response.text()
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        return response.status, await response.json()


def _check_error(found: tuple[int, Any], status: int, errcode: str) -> None:
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
        b"[" * 60_000,
    ],
)  # fmt: skip
async def test_a_session_request_of_the_wrong_form(
    document: Document, reel: Installation, http: aiohttp.ClientSession, body: bytes
) -> None:
    found = await _request(http, "POST", f"{reel.url}/api/v1/session", data=body)
    _check_error(found, 400, "M_BAD_JSON")
    conform(document, "/api/v1/session", "post", *found)


async def test_a_body_that_is_not_what_its_encoding_says(reel: Installation, http: aiohttp.ClientSession) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    async with http.post(f"{reel.url}/api/v1/session", data=b"abcde", headers=headers) as response:
        assert (response.status, (await response.json())["errcode"]) == (400, "M_BAD_JSON")


@pytest.mark.parametrize("name", ["nope.js", "..%2Fvite.config.ts", ".vite"])
async def test_an_asset_that_is_not_there(reel: Installation, http: aiohttp.ClientSession, name: str) -> None:
    async with http.get(URL(f"{reel.url}/widget/assets/{name}", encoded=True)) as response:
        assert (response.status, set(await response.json())) == (404, {"errcode", "error"})


async def test_the_widgets_address_without_its_slash(reel: Installation, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{reel.url}/widget?room_id=x", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (308, "/widget/?room_id=x")


async def test_a_session_request_that_is_too_long(
    document: Document, reel: Installation, http: aiohttp.ClientSession
) -> None:
    found = await _request(http, "POST", f"{reel.url}/api/v1/session", data=bytes(65 * 1024))
    _check_error(found, 413, "M_TOO_LARGE")
    conform(document, "/api/v1/session", "post", *found)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"events": {}}', b"[" * 100_000, b"\xff"])
async def test_a_transaction_of_the_wrong_form(reel: Installation, http: aiohttp.ClientSession, body: bytes) -> None:
    url = f"{reel.url}/_matrix/app/v1/transactions/wrong"
    found = await _request(http, "PUT", url, {"Authorization": f"Bearer {reel.hs_token}"}, body)
    _check_error(found, 400, "M_BAD_JSON")


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer x.y", "Basic abc", "Bearer é.ü"])
async def test_without_a_session(
    document: Document, reel: Installation, http: aiohttp.ClientSession, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for path in ("/api/v1/rooms/{room_id}", "/api/v1/rooms/{room_id}/events"):
        found = await _request(http, "GET", reel.url + path.replace("{room_id}", "!r"), headers)
        _check_error(found, 401, "M_UNKNOWN_TOKEN")
        conform(document, path, "get", *found)


@pytest.mark.parametrize(
    ("line", "status"), [("GET /api/v1/rooms/!r", 401), ("PUT /_matrix/app/v1/transactions/1", 403)]
)
async def test_a_header_that_is_not_utf8(reel: Installation, line: str, status: int) -> None:
    parts = urlsplit(reel.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n".encode())
    writer.write(b"Authorization: Bearer \xff.\xfe\r\n\r\n")
    async with asyncio.timeout(10):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    _check_error(
        (int(head.split()[1]), json.loads(body)), status, "M_UNKNOWN_TOKEN" if status == 401 else "M_FORBIDDEN"
    )


async def test_a_transaction_needs_our_hs_token(reel: Installation, http: aiohttp.ClientSession) -> None:
    url = f"{reel.url}/_matrix/app/v1/transactions/1"
    _check_error(await _request(http, "PUT", url, data=b'{"events": []}'), 401, "M_UNKNOWN_TOKEN")
    wrong = {"Authorization": "Bearer not-ours"}
    _check_error(await _request(http, "PUT", url, wrong, b'{"events": []}'), 403, "M_FORBIDDEN")


async def test_what_one_may_not(
    document: Document, reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, mallory: MatrixClient
) -> None:
    room_id = await make_room(alice, reel)
    status, body = await reel.open_session(http, await mallory.openid_token(), room_id)
    _check_error((status, body), 403, "M_FORBIDDEN")
    conform(document, "/api/v1/session", "post", status, body)
    no_room = await reel.open_session(http, await mallory.openid_token(), "!nowhere:test.local")
    assert no_room == (status, body), "a stranger does not learn which rooms there are"

    viewer = await reel.viewer(http, alice, room_id)
    found = await viewer.get("/api/v1/rooms/!another")
    _check_error(found, 403, "M_FORBIDDEN")
    conform(document, "/api/v1/rooms/{room_id}", "get", *found)
    media = f"{reel.url}/media/9999999999.{'A' * 22}/1.1/reel/all/{'0' * 16}/index.m3u8"
    _check_error(await _request(http, "GET", media), 403, "M_FORBIDDEN")


async def test_what_is_not_there(reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient) -> None:
    for path in ("/", "/api/v1/nothing", "/media/x", "/widget/nothing", "/api/v1/rooms//"):
        _check_error(await _request(http, "GET", reel.url + path), 404, "M_UNRECOGNIZED")
    ours = {"Authorization": f"Bearer {reel.hs_token}"}
    for path in ("/_matrix/app/v1/users/@nobody:test.local", "/_matrix/app/v1/rooms/%23alias:test.local"):
        _check_error(await _request(http, "GET", reel.url + path, ours), 404, "M_NOT_FOUND")


async def test_media_that_are_not_there(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path
) -> None:
    room_id = await make_room(alice, reel)
    viewer = await reel.viewer(http, alice, room_id)
    event_id = await alice.send_video(room_id, clip)
    video = await viewer.video_in(event_id, "ready")
    folder = reel.url + video["poster_url"].removesuffix("poster.jpg")
    scope = folder.partition("/v/")[0]
    nil = "00000000-0000-0000-0000-000000000000"
    for url, errcode in (
        (f"{scope}/v/{nil}/1-ready/index.m3u8", "M_NOT_FOUND"),
        (f"{scope}/v/{nil}/1-ready/poster.jpg", "M_NOT_FOUND"),
        (f"{folder}999.m3u8", "M_NOT_FOUND"),
        (f"{folder}720/999999.m4s", "M_NOT_FOUND"),
        (f"{folder}secrets.txt", "M_NOT_FOUND"),
        (f"{scope}/v/{video['id']}/9-none/poster.jpg", "M_NOT_FOUND"),
        (f"{scope}/avatar/999999", "M_NOT_FOUND"),
    ):
        _check_error(await _request(http, "GET", url), 404, errcode)
    for url in (f"{scope}/reel/all/{'0' * 16}/index.m3u8", f"{scope}/v/{video['id']}/9-none/index.m3u8"):
        _check_error(await _request(http, "GET", url), 410, "M_GONE")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/session"), ("DELETE", "/api/v1/session"), ("POST", "/api/v1/rooms/!r"),
        ("PUT", "/api/v1/rooms/!r/events"), ("POST", "/_matrix/app/v1/transactions/1"), ("POST", "/widget/"),
    ],
)  # fmt: skip
async def test_other_methods(reel: Installation, http: aiohttp.ClientSession, method: str, path: str) -> None:
    _check_error(await _request(http, method, reel.url + path), 405, "M_UNRECOGNIZED")


async def test_too_large_a_body(document: Document, reel: Installation, http: aiohttp.ClientSession) -> None:
    large = 64 * 1024 * 1024 + 1
    headers = {"Authorization": f"Bearer {reel.hs_token}"}
    url = f"{reel.url}/_matrix/app/v1/transactions/large"
    _check_error(await _request(http, "PUT", url, headers, io.BytesIO(bytes(large))), 413, "M_TOO_LARGE")
    found = await _request(http, "POST", f"{reel.url}/api/v1/session", data=io.BytesIO(bytes(large)))
    _check_error(found, 413, "M_TOO_LARGE")
    conform(document, "/api/v1/session", "post", *found)


@pytest.mark.parametrize("letter", ["%00", "%01", "%1B", "%7F", "%C2%85", "%ED%A0%80", "a" * 3000])
async def test_an_address_that_holds_what_no_id_has(
    reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient, letter: str
) -> None:
    room_id = await make_room(alice, reel)
    viewer = await reel.viewer(http, alice, room_id)
    headers = {"Authorization": f"Bearer {viewer.token}"}
    room = quote(room_id, safe="")
    addresses = [
        ("GET", f"/api/v1/rooms/{room}{letter}"), ("GET", f"/api/v1/rooms/{room}{letter}/events"),
        ("PUT", f"/api/v1/rooms/{room}/members/@a{letter}/order"), ("GET", f"/u/@a{letter}:test.local/reel.json"),
        ("GET", f"/api/v1/uploads/{letter}"), ("DELETE", f"/api/v1/videos/{letter}"), ("GET", f"/export/{letter}"),
        ("GET", f"/api/v1/rooms/{room}?together={letter}"),
    ]  # fmt: skip
    for method, address in addresses:
        url = URL(reel.url + address, encoded=True)
        async with http.request(method, url, headers=headers, data=b'{"videos": []}' if method == "PUT" else None) as r:
            assert r.status in {200, 400, 403, 404}, (address, r.status)
            assert r.content_type == "application/json"


async def test_more_members_than_can_be_put_together(
    document: Document, reel: Installation, http: aiohttp.ClientSession, alice: MatrixClient
) -> None:
    room_id = await make_room(alice, reel)
    viewer = await reel.viewer(http, alice, room_id)
    path = f"/api/v1/rooms/{quote(room_id, safe='')}"
    assert (await viewer.get(f"{path}?{'together=@a:b&' * 50}"))[0] == 200
    found = await viewer.get(f"{path}?{'together=@a:b&' * 51}")
    _check_error(found, 400, "M_INVALID_PARAM")
    conform(document, "/api/v1/rooms/{room_id}", "get", *found)
