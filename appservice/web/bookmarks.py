"""Where a viewer was, stored for them: a widget in a page of another site has no storage."""

from aiohttp import web
from pydantic import ValidationError

from appservice.core.tokens import Session
from appservice.core.web.views import PlaceView
from appservice.web.context import Context
from appservice.web.operation import Content, Operation, Read
from appservice.web.requests import enter, json_response

_BODY = 8 * 1024

routes = web.RouteTableDef()


@routes.put("/api/v1/rooms/{room_id}/place")
@Operation(
    "Store where the viewer is and how they watch; the room's response holds it",
    {200: Content("What is stored", PlaceView)},
).reading(PlaceView, most=_BODY)
async def put_bookmark(request: web.Request, read: Read[PlaceView]) -> web.Response:
    """Store where the viewer is; the room's response has it the next time."""
    context, session, _ = await enter(request)
    bookmark = await read()
    await context.stores.bookmarks.save(session.room_id, session.user_id, bookmark.model_dump(mode="json"))
    return json_response(bookmark)


async def bookmark_of(context: Context, session: Session) -> PlaceView | None:
    """Return where the session's user was in its room; None also for what another release wrote in its own way."""
    stored = await context.stores.bookmarks.bookmark(session.room_id, session.user_id)
    try:
        return PlaceView.model_validate(stored) if stored is not None else None
    except ValidationError:
        return None
