"""Examine a file and prepare what cannot be read as it is: joined links, pixel aspects, separate audio."""

import asyncio
from dataclasses import replace
from pathlib import Path

from transcode.commandline import preparation
from transcode.errors import TRANSIENT, TranscodeError
from transcode.examine.audio import with_separate_audio
from transcode.examine.file import Examined, examine
from transcode.examine.pixel_aspects import with_pixel_aspects
from transcode.limits import Limits
from transcode.process import collect
from transcode.process.ffmpeg import Confinement, run
from transcode.process.tools import Tools
from transcode.settings import Settings
from transcode.source.ogg_chains import Link, links_to_join

AUDIO = "audio"
"""The folder, inside `out`, of separate audio."""

_KEY_FRAMES, _LINKS = "keys", "links"


async def prepare(path: Path, out: Path, tools: Tools, limits: Limits, settings: Settings, deadline: float) -> Examined:
    """Examine a local file, with intermediate files in the folder `out`; both paths are absolute.

    Raises TranscodeError for everything that is not a whole video within the limits, OSError as files do.
    """
    path = await _joined(path, out / _LINKS, Confinement(tools.sandbox, limits, deadline, (path,)), tools)
    examined = await examine(path, tools, limits, settings, deadline)
    source = examined.source
    if not examined.one_aspect:
        source = await with_pixel_aspects(source, out / _KEY_FRAMES, deadline)
    stream_copy = None if source.probe.video.pixel_aspects else examined.stream_copy
    source = await with_separate_audio(source, examined.audio, out / AUDIO, deadline)
    return replace(examined, source=source, stream_copy=stream_copy)


async def _joined(path: Path, folder: Path, within: Confinement, tools: Tools) -> Path:
    """Join the links of a chained Ogg file with video in the new `folder`, and return the file to read instead.

    Where that is not possible, and for all other files, return the same file. Raises TooManyStreams.
    """
    links = await asyncio.to_thread(_links, path)
    if not links or not links[0].size:
        return path
    await asyncio.to_thread(folder.mkdir, parents=True)
    try:
        await run(preparation.join_links(tools, path, links, within.limits), replace(within, folder=folder))
    except TRANSIENT:
        raise
    except TranscodeError:
        return path
    made = await asyncio.to_thread(collect.opened, folder, preparation.JOINED, within.limits.output_bytes)
    if made is None:
        return path
    made.close()
    return folder / preparation.JOINED


def _links(path: Path) -> tuple[Link, ...]:
    with path.open("rb") as file:
        return links_to_join(file)
