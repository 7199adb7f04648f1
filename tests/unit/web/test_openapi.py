"""The document is made from what routes declare, and so is what they read."""

import json
from typing import Any

import pytest
from aiohttp import web
from pydantic import BaseModel
from pytest_aiohttp import AiohttpClient

from appservice.core.errors import BadJsonError
from appservice.web.openapi import document
from appservice.web.operation import Content, Operation, Read, Undocumented


class Wish(BaseModel):
    wish: int


class Answer(BaseModel):
    answer: int


async def _bare(_: web.Request) -> web.StreamResponse:
    return web.Response()


@Operation("Grant a wish", {201: Content("Granted", Answer)}, errors=(409,)).reading(Wish, most=20)
async def _grant(_: web.Request, read: Read[Wish]) -> web.StreamResponse:
    try:
        wish = await read()
    except BadJsonError as error:
        return web.json_response({"wrong": str(error)}, status=400)
    return web.json_response({"answer": wish.wish}, status=201)


def _document(*routes: web.RouteDef) -> dict[str, Any]:
    app = web.Application()
    app.add_routes(routes)
    return dict(json.loads(document(app.router)))


def test_a_route_of_the_api_that_declares_nothing_is_refused_at_start() -> None:
    with pytest.raises(LookupError, match="GET /api/v1/new declares no operation"):
        _document(web.get("/api/v1/new", _bare, allow_head=False))


def test_what_is_not_of_the_api_or_follows_a_standard_is_left_out() -> None:
    assert (
        _document(web.get("/live", _bare), web.post("/api/v1/tus", Undocumented("https://tus.io")(_bare)))["paths"]
        == {}
    )


def test_a_declaration_is_a_whole_operation() -> None:
    made = _document(web.put("/api/v1/wishes/{id:[0-9]+}", _grant))
    operation = made["paths"]["/api/v1/wishes/{id}"]["put"]
    assert operation["summary"] == "Grant a wish"
    assert operation["security"] == [{"session": []}]
    assert operation["parameters"] == [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    assert operation["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Wish"}
    assert set(operation["responses"]) == {"201", "400", "401", "403", "404", "409", "413", "429", "503"}
    assert operation["responses"]["201"]["description"] == "Granted"
    assert made["components"]["schemas"].keys() == {"Wish", "Answer", "ErrorView", "LimitView"}


def test_a_get_is_described_and_not_its_head() -> None:
    read = Operation("Answer", {200: Answer}, session=False)(_bare)
    (operations,) = _document(web.get("/api/v1/answer", read))["paths"].values()
    assert operations.keys() == {"get"}
    assert "security" not in operations["get"]
    assert "requestBody" not in operations["get"]
    assert set(operations["get"]["responses"]) == {"200", "429", "503"}


async def test_a_handler_reads_the_body_that_it_declares(aiohttp_client: AiohttpClient) -> None:
    app = web.Application()
    app.router.add_post("/wishes", _grant)
    client = await aiohttp_client(app)
    for body, status, content in (
        (b'{"wish": 5}', 201, {"answer": 5}),
        (b'{"wish": "x"}', 400, {"wrong": "Wrong, missing or unknown: wish."}),
        (b"", 400, {"wrong": "Wrong, missing or unknown: body."}),
    ):
        async with client.post("/wishes", data=body) as response:
            assert (response.status, await response.json()) == (status, content)
    async with client.post("/wishes", data=b'{"wish": 5000000000000}') as response:
        assert response.status == 413
