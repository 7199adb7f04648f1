"""The working directory of a conversion: ffmpeg runs in it, sandboxed and limited, step by step."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from transcode.commandline.conversions import VIDEO
from transcode.errors import Failed
from transcode.limits import Limits
from transcode.process import collect
from transcode.process.ffmpeg import Confinement, run
from transcode.process.tools import Tools


@dataclass(frozen=True, slots=True)
class Workdir:
    """The folder in which ffmpeg runs, and how it is confined."""

    folder: Path
    confinement: Confinement

    async def make(self, line: Sequence[str]) -> None:
        """Run one command line. Raises TranscodeError."""
        await run(line, self.confinement)


@asynccontextmanager
async def workdir(source: Path, target: Path, tools: Tools, limits: Limits) -> AsyncIterator[Workdir]:
    """Yield a working directory for absolute paths; the VIDEO that is in it at the end becomes the file `target`.

    The directory is deleted. Raises Failed when there is no VIDEO.
    """
    deadline = asyncio.get_running_loop().time() + limits.wall_seconds
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=f"{target.stem}-", dir=target.parent))
    try:
        yield Workdir(folder, Confinement(tools.sandbox, limits, deadline, (source,), folder))
        if not await asyncio.to_thread(collect.take, folder, VIDEO, target, collect.mp4(limits.output_bytes)):
            raise Failed("ffmpeg made no video")
    finally:
        await asyncio.to_thread(collect.discard, folder)
