"""The widget API's JSON of a room, and of a video, for one viewer. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from appservice.core.events.relations import Relation
from appservice.core.model import HeldFor, RoomId, State, UserId, Video, VideoId, Visibility
from appservice.core.room import Member, Room
from appservice.core.rules.opt_in import may_opt_in
from appservice.core.rules.power_levels import may_send
from appservice.core.rules.video_permissions import (
    Viewer,
    actions,
    may_add,
    may_order,
    may_see,
    may_watch,
    waits,
)
from appservice.core.schedule import Schedule
from appservice.core.tokens import Grant
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
from appservice.core.web.schedule_view import schedule_view
from appservice.core.web.views import (
    EncryptionView,
    FailureView,
    HiddenBy,
    MemberView,
    OnBehalf,
    PlaceView,
    ProgressView,
    RoomView,
    SaidEventView,
    TogetherView,
    VideoView,
    WaitsFor,
    captions_view,
)
from transcode.hls.playlist import POSTER, PREVIEW


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What the channel shows when (None: nothing), who watches, and the time by which it goes, in ms."""

    schedule: Schedule | None
    watching: Sequence[UserId]
    now: int


@dataclass(frozen=True, slots=True)
class RoomNow:
    """A room as it is now; `members` without the bot. `reports` of its videos are for moderators: None for others.

    `encrypted_rooms`: they are served.
    """

    room: Room
    members: Sequence[Member]
    videos: Sequence[Video]
    live: Broadcast
    bot: UserId
    reports: Mapping[VideoId, int] | None = None
    encrypted_rooms: bool = False
    revision: int = 0


def room_view(
    now: RoomNow,
    viewer: Viewer,
    grant: Grant,
    *,
    bookmark: PlaceView | None = None,
    turns: Sequence[str] = (),
    can: Sequence[OnBehalf] = (),
) -> RoomView:
    """Return the room for `viewer`: members with videos first, the latest sent first; then the others by name.

    `turns` is who is to take turns in a reel (`together_view`), `can` what the bot may do on the viewer's behalf.
    """
    room, members, videos, live = now.room, now.members, now.videos, now.live
    base = f"{grant.base}/"
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
        revision=now.revision,
        next=None,
        name=room.name,
        bot=now.bot,
        channel=reel_url(base, CHANNEL_KEY, channel(for_all(videos, members))),
        grant_expires_at=grant.expires_at,
        now=live.now,
        schedule=schedule_view(live.schedule, live.now) if live.schedule else None,
        watching=list(live.watching),
        replaced_by=link(room.replaced_by, now.bot) if room.replaced_by else None,
        place=bookmark,
        direct=len(members) == 2,
        can=list(can),
        encryption=encryption_view(room, members, viewer, available=now.encrypted_rooms),
        together=together_view(members, videos, turns, base),
        members=[
            _member_view(member, sent.get(member.user_id, []), room, viewer, base, now.reports) for member in ordered
        ],
    )


def encryption_view(room: Room, members: Sequence[Member], viewer: Viewer, *, available: bool) -> EncryptionView | None:
    """Return who opted an encrypted room in, None for a room that is not encrypted."""
    if not room.encrypted:
        return None
    name = next((member.display_name for member in members if member.user_id == room.opted_in_by), None)
    return EncryptionView(
        opted_in_by=room.opted_in_by or None,
        opted_in_by_name=name,
        opted_in_at=round(room.opted_in_at.timestamp() * 1000) if room.opted_in_at else None,
        available=available,
        may_opt_in=may_opt_in(room, viewer),
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


def relation_view(relation: Relation) -> SaidEventView:
    """Return an event as JSON."""
    return SaidEventView(
        event_id=relation.event_id, type=relation.type, sender=relation.sender, origin_server_ts=relation.sent_at,
        content=relation.content, on_behalf=relation.on_behalf,
    )  # fmt: skip


def link(room_id: RoomId, bot: UserId) -> str:
    """Return a link to a room that the bot is in, or will be (client-server API, "matrix.to navigation")."""
    server = bot.partition(":")[2]
    return f"https://matrix.to/#/{quote(room_id, safe='!:')}?via={quote(server, safe=':[]')}"


EVERYBODY = "*"
"""What stands for all members where some are requested."""


def together_view(
    members: Sequence[Member], videos: Sequence[Video], turns: Sequence[str], base: str
) -> TogetherView | None:
    """Return the reel in which the requested members (or EVERYBODY) take turns; None when nobody is requested."""
    if not turns:
        return None
    everybody = EVERYBODY in turns
    people = taking_turns([member for member in members if everybody or member.user_id in turns])
    senders = [member.user_id for member in people]
    key = EVERYBODY_KEY if everybody else key_of_turns(people)
    return TogetherView(members=list(senders), reel_url=reel_url(base, key, together(videos, senders)))


def _member_view(
    member: Member, videos: Sequence[Video], room: Room, viewer: Viewer, base: str,
    reports: Mapping[VideoId, int] | None,
) -> MemberView:  # fmt: skip
    return MemberView(
        user_id=member.user_id,
        display_name=member.display_name,
        avatar_url=f"{base}avatar/{member.key}" if member.avatar_mxc else None,
        video_avatar=next(
            (
                preview_url(video, viewer, base)
                for video in videos
                if video.id == member.avatar_video and video.plays_by_itself
            ),
            None,
        ),
        reel_url=reel_url(base, str(member.key), members_reel(videos, member.user_id)),
        can=["order"] if may_order(member.user_id, viewer, room.settings) else [],
        count=len(videos),
        playable=sum(video.has_media for video in videos),
        videos=[
            video_view(video, viewer, base, is_avatar=video.id == member.avatar_video, reports=reports)
            for video in videos
        ],
    )


def reel_url(base: str, key: str, videos: Sequence[Video]) -> str | None:
    """Return the address of the reel that plays these videos, None for none."""
    return f"{base}reel/{key}/{revision_of(videos)}/index.m3u8" if videos else None


def _folder(video: Video, viewer: Viewer, base: str) -> str | None:
    return f"{base}v/{video.id}/{video.media.stage}" if video.has_media and may_watch(video, viewer) else None


def preview_url(video: Video, viewer: Viewer, base: str) -> str | None:
    """Return the address of a short silent clip, None where there is none for the viewer."""
    folder = _folder(video, viewer, base)
    return f"{folder}/{PREVIEW}" if folder and video.media.has_preview else None


def _waits_for(video: Video, viewer: Viewer) -> WaitsFor | None:
    if video.visibility is not Visibility.HELD:
        return "upload" if video.awaits_upload else None
    if video.withheld.held_for is HeldFor.VERDICT:
        return "verdict"
    return "operator" if viewer.moderates and not waits(video) else "moderator"


def _held_for(video: Video, viewer: Viewer) -> HeldFor | None:
    if video.visibility is not Visibility.HELD:
        return None
    reason = video.withheld.held_for or HeldFor.APPROVAL
    # Nobody is warned that an operator looks into what they send, or that others reported it.
    return reason if viewer.moderates or reason in {HeldFor.APPROVAL, HeldFor.VERDICT} else None


def _hidden_by(video: Video, viewer: Viewer) -> HiddenBy | None:
    if video.visibility is not Visibility.HIDDEN:
        return None
    if video.withheld.hidden_by == viewer.user_id:
        return "viewer"
    return "sender" if video.withheld.hidden_by == video.sender else "moderator"


def video_view(
    video: Video, viewer: Viewer, base: str, *, is_avatar: bool, reports: Mapping[VideoId, int] | None
) -> VideoView:
    """Return a video for `viewer`, who may see it; `reports` is None for those who are not to know of any.

    `base` is what media addresses begin with, up to a slash.
    """
    folder = _folder(video, viewer, base)
    at_work = video.state in {State.PROCESSING, State.PLAYABLE} and video.work.percent is not None
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
        duration=video.media.duration,
        width=video.media.width,
        height=video.media.height,
        poster_url=f"{folder}/{POSTER}" if folder and video.media.has_poster else None,
        playlist_url=f"{folder}/index.m3u8" if folder else None,
        storyboard_url=f"{folder}/storyboard.vtt" if folder and video.media.storyboard else None,
        preview_url=preview_url(video, viewer, base),
        blurhash=video.media.blurhash,
        progress=ProgressView(percent=video.work.percent or 0, remaining=video.work.remaining) if at_work else None,
        created_at=video.created_at,
        failure=FailureView(code=video.failure) if video.failure else None,
        captions=[captions_view(each, folder) for each in video.media.captions] if folder else [],
        version=video.version,
        can=actions(video, viewer, is_avatar=is_avatar),
        published=video.published,
        is_video_avatar=is_avatar,
        reports=None if reports is None else reports.get(video.id, 0),
        spoiler=video.spoiler is not None,
        spoiler_reason=video.spoiler.reason if video.spoiler else None,
        audio_left_out=video.media.audio_left_out,
    )
