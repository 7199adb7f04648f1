"""What ffmpeg writes: files and their muxers, encoders, the command line as a whole. Pure.

What makes renditions gapless and interchangeable, beside the filters: no B-frames, so decode order is presentation
order and both start at 0; a closed GOP every two seconds, or at the segment boundaries of a copy, at the same frames in
every rendition; AAC priming packets dropped instead of an edit list; one time base for video and one for audio
everywhere.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate

import ffmpeg
from ffmpeg.nodes import Stream

from transcode.hls.playlist import POSTER, PREVIEW
from transcode.limits import Limits
from transcode.mp4.init_segment import AUDIO_RATE, CLOCK
from transcode.plan import AUDIO_BITS, Rung
from transcode.process.encoders import encoder
from transcode.process.tools import Tools
from transcode.settings import Settings

FRAGMENTS = "whole.mp4"
"""The file that ffmpeg writes into each rung's folder."""

BLUR = "blur.rgb"
"""The raw image that becomes the blurhash, see `blurhash`."""

FLAC: dict[str, object] = {"f": "flac", "c:a": "flac", "compression_level": 0, "sample_fmt": "s16"}
"""Output options of an intermediate audio file."""

# Where people were, and with which camera, is nobody's business.
NO_METADATA: dict[str, object] = {"map_metadata": -1, "map_chapters": -1}
"""Output options that drop the metadata and chapters of the source."""

STATISTICS = "verbose"
"""The log level at which ffmpeg prints how many packets it could decode, see `audio_loss.decoded`."""

_PROGRESS = ("-progress", "pipe:1", "-stats_period", "0.5")
_PREVIEW_QUALITY = 30
_JPEG_QUALITY = 3
# Seconds before the time stamp of a forced key frame: less than the distance of any two frames, more than rounding.
_JUST_BEFORE = 0.001
_GRAPH = "-filter_complex"
_LABEL = re.compile(r"\[([^\[\]]+)\]")


def compiled(
    tools: Tools, *outputs: Stream, level: str = "error", more: Sequence[str] = (), progress: Sequence[str] = _PROGRESS
) -> list[str]:
    """Return the command line for these outputs, with log level, `more` global options, and progress on stdout."""
    quiet = ["-nostdin", "-hide_banner", "-nostats", "-loglevel", level, *progress]
    graph = ffmpeg.merge_outputs(*outputs).global_args(*quiet, *more)
    return _with_separate_graphs([str(part) for part in graph.compile(cmd=str(tools.ffmpeg), overwrite_output=True)])


def with_loopback_decoders(tracks: Mapping[str, str], line: list[str], longest: float) -> list[str]:
    """Feed audio tracks to the filters of a command line through filters that restart when the format changes.

    `tracks` maps a stream specifier of the line's one input to the filters that end in `audio_filters.STEREO`. Raw
    samples of `longest` seconds at most go through a loopback decoder for each track.
    """
    position = line.index(_GRAPH)
    graphs, before = line[position + 1], list[str]()
    for number, (track, chain) in enumerate(tracks.items()):
        coded = ["-c:a", "pcm_f32le", "-t", str(longest), "-f", "null", "-", "-dec", f"{number}:0"]
        before += ["-map", f"0:{track}", "-filter:a", chain, *coded]
        graphs = graphs.replace(f"[0:{track}]", f"[dec:{number}]")
    return [*line[:position], *before, _GRAPH, graphs, *line[position + 2 :]]


def fragmented(streams: Sequence[Stream], targets: Sequence[str], samples: int, options: dict[str, object]) -> Stream:
    """Write fragmented MP4 files, one for each of the `rung_target`s, all with the last stream as audio, encoded once.

    The audio has `samples` per channel.
    """
    common: dict[str, object] = {
        "c:a": "aac",
        "b:a": AUDIO_BITS,
        # Priming packets have negative time stamps. Without them, the first packet is at 0 like the video.
        "bsf:a": rf"noise=drop=lt(pts\,0)+gte(pts\,{samples})",
        # The filters cut exactly; this only limits what a graph that never ends could write.
        "t": samples / AUDIO_RATE + 1,
        "flags:a": "+global_header",
        **NO_METADATA,
    }
    return ffmpeg.output(*streams, "|".join(targets), f="tee", **{**common, **options})


def rung_target(rung: Rung, number: int = 0, **options: object) -> str:
    """Describe the file of a rung, with the video stream of that number, to the tee muxer."""
    muxer = {
        "select": rf"\'v:{number},a\'",
        "f": "mp4",
        # ffmpeg's HLS muxer would move the first frame of a segment where the frame rate varies.
        "movflags": "+empty_moov+frag_keyframe+default_base_moof+negative_cts_offsets+skip_trailer",
        "video_track_timescale": CLOCK,
        "avoid_negative_ts": "disabled",
        # However far one is ahead: else a segment could be written without the silence that we add.
        "max_interleave_delta": 0,
        **options,
    }
    return f"[{':'.join(f'{key}={value}' for key, value in muxer.items())}]{rung.name}/{FRAGMENTS}"


def encoding(
    rungs: Sequence[Rung], settings: Settings, limits: Limits, distance: int, keys: dict[str, object], copied: int = 0
) -> dict[str, object]:
    """Return the options of the encoders, stream by stream, after the streams that are `copied`, which need none.

    `distance` is the largest number of frames from one key frame to the next; `keys` are further options of each.
    """
    chosen = encoder(settings.encoder)
    options: dict[str, object] = {}
    for number, rung in enumerate(rungs, copied):
        each = chosen.options(
            max_rate=rung.max_rate, key_frame_distance=distance, preset=settings.preset, threads=limits.threads
        )
        each |= {"fps_mode": "passthrough", **keys}
        options |= {f"{option}:v:{number}": value for option, value in each.items()}
    return options


def key_times(durations: Sequence[float]) -> dict[str, object]:
    """Return the encoder options that force a key frame at each segment boundary."""
    starts = accumulate(durations[:-1])
    return {"force_key_frames": ",".join(f"{start - _JUST_BEFORE:.6f}" for start in starts) or "0"}


def poster_files(poster: Stream, blur: Stream) -> list[Stream]:
    """Write the poster, and BLUR."""
    raw = ffmpeg.output(blur, BLUR, **{"frames:v": 1}, f="rawvideo", fps_mode="passthrough")
    return [jpeg(poster, POSTER, _JPEG_QUALITY), raw]


def jpeg(image: Stream, name: str, quality: int) -> Stream:
    """Write a JPEG."""
    options = {"frames:v": 1, "c:v": "mjpeg", "q:v": quality, "f": "image2", "update": 1}
    return ffmpeg.output(image, name, **options, fps_mode="passthrough", map_metadata=-1)


def preview_file(frames: Stream) -> Stream:
    """Write the silent preview clip."""
    options = {"c:v": "libx264", "preset": "veryfast", "crf": _PREVIEW_QUALITY, "f": "mp4", "movflags": "+faststart"}
    return ffmpeg.output(frames, PREVIEW, **options, **NO_METADATA)


def _with_separate_graphs(line: list[str]) -> list[str]:
    """Divide the filter graph into those that are not connected: video and audio.

    In one graph, ffmpeg serves the output that is furthest behind first. A poster comes last of all: until then all
    video frames would be pulled for it, and the audio would starve.
    """
    if _GRAPH not in line:
        return line
    position = line.index(_GRAPH)
    groups: list[tuple[set[str], list[str]]] = []
    for chain in line[position + 1].split(";"):
        labels = set(_LABEL.findall(chain))
        touched = [group for group in groups if group[0] & labels]
        groups = [group for group in groups if group not in touched]
        chains = [each for _, members in touched for each in members]
        groups.append((labels.union(*(known for known, _ in touched)), [*chains, chain]))
    graphs = [part for _, chains in groups for part in (_GRAPH, ";".join(chains))]
    return [*line[:position], *graphs, *line[position + 2 :]]
