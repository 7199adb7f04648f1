"""Makes sample videos: moving, with audio, each with its own image, colour, melody and caption.

The caption stands on a band of one flat colour at the bottom, so that a person, or a test that reads one pixel, can
recognize which clip is playing.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from appservice.core.errors import RoomreelError
from appservice.demo.caption import caption_height, caption_image, caption_width
from transcode.process.tools import find_tools

Pattern = Literal["sunrise", "fractal", "garden", "clouds", "ripples"]

BAND = 0.2  # share of the height that the band of flat colour takes, at the bottom
_MARGIN = 0.8  # share of the band's width and height that the caption may take


@dataclass(frozen=True)
class Clip:
    """What a sample video shows: `colour` is the band's `#rrggbb`, `pitch` the melody's ground tone in Hz; `rate` is in
    frames a second.
    """

    caption: str
    pattern: Pattern
    colour: str
    pitch: int
    width: int = 1280
    height: int = 720
    seconds: float = 5.0
    rate: int = 30

    @property
    def filename(self) -> str:
        """The name under which it is sent."""
        return f"{self.caption.lower().replace(' ', '-')}.mp4"

    @property
    def info(self) -> dict[str, Any]:
        """What a client says of it in the message: pixels and milliseconds."""
        return {"w": self.width, "h": self.height, "duration": round(self.seconds * 1000)}

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The band's colour as three bytes."""
        return int(self.colour[1:3], 16), int(self.colour[3:5], 16), int(self.colour[5:7], 16)


ALICE_CLIPS: tuple[Clip, ...] = (
    Clip("SUNRISE", "sunrise", "#c8452f", 262),
    Clip("DEEP DIVE", "fractal", "#2456b8", 330, seconds=6.0),
    Clip("GARDEN", "garden", "#1f7a48", 392, seconds=4.0),
)
BOB_CLIPS: tuple[Clip, ...] = (
    Clip("CLOUDS", "clouds", "#7a3fa8", 220, width=720, height=1280, seconds=4.0),
    Clip("RIPPLES", "ripples", "#87860f", 294, seconds=3.0),
)


class ClipError(RoomreelError):
    """ffmpeg could not make a sample video; the message is the end of its output."""


async def make_clip(clip: Clip, folder: Path, ffmpeg: Path | None = None) -> Path:
    """Make the video in `folder` unless it is there, and return its path; raises `ClipError`."""
    target = folder / clip.filename
    if await asyncio.to_thread(target.exists):
        return target
    tool = ffmpeg or (await asyncio.to_thread(find_tools)).ffmpeg
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        caption, made = Path(scratch, "caption.pam"), Path(scratch, clip.filename)
        await asyncio.to_thread(caption.write_bytes, caption_image(clip.caption, _dot(clip)))
        # Made under another name first: a clip that exists is whole.
        await _run([str(tool), *_arguments(clip, caption), str(made)])
        await asyncio.to_thread(made.rename, target)
    return target


async def _run(command: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, stderr = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise ClipError(stderr.decode(errors="replace")[-2000:])


def _arguments(clip: Clip, caption: Path) -> list[str]:
    band = _even(clip.height * BAND)
    left = (clip.width - caption_width(clip.caption, _dot(clip))) // 2
    top = clip.height - band + (band - caption_height(_dot(clip))) // 2
    graph = (
        f"[0:v]setsar=1,format=yuv420p,drawbox=y=ih-{band}:h={band}:t=fill:c={clip.colour}[b];"
        f"[b][2:v]overlay={left}:{top},format=yuv420p[v]"
    )
    return [
        *("-hide_banner", "-loglevel", "error", "-y"),
        *("-f", "lavfi", "-i", _video_source(clip)),
        *("-f", "lavfi", "-i", _melody(clip)),
        *("-i", str(caption)),
        *("-filter_complex", graph, "-map", "[v]", "-map", "1:a", "-t", f"{clip.seconds:g}"),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-c:a", "aac", "-b:a", "128k"),
        *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
        *("-movflags", "+faststart", "-metadata", f"title={clip.caption.title()}"),
    ]


def _video_source(clip: Clip) -> str:
    """The video as an ffmpeg source: calculated small where that is slow, then enlarged."""
    small = f"{_even(clip.width / 4)}x{_even(clip.height / 4)}"
    enlarge = f"scale={clip.width}:{clip.height}"
    rate = f"rate={clip.rate}"
    sources: dict[Pattern, str] = {
        "sunrise": f"gradients=s={small}:{rate}:n=4:c0=#2b1055:c1=#d53369:c2=#ff9a56:c3=#ffe29a:speed=0.02:type=spiral:"
        f"seed=7,{enlarge}",
        "fractal": f"mandelbrot=s={small}:{rate}:start_scale=0.05:end_scale=0.0005:end_pts=400:maxiter=500,"
        f"gblur=sigma=0.8,hue=h=120:s=0.8,{enlarge}",
        "garden": f"life=s={small}:{rate}:mold=12:ratio=0.12:seed=5:life_color=#b7ff6a:death_color=#2f8f4e:"
        f"mold_color=#0c2a1a,{enlarge}:flags=neighbor",
        "clouds": f"perlin=s={small}:{rate}:octaves=4:xscale=6:yscale=10:tscale=1:random_mode=seed:random_seed=3,"
        f"format=gbrp,lutrgb=r='60+val*0.7':g='20+val*0.45':b='110+val*0.6',{enlarge}",
        "ripples": f"zoneplate=s={small}:{rate}:kx2=24:ky2=24:kt=12:kt2=2,format=gray,format=gbrp,"
        f"lutrgb=r='90+val*0.6':g='50+val*0.5':b='20+val*0.2',{enlarge}",
    }
    return sources[clip.pattern]


def _melody(clip: Clip) -> str:
    """Four plucked tones a second, rising from the clip's own pitch."""
    tone = f"{clip.pitch}*(1+0.25*mod(floor(t*4)\\,4))"
    pluck = "exp(-5*mod(t\\,0.25))"
    return f"aevalsrc=0.3*{pluck}*(sin(2*PI*t*{tone})+0.4*sin(4*PI*t*{tone})):s=48000:c=stereo".replace(
        ":s=", f"|0.3*{pluck}*sin(2*PI*t*{tone}):s="
    )


def _dot(clip: Clip) -> int:
    """The size in pixels of the font's dots with which the caption fits the band."""
    widest = clip.width * _MARGIN / caption_width(clip.caption, 1)
    highest = clip.height * BAND * _MARGIN * 0.7 / caption_height(1)
    return max(1, int(min(widest, highest)))


def _even(value: float) -> int:
    return max(2, int(value) // 2 * 2)
