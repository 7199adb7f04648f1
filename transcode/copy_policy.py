"""Decide whether a file's own video, and its audio, can be stream copied into a rendition: pure.

A stream copy is playable at once, but it has to be as reliable as an encoded rendition: browsers decode it, players may
seek to each segment, it is upright, both tracks start at 0 and end together. Whatever is uncertain is encoded instead.
What only the copy itself can show is verified afterwards by `checks`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from transcode.mp4.init_segment import AAC_FRAME, AUDIO_RATE
from transcode.mp4.moov import StoredTrack
from transcode.plan import HIGHEST_RATE, Plan, Rung
from transcode.source.ffprobe import Description, Stream
from transcode.source.probe import HDR, Probe, VideoTrack

_PROFILES = frozenset({"Constrained Baseline", "Main", "High"})
_HIGHEST_LEVEL = 52
_NAL_LENGTH_BYTES = 4
_PIXELS = frozenset({"yuv420p", "yuvj420p"})
_SQUARE = frozenset({"", "1:1", "0:1", "N/A"})
# Bits per second. A viewer on an ordinary line must keep up with it.
_HIGHEST_BITS = 30_000_000
# Seconds of audio before the first frame that may be dropped; more would be missed.
_LONGEST_LEAD = 0.25
_SAME_TIME = 0.0005
_SAME_RATE = 1.004
_SOME_FRAMES = 2


@dataclass(frozen=True, slots=True)
class StreamCopy:
    """How to stream copy a file. Times are in seconds."""

    rung: Rung
    """Name and size of the rendition."""
    start: float
    """From the origin of the file to its first frame, where the copy starts."""
    duration: float
    """From there to the end of the video."""
    audio_offset: float
    """Start of the audio, if any, relative to the first frame."""
    copies_audio: bool
    """Whether the audio has the format of all encoded renditions, so that ffmpeg may copy its packets, too."""


def stream_copy_of(
    description: Description, tracks: Sequence[StoredTrack], probe: Probe, plan: Plan
) -> StreamCopy | None:
    """Decide from ffprobe's description and from the tracks in the MP4's index. None: encode it."""
    streams = {stream.index: stream for stream in description.streams}
    video = streams[probe.video.index]
    start = (video.start_time or 0.0) - probe.start
    duration = probe.duration - start
    if not (_is_common(video) and _is_simple(tracks, probe.video) and _fits(probe.video, plan)):
        return None
    if not 0 <= start <= _LONGEST_LEAD or duration <= 0:
        return None
    if abs((duration if video.duration is None else video.duration) - duration) > _SOME_FRAMES / probe.video.frame_rate:
        # The audio goes on long after the video: the last frame must be repeated.
        return None
    if description.format.size * 8 > _HIGHEST_BITS * duration:
        return None
    audio = None if probe.audio.index is None else streams.get(probe.audio.index)
    audio_offset = (audio.start_time or 0.0) - (video.start_time or 0.0) if audio else 0.0
    copies_audio = (
        audio is not None
        and not probe.audio.mixed
        and abs(audio_offset) < _SAME_TIME
        and _has_our_format(audio, video)
        and _has_even_packets(tracks, probe.audio.index)
    )
    return StreamCopy(plan.ladder[0], start, duration, audio_offset, copies_audio)


def _is_common(video: Stream) -> bool:
    """Return whether it is H.264 that every browser plays: progressive, square pixels, displayed as it is coded."""
    return (
        (video.codec_name, video.codec_tag_string) == ("h264", "avc1")
        and video.nal_length_size == _NAL_LENGTH_BYTES
        and video.profile in _PROFILES
        and 0 < video.level <= _HIGHEST_LEVEL
        and video.pix_fmt in _PIXELS
        and video.field_order == "progressive"
        and video.sample_aspect_ratio in _SQUARE
        # Rotation, mirroring, cropping, stereo views: not every player applies them, nor at every discontinuity.
        and not video.side_data_list
        and video.color_transfer not in HDR
    )


def _is_simple(tracks: Sequence[StoredTrack], video: VideoTrack) -> bool:
    if video.index >= len(tracks):
        return False
    track = tracks[video.index]
    return track.kind == "vide" and track.plain and track.descriptions == 1


def _fits(video: VideoTrack, plan: Plan) -> bool:
    largest = plan.ladder[0]
    return (video.width, video.height) == (video.coded_width, video.coded_height) == (
        largest.width,
        largest.height,
    ) and 0 < video.frame_rate <= HIGHEST_RATE * _SAME_RATE


def _has_our_format(audio: Stream, video: Stream) -> bool:
    """Return whether the audio has the one format of all encoded renditions, and lasts as long as the video."""
    kind = audio.codec_name, audio.profile, audio.sample_rate, audio.channels, audio.channel_layout
    # Shorter audio needs silence at its end.
    end = float("inf") if video.duration is None else video.duration
    return kind == ("aac", "LC", AUDIO_RATE, 2, "stereo") and (audio.duration or 0.0) > end - AAC_FRAME / AUDIO_RATE


def _has_even_packets(tracks: Sequence[StoredTrack], index: int | None) -> bool:
    """Return whether a packet starts at the origin, and each one where the one before it ends."""
    if index is None or index >= len(tracks):
        return False
    track = tracks[index]
    durations = [ticks for _, ticks in track.durations]
    last = track.durations[1:2]
    return (
        (track.kind, track.timescale, track.descriptions, track.plain) == ("soun", AUDIO_RATE, 1, True)
        and track.media_time % AAC_FRAME == 0
        and durations[:1] == [AAC_FRAME]
        and len(durations) <= 2
        and all(count == 1 for count, _ in last)
    )
