"""What a backfill found, as changes that say so. Pure."""

from dataclasses import replace

from appservice.core.events.changes import (
    Backfilled,
    EncryptedSent,
    MessageChange,
    NewGallery,
    NewVideo,
    SentByBot,
    VideoEdited,
)


def as_backfilled(change: MessageChange, found: Backfilled) -> MessageChange:
    """Return a change as found out of its turn."""
    match change:
        case NewVideo() | EncryptedSent():
            return replace(change, backfilled=found)
        case SentByBot(video=NewVideo() as video):
            return replace(change, video=replace(video, backfilled=found))
        case NewGallery():
            return replace(change, videos=tuple(replace(video, backfilled=found) for video in change.videos))
        case VideoEdited():
            first, *others = [replace(video, backfilled=found) for video in change.videos]
            return replace(change, video=first, others=tuple(others))
        case _:
            return change


def as_of_before(change: NewVideo | NewGallery | EncryptedSent) -> NewVideo | NewGallery | EncryptedSent:
    """Return what was sent as sent before the bot came."""
    if isinstance(change, NewGallery):
        return replace(change, videos=tuple(replace(video, of_before=True) for video in change.videos))
    return replace(change, of_before=True)
