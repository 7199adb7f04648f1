"""What a file is that nobody named: a video, an image, or audio alone."""

import asyncio
from enum import StrEnum
from pathlib import Path

from transcode.commandline import commands
from transcode.commandline.commands import Access
from transcode.convert.voice import demuxer_of_voice
from transcode.errors import BrokenFile, EmptyFile, NotASound, NotAVideo, TranscodeError
from transcode.limits import Limits
from transcode.process.ffmpeg import run
from transcode.process.tools import Tools
from transcode.source.image_header import is_picture
from transcode.source.probe import parse
from transcode.source.sniff import HEAD_BYTES, Container, container_of

_SHARED = frozenset({"matroska", "mov", "ogg"})
_GIF = b"GIF8"
_MAX_ANSWER = 2**20


class Content(StrEnum):
    """What a file holds; a GIF is apart from other images, for nobody takes a photo as one."""

    VIDEO = "video"
    IMAGE = "image"
    GIF = "gif"
    AUDIO = "audio"
    OTHER = "other"


async def recognise(source: Path, *, tools: Tools, limits: Limits) -> Content:
    """Tell what a local file holds, by its first bytes, and by its tracks where video and audio share a container.

    A container that cannot be read counts as a video: `transcode` says why it is none.
    """
    found = await asyncio.to_thread(_by_head, source)
    if not isinstance(found, Container):
        return found
    answer = bytearray()

    def take(data: bytes) -> None:
        answer.extend(data)
        if len(answer) > _MAX_ANSWER:
            raise BrokenFile("the description of the file has no end")

    deadline = asyncio.get_running_loop().time() + limits.wall_seconds
    line = commands.probe(tools, source, found.demuxer, limits, Access(found.begin))
    try:
        await run(line, sandbox=tools.sandbox, reads=(source,), limits=limits, deadline=deadline, on_output=take)
        parse(bytes(answer))
    except NotAVideo:
        return Content.AUDIO
    except TranscodeError:
        return Content.VIDEO
    return Content.VIDEO


def _by_head(source: Path) -> Content | Container:
    """Return what the first bytes tell, or the container that must be looked into."""
    with source.open("rb") as file:
        try:
            container = container_of(file)
        except EmptyFile:
            return Content.OTHER
        except NotAVideo:
            file.seek(0)
            head = file.read(HEAD_BYTES)
            if is_picture(head):
                return Content.GIF if head.startswith(_GIF) else Content.IMAGE
        else:
            return container if container.demuxer in _SHARED else Content.VIDEO
    try:
        demuxer_of_voice(source)
    except NotASound:
        return Content.OTHER
    return Content.AUDIO
