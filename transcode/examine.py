"""Looks at a file before it is decoded: what it is, whether it is whole, how long it plays, what to make of it."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from pathlib import Path
from typing import BinaryIO

from transcode.commandline import commands
from transcode.commandline.commands import OWN_CLOCK, PLAIN, Access, Given
from transcode.copy_policy import Copying, copying
from transcode.errors import (
    TRANSIENT,
    BrokenFile,
    ChangedAudio,
    NoDecoder,
    TookTooLong,
    TooManyStreams,
    TranscodeError,
)
from transcode.hls import captions
from transcode.limits import Limits
from transcode.mp4.boxes import Layout, boxes, child, layout_of
from transcode.mp4.moov import PLAYED, Edits, StoredTrack, edits_of, tracks_of
from transcode.mp4.samples import samples_of
from transcode.plan import Plan, check, plan
from transcode.process import collect
from transcode.process.diagnosis import MORE_STREAMS
from transcode.process.ffmpeg import run
from transcode.process.tools import Tools
from transcode.settings import Settings
from transcode.source.audio_loss import AudioLoss, decoded
from transcode.source.clock_jumps import Jumps
from transcode.source.frame_rate import distinct, times_of
from transcode.source.ogg_chains import Link, links_to_join
from transcode.source.pixel_aspects import CODECS, LONGEST_HEADER, KeyFrames, headers_in, recorded_in
from transcode.source.probe import PacketTimes, Probe, parse
from transcode.source.sniff import container_of

_MAX_ANSWER = 2**20
_MAX_INDEX = 2**26
_EVEN = 1.02
_SEVERAL, _MOST_TRIED = 2, 7
_LISTENING_S = 60.0
# Tells of a frame only that it is the next one to be decoded; ffmpeg then takes that instant for the one it is shown.
_UNDATED = frozenset({"avi"})
# Formats that do not tell the pixel aspect beside the video stream.
_WITHOUT_ASPECT = frozenset({"flv", "mpeg", "mpegts"})
# Bytes of a file that are looked through at once, of a key frame that may come before its slices, and of a container
# before its first frame.
_PIECE, _PARAMETERS, _HEAD = 2**22, 2**10, 2**20


class Decoding(Enum):
    """How the audio can be decoded."""

    STEADY = "steady"
    CHANGING = "changing"
    """Its format is another one later in the file."""
    FAILING = "failing"
    """Not at all, or with more errors than ffmpeg bears."""


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
    audio: Decoding = Decoding.STEADY
    one_aspect: bool = True
    """Whether all frames have the same pixel aspect, for all that is known without decoding any."""


async def examine(source: Path, tools: Tools, limits: Limits, settings: Settings, deadline: float) -> Examined:
    """Examine a local file, until `deadline` (on the loop's clock) at the latest.

    Raises TranscodeError, with the reason, for everything that is not a whole video within the limits.
    """
    demuxer, access, layout, tracks = await asyncio.to_thread(_look_at, source)
    jumps = Jumps() if demuxer in OWN_CLOCK else None
    answer, times = _Answer(), PacketTimes(jumps)

    def ask(question: Sequence[str], take: Callable[[bytes], None]) -> Coroutine[None, None, str]:
        return run(question, sandbox=tools.sandbox, reads=(source,), limits=limits, deadline=deadline, on_output=take)

    def count() -> Coroutine[None, None, str]:
        return ask(commands.packets(tools, source, demuxer, limits, access), times.feed)

    # Each opens the file for itself, which takes most of the time.
    counting = asyncio.create_task(count()) if layout is None or layout.fragmented or _is_cut(tracks, access) else None
    listening: asyncio.Task[Decoding] | None = None
    comparing: asyncio.Task[bool] | None = None
    try:
        complaints = await ask(commands.probe(tools, source, demuxer, limits, access), answer.feed)
        if MORE_STREAMS in complaints:
            # Matroska goes on without their headers, and then loses frames of the others.
            raise TooManyStreams(f"it has more than {limits.max_streams} streams")
        described = partial(parse, answer.text, aligned=access.edits is Edits.IGNORED, encrypted=_encrypted(tracks))
        probe = described()
        # From the first and the last time stamp: nothing where the clock jumps.
        check(replace(probe, duration=0.0) if jumps else probe, limits)
        index, fails = await _heard_track(Given(tools, source, demuxer, probe, limits, access), deadline)
        if index != probe.audio_index:
            probe = described(audio_index=index)
            probe = replace(probe, audio_left_out=AudioLoss.SOME_TRACKS) if fails else probe
        listening = asyncio.create_task(_listen(Given(tools, source, demuxer, probe, limits, access), deadline))
        comparing = asyncio.create_task(_has_one_aspect(source, access.begin, layout, probe))
        if counting or probe.duration <= 0:
            await (counting or count())
            probe = await asyncio.to_thread(times.applied_to, probe)
        audio = await listening
        one_aspect = await comparing
    finally:
        for task in filter(None, (counting, listening, comparing)):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    if layout and not layout.fragmented:
        probe = await asyncio.to_thread(_with_peak_rate, source, layout, probe)
    if demuxer in _UNDATED:
        probe = replace(probe, delay=probe.reordering)
    made = plan(probe, limits, settings)
    given = Given(tools, source, demuxer, probe, limits, access)
    # A copy would carry what is damaged into every player; some stop there.
    intact = tracks and access == PLAIN and not complaints.strip()
    copied = copying(answer.text, tracks, probe, made) if intact else None
    index_of = layout.index if layout else range(0)
    return Examined(given, made, copied, index_of, captions.tracks_of(answer.text), audio, one_aspect)


async def _has_one_aspect(source: Path, begin: int, layout: Layout | None, probe: Probe) -> bool:
    """Return whether all headers of the video stream are the same, so that its pixel aspect cannot change."""
    codec = probe.video_codec
    if codec not in CODECS:
        return True
    with source.open("rb") as file:
        found = set[bytes]()
        if layout and len(layout.index) <= _MAX_INDEX:
            found, told = await asyncio.to_thread(_indexed, file, layout, probe)
            if told:
                return len(found) <= 1
        file.seek(begin)
        before = b""
        # In pieces, each for some milliseconds: Python does nothing else meanwhile.
        while len(found) <= 1 and (piece := await asyncio.to_thread(file.read, _PIECE)):
            if not before:
                found |= recorded_in(piece[:_HEAD], codec)
            found |= await asyncio.to_thread(headers_in, before + piece, codec)
            before = piece[-LONGEST_HEADER:]
    return len(found) <= 1


def _indexed(file: BinaryIO, layout: Layout, probe: Probe) -> tuple[set[bytes], bool]:
    """Return the headers that the index of an MP4 holds, and whether all that key frames bring are among them."""
    index = os.pread(file.fileno(), len(layout.index), layout.index.start)
    try:
        media = child([body for kind, body in boxes(index) if kind == b"trak"][probe.video_index], b"mdia")
        found = recorded_in(child(media, b"minf", b"stbl", b"stsd"), probe.video_codec)
        samples = samples_of(media, os.fstat(file.fileno()).st_size)
    except (ValueError, IndexError):
        return set(), False
    for number in range(len(samples.sizes)) if samples.keys is None else sorted(samples.keys):
        length = min(samples.sizes[number], _PARAMETERS)
        found |= headers_in(os.pread(file.fileno(), length, samples.offsets[number]), probe.video_codec)
        if len(found) > 1:
            break
    return found, not layout.fragmented


async def joined(source: Path, folder: Path, tools: Tools, limits: Limits, deadline: float) -> Path:
    """Join the links of a chained Ogg file with video in the new `folder`, and give the file to read instead of it.

    Where they cannot be, or for all other files, that is the same. Raises TooManyStreams.
    """
    links = await asyncio.to_thread(_links, source)
    if not links or not links[0].size:
        return source
    await asyncio.to_thread(folder.mkdir, parents=True)
    line = commands.joined(tools, source, links, limits)
    try:
        await run(
            line, sandbox=tools.sandbox, reads=(source,), limits=limits, deadline=deadline, on_output=lambda _: None,
            cwd=folder,
        )  # fmt: skip
    except TRANSIENT:
        raise
    except TranscodeError:
        return source
    made = await asyncio.to_thread(collect.opened, folder, commands.JOINED, limits.output_bytes)
    if made is None:
        return source
    made.close()
    return folder / commands.JOINED


def _links(source: Path) -> tuple[Link, ...]:
    with source.open("rb") as file:
        return links_to_join(file)


async def with_pixel_aspects(examined: Examined, folder: Path, deadline: float) -> Examined:
    """Find where the pixel aspect changes, by way of the new `folder`, where it may. It is then no copy."""
    if examined.one_aspect:
        return examined
    given = examined.given
    await asyncio.to_thread(folder.mkdir, parents=True)
    frames = KeyFrames()
    try:
        await _decode(commands.key_frames(given), given, deadline, folder)
        made = await asyncio.to_thread(collect.opened, folder, commands.KEY_FRAMES, given.limits.output_bytes)
        if made is None:
            return examined
        made.close()
        line = commands.pixel_aspects(given, folder)
        reads = (folder / commands.KEY_FRAMES,)
        await run(
            line,
            sandbox=given.tools.sandbox,
            reads=reads,
            limits=given.limits,
            deadline=deadline,
            on_output=frames.feed,
        )
    except TRANSIENT:
        raise
    except TranscodeError:
        # Whatever is wrong with it, the stages will say it.
        return examined
    finally:
        await asyncio.to_thread(collect.discard, folder)
    container = None if given.demuxer in _WITHOUT_ASPECT else given.probe.pixel_aspect
    changes = frames.changes(commands.KEY_FRAMES_BEGIN + given.probe.delay, container)
    if not changes:
        return examined
    return replace(examined, given=replace(given, probe=replace(given.probe, pixel_aspects=changes)), copying=None)


async def _heard_track(given: Given, deadline: float) -> tuple[int | None, bool]:
    """Return the audio track to be heard, and whether the one that players choose cannot be decoded.

    It is another one where that, or silence to its end, is so. Where that is not known within a minute, it stays the
    one that players choose.
    """
    probe = given.probe
    if probe.audio_index is None or probe.mixed or len(probe.audio_tracks) < _SEVERAL:
        return probe.audio_index, False
    soon = min(deadline, asyncio.get_running_loop().time() + _LISTENING_S)
    others = [track.index for track in probe.audio_tracks if track.index != probe.audio_index]
    fails = False
    for index in (probe.audio_index, *others[:_MOST_TRIED]):
        samples: list[bytes] = []
        try:
            await _decode(commands.audible(given, index), given, soon, None, samples.append)
        except TookTooLong:
            break
        except TRANSIENT:
            raise
        except TranscodeError:
            fails = fails or index == probe.audio_index
            continue
        if samples:
            return index, fails
    return probe.audio_index, False


def _encrypted(tracks: Sequence[StoredTrack]) -> frozenset[int]:
    return frozenset(index for index, track in enumerate(tracks) if track.encrypted and track.kind == "soun")


async def _listen(given: Given, deadline: float) -> Decoding:
    if not given.probe.may_change_audio(given.demuxer):
        return Decoding.STEADY
    return await _decoding(given, deadline)


async def _decoding(given: Given, deadline: float) -> Decoding:
    try:
        await _decode(commands.even_audio(given), given, deadline, None)
    except ChangedAudio:
        return Decoding.CHANGING
    except TRANSIENT:
        raise
    except TranscodeError:
        return Decoding.FAILING
    return Decoding.STEADY


async def with_audio_apart(examined: Examined, folder: Path, deadline: float) -> Given:
    """Decode audio that is not steady into a file in the new `folder`, and give what reads it from there.

    Audio that is stays where it is. What cannot be decoded is silent, and what is given says so.
    """
    if examined.audio is Decoding.STEADY:
        return examined.given
    return await _audio_apart(examined.given, examined.audio, folder, deadline)


async def with_audio_mended(given: Given, error: TranscodeError, folder: Path, deadline: float) -> Given | None:
    """Do the same after a run that failed with `error`, where the audio was at fault; None where it was not."""
    if isinstance(error, TRANSIENT) or not given.probe.has_audio or given.audio is not None:
        return None
    found = await _decoding(given, deadline)
    return None if found is Decoding.STEADY else await _audio_apart(given, found, folder, deadline)


def with_loss_told(given: Given, printed: str) -> Given:
    """Tell what a run, of which ffmpeg `printed` this, could not decode of the audio."""
    known = decoded(printed)
    index = given.probe.audio_index
    if known is None or index is None or given.audio is not None or given.probe.audio_left_out:
        return given
    return replace(given, probe=replace(given.probe, audio_left_out=known.loss(given.probe.audio_track(index).rate)))


async def _audio_apart(given: Given, found: Decoding, folder: Path, deadline: float) -> Given:
    if given.probe.mixed and found is Decoding.FAILING:
        return await _without_broken_tracks(given, deadline)
    await asyncio.to_thread(folder.mkdir, parents=True)
    try:
        printed = await _decode(commands.audio(given), given, deadline, folder)
    except TRANSIENT:
        raise
    except TranscodeError as error:
        why = AudioLoss.NO_DECODER if isinstance(error, NoDecoder) else AudioLoss.DAMAGED
        return replace(given, probe=given.probe.without_audio(why))
    told = with_loss_told(given, printed)
    # Nobody writes there any more; what is read next is to be nothing but what was made.
    made = await asyncio.to_thread(collect.opened, folder, commands.AUDIO, given.limits.output_bytes)
    if made is not None:
        made.close()
    if made is None or told.probe.audio_left_out is AudioLoss.DAMAGED:
        return replace(given, probe=given.probe.without_audio(AudioLoss.DAMAGED))
    return replace(told, audio=folder / commands.AUDIO)


async def _without_broken_tracks(given: Given, deadline: float) -> Given:
    """Leave out those of several microphones that cannot be decoded."""
    probe, kept = given.probe, list[int]()
    for index in probe.heard:
        alone = replace(given, probe=replace(probe, audio_index=index, mixed=()))
        if await _decoding(alone, deadline) is not Decoding.FAILING:
            kept.append(index)
    if not kept:
        return replace(given, probe=probe.without_audio(AudioLoss.DAMAGED))
    some = replace(probe, audio_index=kept[0], mixed=tuple(kept[1:]), audio_left_out=AudioLoss.SOME_TRACKS)
    return replace(given, probe=some)


async def _decode(
    line: Sequence[str],
    given: Given,
    deadline: float,
    folder: Path | None,
    take: Callable[[bytes], None] = lambda _: None,
) -> str:
    return await run(
        line, sandbox=given.tools.sandbox, reads=given.reads, limits=given.limits, deadline=deadline, on_output=take,
        cwd=folder,
    )  # fmt: skip


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


def _is_cut(tracks: Sequence[StoredTrack], access: Access) -> bool:
    """Return whether edit lists make of the tracks of an MP4 what their headers do not tell."""
    return access.edits is Edits.APPLIED and any(not track.plain for track in tracks if track.kind in PLAYED)


def _with_peak_rate(source: Path, layout: Layout, probe: Probe) -> Probe:
    """Look at the time stamps of an index, where a rate above the mean lets them be uneven."""
    if not 0 < probe.frame_rate * _EVEN < probe.base_rate or len(layout.index) > _MAX_INDEX:
        return probe
    with source.open("rb") as file:
        file.seek(layout.index.start)
        try:
            times = times_of(file.read(len(layout.index)), probe.video_index)
        except ValueError:
            return probe
    return probe.with_times(distinct(times))


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
