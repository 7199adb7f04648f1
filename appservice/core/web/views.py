"""What the widget's API answers: models of the JSON, and how a room becomes one. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from appservice.core.events.behalf import Said
from appservice.core.model import HeldFor, Kind, Member, Room, RoomId, State, UserId, Video, VideoId, Visibility
from appservice.core.rules.power_levels import may_send
from appservice.core.rules.video_permissions import (
    Action,
    Viewer,
    actions,
    may_add,
    may_order,
    may_see,
    may_watch,
    waits,
)
from appservice.core.schedule import Schedule, Turn
from appservice.core.web.reels import (
    CHANNEL_KEY,
    EVERYBODY_KEY,
    by_sender,
    channel,
    for_all,
    key_of_turns,
    members_reel,
    revision_of,
    taking_turns,
    together,
)
from transcode.hls.captions import Captions
from transcode.hls.playlist import POSTER, PREVIEW
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
    """A WebVTT file of one language (BCP 47; null where nobody said which)."""

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

    `storyboard_url` is a WebVTT file that names parts of a picture, `preview_url` a short silent clip. `version` goes
    with a change of what was seen, `can` says what the viewer may do; `reports` is null but for moderators. `waits_for`
    says who decides on a held one; that operators hold it is for moderators to know. Of another it says "upload" while
    its file is still being uploaded (MSC2246). `held_for` says why it is held, `hidden_by` who hid it; both null of
    others. A sender who is no moderator sees approval and verdicts alone: for the rest `held_for` is null, too.
    Media addresses of what is not shown are there for those who decide on it.

    A `spoiler` is in no reel, and nothing of it is to be shown before somebody asks for it; `spoiler_reason` says what
    they would see. `sent_here` is false where its message is in the room that this one replaced: nobody reacts to it
    from here. `audio_left_out` says why not all of its audio is heard, or none; null where nothing is missing. The
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
    """A joined member with the reel that plays, and all videos in its order; `video_avatar` is a short silent clip."""

    user_id: str
    display_name: str | None
    avatar_url: str | None
    video_avatar: str | None
    reel_url: str | None
    can: list[str]
    videos: list[VideoView]


class TurnView(BaseModel):
    """A video's turn in the channel: `duration` in seconds."""

    id: str
    duration: float


class ScheduleView(BaseModel):
    """What the channel shows: `items` again and again from `starts_at` (ms since the epoch) on, till then `before`."""

    starts_at: int
    items: list[TurnView]
    before: TurnView | None


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
    """The data of a `talk` event: what was said about the event `event_id` is to be fetched again.

    It is a video's message that somebody answered in a thread or reacted to, or any event of the room that was edited
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


class RoomView(BaseModel):
    """A room as one viewer may see it; media addresses work until `grant_expires_at`; times in ms since the epoch.

    `direct`: two members talk here, and nobody else; `bot` is no member. `together` is there when it was asked for.
    `replaced_by` is a link to the room that this one was upgraded to. `can` says what the bot does on behalf of a
    viewer who is signed in without a client; nothing for others, whose clients do it.
    """

    room_id: str
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
    """What is said about a video: the newest comments, in its thread, and reactions."""

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
    """The first hundred of what members said against a video; who said so is not told. Those without words say ""."""

    reasons: list[str]


class OrderView(BaseModel):
    """A member's videos, as they are ordered now."""

    videos: list[str]


class EmptyView(BaseModel):
    """Done; there is nothing to tell."""


class SessionView(BaseModel):
    """A session: `expires_at` in ms since the epoch, `can` names what the user may do in the room.

    `room` is there when it was asked for; `asked_at`, in ms since the epoch, is when the request came.
    """

    token: str
    expires_at: int
    user_id: str
    room_id: str
    can: list[str]
    asked_at: int
    room: RoomView | None


class PendingView(BaseModel):
    """No session yet: nobody has sent the browser's code so far."""

    pending: Literal[True] = True


@dataclass(frozen=True, slots=True)
class Grant:
    """A media grant as its path prefix `{exp}.{sig}/{scope}`, with its end in ms since the epoch."""

    path: str
    expires_at: int

    @property
    def base(self) -> str:
        """The path below which all of the room's media lie for this viewer."""
        return f"/media/{self.path}"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What the channel shows when (None: nothing), who watches, and the time by which it goes, in ms."""

    schedule: Schedule | None
    watching: Sequence[UserId]
    now: int


def room_view(
    room: Room,
    members: Sequence[Member],
    videos: Sequence[Video],
    viewer: Viewer,
    grant: Grant,
    live: Broadcast,
    bot: UserId,
    place: PlaceView | None = None,
    reports: Mapping[VideoId, int] | None = None,
    asked: Sequence[str] = (),
    can: Sequence[OnBehalf] = (),
) -> RoomView:
    """Return the room for `viewer`: members with videos first, the latest sent first; then the others by name.

    `members` are those who are there, without the bot; `asked` is who is to take turns in a reel (`together_view`).
    """
    seen = [video for video in videos if may_see(video, viewer)]
    sent = by_sender(seen)
    latest: dict[UserId, int] = {}
    for video in seen:
        latest[video.sender] = max(latest.get(video.sender, 0), video.created_at)
    ordered = sorted(
        members, key=lambda m: (-latest.get(m.user_id, -1), (m.display_name or m.user_id[1:]).casefold(), m.user_id)
    )
    return RoomView(
        room_id=room.room_id,
        name=room.name,
        bot=bot,
        channel=_reel_url(grant, CHANNEL_KEY, channel(for_all(videos, members))),
        grant_expires_at=grant.expires_at,
        now=live.now,
        schedule=_schedule_view(live.schedule) if live.schedule else None,
        watching=list(live.watching),
        replaced_by=_link(room.replaced_by, bot) if room.replaced_by else None,
        place=place,
        direct=len(members) == 2,
        can=list(can),
        together=together_view(members, videos, asked, grant),
        members=[
            _member_view(member, sent.get(member.user_id, []), room, viewer, grant, reports) for member in ordered
        ],
    )


def on_behalf(room: Room, viewer: Viewer, bot: UserId) -> list[OnBehalf]:
    """Return what the bot may do on behalf of a member: what both may do themselves; nothing in encrypted rooms."""
    if room.encrypted:
        return []
    both = (viewer.user_id, bot)
    speaks, reacts = (
        all(may_send(room.power_levels, user_id, kind, room.creators) for user_id in both)
        for kind in ("m.room.message", "m.reaction")
    )
    allowed: dict[OnBehalf, bool] = {
        "comment": speaks, "react": reacts, "send": speaks and may_add(viewer, room.settings),
    }  # fmt: skip
    return [what for what, may in allowed.items() if may]


def said_view(said: Said) -> SaidEventView:
    """Return an event as JSON."""
    return SaidEventView(
        event_id=said.event_id, type=said.type, sender=said.sender, origin_server_ts=said.sent_at, content=said.content,
        on_behalf=said.on_behalf,
    )  # fmt: skip


def _link(room_id: RoomId, bot: UserId) -> str:
    """Return a link to a room that the bot is in, or will be (client-server API, "matrix.to navigation")."""
    server = bot.partition(":")[2]
    return f"https://matrix.to/#/{quote(room_id, safe='!:')}?via={quote(server, safe=':[]')}"


EVERYBODY = "*"
"""What stands for all members where some are asked for."""


def together_view(
    members: Sequence[Member], videos: Sequence[Video], asked: Sequence[str], grant: Grant
) -> TogetherView | None:
    """Return the reel in which the asked members (or EVERYBODY) take turns; None when nobody asked."""
    if not asked:
        return None
    everybody = EVERYBODY in asked
    people = taking_turns([member for member in members if everybody or member.user_id in asked])
    senders = [member.user_id for member in people]
    key = EVERYBODY_KEY if everybody else key_of_turns(people)
    return TogetherView(members=list(senders), reel_url=_reel_url(grant, key, together(videos, senders)))


def _schedule_view(schedule: Schedule) -> ScheduleView:
    return ScheduleView(
        starts_at=schedule.starts_at,
        items=[_turn_view(turn) for turn in schedule.items],
        before=_turn_view(schedule.before) if schedule.before else None,
    )


def _turn_view(turn: Turn) -> TurnView:
    return TurnView(id=turn.id, duration=turn.duration / 1000)


def _member_view(
    member: Member, videos: Sequence[Video], room: Room, viewer: Viewer, grant: Grant,
    reports: Mapping[VideoId, int] | None,
) -> MemberView:  # fmt: skip
    return MemberView(
        user_id=member.user_id,
        display_name=member.display_name,
        avatar_url=f"{grant.base}/avatar/{member.key}" if member.avatar_mxc else None,
        video_avatar=next(
            (
                _preview_url(video, viewer, grant)
                for video in videos
                if video.id == member.avatar_video and video.plays_by_itself
            ),
            None,
        ),
        reel_url=_reel_url(grant, str(member.key), members_reel(videos, member.user_id)),
        can=["order"] if may_order(member.user_id, viewer, room.settings) else [],
        videos=[
            video_view(video, viewer, grant, is_avatar=video.id == member.avatar_video, reports=reports)
            for video in videos
        ],
    )


def _reel_url(grant: Grant, key: str, videos: Sequence[Video]) -> str | None:
    return f"{grant.base}/reel/{key}/{revision_of(videos)}/index.m3u8" if videos else None


def _folder(video: Video, viewer: Viewer, grant: Grant) -> str | None:
    return f"{grant.base}/v/{video.id}/{video.stage}" if video.has_media and may_watch(video, viewer) else None


def _preview_url(video: Video, viewer: Viewer, grant: Grant) -> str | None:
    folder = _folder(video, viewer, grant)
    return f"{folder}/{PREVIEW}" if folder and video.has_preview else None


def _waits_for(video: Video, viewer: Viewer) -> WaitsFor | None:
    if video.visibility is not Visibility.HELD:
        return "upload" if video.awaits_upload else None
    if video.held_for is HeldFor.VERDICT:
        return "verdict"
    return "operator" if viewer.moderates and not waits(video) else "moderator"


def _held_for(video: Video, viewer: Viewer) -> HeldFor | None:
    if video.visibility is not Visibility.HELD:
        return None
    reason = video.held_for or HeldFor.APPROVAL
    # Nobody is warned that an operator looks into what they send, or that others reported it.
    return reason if viewer.moderates or reason in {HeldFor.APPROVAL, HeldFor.VERDICT} else None


def _hidden_by(video: Video, viewer: Viewer) -> HiddenBy | None:
    if video.visibility is not Visibility.HIDDEN:
        return None
    if video.hidden_by == viewer.user_id:
        return "viewer"
    return "sender" if video.hidden_by == video.sender else "moderator"


def video_view(
    video: Video, viewer: Viewer, grant: Grant, *, is_avatar: bool, reports: Mapping[VideoId, int] | None
) -> VideoView:
    """Return a video for `viewer`, who may see it; `reports` is None for those who are not to know of any."""
    folder = _folder(video, viewer, grant)
    at_work = video.state in {State.PROCESSING, State.PLAYABLE} and video.percent is not None
    return VideoView(
        id=video.id,
        event_id=video.event_id,
        sent_here=video.sent_in == video.room_id,
        title=video.title,
        kind=video.kind,
        state=video.state,
        visibility=video.visibility,
        waits_for=_waits_for(video, viewer),
        held_for=_held_for(video, viewer),
        hidden_by=_hidden_by(video, viewer),
        duration=video.duration,
        width=video.width,
        height=video.height,
        poster_url=f"{folder}/{POSTER}" if folder and video.has_poster else None,
        playlist_url=f"{folder}/index.m3u8" if folder else None,
        storyboard_url=f"{folder}/storyboard.vtt" if folder and video.storyboard else None,
        preview_url=_preview_url(video, viewer, grant),
        blurhash=video.blurhash,
        progress=ProgressView(percent=video.percent or 0, remaining=video.remaining) if at_work else None,
        created_at=video.created_at,
        failure=FailureView(code=video.failure) if video.failure else None,
        captions=[captions_view(each, folder) for each in video.captions] if folder else [],
        version=video.version,
        can=actions(video, viewer, is_avatar=is_avatar),
        published=video.published,
        is_video_avatar=is_avatar,
        reports=None if reports is None else reports.get(video.id, 0),
        spoiler=video.spoiler,
        spoiler_reason=video.spoiler_reason,
        audio_left_out=video.audio_left_out,
    )
