"""Command lines of ffprobe and ffmpeg: pure. The graph is built with ffmpeg-python, which runs nothing here.

What makes item changes gapless, and rungs interchangeable: no B-frames, so pictures are stored and shown in one order
and start at 0; a closed group of pictures every two seconds at the same frames in every rung; sound that is cut or
filled up to the length of the pictures (the last packet may reach beyond it); packets around it dropped instead of an
edit list; one clock for pictures and one for sound, and one kind of stereo, in every file we ever make.
"""

from collections.abc import Sequence
from pathlib import Path

import ffmpeg
from ffmpeg.nodes import Stream

from transcode.copying import AAC_FRAME, Copying
from transcode.limits import Limits
from transcode.plan import AUDIO_BITS, AUDIO_RATE, CLOCK, SEGMENT_SECONDS, Plan, Rung, poster_rung
from transcode.playlist import POSTER
from transcode.probe import DECODERS, Probe
from transcode.tools import Tools

INDEX = "index.m3u8"
"""The playlist that ffmpeg writes into each rung's folder; we read the durations from it and remove it."""

COPY = "copy.mp4"
"""The file of all fragments that copying writes into its rung's folder; `copied` takes it apart."""

# Where people were and what they filmed with is nobody's business.
_NOTHING_PERSONAL: dict[str, object] = {"map_metadata": -1, "map_chapters": -1}
_AROUND = 2 * AAC_FRAME  # samples: as far as the encoder looks back or ahead
_QUALITY = 23
_JPEG_QUALITY = 3
# Microseconds, a little less than a segment should last: rates are never quite what they seem.
_SHORTEST_COPIED = SEGMENT_SECONDS * 1_000_000 - 50_000
_STILL_SHARE = 0.1
_STILL_CANDIDATES = 5
_PROBE_ENTRIES = (
    "format=start_time,size:"
    "stream=index,codec_type,codec_name,codec_tag_string,profile,level,nal_length_size,width,height,sample_aspect_ratio,"
    "avg_frame_rate,r_frame_rate,start_time,duration,pix_fmt,color_space,field_order,sample_rate,channels,channel_layout:"
    "stream_disposition=default,attached_pic:stream_side_data=side_data_type,rotation"
)


def probe(tools: Tools, source: Path, demuxer: str, limits: Limits) -> list[str]:
    """Ask for what `probe.parse` reads."""
    return _ffprobe(tools, source, demuxer, limits, "-show_entries", _PROBE_ENTRIES, "-of", "json=compact=1")


def packets(tools: Tools, source: Path, demuxer: str, limits: Limits) -> list[str]:
    """Ask for the time stamps that `probe.PacketTimes` reads; nothing is decoded for them."""
    entries = "packet=stream_index,pts_time,dts_time,duration_time"
    return _ffprobe(tools, source, demuxer, limits, "-show_entries", entries, "-of", "csv=p=0")


def encode(
    tools: Tools,
    source: Path,
    demuxer: str,
    probe: Probe,
    plan: Plan,
    rungs: Sequence[Rung],
    preset: str,
    limits: Limits,
) -> list[str]:
    """Make `rungs` (largest first) and the poster in one run that decodes once.

    Paths are relative: run it inside the folder that is to hold the rungs' folders, which must exist.
    """
    read = ffmpeg.input(f"file:{source}", **_input_options(demuxer, limits), reinit_filter=0)
    pictures = _cascade(_steady(read[str(probe.video_index)], probe, plan), rungs)
    sounds = _copies(_sound(read, probe, plan.samples), "asplit", len(rungs))
    poster_name = poster_rung(tuple(rungs)).name
    outputs = []
    for rung, picture, sound in zip(rungs, pictures, sounds, strict=True):
        shown, *candidates = _copies(picture, "split", 2 if rung.name == poster_name else 1)
        outputs += [_poster(candidate, plan) for candidate in candidates]
        options = _output_options(rung, plan, preset, limits)
        outputs.append(ffmpeg.output(shown, sound, f"{rung.name}/{INDEX}", **options))
    return _compiled(tools, *outputs)


def copy(tools: Tools, source: Path, demuxer: str, probe: Probe, copying: Copying, limits: Limits) -> list[str]:
    """Pass on the pictures as they are, cut at key frames, and safe sound likewise. Paths as for `encode`."""
    # Counts from the first picture. With offsets below 0, pictures are decoded from 0 on however they are reordered.
    read = ffmpeg.input(f"file:{source}", **_input_options(demuxer, limits), itsoffset=f"{-copying.lead:.6f}")
    samples = round(copying.duration * AUDIO_RATE)
    sound = read[str(probe.audio_index)] if copying.sound else _sound(read, probe, samples)
    options = {
        "c:v": "copy",
        "c:a": "copy" if copying.sound else "aac",
        # The lead-in, and what sounds after the last picture.
        "bsf:a": rf"noise=drop=lt(pts\,0)+gte(pts\,{samples})",
        "avoid_negative_ts": "disabled",
        **_NOTHING_PERSONAL,
        "f": "mp4",
        # ffmpeg's HLS muxer moves the first picture of a segment where their rate varies.
        "movflags": "+empty_moov+frag_keyframe+default_base_moof+negative_cts_offsets+skip_trailer",
        "min_frag_duration": _SHORTEST_COPIED,
        "video_track_timescale": CLOCK,
    }
    if not copying.sound:
        options |= {"b:a": AUDIO_BITS, "t": copying.duration + 1}
    return _compiled(
        tools, ffmpeg.output(read[str(probe.video_index)], sound, f"{copying.rung.name}/{COPY}", **options)
    )


def still(tools: Tools, source: Path, demuxer: str, probe: Probe, plan: Plan, limits: Limits) -> list[str]:
    """Make the poster alone, and quickly: from a few key frames soon after the start, without decoding others."""
    begin = {"skip_frame": "nokey", "ss": f"{plan.duration * _STILL_SHARE:.3f}", "noaccurate_seek": None}
    read = ffmpeg.input(f"file:{source}", **_input_options(demuxer, limits), **begin)
    picture = read[str(probe.video_index)]
    if probe.assumed_matrix:
        picture = picture.filter("setparams", colorspace=probe.assumed_matrix)
    rung = poster_rung(plan.ladder)
    picture = picture.filter("thumbnail", _STILL_CANDIDATES)
    picture = picture.filter("scale", rung.width, rung.height, flags="fast_bilinear")
    return _compiled(tools, _jpeg(picture.filter("setsar", 1)))


def _compiled(tools: Tools, *outputs: Stream) -> list[str]:
    quiet = ["-nostdin", "-hide_banner", "-nostats", "-loglevel", "error", "-progress", "pipe:1"]
    graph = ffmpeg.merge_outputs(*outputs).global_args(*quiet, "-stats_period", "0.5")
    return [str(part) for part in graph.compile(cmd=str(tools.ffmpeg), overwrite_output=True)]


def _ffprobe(tools: Tools, source: Path, demuxer: str, limits: Limits, *question: str) -> list[str]:
    options = {key: value for key, value in _input_options(demuxer, limits).items() if value is not None}
    given = [part for key, value in options.items() for part in (f"-{key}", str(value))]
    return [str(tools.ffprobe), "-hide_banner", "-v", "error", *given, *question, f"file:{source}"]


def _input_options(demuxer: str, limits: Limits) -> dict[str, object]:
    return {
        "f": demuxer,
        "protocol_whitelist": "file",
        "format_whitelist": demuxer,
        "codec_whitelist": DECODERS,
        "max_streams": limits.max_streams,
        "max_pixels": limits.max_pixels,
        "threads": limits.threads,
    }


def _steady(picture: Stream, probe: Probe, plan: Plan) -> Stream:
    """Make a constant rate from the first instant to the last."""
    if probe.assumed_matrix:
        picture = picture.filter("setparams", colorspace=probe.assumed_matrix)
    if probe.interlaced:
        picture = picture.filter("bwdif", mode="send_frame", deint="interlaced")
    picture = picture.filter("fps", fps=plan.frame_rate, start_time=0)
    # Pictures may end before the sound, or earlier than announced: the last one stays.
    return picture.filter("tpad", stop=-1, stop_mode="clone").filter("trim", end_frame=plan.frames)


def _cascade(picture: Stream, rungs: Sequence[Rung]) -> list[Stream]:
    """Scale each rung from the one above it: the cheapest way, and as good since each is at least a quarter smaller."""
    made = []
    for number, rung in enumerate(rungs):
        picture = picture.filter("scale", rung.width, rung.height, flags="fast_bilinear", out_range="tv")
        if number == 0:
            picture = picture.filter("format", "yuv420p")
        # Rounding to even sides would leave a pixel aspect of 1280:1281 or the like.
        picture = picture.filter("setsar", 1)
        if rung is not rungs[-1]:
            done, picture = _copies(picture, "split", 2)
            made.append(done)
    return [*made, picture]


def _sound(read: Stream, probe: Probe, samples: int) -> Stream:
    if probe.audio_index is None:
        # Without a silent track a player's sound buffer would end here, and with it the whole list.
        sound = ffmpeg.input(f"anullsrc=r={AUDIO_RATE}:cl=stereo", f="lavfi")
    else:
        sound = read[str(probe.audio_index)].filter("aresample", AUDIO_RATE, **{"async": 1}, first_pts=0)
    sound = sound.filter("aformat", sample_fmts="fltp", sample_rates=AUDIO_RATE, channel_layouts="stereo")
    return _with_surroundings(sound.filter("apad").filter("atrim", end_sample=samples), samples)


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


def _poster(picture: Stream, plan: Plan) -> Stream:
    """Take the picture nearest to the average of some spread over the video: hardly ever a black or blurred one."""
    picture = picture.filter("select", f"not(mod(n,{plan.poster_step}))")
    return _jpeg(picture.filter("thumbnail", plan.poster_candidates))


def _jpeg(picture: Stream) -> Stream:
    picture = picture.filter("scale", out_range="pc").filter("format", "yuvj420p")
    options = {"frames:v": 1, "c:v": "mjpeg", "q:v": _JPEG_QUALITY, "f": "image2", "update": 1}
    return ffmpeg.output(picture, POSTER, **options, fps_mode="passthrough", map_metadata=-1)


def _copies(stream: Stream, split: str, count: int) -> list[Stream]:
    if count == 1:
        return [stream]
    copies = stream.filter_multi_output(split, count)
    return [copies.stream(number) for number in range(count)]


def _output_options(rung: Rung, plan: Plan, preset: str, limits: Limits) -> dict[str, object]:
    return {
        "c:v": "libx264",
        "preset": preset,
        "profile:v": "high",
        "crf": _QUALITY,
        "maxrate": rung.max_rate,
        "bufsize": 2 * rung.max_rate,
        "bf": 0,
        "g": plan.key_frame_distance,
        "keyint_min": plan.key_frame_distance,
        "sc_threshold": 0,
        "flags:v": "+cgop",
        "threads": limits.threads,
        "fps_mode": "passthrough",
        "c:a": "aac",
        "b:a": AUDIO_BITS,
        # What is before the beginning has negative time stamps. Dropped, the first packet is at 0 like the pictures.
        "bsf:a": rf"noise=drop=lt(pts\,0)+gte(pts\,{plan.samples})",
        # The filters cut exactly; this only bounds what a graph that never ends could write.
        "t": plan.duration + 1,
        **_NOTHING_PERSONAL,
        "f": "hls",
        "hls_playlist_type": "vod",
        "hls_segment_type": "fmp4",
        # Shorter than the distance of key frames, so that every key frame begins a segment.
        "hls_time": 0.01,
        "hls_fmp4_init_filename": "init.mp4",
        "hls_segment_filename": f"{rung.name}/%d.m4s",
        "hls_segment_options": f"video_track_timescale={CLOCK}",
    }
