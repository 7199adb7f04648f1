"""The API document: whole, of all routes, and as the service responds; `conftest` compares it with every response."""

import json
from collections.abc import Iterator

import jsonschema
import pytest

from appservice.core.model import VideoId
from appservice.web.app import describe
from tests.support.agreement import Document, conform, operations_of, strict
from tests.support.service import Service, TranscodedVideo
from tests.support.viewer import Viewer


@pytest.fixture(scope="module")
async def document(service: Service) -> Document:
    async with service.http.get(f"{service.url}/api/v1/openapi.json") as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        return dict(await response.json())


async def test_the_documentation_has_the_document_that_is_served(document: Document) -> None:
    assert json.loads(describe()) == document


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


def test_the_document_hangs_together(document: Document) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "Roomreel"
    assert document["info"]["version"]
    references = list(_references(document))
    assert references
    for reference in references:
        assert _resolve(document, reference)
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_operation_is_whole(document: Document) -> None:
    seen = set()
    for path, method, operation in operations_of(document):
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
        "get /api/v1/rooms/{room_id}/overview", "get /api/v1/rooms/{room_id}/videos",
        "get /api/v1/rooms/{room_id}/members", "get /api/v1/rooms/{room_id}/mine",
        "get /api/v1/rooms/{room_id}/events",
        "put /api/v1/rooms/{room_id}/watching", "get /api/v1/time", "put /api/v1/rooms/{room_id}/place",
        "patch /api/v1/videos/{id}",
        "delete /api/v1/videos/{id}", "post /api/v1/videos/{id}/restore", "post /api/v1/videos/{id}/report",
        "get /api/v1/videos/{id}/reports", "post /api/v1/videos/{id}/reject", "post /api/v1/videos/{id}/block",
        "delete /api/v1/videos/{id}/reports", "put /api/v1/rooms/{room_id}/members/{user_id}/order",
        "get /api/v1/videos/{id}/said", "delete /api/v1/videos/{id}/said/{event_id}",
        "post /api/v1/videos/{id}/comments", "post /api/v1/videos/{id}/reactions",
        "post /api/v1/rooms/{room_id}/videos",
        "put /api/v1/rooms/{room_id}/opt-in", "delete /api/v1/rooms/{room_id}/opt-in",
        "post /api/v1/runner/lease", "post /api/v1/runner/jobs/{id}/heartbeat", "get /api/v1/runner/jobs/{id}/source",
        "get /api/v1/runner/jobs/{id}/files/{file}", "patch /api/v1/runner/jobs/{id}/files/{file}",
        "post /api/v1/runner/jobs/{id}/complete", "post /api/v1/runner/jobs/{id}/return",
        "get /api/v1/uploads/{id}", "post /api/v1/uploads/{id}/finish", "get /export/{secret}",
    }  # fmt: skip


NIL = "00000000-0000-0000-0000-000000000000"


async def test_what_needs_a_session_has_none_without_it(service: Service, document: Document) -> None:
    """Before the body is read, and whatever the path says; the rest needs none."""
    for path, method, operation in operations_of(document):
        address = path.replace("{id}", NIL).replace("{room_id}", "!r").replace("{secret}", "x" * 30)
        address = address.replace("{user_id}", "@u:x").replace("{event_id}", "$e")
        address = address.replace("{file}", "360")
        for authorization in (None, "Bearer x.y"):
            headers = {} if authorization is None else {"Authorization": authorization}
            async with service.http.request(method, service.url + address, headers=headers) as response:
                assert (response.status == 401) == ("security" in operation), (method, path, response.status)


def _shape(member: Document) -> tuple[str, list[tuple[str, str]]]:
    return member["user_id"], [(video["id"], video["state"]) for video in member["videos"]]


async def test_a_session_brings_the_room_that_its_own_route_returns(
    service: Service, document: Document, transcoded: TranscodedVideo
) -> None:
    exact, alice = strict(document), service.user("alice")
    room = await service.room(alice)
    path = "/api/v1/rooms/{room_id}"
    status, session = await service.open_session(service.peer.openid_token(alice), room.room_id)
    conform(exact, "/api/v1/session", "post", status, session)
    assert (session["user_id"], session["room_id"]) == (alice, room.room_id)
    assert "moderate" in session["can"]
    viewer = Viewer(service.url, service.http, room.room_id, session["token"])
    conform(exact, path, "get", 200, await viewer.room())

    good, bad = await room.show_video(alice, transcoded), await room.send_video(alice)
    attempts = service.context.stores.attempts
    attempt = await attempts.begin_attempt(VideoId(await room.video_id(bad)))
    assert attempt
    await attempts.fail(attempt, "not-a-video")
    failed, ready = await viewer.video(bad), await viewer.video(good)
    assert failed
    assert ready
    assert (failed["state"], failed["failure"]["code"], ready["state"]) == ("failed", "not-a-video", "ready")
    whole = await viewer.room()
    conform(exact, path, "get", 200, whole)

    status, session = await service.open_session(service.peer.openid_token(alice), room.room_id, with_room=True)
    conform(exact, "/api/v1/session", "post", status, session)
    brought = session["room"]
    # Its times and addresses are of another time.
    assert brought["now"] >= session["asked_at"] > whole["now"]
    assert [_shape(member) for member in brought["members"]] == [_shape(member) for member in whole["members"]]
    assert brought.keys() == whole.keys()
    viewer = Viewer(service.url, service.http, room.room_id, session["token"])
    assert (await viewer.fetch(brought["channel"]))[0] == 200


async def test_more_members_than_can_be_put_together(service: Service, document: Document) -> None:
    alice = service.user()
    room = await service.room(alice)
    viewer = await service.viewer(alice, room)
    path = f"/api/v1/rooms/{room.room_id}"
    assert (await viewer.get(f"{path}?{'together=@a:b&' * 50}"))[0] == 200
    found = await viewer.get(f"{path}?{'together=@a:b&' * 51}")
    assert (found[0], found[1]["errcode"]) == (400, "M_INVALID_PARAM")
    conform(document, "/api/v1/rooms/{room_id}", "get", *found)


def test_a_difference_is_noticed(document: Document) -> None:
    view: dict[str, object] = {"members": [], "reel_url": None}
    changed = json.loads(json.dumps(document))
    changed["paths"]["/x"] = {"get": {"responses": {"200": {"content": {"application/json": {
        "schema": {"$ref": "#/components/schemas/TogetherView"}
    }}}}}}  # fmt: skip
    conform(strict(changed), "/x", "get", 200, view)
    others: list[object] = [{**view, "more": 1}, {"members": []}, {**view, "members": None}]
    for wrong in others:
        with pytest.raises(jsonschema.ValidationError):
            conform(strict(changed), "/x", "get", 200, wrong)
    with pytest.raises(AssertionError, match="does not tell"):
        conform(strict(changed), "/x", "get", 404, view)
