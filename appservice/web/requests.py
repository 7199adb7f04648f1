"""Helpers of the widget API's routes: authentication, and the response as JSON."""

import asyncio
from typing import Annotated

from aiohttp import ClientError, StreamReader, web
from pydantic import BaseModel, Field

from appservice.core.errors import BrokenOffError, InvalidParamError, NotFoundError
from appservice.core.tokens import Session
from appservice.web.context import CONTEXT, Context

RoomIdText = Annotated[str, Field(min_length=2, max_length=255, pattern=r"^![^\x00]+$")]

_COMPRESS = 4096  # bytes
# A connection that is silent for so long is dead; what came through it stays.
_SILENCE_S = 30.0
_MOST_PARAMETER = 2048  # characters


def check_address(request: web.Request) -> None:
    """Refuse what no id or parameter of ours is, before anything is queried about it.

    PostgreSQL's text holds no NUL, and UTF-8 no lone surrogate. Raises NotFoundError for the path, InvalidParamError
    for the query.
    """
    # A public page has one and the same response for everybody who cannot be, too.
    if not request.path.startswith("/u/") and not all(map(_is_text, request.match_info.values())):
        raise NotFoundError("There is no such thing.")
    if not all(_is_text(part) for pair in request.query.items() for part in pair):
        raise InvalidParamError("The address's query holds what no parameter has.")


def _is_text(value: str) -> bool:
    return len(value) <= _MOST_PARAMETER and not any(
        ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 or 0xD800 <= ord(letter) < 0xE000 for letter in value
    )


async def enter(request: web.Request) -> tuple[Context, Session, int]:
    """Return the session of a request for a room, and our number for its user there.

    Raises UnknownTokenError without a session, ForbiddenError unless its user is in the room now.
    """
    context = request.app[CONTEXT]
    session = context.access.session(request.headers.get("Authorization"))
    return context, session, await context.access.membership(session, request.match_info["room_id"])


def json_response(model: BaseModel, status: int = 200) -> web.Response:
    """Return a model, which nobody may store; compressed where it is long and the viewer takes that."""
    return json_bytes(model.model_dump_json().encode(), status)


def json_bytes(body: bytes, status: int = 200) -> web.Response:
    """Return a model that is JSON already, as `json_response` does."""
    headers = {"Cache-Control": "no-store"}
    response = web.Response(body=body, status=status, content_type="application/json", headers=headers)
    if len(body) > _COMPRESS:
        # A room of a thousand videos is a tenth of its size then. What the length could leak to somebody on the way
        # (BREACH) needs the same secret in many responses: a session is in a single one, and a grant ends within
        # minutes, and with the membership.
        response.enable_compression()
    return response


async def next_of_body(content: StreamReader) -> bytes:
    """Wait for more of a body. Raises BrokenOffError when none will come."""
    try:
        return await asyncio.wait_for(content.readany(), _SILENCE_S)
    except (ClientError, ConnectionError, web.RequestPayloadError, TimeoutError) as error:
        raise BrokenOffError("The body broke off. What has come of it is kept.") from error
