"""Kinds of media: which messages join reels, as what they are shown, and by which setting of the room. Pure.

What an event says of itself is only a claim: the file decides when it is worked on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from appservice.core.model import Kind
from appservice.core.settings import RoomSettings

_VIDEO_SUFFIXES = frozenset(
    {"mp4", "m4v", "mov", "webm", "mkv", "avi", "3gp", "3g2", "ts", "mts", "m2ts", "mpg", "mpeg", "flv", "ogv", "wmv"}
)
_IMAGE_SUFFIXES = frozenset({"jpg", "jpeg", "png", "webp", "gif", "heic", "heif", "avif", "apng"})
_AUDIO_SUFFIXES = frozenset({"ogg", "oga", "opus", "m4a", "mp3", "wav", "flac", "aac", "amr", "weba"})
_SUFFIXES = {
    Kind.VIDEO: _VIDEO_SUFFIXES,
    Kind.IMAGE: _IMAGE_SUFFIXES,
    # Recorders in browsers write audio into containers of videos.
    Kind.VOICE: _AUDIO_SUFFIXES | _VIDEO_SUFFIXES,
}
_UNSPECIFIC_TYPES = frozenset(
    {
        "", "application/octet-stream", "binary/octet-stream", "application/x-matroska", "application/ogg",
        "application/mp4",
    }
)  # fmt: skip
# Videos without audio that bridges made of GIFs.
_LOOPS = ("fi.mau.gif", "fi.mau.loop")
_ANIMATED = ("is_animated", "org.matrix.msc4230.is_animated")


class Choice(StrEnum):
    """What joins reels only where a room chose it, by the setting's name."""

    IMAGES = "images"
    VOICE = "voice"
    STICKERS = "stickers"


@dataclass(frozen=True, slots=True)
class Sort:
    """As what a message is worked on; `choice` is None for what always joins.

    `certain` is false for what may turn out to be something else, of which nobody is notified.
    """

    kind: Kind
    choice: Choice | None
    certain: bool


def sort_of_sticker(info: Mapping[str, object]) -> Sort:
    """Return the sort of a sticker. There are kinds that only some clients know: those go without a word."""
    kind = Kind.VIDEO if _type(info).startswith("video/") else Kind.IMAGE
    return Sort(kind, Choice.STICKERS, certain=False)


def sort_of_message(msgtype: object, info: Mapping[str, object], file_name: str) -> Sort | None:
    """Return the sort of a message with a file, and None for one that never joins."""
    match msgtype:
        case "m.image":
            return Sort(Kind.IMAGE, _choice_of_image(info), certain=True)
        case "m.audio":
            return Sort(Kind.VOICE, Choice.VOICE, certain=True)
        case "m.video":
            loops = any(info.get(name) is True for name in _LOOPS)
            return Sort(Kind.VIDEO, Choice.STICKERS if loops else None, certain=True)
        case "m.file":
            return _sort_of_attachment(info, file_name)
        case _:
            return None


def _sort_of_attachment(info: Mapping[str, object], file_name: str) -> Sort | None:
    # Some clients send every attachment as m.file, with a type that says nothing. What it is the file then decides.
    mime_type = _type(info)
    if mime_type.startswith("video/"):
        return Sort(Kind.VIDEO, None, certain=True)
    if mime_type in _UNSPECIFIC_TYPES or file_name.rpartition(".")[2].lower() in _VIDEO_SUFFIXES:
        return Sort(Kind.VIDEO, None, certain=False)
    # Documents are sent in the same way: nobody is notified of a drawing that browsers alone could show.
    if mime_type.startswith("image/"):
        return Sort(Kind.IMAGE, _choice_of_image(info), certain=False)
    if mime_type.startswith("audio/"):
        return Sort(Kind.VOICE, Choice.VOICE, certain=False)
    return None


def joins(choice: Choice | None, settings: RoomSettings) -> bool:
    """Say whether what needs this choice joins the reels of a room with these settings."""
    match choice:
        case None:
            return True
        case Choice.IMAGES:
            return settings.images
        case Choice.VOICE:
            return settings.voice
        case Choice.STICKERS:
            return settings.stickers


def name_without_suffix(file_name: str, kind: Kind) -> str:
    """Return a file's name for people: without the suffix that only repeats what it is."""
    stem, dot, suffix = file_name.rpartition(".")
    return stem if dot and stem and suffix.lower() in _SUFFIXES[kind] else file_name


def _type(info: Mapping[str, object]) -> str:
    mime_type = info.get("mimetype")
    return mime_type if isinstance(mime_type, str) else ""


def _choice_of_image(info: Mapping[str, object]) -> Choice:
    return Choice.STICKERS if _is_animated(info) else Choice.IMAGES


def _is_animated(info: Mapping[str, object]) -> bool:
    declared = next((info[name] for name in _ANIMATED if isinstance(info.get(name), bool)), None)
    # Most clients do not say.
    return declared is True or (declared is None and _type(info) == "image/gif")
