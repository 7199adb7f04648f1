"""The caller of the API: the user of a session, who they are in its room, and which video they mean."""

from typing import Self

from aiohttp import web

from appservice.core.errors import NotFoundError
from appservice.core.model import Video, VideoId
from appservice.core.room import Room
from appservice.core.rules.video_permissions import viewer_in
from appservice.core.tokens import GrantScope, Session
from appservice.service.targets import known_to
from appservice.web.context import CONTEXT, Context
from appservice.web.media_paths import UUID

VIDEO = rf"/api/v1/videos/{{id:{UUID}}}"
"""The path of a video."""


class Caller:
    """The user of a session, as they are in its room now."""

    def __init__(self, context: Context, session: Session, member_key: int, room: Room) -> None:
        self.context = context
        self.session = session
        self.room = room
        self.viewer = viewer_in(room, session.user_id)
        self.scope = GrantScope(room.key, member_key, session.sign_in)

    @classmethod
    async def of(cls, request: web.Request) -> Self:
        """Authenticate the caller, and check whether they are in the room now."""
        context = request.app[CONTEXT]
        session = context.access.session(request.headers.get("Authorization"))
        member_key = await context.access.membership(session, session.room_id)
        room = await context.stores.rooms.room(session.room_id)
        if room is None:
            raise NotFoundError("There is no such room.")
        return cls(context, session, member_key, room)

    async def video(self, request: web.Request) -> Video:
        """Return the video of the request's path. Raises NotFoundError unless the viewer may know of it."""
        video = await self.context.stores.videos.video(VideoId(request.match_info["id"]))
        if video is None or video.room_id != self.room.room_id:
            raise NotFoundError("There is no such video.")
        if not await known_to(self.viewer.user_id, [video], self.context.stores, here=self.room):
            raise NotFoundError("There is no such video.")
        return video
