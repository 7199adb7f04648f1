"""The event stream of a room: that it changed, or what changed since a number; progress, talk, the end of access."""

import asyncio
import contextlib
import json
import re

from aiohttp import web

from appservice.core.errors import ForbiddenError, InvalidParamError, UnavailableError, UnknownTokenError
from appservice.core.tokens import Session
from appservice.core.web.shared_views import DeltaEvent
from appservice.core.web.views import ProgressEvent, TalkEvent, WatchingEvent
from appservice.web.context import Context
from appservice.web.followers import Follower
from appservice.web.hub import Notifications
from appservice.web.operation import Content, Operation
from appservice.web.probes import STREAM_HEADERS
from appservice.web.requests import enter

_SETTLE_S = 0.1
_NUMBER = re.compile(r"[0-9]{1,15}")

routes = web.RouteTableDef()

_STREAM = Content(
    "`changed`, `reset`, `mine` and `revoked` events with a `room_id`, and `delta`, `progress`, `watching` and `talk` "
    "events, each a DeltaEvent, a ProgressEvent, a WatchingEvent or a TalkEvent. Without `since` (or a `Last-Event-ID` "
    "header, which wins): `changed` when the room is to be fetched again. With it there are `delta` events instead, "
    "whose id is the revision that they lead to, `reset` when the overview is to be fetched again, and `mine` when "
    "what is the viewer's alone is",
    other={"text/event-stream": {}},
    also=(DeltaEvent, ProgressEvent, WatchingEvent, TalkEvent),
)
_SINCE = {
    "name": "since",
    "in": "query",
    "description": "The revision of the room that the client has",
    "schema": {"type": "integer", "minimum": 0, "maximum": 10**15 - 1},
}


def _since(request: web.Request) -> int | None:
    """Return the revision from which a client follows, -1 for one that is none of ours; None: it does not."""
    last = request.headers.get("Last-Event-ID")
    if last is not None:
        return int(last) if _NUMBER.fullmatch(last) else -1
    since = request.query.get("since")
    if since is not None and not _NUMBER.fullmatch(since):
        raise InvalidParamError("`since` is a revision: a number.")
    return None if since is None else int(since)


@routes.get("/api/v1/rooms/{room_id}/events")
@Operation("Changes of the room, as server-sent events", {200: _STREAM}, errors=(400,), query=(_SINCE,))
async def get_events(request: web.Request) -> web.StreamResponse:
    """Stream server-sent events: what changed in the room, how far the work on videos is, who watches, and what is said
    about videos; `revoked` at the end of access.
    """
    context, session, _ = await enter(request)
    since = _since(request)
    response = web.StreamResponse(headers=STREAM_HEADERS)
    # Going away is how viewers leave, not an error.
    with contextlib.suppress(ConnectionResetError):
        await response.prepare(request)
        await response.write(b": connected\n\n")
        await _stream(response, context, session, None if since is None else Follower(session, since))
    return response


async def _stream(response: web.StreamResponse, context: Context, session: Session, follower: Follower | None) -> None:
    """Write what happens in the session's room, until it has no right to it any more."""
    hub = context.hub
    with (
        hub.listening(session.room_id, follower) as listener,
        context.streams.holding(session, listener),
        contextlib.ExitStack() as stack,
    ):
        if follower:
            stack.callback(follower.leave)
            hub.bring(session.room_id, follower)
        while not listener.has_ended:
            await listener.wait()
            pending = listener.take()
            written, ends = follower.take() if follower else b"", follower is not None and follower.has_ended
            if pending.changed:
                changed = await _changed(context, session)
                written, ends = written + (changed or b""), changed is None or changed.startswith(b"event: revoked")
            elif follower and follower.is_revoked:
                written += _event("revoked", json.dumps({"room_id": session.room_id}))
            written += b"" if ends else _others(pending, session)
            if pending.is_idle and not written:
                written = follower.confirm() if follower else b": keep-alive\n\n"
            if written:
                await response.write(written)
                if follower:
                    follower.sent()
            if ends:
                return
            if written:
                await asyncio.sleep(_SETTLE_S)


async def _changed(context: Context, session: Session) -> bytes | None:
    """Return what to write when the room changed; None where the stream ends without a word.

    Whoever leaves changes the room: only then is membership queried again.
    """
    about_room = json.dumps({"room_id": session.room_id})
    try:
        await context.access.membership(session, session.room_id)
    except ForbiddenError:
        return _event("revoked", about_room)
    except (UnavailableError, UnknownTokenError):
        return None  # the widget connects again, if it may
    return _event("changed", about_room)


def _others(pending: Notifications, session: Session) -> bytes:
    events = [_event("progress", data) for data in pending.progress]
    if pending.watching is not None:
        events.append(_event("watching", pending.watching))
    events += [_event("talk", json.dumps({"room_id": session.room_id, "event_id": each})) for each in pending.talks]
    return b"".join(events)


def _event(kind: str, data: str) -> bytes:
    return f"event: {kind}\ndata: {data}\n\n".encode()
