"""Command lines that make a video of an image, or of audio: pure.

Such a video may be copied (`copy_policy`): H.264 without B-frames, key frames every two seconds, square pixels.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import ffmpeg
from ffmpeg.nodes import Stream

from transcode.commandline import waveform
from transcode.commandline.commands import AUDIO, FLAC, compiled, input_options, linked, looped, written_audio
from transcode.commandline.filters import STEREO, copies, in_time, mixed
from transcode.limits import Limits
from transcode.mp4.init_segment import AUDIO_RATE, CLOCK
from transcode.plan import AUDIO_BITS, SEGMENT_SECONDS
from transcode.process.encoders import SOFTWARE, encoder
from transcode.process.tools import Tools
from transcode.source.image_header import Picture
from transcode.source.ogg_chains import Link

FILM = "film.mp4"
"""The file that is made, in the folder that ffmpeg runs in; so are the others."""
LOOP = "loop.mp4"
"""A picture that moves, once."""
GLANCE = "glance.rgba"
"""The first picture, tiny and raw: four bytes for each pixel."""
SOUND = "sound.raw"
"""The sound as it is measured: one channel of MEASURED samples a second, 16 bits each."""
MEASURED = 8000

DARK, LIGHT = "#0b0d12", "#f6f7f9"
"""What is behind a picture: as the player's stage, or where that would hide it as paper."""

STILL_RATE, LOOP_RATE = 10, 30
_TRACK = "a:0"
# Formats of frames alone: ffmpeg takes each for as long as the first.
_WITHOUT_TIME = frozenset({"aac", "amr", "flac", "mp3", "wav"})
_DECODERS = "mjpeg,png,apng,gif,webp,webp_anim,hevc,libdav1d,libaom-av1,av1"
_LONG, _SHORT = 1920, 1080
# A small picture grows to twice its size at most, and stands in the middle of one of at least so many pixels.
_MOST_GROWTH, _LEAST = 2, 360
# Phones make 48, or 192 of their largest pictures, and as many again for what lies beside them.
_MOST_TILES = 512
# As long as a rendition may be for its width.
_LONGEST_ASPECT = 3
_SIDE = 64
GLANCE_BYTES = 4 * _SIDE**2
_QUALITY = 20
_MAX_RATE = 6_000_000
# Else what cannot be decoded is an empty file, and a success.
_NOT_NOTHING = ("-abort_on", "empty_output+empty_output_stream")
_NOTHING_PERSONAL: dict[str, object] = {"map_metadata": -1, "map_chapters": -1}


def glance(tools: Tools, source: Path, picture: Picture, limits: Limits) -> list[str]:
    """Make GLANCE, which tells whether a picture is transparent, and how bright it is where it is not."""
    first = _read(source, picture, limits).filter("scale", _SIDE, _SIDE, flags="area").filter("format", "rgba")
    return compiled(
        tools, ffmpeg.output(first, GLANCE, f="rawvideo", fps_mode="passthrough", **{"frames:v": 1}), more=_NOT_NOTHING
    )


def still(
    tools: Tools, source: Path, picture: Picture, limits: Limits, *, seconds: float, ground: str, transparent: bool
) -> list[str]:
    """Make FILM of a picture, upright and on the colour `ground`; of one that moves LOOP, which is to be repeated.

    Pictures that say that they are transparent are laid on the ground, which takes a little longer.
    """
    rate = LOOP_RATE if picture.seconds else STILL_RATE
    shown = _read(source, picture, limits)
    if not picture.seconds:
        shown = shown.filter("trim", end_frame=1)
    shown = _fitted(_grounded(shown, ground) if transparent else shown, ground)
    shown = _timed(shown, rate) if picture.seconds else _lasting(shown, rate)
    frames = max(1, round(seconds * rate))
    shown = shown.filter("trim", end_frame=frames)
    name = LOOP if picture.seconds else FILM
    return compiled(tools, _film([shown], name, rate, frames, limits, tune="stillimage"), more=_NOT_NOTHING)


def repeated(tools: Tools, loops: int) -> list[str]:
    """Make FILM of LOOP: not every kind of picture that moves can be read again from its beginning."""
    read = ffmpeg.input(f"file:{LOOP}", f="mov", stream_loop=loops - 1)
    return compiled(tools, ffmpeg.output(read["v:0"], FILM, f="mp4", movflags="+faststart", c="copy"))


def samples(tools: Tools, source: Path, demuxer: str, limits: Limits, links: Sequence[Link] = ()) -> list[str]:
    """Make SOUND, and AUDIO, which is what is heard; of at most a second more than the limit.

    The audio may change its format on the way; or the file has the `links` of `ogg_chains.links_to_join`.
    """
    longest = limits.max_duration + 1
    if links:
        parts = [in_time(read["a:0"]) for read in linked(source, links, limits)]
        return compiled(tools, *_heard(ffmpeg.concat(*parts, v=0, a=1), longest), more=_NOT_NOTHING)
    read = ffmpeg.input(f"file:{source}", **input_options(demuxer, limits))[_TRACK]
    if demuxer in _WITHOUT_TIME:
        read = read.filter("asetpts", "N/SR/TB")
    outputs = _heard(mixed([read]), longest)
    return looped({_TRACK: STEREO}, compiled(tools, *outputs, more=_NOT_NOTHING), longest)


def _heard(sound: Stream, longest: float) -> tuple[Stream, Stream]:
    heard, measured = copies(sound, "asplit", 2)
    measured = measured.filter("aresample", MEASURED)
    measured = measured.filter("aformat", sample_fmts="s16", channel_layouts="mono")
    return (
        ffmpeg.output(measured, SOUND, f="s16le", t=longest),
        ffmpeg.output(heard, AUDIO, t=longest, **FLAC, **_NOTHING_PERSONAL),
    )


def voice(tools: Tools, limits: Limits, *, rate: int, frames: int) -> list[str]:
    """Make FILM of AUDIO: behind the image `waveform.STENCIL`, a colour moves on with time."""
    seconds = Fraction(frames, rate)
    width, height = waveform.WIDTH, waveform.HEIGHT
    coming, gone = (_area(colour, rate) for colour in (waveform.COMING, waveform.GONE))
    stencil = ffmpeg.input(
        f"file:{waveform.STENCIL}", f="rawvideo", pixel_format="rgba", video_size=(width, height), framerate=rate
    )
    stencil = stencil.filter("scale", out_color_matrix="bt709", out_range="tv").filter("format", "yuva420p")
    begin, length = waveform.SPAN
    moving = ffmpeg.overlay(coming, gone, x=f"{begin}-w+{length}*t/{float(seconds):.3f}", y=0, format="yuv420")
    shown = ffmpeg.overlay(moving, stencil, eof_action="repeat", format="yuv420").filter("trim", end_frame=frames)
    sound = (
        written_audio(AUDIO)
        .filter("apad")
        .filter("atrim", end_sample=round(seconds * AUDIO_RATE))
        .filter("asetpts", "N/SR/TB")
    )
    return compiled(tools, _film([_named(shown), sound], FILM, rate, frames, limits, tune="animation"))


def _read(source: Path, picture: Picture, limits: Limits) -> Stream:
    options = input_options(picture.demuxer, limits) | {"codec_whitelist": _DECODERS}
    if not picture.seconds:
        # More would be for further pictures, and each takes memory for its own.
        options["threads"] = 1
    if picture.demuxer == "jpeg_pipe":
        # Else what is cut off ends in green.
        options["err_detect"] = "explode"
    if picture.tiled:
        options["max_streams"] = _MOST_TILES
    return ffmpeg.input(f"file:{source}", **options)["g:0" if picture.tiled else "v:0"]


def _grounded(picture: Stream, ground: str) -> Stream:
    """Lay a picture on a colour: on itself, painted over, since only ffmpeg knows its size once it is upright."""
    parts = picture.filter("format", "rgba").filter_multi_output("split", 2)
    painted = parts.stream(0).filter("drawbox", color=ground, t="fill", replace=1)
    return ffmpeg.overlay(painted, parts.stream(1), format="gbrp")


def _fitted(picture: Stream, ground: str) -> Stream:
    share = f"min({_MOST_GROWTH},min({_LONG}/max(iw,ih),{_SHORT}/min(iw,ih)))"
    # Growing much would blur it, growing some is what every client does.
    share = f"if(lt(min(iw,ih),{_LEAST}),{share},min(1,{share}))"
    sides = {side: f"max(2,round(i{side}*{share}/2)*2)" for side in "wh"}
    picture = picture.filter("scale", **sides, flags="lanczos", out_color_matrix="bt709", out_range="tv")
    picture = _coloured(picture)
    least = {a: f"max(max(i{a},{_LEAST}),ceil(i{b}/{_LONGEST_ASPECT}/2)*2)" for a, b in ("wh", "hw")}
    return picture.filter("pad", **least, x="(ow-iw)/2", y="(oh-ih)/2", color=ground)


def _timed(moving: Stream, rate: int) -> Stream:
    """Give pictures at a steady rate, and the last of them for ever."""
    moving = moving.filter("setpts", "PTS-STARTPTS").filter("fps", fps=rate, start_time=0, eof_action="pass")
    return moving.filter("tpad", stop=-1, stop_mode="clone")


def _lasting(picture: Stream, rate: int) -> Stream:
    """Give one picture for ever, whatever its time is: one made of tiles has none."""
    endless = picture.filter("loop", loop=-1, size=1).filter("settb", f"1/{rate}").filter("setpts", "N")
    return endless.filter("fps", fps=rate)


def _area(colour: str, rate: int) -> Stream:
    """Give endless pictures of one colour; it is converted but once."""
    size = f"{waveform.WIDTH}x{waveform.HEIGHT}"
    once = ffmpeg.input(f"color={colour}:s={size}:r={rate},trim=end_frame=1,format=gbrp", f="lavfi")
    return _coloured(once).filter("tpad", stop=-1, stop_mode="clone")


def _coloured(picture: Stream) -> Stream:
    return _named(picture.filter("scale", out_color_matrix="bt709", out_range="tv").filter("format", "yuv420p"))


def _named(picture: Stream) -> Stream:
    """Say of a picture what it is, where filters may have forgotten."""
    named = picture.filter("setparams", colorspace="bt709", color_primaries="bt709", color_trc="bt709")
    return named.filter("setsar", 1)


def _film(streams: list[Stream], name: str, rate: int, frames: int, limits: Limits, tune: str) -> Stream:
    each = encoder(SOFTWARE).options(
        max_rate=_MAX_RATE, key_frame_distance=rate * SEGMENT_SECONDS, preset="veryfast", threads=limits.threads
    )
    options = {f"{option}:v": value for option, value in each.items()} | {"crf:v": _QUALITY, "tune:v": tune}
    return ffmpeg.output(
        *streams, name, f="mp4", movflags="+faststart", video_track_timescale=CLOCK, t=frames / rate + 1,
        fps_mode="passthrough", **{"c:a": "aac", "b:a": AUDIO_BITS}, **options, **_NOTHING_PERSONAL,
    )  # fmt: skip
