"""A member's public page as data: what a script reads, and what a template shows. Pure."""

from collections.abc import Sequence
from urllib.parse import quote

from pydantic import BaseModel

from appservice.core.model import Kind, PublicMember, UserId, Video
from appservice.core.web.reels import revision_of
from appservice.core.web.views import CaptionsView, captions_view
from transcode.hls.playlist import POSTER, Rendition

_PROGRESSIVE_LINES = 720


class PublicVideoView(BaseModel):
    """A published video: `duration` in seconds, `created_at` in ms since the epoch, addresses relative to our root.

    `video_url` is the whole in one file.
    """

    id: str
    title: str
    kind: Kind
    duration: float
    width: int
    height: int
    video_url: str
    poster_url: str | None
    storyboard_url: str | None
    blurhash: str | None
    captions: list[CaptionsView]
    created_at: int


class PublicMemberView(BaseModel):
    """What a member shows to everybody, in the order of the reel."""

    user_id: str
    display_name: str | None
    avatar_url: str | None
    reel_url: str
    videos: list[PublicVideoView]


def member_path(user_id: UserId) -> str:
    """Return the path of a member's page."""
    return f"/u/{quote(user_id, safe='@:')}"


def member_view(member: PublicMember) -> PublicMemberView:
    """Return a member's page as data."""
    root = member_path(member.user_id)
    return PublicMemberView(
        user_id=member.user_id,
        display_name=member.display_name,
        avatar_url=f"{root}/avatar" if member.avatar_mxc else None,
        reel_url=f"{root}/reel/{revision_of(member.videos)}/index.m3u8",
        videos=[_video_view(video, f"{root}/v/{video.id}/{video.media.stage}") for video in member.videos],
    )


def _video_view(video: Video, folder: str) -> PublicVideoView:
    return PublicVideoView(
        id=video.id,
        title=video.title,
        kind=video.kind,
        duration=video.media.duration or 0.0,
        width=video.media.width or 0,
        height=video.media.height or 0,
        video_url=f"{folder}/video.mp4",
        poster_url=f"{folder}/{POSTER}" if video.media.has_poster else None,
        storyboard_url=f"{folder}/storyboard.vtt" if video.media.storyboard else None,
        blurhash=video.media.blurhash,
        captions=[captions_view(each, folder) for each in video.media.captions],
        created_at=video.created_at,
    )


def progressive(renditions: Sequence[Rendition]) -> list[Rendition]:
    """Return which rendition is served in one file: the best one of at most 720 lines, else the smallest.

    The others follow: an earlier stage may not have it.
    """
    small = [each for each in renditions if each.short_side <= _PROGRESSIVE_LINES]
    large = [each for each in renditions if each.short_side > _PROGRESSIVE_LINES]
    # Best first, then smallest.
    return sorted(small, key=lambda each: -each.short_side) + sorted(large, key=lambda each: each.short_side)


def spoken_length(seconds: float) -> str:
    """Return a length as `0:07`, `12:34` or `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def machine_length(seconds: float) -> str:
    """Return a length as HTML's `time` element takes it (ISO 8601)."""
    return f"PT{int(seconds)}S"
