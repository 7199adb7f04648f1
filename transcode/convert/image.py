"""A picture in, a film of it out, which `transcode` takes like any other video."""

import asyncio
import math
from dataclasses import replace
from pathlib import Path

from transcode.commandline import conversions
from transcode.convert.workdir import workshop
from transcode.errors import NotAPicture, NotAVideo, TooLargePicture
from transcode.limits import Limits
from transcode.process import collect
from transcode.process.tools import Tools
from transcode.source.image_header import Picture, picture_of

_MOST_BYTES = 2**27
# What the largest cameras of phones make. Other kinds take several times the memory of a JPEG.
_MOST_PIXELS, _MOST_PIXELS_OF_JPEG = 64_000_000, 110_000_000
_LONGEST_LOOP = 30.0
_CPU_SECONDS, _WALL_SECONDS = 120, 300.0
_OPAQUE, _SOLID = 255, 250
_DARK = 100


async def film_of_image(source: Path, target: Path, *, seconds: float, tools: Tools, limits: Limits) -> None:
    """Write a silent MP4 of a picture to the new file `target`: JPEG, PNG, WebP, GIF, HEIC or AVIF.

    It is shown for `seconds`; one that moves plays its loop through as often as that takes, for at most 30 s.
    It is upright, at most 1920 pixels long and 1080 wide, on a ground that it is seen on where it is transparent.
    Raises TranscodeError: NotAPicture, TooLargePicture, or as `transcode` does.
    """
    source, target = await asyncio.to_thread(lambda: (source.absolute(), target.absolute()))
    picture = await asyncio.to_thread(_look_at, source)
    bounded = _bounded(picture, limits)
    async with workshop(source, target, tools, bounded) as work:
        try:
            await work.make(conversions.glance(tools, source, picture, bounded))
            transparent, ground = _ground(
                await asyncio.to_thread(collect.read, work.folder, conversions.GLANCE, conversions.GLANCE_BYTES)
            )
            length, loops = _length(picture, seconds)
            line = conversions.still(
                tools, source, picture, bounded, seconds=length, ground=ground, transparent=transparent
            )
            await work.make(line)
            if picture.seconds:
                await work.make(conversions.repeated(tools, loops))
        except NotAVideo as error:
            raise NotAPicture(str(error)) from error


def _look_at(source: Path) -> Picture:
    if source.stat().st_size > _MOST_BYTES:
        raise TooLargePicture(f"the file has more than {_MOST_BYTES} bytes")
    return picture_of(source.read_bytes())


def _bounded(picture: Picture, limits: Limits) -> Limits:
    """Give the limits of the work on one picture. Raises TooLargePicture for one above them."""
    most = _MOST_PIXELS_OF_JPEG if picture.demuxer == "jpeg_pipe" else _MOST_PIXELS
    # Of what moves, one has to be decoded after the other.
    most = limits.max_pixels if picture.seconds else most
    if picture.width * picture.height > most:
        raise TooLargePicture(f"the picture has {picture.width}x{picture.height} pixels, the limit is {most}")
    return replace(
        limits,
        max_pixels=most,
        cpu_seconds=min(_CPU_SECONDS, limits.cpu_seconds),
        wall_seconds=min(_WALL_SECONDS, limits.wall_seconds),
    )


def _length(picture: Picture, seconds: float) -> tuple[float, int]:
    """Give how long a picture is shown, and how often: whole loops, so that none ends in the middle."""
    if not picture.seconds:
        return seconds, 1
    once = min(picture.seconds, _LONGEST_LOOP)
    return once, math.ceil(min(seconds, _LONGEST_LOOP) / once)


def _ground(glance: bytes) -> tuple[bool, str]:
    """Say whether a picture is transparent, and which ground it is seen on: the one that is less like it."""
    alpha = glance[3::4]
    if min(alpha, default=_OPAQUE) >= _SOLID:
        return False, conversions.DARK
    pixels = zip(*(glance[part::4] for part in range(4)), strict=True)
    light = sum((54 * red + 183 * green + 19 * blue) * opacity for red, green, blue, opacity in pixels) / 256
    return True, conversions.LIGHT if light < _DARK * sum(alpha) else conversions.DARK
