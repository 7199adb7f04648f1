"""The OpenAPI 3.1 document of the widget's API, made from the models that the routes use."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from appservice import __version__
from appservice.core.web.reels import MOST_TOGETHER
from appservice.core.web.views import (
    BlockedView,
    DeletedView,
    EmptyView,
    OrderView,
    PendingView,
    PlaceView,
    ProgressEvent,
    ReportsView,
    RoomView,
    SaidView,
    SentVideoView,
    SentView,
    SessionView,
    TalkEvent,
    TimeView,
    VideoView,
    WatchingEvent,
    WatchingView,
)
from appservice.web.api import SessionRequest
from appservice.web.behalf import CommentRequest, ReactionRequest, SendRequest
from appservice.web.channel import WatchingRequest
from appservice.web.sign_in import SignInRequest, SignInView, SignOutRequest
from appservice.web.uploads import FinishRequest, UploadView
from appservice.web.videos import ChangeRequest, OrderRequest, ReasonRequest


class ErrorView(BaseModel):
    """Every error: `errcode` as in the Matrix specification, `error` for people."""

    errcode: str
    error: str


class LimitView(ErrorView):
    """Too many requests: after `retry_after_ms` the same one may succeed, where that is known.

    A `Retry-After` header has it, too.
    """

    retry_after_ms: int | None = None


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


_ROOM_ID = _in_path("room_id")
_UPLOAD_ID = _in_path("id")

_TOGETHER = {
    "name": "together",
    "in": "query",
    "description": "Members whose videos are to be played in turn, or `*` for everybody's",
    "schema": {"type": "array", "items": {"type": "string"}, "maxItems": MOST_TOGETHER},
    "explode": True,
}


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}


def _responses(ok: dict[str, Any], *errors: int) -> dict[str, Any]:
    failed = {str(status): {"description": "See `error`", "content": _content(ErrorView)} for status in errors}
    # Too many requests have to wait, whatever for.
    failed["429"] = {"description": "Too many requests", "content": _content(LimitView)}
    return {"200": ok, **failed}


def _managing(
    summary: str,
    ok: type[BaseModel],
    *errors: int,
    body: type[BaseModel] | None = None,
    path: Sequence[str] = ("id",),
) -> dict[str, Any]:
    request_body = {"requestBody": {"required": True, "content": _content(body)}} if body else {}
    wrong = (400, 413) if body else ()
    return {
        "summary": summary,
        "security": [{"session": []}],
        "parameters": [_in_path(name) for name in path],
        **request_body,
        "responses": _responses({"description": "Done", "content": _content(ok)}, *wrong, 401, 403, 404, *errors, 503),
    }


def _managing_paths() -> dict[str, Any]:
    return {
        "/api/v1/videos/{id}": {
            "patch": _managing("Change a video; only what is given", VideoView, 409, body=ChangeRequest),
            "delete": _managing("Delete a video, to be undone for some seconds", DeletedView),
        },
        "/api/v1/videos/{id}/restore": {"post": _managing("Undo a deletion", VideoView, 410)},
        "/api/v1/videos/{id}/report": {"post": _managing("Report a video", EmptyView, body=ReasonRequest)},
        "/api/v1/videos/{id}/reports": {
            "get": _managing("The reasons of a video's reports, for moderators", ReportsView),
            "delete": _managing("Dismiss what was reported", EmptyView),
        },
        "/api/v1/videos/{id}/reject": {
            "post": _managing(
                "Reject a video that waits, to be undone for some seconds", DeletedView, 409, body=ReasonRequest
            )
        },
        "/api/v1/videos/{id}/block": {
            "post": _managing("Block a video's file in the room", BlockedView, 409, body=ReasonRequest)
        },
        "/api/v1/rooms/{room_id}/members/{user_id}/order": {
            "put": _managing("Order a member's videos", OrderView, 409, body=OrderRequest, path=("room_id", "user_id"))
        },
    }


def _session_paths() -> dict[str, Any]:
    return {
        "/api/v1/session": {
            "post": {
                "summary": "Open a session by an OpenID token, or by the secret of a sign-in",
                "requestBody": {"required": True, "content": _content(SessionRequest)},
                "responses": {
                    "202": {"description": "The sign-in's code was not sent yet", "content": _content(PendingView)},
                    **_responses(
                        {"description": "The session", "content": _content(SessionView)}, 400, 401, 403, 413, 503
                    ),
                },
            }
        },
        "/api/v1/sign-in": {
            "post": {
                "summary": "Request a code: whoever sends it as a message in the room signs this browser in",
                "requestBody": {"required": True, "content": _content(SignInRequest)},
                "responses": _responses(
                    {"description": "The code", "content": _content(SignInView)}, 400, 413, 429, 503
                ),
            },
            "delete": {
                "summary": "Sign a browser out",
                "requestBody": {"required": True, "content": _content(SignOutRequest)},
                "responses": _responses(
                    {"description": "It is signed out", "content": _content(EmptyView)}, 400, 413, 503
                ),
            },
        },
        "/api/v1/time": {
            "get": {
                "summary": "The time by which the channel's schedule goes",
                "responses": _responses({"description": "The time", "content": _content(TimeView)}, 503),
            }
        },
    }


def _room_paths() -> dict[str, Any]:
    bearer: list[dict[str, list[str]]] = [{"session": []}]
    room = {"description": "The room", "content": _content(RoomView)}
    stream = {
        "description": "`changed` and `revoked` events with a `room_id`, and `progress`, `watching` and `talk` events, "
        "each a ProgressEvent, a WatchingEvent or a TalkEvent",
        "content": {"text/event-stream": {}},
    }
    events = {"summary": "Changes of the room, as server-sent events", "security": bearer, "parameters": [_ROOM_ID]}
    return {
        "/api/v1/rooms/{room_id}": {
            "get": {
                "summary": "The room, its members and their reels",
                "security": bearer,
                "parameters": [_ROOM_ID, _TOGETHER],
                "responses": _responses(room, 400, 401, 403, 404, 503),
            }
        },
        "/api/v1/rooms/{room_id}/events": {"get": {**events, "responses": _responses(stream, 401, 403, 404, 503)}},
        "/api/v1/rooms/{room_id}/watching": {
            "put": _stored(
                "Say, every 20 seconds, whether one watches the room's channel; it lapses after 45",
                WatchingRequest, "Who watches now", WatchingView,
            )
        },
        "/api/v1/rooms/{room_id}/place": {
            "put": _stored(
                "Store where the viewer is and how they watch; the room's response holds it",
                PlaceView, "What is stored", PlaceView,
            )
        },
    }  # fmt: skip


def _stored(summary: str, body: type[BaseModel], description: str, ok: type[BaseModel]) -> dict[str, Any]:
    return {
        "summary": summary,
        "security": [{"session": []}],
        "parameters": [_ROOM_ID],
        "requestBody": {"required": True, "content": _content(body)},
        "responses": _responses({"description": description, "content": _content(ok)}, 400, 401, 403, 404, 413, 503),
    }


def _on_behalf(summary: str, ok: type[BaseModel], body: type[BaseModel], path: str, *errors: int) -> dict[str, Any]:
    made = {"description": "It was sent", "content": _content(ok)}
    failed = _managing(summary, ok, *errors, body=body, path=(path,))
    responses = {status: response for status, response in failed["responses"].items() if status != "200"}
    return {**failed, "responses": {"201": made, **responses}}


def _on_behalf_paths() -> dict[str, Any]:
    reacted = _on_behalf("React to a video, by the bot", SentView, ReactionRequest, "id", 409, 410)
    reacted["responses"]["200"] = {"description": "The viewer reacts so already", "content": _content(SentView)}
    taken_back = _managing("Redact what the bot sent for the viewer", EmptyView, path=("id", "event_id"))
    del taken_back["responses"]["200"]
    taken_back["responses"]["204"] = {"description": "It is taken back"}
    return {
        "/api/v1/videos/{id}/said": {
            "get": _managing("Comments on a video and reactions to it, for who has no client", SaidView)
        },
        "/api/v1/videos/{id}/said/{event_id}": {"delete": taken_back},
        "/api/v1/videos/{id}/comments": {
            "post": _on_behalf("Comment on a video, by the bot", SentView, CommentRequest, "id", 409, 410)
        },
        "/api/v1/videos/{id}/reactions": {"post": reacted},
        "/api/v1/rooms/{room_id}/videos": {
            "post": _on_behalf("Send an upload, by the bot", SentVideoView, SendRequest, "room_id", 409, 410)
        },
    }


def _upload_paths() -> dict[str, Any]:
    bearer: list[dict[str, list[str]]] = [{"session": []}]
    uploaded = {"description": "The upload", "content": _content(UploadView)}
    failed = _responses(uploaded, 400, 401, 403, 404, 409, 413, 503)
    return {
        "/api/v1/uploads/{id}": {
            "get": {
                "summary": "An upload; POST to /api/v1/uploads, HEAD, PATCH and DELETE are those of tus 1.0",
                "externalDocs": {"url": "https://tus.io/protocols/resumable-upload"},
                "security": bearer,
                "parameters": [_UPLOAD_ID],
                "responses": _responses(uploaded, 401, 403, 404, 503),
            }
        },
        "/api/v1/uploads/{id}/finish": {
            "post": {
                "summary": "Prepare an upload that is whole for being sent, perhaps only a part of it",
                "security": bearer,
                "parameters": [_UPLOAD_ID],
                "requestBody": {"required": False, "content": _content(FinishRequest)},
                "responses": {"202": failed.pop("200"), **failed},
            }
        },
    }


def _export_paths() -> dict[str, Any]:
    secret = _in_path("secret")
    secret["schema"] = {"type": "string", "pattern": "^[A-Za-z0-9_-]{20,100}$"}
    zipped: dict[str, Any] = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
    responses = _responses({"description": "The whole zip", "content": zipped}, 404, 416, 503)
    # Where `Accept` names it: the same in words, as a page.
    responses["404"]["content"]["text/html"] = {"schema": {"type": "string"}}
    return {
        "/export/{secret}": {
            "get": {
                "summary": "What a member takes with them, by the link that the bot sent them; `Range` is heeded",
                "parameters": [secret],
                "responses": {
                    **responses,
                    "304": {"description": "It is known already (`If-None-Match`)"},
                    "206": {"description": "A part of it", "content": zipped},
                },
            }
        }
    }


def document() -> bytes:
    """Return the document as JSON."""
    models: list[type[BaseModel]] = [
        SessionRequest, SessionView, PendingView, SignInRequest, SignInView, SignOutRequest, RoomView, ProgressEvent,
        WatchingEvent, TalkEvent, WatchingRequest, WatchingView, TimeView, ChangeRequest, VideoView, DeletedView,
        OrderRequest, OrderView, ReasonRequest, ReportsView, BlockedView, EmptyView, PlaceView, FinishRequest,
        UploadView, CommentRequest, ReactionRequest, SendRequest, SaidView, SentView, SentVideoView, ErrorView,
        LimitView,
    ]  # fmt: skip
    _, schemas = models_json_schema(
        [(model, "serialization") for model in models], ref_template="#/components/schemas/{model}"
    )
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "Roomreel", "version": __version__, "license": {"name": "Apache-2.0"}},
            "paths": {
                **_session_paths(),
                **_room_paths(),
                **_managing_paths(),
                **_on_behalf_paths(),
                **_upload_paths(),
                **_export_paths(),
            },
            "components": {
                "schemas": schemas["$defs"],
                "securitySchemes": {"session": {"type": "http", "scheme": "bearer"}},
            },
        }
    ).encode()
