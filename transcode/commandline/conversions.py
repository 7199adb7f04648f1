"""Command lines that make a video of an image, or of audio: pure.

Such a video can be stream copied (`copy_policy`): H.264 without B-frames, key frames every two seconds, square pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import ffmpeg
from ffmpeg.nodes import Stream

from transcode.commandline import waveform
from transcode.commandline.audio_filters import STEREO, mixed, synchronized
from transcode.commandline.filters import copies
from transcode.commandline.inputs import flac_input, input_options, link_inputs
from transcode.commandline.outputs import FLAC, NO_METADATA, compiled, with_loopback_decoders
from transcode.limits import Limits
from transcode.mp4.init_segment import AUDIO_RATE, CLOCK
from transcode.plan import AUDIO_BITS, SEGMENT_SECONDS
from transcode.process.encoders import SOFTWARE, encoder
from transcode.process.tools import Tools
from transcode.source.image_header import ImageHeader
from transcode.source.ogg_chains import Link

VIDEO = "video.mp4"
"""The finished file, in the folder that ffmpeg runs in; so are the others."""
LOOP = "loop.mp4"
"""One loop of an animation."""
DOWNSCALED = "downscaled.rgba"
"""The first frame, tiny and raw: four bytes for each pixel."""
AUDIO = "audio.flac"
"""The audio of the finished file."""
PCM = "audio.raw"
"""The audio as it is measured: one channel of MEASURED samples per second, 16 bits each."""
MEASURED = 8000

DARK, LIGHT = "#0b0d12", "#f6f7f9"
"""Backgrounds of an image: like that of the player, or like paper where it has more contrast."""

IMAGE_RATE, LOOP_RATE = 10, 30
_TRACK = "a:0"
# Formats without time stamps: ffmpeg assumes that each frame lasts as long as the first.
_WITHOUT_TIME = frozenset({"aac", "amr", "flac", "mp3", "wav"})
_DECODERS = "mjpeg,png,apng,gif,webp,webp_anim,hevc,libdav1d,libaom-av1,av1"
_LONG, _SHORT = 1920, 1080
# A small image is enlarged to twice its size at most, and centred in a frame of at least so many pixels.
_LARGEST_SCALE, _LEAST = 2, 360
# Phones make 48, or 192 of their largest images, and as many again for auxiliary images.
_MOST_TILES = 512
# As long as a rendition may be for its width.
_LONGEST_ASPECT = 3
_SIDE = 64
DOWNSCALED_BYTES = 4 * _SIDE**2
_QUALITY = 20
_MAX_RATE = 6_000_000
# Else an input that cannot be decoded makes an empty file, and a success.
_NOT_EMPTY = ("-abort_on", "empty_output+empty_output_stream")


@dataclass(frozen=True, slots=True)
class Look:
    """How an image becomes a video: its duration, or that of one loop; the background, a colour."""

    seconds: float
    background: str
    transparent: bool


def downscaled(tools: Tools, source: Path, image: ImageHeader, limits: Limits) -> list[str]:
    """Write DOWNSCALED, which shows whether an image is transparent, and how bright it is."""
    first = _read(source, image, limits).filter("scale", _SIDE, _SIDE, flags="area").filter("format", "rgba")
    return compiled(
        tools,
        ffmpeg.output(first, DOWNSCALED, f="rawvideo", fps_mode="passthrough", **{"frames:v": 1}),
        more=_NOT_EMPTY,
    )


def image_video(tools: Tools, source: Path, image: ImageHeader, limits: Limits, look: Look) -> list[str]:
    """Write VIDEO of an image, upright; of an animation LOOP, which is then repeated.

    Transparent images are laid over the background, which takes a little longer.
    """
    rate = LOOP_RATE if image.seconds else IMAGE_RATE
    video = _read(source, image, limits)
    if not image.seconds:
        video = video.filter("trim", end_frame=1)
    video = _fitted(_over(video, look.background) if look.transparent else video, look.background)
    video = _at_constant_rate(video, rate) if image.seconds else _endless(video, rate)
    frames = max(1, round(look.seconds * rate))
    video = video.filter("trim", end_frame=frames)
    name = LOOP if image.seconds else VIDEO
    return compiled(tools, _output([video], name, rate, frames, limits, tune="stillimage"), more=_NOT_EMPTY)


def repeated(tools: Tools, loops: int) -> list[str]:
    """Write VIDEO of LOOP: not every animation format can be read again from its start."""
    read = ffmpeg.input(f"file:{LOOP}", f="mov", stream_loop=loops - 1)
    return compiled(tools, ffmpeg.output(read["v:0"], VIDEO, f="mp4", movflags="+faststart", c="copy"))


def samples(tools: Tools, source: Path, demuxer: str, limits: Limits, links: Sequence[Link] = ()) -> list[str]:
    """Write PCM and AUDIO, of at most a second more than the limit.

    The audio format may change within the file; or the file has the `links` of `ogg_chains.links_to_join`.
    """
    longest = limits.max_duration + 1
    if links:
        parts = [synchronized(read["a:0"]) for read in link_inputs(source, links, limits)]
        return compiled(tools, *_samples(ffmpeg.concat(*parts, v=0, a=1), longest), more=_NOT_EMPTY)
    read = ffmpeg.input(f"file:{source}", **input_options(demuxer, limits))[_TRACK]
    if demuxer in _WITHOUT_TIME:
        read = read.filter("asetpts", "N/SR/TB")
    outputs = _samples(mixed([read]), longest)
    return with_loopback_decoders({_TRACK: STEREO}, compiled(tools, *outputs, more=_NOT_EMPTY), longest)


def _samples(audio: Stream, longest: float) -> tuple[Stream, Stream]:
    played, measured = copies(audio, "asplit", 2)
    measured = measured.filter("aresample", MEASURED)
    measured = measured.filter("aformat", sample_fmts="s16", channel_layouts="mono")
    return (
        ffmpeg.output(measured, PCM, f="s16le", t=longest),
        ffmpeg.output(played, AUDIO, t=longest, **FLAC, **NO_METADATA),
    )


def audio_video(tools: Tools, limits: Limits, *, rate: int, frames: int) -> list[str]:
    """Write VIDEO of AUDIO: behind the image `waveform.STENCIL`, a colour advances with time."""
    seconds = Fraction(frames, rate)
    width, height = waveform.WIDTH, waveform.HEIGHT
    coming, gone = (_area(colour, rate) for colour in (waveform.COMING, waveform.GONE))
    stencil = ffmpeg.input(
        f"file:{waveform.STENCIL}", f="rawvideo", pixel_format="rgba", video_size=(width, height), framerate=rate
    )
    stencil = stencil.filter("scale", out_color_matrix="bt709", out_range="tv").filter("format", "yuva420p")
    start, length = waveform.SPAN
    moving = ffmpeg.overlay(coming, gone, x=f"{start}-w+{length}*t/{float(seconds):.3f}", y=0, format="yuv420")
    video = ffmpeg.overlay(moving, stencil, eof_action="repeat", format="yuv420").filter("trim", end_frame=frames)
    audio = (
        flac_input(AUDIO)
        .filter("apad")
        .filter("atrim", end_sample=round(seconds * AUDIO_RATE))
        .filter("asetpts", "N/SR/TB")
    )
    return compiled(tools, _output([_tagged(video), audio], VIDEO, rate, frames, limits, tune="animation"))


def _read(source: Path, image: ImageHeader, limits: Limits) -> Stream:
    options = input_options(image.demuxer, limits) | {"codec_whitelist": _DECODERS}
    if not image.seconds:
        # More threads would decode further images, and each takes memory of its own.
        options["threads"] = 1
    if image.demuxer == "jpeg_pipe":
        # Else a truncated image is green at the end.
        options["err_detect"] = "explode"
    if image.tiled:
        options["max_streams"] = _MOST_TILES
    return ffmpeg.input(f"file:{source}", **options)["g:0" if image.tiled else "v:0"]


def _over(image: Stream, background: str) -> Stream:
    """Lay an image over a colour: over itself, painted, since only ffmpeg knows its size once it is upright."""
    parts = image.filter("format", "rgba").filter_multi_output("split", 2)
    painted = parts.stream(0).filter("drawbox", color=background, t="fill", replace=1)
    return ffmpeg.overlay(painted, parts.stream(1), format="gbrp")


def _fitted(image: Stream, background: str) -> Stream:
    scale = f"min({_LARGEST_SCALE},min({_LONG}/max(iw,ih),{_SHORT}/min(iw,ih)))"
    # Enlarging much would blur it, enlarging some is what every client does.
    scale = f"if(lt(min(iw,ih),{_LEAST}),{scale},min(1,{scale}))"
    sides = {side: f"max(2,round(i{side}*{scale}/2)*2)" for side in "wh"}
    image = image.filter("scale", **sides, flags="lanczos", out_color_matrix="bt709", out_range="tv")
    image = _to_bt709(image)
    least = {a: f"max(max(i{a},{_LEAST}),ceil(i{b}/{_LONGEST_ASPECT}/2)*2)" for a, b in ("wh", "hw")}
    return image.filter("pad", **least, x="(ow-iw)/2", y="(oh-ih)/2", color=background)


def _at_constant_rate(animation: Stream, rate: int) -> Stream:
    """Convert to a constant frame rate, and repeat the last frame without end."""
    frames = animation.filter("setpts", "PTS-STARTPTS").filter("fps", fps=rate, start_time=0, eof_action="pass")
    return frames.filter("tpad", stop=-1, stop_mode="clone")


def _endless(image: Stream, rate: int) -> Stream:
    """Repeat one image without end, whatever its time stamp is: one made of tiles has none."""
    endless = image.filter("loop", loop=-1, size=1).filter("settb", f"1/{rate}").filter("setpts", "N")
    return endless.filter("fps", fps=rate)


def _area(colour: str, rate: int) -> Stream:
    """Return endless frames of one colour, which is converted once."""
    size = f"{waveform.WIDTH}x{waveform.HEIGHT}"
    once = ffmpeg.input(f"color={colour}:s={size}:r={rate},trim=end_frame=1,format=gbrp", f="lavfi")
    return _to_bt709(once).filter("tpad", stop=-1, stop_mode="clone")


def _to_bt709(image: Stream) -> Stream:
    return _tagged(image.filter("scale", out_color_matrix="bt709", out_range="tv").filter("format", "yuv420p"))


def _tagged(image: Stream) -> Stream:
    """Tag frames with their colour space and pixel aspect, which filters may have dropped."""
    tagged = image.filter("setparams", colorspace="bt709", color_primaries="bt709", color_trc="bt709")
    return tagged.filter("setsar", 1)


def _output(streams: list[Stream], name: str, rate: int, frames: int, limits: Limits, tune: str) -> Stream:
    each = encoder(SOFTWARE).options(
        max_rate=_MAX_RATE, key_frame_distance=rate * SEGMENT_SECONDS, preset="veryfast", threads=limits.threads
    )
    options = {f"{option}:v": value for option, value in each.items()} | {"crf:v": _QUALITY, "tune:v": tune}
    return ffmpeg.output(
        *streams, name, f="mp4", movflags="+faststart", video_track_timescale=CLOCK, t=frames / rate + 1,
        fps_mode="passthrough", **{"c:a": "aac", "b:a": AUDIO_BITS}, **options, **NO_METADATA,
    )  # fmt: skip
