"""Routes of a room: whole for one viewer, or in pages for all with the same rights and what is a viewer's own apart."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import hdrs, web

from appservice.core.errors import InvalidParamError
from appservice.core.model import UserId, VideoId
from appservice.core.web.lists import EVERYBODY, REVIEW, Find, after, around, at, before
from appservice.core.web.reels import MOST_TOGETHER
from appservice.core.web.shared_views import MembersView, MineView, OverviewView, VideosView
from appservice.core.web.views import RoomView
from appservice.web.entered import Entered
from appservice.web.operation import Content, Operation
from appservice.web.requests import enter, json_response
from appservice.web.room_cache import Body

_PARAMETER: dict[str, Any] = {"in": "query", "schema": {"type": "string"}}
_TOGETHER = {
    "name": "together",
    "in": "query",
    "description": "Members whose videos are to be played in turn, or `*` for everybody's",
    "schema": {"type": "array", "items": {"type": "string", "pattern": r"^(@.*|\*)$"}, "maxItems": MOST_TOGETHER},
    "explode": True,
}
_NEXT = {"name": "after", "description": "The `next` of a page of this: the one that follows is returned", **_PARAMETER}
_LIST: list[dict[str, Any]] = [
    {
        "name": "of",
        "description": f"A user id, `{EVERYBODY}`: everybody's by time, or `{REVIEW}`: what moderators decide on",
        "required": True,
        **_PARAMETER,
    },
    {"name": "after", "description": "A page's cursor: the page after it", **_PARAMETER},
    {"name": "before", "description": "A page's cursor: the page before it", **_PARAMETER},
    {"name": "around", "description": "A video's id: the page with it", **_PARAMETER},
    {
        "name": "from", "in": "query", "description": "An index of the list: the page with it",
        "schema": {"type": "integer", "minimum": 0, "maximum": 10**9 - 1},
    },
]  # fmt: skip
_AFTER_MEMBER = {"name": "after", "description": "`members_next` of the page before", "required": True, **_PARAMETER}
_UNCHANGED = Content("It is as in the response with the ETag of If-None-Match", other={})

routes = web.RouteTableDef()


@routes.get("/api/v1/rooms/{room_id}")
@Operation(
    "The room, its members and their reels",
    {200: Content("The room", RoomView)},
    errors=(400, 410),
    query=(_TOGETHER, _NEXT),
)
async def get_room(request: web.Request) -> web.Response:
    """Return the room with its members, their reels, and a fresh media grant in every address.

    Of a large room that is a page; its `next` leads on.
    """
    entered = await _entered(request)
    return json_response(await entered.room(_together(request), request.query.get("after")))


@routes.get("/api/v1/rooms/{room_id}/overview")
@Operation(
    "The room, its first members, and the videos that its channel shows, for all with the viewer's rights",
    {200: Content("The room", OverviewView), 304: _UNCHANGED},
)
async def get_overview(request: web.Request) -> web.Response:
    """Return the room as all viewers with the same rights see it."""
    entered = await _entered(request)
    return _shared_response(request, await entered.overview())


@routes.get("/api/v1/rooms/{room_id}/videos")
@Operation(
    "A page of a list of videos, for all with the viewer's rights",
    {200: Content("The page", VideosView), 304: _UNCHANGED},
    errors=(400,),
    query=_LIST,
)
async def get_videos(request: web.Request) -> web.Response:
    """Return a page of the videos of a member, of everybody, or of those to be reviewed."""
    entered = await _entered(request)
    of = request.query.get("of")
    if not of:
        raise InvalidParamError("`of` says whose videos.")
    around_id = request.query.get("around")
    if around_id:
        return _shared_response(request, await entered.videos(of, around(around_id), VideoId(around_id)))
    return _shared_response(request, await entered.videos(of, _find(request.query)))


@routes.get("/api/v1/rooms/{room_id}/members")
@Operation(
    "A page of members, for all with the viewer's rights",
    {200: Content("The page", MembersView), 304: _UNCHANGED},
    errors=(400,),
    query=(_AFTER_MEMBER,),
)
async def get_members(request: web.Request) -> web.Response:
    """Return the members after those of another page."""
    entered = await _entered(request)
    if not (following := request.query.get("after")):
        raise InvalidParamError("`after` says which members are known already.")
    return _shared_response(request, await entered.members(UserId(following)))


@routes.get("/api/v1/rooms/{room_id}/mine")
@Operation(
    "What of the room is the viewer's alone, and a fresh media grant",
    {200: Content("What is theirs", MineView)},
    errors=(400,),
    query=(_TOGETHER,),
)
async def get_mine(request: web.Request) -> web.Response:
    """Return what belongs to the viewer alone, with a fresh media grant."""
    entered = await _entered(request)
    return json_response(await entered.mine(_together(request)))


async def _entered(request: web.Request) -> Entered:
    return Entered(*await enter(request))


def _together(request: web.Request) -> Sequence[str]:
    together = request.query.getall("together", [])
    if len(together) > MOST_TOGETHER:
        raise InvalidParamError(f"At most {MOST_TOGETHER} members can be put together, or everybody by `*`.")
    if not all(each == EVERYBODY or each.startswith("@") for each in together):
        raise InvalidParamError(f"Each `together` is the user id of a member, or `{EVERYBODY}` for everybody.")
    return together


_FINDERS: Mapping[str, Callable[[str], Find]] = {"after": after, "before": before}


def _find(query: Mapping[str, str]) -> Find:
    """Return what finds the page that is requested. Raises InvalidParamError."""
    for name, finder in _FINDERS.items():
        if name in query:
            return finder(query[name])
    index = query.get("from", "0")
    if not (index.isascii() and index.isdecimal() and len(index) < 10):
        raise InvalidParamError("`from` is an index: a number.")
    return at(int(index))


def _shared_response(request: web.Request, body: Body) -> web.Response:
    """Return what was compressed before; nothing where the client has it."""
    headers = {"ETag": body.etag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Accept-Encoding"}
    known = request.headers.get(hdrs.IF_NONE_MATCH, "")
    if known == "*" or body.etag in [each.strip().removeprefix("W/") for each in known.split(",")]:
        return web.Response(status=304, headers=headers)
    if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "").lower():
        headers[hdrs.CONTENT_ENCODING] = "gzip"
        return web.Response(body=body.compressed, content_type="application/json", headers=headers)
    return web.Response(body=body.json(), content_type="application/json", headers=headers)
