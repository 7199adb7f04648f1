"""The status of a video as the bot posts it at its message: marks (reactions), and one notice. Pure."""

from enum import StrEnum

from appservice.core.model import HeldFor, State, Video, Visibility
from appservice.core.settings import Status

OLD_S = 3600
"""A video that was sent longer ago, in seconds, gets no notice: it was found by backfill."""


class Mark(StrEnum):
    """What the bot says: four reactions to the message of the video, and a notice in its thread."""

    AWAITED = "awaited"
    WORKING = "working"
    PLAYABLE = "playable"
    FAILED = "failed"
    NOTICE = "notice"


KEYS = {Mark.AWAITED: "📤", Mark.WORKING: "⏳", Mark.PLAYABLE: "▶️", Mark.FAILED: "⚠️"}
"""The reactions' keys (`m.annotation`)."""


def marks(video: Video, status: Status, *, now: int, posted: bool) -> set[Mark]:
    """Return the marks that a video is to have at `now` (ms since the epoch); `posted`: something was posted before."""
    if video.visibility is Visibility.REMOVED or status is Status.OFF:
        return set()
    if not posted and (video.arrival.of_before or now - video.created_at > OLD_S * 1000):
        return set()
    reactions = status is Status.REACTIONS
    if video.state is State.FAILED:
        return {Mark.NOTICE, Mark.FAILED} if reactions else {Mark.NOTICE}
    return _unfailed(video, reactions=reactions, posted=posted) | _warned(video)


def _warned(video: Video) -> set[Mark]:
    return {Mark.NOTICE} if video.is_playable and video.media.audio_left_out else set()


def _unfailed(video: Video, *, reactions: bool, posted: bool) -> set[Mark]:
    if reactions and video.withheld.held_for is HeldFor.VERDICT:
        return {Mark.WORKING}  # nobody has to do anything about it
    if not reactions or video.visibility is not Visibility.SHOWN:
        return set()  # what waits for a moderator plays for nobody
    if video.is_playable:
        return {Mark.PLAYABLE}
    if video.awaits_upload:
        return {Mark.AWAITED}
    return {Mark.WORKING} if video.state is State.PROCESSING or posted else set()
