"""One file in, two folders out: a rendition to watch at once, perhaps while it is made, then the whole ladder."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, closing, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from transcode import checks, loudness
from transcode.blurhash import SIDE, blurhash_of
from transcode.commandline import commands
from transcode.commandline.commands import BLUR, Beside, Given
from transcode.commandline.filters import CUBE
from transcode.commandline.tone_mapping import cube
from transcode.copy_policy import Copying
from transcode.errors import TRANSIENT, BrokenFile, TranscodeError
from transcode.examine import (
    Examined,
    examine,
    joined,
    with_audio_apart,
    with_audio_mended,
    with_loss_told,
    with_pixel_aspects,
)
from transcode.hls.captions import MOST_BYTES, Captions, Track, cleaned
from transcode.hls.playlist import POSTER, PREVIEW, STORYBOARD, Rendition, bandwidths
from transcode.limits import Limits
from transcode.plan import AUDIO_BITS, Rung
from transcode.process import collect
from transcode.process.encoders import encoder
from transcode.process.ffmpeg import run
from transcode.process.progress import Progress
from transcode.process.tools import Tools
from transcode.remux import remuxed
from transcode.segments import Cutter, Unfit, Written, write
from transcode.settings import DEFAULT, Settings
from transcode.source.audio_loss import AudioLoss
from transcode.storyboard import Storyboard

PLAYABLE = "playable"
"""The folder, inside `out`, of the first rendition."""

READY = "ready"
"""The folder, inside `out`, of the whole ladder."""

_AUDIO, _CAPTIONS, _KEY_FRAMES, _LINKS, _POSTER = "audio", "captions", "keys", "links", "poster"
_COPY_SHARE, _FIRST_SHARE = 0.05, 0.2
# Seconds between two looks at what ffmpeg has written: while nothing of it is watched, while somebody may wait for the
# next segment, and while nobody does.
_LOOK, _GROW, _REPORT = 0.02, 0.1, 0.5
_SHOWN = 200
# Bytes that a file of captions may have before what is above `MOST_BYTES` is left out.
_MOST_WRITTEN = 16 * MOST_BYTES
# How many pictures a poster is chosen from where the first one was dark; and what is dark, on average, of 255.
_CANDIDATES, _DARK = 8, 16


@dataclass(frozen=True, slots=True)
class Result:
    """What a folder holds, or will: seconds, pixels of its largest rendition, renditions by size, largest first.

    Renditions tell of all their segments; of each, the first `available` exist. File names are None for what there is
    not; storyboard (`playlist.STORYBOARD`) and preview come with the whole ladder. `audio_left_out` is None where all
    of the file's audio is heard, or where it has none; it may be known only with the whole ladder.
    """

    duration: float
    width: int
    height: int
    poster: str | None
    renditions: tuple[Rendition, ...]
    available: int
    blurhash: str | None = None
    storyboard: Storyboard | None = None
    preview: str | None = None
    captions: tuple[Captions, ...] = ()
    audio_left_out: AudioLoss | None = None

    @property
    def whole(self) -> bool:
        """Whether every segment exists."""
        return self.available == len(self.renditions[0].durations)


async def transcode(
    source: Path,
    out: Path,
    *,
    tools: Tools,
    limits: Limits,
    on_playable: Callable[[Result], Awaitable[Path | None]],
    on_grown: Callable[[Result], Awaitable[None]] | None = None,
    settings: Settings = DEFAULT,
    on_progress: Callable[[float], None] | None = None,
    turn: AbstractAsyncContextManager[None] | None = None,
) -> Result:
    """Transcode the file `source` into `out`/playable, then into `out`/ready.

    `on_playable` is awaited once, as soon as `out`/playable can be watched. It may move the folder elsewhere on the
    same file system, and returns where: what is missing, segments or the poster alone, appears there, and `on_grown`
    is awaited with what there is by then, at last with the whole. What either raises ends the job. `on_progress` gets
    the share done, from 0 to 1, on the event loop. `turn` is entered before the ladder is begun, and may keep it
    waiting, which the limits do not count. Cancelling kills whatever runs. Raises TranscodeError, or OSError when
    `source` cannot be read or one of the two folders is there already: give each attempt an `out` of its own.
    """
    # Absolute, since ffmpeg runs inside the folder that it fills.
    source, out = await asyncio.to_thread(lambda: (source.absolute(), out.absolute()))
    deadline = asyncio.get_running_loop().time() + limits.wall_seconds
    source = await joined(source, out / _LINKS, tools, limits, deadline)
    examined = await examine(source, tools, limits, settings, deadline)
    examined = await with_pixel_aspects(examined, out / _KEY_FRAMES, deadline)
    examined = replace(examined, given=await with_audio_apart(examined, out / _AUDIO, deadline))
    job = _Job(examined, out, settings, deadline, _Share(on_progress), on_playable, on_grown or _ignore)
    await job.captions(examined.tracks, examined.copying if settings.copy else None)
    copied = await job.copy(examined.copying) if settings.copy and examined.copying else None
    if copied is None:
        await job.first()
    return await job.ladder(copied, turn or nullcontext())


class _Share:
    """Tells how much of all work is done, which never becomes less, whatever has to be done again."""

    def __init__(self, report: Callable[[float], None] | None) -> None:
        self._report = report
        self.done = 0.0

    def set(self, share: float) -> None:
        self.done = max(self.done, share)
        if self._report:
            self._report(self.done)


class _Job:
    """The work on one file, stage by stage."""

    def __init__(
        self,
        examined: Examined,
        out: Path,
        settings: Settings,
        deadline: float,
        share: _Share,
        on_playable: Callable[[Result], Awaitable[Path | None]],
        on_grown: Callable[[Result], Awaitable[None]],
    ) -> None:
        self._given, self._plan, self._index = examined.given, examined.plan, examined.index
        self._out, self._settings, self._share = out, settings, share
        self._on_playable, self._on_grown = on_playable, on_grown
        self._deadline = deadline
        self._captions: tuple[Captions, ...] = ()
        self._published = False

    async def captions(self, tracks: Sequence[Track], copying: Copying | None) -> None:
        """Write the captions of every stage, where there are any: what is wrong with them does not harm the video."""
        if not tracks:
            return
        folder = self._out / _CAPTIONS
        await asyncio.to_thread(_prepare, folder, (), None, 0)
        try:
            await self._run(commands.captions(self._given, tracks, copying), folder)
        except TRANSIENT:
            raise
        except TranscodeError:
            return
        self._captions = await asyncio.to_thread(_cleaned, folder, tracks)

    async def copy(self, copying: Copying) -> Beside | None:
        """Publish a copy, within a fraction of a second, and its poster after it.

        None: there is no copy, and nothing was published.
        """
        folder = self._out / PLAYABLE
        try:
            written = await self._copied(copying, folder)
            if written.changes:
                # Players that know the first size alone stretch, or stop at, what comes in another one.
                raise Unfit("its frames change on the way: their size, perhaps")
            durations = checks.durations(written.segments, copying.duration)
            result = self._result([_rendition(written, copying.rung, durations)], _Poster(None, None))
        except TRANSIENT:
            raise
        except TranscodeError:
            # Whatever is wrong with it, encoding will either mend it or say what it is.
            await asyncio.to_thread(_discard, folder)
            return None
        await asyncio.to_thread(collect.discard, _made(folder))
        self._share.set(_COPY_SHARE)
        place = await self._publish(result)
        poster = await self._poster(place.parent)
        # Where none can be drawn, the ladder will say why.
        if poster.name:
            await self._on_grown(_with_poster(result, poster))
        return Beside(copying, durations, written.lag)

    async def _copied(self, copying: Copying, folder: Path) -> Written:
        (cutter,) = await self._prepare(folder, [copying.rung])
        with suppress(ValueError):
            return await asyncio.to_thread(_remuxed, self._given, self._index, copying, cutter.folder)
        with closing(cutter):
            await self._cut_on_the_way(commands.copy(self._given, copying), folder, [cutter])
            return await asyncio.to_thread(cutter.finish)

    async def first(self) -> None:
        """Publish a rendition that is quickly made, as soon as it has a segment, and its poster after it.

        Where the audio spoils it, it is made anew without; where it is watched already, the ladder is to replace it.
        """
        try:
            await self._first()
        except TranscodeError as error:
            if not await self._mend_audio(error):
                raise
            if not self._published:
                await asyncio.to_thread(_discard, self._out / PLAYABLE)
                await self._first()

    async def _mend_audio(self, error: TranscodeError) -> bool:
        """Say whether the audio was at fault that a run failed with `error`, and is not any more."""
        mended = await with_audio_mended(self._given, error, self._out / _AUDIO, self._deadline)
        self._given = mended or self._given
        return mended is not None

    async def _first(self) -> None:
        folder = self._out / PLAYABLE
        (cutter,) = await self._prepare(folder, [self._plan.fast])
        line = commands.first(self._given, self._plan, self._settings)
        with closing(cutter):
            try:
                async with asyncio.TaskGroup() as tasks:
                    encoding = tasks.create_task(self._run(line, folder, until=_FIRST_SHARE))
                    tasks.create_task(self._grow(cutter, encoding, tasks))
            except ExceptionGroup as group:
                raise group.exceptions[0] from group
        await asyncio.to_thread(collect.discard, _made(folder))

    async def _grow(self, cutter: Cutter, encoding: "asyncio.Task[str]", tasks: asyncio.TaskGroup) -> None:
        """Publish what there is of the first rendition, again and again until it is whole."""
        planned, none = self._planned(), _Poster(None, None)
        published, wait = (0, none), _LOOK
        drawing: asyncio.Task[_Poster] | None = None
        while not encoding.done():
            await asyncio.wait({encoding}, timeout=wait)
            count = await asyncio.to_thread(cutter.advance)
            poster = drawing.result() if drawing and drawing.done() else none
            if encoding.done() or not 0 < count < len(planned.durations) or (count, poster) == published:
                continue
            growing = replace(planned, codecs=checks.codecs(cutter.init))
            result = replace(self._result([growing], poster), available=count)
            if published[0]:
                await self._on_grown(result)
            else:
                cutter.folder = await self._publish(result)
            if drawing is None and count > 1:
                # Whoever watches needs the second segment sooner than the poster.
                drawing = tasks.create_task(self._poster(cutter.folder.parent))
            published, wait = (count, poster), _GROW
        await encoding
        result = self._result([await self._whole_first(cutter)], none)
        place = cutter.folder
        if not published[0]:
            place = await self._publish(result)
        poster = await (drawing or self._poster(place.parent))
        await self._on_grown(_with_poster(result, poster))

    def _planned(self) -> Rendition:
        """Tell of the first rendition what is known before it is made."""
        rung = self._plan.fast
        return Rendition(
            name=rung.name,
            width=rung.width,
            height=rung.height,
            frame_rate=float(self._plan.frame_rate),
            codecs="",
            # A segment may also use up all of the encoder's buffer, which holds two seconds.
            bandwidth=2 * rung.max_rate + AUDIO_BITS,
            average_bandwidth=rung.max_rate + AUDIO_BITS,
            durations=self._plan.fast_durations,
        )

    async def _whole_first(self, cutter: Cutter) -> Rendition:
        written = await asyncio.to_thread(_finish, cutter, self._plan.duration)
        checks.aligned([written.segments], self._plan.fast_durations)
        return _rendition(written, self._plan.fast, self._plan.fast_durations)

    async def ladder(self, copied: Beside | None, turn: AbstractAsyncContextManager[None]) -> Result:
        """Make the rungs below a copy; or all of them, where there is none or they do not match."""
        clock = asyncio.get_running_loop().time
        before = clock()
        async with turn:
            self._deadline += clock() - before
            return await self._ladder(copied)

    async def _ladder(self, copied: Beside | None) -> Result:
        gain = await self._gain()
        if copied is not None:
            try:
                return await self._rungs(gain, copied)
            except TRANSIENT:
                raise
            except TranscodeError:
                await asyncio.to_thread(_discard, self._out / READY)
        return await self._rungs(gain, None)

    async def _rungs(self, gain: float, beside: Beside | None) -> Result:
        folder, plan = self._out / READY, self._plan
        about = self._given, plan, self._settings, gain
        line = commands.ladder_beside(*about, beside) if beside else commands.ladder(*about)
        duration, durations = (beside.copying.duration, beside.durations) if beside else (plan.duration, plan.durations)
        with ExitStack() as closed:
            cutters = [closed.enter_context(closing(cutter)) for cutter in await self._prepare(folder, plan.ladder)]
            complaints = await self._cut_on_the_way(line, folder, cutters, _REPORT, until=1.0)
            if beside and complaints.strip():
                # A copy would carry what is damaged into every player; some stop there.
                raise Unfit(f"it is damaged: {complaints.strip()[-_SHOWN:]}")
            written = [await asyncio.to_thread(_finish, cutter, duration) for cutter in cutters]
            checks.aligned([each.segments for each in written], durations)
        renditions = [_rendition(each, rung, durations) for each, rung in zip(written, plan.ladder, strict=True)]
        result = self._result(renditions, await asyncio.to_thread(_poster_in, folder, plan.ladder[0]))
        made = await asyncio.to_thread(_drawn_beside, folder)
        await asyncio.to_thread(collect.discard, _made(folder))
        self._share.set(1.0)
        return replace(
            result,
            storyboard=plan.storyboard if STORYBOARD in made else None,
            preview=PREVIEW if PREVIEW in made else None,
        )

    async def _cut_on_the_way(
        self,
        line: Sequence[str],
        folder: Path,
        cutters: Sequence[Cutter],
        wait: float = _LOOK,
        until: float | None = None,
    ) -> str:
        """Run ffmpeg and cut what it writes, every `wait` seconds, so that little is left to do at the end."""
        try:
            async with asyncio.TaskGroup() as both:
                writing = both.create_task(self._run(line, folder, until))
                both.create_task(_follow(cutters, writing, wait))
        except ExceptionGroup as group:
            raise group.exceptions[0] from group
        return writing.result()

    async def _prepare(self, folder: Path, rungs: Sequence[Rung]) -> list[Cutter]:
        return await asyncio.to_thread(self._prepared, folder, rungs)

    def _prepared(self, folder: Path, rungs: Sequence[Rung]) -> list[Cutter]:
        cutters = _prepare(folder, rungs, self._given.probe.hdr, self._given.limits.output_bytes)
        for captions in self._captions:
            shutil.copyfile(self._out / _CAPTIONS / captions.name, folder / captions.name)
        return cutters

    def _result(self, renditions: Sequence[Rendition], poster: "_Poster") -> Result:
        left_out = self._given.probe.audio_left_out
        return replace(_result(renditions, poster), captions=self._captions, audio_left_out=left_out)

    async def _gain(self) -> float:
        if not self._given.probe.has_audio:
            return 0.0
        try:
            printed = await self._run(commands.loudness(self._given), None)
        except TRANSIENT:
            raise
        except TranscodeError as error:
            # Where the audio is not at fault, the ladder tells what is.
            return await self._gain() if await self._mend_audio(error) else 0.0
        self._given = with_loss_told(self._given, printed)
        return loudness.gain(loudness.parse(printed))

    async def _poster(self, folder: Path) -> "_Poster":
        """Draw the poster for what is published in a folder; a file without one may still be a video."""
        apart = self._out / _POSTER
        await asyncio.to_thread(_prepare, apart, (), self._given.probe.hdr, 0)
        # One picture is quickly drawn; and chosen among several only if need be.
        poster = await self._drawn(apart, candidates=1, late=True)
        if poster.is_dark:
            poster = await self._drawn(apart, candidates=_CANDIDATES, late=True)
        if poster.name is None:
            poster = await self._drawn(apart, candidates=_CANDIDATES, late=False)
        if poster.name:
            try:
                await asyncio.to_thread((apart / poster.name).replace, folder / poster.name)
            except FileNotFoundError:
                # The folder went with its video, which its publisher will say.
                return _Poster(None, None)
        return poster

    async def _drawn(self, folder: Path, *, candidates: int, late: bool) -> "_Poster":
        try:
            await self._run(commands.still(self._given, self._plan, candidates=candidates, late=late), folder)
        except TRANSIENT:
            raise
        except TranscodeError:
            return _Poster(None, None)
        return await asyncio.to_thread(_poster_in, folder, self._plan.ladder[0])

    async def _run(self, line: Sequence[str], folder: Path | None, until: float | None = None) -> str:
        """Run ffmpeg beside `folder`, in the one where alone it may write, and from which `collect` takes what it made.

        Its progress leads from the share that is done `until` another one. Gives what ffmpeg printed at last.
        """
        begin, progress = self._share.done, Progress(self._plan.duration)

        def advance(data: bytes) -> None:
            progress.feed(data)
            if until is not None:
                self._share.set(begin + progress.fraction * (until - begin))

        given = self._given
        return await run(
            line, sandbox=given.tools.sandbox, reads=given.reads, limits=given.limits, deadline=self._deadline,
            on_output=advance, cwd=_made(folder) if folder else None, devices=encoder(self._settings.encoder).devices,
        )  # fmt: skip

    async def _publish(self, result: Result) -> Path:
        """Hand over what can be watched, and give the place of the rung's folder afterwards."""
        clock = asyncio.get_running_loop().time
        before = clock()
        moved = await self._on_playable(result)
        self._published = True
        self._deadline += clock() - before
        name = result.renditions[0].name
        return (moved or self._out / PLAYABLE) / name


@dataclass(frozen=True, slots=True)
class _Poster:
    name: str | None
    blurhash: str | None
    is_dark: bool = False


def _made(folder: Path) -> Path:
    """Give the folder that the sandbox sees where `folder` is to be filled: what is served never lies in it."""
    return folder.with_name(f"{folder.name}.made")


def _prepare(folder: Path, rungs: Sequence[Rung], hdr: str | None, most: int) -> list[Cutter]:
    made = _made(folder)
    for each in (folder, made):
        each.mkdir(parents=True)
        for rung in rungs:
            (each / rung.name).mkdir()
    if hdr:
        (made / CUBE).write_text(cube(hdr), "ascii")
    return [Cutter(made, rung.name, folder / rung.name, most) for rung in rungs]


def _discard(folder: Path) -> None:
    shutil.rmtree(folder)
    collect.discard(_made(folder))


async def _follow(cutters: Sequence[Cutter], writing: "asyncio.Task[str]", wait: float) -> None:
    while not writing.done():
        await asyncio.wait({writing}, timeout=wait)
        for cutter in cutters:
            await asyncio.to_thread(cutter.advance)


def _finish(cutter: Cutter, expected: float) -> Written:
    written = cutter.finish()
    if not written.segments:
        raise BrokenFile("none of its pictures can be decoded")
    checks.durations(written.segments, expected)
    return written


def _remuxed(given: Given, index: range, copying: Copying, folder: Path) -> Written:
    """Copy without ffmpeg. Raises ValueError, and leaves no trace, where only ffmpeg can."""
    probe = given.probe
    if probe.mixed:
        raise ValueError("several audio tracks are mixed")
    with given.source.open("rb") as file:
        file.seek(index.start)
        moov = file.read(len(index))
        size = os.fstat(file.fileno()).st_size
    return write(given.source, remuxed(moov, probe.video_index, probe.audio_index, copying, size), folder)


def _cleaned(folder: Path, tracks: Sequence[Track]) -> tuple[Captions, ...]:
    """Write the captions anew as we want them, and tell which have any cue."""
    kept = []
    for captions in (track.captions for track in tracks):
        written = collect.opened(_made(folder), captions.name, _MOST_WRITTEN)
        if written is None:
            continue
        with written:
            text = cleaned(written.read(MOST_BYTES).decode("utf-8", "replace"))
        if text:
            (folder / captions.name).write_text(text, "utf-8")
            kept.append(captions)
    return tuple(kept)


def _rendition(written: Written, rung: Rung, durations: tuple[float, ...]) -> Rendition:
    peak, mean = bandwidths([segment.size for segment in written.segments], durations)
    return Rendition(
        name=rung.name,
        width=rung.width,
        height=rung.height,
        frame_rate=checks.frame_rate(written.segments, sum(durations)),
        codecs=checks.codecs(written.init),
        bandwidth=peak,
        average_bandwidth=mean,
        durations=durations,
    )


def _result(renditions: Sequence[Rendition], poster: _Poster) -> Result:
    first = renditions[0]
    return Result(
        duration=first.duration,
        width=first.width,
        height=first.height,
        poster=poster.name,
        renditions=tuple(renditions),
        available=len(first.durations),
        blurhash=poster.blurhash,
    )


def _with_poster(result: Result, poster: _Poster) -> Result:
    return replace(result, poster=poster.name, blurhash=poster.blurhash)


def _poster_in(folder: Path, rung: Rung) -> _Poster:
    """Take the poster that ffmpeg made for a folder, if there is one, and tell of it."""
    pixels = collect.read(_made(folder), BLUR, 3 * SIDE**2)
    if not collect.take(_made(folder), POSTER, folder / POSTER, collect.JPEG):
        return _Poster(None, None)
    blurhash = blurhash_of(pixels, rung.width, rung.height) if len(pixels) == 3 * SIDE**2 else None
    return _Poster(POSTER, blurhash, sum(pixels) < _DARK * len(pixels))


def _drawn_beside(folder: Path) -> set[str]:
    """Take what else was drawn with the ladder, and tell what there is."""
    kinds = {STORYBOARD: collect.JPEG, PREVIEW: collect.CLIP}
    return {name for name, kind in kinds.items() if collect.take(_made(folder), name, folder / name, kind)}


async def _ignore(_: Result) -> None:
    pass
