"""Permissions on a video, and what a change makes of it. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from appservice.core.errors import BadJsonError, ConflictError, ForbiddenError, NeverPublicError, NotFoundError
from appservice.core.model import FOR_MODERATORS, UserId, Video, VideoId, Visibility
from appservice.core.room import Room
from appservice.core.rules.power_levels import is_moderator
from appservice.core.settings import RoomSettings, Who

UNDO_S = 8.0
"""Seconds for which a deletion can be undone: everything is to be gone ten seconds after it."""


class Action(StrEnum):
    """What a viewer may do with a video, by the names of the API."""

    RENAME = "rename"
    HIDE = "hide"
    SHOW = "show"
    DELETE = "delete"
    AVATAR = "avatar"
    PUBLISH = "publish"
    REPORT = "report"
    REJECT = "reject"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Viewer:
    """The caller, and whether the room's power levels make them a moderator; `in_encrypted`: the room is encrypted."""

    user_id: UserId
    moderates: bool
    in_encrypted: bool = False


def viewer_in(room: Room, user_id: UserId) -> Viewer:
    """Return who somebody is in a room, by its power levels."""
    return Viewer(user_id, is_moderator(room.power_levels, user_id, room.creators), in_encrypted=room.encrypted)


@dataclass(frozen=True, slots=True)
class VideoChange:
    """What is to become of a video; None leaves a thing as it is. `version` is the one that its author saw."""

    title: str | None = None
    visibility: Visibility | None = None
    published: bool | None = None
    video_avatar: bool | None = None
    version: int | None = None


def may_see(video: Video, viewer: Viewer) -> bool:
    """Say whether a member of the room knows of a video: moderators see what is hidden from the others."""
    if video.visibility is Visibility.REMOVED:
        return False
    if video.sender == viewer.user_id:
        return True
    return video.failure is None and (video.visibility is Visibility.SHOWN or viewer.moderates)


def may_watch(video: Video, viewer: Viewer) -> bool:
    """Say whether a viewer is served the media: of what is not shown, whoever decides whether it is.

    What its sender hid, moderators cannot show; what others than the room's moderators hold, nobody of the room can.
    """
    return video.visibility is Visibility.SHOWN or _may_show(video, viewer)


def actions(video: Video, viewer: Viewer, *, is_avatar: bool) -> list[Action]:
    """Return what a viewer who sees a video may do with it.

    Nobody makes public what another sent, or wears it; moderators may take both back.
    """
    own, moderates = video.sender == viewer.user_id, viewer.moderates
    if not own and not moderates:
        return [Action.REPORT]
    allowed = {
        Action.RENAME: True,
        Action.HIDE: video.visibility is Visibility.SHOWN,
        Action.SHOW: _may_show(video, viewer),
        Action.DELETE: True,
        Action.AVATAR: is_avatar or (own and video.plays_by_itself),
        Action.PUBLISH: video.published or (own and video.plays_by_itself and not _is_private(video, viewer)),
        Action.REJECT: moderates and waits(video),
        Action.BLOCK: moderates,
    }
    return [action for action, may in allowed.items() if may]


def _is_private(video: Video, viewer: Viewer) -> bool:
    return video.media.encrypted or viewer.in_encrypted


def _may_show(video: Video, viewer: Viewer) -> bool:
    if video.visibility is Visibility.HIDDEN:
        # A video that its sender hid is theirs alone to show.
        by_sender = video.withheld.hidden_by == video.sender
        return viewer.user_id == video.sender if by_sender else viewer.moderates
    return waits(video) and viewer.moderates


def waits(video: Video) -> bool:
    """Say whether a video waits for the decision of a moderator of its room."""
    return video.visibility is Visibility.HELD and (
        video.withheld.held_for is None or video.withheld.held_for in FOR_MODERATORS
    )


def managed(video: Video, change: VideoChange, viewer: Viewer, *, is_avatar: bool) -> tuple[Video, bool]:
    """Return a video as `viewer` changes it, and whether it is its sender's avatar; what it has already is no change.

    What is hidden, and waits for a moderator as well, is held once its sender shows it.

    Raises ForbiddenError when the viewer may not, ConflictError when they looked at another version.
    """
    own = video.sender == viewer.user_id
    if not own and not viewer.moderates:
        raise ForbiddenError("Only its sender and the room's moderators may change a video.")
    if not own and (change.published or change.video_avatar):
        raise ForbiddenError("Only its sender may publish a video, or make it their avatar.")
    if video.spoiler and (change.published or change.video_avatar):
        raise ForbiddenError("This is a spoiler: it cannot be an avatar or public, for nobody chose to see it there.")
    if change.published and not video.published and _is_private(video, viewer):
        raise NeverPublicError("This video is encrypted on this server: it cannot be shown on a public page.")
    _require(_needed(video, change, is_avatar=is_avatar), actions(video, viewer, is_avatar=is_avatar))
    if change.version is not None and change.version != video.version:
        raise ConflictError("Somebody changed this video in the meantime. Look at it again.")
    visibility = change.visibility or video.visibility
    if change.visibility is Visibility.SHOWN and video.withheld.held_for is not None and not viewer.moderates:
        # Nobody else saw yet what an edit brought while it was hidden.
        visibility = Visibility.HELD
    hidden_by = video.withheld.hidden_by if visibility is video.visibility else viewer.user_id
    changed = replace(
        video,
        title=video.title if change.title is None else change.title,
        visibility=visibility,
        withheld=replace(video.withheld, hidden_by=hidden_by if visibility is Visibility.HIDDEN else None),
        published=video.published if change.published is None else change.published,
    )
    return changed, is_avatar if change.video_avatar is None else change.video_avatar


def _needed(video: Video, change: VideoChange, *, is_avatar: bool) -> set[Action]:
    needed = {
        Action.RENAME: change.title not in {None, video.title},
        Action.HIDE: change.visibility is Visibility.HIDDEN and video.visibility is not Visibility.HIDDEN,
        Action.SHOW: change.visibility is Visibility.SHOWN and video.visibility is not Visibility.SHOWN,
        Action.PUBLISH: change.published not in {None, video.published},
        Action.AVATAR: change.video_avatar not in {None, is_avatar},
    }
    return {action for action, is_needed in needed.items() if is_needed}


def require(action: Action, video: Video, viewer: Viewer) -> None:
    """Raise ForbiddenError unless the viewer may do it."""
    _require({action}, actions(video, viewer, is_avatar=False))


def _require(needed: set[Action], allowed: Collection[Action]) -> None:
    missing = sorted(needed - set(allowed))
    if missing:
        raise ForbiddenError(f"You may not {missing[0]} this video.")


def check_delete(video: Video, viewer: Viewer) -> None:
    """Raise NotFoundError or ForbiddenError unless the viewer may delete a video."""
    if not may_see(video, viewer):
        raise NotFoundError("There is no such video.")
    require(Action.DELETE, video, viewer)


def check_report(video: Video, viewer: Viewer) -> None:
    """Raise NotFoundError or ForbiddenError unless the viewer may report a video."""
    if not may_see(video, viewer):
        raise NotFoundError("There is no such video.")
    if video.sender == viewer.user_id:
        raise ForbiddenError("You need not report your own video: delete it.")


def check_dismiss(video: Video, viewer: Viewer) -> None:
    """Raise NotFoundError or ForbiddenError unless the viewer decides what comes of reports on a video."""
    if not may_see(video, viewer):
        raise NotFoundError("There is no such video.")
    if not viewer.moderates:
        raise ForbiddenError("Only the room's moderators may do this.")


def check_block(video: Video, viewer: Viewer) -> None:
    """Raise NotFoundError or ForbiddenError unless the viewer may block a video's file in its room."""
    if not may_see(video, viewer):
        raise NotFoundError("There is no such video.")
    require(Action.BLOCK, video, viewer)


def check_restore(video: Video, viewer: Viewer) -> None:
    """Raise NotFoundError or ForbiddenError unless the viewer may bring back a video that was deleted.

    Nobody learns of videos that are not theirs. What a moderator took away, only moderators bring back; and what its
    sender took away, the sender alone.
    """
    if video.sender != viewer.user_id and not viewer.moderates:
        raise NotFoundError("There is no such video.")
    if video.withheld.deleted_by in {None, viewer.user_id}:
        return
    if video.withheld.deleted_by == video.sender:
        raise ForbiddenError("Its sender deleted this video.")
    if not viewer.moderates:
        raise ForbiddenError("A moderator deleted this video.")


def check_undo(video: Video, actor: UserId) -> None:
    """Raise ForbiddenError unless it was `actor` who took a video away."""
    if video.withheld.deleted_by != actor:
        raise ForbiddenError("Somebody else deleted this video.")


def check_decide(video: Video, viewer: Viewer) -> None:
    """Raise NotFoundError, ForbiddenError or ConflictError unless the viewer may decide on a video that waits."""
    if not may_see(video, viewer):
        raise NotFoundError("There is no such video.")
    if not viewer.moderates:
        raise ForbiddenError("Only the room's moderators may do this.")
    if not waits(video):
        raise ConflictError("This video does not wait for a decision any more.")


def may_add(viewer: Viewer, settings: RoomSettings) -> bool:
    """Say whether somebody may add videos to a room."""
    return viewer.moderates or settings.add is Who.MEMBERS


def may_order(owner: UserId, viewer: Viewer, settings: RoomSettings) -> bool:
    """Say whether a viewer may change the order of a member's videos."""
    return viewer.moderates or (viewer.user_id == owner and settings.order is Who.MEMBERS)


def reordered(current: Sequence[VideoId], wanted: Sequence[VideoId], base: Sequence[VideoId] | None) -> list[VideoId]:
    """Return `current` as `wanted`; what its author did not know of stays behind, in its old order.

    What was deleted meanwhile is left out. Raises BadJsonError for a video twice, and ConflictError when the order that
    its author saw (`base`) is not the present one of the same videos.
    """
    if len(set(wanted)) != len(wanted):
        raise BadJsonError("A video stands in the order twice.")
    known = set(current)
    if base is not None:
        seen = set(base)
        if [video for video in base if video in known] != [video for video in current if video in seen]:
            raise ConflictError("Somebody changed the order in the meantime. Look at it again.")
    ordered = set(wanted)
    return [video for video in wanted if video in known] + [video for video in current if video not in ordered]


def moved(current: Sequence[VideoId], video: VideoId, where: int | str) -> list[VideoId]:
    """Return an order with one video at another position: a number from 1 on, or up, down, first or last.

    A number beyond the end is the end. Raises NotFoundError when the video is not there (any more).
    """
    if video not in current:
        raise NotFoundError("There is no such video.")
    here, rest = list(current).index(video), [each for each in current if each != video]
    indices = {"up": here - 1, "down": here + 1, "first": 0, "last": len(rest)}
    index = indices[where] if isinstance(where, str) else where - 1
    index = min(max(index, 0), len(rest))
    return [*rest[:index], video, *rest[index:]]
