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
class Probe:
    """One video file. Sizes are pixels, times are seconds, rates are frames per second (0: not known)."""

    duration: float
    """From the earliest time stamp of any stream to the end of the video, or of longer audio. 0: not known."""
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
    """Earliest time stamp of what is played: the origin of all renditions."""
    assumed_matrix: str | None
    """Colour matrix customary for this size, where the file states none: else players guess anew for each rung."""
    interlaced: bool
    hdr: str | None = None
    """Transfer characteristics of high dynamic range, as ffmpeg calls them; None for standard dynamic range."""
    size: float = 0.0
    """Bytes of the file."""
    delay: float = 0.0
    """Seconds to subtract from presentation time stamps: reordering delays frames, and no edit list corrects it."""
    reordering: float = 0.0
    """Seconds that the decoder holds frames back to put them in order."""
    peak_rate: float = 0.0
    """In the busiest second."""
    audio_tracks: tuple[AudioTrack, ...] = ()
    """All that can be decoded, `audio_index` among them."""
    mixed: tuple[int, ...] = ()
    """Audio tracks that are mixed with `audio_index`: channels that a recorder wrote one by one."""
    audio_left_out: AudioLoss | None = None
    """What of its audio is missing in the renditions, as far as is known."""
    pixel_aspect: float = 0.0
    """Width by height of a pixel, which ffmpeg assumes for all frames. 0: not known."""
    pixel_aspects: tuple[tuple[float, float], ...] = ()
    """(second, pixel aspect from there on), where it changes within the file."""

    @property
    def has_audio(self) -> bool:
        """Whether there is an audio track that can be decoded."""
        return self.audio_index is not None

    @property
    def audio_indexes(self) -> tuple[int, ...]:
        """The audio tracks that are decoded."""
        return () if self.audio_index is None else (self.audio_index, *self.mixed)

    def without_audio(self, why: AudioLoss) -> "Probe":
        """Return the same, of the same duration, with silence."""
        return replace(self, audio_index=None, mixed=(), audio_left_out=why)

    def may_change_audio(self, demuxer: str) -> bool:
        """Return whether the audio format may change within the file: each frame states its own."""
        codecs = {self.audio_track(index).codec for index in self.audio_indexes}
        fixed = FIXED_AUDIO | ({"aac"} if demuxer == "mov" else set())
        return any((codec not in fixed or demuxer == "ogg") and not codec.startswith("pcm_") for codec in codecs)

    def with_times(self, times: Sequence[float]) -> "Probe":
        """Return it with the rates that follow from the ascending time stamps of its frames.

        ffmpeg may take the time base of a container, or the field rate, for the rate that hits every time stamp.
        """
        close = close_rate(times)
        base = close if 0 < close < self.base_rate * _CLEARLY_SLOWER else self.base_rate
        return replace(self, peak_rate=peak_rate(times), base_rate=base)

    def audio_track(self, index: int) -> AudioTrack:
        """Return what is known of an audio track; stereo where that is nothing."""
        return next((track for track in self.audio_tracks if track.index == index), AudioTrack(index, 2, "stereo"))


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
    if 0 in (video.width, video.height):
        raise BrokenFile("the video has no size: the file is cut off or damaged")
    width, height = _displayed_size(video)
    start = _start([video, audio] if audio else [video], description.format.start_time or 0.0)
    delay = (video.start_time or 0.0) - start if aligned else 0.0
    frame_rate = ratio(video.avg_frame_rate)
    return Probe(
        duration=total_duration(_until_end(video, start + delay), _until_end(audio, start) if audio else 0.0),
        width=width,
        height=height,
        coded_width=video.width,
        coded_height=video.height,
        frame_rate=frame_rate,
        base_rate=ratio(video.r_frame_rate),
        video_codec=video.codec_name,
        video_index=video.index,
        audio_index=audio.index if audio else None,
        start=start,
        assumed_matrix=_assumed_matrix(video),
        interlaced=video.field_order in {"tt", "bb", "tb", "bt"},
        hdr=video.color_transfer if video.color_transfer in HDR else None,
        size=description.format.size,
        delay=max(0.0, delay),
        reordering=video.has_b_frames / (frame_rate or math.inf),
        audio_tracks=tracks,
        mixed=_mixed(audio, tracks),
        audio_left_out=_audio_loss(streams, playable, encrypted),
        pixel_aspect=ratio(video.sample_aspect_ratio, ":"),
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
