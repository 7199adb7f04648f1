"""The responses of the widget's API: the models of its JSON. Pure."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from appservice.core.model import HeldFor, Kind, State, Visibility
from appservice.core.rules.video_permissions import (
    Action,
)
from transcode.hls.captions import Captions
from transcode.source.audio_loss import AudioLoss


class FailureView(BaseModel):
    """Why a video failed; the widget has a text for each `failure-{code}`."""

    code: str


class ProgressView(BaseModel):
    """How far the work on a video is: percent done, and seconds left (null while nobody knows)."""

    percent: int
    remaining: int | None


class ProgressEvent(ProgressView):
    """The data of a `progress` event."""

    room_id: str
    video_id: str


class CaptionsView(BaseModel):
    """A WebVTT file of one language (BCP 47; null where it is unknown)."""

    language: str | None
    label: str
    url: str


WaitsFor: TypeAlias = Literal["moderator", "verdict", "operator", "upload"]
HiddenBy: TypeAlias = Literal["viewer", "sender", "moderator"]


def captions_view(captions: Captions, folder: str) -> CaptionsView:
    """Return captions that lie in a stage's folder."""
    return CaptionsView(language=captions.language, label=captions.label, url=f"{folder}/{captions.name}")


class VideoView(BaseModel):
    """A video: `duration` in seconds, `created_at` in ms since the epoch, addresses relative to our root.

    `storyboard_url` is a WebVTT file of parts of a sprite sheet, `preview_url` a short silent clip. `version` goes
    with a change of what was seen, `can` says what the viewer may do; `reports` is null but for moderators. `waits_for`
    says who decides on a held one; that operators hold it is for moderators to know. Of another it says "upload" while
    its file is still being uploaded (MSC2246). `held_for` says why it is held, `hidden_by` who hid it; both null of
    others. A sender who is no moderator sees approval and verdicts alone: for the rest `held_for` is null, too.
    Media addresses of what is not shown are there for those who decide on it.

    A `spoiler` is in no reel, and nothing of it is to be shown before somebody chooses it; `spoiler_reason` says what
    they would see. `sent_here` is false where its message is in the room that this one replaced: nobody reacts to it
    from here. `audio_left_out` says why not all of its audio is played, or none; null where nothing is missing. The
    widget has a text for each `audio-{code}`.
    """

    id: str
    event_id: str
    sent_here: bool
    title: str
    kind: Kind
    state: State
    visibility: Visibility
    waits_for: WaitsFor | None
    held_for: HeldFor | None
    hidden_by: HiddenBy | None
    duration: float | None
    width: int | None
    height: int | None
    poster_url: str | None
    playlist_url: str | None
    storyboard_url: str | None
    preview_url: str | None
    blurhash: str | None
    progress: ProgressView | None
    created_at: int
    failure: FailureView | None
    captions: list[CaptionsView]
    version: int
    can: list[Action]
    published: bool
    is_video_avatar: bool
    reports: int | None
    spoiler: bool
    spoiler_reason: str | None
    audio_left_out: AudioLoss | None


class MemberView(BaseModel):
    """A joined member with the reel that plays, and videos in its order; `video_avatar` is a short silent clip.

    `count` is how many videos the viewer sees in all, `playable` how many of them can be watched: of a large room
    `videos` has those of one page.
    """

    user_id: str
    display_name: str | None
    avatar_url: str | None
    video_avatar: str | None
    reel_url: str | None
    can: list[str]
    videos: list[VideoView]
    count: int
    playable: int


class TurnView(BaseModel):
    """A video's turn in the channel: `duration` in seconds."""

    id: str
    duration: float


class ScheduleView(BaseModel):
    """What the channel shows: `items` again and again from `starts_at` (ms since the epoch) on, till then `before`.

    Of a long list `items` are those that show next, once, until `until` (ms since the epoch); null: it is all of it.
    """

    starts_at: int
    items: list[TurnView]
    before: TurnView | None
    until: int | None


class TimeView(BaseModel):
    """The time by which schedules go: ms since the epoch."""

    now: float


class WatchingView(BaseModel):
    """The user ids of those who watch the room's channel."""

    watching: list[str]


class WatchingEvent(WatchingView):
    """The data of a `watching` event."""

    room_id: str


class TalkEvent(BaseModel):
    """The data of a `talk` event: the relations of the event `event_id` are to be fetched again.

    It is a video's message that somebody replied to in a thread or reacted to, or any event of the room that was edited
    or redacted. null: some were missed, of which nobody knows what they were about.
    """

    room_id: str
    event_id: str | None


_Text = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]+$")]
_Number = Annotated[float, Field(allow_inf_nan=False)]


class PlaceView(BaseModel):
    """Where a viewer was, and how they watched: what was selected, the video and the `position` in it in seconds.

    `captions` names those that were on; `keys` is false for who switched the keyboard shortcuts off,
    `announce`: false where screen readers are not to announce each new video.
    """

    model_config = ConfigDict(strict=True, extra="forbid")
    selection: _Text | None
    video: _Text | None
    position: Annotated[_Number, Field(ge=0)]
    volume: Annotated[_Number, Field(ge=0, le=1)]
    muted: bool
    speed: Annotated[_Number, Field(ge=0.5, le=2)]
    loop: Literal["list", "one", "shuffle"]
    captions: _Text | None
    keys: bool
    announce: bool = True


class TogetherView(BaseModel):
    """The reel of those members who take turns in it, as far as they are there."""

    members: list[str]
    reel_url: str | None


OnBehalf: TypeAlias = Literal["comment", "react", "send"]
"""What the bot can do on behalf of somebody."""


class EncryptionView(BaseModel):
    """Who agreed that playable copies of an encrypted room's videos are stored, and when, in ms since the epoch.

    `opted_in_at` is null where nobody did: no videos are taken. `opted_in_by` is null as well where that is not known
    any more, `opted_in_by_name` where they have no name here. `available`: the operator has set up encrypted rooms.
    `may_opt_in`: the viewer decides.
    """

    opted_in_by: str | None
    opted_in_by_name: str | None
    opted_in_at: int | None
    available: bool
    may_opt_in: bool


class RoomView(BaseModel):
    """A room as one viewer may see it; media addresses work until `grant_expires_at`; times in ms since the epoch.

    `direct`: two members are here, and nobody else; `bot` is no member. `together` is there when it was requested.
    `replaced_by` is a link to the room that this one was upgraded to. `can` says what the bot does on behalf of a
    viewer who is signed in without a client; nothing for others, whose clients do it. `encryption` is null where the
    room is not encrypted. `revision` is the number of the room's newest change. `next` is what `after` takes for the
    next page of a large room: members and videos besides these; null where this is the last.
    """

    room_id: str
    revision: int
    next: str | None
    name: str | None
    bot: str
    channel: str | None
    grant_expires_at: int
    now: int
    direct: bool
    schedule: ScheduleView | None
    watching: list[str]
    replaced_by: str | None
    together: TogetherView | None
    place: PlaceView | None
    members: list[MemberView]
    can: list[OnBehalf]
    encryption: EncryptionView | None


class SaidEventView(BaseModel):
    """An event that says something about a video; `content` has what is read of it, times in ms since the epoch.

    `on_behalf`: the bot sent it for its `sender`, who takes it back by `event_id`: where one event stands for several
    people, each has an id of their own.
    """

    event_id: str
    type: str
    sender: str
    origin_server_ts: int
    content: dict[str, Any]
    on_behalf: bool


class SaidView(BaseModel):
    """The relations of a video: the newest comments, in its thread, and reactions."""

    events: list[SaidEventView]


class SentView(BaseModel):
    """What the bot sent on behalf of the viewer."""

    event: SaidEventView


class SentVideoView(BaseModel):
    """The message by which the bot sent a video on behalf of the viewer."""

    event_id: str


class DeletedView(BaseModel):
    """A video that was deleted; until `undo_until` (ms since the epoch) it can be restored."""

    id: str
    undo_until: int


class BlockedView(BaseModel):
    """A file that is blocked in a room: `count` is how many videos that took away."""

    count: int


class ReportsView(BaseModel):
    """The first hundred members' reports of a video; who reported is left out. Those without words are ""."""

    reasons: list[str]


class OrderView(BaseModel):
    """A member's videos, as they are ordered now."""

    videos: list[str]


class EmptyView(BaseModel):
    """Done; the body is an empty object."""


class PendingView(BaseModel):
    """No session yet: nobody has sent the browser's code so far."""

    pending: Literal[True] = True


class ErrorView(BaseModel):
    """Every error: `errcode` as in the Matrix specification, `error` for people."""

    errcode: str
    error: str


class LimitView(ErrorView):
    """Too many requests: after `retry_after_ms` the same one may succeed, where that is known.

    A `Retry-After` header has it, too.
    """

    retry_after_ms: int | None = None
