"""Draw a poster before there is a ladder, and collect one that ffmpeg drew."""

import asyncio
from pathlib import Path

from transcode.blurhash import SIDE, blurhash_of
from transcode.commandline import images
from transcode.commandline.outputs import BLUR
from transcode.errors import TRANSIENT, TranscodeError
from transcode.hls.playlist import POSTER
from transcode.plan import Rung
from transcode.process import collect
from transcode.process.collect import Directory
from transcode.stages.job import Job, create, file_encryptor, sandbox_of
from transcode.stages.result import NO_POSTER, Poster

_FOLDER = "poster"
# Number of frames to choose from where the first one is dark; and what is dark, on average, of 255.
_CANDIDATES, _DARK = 8, 16


async def draw_poster(job: Job, stage: Directory, key: bytes | None) -> Poster:
    """Draw the poster of a stage, which may be published already; a file without one may still be a video.

    With the stage's `key` it is encrypted.
    """
    folder = job.out / _FOLDER
    await asyncio.to_thread(create, folder, hdr=job.source.probe.video.hdr)
    # The first frame is quickly drawn; one is chosen among several only if need be.
    poster = await _drawn(job, folder, key, candidates=1, late=True)
    if poster.is_dark:
        poster = await _drawn(job, folder, key, candidates=_CANDIDATES, late=True)
    if poster.name is None:
        poster = await _drawn(job, folder, key, candidates=_CANDIDATES, late=False)
    if poster.name:
        try:
            await asyncio.to_thread(stage.move_in, folder / poster.name)
        except FileNotFoundError:
            # The stage was deleted with its video, as its publisher will notice.
            return NO_POSTER
    return poster


async def _drawn(job: Job, folder: Path, key: bytes | None, *, candidates: int, late: bool) -> Poster:
    try:
        await job.run(images.poster(job.source, job.plan, candidates=candidates, late=late), folder)
    except TRANSIENT:
        raise
    except TranscodeError:
        return NO_POSTER
    return await asyncio.to_thread(collect_poster, sandbox_of(folder), folder, job.plan.ladder[0], key)


def collect_poster(sandbox: Path, folder: Path, rung: Rung, key: bytes | None = None) -> Poster:
    """Take the poster that ffmpeg drew, if it did, out of a sandbox into `folder`; `rung` has the video's shape.

    With a `key` it is encrypted.
    """
    pixels = collect.read(sandbox, BLUR, 3 * SIDE**2)
    if not collect.take(sandbox, POSTER, folder / POSTER, collect.JPEG, file_encryptor(key)):
        return NO_POSTER
    blurhash = blurhash_of(pixels, rung.width, rung.height) if len(pixels) == 3 * SIDE**2 else None
    return Poster(POSTER, blurhash, sum(pixels) < _DARK * len(pixels))
