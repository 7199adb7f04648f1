"""The filter chains, built with ffmpeg-python: pictures made steady and scaled, sound filled up, pictures of pictures.

What makes item changes gapless, and rungs interchangeable: a constant rate from the first instant to the last, sound
that is cut or filled up to the length of the pictures, one kind of stereo in every file we ever make. Pure.
"""

from collections.abc import Sequence

import ffmpeg
from ffmpeg.nodes import Stream

from transcode.blurhash import SIDE
from transcode.commandline.downmix import to_stereo
from transcode.commandline.tone_mapping import to_sdr
from transcode.copy_policy import AAC_FRAME
from transcode.mp4.init_segment import AUDIO_RATE
from transcode.plan import Plan, Rung
from transcode.source.pixel_aspects import aspect_at_time, in_their_time
from transcode.source.probe import SANE_ASPECT, Probe
from transcode.storyboard import Storyboard

CUBE = "tone.cube"
"""The file of `tone_mapping.cube`, inside the folder that ffmpeg runs in; only for HDR."""

PREVIEW_SECONDS = 4.0
PREVIEW_RATE = 15
_AROUND = 2 * AAC_FRAME  # samples: as far as the encoder looks back or ahead
_PREVIEW_SHARE = 0.1
# Pixels that the even sides of a rung may be off those that fit.
_ROUNDING = 2
_SEVERAL = 2

STEREO = f"aformat=sample_fmts=flt:sample_rates={AUDIO_RATE}:channel_layouts=stereo"
"""The filter for the one format that all filters of audio take."""

# Two recordings joined overlap by some packets, or leave a gap: neither may add up. More than so many seconds off is
# noticed (ITU-R BT.1359).
JOINED: dict[str, object] = {"async": 1, "min_hard_comp": 0.03}
"""Options of `aresample` that keep audio at its time stamps."""


def pictures(read: Stream, probe: Probe, rung: Rung) -> Stream:
    """Return the frames as they are in the file, upright, progressive, and of a stated colour matrix.

    Where their pixel aspect changes, which they do not tell, they are fitted into a rung, with square pixels.
    """
    picture = read[str(probe.video_index)]
    if probe.delay:
        picture = picture.filter("setpts", f"round(PTS-{probe.delay:.6f}/TB)")
    if probe.pixel_aspects:
        picture = picture.filter("select", in_their_time(probe.pixel_aspects))
    if probe.assumed_matrix:
        picture = picture.filter("setparams", colorspace=probe.assumed_matrix)
    if probe.interlaced:
        picture = picture.filter("bwdif", mode="send_frame", deint="interlaced")
    if probe.pixel_aspects:
        # As long as their time is the file's.
        own = f"iw/ih*({aspect_at_time(probe.pixel_aspects)})"
        picture = picture.filter("scale", **inside(rung, own)).filter("setsar", 1)
    return picture


def steady(picture: Stream, plan: Plan) -> Stream:
    """Make a constant rate from the first instant to the last; of frames that repeat another, leave most out."""
    if plan.sparse:
        picture = _marked(picture, plan)
    picture = picture.filter("fps", fps=plan.frame_rate, start_time=0, eof_action="pass")
    # Pictures may end before the sound, or earlier than announced: the last one stays.
    picture = picture.filter("tpad", stop=-1, stop_mode="clone").filter("trim", end_frame=plan.frames)
    return _sparse(picture, plan) if plan.sparse else picture


def _marked(picture: Stream, plan: Plan) -> Stream:
    """Mark each second frame as interlaced, so that those that `fps` repeats can be told from new ones."""
    tick = f"floor({float(plan.frame_rate):.6f}*%s+0.5)"
    picture = picture.filter("select", f"isnan(prev_selected_t)+gt({tick % 't'},{tick % 'prev_selected_t'})")
    turns = picture.filter_multi_output("select", "1+mod(n,2)", n=2)
    marks = (turns.stream(0).filter("setfield", "prog"), turns.stream(1).filter("setfield", "tff"))
    return ffmpeg.filter(marks, "interleave")


def _sparse(picture: Stream, plan: Plan) -> Stream:
    idle = f"mod(n,{plan.idle_distance})*lt(n,{plan.frames - 1})*eq(interlace_type,ld(0))"
    return picture.filter("select", f"if({idle},0,1+0*st(0,interlace_type))").filter("setfield", "prog")


def from_picture(picture: Stream, first: int) -> Stream:
    """Drop what comes before a picture, which becomes the first instant."""
    return picture.filter("trim", start_frame=first).filter("setpts", "PTS-STARTPTS") if first else picture


def cascade(picture: Stream, rungs: Sequence[Rung], hdr: str | None) -> list[Stream]:
    """Scale each rung from the one above it, which is the cheapest way.

    Bicubic: fast_bilinear saves 4 % of all work, but its artefacts cost more bits, at much worse quality (VMAF of 360p
    on three clips: 76 / 84 / 65 against 55 / 68 / 49).

    `hdr` is the transfer of pictures that are to become ordinary ones, by the table in the file CUBE.
    """
    made = []
    for number, rung in enumerate(rungs):
        if number == 0:
            picture = _fitted(picture, rung, hdr)
        else:
            picture = picture.filter("scale", rung.width, rung.height, flags="bicubic")
        # Rounding to even sides would leave a pixel aspect of 1280:1281 or the like.
        picture = picture.filter("setsar", 1)
        if rung is not rungs[-1]:
            done, picture = copies(picture, "split", 2)
            made.append(done)
    return [*made, picture]


def poster(picture: Stream, plan: Plan) -> tuple[Stream, Stream]:
    """Take the picture nearest to the average of some spread over the video: hardly ever a black or blurred one.

    Twice: for a JPEG, and tiny and raw for the blurhash.
    """
    picture = picture.filter("select", f"not(mod(n,{plan.poster_step}))")
    return _still_and_blur(picture.filter("thumbnail", plan.poster_candidates))


def early_poster(picture: Stream, rung: Rung, candidates: int, hdr: str | None) -> tuple[Stream, Stream]:
    """Choose likewise among the first pictures that come, before they are scaled."""
    if candidates > 1:
        picture = picture.filter("thumbnail", candidates)
    return _still_and_blur(_fitted(picture, rung, hdr).filter("setsar", 1))


def storyboard(picture: Stream, board: Storyboard) -> Stream:
    """Lay small pictures out in rows."""
    picture = picture.filter("select", f"gte(t,selected_n*{board.interval:.3f})")
    picture = picture.filter("scale", board.width, board.height, flags="bicubic")
    picture = picture.filter("tpad", stop=-1, stop_mode="clone").filter("trim", end_frame=board.count)
    return full_range(picture.filter("tile", f"{board.columns}x{board.rows}"))


def preview(picture: Stream, duration: float) -> Stream:
    """Take some seconds after what may be a black beginning."""
    length = min(PREVIEW_SECONDS, duration)
    begin = min(duration * _PREVIEW_SHARE, duration - length)
    picture = picture.filter("trim", start=f"{begin:.3f}", duration=f"{length:.3f}").filter("setpts", "PTS-STARTPTS")
    # Of what is shorter than a picture of its own, the one that there is.
    return picture.filter("fps", fps=PREVIEW_RATE, eof_action="pass")


def sound(heard: Stream | None, samples: int, gain: float = 0.0) -> Stream:
    """Make stereo of exactly `samples` per channel, `gain` dB louder, with its surroundings; of None, silence."""
    # Without a silent track a player's sound buffer would end here, and with it the whole list.
    silence = ffmpeg.input(f"anullsrc=r={AUDIO_RATE}:cl=stereo", f="lavfi")
    made = _stereo(silence if heard is None else _resampled(heard))
    if gain:
        made = made.filter("volume", f"{gain:.2f}dB")
    return _with_surroundings(made.filter("apad").filter("atrim", end_sample=samples), samples)


def plain_sound(heard: Stream, first: int, end: int) -> Stream:
    """Make stereo of the samples from `first` up to `end`, for a file that is played alone."""
    made = in_time(heard).filter("apad").filter("atrim", start_sample=first, end_sample=end)
    return made.filter("asetpts", "N/SR/TB")


def downmix(probe: Probe, index: int) -> str:
    """Give the argument of `pan` that makes stereo of an audio track."""
    track = probe.audio_track(index)
    return to_stereo(track.layout, track.channels)


def audio(read: Stream, probe: Probe) -> Stream | None:
    """Give what is heard of the file in stereo: an audio track, or the microphones of which each has a track."""
    tracks = [read[str(index)].filter("pan", args=downmix(probe, index)) for index in probe.heard]
    if len(tracks) < _SEVERAL:
        return tracks[0] if tracks else None
    return mixed(tracks)


def mixed(tracks: Sequence[Stream]) -> Stream:
    """Mix tracks, in stereo each, into one of our rate that keeps to their time stamps."""
    # The mixer takes them for beginning together.
    tracks = [_resampled(track) for track in tracks]
    if len(tracks) < _SEVERAL:
        return tracks[0]
    weights = " ".join([f"{1 / len(tracks):.3f}"] * len(tracks))
    joined = ffmpeg.filter(tracks, "amix", inputs=len(tracks), weights=weights, normalize=0)
    # Where one of them has ended, its frames have no time stamps.
    return joined.filter("asetpts", "N/SR/TB")


def _resampled(heard: Stream) -> Stream:
    return heard.filter("aresample", AUDIO_RATE, **JOINED, first_pts=0)


def in_time(heard: Stream) -> Stream:
    """Make stereo of our rate of audio that keeps its format, from the first instant on."""
    return _stereo(_resampled(heard))


def _stereo(sound: Stream) -> Stream:
    return sound.filter("aformat", sample_fmts="fltp", sample_rates=AUDIO_RATE, channel_layouts="stereo")


def _with_surroundings(sound: Stream, samples: int) -> Stream:
    """Put the sound's own beginning before it, and its end behind it, both reversed.

    AAC packets overlap. What the encoder makes up for the missing neighbours of the first and last packet is silence
    that is heard between two videos (measured: 18 ms; so, none). The packets before 0 and behind the end are dropped.
    """
    around = min(_AROUND, samples // AAC_FRAME * AAC_FRAME)
    if not around:
        return sound
    copies = sound.filter_multi_output("asplit", 3)
    before = copies.stream(0).filter("atrim", end_sample=around).filter("areverse")
    behind = copies.stream(2).filter("atrim", start_sample=samples - around).filter("areverse")
    joined = ffmpeg.concat(before, copies.stream(1), behind, v=0, a=1)
    return joined.filter("asetpts", f"(N-{around})/SR/TB")


def handed_over(picture: Stream, filters: Sequence[tuple[str, str]]) -> Stream:
    """Bring a picture to where its encoder takes it from, by filters and their arguments."""
    for name, argument in filters:
        picture = picture.filter(name, *([argument] if argument else []))
    return picture


def copies(stream: Stream, split: str, count: int) -> list[Stream]:
    """Let `count` takers have the same stream; `split` is ffmpeg's filter for its kind."""
    if count == 1:
        return [stream]
    made = stream.filter_multi_output(split, count)
    return [made.stream(number) for number in range(count)]


_ASPECT = f"if(between(sar,{1 / SANE_ASPECT},{SANE_ASPECT}),dar,iw/ih)"


def inside(rung: Rung, aspect: str = _ASPECT) -> dict[str, object]:
    """Return options of `scale` that fit each frame, by the size and aspect that it has itself, into a rung.

    Planned is what the file begins with, or what its headers say. Sides that would miss the rung's by no more than
    rounding become the rung's.
    """
    sides = {
        "w": (rung.width, f"{rung.height}*{aspect}"),
        "h": (rung.height, f"{rung.width}/({aspect})"),
    }
    # Even ones: 4:2:0 has a colour for two by two pixels.
    fitted = {
        side: f"if(gt({whole}-{part},{_ROUNDING}),max(2,2*round({part}/2)),{whole})"
        for side, (whole, part) in sides.items()
    }
    return {**fitted, "eval": "frame", "flags": "bicubic"}


def full_range(picture: Stream) -> Stream:
    """Make the colours of JPEG."""
    return picture.filter("scale", out_range="pc").filter("format", "yuvj420p")


def _fitted(picture: Stream, rung: Rung, hdr: str | None) -> Stream:
    if hdr:
        return to_sdr(picture, CUBE, rung.width, rung.height, inside(rung))
    return letterboxed(picture, rung)


def letterboxed(picture: Stream, rung: Rung) -> Stream:
    """Fit frames of any size into a rung; the pixel aspect is left to be set."""
    picture = picture.filter("scale", **inside(rung), out_range="tv").filter("format", "yuv420p")
    return picture.filter("pad", rung.width, rung.height, "-1", "-1", eval="frame")


def _still_and_blur(picture: Stream) -> tuple[Stream, Stream]:
    still, blur = copies(picture, "split", 2)
    return full_range(still), blur.filter("scale", SIDE, SIDE, flags="area").filter("format", "rgb24")
