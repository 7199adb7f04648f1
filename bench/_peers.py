"""Make the same renditions as peers do, by the arguments in their sources, and by bare ffmpeg."""

import subprocess
import time
from pathlib import Path

import av

from bench._clips import RATE, Clip, ffmpeg
from bench._process_cost import Marks
from transcode import Tools
from transcode.plan import Rung, ladder

_FMP4 = "-f", "hls", "-hls_segment_type", "fmp4", "-hls_playlist_type", "vod", "-hls_list_size", "0"

_MEDIACMS_KBITS = {1080: 4500, 720: 2500, 480: 1000, 360: 500, 240: 300}


def raw(tools: Tools, clip: Clip, folder: Path, _: Marks) -> None:
    """Encode our rungs with our x264 options in one ffmpeg process: one decoder, scaled in a cascade.

    No probe, poster, storyboard, preview or loudness; ffmpeg's own thread counts; each rung encodes the audio again.
    """
    rungs = ladder(clip.width, clip.height)
    graph, outputs = [], list[str | Path]()
    for number, rung in enumerate(rungs):
        source = f"s{number}" if number else "0:v"
        last = number == len(rungs) - 1
        end = f"[v{number}]" if last else f",split[v{number}][s{number + 1}]"
        graph.append(f"[{source}]scale={rung.width}:{rung.height}:flags=bicubic,format=yuv420p{end}")
        outputs += [
            "-map", f"[v{number}]", "-map", "0:a", "-c:v", "libx264", "-preset", "veryfast", "-crf", "23",
            *_bounded(rung), "-bf", "0", "-g", str(2 * RATE), "-keyint_min", str(2 * RATE), "-sc_threshold", "0",
            "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000", *_FMP4, "-hls_time", "2", *_hls(folder, rung),
        ]  # fmt: skip
    ffmpeg(tools, "-i", clip.path, "-filter_complex", ";".join(graph), *outputs)


def peertube(tools: Tools, clip: Clip, folder: Path, marks: Marks, threads: int = 1) -> None:
    """PeerTube 7: the highest rung as a file, remuxed into HLS; then the others from that file, each by a process.

    From packages/ffmpeg/src: ffmpeg-vod.ts, ffmpeg-default-transcoding-profile.ts (common options, and AAC up to
    384 kb/s is copied), shared/presets.ts, shared/encoder-options.ts. `threads` is 1 in config/default.yaml.
    """
    top, *others = ladder(clip.width, clip.height)
    best, audio = folder / "best.mp4", "copy" if clip.path.suffix == ".mp4" else "aac"

    def encode(source: Path, rung: Rung, *audio: str | Path) -> None:
        scale = f"scale=w={rung.width}:h=-2" if clip.height > clip.width else f"scale=w=-2:h={rung.height}"
        ffmpeg(
            tools, "-i", source, "-threads", str(threads), "-max_muxing_queue_size", "1024", "-map_metadata", "-1",
            "-pix_fmt", "yuv420p", "-c:v", "libx264", "-vf", scale, "-preset", "veryfast", *_bounded(rung),
            "-b_strategy", "1", "-bf", "16", "-r", str(RATE), "-g:v", str(2 * RATE), "-c:a", *audio,
        )  # fmt: skip

    def hls(rung: Rung) -> tuple[str | Path, ...]:
        return *_FMP4, "-hls_time", "4", "-hls_flags", "single_file", *_hls(folder, rung, "all.mp4")

    encode(clip.path, top, audio, "-movflags", "faststart", best)
    ffmpeg(tools, "-i", best, "-c", "copy", *hls(top))
    marks.is_playable()
    for rung in others:
        encode(best, rung, "copy", *hls(rung))


def mediacms(tools: Tools, clip: Clip, folder: Path, _: Marks, preset: str = "medium") -> None:
    """MediaCMS: a process for each rung, all from the source; then the output is packaged without encoding.

    From files/helpers.py (get_base_ffmpeg_command). It packages with Bento4; here ffmpeg remuxes instead. Its source
    has X26x_PRESET_BIG_HEIGHT, faster, for rungs from 720 up: `preset` is for those.
    """
    rungs = ladder(clip.width, clip.height)
    for rung in rungs:
        kbits, short = _MEDIACMS_KBITS[int(rung.name)], int(rung.name)
        wide = round(short * 16 / 9)
        size = f"{short}:{wide}" if clip.height > clip.width else f"{wide}:{short}"
        scale = f"scale={size}:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=lanczos,fps=fps={RATE}"
        ffmpeg(
            tools, "-i", clip.path, "-c:v", "libx264", "-filter:v", scale, "-pix_fmt", "yuv420p", "-crf", "23",
            "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-maxrate", f"{kbits * 3 // 2}k", "-bufsize",
            f"{kbits * 3 // 2}k", "-force_key_frames", "expr:gte(t,n_forced*4)", "-x264-params",
            f"keyint={8 * RATE}:keyint_min={4 * RATE}", "-preset", preset if short >= 720 else "medium",
            "-profile:v", "main", "-level", "4.2", "-strict", "-2", folder / f"{rung.name}.mp4",
        )  # fmt: skip
    for rung in rungs:
        ffmpeg(tools, "-i", folder / f"{rung.name}.mp4", "-c", "copy", *_FMP4, "-hls_time", "4", *_hls(folder, rung))


def stream_copy(tools: Tools, clip: Clip, folder: Path, _: Marks) -> None:
    """Remux the file into HLS with bare ffmpeg."""
    ffmpeg(tools, "-i", clip.path, "-c", "copy", *_FMP4, "-hls_time", "2", *_hls(folder, _quick(clip)))


def stream_copy_by_pyav(clip: Clip, folder: Path, _: Marks) -> None:
    """Remux the file into HLS with PyAV, ffmpeg's libraries within Python."""
    options = {"hls_segment_type": "fmp4", "hls_playlist_type": "vod", "hls_time": "2"}
    with (
        av.open(clip.path) as source,
        av.open(folder / "index.m3u8", "w", format="hls", options=options) as target,
    ):
        tracks = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:  # else it is the flush packet at the end
                packet.stream = tracks[packet.stream.index]
                target.mux(packet)


def first_segment(tools: Tools, clip: Clip, folder: Path, marks: Marks) -> None:
    """Encode our quick rendition with bare ffmpeg until its first segment is written."""
    rung = _quick(clip)
    arguments = (
        tools.ffmpeg, "-v", "error", "-nostdin", "-i", clip.path, "-vf",
        f"scale={rung.width}:{rung.height}:flags=bicubic,format=yuv420p", "-c:v", "libx264", "-preset",
        "superfast", "-crf", "23", *_bounded(rung), "-bf", "0", "-g", str(2 * RATE), "-sc_threshold", "0",
        "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000",
        *_FMP4, "-hls_time", "2", "-hls_flags", "temp_file", *_hls(folder, rung),
    )  # fmt: skip
    segment = folder / "ready" / rung.name / "0.m4s"
    with subprocess.Popen(arguments) as process:
        while not segment.exists():
            assert process.poll() is None, "there is no segment"
            time.sleep(0.002)
        marks.is_playable()
        process.kill()


def _quick(clip: Clip) -> Rung:
    return next(rung for rung in ladder(clip.width, clip.height) if int(rung.name) <= 480)


def _bounded(rung: Rung) -> tuple[str, ...]:
    return "-maxrate:v", str(rung.max_rate), "-bufsize:v", str(2 * rung.max_rate)


def _hls(folder: Path, rung: Rung, segments: str = "%d.m4s") -> tuple[str | Path, ...]:
    files = folder / "ready" / rung.name
    files.mkdir(parents=True)
    return "-hls_segment_filename", files / segments, files / "index.m3u8"
