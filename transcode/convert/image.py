"""Make a video of an image, which is then transcoded as any other."""

import asyncio
import math
from dataclasses import replace
from pathlib import Path

from transcode.commandline import conversions
from transcode.convert.workdir import workdir
from transcode.errors import NotAnImage, NotAVideo, TooManyPixels
from transcode.limits import Limits
from transcode.process import collect
from transcode.process.tools import Tools
from transcode.source.image_header import ImageHeader, image_of

_MOST_BYTES = 2**27
# Images of the largest phone cameras. Other formats take several times the memory of a JPEG.
_MOST_PIXELS, _MOST_PIXELS_OF_JPEG = 64_000_000, 110_000_000
_LONGEST_LOOP = 30.0
_CPU_SECONDS, _WALL_SECONDS = 120, 300.0
_OPAQUE, _SOLID = 255, 250
_DARK = 100


async def video_of_image(source: Path, target: Path, *, seconds: float, tools: Tools, limits: Limits) -> None:
    """Write a silent MP4 of an image to the new file `target`: JPEG, PNG, WebP, GIF, HEIC or AVIF.

    It lasts `seconds`; an animation is repeated in whole loops for that time, for at most 30 s. It is upright, at most
    1920 pixels long and 1080 wide, on a background with contrast where it is transparent. Raises TranscodeError:
    NotAnImage, TooManyPixels, or as `Transcoding` does.
    """
    source, target = await asyncio.to_thread(lambda: (source.absolute(), target.absolute()))
    image = await asyncio.to_thread(_header_of, source)
    bounded = _bounded(image, limits)
    async with workdir(source, target, tools, bounded) as work:
        try:
            await work.make(conversions.downscaled(tools, source, image, bounded))
            transparent, background = _background(
                await asyncio.to_thread(collect.read, work.folder, conversions.DOWNSCALED, conversions.DOWNSCALED_BYTES)
            )
            duration, loops = _duration(image, seconds)
            look = conversions.Look(seconds=duration, background=background, transparent=transparent)
            await work.make(conversions.image_video(tools, source, image, bounded, look))
            if image.seconds:
                await work.make(conversions.repeated(tools, loops))
        except NotAVideo as error:
            raise NotAnImage(str(error)) from error


def _header_of(source: Path) -> ImageHeader:
    if source.stat().st_size > _MOST_BYTES:
        raise TooManyPixels(f"the file has more than {_MOST_BYTES} bytes")
    return image_of(source.read_bytes())


def _bounded(image: ImageHeader, limits: Limits) -> Limits:
    """Return the limits for one image. Raises TooManyPixels for one above them."""
    most = _MOST_PIXELS_OF_JPEG if image.demuxer == "jpeg_pipe" else _MOST_PIXELS
    # Of an animation, all frames have to be decoded.
    most = limits.max_pixels if image.seconds else most
    if image.width * image.height > most:
        raise TooManyPixels(f"the image has {image.width}x{image.height} pixels, the limit is {most}")
    return replace(
        limits,
        max_pixels=most,
        cpu_seconds=min(_CPU_SECONDS, limits.cpu_seconds),
        wall_seconds=min(_WALL_SECONDS, limits.wall_seconds),
    )


def _duration(image: ImageHeader, seconds: float) -> tuple[float, int]:
    """Return the duration of one loop in seconds, and the number of whole loops."""
    if not image.seconds:
        return seconds, 1
    once = min(image.seconds, _LONGEST_LOOP)
    return once, math.ceil(min(seconds, _LONGEST_LOOP) / once)


def _background(downscaled: bytes) -> tuple[bool, str]:
    """Return whether an image is transparent, and the background with more contrast."""
    alpha = downscaled[3::4]
    if min(alpha, default=_OPAQUE) >= _SOLID:
        return False, conversions.DARK
    pixels = zip(*(downscaled[part::4] for part in range(4)), strict=True)
    light = sum((54 * red + 183 * green + 19 * blue) * opacity for red, green, blue, opacity in pixels) / 256
    return True, conversions.LIGHT if light < _DARK * sum(alpha) else conversions.DARK
