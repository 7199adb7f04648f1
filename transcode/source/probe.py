"""Reduce what ffprobe describes to what the plan needs: which tracks play, sizes, times and rates. Pure."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from transcode.errors import BrokenFile, NoDecoder, NotAVideo
from transcode.source.audio_loss import MOST_CHANNELS, AudioLoss
from transcode.source.codecs import AUDIO_DECODERS, FIXED_AUDIO, VIDEO_DECODERS
from transcode.source.ffprobe import Description, Stream, ratio
from transcode.source.frame_rate import close_rate, peak_rate

HDR = frozenset({"smpte2084", "arib-std-b67"})
"""High dynamic range transfer characteristics (ITU-R BT.2100), PQ and HLG, which need tone mapping."""

SANE_ASPECT = 8.0
"""The most extreme pixel aspect ratio that is believed, either way."""

_HD_HEIGHT = 720
_LONGER_AUDIO = 0.5
_MOST_MIXED = 8
_CLEARLY_SLOWER = 0.9


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """An audio track that can be decoded, by the format it starts with."""

    index: int
    channels: int
    layout: str
    """In ffmpeg's words, like `5.1(side)`."""
    codec: str = ""
    language: str = ""
    rate: int = field(default=48_000, compare=False)
    """Samples per second."""


@dataclass(frozen=True, slots=True)
class Audio:
    """The audio tracks of a file, and those of them that are played."""

    index: int | None = None
    """The track that players choose; None: silence."""
    mixed: tuple[int, ...] = ()
    """Tracks that are mixed with it: channels that a recorder wrote one by one."""
    tracks: tuple[AudioTrack, ...] = ()
    """All that can be decoded, those that are played among them."""
    left_out: AudioLoss | None = None
    """What of the audio is missing in the renditions, as far as is known."""

    @property
    def indexes(self) -> tuple[int, ...]:
        """The tracks that are decoded."""
        return () if self.index is None else (self.index, *self.mixed)

    def track(self, index: int) -> AudioTrack:
        """Return what is known of a track; stereo where that is nothing."""
        return next((track for track in self.tracks if track.index == index), AudioTrack(index, 2, "stereo"))

    def may_change(self, demuxer: str) -> bool:
        """Return whether the format may change within the file: each frame states its own."""
        codecs = {self.track(index).codec for index in self.indexes}
        fixed = FIXED_AUDIO | ({"aac"} if demuxer == "mov" else set())
        return any((codec not in fixed or demuxer == "ogg") and not codec.startswith("pcm_") for codec in codecs)


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """The video track that is played. Sizes are pixels, times seconds, rates frames per second (0: not known)."""

    index: int
    codec: str
    width: int
    """As displayed: pixel aspect and rotation applied."""
    height: int
    coded_width: int
    coded_height: int
    frame_rate: float
    """Mean over the file."""
    base_rate: float
    """The lowest rate that hits every time stamp, as far as ffmpeg looked; far above the mean when it varies."""
    peak_rate: float = 0.0
    """In the busiest second."""
    delay: float = 0.0
    """Seconds to subtract from presentation time stamps: reordering delays frames, and no edit list corrects it."""
    reordering: float = 0.0
    """Seconds that the decoder holds frames back to put them in order."""
    assumed_matrix: str | None = None
    """Colour matrix customary for this size, where the file states none: else players guess anew for each rung."""
    hdr: str | None = None
    """Transfer characteristics of high dynamic range, as ffmpeg calls them; None for standard dynamic range."""
    interlaced: bool = False
    pixel_aspect: float = 0.0
    """Width by height of a pixel, which ffmpeg assumes for all frames. 0: not known."""
    pixel_aspects: tuple[tuple[float, float], ...] = ()
    """(second, pixel aspect from there on), where it changes within the file."""

    def with_times(self, times: Sequence[float]) -> "VideoTrack":
        """Return it with the rates that follow from the ascending time stamps of its frames.

        ffmpeg may take the time base of a container, or the field rate, for the rate that hits every time stamp.
        """
        close = close_rate(times)
        base = close if 0 < close < self.base_rate * _CLEARLY_SLOWER else self.base_rate
        return replace(self, peak_rate=peak_rate(times), base_rate=base)


@dataclass(frozen=True, slots=True)
class Probe:
    """One video file. Times are seconds."""

    video: VideoTrack
    audio: Audio
    start: float
    """Earliest time stamp of what is played: the origin of all renditions."""
    duration: float
    """From the earliest time stamp of any stream to the end of the video, or of longer audio. 0: not known."""
    size: float = 0.0
    """Bytes of the file."""

    @property
    def has_audio(self) -> bool:
        """Whether there is an audio track that can be decoded."""
        return self.audio.index is not None

    def without_audio(self, why: AudioLoss) -> "Probe":
        """Return the same, of the same duration, with silence."""
        return replace(self, audio=replace(self.audio, index=None, mixed=(), left_out=why))


def probe_of(
    description: Description,
    *,
    aligned: bool = False,
    audio_index: int | None = None,
    encrypted: Collection[int] = (),
) -> Probe:
    """Choose the tracks that play, and reduce them to a Probe.

    `aligned`: ignore the start times of tracks, which start together. `audio_index`: the audio track to play, where it
    is not the one that players choose. `encrypted`: tracks that cannot be decrypted. Raises NotAVideo when there is no
    video track, NoDecoder when it is in no allowed codec, BrokenFile when it has no size.
    """
    streams = description.streams
    video = _video_of(streams)
    playable = [stream for stream in streams if _is_audio(stream) and stream.index not in encrypted]
    chosen = [stream for stream in playable if audio_index is not None and stream.index == audio_index]
    audio, tracks = _best(chosen or playable), tuple(map(_audio_track, playable))
    start = _start([video, audio] if audio else [video], description.format.start_time or 0.0)
    delay = (video.start_time or 0.0) - start if aligned else 0.0
    return Probe(
        video=replace(_video_track(video), delay=max(0.0, delay)),
        audio=Audio(
            index=audio.index if audio else None,
            mixed=_mixed(audio, tracks),
            tracks=tracks,
            left_out=_audio_loss(streams, playable, encrypted),
        ),
        start=start,
        duration=total_duration(_until_end(video, start + delay), _until_end(audio, start) if audio else 0.0),
        size=description.format.size,
    )


def total_duration(video: float, audio: float) -> float:
    """Return the duration of a file from those of its tracks, in seconds."""
    # Audio a little longer than the video is how most recorders stop; much longer is an image with music.
    return max(0.0, audio if audio - video > _LONGER_AUDIO else video)


def _video_of(streams: Sequence[Stream]) -> Stream:
    video = _best([stream for stream in streams if _is_video(stream)])
    if video is not None:
        return video
    if any(map(_is_video_track, streams)):
        raise NoDecoder(f"video in a codec that is not opened; the file holds: {_summary(streams)}")
    raise NotAVideo(f"no video track; the file holds: {_summary(streams)}")


def _is_video_track(stream: Stream) -> bool:
    return stream.codec_type == "video" and not stream.disposition.attached_pic


def _is_video(stream: Stream) -> bool:
    return _is_video_track(stream) and stream.codec_name in VIDEO_DECODERS


def _is_audio(stream: Stream) -> bool:
    mixable = 0 < stream.channels <= MOST_CHANNELS and stream.sample_rate > 0
    return stream.codec_type == "audio" and stream.codec_name in AUDIO_DECODERS and mixable


def _audio_loss(streams: Sequence[Stream], playable: Sequence[Stream], encrypted: Collection[int]) -> AudioLoss | None:
    """Return why the track that players choose is not `playable`; None where it is, or where there is none."""
    chosen = _best([stream for stream in streams if stream.codec_type == "audio"])
    if chosen is None or chosen in playable:
        return None
    if playable:
        return AudioLoss.SOME_TRACKS
    if chosen.index in encrypted:
        return AudioLoss.ENCRYPTED
    if chosen.codec_name not in AUDIO_DECODERS:
        return AudioLoss.NO_DECODER
    return AudioLoss.TOO_MANY_CHANNELS if chosen.channels > MOST_CHANNELS else AudioLoss.DAMAGED


def _video_track(stream: Stream) -> VideoTrack:
    if 0 in (stream.width, stream.height):
        raise BrokenFile("the video has no size: the file is cut off or damaged")
    width, height = _displayed_size(stream)
    frame_rate = ratio(stream.avg_frame_rate)
    return VideoTrack(
        index=stream.index,
        codec=stream.codec_name,
        width=width,
        height=height,
        coded_width=stream.width,
        coded_height=stream.height,
        frame_rate=frame_rate,
        base_rate=ratio(stream.r_frame_rate),
        reordering=stream.has_b_frames / (frame_rate or math.inf),
        assumed_matrix=_assumed_matrix(stream),
        hdr=stream.color_transfer if stream.color_transfer in HDR else None,
        interlaced=stream.field_order in {"tt", "bb", "tb", "bt"},
        pixel_aspect=ratio(stream.sample_aspect_ratio, ":"),
    )


def _audio_track(stream: Stream) -> AudioTrack:
    return AudioTrack(
        index=stream.index,
        channels=stream.channels,
        layout=stream.channel_layout,
        codec=stream.codec_name,
        language=stream.tags.get("language", ""),
        rate=stream.sample_rate,
    )


def _mixed(audio: Stream | None, tracks: Sequence[AudioTrack]) -> tuple[int, ...]:
    """Return the mono tracks beside a mono one of the same kind: cameras write a track for each microphone."""
    if audio is None:
        return ()
    main = _audio_track(audio)
    if main.channels != 1:
        return ()
    alike = [track.index for track in tracks if replace(track, index=main.index) == main]
    return tuple(index for index in alike if index != main.index)[:_MOST_MIXED]


def _best(streams: Sequence[Stream]) -> Stream | None:
    return max(streams, key=lambda stream: (stream.disposition.default, stream.width * stream.height), default=None)


def _summary(streams: Sequence[Stream]) -> str:
    kinds = [f"{stream.codec_type or 'unknown'} ({stream.codec_name or 'unknown'})" for stream in streams]
    return ", ".join(kinds[:8]) or "nothing"


def _displayed_size(video: Stream) -> tuple[int, int]:
    """Apply crop, pixel aspect and rotation to the coded size, in pixels."""
    width, height = video.width, video.height
    for data in video.side_data_list:
        # The container's crop (`clap`, PixelCrop), which ffmpeg applies, but ffprobe only states.
        across, down = data.crop_left + data.crop_right, data.crop_top + data.crop_bottom
        if across < width and down < height:
            width, height = width - across, height - down
    aspect = ratio(video.sample_aspect_ratio, ":")
    if 1 / SANE_ASPECT <= aspect <= SANE_ASPECT:
        # Enlarging one side keeps every pixel of the other.
        width, height = (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))
    quarter_turns = round(sum(data.rotation or 0.0 for data in video.side_data_list) / 90)
    return (height, width) if quarter_turns % 2 else (width, height)


def _assumed_matrix(video: Stream) -> str | None:
    if video.color_space not in {"unknown", "unspecified", "reserved"} or not video.pix_fmt.startswith("yuv"):
        return None
    return "bt709" if min(video.width, video.height) >= _HD_HEIGHT else "smpte170m"


def _start(played: Sequence[Stream], otherwise: float) -> float:
    return min((stream.start_time for stream in played if stream.start_time is not None), default=otherwise)


def _until_end(stream: Stream, origin: float) -> float:
    duration = stream.duration or 0.0
    return (stream.start_time or 0.0) + duration - origin if duration > 0 else 0.0
