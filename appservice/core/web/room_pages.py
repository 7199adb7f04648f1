"""Pages of a room, and what changed between two revisions, for all viewers with the same rights. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appservice.core.model import UserId, Video, VideoId, Visibility
from appservice.core.room import Member
from appservice.core.rules.video_permissions import Viewer, actions, may_order
from appservice.core.web.lists import Head, Lists, Slice
from appservice.core.web.room_state import Change, RoomState
from appservice.core.web.room_views import encryption_view, link, preview_url, video_view
from appservice.core.web.shared_views import (
    AboutView,
    DeltaEvent,
    HeadView,
    MembersView,
    OverviewView,
    PageView,
    SharedVideoView,
    VideosView,
)
from appservice.core.web.views import ScheduleView

# By the columns that changed: what a delta has of a video when these are all.
_PATCHES = {
    "title": {"title"}, "version": {"version"}, "position": {"position"}, "reports": {"reports"},
    "published": {"published", "can", "sender_can"}, "avatar": {"is_video_avatar", "can", "sender_can"},
}  # fmt: skip
# What is written of a video alone: neither a reel nor a count is another.
_OF_VIDEO_ALONE = frozenset({"title", "version", "published"})
_RESTARTING = frozenset({"rights", "history"})


@dataclass(frozen=True, slots=True)
class Shared:
    """What all pages of a room for viewers with the same rights have in common.

    `channel` is the address of what the channel plays, `encrypted_rooms`: they are served.
    """

    lists: Lists
    bot: UserId
    channel: str | None
    encrypted_rooms: bool

    def overview(self, page: Slice, videos: Mapping[VideoId, Video]) -> OverviewView:
        """Return the room with its first members and a page of videos."""
        state = self.lists.state
        heads, following = self.lists.members_after(None)
        return OverviewView(
            room_id=state.room.room_id,
            revision=state.revision,
            bot=self.bot,
            members=[self.head(head) for head in heads],
            members_next=following,
            page=PageView(**self._page(page, videos)),
            **self.about().model_dump(),
        )

    def videos(self, page: Slice, videos: Mapping[VideoId, Video]) -> VideosView:
        """Return a page of videos; of `videos`, which were read later, those that are still to be seen."""
        return VideosView(revision=self.lists.state.revision, **self._page(page, videos))

    def members(self, after: UserId | None) -> MembersView:
        """Return the members after one, or the first."""
        heads, following = self.lists.members_after(after)
        return MembersView(
            revision=self.lists.state.revision, members=[self.head(head) for head in heads], members_next=following
        )

    def about(self) -> AboutView:
        """Return what is to be said of the room itself."""
        room, members = self.lists.state.room, [head.member for head in self.lists.heads.values()]
        return AboutView(
            name=room.name,
            channel=self.channel,
            direct=len(members) == 2,
            replaced_by=link(room.replaced_by, self.bot) if room.replaced_by else None,
            encryption=encryption_view(room, members, self.lists.viewer, available=self.encrypted_rooms),
            review=len(self.lists.to_review()),
            members_total=len(members),
            count=sum(head.count for head in self.lists.heads.values()),
            playable=sum(head.playable for head in self.lists.heads.values()),
        )

    def head(self, head: Head) -> HeadView:
        """Return a member."""
        member, room = head.member, self.lists.state.room
        viewer = self.lists.viewer
        own = Viewer(member.user_id, viewer.moderates, viewer.in_encrypted)
        return HeadView(
            user_id=member.user_id,
            display_name=member.display_name,
            avatar_url=avatar_url(member, ""),
            video_avatar=preview_url(head.worn, viewer, "") if head.worn else None,
            reel_url=f"reel/{member.key}/{head.reel}/index.m3u8" if head.reel else None,
            can=["order"] if may_order(member.user_id, viewer, room.settings) else [],
            sender_can=["order"] if may_order(member.user_id, own, room.settings) else [],
            count=head.count,
            playable=head.playable,
        )

    def video(self, video: Video) -> SharedVideoView:
        """Return a video as all of these viewers see it."""
        viewer = self.lists.viewer
        return shared_video_view(video, viewer, Viewer(video.sender, viewer.moderates, viewer.in_encrypted), self.lists)

    def delta(
        self, changes: Sequence[Change], videos: Mapping[VideoId, Video], schedule: Sequence[ScheduleView | None] = ()
    ) -> DeltaEvent | None:
        """Return what `changes` made of the room; None where these viewers see none of it.

        `videos` has the changed ones, `schedule` the one that plays now where it is another.
        """
        concerned = [change for change in changes if self._concerns(change)]
        if not concerned:
            return None
        heads = self.lists.heads
        wide = [change for change in concerned if not change.fields <= _OF_VIDEO_ALONE]
        affected = {change.user_id for change in wide}
        left = {c.user_id for c in concerned if c.user_id and c.video_id is None and c.was_shown} - heads.keys()
        seen, gone = self._changed_videos(concerned, videos)
        parts: dict[str, Any] = {
            "room": self.about() if wide else None,
            "members": [self.head(head) for user_id, head in heads.items() if user_id in affected],
            "left": sorted(left),
            "videos": seen,
            "gone": gone,
        }
        if schedule:
            parts["schedule"] = schedule[0]
        filled = {name: part for name, part in parts.items() if part or name == "schedule"}
        return DeltaEvent(revision=self.lists.state.revision, **filled)

    def _concerns(self, change: Change) -> bool:
        if change.video_id is None:
            return True
        if change.video_id in self.lists.rights.withheld:
            return False
        if not self.lists.rights.moderates and change.fields == {"reports"}:
            return False
        # Of one who has left, all are gone with them.
        known = change.user_id in self.lists.heads and self._was_seen(change)
        return known or self.lists.video(change.video_id) is not None

    def _was_seen(self, change: Change) -> bool:
        return change.was_known if self.lists.rights.moderates else change.was_shown

    def _changed_videos(
        self, changes: Sequence[Change], videos: Mapping[VideoId, Video]
    ) -> tuple[list[dict[str, Any]], list[VideoId]]:
        fields: dict[VideoId, set[str]] = {}
        # Of what they did not see before, they are to have all.
        new = {change.video_id for change in changes if not self._was_seen(change)}
        for change in changes:
            if change.video_id:
                fields.setdefault(change.video_id, set()).update(change.fields)
        seen: list[dict[str, Any]] = []
        gone: list[VideoId] = []
        for video_id, changed in fields.items():
            video = videos.get(video_id)
            if video is None or not self.lists.still_sees(video):
                gone.append(video_id)
                continue
            whole = self.video(video).model_dump(mode="json")
            if video_id not in new and changed <= _PATCHES.keys():
                names = {"id", "version"}.union(*(_PATCHES[each] for each in changed))
                whole = {name: value for name, value in whole.items() if name in names}
            seen.append(whole)
        return seen, sorted(gone)

    def _page(self, page: Slice, videos: Mapping[VideoId, Video]) -> dict[str, Any]:
        found = [videos[listed.id] for listed in page.videos if listed.id in videos]
        return {
            "of": page.of,
            "total": page.total,
            "start": page.start,
            "videos": [self.video(video) for video in found if self.lists.still_sees(video)],
            "before": page.before,
            "after": page.after,
        }


def avatar_url(member: Member, base: str) -> str | None:
    """Return the address of a member's avatar, None without one."""
    return f"{base}avatar/{member.key}" if member.avatar_mxc else None


def shared_video_view(video: Video, viewer: Viewer, sender: Viewer, lists: Lists) -> SharedVideoView:
    """Return a video for `viewer`, with what its `sender` may do."""
    head = lists.heads.get(video.sender)
    is_avatar = head is not None and head.member.avatar_video == video.id
    reports = lists.state.reports if viewer.moderates else None
    view = video_view(video, viewer, "", is_avatar=is_avatar, reports=reports)
    return SharedVideoView(
        **dict(view),
        sender=video.sender,
        item=video.item,
        position=video.position,
        sender_can=actions(video, sender, is_avatar=is_avatar),
    )


def own_withheld(state: RoomState, user_id: UserId) -> list[VideoId]:
    """Return the videos of somebody that not everybody sees."""
    return [video.id for video in state.sent.get(user_id, ()) if _is_withheld(video)]


def _is_withheld(video: Video) -> bool:
    return video.visibility is not Visibility.SHOWN or video.failure is not None


def hidden_by(state: RoomState, user_id: UserId) -> list[VideoId]:
    """Return the videos of others that somebody hid."""
    videos = (video for sent in state.sent.values() for video in sent)
    return [v.id for v in videos if v.withheld.hidden_by == user_id and v.sender != user_id]


def restarts(changes: Collection[Change], state: RoomState) -> frozenset[UserId] | None:
    """Return who begins anew after these changes, since they may see other things than before; None: everybody."""
    users = set()
    for change in changes:
        if change.is_everything or change.fields & _RESTARTING:
            return None
        if change.user_id and change.video_id is None and "membership" in change.fields:
            if change.user_id in state.sent and change.user_id in state.members and not change.was_shown:
                return None  # who comes back brings what they sent
            if state.strict:
                users.add(change.user_id)
    return frozenset(users)


def lost_strict(changes: Collection[Change], state: RoomState, *, came: bool = False) -> bool:
    """Say whether something is gone that was not for everybody: who may hear of it, nothing says any more.

    `came`: of what came with these changes, too. Who followed the room before knows what they may see of the rest.
    """
    gone = [change for change in changes if change.video_id and change.video_id not in state.videos]
    strict = {change.video_id for change in gone if change.was_strict}
    return bool(strict & {change.video_id for change in gone if not change.was_known} if came else strict)


def new_strict(changes: Collection[Change], state: RoomState) -> list[VideoId]:
    """Return the videos that came with these changes and that not every member may see."""
    return sorted({c.video_id for c in changes if c.video_id in state.strict and c.video_id and not c.was_known})


def personal(changes: Collection[Change], state: RoomState) -> set[UserId]:
    """Return for whom there may be something new that is theirs alone."""
    users: set[UserId] = set()
    for change in changes:
        video = state.videos.get(change.video_id) if change.video_id else None
        if video is None:
            users |= {change.user_id} if change.video_id and change.user_id else set()
        elif not change.was_shown or "visibility" in change.fields or _is_withheld(video):
            users |= {video.sender, video.withheld.hidden_by or video.sender}
    return users
