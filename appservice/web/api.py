"""The widget's API: a session by OpenID, the room, its changes."""

import asyncio
import json

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from appservice.errors import BadJsonError, ForbiddenError, HomeserverError, NotFoundError, UnavailableError
from appservice.model import Membership, Room, RoomId, UserId
from appservice.power import is_moderator
from appservice.tokens import Scope, Session
from appservice.web.context import CONTEXT, Context
from appservice.web.views import SessionView, room_view

log = structlog.get_logger()

_KEEP_ALIVE_S = 15.0
_SETTLE_S = 0.1
_SESSION_BODY = 64 * 1024

routes = web.RouteTableDef()


class OpenIdToken(BaseModel):
    """What the client-server API's `openid/request_token` answered; further keys are of no interest."""

    access_token: str = Field(min_length=1, max_length=4096)
    matrix_server_name: str = Field(min_length=1, max_length=255)


class SessionRequest(BaseModel):
    """The body of `POST /api/v1/session`."""

    model_config = ConfigDict(extra="ignore")
    openid_token: OpenIdToken
    room_id: str = Field(min_length=2, max_length=255, pattern=r"^![^\x00]+$")


def _json(model: BaseModel) -> web.Response:
    return web.Response(
        body=model.model_dump_json(), content_type="application/json", headers={"Cache-Control": "no-store"}
    )


@routes.post("/api/v1/session")
async def start_session(request: web.Request) -> web.Response:
    """Find out who the viewer is and whether they are in the room, and open a session."""
    context = request.app[CONTEXT]
    try:
        # Anybody may call this: nobody gets to fill our memory.
        asked = SessionRequest.model_validate_json(await request.clone(client_max_size=_SESSION_BODY).read())
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, problem["loc"])) or "body" for problem in error.errors())
        raise BadJsonError(f"Wrong or missing: {fields}.") from error
    token = asked.openid_token
    user_id = await context.openid.user_of(token.access_token, token.matrix_server_name)
    room = await _joined_room(context, RoomId(asked.room_id), user_id)
    text, session = context.access.open_session(user_id, room.room_id)
    log.info("session_opened", user_id=user_id, room_id=room.room_id)
    return _json(
        SessionView(
            token=text,
            expires_at=session.expires_at,
            user_id=user_id,
            room_id=room.room_id,
            can=["watch", "moderate"] if is_moderator(room.power_levels, user_id, room.creators) else ["watch"],
        )
    )


async def _joined_room(context: Context, room_id: RoomId, user_id: UserId) -> Room:
    """Return the room of a member, as the homeserver says right now."""
    room = await context.store.room(room_id)
    # One text for all cases: a stranger does not learn which rooms there are.
    refusal = ForbiddenError("You are not a member of this room, or Roomreel is not in it.")
    if room is None or room.bot_membership is not Membership.JOIN:
        raise refusal
    try:
        member = await context.homeserver.membership(room_id, user_id)
    except HomeserverError as error:
        raise UnavailableError("The homeserver does not answer. Try again in a moment.") from error
    if member is None or member.membership is not Membership.JOIN:
        raise refusal
    # The transaction that tells us of a fresh member may still be under way.
    if await context.store.member_key(room_id, user_id) is None:
        await context.store.apply([member])
    return room


async def _enter(request: web.Request) -> tuple[Context, Session, int]:
    context = request.app[CONTEXT]
    session = context.access.session(request.headers.get("Authorization"))
    return context, session, await context.access.membership(session, request.match_info["room_id"])


@routes.get("/api/v1/rooms/{room_id}")
async def get_room(request: web.Request) -> web.Response:
    """Answer the room with its members, their reels, and a fresh media grant in every address."""
    context, session, member_key = await _enter(request)
    room = await context.store.room(session.room_id)
    if room is None:
        raise NotFoundError("There is no such room.")
    members = await context.store.joined_members(room.room_id)
    videos = await context.store.room_videos(room.room_id)
    grant = context.access.grant(Scope(room.key, member_key))
    shown = [member for member in members if member.user_id != context.config.bot]
    return _json(room_view(room, shown, videos, session.user_id, grant))


@routes.get("/api/v1/rooms/{room_id}/events")
async def get_events(request: web.Request) -> web.StreamResponse:
    """Stream server-sent events: `changed` when the room is to be fetched again, `progress` of the work on a video,
    `revoked` at the end of access.
    """
    context, session, _ = await _enter(request)
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    await response.write(b": connected\n\n")
    about_room = json.dumps({"room_id": session.room_id})
    with context.hub.listening(session.room_id) as listener:
        while True:
            try:
                await asyncio.wait_for(listener.wait(), _KEEP_ALIVE_S)
            except TimeoutError:
                await response.write(b": keep-alive\n\n")
                continue
            changed, progress = listener.take()
            if changed:  # whoever leaves changes the room: only then is membership to be asked again
                try:
                    await context.access.membership(session, session.room_id)
                except ForbiddenError:
                    await _send(response, "revoked", about_room)
                    return response
                except UnavailableError:
                    return response  # the widget connects again
                await _send(response, "changed", about_room)
            for data in progress:
                await _send(response, "progress", data)
            await asyncio.sleep(_SETTLE_S)


async def _send(response: web.StreamResponse, kind: str, data: str) -> None:
    await response.write(f"event: {kind}\ndata: {data}\n\n".encode())
