"""Filter chains of video: a constant frame rate, scaled rungs, and the images made of frames. Pure.

What makes renditions gapless and interchangeable: a constant rate from the first time stamp to the last, at the same
frames in every rung.
"""

from collections.abc import Sequence

import ffmpeg
from ffmpeg.nodes import Stream

from transcode.blurhash import SIDE
from transcode.commandline.tone_mapping import to_sdr
from transcode.plan import Plan, Rung
from transcode.source.pixel_aspects import aspect_at_time, select_in_order
from transcode.source.probe import SANE_ASPECT, VideoTrack
from transcode.storyboard import Storyboard

CUBE = "tone.cube"
"""The file of `tone_mapping.cube`, inside the folder that ffmpeg runs in; only for HDR."""

PREVIEW_SECONDS = 4.0
PREVIEW_RATE = 15
_PREVIEW_SHARE = 0.1
# Pixels by which the even sides of a rung may miss those that fit.
_ROUNDING = 2


def source_frames(read: Stream, video: VideoTrack, rung: Rung) -> Stream:
    """Return the frames of the file, upright, progressive, and with a colour matrix.

    Where their pixel aspect changes, which they do not state, they are scaled into a rung, with square pixels.
    """
    frames = read[str(video.index)]
    if video.delay:
        frames = frames.filter("setpts", f"round(PTS-{video.delay:.6f}/TB)")
    if video.pixel_aspects:
        frames = frames.filter("select", select_in_order(video.pixel_aspects))
    if video.assumed_matrix:
        frames = frames.filter("setparams", colorspace=video.assumed_matrix)
    if video.interlaced:
        frames = frames.filter("bwdif", mode="send_frame", deint="interlaced")
    if video.pixel_aspects:
        # As long as their time stamps are the file's.
        own = f"iw/ih*({aspect_at_time(video.pixel_aspects)})"
        frames = frames.filter("scale", **_fit_options(rung, own)).filter("setsar", 1)
    return frames


def constant_rate(frames: Stream, plan: Plan) -> Stream:
    """Convert to a constant rate from the first time stamp to the last; of repeated frames, drop most."""
    if plan.sparse:
        frames = _marked(frames, plan)
    frames = frames.filter("fps", fps=plan.frame_rate, start_time=0, eof_action="pass")
    # Video may end before the audio, or earlier than announced: the last frame is repeated.
    frames = frames.filter("tpad", stop=-1, stop_mode="clone").filter("trim", end_frame=plan.frames)
    return _sparse(frames, plan) if plan.sparse else frames


def _marked(frames: Stream, plan: Plan) -> Stream:
    """Mark every second frame as interlaced, to distinguish those that `fps` repeats from new ones."""
    tick = f"floor({float(plan.frame_rate):.6f}*%s+0.5)"
    frames = frames.filter("select", f"isnan(prev_selected_t)+gt({tick % 't'},{tick % 'prev_selected_t'})")
    turns = frames.filter_multi_output("select", "1+mod(n,2)", n=2)
    marks = (turns.stream(0).filter("setfield", "prog"), turns.stream(1).filter("setfield", "tff"))
    return ffmpeg.filter(marks, "interleave")


def _sparse(frames: Stream, plan: Plan) -> Stream:
    idle = f"mod(n,{plan.idle_distance})*lt(n,{plan.frames - 1})*eq(interlace_type,ld(0))"
    return frames.filter("select", f"if({idle},0,1+0*st(0,interlace_type))").filter("setfield", "prog")


def from_frame(frames: Stream, first: int) -> Stream:
    """Drop the frames before the number `first`, whose time stamp becomes 0."""
    return frames.filter("trim", start_frame=first).filter("setpts", "PTS-STARTPTS") if first else frames


def cascade(frames: Stream, rungs: Sequence[Rung], hdr: str | None) -> list[Stream]:
    """Scale each rung from the one above it, which is the cheapest way.

    Bicubic: fast_bilinear saves 4 % of all work, but its artefacts cost more bits, at much worse quality (VMAF of 360p
    on three clips: 76 / 84 / 65 against 55 / 68 / 49).

    `hdr` is the transfer of HDR frames, which the table in the file CUBE maps to SDR.
    """
    made = []
    for number, rung in enumerate(rungs):
        if number == 0:
            frames = _fitted(frames, rung, hdr)
        else:
            frames = frames.filter("scale", rung.width, rung.height, flags="bicubic")
        # Rounding to even sides would leave a pixel aspect of 1280:1281 or the like.
        frames = frames.filter("setsar", 1)
        if rung is not rungs[-1]:
            done, frames = copies(frames, "split", 2)
            made.append(done)
    return [*made, frames]


def poster(frames: Stream, plan: Plan) -> tuple[Stream, Stream]:
    """Choose the frame nearest to the average of some across the video: hardly ever a black or blurred one.

    Twice: for a JPEG, and tiny and raw for the blurhash.
    """
    return best_poster(poster_candidates(frames, plan), plan)


def poster_candidates(frames: Stream, plan: Plan) -> Stream:
    """Select the frames among which `best_poster` chooses."""
    return frames.filter("select", f"not(mod(n,{plan.poster_step}))")


def best_poster(candidates: Stream, plan: Plan) -> tuple[Stream, Stream]:
    """Choose among candidates, as `poster` does."""
    return _poster_and_blur(candidates.filter("thumbnail", plan.poster_candidates))


def early_poster(frames: Stream, rung: Rung, candidates: int, hdr: str | None) -> tuple[Stream, Stream]:
    """Choose likewise among the first `candidates` frames, before they are scaled."""
    if candidates > 1:
        frames = frames.filter("thumbnail", candidates)
    return _poster_and_blur(_fitted(frames, rung, hdr).filter("setsar", 1))


def storyboard(frames: Stream, board: Storyboard) -> Stream:
    """Tile thumbnails into the sprite sheet."""
    frames = frames.filter("select", f"gte(t,selected_n*{board.interval:.3f})")
    frames = frames.filter("scale", board.width, board.height, flags="bicubic")
    frames = frames.filter("tpad", stop=-1, stop_mode="clone").filter("trim", end_frame=board.count)
    return full_range(frames.filter("tile", f"{board.columns}x{board.rows}"))


def preview(frames: Stream, duration: float) -> Stream:
    """Take some seconds after what may be a black start of a video of `duration` seconds."""
    length = min(PREVIEW_SECONDS, duration)
    start = min(duration * _PREVIEW_SHARE, duration - length)
    frames = frames.filter("trim", start=f"{start:.3f}", duration=f"{length:.3f}").filter("setpts", "PTS-STARTPTS")
    # Of a video that is shorter than a frame of the preview, take the one that there is.
    return frames.filter("fps", fps=PREVIEW_RATE, eof_action="pass")


def for_encoder(frames: Stream, filters: Sequence[tuple[str, str]]) -> Stream:
    """Upload frames to where the encoder takes them from, by filters and their arguments."""
    for name, argument in filters:
        frames = frames.filter(name, *([argument] if argument else []))
    return frames


def copies(stream: Stream, split: str, count: int) -> list[Stream]:
    """Let `count` takers have the same stream; `split` is ffmpeg's filter for its kind."""
    if count == 1:
        return [stream]
    made = stream.filter_multi_output(split, count)
    return [made.stream(number) for number in range(count)]


def letterboxed(frames: Stream, rung: Rung) -> Stream:
    """Fit frames of any size into a rung; the pixel aspect is left to be set."""
    frames = frames.filter("scale", **_fit_options(rung), out_range="tv").filter("format", "yuv420p")
    return frames.filter("pad", rung.width, rung.height, "-1", "-1", eval="frame")


def full_range(frames: Stream) -> Stream:
    """Convert to the colour range of JPEG."""
    return frames.filter("scale", out_range="pc").filter("format", "yuvj420p")


_ASPECT = f"if(between(sar,{1 / SANE_ASPECT},{SANE_ASPECT}),dar,iw/ih)"


def _fit_options(rung: Rung, aspect: str = _ASPECT) -> dict[str, object]:
    """Return options of `scale` that fit each frame, by its own size and aspect, into a rung.

    The rung is planned for the first frame, or for the headers of the file. Sides that would miss the rung's by no more
    than rounding become the rung's.
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


def _fitted(frames: Stream, rung: Rung, hdr: str | None) -> Stream:
    if hdr:
        return to_sdr(frames, CUBE, rung.width, rung.height, _fit_options(rung))
    return letterboxed(frames, rung)


def _poster_and_blur(frames: Stream) -> tuple[Stream, Stream]:
    image, blur = copies(frames, "split", 2)
    return full_range(image), blur.filter("scale", SIDE, SIDE, flags="area").filter("format", "rgb24")
