"""Command lines of ffprobe and ffmpeg: pure. Built with ffmpeg-python, which runs nothing here.

What makes item changes gapless, and rungs interchangeable, beside what `filters` does: no B-frames, so pictures are
stored and shown in one order and start at 0; a closed group of pictures every two seconds, or at the instants of the
copy beside it, at the same frames in every rung; packets around the sound dropped instead of an edit list; one clock
for pictures and one for sound in every file we ever make.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import ffmpeg
from ffmpeg.nodes import Stream

from transcode.commandline import filters
from transcode.copy_policy import Copying
from transcode.hls.captions import DECODERS as SUBTITLE_DECODERS
from transcode.hls.captions import MOST_BYTES, Track
from transcode.hls.playlist import POSTER, PREVIEW, STORYBOARD
from transcode.limits import Limits
from transcode.mp4.init_segment import AUDIO_RATE, CLOCK
from transcode.mp4.moov import Edits
from transcode.plan import AUDIO_BITS, SHORTEST_COPIED, Plan, Rung, poster_rung
from transcode.process.encoders import SOFTWARE, Encoder, encoder
from transcode.process.tools import Tools
from transcode.settings import Settings
from transcode.source.ogg_chains import Link
from transcode.source.probe import ALSO_KNOWN, DECODERS, Probe

FRAGMENTS = "whole.mp4"
"""The file that ffmpeg writes into each rung's folder."""

BLUR = "blur.rgb"
"""The raw picture that becomes the blurhash, see `blurhash`."""

RECORDING = "recording.mp4"
"""The file that `recording` makes."""

AUDIO = "audio.flac"
"""The file that `audio` makes."""

KEY_FRAMES = "keys.ts"
KEY_FRAMES_BEGIN = 60.0
"""The file that `key_frames` makes, and the second in it that is the first instant of the video."""

GLIMPSE_SIDE = 32
GLIMPSE_PICTURES = 4
"""What `glimpses` gives for each instant: so many pictures, of so many pixels across and down."""

JOINED = "joined.mkv"
"""The file that `joined` makes."""

FLAC: dict[str, object] = {"f": "flac", "c:a": "flac", "compression_level": 0, "sample_fmt": "s16"}
"""The options of an AUDIO file."""

# Where people were and what they filmed with is nobody's business.
_NOTHING_PERSONAL: dict[str, object] = {"map_metadata": -1, "map_chapters": -1}
_QUALITY = 23
_QUICK = "superfast"
_ORDERED = frozenset({"av1", "hevc", "vp8", "vp9"})
_WITH_HEADER = frozenset({"matroska", "mov"})
_PREVIEW_QUALITY = 30
# It is the source of all renditions.
_RECORDING_QUALITY = 21
_JOINED_QUALITY = 12
_JPEG_QUALITY = 3
_STORYBOARD_QUALITY = 6
# Seconds before the instant where a key frame is wanted: less than any two pictures are apart, more than rounding.
_JUST_BEFORE = 0.001
_NEVER = 1_000_000
_GRAPH = "-filter_complex"
# The level at which ffmpeg tells how many packets it could decode, see `audio_loss.decoded`.
_STATISTICS = "verbose"
_LABEL = re.compile(r"\[([^\[\]]+)\]")
# Started anew, filters lose what they know. Those of video take frames of another size; audio that changes is decoded
# apart, see `audio`.
_ONE_GRAPH: dict[str, object] = {"reinit_filter": 0}
_STILL_SHARE = 0.1
_GLIMPSE_RATE = 10
# Left to itself, ffmpeg subtracts the start that it found by looking into the file: of all streams, also those that
# nobody plays; and nothing where it is told not to look. So the origin is ours, the same in every command line.
_EXPLICIT_CLOCK: dict[str, object] = {"seek_timestamp": 1}
# Of formats whose clock may jump (AVFMT_TS_DISCONT) ffmpeg subtracts the start of the streams that it reads, whatever
# it is told. So it is left to do that, and each command line reads all streams that are played: see `_kept`.
OWN_CLOCK = frozenset({"mpeg", "mpegts", "nut", "ogg"})
_EDITS: dict[Edits, dict[str, object]] = {
    Edits.APPLIED: {},
    Edits.OFFSET: {"advanced_editlist": 0},
    Edits.IGNORED: {"ignore_editlist": 1},
}
_PROBE_ENTRIES = (
    "format=start_time,size:"
    "stream=index,codec_type,codec_name,codec_tag_string,profile,level,nal_length_size,width,height,sample_aspect_ratio,"
    "avg_frame_rate,r_frame_rate,has_b_frames,start_time,duration,pix_fmt,color_space,color_transfer,field_order,"
    "sample_rate,channels,channel_layout:"
    "stream_tags=language,title:stream_disposition=default,attached_pic:stream_side_data=side_data_type,rotation,"
    "crop_top,crop_bottom,crop_left,crop_right"
)


@dataclass(frozen=True, slots=True)
class Access:
    """How a demuxer gets at what is in a file."""

    begin: int = 0
    """The byte where the container begins."""
    edits: Edits = Edits.APPLIED

    def url(self, source: Path) -> str:
        """Give the file, or the part of it, as ffmpeg names it."""
        return f"subfile,,start,{self.begin},end,0,,:{source}" if self.begin else f"file:{source}"

    @property
    def options(self) -> dict[str, object]:
        """What ffmpeg has to be told before it opens that."""
        protocols = {"protocol_whitelist": "subfile,file"} if self.begin else {}
        return {**protocols, **_EDITS[self.edits]}


PLAIN = Access()
"""From the first byte on, as the file says."""


@dataclass(frozen=True, slots=True)
class Given:
    """An examined file, and what reads it. `demuxer` is the one that ffmpeg must be forced to use."""

    tools: Tools
    source: Path
    demuxer: str
    probe: Probe
    limits: Limits
    access: Access = PLAIN
    audio: Path | None = None
    """What `audio` made of its audio, where that changes its format: it begins at the first instant of the file."""

    @property
    def reads(self) -> tuple[Path, ...]:
        """The files that command lines name."""
        return (self.source,) if self.audio is None else (self.source, self.audio)

    def heard(self, read: Stream, origin: float = 0.0) -> Stream | None:
        """Give the audio of the input `read`, or of its own file counted from `origin`; None where there is none."""
        if not self.probe.has_audio or self.audio is None:
            return filters.audio(read, self.probe)
        return written_audio(self.audio, itsoffset=f"{0.0 - origin:.6f}")

    def read(self, **options: object) -> Stream:
        """Give the input, its time counted from the first instant of the file unless options of `counted_from` differ.

        `reinit_filter` keeps a change of format within the file from starting the graph anew.
        """
        # ffmpeg-python knows an input by what it is: one with other options is another.
        clock = {} if self.demuxer in OWN_CLOCK else _EXPLICIT_CLOCK
        ours = input_options(self.demuxer, self.limits) | self.access.options | clock | self.counted_from(0.0)
        return ffmpeg.input(self.access.url(self.source), **(ours | options))

    def counted_from(self, origin: float) -> dict[str, object]:
        """Give the options that let time count from `origin`, in seconds after the first instant of the file."""
        return {"itsoffset": f"{0.0 - self._start - origin:.6f}"}

    def read_from(self, second: float) -> dict[str, object]:
        """Give the options that read it from `second` after its first instant on, which becomes 0."""
        return {"ss": f"{self._start + second:.6f}", "itsoffset": 0}

    @property
    def _start(self) -> float:
        return 0.0 if self.demuxer in OWN_CLOCK else self.probe.start


@dataclass(frozen=True, slots=True)
class Beside:
    """A copy that the encoded rungs have to match: how it is made, and how it was cut."""

    copying: Copying
    durations: tuple[float, ...]
    """Seconds of each of its segments."""
    lag: float
    """Seconds by which ffmpeg cuts its sound before its pictures: it goes by when pictures are decoded."""


def probe(tools: Tools, source: Path, demuxer: str, limits: Limits, access: Access = PLAIN) -> list[str]:
    """Ask for what `probe.parse` reads."""
    return _ffprobe(tools, source, demuxer, limits, access, "-show_entries", _PROBE_ENTRIES, "-of", "json=compact=1")


def packets(tools: Tools, source: Path, demuxer: str, limits: Limits, access: Access = PLAIN) -> list[str]:
    """Ask for the time stamps that `probe.PacketTimes` reads; nothing is decoded for them."""
    entries = "packet=codec_type,stream_index,pts_time,dts_time,duration_time,flags"
    # Matroska gives every packet its time; elsewhere it may take a look into them.
    at_once = ("-nofind_stream_info",) if demuxer == "matroska" else ()
    return _ffprobe(tools, source, demuxer, limits, access, *at_once, "-show_entries", entries, "-of", "csv=p=0")


def first(given: Given, plan: Plan, settings: Settings) -> list[str]:
    """Make the one rung that is watched while the others are made: quickly, and nothing else.

    Paths are relative, here and below: run it inside the folder that is to hold the rungs' folders, which must exist.
    """
    # ffprobe has looked already. Some codecs, though, do not say in which order their frames are to be shown, and some
    # containers not at their beginning which streams they have.
    known = given.probe.video_codec in _ORDERED and given.demuxer in _WITH_HEADER
    at_once = {"nofind_stream_info": None} if known else {}
    read = given.read(**_ONE_GRAPH, **at_once)
    shown = filters.cascade(
        filters.steady(filters.pictures(read, given.probe, plan.fast), plan), (plan.fast,), given.probe.hdr
    )
    sound = filters.sound(given.heard(read), plan.samples)
    quick = replace(settings, preset=_QUICK, encoder=SOFTWARE)
    # Counted from the last key frame, the distance alone would put those after an early one elsewhere.
    keys: dict[str, object] = {
        "force_key_frames": f"expr:not(mod(n,{plan.key_frame_distance}))+eq(n,{plan.early_key_frame})"
    }
    if plan.sparse:
        keys = _key_times(plan.fast_durations)
    options = _encoding((plan.fast,), quick, given.limits, plan.key_frame_distance, keys)
    return compiled(
        given.tools,
        _fragments([*shown, sound], [_slave(plan.fast, flush_packets=1)], plan.samples, options),
        *_audio_kept(given, read),
    )


def copy(given: Given, copying: Copying) -> list[str]:
    """Pass on the pictures as they are, cut at key frames, and safe sound likewise."""
    samples = round(copying.duration * AUDIO_RATE)
    # Counts from the first frame. With offsets below 0, frames are decoded from 0 on however they are reordered.
    read = given.read(**given.counted_from(copying.lead))
    heard = given.heard(read, copying.lead)
    sound = read[str(given.probe.audio_index)] if copying.sound else filters.sound(heard, samples)
    options: dict[str, object] = {"c:v": "copy"}
    if copying.sound:
        options["c:a"] = "copy"
    shown = read[str(given.probe.video_index)]
    return compiled(given.tools, _fragments([shown, sound], [_slave_of_copy(copying)], samples, options))


def still(given: Given, plan: Plan, *, candidates: int, late: bool) -> list[str]:
    """Make the poster alone, and quickly: from a few key frames, without decoding others.

    From those soon after the start if `late`, since many videos begin in black; else from the very first.
    """
    options: dict[str, object] = {"skip_frame": "nokey"}
    # A place that was sought for does not have the file's time where its clock jumps.
    if late and not given.probe.pixel_aspects:
        options |= {"noaccurate_seek": None, **given.read_from(plan.duration * _STILL_SHARE)}
    rung = poster_rung(plan.ladder)
    read = given.read(**options)
    picture = filters.pictures(read, given.probe, rung)
    kept = [_kept(read, index, **{"frames:a": 1}) for index in given.probe.heard] if given.probe.pixel_aspects else []
    return compiled(given.tools, *_poster(*filters.early_poster(picture, rung, candidates, given.probe.hdr)), *kept)


def glimpses(given: Given, instants: Sequence[float]) -> list[str]:
    """Write what is to be seen from each of some instants (seconds) on, to standard output: small, grey, raw.

    A decoder for each instant begins at the key frame before it.
    """
    shown = []
    for instant in instants:
        # Not exactly, for the picture that is on the screen may have come long before: `fps` keeps it.
        read = given.read(**_ONE_GRAPH, noaccurate_seek=None, **given.read_from(instant))
        picture = read[str(given.probe.video_index)].filter("fps", _GLIMPSE_RATE, start_time=0, eof_action="pass")
        picture = picture.filter("scale", GLIMPSE_SIDE, GLIMPSE_SIDE, flags="area").filter("format", "gray")
        picture = picture.filter("setsar", 1).filter("tpad", stop=-1, stop_mode="clone")
        shown.append(picture.filter("trim", end_frame=GLIMPSE_PICTURES))
    joined = ffmpeg.concat(*shown) if len(shown) > 1 else shown[0]
    written = ffmpeg.output(joined, "-", f="rawvideo", fps_mode="passthrough")
    return compiled(given.tools, written, progress=())


def captions(given: Given, tracks: Sequence[Track], copying: Copying | None) -> list[str]:
    """Write each subtitle track as WebVTT, in the time of a copy or of encoded rungs; none much above MOST_BYTES."""
    clock = given.counted_from(copying.lead if copying else 0.0)
    read = given.read(codec_whitelist=SUBTITLE_DECODERS, **clock)
    written = {"c:s": "webvtt", "f": "webvtt", "fs": MOST_BYTES, "t": given.limits.max_duration, **_NOTHING_PERSONAL}
    return compiled(
        given.tools, *(ffmpeg.output(read[str(track.index)], track.captions.name, **written) for track in tracks)
    )


def joined(tools: Tools, source: Path, links: Sequence[Link], limits: Limits) -> list[str]:
    """Make JOINED of the links of an Ogg file, of which the first has video: near lossless, in the size of that."""
    width, height = (max(2, side // 2 * 2) for side in links[0].size or (0, 0))
    box = Rung("", width, height, 0)
    parts = []
    for link, read in zip(links, linked(source, links, limits), strict=True):
        # What a link lacks is filled up, as long as the other is: with silence, and with the frame before.
        shown = read["v:0"] if link.size else ffmpeg.input(f"color=s={width}x{height}:d=0.04", f="lavfi")
        heard = read["a:0"] if link.has_audio else ffmpeg.input("anullsrc=d=0.01", f="lavfi")
        parts += [filters.letterboxed(shown, box).filter("setsar", 1), filters.in_time(heard)]
    both = ffmpeg.concat(*parts, v=1, a=1).node
    options: dict[str, object] = {"c:v": "libx264", "preset": _QUICK, "crf": _JOINED_QUALITY, "c:a": "flac"}
    options |= {"fps_mode": "passthrough", "t": limits.max_duration + 1, **_NOTHING_PERSONAL}
    return compiled(tools, ffmpeg.output(both[0], both[1], JOINED, f="matroska", **options))


def linked(source: Path, links: Sequence[Link], limits: Limits) -> list[Stream]:
    """Read each link of an Ogg file as a file."""
    options = input_options("ogg", limits) | {"protocol_whitelist": "subfile,file"}
    return [ffmpeg.input(f"subfile,,start,{each.begin},end,{each.end},,:{source}", **options) for each in links]


def recording(given: Given, plan: Plan, first: int) -> list[str]:
    """Make an MP4 of what begins with the picture number `first` and is as long as the plan, and its poster.

    The larger rung of the plan is its picture, the smaller the poster's.
    """
    read = given.read(**_ONE_GRAPH)
    whole = replace(plan, frames=first + plan.frames, sparse=False)
    picture = filters.from_picture(filters.steady(filters.pictures(read, given.probe, plan.ladder[0]), whole), first)
    shown, small = filters.cascade(picture, plan.ladder, given.probe.hdr)
    streams = [shown]
    heard = given.heard(read)
    if heard is not None:
        streams.append(filters.plain_sound(heard, whole.samples - plan.samples, whole.samples))
    settings = Settings(preset=_QUICK)
    options = _encoding(plan.ladder[:1], settings, given.limits, plan.key_frame_distance, {})
    options |= {"crf:v:0": _RECORDING_QUALITY, "c:a": "aac", "b:a": AUDIO_BITS, **_NOTHING_PERSONAL}
    made = ffmpeg.output(*streams, RECORDING, f="mp4", movflags="+faststart", video_track_timescale=CLOCK, **options)
    return compiled(given.tools, made, *_poster(*filters.poster(small, plan)), *_audio_kept(given, read))


def audible(given: Given, index: int) -> list[str]:
    """Write the first frame of an audio track that is not silent to standard output, and no more."""
    # Of the input: silence gives no output that a limit could end.
    read = given.read(t=given.limits.max_duration)
    heard = read[str(index)].filter("silenceremove", start_periods=1, start_threshold="-70dB")
    return compiled(given.tools, ffmpeg.output(heard, "-", f="s16le", **{"frames:a": 1}), progress=())


def even_audio(given: Given) -> list[str]:
    """Decode the audio, and end with an error where its format changes."""
    read = given.read(reinit_filter=0)
    taken = [ffmpeg.output(read[str(index)], "-", f="null", t=given.limits.max_duration) for index in given.probe.heard]
    return compiled(given.tools, *taken)


def audio(given: Given) -> list[str]:
    """Write the audio to AUDIO: stereo of one rate from the first instant on, whatever it is and changes to.

    What cannot be decoded is silent. Filters that start anew with each format feed those that must not, through raw
    samples and a loopback decoder for each track. In a process of its own: beside video, its queues can wait for each
    other for ever.
    """
    # However many packets are damaged: what can be decoded is heard, and ffmpeg tells how much that is.
    anyway = ("-max_error_rate", "1")
    read = given.read()
    decoded = filters.mixed([read[str(index)] for index in given.probe.heard])
    options: dict[str, object] = {"t": given.limits.max_duration, **_NOTHING_PERSONAL}
    made = ffmpeg.output(decoded, AUDIO, **FLAC, **options)
    line = compiled(given.tools, made, _kept(read, given.probe.video_index), level=_STATISTICS, more=anyway)
    stereo = {index: f"pan={filters.downmix(given.probe, index)},{filters.STEREO}" for index in given.probe.heard}
    return looped({str(index): chain for index, chain in stereo.items()}, line, given.limits.max_duration)


def looped(tracks: Mapping[str, str], line: list[str], longest: float) -> list[str]:
    """Let the filters of a command line take audio tracks, of at most so many seconds, from others that start anew.

    These are given for each track (a stream specifier) of the line's one input, and end in `filters.STEREO`.
    """
    position = line.index(_GRAPH)
    graphs, before = line[position + 1], list[str]()
    for number, (track, chain) in enumerate(tracks.items()):
        coded = ["-c:a", "pcm_f32le", "-t", str(longest), "-f", "null", "-", "-dec", f"{number}:0"]
        before += ["-map", f"0:{track}", "-filter:a", chain, *coded]
        graphs = graphs.replace(f"[0:{track}]", f"[dec:{number}]")
    return [*line[:position], *before, _GRAPH, graphs, *line[position + 2 :]]


def written_audio(path: str | Path, **options: object) -> Stream:
    """Read an AUDIO file, which a hostile decoder may have written."""
    known = {"f": "flac", "protocol_whitelist": "file", "format_whitelist": "flac", "codec_whitelist": "flac"}
    return ffmpeg.input(f"file:{path}", **known, **options)["0"]


def key_frames(given: Given) -> list[str]:
    """Copy the key frames, at their time, to KEY_FRAMES: of all pixel aspects, that file has but their own."""
    read = given.read()
    options: dict[str, object] = {"c": "copy", "bsf": "noise=drop=not(key)", "t": given.limits.max_duration}
    clock: dict[str, object] = {"muxdelay": 0, "muxpreload": 0, "avoid_negative_ts": "disabled"}
    clock["output_ts_offset"] = KEY_FRAMES_BEGIN
    shown = ffmpeg.output(read[str(given.probe.video_index)], KEY_FRAMES, f="mpegts", **options, **clock)
    return compiled(given.tools, shown, *(_kept(read, index) for index in given.probe.heard))


def pixel_aspects(given: Given, folder: Path) -> list[str]:
    """Ask for what `pixel_aspects.KeyFrames` reads, of the file KEY_FRAMES in a folder."""
    entries = ("-select_streams", "v", "-show_entries", "frame=pts_time,sample_aspect_ratio", "-of", "compact=p=0")
    return _ffprobe(given.tools, folder / KEY_FRAMES, "mpegts", given.limits, PLAIN, *entries)


def loudness(given: Given) -> list[str]:
    """Measure the audio as `loudness.parse` reads it."""
    heard = given.heard(given.read())
    if heard is None:
        raise ValueError("there is no audio to measure")
    sound = heard.filter("ebur128", peak="sample", framelog="quiet")
    measured = ffmpeg.output(sound, "-", f="null", t=given.limits.max_duration)
    return compiled(given.tools, measured, level=_STATISTICS)


def ladder(given: Given, plan: Plan, settings: Settings, gain: float) -> list[str]:
    """Make every rung in one run that decodes once, with poster, storyboard and preview.

    All have the same sound, `gain` dB louder than the file's.
    """
    read = given.read(**_ONE_GRAPH)
    picture = filters.steady(filters.pictures(read, given.probe, plan.ladder[0]), plan)
    chosen = encoder(settings.encoder)
    shown, others = _taps(picture, plan, plan.ladder, plan.duration, given.probe.hdr, chosen)
    sound = filters.sound(given.heard(read), plan.samples, gain)
    keys = _key_times(plan.durations) if plan.sparse else {}
    options = _encoding(plan.ladder, settings, given.limits, plan.key_frame_distance, keys)
    files = [_slave(rung, number) for number, rung in enumerate(plan.ladder)]
    return compiled(
        given.tools,
        _fragments([*shown, sound], files, plan.samples, options),
        *others,
        *_audio_kept(given, read),
        more=chosen.global_arguments,
    )


def ladder_beside(given: Given, plan: Plan, settings: Settings, gain: float, beside: Beside) -> list[str]:
    """Make the same, but copy the highest rung again, and encode the others to be cut as it is."""
    read = given.read(**_ONE_GRAPH, **given.counted_from(beside.copying.lead))
    copied, encoded = read[str(given.probe.video_index)], plan.ladder[1:]
    duration = beside.copying.duration
    samples = round(duration * AUDIO_RATE)
    chosen = encoder(settings.encoder)
    shown, others = _taps(filters.pictures(read, given.probe, plan.ladder[0]), plan, encoded, duration, None, chosen)
    sound = filters.sound(given.heard(read, beside.copying.lead), samples, gain)
    options = _encoding(encoded, settings, given.limits, _NEVER, _at(beside), 1) | {"c:v:0": "copy"}
    files = [_slave_of_copy(beside.copying), *(_slave(rung, number) for number, rung in enumerate(encoded, 1))]
    return compiled(
        given.tools,
        _fragments([copied, *shown, sound], files, samples, options),
        *others,
        more=chosen.global_arguments,
    )


def _kept(read: Stream, index: int, **options: object) -> Stream:
    """Read a stream for nothing but its time: see `OWN_CLOCK`."""
    return ffmpeg.output(read[str(index)], "-", f="null", c="copy", **options)


def _audio_kept(given: Given, read: Stream) -> list[Stream]:
    index = given.probe.audio_index
    return [] if given.audio is None or index is None else [_kept(read, index)]


def _taps(
    picture: Stream, plan: Plan, encoded: Sequence[Rung], duration: float, hdr: str | None, chosen: Encoder
) -> tuple[list[Stream], list[Stream]]:
    """Give the picture of each rung as its encoder takes it, and the outputs that are made of some by the way."""
    for_poster, smallest = poster_rung(plan.ladder), plan.ladder[-1]
    scaled = [rung for rung in plan.ladder if rung in {*encoded, for_poster, smallest}]
    shown, others = [], []
    for rung, stream in zip(scaled, filters.cascade(picture, scaled, hdr), strict=True):
        takers = (rung in encoded) + (rung is for_poster) + 2 * (rung is smallest)
        parts = filters.copies(stream, "split", takers)
        if rung is for_poster:
            others += _poster(*filters.poster(parts.pop(), plan))
        if rung is smallest:
            others.append(_jpeg(filters.storyboard(parts.pop(), plan.storyboard), STORYBOARD, _STORYBOARD_QUALITY))
            others.append(_preview(filters.preview(parts.pop(), duration)))
        shown += [filters.handed_over(part, chosen.filters) for part in parts]
    return shown, others


_PROGRESS = ("-progress", "pipe:1", "-stats_period", "0.5")


def compiled(
    tools: Tools, *outputs: Stream, level: str = "error", more: Sequence[str] = (), progress: Sequence[str] = _PROGRESS
) -> list[str]:
    """Give the command line that makes these outputs; what is printed is the same for all."""
    quiet = ["-nostdin", "-hide_banner", "-nostats", "-loglevel", level, *progress]
    graph = ffmpeg.merge_outputs(*outputs).global_args(*quiet, *more)
    return _apart([str(part) for part in graph.compile(cmd=str(tools.ffmpeg), overwrite_output=True)])


def _apart(line: list[str]) -> list[str]:
    """Make a filter graph of its own of what is not connected: pictures and sound.

    In one graph, ffmpeg serves the output that is furthest behind first. A poster comes last of all: until then
    pictures would be drawn for it, and the sound would wait in vain.
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
    apart = [part for _, chains in groups for part in (_GRAPH, ";".join(chains))]
    return [*line[:position], *apart, *line[position + 2 :]]


def _ffprobe(tools: Tools, source: Path, demuxer: str, limits: Limits, access: Access, *question: str) -> list[str]:
    options = {**input_options(demuxer, limits), **access.options}
    # It fails on a track of any other kind, even one that nobody will look at.
    options["codec_whitelist"] = f"{DECODERS},{ALSO_KNOWN}"
    given = [part for key, value in options.items() for part in (f"-{key}", str(value))]
    return [str(tools.ffprobe), "-hide_banner", "-v", "error", *given, *question, access.url(source)]


def input_options(demuxer: str, limits: Limits) -> dict[str, object]:
    """Give what every hostile file is read with: our demuxer, no other, and nothing but what we know."""
    return {
        "f": demuxer,
        "protocol_whitelist": "file",
        "format_whitelist": demuxer,
        "codec_whitelist": DECODERS,
        "max_streams": limits.max_streams,
        "max_pixels": limits.max_pixels,
        "threads": limits.threads,
    }


def _fragments(streams: Sequence[Stream], slaves: Sequence[str], samples: int, options: dict[str, object]) -> Stream:
    """Write fragmented MP4 files, one for each rung, that all have the last stream as their sound, encoded once."""
    common: dict[str, object] = {
        "c:a": "aac",
        "b:a": AUDIO_BITS,
        # What is before the beginning has negative time stamps. Dropped, the first packet is at 0 like the pictures.
        "bsf:a": rf"noise=drop=lt(pts\,0)+gte(pts\,{samples})",
        # The filters cut exactly; this only bounds what a graph that never ends could write.
        "t": samples / AUDIO_RATE + 1,
        "flags:a": "+global_header",
        **_NOTHING_PERSONAL,
    }
    return ffmpeg.output(*streams, "|".join(slaves), f="tee", **{**common, **options})


def _slave(rung: Rung, number: int = 0, **options: object) -> str:
    """Describe the file of a rung to the tee muxer: its pictures are the video stream of that number."""
    given = {
        "select": rf"\'v:{number},a\'",
        "f": "mp4",
        # ffmpeg's HLS muxer would move the first picture of a segment where their rate varies.
        "movflags": "+empty_moov+frag_keyframe+default_base_moof+negative_cts_offsets+skip_trailer",
        "video_track_timescale": CLOCK,
        "avoid_negative_ts": "disabled",
        # However far one is ahead: else a segment could be written without the silence that we add.
        "max_interleave_delta": 0,
        **options,
    }
    return f"[{':'.join(f'{key}={value}' for key, value in given.items())}]{rung.name}/{FRAGMENTS}"


def _slave_of_copy(copying: Copying) -> str:
    return _slave(copying.rung, min_frag_duration=SHORTEST_COPIED * 1_000_000 // CLOCK)


def _encoding(
    rungs: Sequence[Rung], settings: Settings, limits: Limits, distance: int, keys: dict[str, object], copied: int = 0
) -> dict[str, object]:
    """Give the options of the encoders, stream by stream: those that are `copied` come before, and take none.

    `distance` is the most frames from one key frame to the next.
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


def _at(beside: Beside) -> dict[str, object]:
    """Let key frames be where a copy is cut, and sound be cut where the copy's is."""
    options: dict[str, object] = {"enc_time_base": f"1:{CLOCK}"}
    if len(beside.durations) > 1:
        options |= _key_times(beside.durations)
    if beside.lag > 0:
        options["bsf"] = f"setts=dts=DTS-{beside.lag:.6f}/TB"
    return options


def _key_times(durations: Sequence[float]) -> dict[str, object]:
    begins = accumulate(durations[:-1])
    return {"force_key_frames": ",".join(f"{begin - _JUST_BEFORE:.6f}" for begin in begins) or "0"}


def _poster(still: Stream, blur: Stream) -> list[Stream]:
    raw = ffmpeg.output(blur, BLUR, **{"frames:v": 1}, f="rawvideo", fps_mode="passthrough")
    return [_jpeg(still, POSTER, _JPEG_QUALITY), raw]


def _jpeg(picture: Stream, name: str, quality: int) -> Stream:
    options = {"frames:v": 1, "c:v": "mjpeg", "q:v": quality, "f": "image2", "update": 1}
    return ffmpeg.output(picture, name, **options, fps_mode="passthrough", map_metadata=-1)


def _preview(picture: Stream) -> Stream:
    options = {"c:v": "libx264", "preset": "veryfast", "crf": _PREVIEW_QUALITY, "f": "mp4", "movflags": "+faststart"}
    return ffmpeg.output(picture, PREVIEW, **options, **_NOTHING_PERSONAL)
