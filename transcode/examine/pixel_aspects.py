"""Detect pixel aspect ratios that change within a file."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from transcode.commandline import preparation, probing
from transcode.commandline.inputs import Source
from transcode.errors import TRANSIENT, TranscodeError
from transcode.mp4.boxes import Layout, boxes, child
from transcode.mp4.samples import samples_of
from transcode.process import collect
from transcode.process.ffmpeg import run
from transcode.source.pixel_aspects import CODECS, LONGEST_HEADER, KeyFrames, headers_in, recorded_in
from transcode.source.probe import VideoTrack

MOST_INDEX = 2**26
"""Bytes of a `moov` box that are read into memory."""

# Formats that have no pixel aspect outside the video stream.
_WITHOUT_ASPECT = frozenset({"flv", "mpeg", "mpegts"})
# Bytes of a file that are searched at once, of a key frame that may come before its slices, and of a container before
# its first frame.
_PIECE, _PARAMETERS, _HEAD = 2**22, 2**10, 2**20


async def has_one_aspect(path: Path, start: int, layout: Layout | None, video: VideoTrack) -> bool:
    """Return whether all headers of the video stream are the same, so that its pixel aspect cannot change.

    The container starts at byte `start`; `layout` is that of an MP4.
    """
    codec = video.codec
    if codec not in CODECS:
        return True
    with path.open("rb") as file:
        found = set[bytes]()
        if layout and len(layout.index) <= MOST_INDEX:
            found, complete = await asyncio.to_thread(_indexed, file, layout, video)
            if complete:
                return len(found) <= 1
        file.seek(start)
        before = b""
        # In pieces, each for some milliseconds: Python does nothing else meanwhile.
        while len(found) <= 1 and (piece := await asyncio.to_thread(file.read, _PIECE)):
            if not before:
                found |= recorded_in(piece[:_HEAD], codec)
            found |= await asyncio.to_thread(headers_in, before + piece, codec)
            before = piece[-LONGEST_HEADER:]
    return len(found) <= 1


def _indexed(file: BinaryIO, layout: Layout, video: VideoTrack) -> tuple[set[bytes], bool]:
    """Return the headers that the index of an MP4 leads to, and whether those of all key frames are among them."""
    index = os.pread(file.fileno(), len(layout.index), layout.index.start)
    try:
        media = child([body for kind, body in boxes(index) if kind == b"trak"][video.index], b"mdia")
        found = recorded_in(child(media, b"minf", b"stbl", b"stsd"), video.codec)
        samples = samples_of(media, os.fstat(file.fileno()).st_size)
    except (ValueError, IndexError):
        return set(), False
    syncs = samples.sync_samples
    for number in range(len(samples.sizes)) if syncs is None else sorted(syncs):
        length = min(samples.sizes[number], _PARAMETERS)
        found |= headers_in(os.pread(file.fileno(), length, samples.offsets[number]), video.codec)
        if len(found) > 1:
            break
    return found, not layout.fragmented


async def with_pixel_aspects(source: Source, folder: Path, deadline: float) -> Source:
    """Find where the pixel aspect changes, by way of the new `folder`: decodes the headers of all key frames."""
    await asyncio.to_thread(folder.mkdir, parents=True)
    frames = KeyFrames()
    try:
        await run(preparation.key_frames(source), source.confinement(deadline, folder))
        most = source.limits.output_bytes
        made = await asyncio.to_thread(collect.opened, folder, preparation.KEY_FRAMES, most)
        if made is None:
            return source
        made.close()
        within = replace(source.confinement(deadline), reads=(folder / preparation.KEY_FRAMES,))
        await run(probing.pixel_aspects(source, folder), within, frames.feed)
    except TRANSIENT:
        raise
    except TranscodeError:
        # Whatever is wrong with the file, the stages will fail for the same reason.
        return source
    finally:
        await asyncio.to_thread(collect.discard, folder)
    probe, video = source.probe, source.probe.video
    container = None if source.demuxer in _WITHOUT_ASPECT else video.pixel_aspect
    changes = frames.changes(preparation.KEY_FRAMES_ORIGIN + video.delay, container)
    return replace(source, probe=replace(probe, video=replace(video, pixel_aspects=changes)))
