"""Signing in a browser without a Matrix client around it: it shows a code, and the sender of that code is who watches.

The browser stores a secret; a session is requested with it (`web/api`) again and again until the code was sent.
"""

import time

from aiohttp import web
from pydantic import BaseModel, Field

from appservice.core.model import RoomId
from appservice.core.sign_in_codes import CODE_SECONDS, browser_of, command_of, new_code
from appservice.core.tokens import secret_hash
from appservice.core.web.views import EmptyView
from appservice.web.context import CONTEXT
from appservice.web.limits import Limit
from appservice.web.operation import Content, Operation, Read
from appservice.web.requests import RoomIdText, json_response

_MOST_BODY = 4096
_MOST_SECRET = 200

routes = web.RouteTableDef()


class SignInRequest(BaseModel):
    """The body of `POST /api/v1/sign-in`: the room that the browser shall watch."""

    room_id: RoomIdText


class SignInView(BaseModel):
    """A browser that waits: `command` is the message that signs it in, until `expires_at` (ms since the epoch).

    `secret` is for the browser alone.
    """

    code: str
    secret: str
    expires_at: int
    command: str


class SignOutRequest(BaseModel):
    """The body of `DELETE /api/v1/sign-in`."""

    secret: str = Field(max_length=_MOST_SECRET)


@routes.post("/api/v1/sign-in")
@Operation(
    "Request a code: whoever sends it as a message in the room signs this browser in",
    {200: Content("The code", SignInView)},
    session=False,
).reading(SignInRequest, most=_MOST_BODY)
async def post_sign_in(request: web.Request, read: Read[SignInRequest]) -> web.Response:
    """Return a code for a browser. It is the same for rooms that we do not know, where nothing comes of it."""
    context = request.app[CONTEXT]
    room_id = RoomId((await read()).room_id)
    # Besides each address's limit: codes are no way to fill the database. Strangers from few addresses do not reach it.
    context.limits.count(Limit.ROOM_CODES, room_id)
    code, secret = new_code(), context.access.new_secret()
    browser = browser_of(request.headers.get("User-Agent", ""))
    await context.stores.sign_ins.wait_for_code(room_id, secret_hash(secret), code, browser)
    expires_at = int((time.time() + CODE_SECONDS) * 1000)
    return json_response(SignInView(code=code, secret=secret, expires_at=expires_at, command=command_of(code)))


@routes.delete("/api/v1/sign-in")
@Operation("Sign a browser out", {200: Content("It is signed out", EmptyView)}, session=False).reading(
    SignOutRequest, most=_MOST_BODY
)
async def sign_out(request: web.Request, read: Read[SignOutRequest]) -> web.Response:
    """Sign a browser out; harmless when it is not signed in."""
    body = await read()
    await request.app[CONTEXT].stores.sign_ins.sign_out(secret_hash(body.secret))
    return json_response(EmptyView())
