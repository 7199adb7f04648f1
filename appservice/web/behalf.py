"""Routes for people signed in without a Matrix client: the bot comments, reacts and sends videos on their behalf.

The bot is a user that all of a room's members know, and no token of theirs ever is in the page: one that acts as them
everywhere would be a far graver secret than a sign-in, which is for one room and ends by a command.
"""

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Any

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StrictStr, field_validator

from appservice.core.errors import (
    ConflictError,
    ForbiddenError,
    GoneError,
    HomeserverError,
    NotFoundError,
    RefusedByHomeserverError,
    UnavailableError,
)
from appservice.core.events.behalf import (
    MAX_REACTION,
    MAX_TEXT,
    NONCE_PATTERN,
    SentFor,
    clean_comment,
    comment_content,
    plain_reply,
    profile_name,
    reaction_content,
    reaction_of,
    video_content,
)
from appservice.core.events.relations import Relation, sent_relation
from appservice.core.model import EventId, RoomId, UploadId, Video, VideoId
from appservice.core.rules.video_permissions import may_watch
from appservice.core.text.clean import MAX_TITLE, clean_text
from appservice.core.web.room_views import on_behalf, relation_view
from appservice.core.web.views import OnBehalf, SaidView, SentVideoView, SentView
from appservice.web.caller import VIDEO, Caller
from appservice.web.context import Context
from appservice.web.media_paths import UUID
from appservice.web.operation import Content, Operation, Read
from appservice.web.requests import json_response

log = structlog.get_logger()

_BODY = 32 * 1024
_TRIES = 3
_LONGEST_REACTING_S = 30
_AWAY = "The homeserver does not respond. Try again in a moment."

_Nonce = Annotated[StrictStr, Field(pattern=f"^{NONCE_PATTERN}$")]

routes = web.RouteTableDef()


class CommentRequest(BaseModel):
    """The body of `POST …/comments`; a repeated `nonce` sends nothing more."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[StrictStr, Field(min_length=1, max_length=MAX_TEXT)]
    nonce: _Nonce

    @field_validator("text")
    @classmethod
    def _has_letters(cls, value: str) -> str:
        tidy = clean_comment(value)
        if tidy is None:
            raise ValueError("has nothing to see in it")
        return tidy


class ReactionRequest(BaseModel):
    """The body of `POST …/reactions`: an emoji, or a word."""

    model_config = ConfigDict(extra="forbid")
    key: Annotated[StrictStr, Field(min_length=1, max_length=MAX_REACTION)]
    nonce: _Nonce

    @field_validator("key")
    @classmethod
    def _is_reaction(cls, value: str) -> str:
        key = reaction_of(value)
        if key is None:
            raise ValueError("is no reaction")
        return key


class SendRequest(BaseModel):
    """The body of `POST …/videos`: an upload that is ready, and a caption."""

    model_config = ConfigDict(extra="forbid")
    upload: Annotated[StrictStr, Field(pattern=f"^{UUID}$")]
    title: Annotated[StrictStr, Field(max_length=MAX_TITLE)] | None = None
    nonce: _Nonce

    @field_validator("title")
    @classmethod
    def _is_one_line(cls, value: str | None) -> str | None:
        return clean_text(value)


async def _enter(request: web.Request, needed: OnBehalf | None) -> Caller:
    """Authenticate the caller, and check that the bot may do what they need. Raises ForbiddenError."""
    caller = await Caller.of(request)
    if not caller.session.sign_in:
        raise ForbiddenError("You are here in your Matrix client: it says this in your own name.")
    if needed and needed not in on_behalf(caller.room, caller.viewer, caller.context.config.bot):
        raise ForbiddenError("You, or the bot, may not do this in this room.")
    return caller


async def _video(caller: Caller, request: web.Request) -> Video:
    """Return the video of the path, which the viewer may watch, and whose message is in this room."""
    video = await caller.video(request)
    if not may_watch(video, caller.viewer):
        raise NotFoundError("There is no such video.")
    if video.thread is None:
        raise NotFoundError("Its message is in the room that this one replaced.")
    return video


@routes.get(VIDEO + "/said")
@Operation("Comments on a video and reactions to it, for who has no client", {200: SaidView})
async def get_relations(request: web.Request) -> web.Response:
    """Return the comments on a video and reactions to it, as far as the viewer may read them."""
    caller = await _enter(request, None)
    video = await _video(caller, request)
    since = await caller.context.stores.sent_for.readable_since(caller.room.room_id, caller.viewer.user_id)
    if since is None:
        raise ForbiddenError("You are not a member of this room.")
    try:
        relations = await caller.context.relations.about(video)
    except (ForbiddenError, RefusedByHomeserverError) as error:
        raise NotFoundError("Its message is not there any more.") from error
    except HomeserverError as error:
        raise UnavailableError(_AWAY) from error
    # Earlier comments of others they may not read.
    readable = [each for each in relations if each.sent_at >= since or each.sender == caller.viewer.user_id]
    return json_response(SaidView(events=[relation_view(each) for each in readable]))


@routes.post(VIDEO + "/comments")
@Operation("Comment on a video, by the bot", {201: Content("It was sent", SentView)}, errors=(409, 410)).reading(
    CommentRequest, most=_BODY
)
async def post_comment(request: web.Request, read: Read[CommentRequest]) -> web.Response:
    """Comment on a video on behalf of the viewer."""
    caller = await _enter(request, "comment")
    video = await _video(caller, request)
    body = await read()
    user_id, name = caller.viewer.user_id, await _name(caller)
    sent = await caller.context.stores.sent_for.comment(video, user_id, body.nonce, body.text)
    content = comment_content(video.event_id, body.text, sent.nonce, user_id, name)
    if sent.event_id is None:
        content, sent = await _send_comment(caller, sent, content)
    return _sent_response(sent_relation(sent, "m.room.message", content), 201)


async def _send_comment(caller: Caller, sent: SentFor, content: dict[str, Any]) -> tuple[dict[str, Any], SentFor]:
    """Send a comment, and return what was sent: a plain reply to what begins no thread, for it is in one itself."""
    room_id, once, homeserver = caller.room.room_id, _once(sent), caller.context.homeserver

    async def send() -> EventId:
        nonlocal content
        event_id = await homeserver.comment(room_id, content, once=once)
        if event_id is None:
            content = plain_reply(content)
            event_id = await homeserver.send(room_id, "m.room.message", content, once=f"{once}|plain")
        return event_id

    sent = await _settle(caller, sent, send())
    return content, sent


@routes.post(VIDEO + "/reactions")
@Operation(
    "React to a video, by the bot",
    {200: Content("The viewer reacts so already", SentView), 201: Content("It was sent", SentView)},
    errors=(409, 410),
).reading(ReactionRequest, most=_BODY)
async def post_reaction(request: web.Request, read: Read[ReactionRequest]) -> web.Response:
    """React to a video on behalf of the viewer; the bot's one reaction stands for all who react so."""
    caller = await _enter(request, "react")
    video = await _video(caller, request)
    body = await read()
    sent_for = caller.context.stores.sent_for
    sent, is_new = await sent_for.reaction(video, caller.viewer.user_id, body.nonce, body.key)
    if sent.event_id is None:
        async with sent_for.lock_reaction(video, body.key):
            sent = await _settle(caller, sent, react(caller.context, video, sent))
    content = reaction_content(video.event_id, sent.reaction or body.key, sent.nonce)
    return _sent_response(sent_relation(sent, "m.reaction", content), 201 if is_new else 200)


async def react(context: Context, video: Video, sent: SentFor, *, longest_s: float = _LONGEST_REACTING_S) -> EventId:
    """React, or join those who react alike; an equal reaction of the bot's that is nobody's any more gives way.

    What is nobody's stays so: every event is stored before it is sent. Others wait meanwhile, but not long.
    """
    try:
        async with asyncio.timeout(longest_s):
            return await _try_to_react(context, video, sent)
    except TimeoutError as error:
        raise HomeserverError("The homeserver takes too long over a reaction.") from error


async def _try_to_react(context: Context, video: Video, sent: SentFor) -> EventId:
    key, sent_for = str(sent.reaction), context.stores.sent_for
    for attempt in range(_TRIES):
        if joined := await sent_for.join(video, sent):
            return joined
        content = reaction_content(video.event_id, key, sent.nonce)
        event_id = await context.homeserver.annotate(video.sent_in, content, once=f"{_once(sent)}|{attempt}")
        if event_id is not None:
            return event_id
        standing = await context.relations.own_reaction(video, key)
        if standing is None:
            continue  # it was redacted in between
        standing_id = EventId(standing.event_id)
        if not await sent_for.is_attributed(video.sent_in, standing_id, standing.nonce):
            await context.homeserver.redact(video.sent_in, standing_id)
    raise HomeserverError("The homeserver takes neither a reaction nor its redaction.")


@routes.delete(VIDEO + "/said/{event_id}")
@Operation("Redact what the bot sent for the viewer", {204: Content("It is taken back")})
async def delete_relation(request: web.Request) -> web.Response:
    """Redact what the bot sent on behalf of the viewer. Raises NotFoundError for anything else."""
    caller = await _enter(request, None)
    video = await caller.context.stores.videos.video(VideoId(request.match_info["id"]))
    # Of which they may see no more by now; but in this room.
    is_here = video is not None and video.room_id == caller.room.room_id
    shown_id, user_id = request.match_info["event_id"], caller.viewer.user_id
    if video is None or not is_here or not await caller.context.stores.sent_for.take_back(video, user_id, shown_id):
        raise NotFoundError("You sent no such thing from here.")
    return web.Response(status=204, headers={"Cache-Control": "no-store"})


@routes.post("/api/v1/rooms/{room_id}/videos")
@Operation("Send an upload, by the bot", {201: Content("It was sent", SentVideoView)}, errors=(409, 410)).reading(
    SendRequest, most=_BODY
)
async def post_video(request: web.Request, read: Read[SendRequest]) -> web.Response:
    """Send an upload that is ready as a message, on behalf of the viewer. Sent once, it is not sent again."""
    caller = await _enter(request, "send")
    room_id, user_id, context = RoomId(request.match_info["room_id"]), caller.viewer.user_id, caller.context
    if room_id != caller.room.room_id:
        raise ForbiddenError("You are not a member of this room.")
    body = await read()
    if before := await context.stores.sent_for.sent_video(user_id, UploadId(body.upload)):
        return json_response(SentVideoView(event_id=before), status=201)  # the upload itself may have expired
    upload = await context.stores.uploads.upload(UploadId(body.upload), room_id, user_id)
    if upload is None:
        raise NotFoundError("There is no such upload, or it has expired.")
    if upload.content is None:
        raise ConflictError("The upload is not ready.")
    name = await _name(caller)
    sent = await context.stores.sent_for.video(room_id, user_id, body.nonce, upload.id)
    if sent.event_id is None:
        # The upload's nonce, whichever this request has: by it the event is found.
        content = video_content(upload.content, body.title, sent.nonce, user_id, name)
        sending = context.homeserver.send(room_id, "m.room.message", content, once=_once(sent))
        sent = await _settle(caller, sent, sending)
    return json_response(SentVideoView(event_id=str(sent.event_id)), status=201)


def _once(sent: SentFor) -> str:
    # Our number alone would come again with another database.
    return f"behalf|{sent.key}|{sent.nonce}"


async def _name(caller: Caller) -> str:
    user_id, context = caller.viewer.user_id, caller.context
    name, is_unique = await context.stores.sent_for.name_of(caller.room.room_id, user_id)
    return profile_name(user_id, name, is_unique=is_unique, bot_name=context.config.appservice.bot_name)


async def _settle(caller: Caller, sent: SentFor, sending: Awaitable[EventId]) -> SentFor:
    """Wait for the homeserver, and store its event id. Without a response the row stays."""
    context, room_id = caller.context, caller.room.room_id
    try:
        event_id = await sending
    except (ForbiddenError, RefusedByHomeserverError) as error:
        # It stays known whose it is: an earlier try, without a response, may have been taken.
        log.warning("refused_on_behalf", room_id=room_id, user_id=sent.user_id, kind=sent.kind, reason=str(error))
        raise ForbiddenError("The homeserver does not let the bot do this in this room.") from error
    except HomeserverError as error:
        raise UnavailableError(_AWAY) from error
    stored = await context.stores.sent_for.sent(sent, event_id)
    if stored is None:
        raise GoneError("This was taken back.")
    log.info("sent_on_behalf", room_id=room_id, user_id=sent.user_id, kind=sent.kind, event_id=event_id)
    return stored


def _sent_response(relation: Relation, status: int) -> web.Response:
    return json_response(SentView(event=relation_view(relation)), status=status)
