"""The OpenAPI 3.1 document of the widget's API, made from the models that the routes use."""

import json
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from appservice import __version__
from appservice.web.api import SessionRequest
from appservice.web.views import ProgressEvent, RoomView, SessionView


class ErrorView(BaseModel):
    """Every error: `errcode` as in the Matrix specification, `error` for people."""

    errcode: str
    error: str


_ROOM_ID = {"name": "room_id", "in": "path", "required": True, "schema": {"type": "string"}}


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}


def _responses(ok: dict[str, Any], *errors: int) -> dict[str, Any]:
    failed = {str(status): {"description": "See `error`", "content": _content(ErrorView)} for status in errors}
    return {"200": ok, **failed}


def _paths() -> dict[str, Any]:
    bearer: list[dict[str, list[str]]] = [{"session": []}]
    room = {"description": "The room", "content": _content(RoomView)}
    stream = {
        "description": "`changed` and `revoked` events with a `room_id`, and `progress` events, each a ProgressEvent",
        "content": {"text/event-stream": {}},
    }
    return {
        "/api/v1/session": {
            "post": {
                "summary": "Open a session by an OpenID token",
                "requestBody": {"required": True, "content": _content(SessionRequest)},
                "responses": _responses(
                    {"description": "The session", "content": _content(SessionView)}, 400, 401, 403, 413, 503
                ),
            }
        },
        "/api/v1/rooms/{room_id}": {
            "get": {
                "summary": "The room, its members and their reels",
                "security": bearer,
                "parameters": [_ROOM_ID],
                "responses": _responses(room, 401, 403, 404, 503),
            }
        },
        "/api/v1/rooms/{room_id}/events": {
            "get": {
                "summary": "Changes of the room, as server-sent events",
                "security": bearer,
                "parameters": [_ROOM_ID],
                "responses": _responses(stream, 401, 403, 503),
            }
        },
    }


def document() -> bytes:
    """Return the document as JSON."""
    models: list[type[BaseModel]] = [SessionRequest, SessionView, RoomView, ProgressEvent, ErrorView]
    _, schemas = models_json_schema(
        [(model, "serialization") for model in models], ref_template="#/components/schemas/{model}"
    )
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "Roomreel", "version": __version__, "license": {"name": "Apache-2.0"}},
            "paths": _paths(),
            "components": {
                "schemas": schemas["$defs"],
                "securitySchemes": {"session": {"type": "http", "scheme": "bearer"}},
            },
        }
    ).encode()
