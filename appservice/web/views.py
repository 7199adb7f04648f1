"""What the widget's API answers: models of the JSON, and how a room becomes one. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from appservice.model import Member, Room, State, UserId, Video, Visibility
from appservice.web.reels import CHANNEL_KEY, channel, members_reel, revision_of
from transcode.playlist import POSTER, PREVIEW


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


class VideoView(BaseModel):
    """A video: `duration` in seconds, `created_at` in ms since the epoch, addresses relative to our root.

    `storyboard_url` is a WebVTT file that names parts of a picture, `preview_url` a short silent clip.
    """

    id: str
    event_id: str
    title: str
    state: State
    visibility: Visibility
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


class MemberView(BaseModel):
    """A joined member with the reel that plays, and all videos in its order."""

    user_id: str
    display_name: str | None
    avatar_url: str | None
    video_avatar: str | None
    reel_url: str | None
    videos: list[VideoView]


class RoomView(BaseModel):
    """A room as one viewer may see it; media addresses work until `grant_expires_at` (ms since the epoch)."""

    room_id: str
    name: str | None
    channel: str | None
    grant_expires_at: int
    members: list[MemberView]


class SessionView(BaseModel):
    """A session: `expires_at` in ms since the epoch, `can` names what the user may do in the room."""

    token: str
    expires_at: int
    user_id: str
    room_id: str
    can: list[str]


@dataclass(frozen=True, slots=True)
class Grant:
    """A media grant as its path prefix `{exp}.{sig}/{scope}`, with its end in ms since the epoch."""

    path: str
    expires_at: int

    @property
    def base(self) -> str:
        """The path below which all of the room's media lie for this viewer."""
        return f"/media/{self.path}"


def room_view(room: Room, members: Sequence[Member], videos: Sequence[Video], viewer: UserId, grant: Grant) -> RoomView:
    """Return the room for `viewer`: members with videos first, the latest sent first; then the others by name."""
    seen = [video for video in videos if _may_see(video, viewer)]
    latest: dict[UserId, int] = {}
    for video in seen:
        latest[video.sender] = max(latest.get(video.sender, 0), video.created_at)
    ordered = sorted(
        members, key=lambda m: (-latest.get(m.user_id, -1), (m.display_name or m.user_id[1:]).casefold(), m.user_id)
    )
    present = {member.user_id for member in members}
    return RoomView(
        room_id=room.room_id,
        name=room.name,
        channel=_reel_url(grant, CHANNEL_KEY, channel([v for v in videos if v.sender in present])),
        grant_expires_at=grant.expires_at,
        members=[_member_view(member, seen, grant) for member in ordered],
    )


def _may_see(video: Video, viewer: UserId) -> bool:
    if video.sender == viewer:
        return video.visibility is not Visibility.REMOVED
    return video.visibility is Visibility.SHOWN and video.state is not State.FAILED


def _member_view(member: Member, videos: Sequence[Video], grant: Grant) -> MemberView:
    return MemberView(
        user_id=member.user_id,
        display_name=member.display_name,
        avatar_url=f"{grant.base}/avatar/{member.key}" if member.avatar_mxc else None,
        video_avatar=None,
        reel_url=_reel_url(grant, str(member.key), members_reel(videos, member.user_id)),
        videos=[_video_view(video, grant) for video in videos if video.sender == member.user_id],
    )


def _reel_url(grant: Grant, key: str, videos: Sequence[Video]) -> str | None:
    return f"{grant.base}/reel/{key}/{revision_of(videos)}/index.m3u8" if videos else None


def _video_view(video: Video, grant: Grant) -> VideoView:
    folder = f"{grant.base}/v/{video.id}/{video.stage}" if video.is_playable else None
    at_work = video.state in {State.PROCESSING, State.PLAYABLE} and video.percent is not None
    return VideoView(
        id=video.id,
        event_id=video.event_id,
        title=video.title,
        state=video.state,
        visibility=video.visibility,
        duration=video.duration,
        width=video.width,
        height=video.height,
        poster_url=f"{folder}/{POSTER}" if folder and video.has_poster else None,
        playlist_url=f"{folder}/index.m3u8" if folder else None,
        storyboard_url=f"{folder}/storyboard.vtt" if folder and video.storyboard else None,
        preview_url=f"{folder}/{PREVIEW}" if folder and video.has_preview else None,
        blurhash=video.blurhash,
        progress=ProgressView(percent=video.percent or 0, remaining=video.remaining) if at_work else None,
        created_at=video.created_at,
        failure=FailureView(code=video.failure) if video.failure else None,
    )
