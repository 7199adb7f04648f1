"""What ffprobe says about a file, checked and reduced to what the plan needs: pure.

Every figure comes from a hostile file: absent, absurd and contradictory values are normal here.
"""

import json
import math
from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from transcode.errors import BrokenFile, NoDecoder, NotAVideo
from transcode.source.audio_loss import MOST_CHANNELS, AudioLoss
from transcode.source.clock_jumps import Jumps
from transcode.source.frame_rate import MOST_TIMES, close_rate, distinct, peak_rate

# Codecs worth exposing to strangers' files, with ffmpeg's decoders for them: what phones, browsers, cameras, screen
# recorders and old archives really wrote.
_VIDEO_DECODERS = {
    "av1": "libdav1d,libaom-av1,av1",
    "cfhd": "cfhd",
    "cinepak": "cinepak",
    "dnxhd": "dnxhd",
    "dvvideo": "dvvideo",
    "ffv1": "ffv1",
    "flv1": "flv",
    "h261": "h261",
    "h263": "h263",
    "h264": "h264",
    "hevc": "hevc",
    "mjpeg": "mjpeg",
    "mpeg1video": "mpeg1video",
    "mpeg2video": "mpeg2video",
    "mpeg4": "mpeg4",
    "msmpeg4v1": "msmpeg4v1",
    "msmpeg4v2": "msmpeg4v2",
    "msmpeg4v3": "msmpeg4",
    "mss2": "mss2",
    "prores": "prores",
    "qtrle": "qtrle",
    "rawvideo": "rawvideo",
    "svq1": "svq1",
    "svq3": "svq3",
    "theora": "theora",
    "vc1": "vc1",
    "vp6a": "vp6a",
    "vp6f": "vp6f",
    "vp8": "vp8",
    "vp9": "vp9",
    "vvc": "vvc",
    "wmv1": "wmv1",
    "wmv2": "wmv2",
    "wmv3": "wmv3",
}
_AUDIO_DECODERS = {
    "aac": "aac",
    "aac_latm": "aac_latm",
    "ac3": "ac3",
    "adpcm_ima_qt": "adpcm_ima_qt",
    "adpcm_ima_wav": "adpcm_ima_wav",
    "adpcm_g722": "g722",
    "adpcm_g726": "g726",
    "adpcm_ms": "adpcm_ms",
    "adpcm_swf": "adpcm_swf",
    "adpcm_yamaha": "adpcm_yamaha",
    "alac": "alac",
    "amr_nb": "amrnb",
    "amr_wb": "amrwb",
    "atrac3": "atrac3",
    "atrac3p": "atrac3plus",
    "cook": "cook",
    "dts": "dca",
    "eac3": "eac3",
    "flac": "flac",
    "g723_1": "g723_1",
    "gsm": "gsm",
    "gsm_ms": "gsm_ms",
    "mace3": "mace3",
    "mace6": "mace6",
    "mlp": "mlp",
    "mp1": "mp1float,mp1",
    "mp2": "mp2float,mp2",
    "mp3": "mp3float,mp3",
    "nellymoser": "nellymoser",
    "opus": "opus,libopus",
    "pcm_alaw": "pcm_alaw",
    "pcm_bluray": "pcm_bluray",
    "pcm_dvd": "pcm_dvd",
    "pcm_f32be": "pcm_f32be",
    "pcm_f32le": "pcm_f32le",
    "pcm_f64be": "pcm_f64be",
    "pcm_f64le": "pcm_f64le",
    "pcm_mulaw": "pcm_mulaw",
    "pcm_s16be": "pcm_s16be",
    "pcm_s16le": "pcm_s16le",
    "pcm_s24be": "pcm_s24be",
    "pcm_s24le": "pcm_s24le",
    "pcm_s32be": "pcm_s32be",
    "pcm_s32le": "pcm_s32le",
    "pcm_s8": "pcm_s8",
    "pcm_u8": "pcm_u8",
    "qdm2": "qdm2",
    "qdmc": "qdmc",
    "s302m": "s302m",
    "speex": "speex,libspeex",
    "truehd": "truehd",
    "tta": "tta",
    "vorbis": "vorbis",
    "wavpack": "wavpack",
    "wmalossless": "wmalossless",
    "wmapro": "wmapro",
    "wmav1": "wmav1",
    "wmav2": "wmav2",
    "wmavoice": "wmavoice",
}
DECODERS = ",".join([*_VIDEO_DECODERS.values(), *_AUDIO_DECODERS.values()])
"""The decoders that ffmpeg may open at all, as its `-codec_whitelist` takes them."""

ALSO_KNOWN = ",".join(
    ("ass", "dvbsub", "dvdsub", "mov_text", "pgssub", "srt", "ssa", "subrip", "text", "webvtt", "xsub", "ccaption")
)
"""Decoders of subtitles that a video may have beside what we decode; `-codec_whitelist` of ffprobe."""

FIXED_AUDIO = frozenset({"alac", "flac", "opus", "vorbis"})
"""Audio codecs whose format is that of the container's header, if they are in one that has it."""

HDR = frozenset({"smpte2084", "arib-std-b67"})
"""Transfer characteristics (ITU-R BT.2100) whose pictures an ordinary screen cannot show as they are: PQ and HLG."""

SANE_ASPECT = 8.0
"""The most oblong pixels that are believed, either way."""

_CSV_CELLS = 6
_TIMED = frozenset({"audio", "video"})
_LEFT_OUT = "D"
_HD_HEIGHT = 720

_LONGER_SOUND = 0.5
_MOST_MIXED = 8
_CLEARLY_SLOWER = 0.9


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """An audio track that can be decoded, as it begins."""

    index: int
    channels: int
    layout: str
    """In ffmpeg's words, like `5.1(side)`."""
    codec: str = ""
    language: str = ""
    rate: int = field(default=48_000, compare=False)
    """Samples per second."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One video file. Sizes are pixels, times are seconds, rates are frames per second (0: not known)."""

    duration: float
    """From the first instant of any stream to the end of the pictures, or of sound that goes on. 0: not known."""
    width: int
    """As displayed: pixel aspect and rotation applied."""
    height: int
    coded_width: int
    coded_height: int
    frame_rate: float
    """Mean over the file."""
    base_rate: float
    """The lowest rate that hits every time stamp, as far as ffmpeg looked; far above the mean when it varies."""
    video_codec: str
    video_index: int
    audio_index: int | None
    start: float
    """Time stamp of the first instant of what is played, which is the origin of everything that is made of it."""
    assumed_matrix: str | None
    """Colour matrix customary for this size, where the file states none: else players guess anew for each rung."""
    interlaced: bool
    hdr: str | None = None
    """The transfer characteristics of high dynamic range, as ffmpeg calls them; None for an ordinary picture."""
    size: float = 0.0
    """Bytes of the file."""
    delay: float = 0.0
    """Seconds that the frames are to be moved up: reordering delays them, and no edit list says so."""
    reordering: float = 0.0
    """Seconds that the decoder holds frames back to put them in order."""
    peak_rate: float = 0.0
    """In the busiest second."""
    audio_tracks: tuple[AudioTrack, ...] = ()
    """All that can be decoded, `audio_index` among them."""
    mixed: tuple[int, ...] = ()
    """Audio tracks that are heard along with `audio_index`: channels that a recorder wrote one by one."""
    audio_left_out: AudioLoss | None = None
    """What of its audio is not heard, as far as is known."""
    pixel_aspect: float = 0.0
    """Width by height of a pixel, as ffmpeg takes all frames to have it. 0: not known."""
    pixel_aspects: tuple[tuple[float, float], ...] = ()
    """From which second on frames have which one, where it changes within the file."""

    @property
    def has_audio(self) -> bool:
        """Whether a sound track was found that we would decode."""
        return self.audio_index is not None

    @property
    def heard(self) -> tuple[int, ...]:
        """The audio tracks that are decoded."""
        return () if self.audio_index is None else (self.audio_index, *self.mixed)

    def without_audio(self, why: AudioLoss) -> "Probe":
        """Return the same, as long as it was, with silence."""
        return replace(self, audio_index=None, mixed=(), audio_left_out=why)

    def may_change_audio(self, demuxer: str) -> bool:
        """Return whether the format of the audio may be another later in the file: each frame tells its own."""
        codecs = {self.audio_track(index).codec for index in self.heard}
        fixed = FIXED_AUDIO | ({"aac"} if demuxer == "mov" else set())
        return any((codec not in fixed or demuxer == "ogg") and not codec.startswith("pcm_") for codec in codecs)

    def with_times(self, times: Sequence[float]) -> "Probe":
        """Return it with the rates that the ascending time stamps of its frames tell.

        ffmpeg may take the clock of a container, or that of fields, for the rate that hits every time stamp.
        """
        close = close_rate(times)
        base = close if 0 < close < self.base_rate * _CLEARLY_SLOWER else self.base_rate
        return replace(self, peak_rate=peak_rate(times), base_rate=base)

    def audio_track(self, index: int) -> AudioTrack:
        """Return what is known of an audio track; stereo where that is nothing."""
        return next((track for track in self.audio_tracks if track.index == index), AudioTrack(index, 2, "stereo"))


def parse(
    text: str | bytes, *, aligned: bool = False, audio_index: int | None = None, encrypted: Collection[int] = ()
) -> Probe:
    """Read ffprobe's JSON (`-show_entries` as in `commands.probe`).

    `aligned`: what the file says of when its tracks begin is of no worth, they begin together. `audio_index`: the audio
    track to be heard, where it is not the one that players choose. `encrypted`: tracks that nobody can decode.
    Raises NotAVideo when nothing in it moves, NoDecoder when what does is in none of our codecs, BrokenFile when it has
    pictures of no size or is no JSON.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise BrokenFile(f"ffprobe gave no JSON: {error}") from error
    streams: list[Mapping[str, Any]] = data.get("streams", [])
    video = _best([stream for stream in streams if _is_video(stream)])
    if video is None:
        if any(map(_moves, streams)):
            raise NoDecoder(f"pictures in a codec that is not opened; the file holds: {_summary(streams)}")
        raise NotAVideo(f"no pictures that move; the file holds: {_summary(streams)}")
    heard = [stream for stream in streams if _is_audio(stream) and _count(stream, "index") not in encrypted]
    chosen = [stream for stream in heard if audio_index is not None and _count(stream, "index") == audio_index]
    audio, tracks = _best(chosen or heard), tuple(map(_audio_track, heard))
    coded = _count(video, "width"), _count(video, "height")
    if 0 in coded:
        raise BrokenFile("the pictures have no size: the file is cut off or damaged")
    width, height = _displayed(video, *_cropped(video, *coded))
    start = _start([video, audio] if audio else [video], _seconds(data.get("format", {}), "start_time"))
    delay = _seconds(video, "start_time") - start if aligned else 0.0
    transfer = video.get("color_transfer")
    return Probe(
        duration=_total(_until_end(video, start + delay), _until_end(audio, start) if audio else 0.0),
        width=width,
        height=height,
        coded_width=coded[0],
        coded_height=coded[1],
        frame_rate=_ratio(video.get("avg_frame_rate")),
        base_rate=_ratio(video.get("r_frame_rate")),
        video_codec=str(video["codec_name"]),
        video_index=_count(video, "index"),
        audio_index=_count(audio, "index") if audio else None,
        start=start,
        assumed_matrix=_assumed_matrix(video, min(coded)),
        interlaced=video.get("field_order") in {"tt", "bb", "tb", "bt"},
        hdr=transfer if transfer in HDR else None,
        size=_seconds(data.get("format", {}), "size"),
        delay=max(0.0, delay),
        reordering=_count(video, "has_b_frames") / (_ratio(video.get("avg_frame_rate")) or math.inf),
        audio_tracks=tracks,
        mixed=_mixed(audio, tracks),
        audio_left_out=_left_out(streams, heard, encrypted),
        pixel_aspect=_ratio(video.get("sample_aspect_ratio"), ":"),
    )


@dataclass(slots=True)
class _Times:
    first: float
    last: float
    end: float
    count: int = 0
    shown: "array[float]" = field(default_factory=lambda: array("d"))
    """Time stamps of some; of decoding, once one of them has no other."""
    decoded: "array[float]" = field(default_factory=lambda: array("d"))

    def times(self) -> "array[float]":
        return distinct(self.shown if len(self.shown) >= len(self.decoded) else self.decoded)


class PacketTimes:
    """Finds the true duration from the time stamps of all packets, fed with ffprobe's CSV as it comes.

    For containers whose header may be silent or wrong about it. Lines: kind of stream, its index, pts, dts, duration,
    flags. `clock_jumps` moves time stamps where the container's clock may jump.
    """

    def __init__(self, jumps: Jumps | None = None) -> None:
        self._jumps = jumps
        self._rest = b""
        self._streams: dict[int, _Times] = {}
        self._kept = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line.decode("ascii", "replace").strip().rstrip(",").split(","))

    def applied_to(self, probe: Probe) -> Probe:
        """Give the probe with measured duration and mean rate. Raises BrokenFile when no picture was found."""
        pictures = self._streams.get(probe.video_index)
        if pictures is None:
            raise BrokenFile("the file holds no pictures: it is cut off or damaged")
        span = pictures.last - pictures.first
        rate = (pictures.count - 1) / span if span > 0 else probe.frame_rate
        frame = 1 / rate if rate > 0 else 0.0
        end = max(pictures.end, pictures.last + frame)
        heard = self._streams.get(probe.audio_index) if probe.audio_index is not None else None
        sound = heard.end - probe.start if heard else 0.0
        duration = _total(end - probe.start - probe.delay, sound)
        return replace(probe, duration=duration, frame_rate=rate).with_times(pictures.times())

    def _take(self, cells: list[str]) -> None:
        if len(cells) < _CSV_CELLS or not cells[1].isdigit():
            return
        index, (shown, decoded, length) = int(cells[1]), map(_finite, cells[2:5])
        time = decoded if shown is None else shown
        if time is None:
            return
        moved = 0.0
        if self._jumps:
            moved = self._jumps.moved(index, decoded if cells[0] in _TIMED else None, length or 0.0)
        # Edit lists leave frames out that others need to be decoded.
        if _LEFT_OUT not in cells[5]:
            self._count(index, time + moved, length or 0.0)
            self._keep(index, [known if known is None else known + moved for known in (shown, decoded)])

    def _count(self, index: int, time: float, length: float) -> None:
        stream = self._streams.setdefault(index, _Times(time, time, time))
        stream.first = min(stream.first, time)
        stream.last = max(stream.last, time)
        stream.end = max(stream.end, time + length)
        stream.count += 1

    def _keep(self, index: int, times: Sequence[float | None]) -> None:
        # Of all streams together: a file may have many, and only one of them is looked at.
        self._kept += 1
        if self._kept > MOST_TIMES:
            return
        stream = self._streams[index]
        for known, kept in zip(times, (stream.shown, stream.decoded), strict=True):
            if known is not None:
                kept.append(known)


def _total(pictures: float, sound: float) -> float:
    # Sound a little longer than the pictures is how most recorders stop; much longer is a still with music.
    return max(0.0, sound if sound - pictures > _LONGER_SOUND else pictures)


def _moves(stream: Mapping[str, Any]) -> bool:
    is_cover = bool(stream.get("disposition", {}).get("attached_pic"))
    return stream.get("codec_type") == "video" and not is_cover


def _is_video(stream: Mapping[str, Any]) -> bool:
    return _moves(stream) and stream.get("codec_name") in _VIDEO_DECODERS


def _is_audio(stream: Mapping[str, Any]) -> bool:
    playable = stream.get("codec_name") in _AUDIO_DECODERS
    mixable = 0 < _count(stream, "channels") <= MOST_CHANNELS
    return stream.get("codec_type") == "audio" and playable and mixable and _count(stream, "sample_rate") > 0


def _left_out(
    streams: Sequence[Mapping[str, Any]], heard: Sequence[Mapping[str, Any]], encrypted: Collection[int]
) -> AudioLoss | None:
    """Return why the track that players choose is none that is `heard`; None where it is, or where there is none."""
    chosen = _best([stream for stream in streams if stream.get("codec_type") == "audio"])
    if chosen is None or chosen in heard:
        return None
    if heard:
        return AudioLoss.SOME_TRACKS
    if _count(chosen, "index") in encrypted:
        return AudioLoss.ENCRYPTED
    if chosen.get("codec_name") not in _AUDIO_DECODERS:
        return AudioLoss.NO_DECODER
    return AudioLoss.TOO_MANY_CHANNELS if _count(chosen, "channels") > MOST_CHANNELS else AudioLoss.DAMAGED


def _audio_track(stream: Mapping[str, Any]) -> AudioTrack:
    tags = {str(key).lower(): str(value) for key, value in stream.get("tags", {}).items()}
    return AudioTrack(
        index=_count(stream, "index"),
        channels=_count(stream, "channels"),
        layout=str(stream.get("channel_layout", "")),
        codec=str(stream.get("codec_name")),
        language=tags.get("language", ""),
        rate=_count(stream, "sample_rate"),
    )


def _mixed(audio: Mapping[str, Any] | None, tracks: Sequence[AudioTrack]) -> tuple[int, ...]:
    """Return the mono tracks beside a mono one of the same kind: cameras write a track for each microphone."""
    if audio is None:
        return ()
    main = _audio_track(audio)
    if main.channels != 1:
        return ()
    alike = [track.index for track in tracks if replace(track, index=main.index) == main]
    return tuple(index for index in alike if index != main.index)[:_MOST_MIXED]


def _best(streams: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    def rank(stream: Mapping[str, Any]) -> tuple[bool, int]:
        return bool(stream.get("disposition", {}).get("default")), _count(stream, "width") * _count(stream, "height")

    return max(streams, key=rank, default=None)


def _summary(streams: list[Mapping[str, Any]]) -> str:
    kinds = [f"{stream.get('codec_type', 'unknown')} ({stream.get('codec_name', 'unknown')})" for stream in streams]
    return ", ".join(kinds[:8]) or "nothing"


def _cropped(video: Mapping[str, Any], width: int, height: int) -> tuple[int, int]:
    """Return the size after the container's crop (`clap`, PixelCrop), which ffmpeg applies and ffprobe only tells."""
    for data in video.get("side_data_list", []):
        across = _count(data, "crop_left") + _count(data, "crop_right")
        down = _count(data, "crop_top") + _count(data, "crop_bottom")
        if across < width and down < height:
            width, height = width - across, height - down
    return width, height


def _displayed(video: Mapping[str, Any], width: int, height: int) -> tuple[int, int]:
    aspect = _ratio(video.get("sample_aspect_ratio"), ":")
    if 1 / SANE_ASPECT <= aspect <= SANE_ASPECT:
        # The side that grows keeps every pixel of the other.
        width, height = (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))
    rotations = [_finite(data.get("rotation")) or 0.0 for data in video.get("side_data_list", [])]
    quarter_turns = round(sum(rotations) / 90)
    return (height, width) if quarter_turns % 2 else (width, height)


def _assumed_matrix(video: Mapping[str, Any], short_side: int) -> str | None:
    stated = str(video.get("color_space", "unknown")) not in {"unknown", "unspecified", "reserved"}
    if stated or not str(video.get("pix_fmt", "")).startswith("yuv"):
        return None
    return "bt709" if short_side >= _HD_HEIGHT else "smpte170m"


def _start(played: Sequence[Mapping[str, Any]], otherwise: float) -> float:
    return min(
        (time for stream in played if (time := _finite(stream.get("start_time"))) is not None), default=otherwise
    )


def _until_end(stream: Mapping[str, Any], origin: float) -> float:
    duration = _seconds(stream, "duration")
    return _seconds(stream, "start_time") + duration - origin if duration > 0 else 0.0


def _count(stream: Mapping[str, Any], key: str) -> int:
    value = _finite(stream.get(key))
    return int(value) if value is not None and value > 0 else 0


def _seconds(data: Mapping[str, Any], key: str) -> float:
    return _finite(data.get(key)) or 0.0


def _ratio(value: object, separator: str = "/") -> float:
    above, _, below = str(value).partition(separator)
    numerator, denominator = _finite(above), _finite(below)
    return numerator / denominator if numerator and denominator and numerator / denominator > 0 else 0.0


def _finite(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
