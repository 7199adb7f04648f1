"""Recognise what a file of unknown type is: a video, an image, or audio alone."""

import asyncio
from enum import StrEnum
from pathlib import Path

from transcode.commandline import probing
from transcode.commandline.inputs import Access
from transcode.convert.audio import audio_demuxer_in
from transcode.errors import EmptyFile, NotAudio, NotAVideo, TranscodeError
from transcode.examine.description import describe
from transcode.limits import Limits
from transcode.process.ffmpeg import Confinement
from transcode.process.tools import Tools
from transcode.source.image_header import is_image
from transcode.source.probe import probe_of
from transcode.source.sniff import HEAD_BYTES, Container, container_of

_SHARED = frozenset({"matroska", "mov", "ogg"})
_GIF = b"GIF8"


class Content(StrEnum):
    """What a file holds; a GIF is distinguished from other images, for nobody takes a photo as one."""

    VIDEO = "video"
    IMAGE = "image"
    GIF = "gif"
    AUDIO = "audio"
    OTHER = "other"


async def recognise(source: Path, *, tools: Tools, limits: Limits) -> Content:
    """Return what a local file holds, by its first bytes, and by its tracks where video and audio share a container.

    A container that cannot be read counts as a video: transcoding it fails with the reason.
    """
    found = await asyncio.to_thread(_by_head, source)
    if not isinstance(found, Container):
        return found
    deadline = asyncio.get_running_loop().time() + limits.wall_seconds
    line = probing.probe(tools, source, found.demuxer, limits, Access(found.start))
    try:
        description, _ = await describe(line, Confinement(tools.sandbox, limits, deadline, (source,)))
        probe_of(description)
    except NotAVideo:
        return Content.AUDIO
    except TranscodeError:
        return Content.VIDEO
    return Content.VIDEO


def _by_head(source: Path) -> Content | Container:
    """Return what the first bytes show, or the container whose tracks have to be examined."""
    with source.open("rb") as file:
        try:
            container = container_of(file)
        except EmptyFile:
            return Content.OTHER
        except NotAVideo:
            file.seek(0)
            head = file.read(HEAD_BYTES)
            if is_image(head):
                return Content.GIF if head.startswith(_GIF) else Content.IMAGE
        else:
            return container if container.demuxer in _SHARED else Content.VIDEO
    try:
        audio_demuxer_in(source)
    except NotAudio:
        return Content.OTHER
    return Content.AUDIO
