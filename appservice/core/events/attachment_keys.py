"""The keys of attachments in what events bring, converted all alike. Pure."""

from collections.abc import Callable
from dataclasses import replace

from appservice.core.events.changes import Change, NewGallery, NewVideo, SentByBot, VideoEdited
from appservice.core.model import EncryptedFile

Convert = Callable[[EncryptedFile], EncryptedFile]


def with_files(change: Change, convert: Convert) -> Change:
    """Return a change with the description of each of its encrypted attachments converted."""
    match change:
        case NewVideo():
            return _with_file(change, convert)
        case NewGallery():
            return replace(change, videos=tuple(_with_file(video, convert) for video in change.videos))
        case VideoEdited():
            others = tuple(_with_file(video, convert) for video in change.others)
            return replace(change, video=_with_file(change.video, convert), others=others)
        case SentByBot(video=NewVideo() as video):
            return replace(change, video=_with_file(video, convert))
        case _:
            return change


def _with_file(video: NewVideo, convert: Convert) -> NewVideo:
    file = video.encrypted_file
    return replace(video, encrypted_file=convert(file)) if file else video
