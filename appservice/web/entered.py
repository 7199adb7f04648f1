"""A viewer who is in a room: what the routes tell them of it."""

from collections.abc import Sequence

from pydantic import BaseModel

from appservice.core.errors import NotFoundError
from appservice.core.model import UserId, VideoId
from appservice.core.rules.video_permissions import may_see, viewer_in
from appservice.core.tokens import Grant, GrantScope, Session
from appservice.core.web.lists import EVERYBODY, MEMBERS_PAGE, REVIEW, Find, Lists
from appservice.core.web.room_pages import hidden_by, own_withheld, shared_video_view
from appservice.core.web.room_state import Rights
from appservice.core.web.room_views import RoomNow, on_behalf, room_view, together_view
from appservice.core.web.schedule_view import schedule_view
from appservice.core.web.shared_views import MineView
from appservice.core.web.views import RoomView
from appservice.web.bookmarks import bookmark_of
from appservice.web.channel import broadcast
from appservice.web.context import Context
from appservice.web.large_room import large_room_view
from appservice.web.room_cache import SMALL, Body, RoomEntry


class Entered:
    """A session's user in its room; their membership was just checked."""

    def __init__(self, context: Context, session: Session, member_key: int) -> None:
        self._context, self._session, self._member_key = context, session, member_key
        self._rooms = context.rooms

    async def room(self, together: Sequence[str] = (), after: str | None = None) -> RoomView:
        """Return the room as the viewer sees it; of a large one the first page, or that `after` another."""
        entry = await self._rooms.now(self._session.room_id)
        if len(entry.state.videos) > SMALL or len(entry.state.members) > MEMBERS_PAGE or after is not None:
            return await large_room_view(self._context, self._session, self._grant(entry), entry, together, after)
        context, room = self._context, entry.state.room
        members = await context.stores.members.joined_members(room.room_id)
        everything = await context.stores.videos.room_videos(room.room_id)
        videos = await context.stores.videos.readable(everything, self._session.user_id)
        live = await broadcast(context, room.room_id, members, videos)
        viewer = viewer_in(room, self._session.user_id)
        now = RoomNow(
            room=room,
            members=[member for member in members if member.user_id != context.config.bot],
            videos=videos,
            live=live,
            bot=context.config.bot,
            reports=await context.stores.changes.reports(room.room_id) if viewer.moderates else None,
            encrypted_rooms=context.use_cases.opt_ins.available,
            revision=entry.state.revision,
        )
        can = on_behalf(room, viewer, context.config.bot) if self._session.sign_in else []
        bookmark = await bookmark_of(context, self._session)
        return room_view(now, viewer, self._grant(entry), bookmark=bookmark, turns=together, can=can)

    async def overview(self) -> Body:
        """Return the room as all with the viewer's rights see it."""
        entry, rights = await self._now()
        return await self._rooms.overview(entry, rights)

    async def first(self) -> tuple[Body, MineView]:
        """Return what a widget begins with: the overview, and what is the viewer's alone."""
        return await self.overview(), await self.mine()

    async def videos(self, of: str, find: Find, around: VideoId | None = None) -> Body:
        """Return a page of a list, which `find` finds: the one `around` a video of it, if any."""
        entry, rights = await self._now()
        shared = await self._rooms.shared(entry, rights)
        lists = shared.lists
        if of not in {EVERYBODY, REVIEW} and UserId(of) not in lists.heads:
            raise NotFoundError("There is no such member.")
        if around and not _has(lists, of, around):
            raise NotFoundError("There is no such video in this list.")
        page = lists.page(of, find)

        async def make() -> BaseModel:
            return shared.videos(page, await self._rooms.whole(entry, [video.id for video in page.videos]))

        return await self._rooms.body(lists, f"videos-{of}-{page.start}-{len(page.videos)}", make)

    async def members(self, after: UserId) -> Body:
        """Return the members after one."""
        entry, rights = await self._now()
        shared = await self._rooms.shared(entry, rights)
        known = after if after in shared.lists.heads else None

        async def make() -> BaseModel:
            return shared.members(known)

        return await self._rooms.body(shared.lists, f"members-{known or ''}", make)

    async def mine(self, together: Sequence[str] = ()) -> MineView:
        """Return what is the viewer's alone; with the reel in which some members take turns, if any."""
        context, session = self._context, self._session
        entry, rights = await self._now()
        state, user_id = entry.state, session.user_id
        shared = await self._rooms.shared(entry, rights)
        program = await self._rooms.program(entry)
        viewer = rights.viewer(state.room, user_id)
        own = await self._rooms.whole(entry, own_withheld(state, user_id))
        grant = self._grant(entry)
        now = round(await context.clock.now())
        people = [head.member for head in shared.lists.heads.values()]
        played = [video for sent in shared.lists.visible.values() for video in sent] if together else []
        return MineView(
            revision=state.revision,
            media=f"{grant.base}/",
            grant_expires_at=grant.expires_at,
            now=now,
            schedule=schedule_view(program.schedule, now) if program.schedule else None,
            watching=list(await context.stores.channels.watching(session.room_id)),
            place=await bookmark_of(context, session),
            can=on_behalf(state.room, viewer, context.config.bot) if session.sign_in else [],
            moderates=rights.moderates,
            together=together_view(people, played, together, ""),
            own=[
                shared_video_view(video, viewer, viewer, shared.lists)
                for video in own.values()
                if video.sender == user_id and may_see(video, viewer)
            ],
            hidden_by_viewer=list(hidden_by(state, user_id)) if rights.moderates else [],
        )

    async def _now(self) -> tuple[RoomEntry, Rights]:
        entry = await self._rooms.now(self._session.room_id)
        return entry, await self._rooms.rights(entry, self._session.user_id)

    def _grant(self, entry: RoomEntry) -> Grant:
        scope = GrantScope(entry.state.room.key, self._member_key, self._session.sign_in)
        return self._context.access.grant(scope)


def _has(lists: Lists, of: str, video_id: VideoId) -> bool:
    video = lists.video(video_id)
    if video is None or of == REVIEW:
        return video is not None and video in lists.to_review()
    return of in {EVERYBODY, video.sender}
