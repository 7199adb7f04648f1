"""Run ffprobe on a file."""

from collections.abc import Sequence

from transcode.errors import BrokenFile
from transcode.process.ffmpeg import Confinement, run
from transcode.source import ffprobe
from transcode.source.ffprobe import Description

_MOST_BYTES = 2**20


async def describe(line: Sequence[str], within: Confinement) -> tuple[Description, str]:
    """Return what `commandline.probing.probe` prints, and what it complains about.

    Raises TranscodeError; BrokenFile for an output without end.
    """
    output = bytearray()

    def take(data: bytes) -> None:
        output.extend(data)
        if len(output) > _MOST_BYTES:
            raise BrokenFile("the description of the file has no end")

    complaints = await run(line, within, take)
    return ffprobe.parse(bytes(output)), complaints
