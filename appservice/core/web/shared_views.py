"""The JSON of a room in pages and deltas: what is the same for all viewers with the same rights, and what is personal.

Addresses of media have no slash at their beginning: they lie below `media` of the personal part. Pure.
"""

from typing import Any

from pydantic import BaseModel

from appservice.core.rules.video_permissions import Action
from appservice.core.web.views import (
    EncryptionView,
    OnBehalf,
    PlaceView,
    RoomView,
    ScheduleView,
    TogetherView,
    VideoView,
)


class SharedVideoView(VideoView):
    """A video with its sender's id, and by what lists are sorted.

    A member's list goes by (`position`, `created_at`, `id`), everybody's by (`created_at`, `item`, `id`). `can` is what
    a viewer may do with another's video, `sender_can` what with their own. `hidden_by` never is the viewer.
    """

    sender: str
    item: int
    position: float
    sender_can: list[Action]


class HeadView(BaseModel):
    """A member without videos: `count` is how many they show, `playable` how many of these can be watched.

    `can` and `sender_can` as in a video: "order".
    """

    user_id: str
    display_name: str | None
    avatar_url: str | None
    video_avatar: str | None
    reel_url: str | None
    can: list[str]
    sender_can: list[str]
    count: int
    playable: int


class PageView(BaseModel):
    """A page of the list `of` a member, `*` (everybody's) or `review`, which is `total` long and begins at `start`.

    `before` and `after` are cursors of the pages beside it; null where there is none.
    """

    of: str
    total: int
    start: int
    videos: list[SharedVideoView]
    before: str | None
    after: str | None


class AboutView(BaseModel):
    """A room, without who is there. `review`: how many videos moderators have to decide on.

    `count` and `playable` are those of all members together.
    """

    name: str | None
    channel: str | None
    direct: bool
    replaced_by: str | None
    encryption: EncryptionView | None
    review: int
    members_total: int
    count: int
    playable: int


class OverviewView(AboutView):
    """A room at a revision: its first members, the cursor of the next ones, and the page that the channel shows."""

    room_id: str
    revision: int
    bot: str
    members: list[HeadView]
    members_next: str | None
    page: PageView


class VideosView(PageView):
    """A page of videos, as they were at a revision."""

    revision: int


class MembersView(BaseModel):
    """A page of members, as they were at a revision; `members_next` is null on the last."""

    revision: int
    members: list[HeadView]
    members_next: str | None


class MineView(BaseModel):
    """What is the viewer's alone. Addresses lie below `media` until `grant_expires_at`; times in ms since the epoch.

    `own`: their videos that not everybody sees, in the place of what a page has of them. `hidden_by_viewer`: ids.
    """

    revision: int
    media: str
    grant_expires_at: int
    now: int
    schedule: ScheduleView | None
    watching: list[str]
    place: PlaceView | None
    can: list[OnBehalf]
    moderates: bool
    together: TogetherView | None
    own: list[SharedVideoView]
    hidden_by_viewer: list[str]


class DeltaEvent(BaseModel):
    """The data of a `delta` event: what changed until `revision` since the one before; what is left out did not.

    Of `videos` those with a `state` are whole, of the others there is only what changed. `members` are those who came
    or changed, `left` those who went with all of their videos, `gone` are ids of videos.
    """

    revision: int
    room: AboutView | None = None
    schedule: ScheduleView | None = None
    members: list[HeadView] | None = None
    left: list[str] | None = None
    videos: list[dict[str, Any]] | None = None
    gone: list[str] | None = None


class SessionView(BaseModel):
    """A session: `expires_at` in ms since the epoch, `can` names what the user may do in the room.

    `room`, or `overview` and `mine`, are there when they were requested; `asked_at`, in ms since the epoch, is when the
    request came.
    """

    token: str
    expires_at: int
    user_id: str
    room_id: str
    can: list[str]
    asked_at: int
    room: RoomView | None
    overview: OverviewView | None
    mine: MineView | None
