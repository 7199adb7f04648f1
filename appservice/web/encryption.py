"""Routes of an encrypted room's opt-in: whether playable copies of its videos are stored here."""

from aiohttp import web

from appservice.core.errors import ForbiddenError, NotFoundError
from appservice.core.model import RoomId
from appservice.core.web.room_views import encryption_view
from appservice.core.web.views import EncryptionView
from appservice.web.caller import Caller
from appservice.web.operation import Content, Operation
from appservice.web.requests import json_response

_OPT_IN = "/api/v1/rooms/{room_id}/opt-in"

routes = web.RouteTableDef()


@routes.put(_OPT_IN)
@Operation(
    "Have playable copies of an encrypted room's videos stored, from now on",
    {200: Content("Who opted in, and when", EncryptionView)},
    errors=(409,),
)
async def put_opt_in(request: web.Request) -> web.Response:
    """Opt an encrypted room in. Where somebody did before, that stays as it is."""
    caller = await _enter(request)
    await caller.context.use_cases.opt_ins.opt_in(caller.room, caller.viewer)
    return await _response(caller)


@routes.delete(_OPT_IN)
@Operation(
    "Store no more videos of an encrypted room, and erase what is stored of them",
    {200: Content("Nobody has opted in", EncryptionView)},
    errors=(409,),
)
async def delete_opt_in(request: web.Request) -> web.Response:
    """Opt an encrypted room out: its videos are erased, its messages stay."""
    caller = await _enter(request)
    await caller.context.use_cases.opt_ins.opt_out(caller.room, caller.viewer)
    return await _response(caller)


async def _enter(request: web.Request) -> Caller:
    caller = await Caller.of(request)
    if caller.room.room_id != RoomId(request.match_info["room_id"]):
        raise ForbiddenError("You are not a member of this room.")
    return caller


async def _response(caller: Caller) -> web.Response:
    stores = caller.context.stores
    room = await stores.rooms.room(caller.room.room_id)
    if room is None:
        raise NotFoundError("There is no such room.")
    members = await stores.members.joined_members(room.room_id)
    view = encryption_view(room, members, caller.viewer, available=caller.context.use_cases.opt_ins.available)
    if view is None:
        raise AssertionError("a room that was encrypted stays so")
    return json_response(view)
