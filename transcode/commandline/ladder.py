"""Command lines of the whole ladder, in one run that decodes once, with poster, storyboard and preview. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from ffmpeg.nodes import Stream

from transcode.commandline import audio_filters, filters
from transcode.commandline.first_stage import copy_target
from transcode.commandline.inputs import ONE_GRAPH, Source
from transcode.commandline.outputs import (
    compiled,
    encoding,
    fragmented,
    jpeg,
    key_times,
    poster_files,
    preview_file,
    rung_target,
)
from transcode.copy_policy import StreamCopy
from transcode.hls.playlist import STORYBOARD
from transcode.mp4.init_segment import AUDIO_RATE, CLOCK
from transcode.plan import Plan, Rung, poster_rung
from transcode.process.encoders import Encoder, encoder
from transcode.settings import Settings

_STORYBOARD_QUALITY = 6
_NEVER = 1_000_000


@dataclass(frozen=True, slots=True)
class CopyAlignment:
    """A stream copy, and its segment boundaries, which encoded rungs have to match."""

    stream_copy: StreamCopy
    rungs: tuple[Rung, ...]
    """The rungs to make; the first is the copy."""
    durations: tuple[float, ...]
    """Seconds of each of its segments."""
    av_offset: float
    """Largest A/V offset, in seconds, that ffmpeg's cut produces: it cuts audio by the decode time of video."""


def ladder(source: Source, plan: Plan, settings: Settings, gain: float) -> list[str]:
    """Encode every rung. All have the same audio, with a `gain` in dB."""
    rungs = plan.rungs()
    read = source.read(**ONE_GRAPH)
    frames = filters.constant_rate(filters.source_frames(read, source.probe.video, plan.ladder[0]), plan)
    chosen = encoder(settings.encoder)
    video, others = _outputs(frames, plan, rungs, plan.duration, source.probe.video.hdr, chosen)
    audio = audio_filters.rung_audio(source.audio_of(read), plan.samples, gain)
    keys = key_times(plan.durations) if plan.sparse else {}
    options = encoding(rungs, settings, source.limits, plan.key_frame_distance, keys)
    targets = [rung_target(rung, number) for number, rung in enumerate(rungs)]
    return compiled(
        source.tools,
        fragmented([*video, audio], targets, plan.samples, options),
        *others,
        *source.discarded_audio(read),
        more=chosen.global_arguments,
    )


def ladder_with_copy(
    source: Source, plan: Plan, settings: Settings, gain: float, alignment: CopyAlignment
) -> list[str]:
    """Make the same ladder, with a stream copy as the highest rung, whose segment boundaries the others get."""
    stream_copy = alignment.stream_copy
    read = source.read(**ONE_GRAPH, **source.origin_options(stream_copy.start))
    copied, encoded = read[str(source.probe.video.index)], alignment.rungs[1:]
    samples = round(stream_copy.duration * AUDIO_RATE)
    chosen = encoder(settings.encoder)
    frames = filters.source_frames(read, source.probe.video, plan.ladder[0])
    video, others = _outputs(frames, plan, encoded, stream_copy.duration, None, chosen)
    audio = audio_filters.rung_audio(source.audio_of(read, stream_copy.start), samples, gain)
    options = encoding(encoded, settings, source.limits, _NEVER, _boundaries(alignment), 1) | {"c:v:0": "copy"}
    targets = [copy_target(stream_copy.rung), *(rung_target(rung, number) for number, rung in enumerate(encoded, 1))]
    return compiled(
        source.tools,
        fragmented([copied, *video, audio], targets, samples, options),
        *others,
        more=chosen.global_arguments,
    )


def _boundaries(alignment: CopyAlignment) -> dict[str, object]:
    """Return the encoder options for key frames where a copy has them, and audio cut where the copy's is."""
    options: dict[str, object] = {"enc_time_base": f"1:{CLOCK}"}
    if len(alignment.durations) > 1:
        options |= key_times(alignment.durations)
    if alignment.av_offset > 0:
        options["bsf"] = f"setts=dts=DTS-{alignment.av_offset:.6f}/TB"
    return options


def _outputs(
    frames: Stream, plan: Plan, encoded: Sequence[Rung], duration: float, hdr: str | None, chosen: Encoder
) -> tuple[list[Stream], list[Stream]]:
    """Return the frames of each encoded rung, and the outputs of poster, storyboard and preview."""
    if not encoded:
        return [], _images(frames, plan, duration)
    for_poster, smallest = poster_rung(plan.ladder), plan.ladder[-1]
    scaled = [rung for rung in plan.ladder if rung in {*encoded, for_poster, smallest}]
    video, others = [], []
    for rung, stream in zip(scaled, filters.cascade(frames, scaled, hdr), strict=True):
        takers = (rung in encoded) + (rung is for_poster) + 2 * (rung is smallest)
        parts = filters.copies(stream, "split", takers)
        if rung is for_poster:
            others += poster_files(*filters.poster(parts.pop(), plan))
        if rung is smallest:
            others.append(jpeg(filters.storyboard(parts.pop(), plan.storyboard), STORYBOARD, _STORYBOARD_QUALITY))
            others.append(preview_file(filters.preview(parts.pop(), duration)))
        video += [filters.for_encoder(part, chosen.filters) for part in parts]
    return video, others


def _images(frames: Stream, plan: Plan, duration: float) -> list[Stream]:
    """Return the outputs of poster, storyboard and preview beside a stream copy that is the only rung.

    Frames are chosen before they are scaled: so hardly more than decoding is left to do.
    """
    for_poster, for_board, for_preview = filters.copies(frames, "split", 3)
    (scaled,) = filters.cascade(filters.poster_candidates(for_poster, plan), [poster_rung(plan.ladder)], None)
    (small,) = filters.cascade(filters.preview(for_preview, duration), plan.ladder[-1:], None)
    board = filters.storyboard(for_board, plan.storyboard)
    return [
        *poster_files(*filters.best_poster(scaled, plan)),
        jpeg(board, STORYBOARD, _STORYBOARD_QUALITY),
        preview_file(small),
    ]
