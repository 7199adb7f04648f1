"""Looks at a file before it is decoded: what it is, whether it is whole, how long it plays, what to make of it."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from transcode import captions, command
from transcode.command import PLAIN, Access, Given
from transcode.copying import Copying, copying
from transcode.errors import BrokenFile
from transcode.ffmpeg import run
from transcode.limits import Limits
from transcode.moov import Edits, StoredTrack, edits_of, tracks_of
from transcode.mp4 import Layout, layout_of
from transcode.plan import Plan, check, plan
from transcode.probe import PacketTimes, parse
from transcode.settings import Settings
from transcode.sniff import container_of
from transcode.tools import Tools

_MAX_ANSWER = 2**20
_MAX_INDEX = 2**26


@dataclass(frozen=True, slots=True)
class Examined:
    """A file that is a video within the limits."""

    given: Given
    plan: Plan
    copying: Copying | None
    """How the first rendition can be a copy; None when it must be encoded."""
    index: range
    """Where the contents of its `moov` box lie in the file, if it is an MP4."""
    tracks: tuple[captions.Track, ...] = ()
    """The subtitles that become captions."""


async def examine(source: Path, tools: Tools, limits: Limits, settings: Settings, deadline: float) -> Examined:
    """Examine a local file, until `deadline` (on the loop's clock) at the latest.

    Raises TranscodeError, with the reason, for everything that is not a whole video within the limits.
    """
    demuxer, access, layout, tracks = await asyncio.to_thread(_look_at, source)
    answer, times = _Answer(), PacketTimes()

    def ask(question: Sequence[str], take: Callable[[bytes], None]) -> Coroutine[None, None, str]:
        return run(question, sandbox=tools.sandbox, reads=(source,), limits=limits, deadline=deadline, on_output=take)

    def count() -> Coroutine[None, None, str]:
        return ask(command.packets(tools, source, demuxer, limits, access), times.feed)

    # Each opens the file for itself, which takes most of the time.
    counting = asyncio.create_task(count()) if layout is None or layout.fragmented else None
    try:
        complaints = await ask(command.probe(tools, source, demuxer, limits, access), answer.feed)
        probe = parse(answer.text, aligned=access.edits is Edits.IGNORED)
        check(probe, limits)
        if counting or probe.duration <= 0:
            await (counting or count())
            probe = times.applied_to(probe)
    finally:
        if counting:
            counting.cancel()
            await asyncio.gather(counting, return_exceptions=True)
    made = plan(probe, limits, settings)
    given = Given(tools, source, demuxer, probe, limits, access)
    # A copy would carry what is damaged into every player; some stop there.
    intact = tracks and access == PLAIN and not complaints.strip()
    copied = copying(answer.text, tracks, probe, made) if intact else None
    return Examined(given, made, copied, layout.index if layout else range(0), captions.tracks_of(answer.text))


def _look_at(source: Path) -> tuple[str, Access, Layout | None, tuple[StoredTrack, ...]]:
    with source.open("rb") as file:
        container = container_of(file)
        access = Access(container.begin)
        if container.demuxer != "mov":
            return container.demuxer, access, None, ()
        # Only MP4 has its durations in an index that we can trust once the file is known to be whole.
        layout = layout_of(file, source.stat().st_size, container.begin)
        tracks = _tracks(file, layout)
        # In fragments, a list may say nothing of how long a track is.
        edits = Edits.APPLIED if layout.fragmented else edits_of(tracks)
        return container.demuxer, replace(access, edits=edits), layout, tracks


def _tracks(file: BinaryIO, layout: Layout) -> tuple[StoredTrack, ...]:
    if len(layout.index) > _MAX_INDEX:
        return ()
    file.seek(layout.index.start)
    try:
        return tracks_of(file.read(len(layout.index)))
    except ValueError:
        # ffmpeg may still make something of it.
        return ()


class _Answer:
    """What ffprobe says, as long as it is of a sensible length."""

    def __init__(self) -> None:
        self.text = b""

    def feed(self, data: bytes) -> None:
        self.text += data
        if len(self.text) > _MAX_ANSWER:
            raise BrokenFile("the description of the file has no end")
