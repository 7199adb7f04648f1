"""The widget's API: a session by OpenID or by a sign-in, with the room to begin with."""

from typing import Any, Self

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, model_validator

from appservice.core.errors import (
    ForbiddenError,
    HomeserverError,
    UnavailableError,
)
from appservice.core.model import RoomId, UserId
from appservice.core.room import Membership, Room
from appservice.core.rules.video_permissions import viewer_in
from appservice.core.web.shared_views import SessionView
from appservice.core.web.views import PendingView
from appservice.web.context import CONTEXT, Context
from appservice.web.entered import Entered
from appservice.web.operation import Content, Operation, Read
from appservice.web.requests import RoomIdText, json_bytes, json_response

log = structlog.get_logger()

_SESSION_BODY = 64 * 1024
# Events that come before the homeserver's response make it void.
_MOST_REQUESTS = 3

routes = web.RouteTableDef()


class OpenIdToken(BaseModel):
    """The response of the client-server API's `openid/request_token`; further keys are of no interest."""

    access_token: str = Field(min_length=1, max_length=4096)
    matrix_server_name: str = Field(min_length=1, max_length=255)


def _only(name: str, other: str) -> dict[str, Any]:
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}, other: {"type": "null"}}}


_ONE_PROOF: list[Any] = [_only("openid_token", "sign_in"), _only("sign_in", "openid_token")]


class SessionRequest(BaseModel):
    """The body of `POST /api/v1/session`: one proof of identity, and the room.

    It is in the response `with_room`, as a viewer sees it, or `with_overview` and what is theirs apart.
    """

    model_config = ConfigDict(extra="ignore", json_schema_extra={"oneOf": _ONE_PROOF})
    openid_token: OpenIdToken | None = None
    sign_in: str | None = Field(default=None, min_length=1, max_length=200)
    room_id: RoomIdText
    with_room: bool = False
    with_overview: bool = False

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if (self.openid_token is None) == (self.sign_in is None):
            raise ValueError("either openid_token or sign_in")
        return self


@routes.post("/api/v1/session")
@Operation(
    "Open a session by an OpenID token, or by the secret of a sign-in",
    {
        200: Content("The session", SessionView),
        202: Content("The sign-in's code was not sent yet", PendingView),
    },
    errors=(401, 403),
    session=False,
).reading(SessionRequest, most=_SESSION_BODY)  # anybody may call this: nobody gets to fill our memory
async def start_session(request: web.Request, read: Read[SessionRequest]) -> web.Response:
    """Authenticate the viewer, check their membership of the room, and open a session.

    While a browser's code was not sent yet, the response is 202.
    """
    context = request.app[CONTEXT]
    requested_at = round(await context.clock.now())
    body = await read()
    sign_in = 0
    if body.openid_token:
        token = body.openid_token
        user_id = await context.openid.user_of(token.access_token, token.matrix_server_name)
    else:
        known = await context.access.signed_in(body.sign_in or "", RoomId(body.room_id))
        if known is None:
            return json_response(PendingView(), status=202)
        sign_in, user_id = known
    room, member_key = await _joined_room(context, RoomId(body.room_id), user_id)
    text, session = context.access.open_session(user_id, room.room_id, sign_in)
    log.info("session_opened", user_id=user_id, room_id=room.room_id, sign_in=sign_in)
    entered = Entered(context, session, member_key)
    overview, mine = await entered.first() if body.with_overview else (None, None)
    view = SessionView(
        token=text,
        expires_at=session.expires_at,
        user_id=user_id,
        room_id=room.room_id,
        can=["watch", "moderate"] if viewer_in(room, user_id).moderates else ["watch"],
        asked_at=requested_at,
        room=await entered.room() if body.with_room else None,
        overview=None,
        mine=mine,
    )
    if overview is None:
        return json_response(view)
    # Its bytes are there already, the same for many.
    return json_bytes(
        b'%s,"overview":%s}' % (view.model_dump_json(exclude={"overview"}).encode()[:-1], overview.json())
    )


async def _joined_room(context: Context, room_id: RoomId, user_id: UserId) -> tuple[Room, int]:
    """Return the room of a member, as the homeserver says right now, and our number for them there."""
    room = await context.stores.rooms.room(room_id)
    # One text for all cases: a stranger does not learn which rooms there are.
    refusal = ForbiddenError("You are not a member of this room, or Roomreel is not in it.")
    if room is None or room.bot_membership is not Membership.JOIN:
        raise refusal
    for _ in range(_MOST_REQUESTS):
        requested_at = await context.stores.installation.now()
        try:
            member = await context.homeserver.membership(room_id, user_id)
        except HomeserverError as error:
            raise UnavailableError("The homeserver does not respond. Try again in a moment.") from error
        if member is None:
            raise refusal
        joined = member.membership is Membership.JOIN
        if joined and (member_key := await context.stores.members.member_key(room_id, user_id)) is not None:
            return room, member_key
        # The transaction with a fresh member, or with one who left, may still be in progress.
        settled = await context.stores.members.store_member_response(member, requested_at)
        member_key = await context.stores.members.member_key(room_id, user_id) if joined and settled else None
        if member_key is not None:
            return room, member_key
        if settled:
            raise refusal  # they left, or a policy list bans them
    raise UnavailableError("Your membership of this room is just changing. Try again in a moment.")
