"""Routes by which everybody sees the same frame of the room's channel: the time, the schedule, and who watches."""

import asyncio
from collections.abc import Sequence

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, StrictBool

from appservice.core.errors import UnavailableError
from appservice.core.model import RoomId, Video
from appservice.core.room import Member
from appservice.core.web.reels import for_all
from appservice.core.web.room_views import Broadcast
from appservice.core.web.views import TimeView, WatchingView
from appservice.store import ChannelStore
from appservice.web.context import CONTEXT, Context
from appservice.web.operation import Content, Operation, Read
from appservice.web.requests import enter, json_response

log = structlog.get_logger()

_EXPIRE_EVERY_S = 5.0
_BODY = 1024

routes = web.RouteTableDef()


class WatchingRequest(BaseModel):
    """The body of `PUT /api/v1/rooms/{room_id}/watching`."""

    model_config = ConfigDict(extra="ignore")
    watching: StrictBool


async def broadcast(context: Context, room_id: RoomId, members: Sequence[Member], videos: Sequence[Video]) -> Broadcast:
    """Return what the room's channel shows when, and to whom; its schedule is brought up to date by the way."""
    return Broadcast(
        schedule=await context.stores.channels.schedule(room_id, for_all(videos, members)),
        watching=await context.stores.channels.watching(room_id),
        now=round(await context.clock.now()),
    )


@routes.get("/api/v1/time")
@Operation("The time by which the channel's schedule goes", {200: Content("The time", TimeView)}, session=False)
async def get_time(request: web.Request) -> web.Response:
    """Return the time by which schedules go, for a viewer's clock to be compared with."""
    return json_response(TimeView(now=await request.app[CONTEXT].clock.now()))


@routes.put("/api/v1/rooms/{room_id}/watching")
@Operation(
    "Say, every 20 seconds, whether one watches the room's channel; it lapses after 45",
    {200: Content("Who watches now", WatchingView)},
).reading(WatchingRequest, most=_BODY)
async def put_watching(request: web.Request, read: Read[WatchingRequest]) -> web.Response:
    """Store that a viewer watches the channel now, or no longer does."""
    context, session, _ = await enter(request)
    body = await read()
    if body.watching:
        await context.stores.channels.watch(session.room_id, session.user_id)
    else:
        await context.stores.channels.stop_watching(session.room_id, session.user_id)
    return json_response(WatchingView(watching=list(await context.stores.channels.watching(session.room_id))))


async def expire_watching(channels: ChannelStore) -> None:
    """Expire viewers without a heartbeat, for ever."""
    while True:
        await asyncio.sleep(_EXPIRE_EVERY_S)
        try:
            await channels.lapse_watching()
        except UnavailableError as error:
            log.warning("watchers_not_checked", reason=str(error))
