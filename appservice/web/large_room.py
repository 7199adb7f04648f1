"""The response of a room that is too large to be sent whole, for one viewer."""

from collections.abc import Sequence

from appservice.core.rules.video_permissions import may_see
from appservice.core.tokens import Grant, Session
from appservice.core.web.large_room import member_view, portion
from appservice.core.web.room_views import encryption_view, link, on_behalf, together_view
from appservice.core.web.schedule_view import schedule_view
from appservice.core.web.views import RoomView
from appservice.web.bookmarks import bookmark_of
from appservice.web.context import Context
from appservice.web.room_cache import RoomEntry


async def large_room_view(
    context: Context, session: Session, grant: Grant, entry: RoomEntry, together: Sequence[str], after: str | None
) -> RoomView:
    """Return a page of a room, the first one or that `after` another. Raises InvalidParamError."""
    state, bot, base = entry.state, context.config.bot, f"{grant.base}/"
    rights = await context.rooms.rights(entry, session.user_id)
    shared = await context.rooms.shared(entry, rights)
    program = await context.rooms.program(entry)
    lists, viewer, about = shared.lists, rights.viewer(state.room, session.user_id), shared.about()
    page = portion(lists, viewer, after)
    ids = [video.id for _, videos in page.members for video in videos]
    whole = await context.rooms.whole(entry, ids)
    whole = {
        key: video
        for key, video in whole.items()
        if may_see(video, viewer) and (video.sender == viewer.user_id or lists.still_sees(video))
    }
    people = [head.member for head in lists.heads.values()]
    played = [video for sent in lists.visible.values() for video in sent] if together else []
    now = round(await context.clock.now())
    return RoomView(
        room_id=state.room.room_id,
        revision=state.revision,
        next=page.following,
        name=state.room.name,
        bot=bot,
        channel=f"{base}{about.channel}" if about.channel else None,
        grant_expires_at=grant.expires_at,
        now=now,
        schedule=schedule_view(program.schedule, now) if program.schedule else None,
        watching=list(await context.stores.channels.watching(state.room.room_id)),
        replaced_by=link(state.room.replaced_by, bot) if state.room.replaced_by else None,
        place=await bookmark_of(context, session),
        direct=about.direct,
        can=on_behalf(state.room, viewer, bot) if session.sign_in else [],
        encryption=encryption_view(state.room, people, viewer, available=context.use_cases.opt_ins.available),
        together=together_view(people, played, together, base),
        members=[
            member_view(head, [whole[v.id] for v in videos if v.id in whole], lists, viewer, base)
            for head, videos in page.members
        ],
    )
