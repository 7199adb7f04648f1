"""Makes a film of what is no video, before the work on it begins."""

from pathlib import Path

from appservice.model import Kind
from appservice.settings import RoomSettings
from transcode import Limits, Tools, film_of_image, film_of_voice


def shown_for(kind: Kind, settings: RoomSettings, limits: Limits) -> float | None:
    """Return for how many seconds a picture is shown in a room; None for what has a length of its own."""
    return min(settings.image_seconds, limits.max_duration) if kind is Kind.IMAGE else None


async def film_of(kind: Kind, source: Path, *, seconds: float | None, tools: Tools, limits: Limits) -> Path:
    """Return a file that is a video: the source itself, or a new one beside it. Raises TranscodeError."""
    film = source.with_name("film.mp4")
    if seconds is not None:
        await film_of_image(source, film, seconds=seconds, tools=tools, limits=limits)
    elif kind is Kind.VOICE:
        await film_of_voice(source, film, tools=tools, limits=limits)
    else:
        return source
    return film
