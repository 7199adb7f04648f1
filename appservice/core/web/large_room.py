"""A large room for one viewer, page by page: all pages together have what a small room's response has. Pure."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appservice.core.errors import GoneError, InvalidParamError
from appservice.core.model import UserId, Video, VideoId
from appservice.core.rules.video_permissions import Viewer, may_order, may_see
from appservice.core.web.lists import MEMBERS_PAGE, PAGE, Head, Lists, cursor_of, read_cursor
from appservice.core.web.room_pages import avatar_url
from appservice.core.web.room_state import Sent, reel_key
from appservice.core.web.room_views import preview_url, video_view
from appservice.core.web.views import MemberView


@dataclass(frozen=True, slots=True)
class Portion:
    """A page: members, each with some of their videos in reel order; `following` is the cursor of the next one."""

    members: Sequence[tuple[Head, Sent]]
    following: str | None


def portion(lists: Lists, viewer: Viewer, after: str | None) -> Portion:
    """Return the page after a cursor; the first one also has the first members whose videos come later.

    Raises InvalidParamError for a cursor that is none, GoneError where its member has left.
    """
    order = lists.order
    place, cursor = _read(after, lists)
    taken: list[tuple[Head, Sent]] = []
    left, following = PAGE, None
    for index in range(place, len(order)):
        user_id = order[index]
        videos = _seen(lists, viewer, user_id)
        if index == place and cursor:
            videos = videos[bisect_right(videos, read_cursor(cursor), key=reel_key) :]
        part = videos[:left]
        taken.append((lists.heads[user_id], part))
        left -= len(part)
        last = cursor_of(reel_key(part[-1])) if part else ""
        if len(part) < len(videos) or (index + 1 < len(order) and (left == 0 or len(taken) == MEMBERS_PAGE)):
            following = f"{user_id}|{last or cursor if index == place else last}"
            break
    if after is None:
        taken += [(lists.heads[user_id], ()) for user_id in order[len(taken) : MEMBERS_PAGE]]
    return Portion(taken, following)


def _read(after: str | None, lists: Lists) -> tuple[int, str]:
    if after is None:
        return 0, ""
    user_id, bar, cursor = after.rpartition("|")
    if not bar:
        raise InvalidParamError("This is no page of this room.")
    if user_id not in lists.heads:
        raise GoneError("This page was of a member who has left: begin with the first.")
    place = lists.order.index(UserId(user_id))
    # Of a member without videos nothing follows.
    return (place, cursor) if cursor else (place + 1, "")


def _seen(lists: Lists, viewer: Viewer, user_id: UserId) -> Sent:
    if user_id != viewer.user_id:
        return lists.visible[user_id]
    return tuple(video for video in lists.state.sent.get(user_id, ()) if may_see(video, viewer))


def member_view(head: Head, videos: Sequence[Video], lists: Lists, viewer: Viewer, base: str) -> MemberView:
    """Return a member with some of their videos, which are whole."""
    member = head.member
    reports: Mapping[VideoId, int] | None = lists.state.reports if viewer.moderates else None
    return MemberView(
        user_id=member.user_id,
        display_name=member.display_name,
        avatar_url=avatar_url(member, base),
        video_avatar=preview_url(head.worn, viewer, base) if head.worn else None,
        reel_url=f"{base}reel/{member.key}/{head.reel}/index.m3u8" if head.reel else None,
        can=["order"] if may_order(member.user_id, viewer, lists.state.room.settings) else [],
        videos=[
            video_view(video, viewer, base, is_avatar=video.id == member.avatar_video, reports=reports)
            for video in videos
        ],
        count=len(_seen(lists, viewer, member.user_id)),
        playable=sum(video.has_media for video in _seen(lists, viewer, member.user_id)),
    )
