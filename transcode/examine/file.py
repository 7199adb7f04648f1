"""Examine a file before it is decoded: what it is, whether it is whole, how long it plays, which renditions to make."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from transcode.commandline import probing
from transcode.commandline.inputs import OWN_CLOCK, PLAIN, Access, Source
from transcode.copy_policy import StreamCopy, stream_copy_of
from transcode.errors import BrokenFile, TooManyStreams
from transcode.examine.audio import Decoding, check_audio, with_audible_track
from transcode.examine.description import describe
from transcode.examine.pixel_aspects import MOST_INDEX, has_one_aspect
from transcode.hls import captions
from transcode.limits import Limits
from transcode.mp4.boxes import Layout, layout_of
from transcode.mp4.moov import PLAYED, Edits, StoredTrack, decode_times_of, edits_of, tracks_of
from transcode.plan import Plan, check, plan
from transcode.process.diagnosis import MORE_STREAMS
from transcode.process.ffmpeg import Confinement, run
from transcode.process.tasks import Tasks
from transcode.process.tools import Tools
from transcode.settings import Settings
from transcode.source.clock_jumps import Jumps
from transcode.source.ffprobe import Description
from transcode.source.frame_rate import MOST_TIMES, distinct
from transcode.source.packet_times import PacketTimes
from transcode.source.probe import Probe, VideoTrack, probe_of
from transcode.source.sniff import container_of

_VARIABLE = 1.02
# Its packets have no presentation time stamps; ffmpeg then takes the decode time for it.
_DECODE_TIMES_ONLY = frozenset({"avi"})


@dataclass(frozen=True, slots=True)
class Examined:
    """A file that is a video within the limits."""

    source: Source
    plan: Plan
    stream_copy: StreamCopy | None
    """How the first stage can be a stream copy; None when it must be encoded."""
    index: range
    """Byte range of the content of its `moov` box, if it is an MP4."""
    subtitles: tuple[captions.Track, ...] = ()
    """The subtitles that become captions."""
    audio: Decoding = Decoding.STEADY
    one_aspect: bool = True
    """Whether all frames have the same pixel aspect, as far as is known without decoding any."""


@dataclass(frozen=True, slots=True)
class _Container:
    demuxer: str
    access: Access
    layout: Layout | None = None
    """Of an MP4."""
    tracks: tuple[StoredTrack, ...] = ()
    """Of an MP4."""

    @property
    def states_durations(self) -> bool:
        """Whether its header states the durations of its tracks reliably: a whole MP4 without cuts does."""
        return self.layout is not None and not self.layout.fragmented and not self._has_cuts

    @property
    def _has_cuts(self) -> bool:
        played = (track for track in self.tracks if track.kind in PLAYED)
        return self.access.edits is Edits.APPLIED and any(not track.plain for track in played)

    @property
    def encrypted(self) -> frozenset[int]:
        """The encrypted audio tracks."""
        return frozenset(index for index, track in enumerate(self.tracks) if track.encrypted and track.kind == "soun")

    def probe(self, description: Description, audio_index: int | None = None) -> Probe:
        """Reduce a description to a probe, with the audio track `audio_index` if there is one."""
        aligned = self.access.edits is Edits.IGNORED
        return probe_of(description, aligned=aligned, audio_index=audio_index, encrypted=self.encrypted)


async def examine(path: Path, tools: Tools, limits: Limits, settings: Settings, deadline: float) -> Examined:
    """Examine a local file, until `deadline` (on the loop's clock) at the latest.

    Raises TranscodeError, with the reason, for everything that is not a whole video within the limits.
    """
    container = await asyncio.to_thread(_container_of, path)
    demuxer, access = container.demuxer, container.access
    within = Confinement(tools.sandbox, limits, deadline, (path,))
    times = PacketTimes(Jumps() if demuxer in OWN_CLOCK else None)

    async def measure() -> None:
        await run(probing.packets(tools, path, demuxer, limits, access), within, times.feed)

    async with Tasks() as tasks:
        # Each opens the file for itself, which takes most of the time.
        measuring = None if container.states_durations else tasks.start(measure())
        description, complaints = await describe(probing.probe(tools, path, demuxer, limits, access), within)
        if MORE_STREAMS in complaints:
            # Matroska goes on without their headers, and then loses frames of the others.
            raise TooManyStreams(f"it has more than {limits.max_streams} streams")
        probe = container.probe(description)
        # From the first and the last time stamp: nothing where the clock jumps.
        check(replace(probe, duration=0.0) if demuxer in OWN_CLOCK else probe, limits)
        source = Source(tools, path, demuxer, probe, limits, access)
        probe = await with_audible_track(source, lambda index: container.probe(description, index), deadline)
        checking = tasks.start(check_audio(replace(source, probe=probe), deadline))
        comparing = tasks.start(has_one_aspect(path, access.start, container.layout, probe.video))
        if measuring or probe.duration <= 0:
            await (measuring or measure())
            probe = await asyncio.to_thread(times.applied_to, probe)
        audio, one_aspect = await checking, await comparing
    probe = replace(probe, video=await asyncio.to_thread(_with_frame_times, path, container, probe.video))
    planned = plan(probe, limits, settings)
    # A stream copy would have the damage of its source; some players stop there.
    intact = container.tracks and access == PLAIN and not complaints.strip()
    return Examined(
        source=replace(source, probe=probe),
        plan=planned,
        stream_copy=stream_copy_of(description, container.tracks, probe, planned) if intact else None,
        index=container.layout.index if container.layout else range(0),
        subtitles=captions.tracks_of(description),
        audio=audio,
        one_aspect=one_aspect,
    )


def _container_of(path: Path) -> _Container:
    with path.open("rb") as file:
        found = container_of(file)
        access = Access(found.start)
        if found.demuxer != "mov":
            return _Container(found.demuxer, access)
        # Only MP4 has its durations in an index that can be trusted once the file is known to be whole.
        try:
            layout = layout_of(file, path.stat().st_size, found.start)
        except ValueError as error:
            raise BrokenFile(str(error)) from error
        tracks = _tracks(file, layout)
        # In a fragmented file, an edit list may state no duration.
        edits = Edits.APPLIED if layout.fragmented else edits_of(tracks)
        return _Container(found.demuxer, replace(access, edits=edits), layout, tracks)


def _tracks(file: BinaryIO, layout: Layout) -> tuple[StoredTrack, ...]:
    if len(layout.index) > MOST_INDEX:
        return ()
    file.seek(layout.index.start)
    try:
        return tracks_of(file.read(len(layout.index)))
    except ValueError:
        # ffmpeg may still read it.
        return ()


def _with_frame_times(path: Path, container: _Container, video: VideoTrack) -> VideoTrack:
    """Correct delay and frame rates by the format, and by the time stamps in the index of an MP4."""
    if container.demuxer in _DECODE_TIMES_ONLY:
        video = replace(video, delay=video.reordering)
    layout = container.layout
    if layout is None or layout.fragmented or len(layout.index) > MOST_INDEX:
        return video
    if not 0 < video.frame_rate * _VARIABLE < video.base_rate:
        return video
    with path.open("rb") as file:
        file.seek(layout.index.start)
        try:
            times = decode_times_of(file.read(len(layout.index)), video.index, MOST_TIMES)
        except ValueError:
            return video
    return video.with_times(distinct(times))
