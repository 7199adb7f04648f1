"""The widget's API: a session by OpenID or by a sign-in, the room, its changes."""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any, Self

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, model_validator

from appservice.core.errors import (
    ForbiddenError,
    HomeserverError,
    InvalidParamError,
    NotFoundError,
    UnavailableError,
    UnknownTokenError,
)
from appservice.core.model import RoomId, UserId
from appservice.core.room import Membership, Room
from appservice.core.rules.video_permissions import viewer_in
from appservice.core.tokens import GrantScope, Session
from appservice.core.web.reels import MOST_TOGETHER
from appservice.core.web.room_views import RoomNow, on_behalf, room_view
from appservice.core.web.views import PendingView, ProgressEvent, RoomView, SessionView, TalkEvent, WatchingEvent
from appservice.web.bookmarks import bookmark_of
from appservice.web.channel import broadcast
from appservice.web.context import CONTEXT, Context
from appservice.web.operation import Content, Operation, Read
from appservice.web.requests import RoomIdText, enter, json_response

log = structlog.get_logger()

_KEEP_ALIVE_S = 15.0
_SETTLE_S = 0.1
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
    """The body of `POST /api/v1/session`: one proof of identity, and the room, which is in the response `with_room`."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"oneOf": _ONE_PROOF})
    openid_token: OpenIdToken | None = None
    sign_in: str | None = Field(default=None, min_length=1, max_length=200)
    room_id: RoomIdText
    with_room: bool = False

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
    return json_response(
        SessionView(
            token=text,
            expires_at=session.expires_at,
            user_id=user_id,
            room_id=room.room_id,
            can=["watch", "moderate"] if viewer_in(room, user_id).moderates else ["watch"],
            asked_at=requested_at,
            room=await _room_view(context, session, room, member_key, []) if body.with_room else None,
        )
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


_TOGETHER = {
    "name": "together",
    "in": "query",
    "description": "Members whose videos are to be played in turn, or `*` for everybody's",
    "schema": {"type": "array", "items": {"type": "string"}, "maxItems": MOST_TOGETHER},
    "explode": True,
}


@routes.get("/api/v1/rooms/{room_id}")
@Operation(
    "The room, its members and their reels", {200: Content("The room", RoomView)}, errors=(400,), query=(_TOGETHER,)
)
async def get_room(request: web.Request) -> web.Response:
    """Return the room with its members, their reels, and a fresh media grant in every address."""
    context, session, member_key = await enter(request)
    room = await context.stores.rooms.room(session.room_id)
    if room is None:
        raise NotFoundError("There is no such room.")
    together = request.query.getall("together", [])
    if len(together) > MOST_TOGETHER:
        raise InvalidParamError(f"At most {MOST_TOGETHER} members can be put together, or everybody by `*`.")
    return json_response(await _room_view(context, session, room, member_key, together))


async def _room_view(
    context: Context, session: Session, room: Room, member_key: int, together: Sequence[str]
) -> RoomView:
    members = await context.stores.members.joined_members(room.room_id)
    everything = await context.stores.videos.room_videos(room.room_id)
    videos = await context.stores.videos.readable(everything, session.user_id)
    grant = context.access.grant(GrantScope(room.key, member_key, session.sign_in))
    shown = [member for member in members if member.user_id != context.config.bot]
    live = await broadcast(context, room.room_id, members, videos)
    viewer = viewer_in(room, session.user_id)
    reports = await context.stores.changes.reports(room.room_id) if viewer.moderates else None
    bookmark = await bookmark_of(context, session)
    bot = context.config.bot
    can = on_behalf(room, viewer, bot) if session.sign_in else []
    served = context.use_cases.opt_ins.available
    now = RoomNow(room, shown, videos, live, bot, reports, served)
    return room_view(now, viewer, grant, bookmark=bookmark, turns=together, can=can)


_STREAM = Content(
    "`changed` and `revoked` events with a `room_id`, and `progress`, `watching` and `talk` events, "
    "each a ProgressEvent, a WatchingEvent or a TalkEvent",
    other={"text/event-stream": {}},
    also=(ProgressEvent, WatchingEvent, TalkEvent),
)


@routes.get("/api/v1/rooms/{room_id}/events")
@Operation("Changes of the room, as server-sent events", {200: _STREAM})
async def get_events(request: web.Request) -> web.StreamResponse:
    """Stream server-sent events: `changed` when the room is to be fetched again, `progress` of the work on a video,
    `watching` with those who watch the channel, `talk` when the relations of an event are to be fetched again,
    `revoked` at the end of access.
    """
    context, session, _ = await enter(request)
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    # Going away is how viewers leave, not an error.
    with contextlib.suppress(ConnectionResetError):
        await response.prepare(request)
        await response.write(b": connected\n\n")
        await _stream(response, context, session)
    return response


async def _stream(response: web.StreamResponse, context: Context, session: Session) -> None:
    """Write what happens in the session's room, until it has no right to it any more."""
    about_room = json.dumps({"room_id": session.room_id})
    with context.hub.listening(session.room_id) as listener, context.streams.holding(session, listener):
        while not listener.has_ended:
            try:
                await asyncio.wait_for(listener.wait(), _KEEP_ALIVE_S)
            except TimeoutError:
                await response.write(b": keep-alive\n\n")
                continue
            pending = listener.take()
            if pending.changed:  # whoever leaves changes the room: only then is membership queried again
                try:
                    await context.access.membership(session, session.room_id)
                except ForbiddenError:
                    await _send(response, "revoked", about_room)
                    return
                except (UnavailableError, UnknownTokenError):
                    return  # the widget connects again, if it may
                await _send(response, "changed", about_room)
            for data in pending.progress:
                await _send(response, "progress", data)
            if pending.watching is not None:
                await _send(response, "watching", pending.watching)
            for event_id in pending.talks:
                await _send(response, "talk", json.dumps({"room_id": session.room_id, "event_id": event_id}))
            await asyncio.sleep(_SETTLE_S)


async def _send(response: web.StreamResponse, kind: str, data: str) -> None:
    await response.write(f"event: {kind}\ndata: {data}\n\n".encode())
