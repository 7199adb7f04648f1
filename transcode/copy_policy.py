"""Decides whether a file's own pictures, and its sound, may be passed on as they are: pure.

A copy is playable at once, but it has to keep every promise that our own renditions make: browsers play it, players
may jump to each segment, it stands upright, both tracks begin at 0 and end together. What is not sure of that is
encoded. What only the copy itself can show is checked afterwards by `copied`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transcode.mp4.init_segment import AUDIO_RATE
from transcode.mp4.moov import StoredTrack
from transcode.plan import HIGHEST_RATE, Plan, Rung
from transcode.source.probe import HDR, Probe

AAC_FRAME = 1024
"""Sound samples in one packet of AAC-LC."""

_PROFILES = frozenset({"Constrained Baseline", "Main", "High"})
_HIGHEST_LEVEL = 52
_PIXELS = frozenset({"yuv420p", "yuvj420p"})
_SQUARE = frozenset({None, "1:1", "0:1", "N/A"})
# A viewer on an ordinary line must keep up with it.
_HIGHEST_BITS = 30_000_000
# How much of the sound before the first picture may be dropped, in seconds; more would be missed.
_LONGEST_LEAD = 0.25
_SAME_INSTANT = 0.0005
_SAME_RATE = 1.004
_SOME_FRAMES = 2


@dataclass(frozen=True, slots=True)
class Copying:
    """How to copy a file."""

    rung: Rung
    """What the copy is called, and its size."""
    lead: float
    """Seconds from the first instant of the file to its first picture, where the copy begins."""
    duration: float
    """Seconds from there to the end of the pictures."""
    heard: float
    """Seconds from the first picture to the first of the sound, if there is any; below 0: from the sound."""
    sound: bool
    """Whether the sound has the form of all our renditions, so that ffmpeg may copy it packet by packet."""


def copying(described: str | bytes, tracks: Sequence[StoredTrack], probe: Probe, plan: Plan) -> Copying | None:
    """Decide from ffprobe's JSON and from the tracks of the MP4 that `probe` and `plan` tell of. None: encode it."""
    data = json.loads(described)
    streams = {stream.get("index"): stream for stream in data["streams"]}
    video = streams[probe.video_index]
    lead = _number(video, "start_time") - probe.start
    duration = probe.duration - lead
    if not (_is_common(video) and _is_plain(tracks, probe) and _fits(probe, plan)):
        return None
    if not 0 <= lead <= _LONGEST_LEAD or duration <= 0:
        return None
    if abs(_number(video, "duration", duration) - duration) > _SOME_FRAMES / probe.frame_rate:
        # Sound goes on long after the pictures: the last one must be held.
        return None
    if _number(data.get("format", {}), "size") * 8 > _HIGHEST_BITS * duration:
        return None
    audio = streams.get(probe.audio_index)
    heard = _number(audio, "start_time") - _number(video, "start_time") if audio is not None else 0.0
    alone = audio is not None and not probe.mixed and abs(heard) < _SAME_INSTANT
    sound = alone and _is_ours(audio or {}, video) and _is_even(tracks, probe)
    return Copying(plan.ladder[0], lead, duration, heard, sound)


def _is_common(video: Mapping[str, Any]) -> bool:
    """Whether it is H.264 as every browser plays it, progressive, with square pixels, to be shown as it is stored."""
    return (
        (video.get("codec_name"), video.get("codec_tag_string")) == ("h264", "avc1")
        and video.get("nal_length_size") == "4"
        and video.get("profile") in _PROFILES
        and 0 < _number(video, "level") <= _HIGHEST_LEVEL
        and video.get("pix_fmt") in _PIXELS
        and video.get("field_order") == "progressive"
        and video.get("sample_aspect_ratio") in _SQUARE
        # Rotation, mirroring, cropping, stereo views: not every player heeds them, and not at every seam of a list.
        and not video.get("side_data_list")
        and video.get("color_transfer") not in HDR
    )


def _is_plain(tracks: Sequence[StoredTrack], probe: Probe) -> bool:
    if probe.video_index >= len(tracks):
        return False
    track = tracks[probe.video_index]
    return track.kind == "vide" and track.plain and track.descriptions == 1


def _fits(probe: Probe, plan: Plan) -> bool:
    largest = plan.ladder[0]
    return (probe.width, probe.height) == (probe.coded_width, probe.coded_height) == (
        largest.width,
        largest.height,
    ) and 0 < probe.frame_rate <= HIGHEST_RATE * _SAME_RATE


def _is_ours(audio: Mapping[str, Any], video: Mapping[str, Any]) -> bool:
    """Whether the sound is of the one kind that all our renditions have, and lasts as long as the pictures."""
    kind = tuple(str(audio.get(key)) for key in ("codec_name", "profile", "sample_rate", "channels", "channel_layout"))
    # Shorter sound needs silence at its end.
    enough = _number(audio, "duration") > _number(video, "duration", float("inf")) - AAC_FRAME / AUDIO_RATE
    return kind == ("aac", "LC", str(AUDIO_RATE), "2", "stereo") and enough


def _is_even(tracks: Sequence[StoredTrack], probe: Probe) -> bool:
    """Whether a packet begins at the very start, and each where the one before it ends."""
    if probe.audio_index is None or probe.audio_index >= len(tracks):
        return False
    track = tracks[probe.audio_index]
    lengths = [ticks for _, ticks in track.lengths]
    last = track.lengths[1:2]
    return (
        (track.kind, track.timescale, track.descriptions, track.plain) == ("soun", AUDIO_RATE, 1, True)
        and track.skipped % AAC_FRAME == 0
        and lengths[:1] == [AAC_FRAME]
        and len(lengths) <= 2
        and all(count == 1 for count, _ in last)
    )


def _number(data: Mapping[str, Any], key: str, otherwise: float = 0.0) -> float:
    try:
        return float(data.get(key, otherwise))
    except (TypeError, ValueError):
        return otherwise
