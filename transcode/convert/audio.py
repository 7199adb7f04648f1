"""Make a video of audio, which is then transcoded as any other: its waveform, and the playing position in it."""

import asyncio
import math
import os
from array import array
from contextlib import suppress
from pathlib import Path

from transcode.commandline import conversions, waveform
from transcode.convert.workdir import workdir
from transcode.errors import BrokenFile, EmptyFile, NotAudio, NotAVideo, TooLong
from transcode.limits import Limits
from transcode.process import collect
from transcode.process.tools import Tools
from transcode.source.ogg_chains import Link, links_to_join
from transcode.source.sniff import HEAD_BYTES, audio_demuxer_of, behind_tags

# Twenty blocks per second are measured.
_BLOCK = conversions.MEASURED // 20
_SAMPLE_BYTES = 2
_PIECE = _BLOCK * _SAMPLE_BYTES * 1000
# The playing position moves by some pixels with each frame: more frames make it smooth where it is quick.
_QUICK_RATE, _RATE, _QUICK_SECONDS = 20, 10, 60


async def video_of_audio(source: Path, target: Path, *, tools: Tools, limits: Limits) -> None:
    """Write an MP4 of an audio file to the new file `target`: Ogg, M4A, MP3, WAV, FLAC, WebM, AAC or AMR.

    Its video has 640 x 360 pixels. Raises TranscodeError: NotAudio, TooLong, or as `Transcoding` does.
    """
    source, target = await asyncio.to_thread(lambda: (source.absolute(), target.absolute()))
    demuxer = await asyncio.to_thread(audio_demuxer_in, source)
    links = await asyncio.to_thread(_links, source)
    async with workdir(source, target, tools, limits) as work:
        try:
            await work.make(conversions.samples(tools, source, demuxer, limits, links))
        except NotAVideo as error:
            raise NotAudio(str(error)) from error
        seconds = await asyncio.to_thread(_drawn, work.folder, limits)
        rate = _QUICK_RATE if seconds < _QUICK_SECONDS else _RATE
        frames = max(1, math.ceil(seconds * rate))
        await work.make(conversions.audio_video(tools, limits, rate=rate, frames=frames))


def audio_demuxer_in(source: Path) -> str:
    """Return ffmpeg's demuxer for an audio file. Raises NotAudio, EmptyFile."""
    with source.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(behind_tags(file))
        # Any format may have tags; most often it is MP3. ffmpeg skips the tags itself.
        for start in (file.read(HEAD_BYTES), head):
            with suppress(NotAudio, EmptyFile):
                return audio_demuxer_of(start)
        return audio_demuxer_of(head)


def _links(source: Path) -> tuple[Link, ...]:
    with source.open("rb") as file:
        links = links_to_join(file)
    return links if all(link.has_audio for link in links) else ()


def _drawn(folder: Path, limits: Limits) -> float:
    """Draw the waveform of PCM into the folder, and return its duration in seconds."""
    most = math.ceil((limits.max_duration + 2) * conversions.MEASURED * _SAMPLE_BYTES)
    measured = collect.opened(folder, conversions.PCM, most)
    if measured is None:
        raise BrokenFile("there is nothing to hear in the file")
    with measured:
        length = os.fstat(measured.fileno()).st_size // _SAMPLE_BYTES
        seconds = length / conversions.MEASURED
        if seconds > limits.max_duration:
            raise TooLong(f"it plays more than {limits.max_duration:.0f} s")
        if not length:
            raise BrokenFile("there is nothing to hear in the file")
        loudness: list[int] = []
        # Two hours at once would be a hundred megabytes.
        for _ in range(0, length, _PIECE // _SAMPLE_BYTES):
            piece = measured.read(_PIECE)
            loudness += waveform.loudness_of(array("h", piece[: len(piece) // _SAMPLE_BYTES * _SAMPLE_BYTES]), _BLOCK)
    collect.put(folder, waveform.STENCIL, waveform.stencil_of(waveform.bars_of(loudness)))
    return seconds
