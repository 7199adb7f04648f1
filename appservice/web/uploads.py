"""Uploads from the widget: tus 1.0 with creation, deferred length, termination and expiration; then what becomes of it.

https://tus.io/protocols/resumable-upload. The size of an upload's file is its offset.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from email.utils import format_datetime
from typing import Any, Self

from aiohttp import StreamReader, web
from pydantic import BaseModel, ConfigDict, Field, model_validator

from appservice.core.errors import (
    ConflictError,
    ForbiddenError,
    HeldBackError,
    NotFoundError,
    RequestError,
    RoomLimitError,
    StorageFullError,
    StorageUnavailableError,
    TooLargeError,
    UserLimitError,
)
from appservice.core.model import UploadId
from appservice.core.rules.quotas import QuotaScope
from appservice.core.rules.video_permissions import may_add, viewer_in
from appservice.core.tokens import Session
from appservice.core.web import tus_headers
from appservice.core.web.views import FailureView
from appservice.encryption.keyring import Keyring
from appservice.encryption.sealed_content import open_content
from appservice.media.storage import Appender
from appservice.store import Upload, UploadState
from appservice.web.context import CONTEXT, Context
from appservice.web.media_paths import UUID
from appservice.web.operation import Content, Operation, Read, Undocumented
from appservice.web.requests import next_of_body
from transcode.source.audio_loss import AudioLoss

PATH = "/api/v1/uploads"
_TUS = "https://tus.io/protocols/resumable-upload"
_MIB = 1024 * 1024
_PIECE = 256 * 1024
_FINISH_BODY = 4096
MOST_SECONDS = 7 * 24 * 3600
"""No recording plays longer, whatever it may be cut to."""

routes = web.RouteTableDef()

_FULL: dict[QuotaScope, tuple[type[RequestError], str]] = {
    QuotaScope.USER: (UserLimitError, "You have as many videos here as one person may have."),
    QuotaScope.ROOM: (RoomLimitError, "This room has as many videos as it may have."),
    QuotaScope.SERVER: (StorageFullError, "This server has no room for more videos at the moment."),
}

Handler = Callable[[web.Request], Awaitable[web.Response]]


class FinishRequest(BaseModel):
    """The body of `POST /api/v1/uploads/{id}/finish`: what stays of it, in seconds, and whether to make an MP4."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    start: float | None = Field(default=None, ge=0, le=MOST_SECONDS)
    end: float | None = Field(default=None, gt=0, le=MOST_SECONDS)
    convert: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if (self.start or 0.0) >= (self.end or math.inf):
            raise ValueError("start must be before end")
        return self


class UploadView(BaseModel):
    """An upload: percent of the work after it, and, once it is ready, the content of the `m.room.message` to send.

    `audio_left_out` then says why not all of its audio is there, or none, as with videos.
    """

    id: str
    state: UploadState
    percent: int | None
    failure: FailureView | None
    content: dict[str, Any] | None
    audio_left_out: AudioLoss | None


class Receiving:
    """Which requests of this process are receiving bytes: the newest one of an upload takes over from an older one.

    A client comes again because its connection broke, which the older request may not know yet.
    """

    def __init__(self) -> None:
        self._by_upload: dict[UploadId, tuple[StreamReader, asyncio.Event]] = {}

    async def end(self, upload_id: UploadId) -> None:
        """End the request that is receiving, and wait until its bytes are in the file."""
        while receiving := self._by_upload.get(upload_id):
            content, ended = receiving
            # As if its connection had been silent for too long: aiohttp, too, knows what to do then.
            content.set_exception(TimeoutError("a newer request has taken over"))
            await ended.wait()

    @asynccontextmanager
    async def begin(self, upload_id: UploadId, content: StreamReader) -> AsyncIterator[None]:
        """Receive, until another request wants to."""
        await self.end(upload_id)
        ended = asyncio.Event()
        self._by_upload[upload_id] = content, ended
        try:
            yield
        finally:
            del self._by_upload[upload_id]
            ended.set()


RECEIVING = web.AppKey("receiving", Receiving)


async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers of every response about uploads, errors too."""
    if request.path.startswith(PATH):
        response.headers["Tus-Resumable"] = tus_headers.VERSION
        response.headers["Cache-Control"] = "no-store"
        if response.status == web.HTTPPreconditionFailed.status_code:
            response.headers["Tus-Version"] = tus_headers.VERSION


@routes.route("*", PATH)
@Undocumented(_TUS)
async def uploads(request: web.Request) -> web.Response:
    """Make an upload, or return what is supported."""
    return await _dispatch(request, {"OPTIONS": _options, "POST": _create})


@routes.route("*", PATH + f"/{{id:{UUID}}}")
@Operation(
    "An upload; POST to /api/v1/uploads, HEAD, PATCH and DELETE are those of tus 1.0",
    {200: Content("The upload", UploadView)},
    method="get",
    standard=_TUS,
)
async def upload(request: web.Request) -> web.Response:
    """Return an upload's state, take its next bytes, or drop it."""
    return await _dispatch(
        request, {"OPTIONS": _options, "HEAD": _head, "PATCH": _patch, "DELETE": _delete, "GET": _state}
    )


async def _dispatch(request: web.Request, handlers: dict[str, Handler]) -> web.Response:
    # tus lets clients whose environment lacks PATCH and DELETE name them in a header.
    method = request.headers.get("X-HTTP-Method-Override", request.method).upper()
    if method not in handlers:
        raise web.HTTPMethodNotAllowed(method, handlers)
    if method not in {"OPTIONS", "GET"}:
        tus_headers.check_version(request.headers)
    return await handlers[method](request)


async def _enter(request: web.Request) -> tuple[Context, Session]:
    context = request.app[CONTEXT]
    session = context.access.session(request.headers.get("Authorization"))
    await context.access.membership(session, session.room_id)
    return context, session


async def _find(request: web.Request) -> tuple[Context, Upload]:
    context, session = await _enter(request)
    upload_id = UploadId(request.match_info["id"])
    found = await context.stores.uploads.upload(upload_id, session.room_id, session.user_id)
    if found is None:
        raise NotFoundError("There is no such upload, or it has expired.")
    return context, found


def _most(context: Context) -> int:
    return context.config.media.max_size * _MIB


def _check_length(context: Context, length: int) -> None:
    if length > _most(context):
        raise TooLargeError(f"A video may have {_most(context)} bytes.")


def _expiry(found: Upload) -> dict[str, str]:
    return {"Upload-Expires": format_datetime(found.expires_at, usegmt=True)}


async def _options(request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    longest = context.config.media.max_duration
    # Browsers send it without, before a request to another origin, and need a response.
    if "Authorization" in request.headers:
        context, session = await _enter(request)
        room = await context.stores.rooms.room(session.room_id)
        longest = min(longest, (room and room.settings.max_length) or longest)
    return web.Response(
        status=204,
        headers={
            "Tus-Version": tus_headers.VERSION,
            "Tus-Extension": tus_headers.EXTENSIONS,
            "Tus-Max-Size": str(_most(context)),
            # Not of tus: seconds that a video may play, in the room of an authenticated caller.
            "Upload-Max-Duration": str(longest),
        },
    )


async def _create(request: web.Request) -> web.Response:
    context, session = await _enter(request)
    length = tus_headers.length_of_new(request.headers)
    text = request.headers.get("Upload-Metadata", "")
    name = tus_headers.file_name(tus_headers.metadata(text).get("filename"))
    _check_length(context, length or 0)
    room = await context.stores.rooms.room(session.room_id)
    if room is None or not room.takes_videos:
        # As a video it would not be taken; the row is made only where it still would.
        raise ForbiddenError("Nobody has opted this encrypted room in: videos cannot be sent from here.")
    # Refused before anything is sent: as a video it would be refused just so.
    if not may_add(viewer_in(room, session.user_id), room.settings):
        raise ForbiddenError("Only moderators add videos to this room.")
    if full := await context.stores.quotas.full_for(session.user_id, session.room_id):
        error, text = _FULL[full]
        raise error(text)
    made = await context.stores.uploads.create(
        session.room_id, session.user_id, filename=name, metadata=text, length=length
    )
    try:
        await context.storage.uploads.create(made.id)
    except (StorageFullError, StorageUnavailableError):
        # It is not to count among their unfinished ones.
        await context.stores.uploads.delete(made)
        raise
    # Relative to the request: we may lie below a path of a proxy.
    return web.Response(status=201, headers={"Location": f"uploads/{made.id}", **_expiry(made)})


async def _head(request: web.Request) -> web.Response:
    context, found = await _find(request)
    await request.app[RECEIVING].end(found.id)
    if found.state is UploadState.UPLOADING:
        offset = await context.storage.uploads.size(found.id)
    else:
        offset = found.length or 0  # the bytes may have gone their way
    length = {"Upload-Defer-Length": "1"} if found.length is None else {"Upload-Length": str(found.length)}
    metadata = {"Upload-Metadata": found.metadata} if found.metadata else {}
    return web.Response(headers={"Upload-Offset": str(offset), **length, **metadata, **_expiry(found)})


async def _patch(request: web.Request) -> web.Response:
    context, found = await _find(request)
    tus_headers.check_content_type(request.headers)
    offset, declared = tus_headers.offset(request.headers), tus_headers.declared_length(request.headers)
    if found.state is not UploadState.UPLOADING:
        raise ConflictError("The upload is finished.")
    async with (
        request.app[RECEIVING].begin(found.id, request.content),
        context.storage.uploads.appending(found.id) as end,
    ):
        if end.offset != offset:
            raise ConflictError(f"Upload-Offset must be {end.offset}.")
        length = await _declare(context, found, declared, offset)
        try:
            await _receive(request, end, (_most(context) if length is None else length) - offset)
        finally:
            await context.stores.uploads.touch(found)
        return web.Response(status=204, headers={"Upload-Offset": str(end.offset), **_expiry(found)})


async def _declare(context: Context, found: Upload, declared: int | None, offset: int) -> int | None:
    """Return the length of the upload, which the request may be the first to declare."""
    if declared is None or declared == found.length:
        return found.length
    _check_length(context, declared)
    if found.length is not None or declared < offset or not await context.stores.uploads.set_length(found, declared):
        raise ConflictError("The upload has another length.")
    return declared


async def _receive(request: web.Request, end: Appender, most: int) -> None:
    """Append the body piece by piece, as far as it comes; nothing of a piece that would be too much."""
    if (request.content_length or 0) > most:
        raise TooLargeError(f"There is room for {most} more bytes.")
    piece = bytearray()
    try:
        while data := await next_of_body(request.content):
            if len(data) + len(piece) > most:
                raise TooLargeError(f"There was room for {most} more bytes.")
            piece += data
            if len(piece) >= _PIECE:
                whole, piece = bytes(piece), bytearray()
                most -= len(whole)
                await end.append(whole)
    finally:
        await end.append(bytes(piece))


async def _delete(request: web.Request) -> web.Response:
    context, found = await _find(request)
    await request.app[RECEIVING].end(found.id)
    await context.stores.uploads.delete(found)
    with suppress(HeldBackError):  # then they are swept
        await context.storage.uploads.remove(found.id)
    return web.Response(status=204)


@routes.post(PATH + f"/{{id:{UUID}}}/finish")
@Operation(
    "Prepare an upload that is whole for being sent, perhaps only a part of it",
    {202: Content("The upload", UploadView)},
    errors=(409,),
).reading(FinishRequest, most=_FINISH_BODY)
async def finish(request: web.Request, read: Read[FinishRequest]) -> web.Response:
    """Queue the preparation of an upload that is whole. Requested again, it only returns how far that is."""
    context, found = await _find(request)
    body = await read()
    if found.state is UploadState.UPLOADING:
        size = await context.storage.uploads.size(found.id)
        if size != found.length:
            raise ConflictError(f"The upload has {size} bytes of {found.length or 'an unknown number'}.")
        await context.stores.uploads.finish(found, start=body.start, end=body.end, convert=body.convert)
        found = (await _find(request))[1]
    return _upload_response(found, context.keyring, status=202)


async def _state(request: web.Request) -> web.Response:
    context, found = await _find(request)
    return _upload_response(found, context.keyring)


def _upload_response(found: Upload, keyring: Keyring | None, status: int = 200) -> web.Response:
    view = UploadView(
        id=found.id,
        state=found.state,
        percent=found.percent,
        failure=FailureView(code=found.failure) if found.failure else None,
        content=open_content(keyring, found.id, found.content) if found.content else None,
        audio_left_out=found.audio_left_out,
    )
    return web.Response(body=view.model_dump_json(), status=status, content_type="application/json")
