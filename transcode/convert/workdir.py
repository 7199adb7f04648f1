"""Where a film is made of something else: a folder beside it, and ffmpeg closed in and bounded, step by step."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from transcode.commandline.conversions import FILM
from transcode.errors import Failed
from transcode.limits import Limits
from transcode.process import collect
from transcode.process.ffmpeg import run
from transcode.process.tools import Tools


@dataclass(frozen=True, slots=True)
class Workshop:
    """The folder in which ffmpeg runs, and the one file from elsewhere that it sees."""

    folder: Path
    source: Path
    tools: Tools
    limits: Limits
    deadline: float

    async def make(self, line: Sequence[str]) -> None:
        """Run one command line. Raises TranscodeError."""
        await run(
            line, sandbox=self.tools.sandbox, reads=(self.source,), limits=self.limits, deadline=self.deadline,
            on_output=lambda _: None, cwd=self.folder,
        )  # fmt: skip


@asynccontextmanager
async def workshop(source: Path, target: Path, tools: Tools, limits: Limits) -> AsyncIterator[Workshop]:
    """Yield a workshop for absolute paths; the FILM that is in it at the end becomes the file `target`.

    Nothing else of it is left. Raises Failed when there is no film.
    """
    deadline = asyncio.get_running_loop().time() + limits.wall_seconds
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=f"{target.stem}-", dir=target.parent))
    try:
        yield Workshop(folder, source, tools, limits, deadline)
        if not await asyncio.to_thread(collect.take, folder, FILM, target, collect.mp4(limits.output_bytes)):
            raise Failed("ffmpeg made no film")
    finally:
        await asyncio.to_thread(collect.discard, folder)
