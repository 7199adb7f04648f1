"""Transcode a file in two stages: a rendition that is soon playable, perhaps still in progress, then the ladder."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Self

from transcode.commandline.ladder import CopyAlignment
from transcode.examine.prepare import prepare
from transcode.limits import Limits
from transcode.process.tools import Tools
from transcode.settings import DEFAULT, Settings
from transcode.stages import quick_rung, stream_copy
from transcode.stages.job import Job, Share, WallClock
from transcode.stages.ladder import adopt_ladder, export_ladder, ladder_files, make_ladder
from transcode.stages.result import PLAYABLE, READY, Result

__all__ = ["PLAYABLE", "READY", "Result", "Transcoding"]


class Transcoding:
    """The work on one file, as a context: entering it examines the file, leaving it ends all of its processes.

    Use `first_stage` once, to its end, or `skip_first_stage`, and then `ladder` once. The limit of wall clock time does
    not count the time that the caller takes in between. Entering, `first_stage` and `ladder` raise TranscodeError, or
    OSError when the file cannot be read or one of the stages' folders exists already: give each attempt an `out` of its
    own.
    """

    def __init__(
        self,
        source: Path,
        out: Path,
        *,
        tools: Tools,
        limits: Limits,
        settings: Settings = DEFAULT,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        """Prepare to transcode the file `source` into folders inside `out`.

        `on_progress` is called with the share of the work that is done, from 0 to 1, on the event loop.
        """
        self._path, self._out = source, out
        self._tools, self._limits, self._settings = tools, limits, settings
        self._share = Share(on_progress)
        self._stack = AsyncExitStack()
        self._alignment: CopyAlignment | None = None

    async def __aenter__(self) -> Self:
        """Examine the file, and prepare what all stages need."""
        # Absolute, since ffmpeg runs inside the folder that it fills.
        path, out = await asyncio.to_thread(lambda: (self._path.absolute(), self._out.absolute()))
        self._clock = WallClock(self._limits)
        examined = await prepare(path, out, self._tools, self._limits, self._settings, self._clock.deadline)
        self._job = Job(examined, out, self._settings, self._clock, self._share)
        self._stream_copy = examined.stream_copy if self._settings.copy else None
        await self._job.write_captions(self._stream_copy)
        self._clock.pause()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Kill what still runs."""
        await self._stack.aclose()

    def first_stage(self, key: bytes | None = None) -> AsyncGenerator[Result, None]:
        """Yield the first stage, in `out`/playable, as soon as it can be played, and again whenever it has more.

        With a `key`, all of its files are written encrypted (`hls.encryption`). What is missing at first, segments or
        the poster alone, is complete with the last result. The folder may be moved within its file system at any time;
        what is still in progress appears in it wherever it is.
        """
        results = self._first_stage(key)
        self._stack.push_async_callback(results.aclose)
        return results

    async def _first_stage(self, key: bytes | None) -> AsyncGenerator[Result, None]:
        self._clock.resume()
        async with aclosing(self._results(key)) as results:
            async for result in results:
                self._clock.pause()
                yield result
                self._clock.resume()
        self._clock.pause()

    async def _results(self, key: bytes | None) -> AsyncGenerator[Result, None]:
        copied = await self._copied(key)
        stage = stream_copy.complete(self._job, copied, key) if copied else quick_rung.encode(self._job, key)
        async with aclosing(stage) as results:
            async for result in results:
                yield result

    async def _copied(self, key: bytes | None) -> stream_copy.Copied | None:
        copied = await stream_copy.copy(self._job, self._stream_copy, key) if self._stream_copy else None
        self._alignment = copied.alignment if copied else None
        return copied

    async def skip_first_stage(self, key: bytes | None = None) -> None:
        """Prepare the ladder where the first stage is published already: a stream copy alone is made again.

        In place of `first_stage`, which raises the same.
        """
        self._clock.resume()
        copied = await self._copied(key)
        if copied and copied.copier:
            async with aclosing(stream_copy.complete(self._job, copied, key)) as results:
                async for _ in results:
                    pass
        self._clock.pause()

    @property
    def pixels(self) -> float:
        """How many pixels of the source the ladder decodes."""
        video, plan = self._job.source.probe.video, self._job.plan
        return video.width * video.height * plan.frames

    def files(self) -> dict[str, int]:
        """Name the files that ffmpeg makes of the whole ladder, with the most bytes that each may have.

        Known once the first stage is complete, or skipped.
        """
        return ladder_files(self._job, self._alignment)

    async def export_ladder(self) -> Callable[[str, int], BinaryIO | None]:
        """Make the ladder for another process: return what opens each of `files`, as ffmpeg made it.

        In place of `ladder`, which raises the same; the other process passes them to its own `ladder` as `made`.
        """
        self._clock.resume()
        try:
            return await export_ladder(self._job, self._alignment)
        finally:
            self._clock.pause()

    async def ladder(self, key: bytes | None = None, *, below_copy: bool = True, made: Path | None = None) -> Result:
        """Make the ladder in `out`/ready: all rungs, with poster, storyboard and preview; encrypted with a `key`.

        Without `below_copy`, a stream copy is the only rung: the result says whether others are left out, which
        another job can make later, with all else. `made`: a folder with what another process made (`export_ladder`),
        which is moved, and verified as what ffmpeg makes here.
        """
        alignment = self._alignment
        left_out = alignment.rungs[1:] if alignment and not below_copy else ()
        if alignment and left_out:
            alignment = replace(alignment, rungs=alignment.rungs[:1])
        self._clock.resume()
        try:
            result = await (
                adopt_ladder(self._job, alignment, made, key) if made else make_ladder(self._job, alignment, key)
            )
            # Where the copy was none, all rungs are there.
            return replace(result, left_out=bool(left_out) and len(result.renditions) == 1)
        finally:
            self._clock.pause()
