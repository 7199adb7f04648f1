"""Makes a video of an image or of audio, before the work on it begins."""

from pathlib import Path

from appservice.core.events.media_kinds import Choice, joins
from appservice.core.model import Kind, Video
from appservice.core.settings import RoomSettings
from transcode import Content, Limits, Tools, recognise, video_of_audio, video_of_image

_SORTS = {
    Content.IMAGE: (Kind.IMAGE, Choice.IMAGES),
    Content.GIF: (Kind.IMAGE, Choice.STICKERS),
    Content.AUDIO: (Kind.VOICE, Choice.VOICE),
}


async def kind_of(video: Video, source: Path, settings: RoomSettings, tools: Tools, limits: Limits) -> Kind:
    """Return as what a file is worked on in a room: what nobody named may be an image or audio that the room chose."""
    if video.file.certain or video.kind is not Kind.VIDEO or not any(joins(choice, settings) for choice in Choice):
        return video.kind
    kind, choice = _SORTS.get(await recognise(source, tools=tools, limits=limits), (video.kind, None))
    return kind if joins(choice, settings) else video.kind


def shown_for(kind: Kind, settings: RoomSettings, limits: Limits) -> float | None:
    """Return for how many seconds an image is shown in a room; None for what has a duration of its own."""
    return min(settings.image_seconds, limits.max_duration) if kind is Kind.IMAGE else None


async def video_of(kind: Kind, source: Path, *, seconds: float | None, tools: Tools, limits: Limits) -> Path:
    """Return a file that is a video: the source itself, or a new one beside it. Raises TranscodeError."""
    video = source.with_name("video.mp4")
    if seconds is not None:
        await video_of_image(source, video, seconds=seconds, tools=tools, limits=limits)
    elif kind is Kind.VOICE:
        await video_of_audio(source, video, tools=tools, limits=limits)
    else:
        return source
    return video
