"""Find an audio track that can be decoded, and separate audio that cannot be decoded beside video."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from pathlib import Path

from transcode.commandline import preparation, probing
from transcode.commandline.inputs import Source
from transcode.errors import TRANSIENT, ChangedAudio, NoDecoder, TookTooLong, TranscodeError
from transcode.process import collect
from transcode.process.ffmpeg import run
from transcode.source.audio_loss import AudioLoss, decoded
from transcode.source.probe import Probe

_SEVERAL, _MOST_TRIED = 2, 7
_LONGEST_SEARCH_S = 60.0


class Decoding(Enum):
    """How the audio can be decoded."""

    STEADY = "steady"
    CHANGING = "changing"
    """Its format changes within the file."""
    FAILING = "failing"
    """Not at all, or with more errors than ffmpeg tolerates."""


async def with_audible_track(source: Source, probe_with: Callable[[int | None], Probe], deadline: float) -> Probe:
    """Return the probe with the audio track to play: the one that players choose, if it can be decoded and is audible.

    Else `probe_with` gives the probe with another track. Where that is not known within a minute, the choice stays.
    """
    probe, audio = source.probe, source.probe.audio
    if audio.index is None or audio.mixed or len(audio.tracks) < _SEVERAL:
        return probe
    soon = min(deadline, asyncio.get_running_loop().time() + _LONGEST_SEARCH_S)
    others = [track.index for track in audio.tracks if track.index != audio.index]
    fails = False
    for index in (audio.index, *others[:_MOST_TRIED]):
        samples: list[bytes] = []
        try:
            await run(probing.first_audible_frame(source, index), source.confinement(soon), samples.append)
        except TookTooLong:
            break
        except TRANSIENT:
            raise
        except TranscodeError:
            fails = fails or index == audio.index
            continue
        if samples and index == audio.index:
            break
        if samples:
            other = probe_with(index)
            lossy = replace(other.audio, left_out=AudioLoss.SOME_TRACKS)
            return replace(other, audio=lossy) if fails else other
    return probe


async def check_audio(source: Source, deadline: float) -> Decoding:
    """Find out how the audio can be decoded, by decoding it where its codec lets the format change."""
    if not source.probe.audio.may_change(source.demuxer):
        return Decoding.STEADY
    return await _decoding(source, deadline)


async def _decoding(source: Source, deadline: float) -> Decoding:
    try:
        await run(probing.verify_audio_format(source), source.confinement(deadline))
    except ChangedAudio:
        return Decoding.CHANGING
    except TRANSIENT:
        raise
    except TranscodeError:
        return Decoding.FAILING
    return Decoding.STEADY


async def with_separate_audio(source: Source, decoding: Decoding, folder: Path, deadline: float) -> Source:
    """Decode audio that is not steady into a file in the new `folder`, and return the source that reads it from there.

    What cannot be decoded is silent, which its probe states.
    """
    if decoding is Decoding.STEADY:
        return source
    if source.probe.audio.mixed and decoding is Decoding.FAILING:
        return await _without_broken_tracks(source, deadline)
    await asyncio.to_thread(folder.mkdir, parents=True)
    try:
        printed = await run(preparation.audio(source), source.confinement(deadline, folder))
    except TRANSIENT:
        raise
    except TranscodeError as error:
        why = AudioLoss.NO_DECODER if isinstance(error, NoDecoder) else AudioLoss.DAMAGED
        return replace(source, probe=source.probe.without_audio(why))
    source = with_audio_loss(source, printed)
    # Nobody writes there any more; what is read next is to be nothing but the expected file.
    made = await asyncio.to_thread(collect.opened, folder, preparation.AUDIO, source.limits.output_bytes)
    if made is not None:
        made.close()
    if made is None or source.probe.audio.left_out is AudioLoss.DAMAGED:
        return replace(source, probe=source.probe.without_audio(AudioLoss.DAMAGED))
    return replace(source, audio=folder / preparation.AUDIO)


async def with_repaired_audio(source: Source, error: TranscodeError, folder: Path, deadline: float) -> Source | None:
    """Separate the audio after a run that failed with `error`, if the audio was the cause; None if it was not."""
    if isinstance(error, TRANSIENT) or not source.probe.has_audio or source.audio is not None:
        return None
    found = await _decoding(source, deadline)
    return None if found is Decoding.STEADY else await with_separate_audio(source, found, folder, deadline)


def with_audio_loss(source: Source, printed: str) -> Source:
    """Record the audio that a run could not decode, according to what ffmpeg `printed`."""
    statistics = decoded(printed)
    audio = source.probe.audio
    if statistics is None or audio.index is None or source.audio is not None or audio.left_out:
        return source
    loss = statistics.loss(audio.track(audio.index).rate)
    return replace(source, probe=replace(source.probe, audio=replace(audio, left_out=loss)))


async def _without_broken_tracks(source: Source, deadline: float) -> Source:
    """Leave out those of several microphones that cannot be decoded."""
    probe, kept = source.probe, list[int]()
    for index in probe.audio.indexes:
        alone = replace(source, probe=replace(probe, audio=replace(probe.audio, index=index, mixed=())))
        if await _decoding(alone, deadline) is not Decoding.FAILING:
            kept.append(index)
    if not kept:
        return replace(source, probe=probe.without_audio(AudioLoss.DAMAGED))
    first, *others = kept
    some = replace(probe.audio, index=first, mixed=tuple(others), left_out=AudioLoss.SOME_TRACKS)
    return replace(source, probe=replace(probe, audio=some))
