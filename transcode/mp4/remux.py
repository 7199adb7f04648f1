"""Remux an MP4 into media segments without touching its samples: where to cut, and the boxes around them. Pure.

The result is what ffmpeg makes of the same file with `-c copy`; but no process has to start for it, and the samples
need not be read into memory. ISO 14496-12, 8.8.

AAC audio keeps its own rate and channels, for encoding it would take many times as long as all the rest. It is moved to
start with a whole packet, by half of one (16 ms) at most, which nobody notices (ITU-R BT.1359).
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from transcode.mp4.boxes import box, boxes, child
from transcode.mp4.columns import packed, unpacked
from transcode.mp4.init_segment import (
    AAC_FRAME,
    AUDIO_RATE,
    AUDIO_TRACK,
    CLOCK,
    VIDEO_TRACK,
    Aac,
    aac_of,
    init_segment,
)
from transcode.mp4.moov import StoredTrack, tracks_of
from transcode.mp4.samples import Samples, samples_of

_MDAT = struct.Struct(">I4s")
_DEFAULT_BASE_IS_MOOF, _DEFAULT_DURATION, _DEFAULT_FLAGS = 0x20000, 0x8, 0x20
_DATA_OFFSET, _DURATION, _SIZE, _FLAGS, _COMPOSITION_OFFSET = 0x1, 0x100, 0x200, 0x400, 0x800
_SIGNED_OFFSETS = 1 << 24
# Depends on no other sample; or does, and is no sync sample (ISO 14496-12, 8.8.3.1).
_SYNC, _NOT_SYNC = 0x0200_0000, 0x0101_0000
# A silent packet of AAC-LC, by the number of channels (ISO 14496-3, 4.4.2.1), as FFmpeg's encoder writes it.
_SILENCE = {1: bytes.fromhex("01182007"), 2: bytes.fromhex("211004608c1c")}


Piece = range | bytes
"""Consecutive samples: their byte range in the file, or the bytes themselves."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What to take of a file. Times are in seconds."""

    video_index: int
    audio_index: int | None
    """None: add silent audio."""
    width: int
    """In pixels, which the initialization segment declares."""
    height: int
    duration: float
    """Expected duration of the video."""
    audio_offset: float
    """Start of the audio relative to the first frame."""
    shortest_segment: int
    """Least duration of a segment but the last, in ticks of CLOCK."""


@dataclass(frozen=True, slots=True)
class MediaSegment:
    """A media segment: `moof` box, then the samples of video and audio."""

    moof: bytes
    video: tuple[range, ...]
    """Byte ranges of the file, in decode order."""
    audio: tuple[Piece, ...]
    sync_samples: tuple[int, ...] = ()
    """Byte offset of each key frame in the file."""

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All samples, in order."""
        return *self.video, *self.audio

    @property
    def head(self) -> bytes:
        """The bytes before the samples."""
        return self.moof + _MDAT.pack(_MDAT.size + sum(map(len, self.pieces)), b"mdat")


@dataclass(frozen=True, slots=True)
class Remux:
    """A remuxed file: initialization segment and media segments."""

    init: bytes
    segments: tuple[MediaSegment, ...]
    audio_rate: int
    """Audio samples per second."""
    av_offset: float
    """Largest A/V offset of a segment, in seconds, that ffmpeg's cut of audio at AUDIO_RATE would produce."""


def remux(moov: bytes, selection: Selection, file_size: int) -> Remux:
    """Remux one video track, and one audio track or silence, by the content of the file's `moov` box.

    Raises ValueError for an index that is inconsistent, or has something that this library does not support.
    """
    bodies = [body for kind, body in boxes(moov) if kind == b"trak"]
    tracks = tracks_of(moov)
    video_index, audio_index = selection.video_index, selection.audio_index
    if max(video_index, audio_index or 0) >= len(bodies):
        raise ValueError("a track is missing")
    media = child(bodies[video_index], b"mdia")
    video = _Video.of(samples_of(media, file_size), tracks[video_index], selection.shortest_segment)
    if abs(video.end - selection.duration * CLOCK) > video.end / len(video.decode_times):
        raise ValueError("an edit list or the like ends the video early")
    if audio_index is None:
        audio = _Audio.silent(video.end)
    else:
        audio = _Audio.of(bodies[audio_index], tracks[audio_index], selection.audio_offset, video.end, file_size)
    try:
        init = init_segment(child(media, b"minf", b"stbl", b"stsd"), audio.aac, selection.width, selection.height)
        return Remux(init, tuple(_segments(video, audio)), audio.aac.rate, video.av_offset)
    except struct.error as error:
        raise ValueError(f"a figure is too large: {error}") from error


@dataclass(frozen=True, slots=True)
class _Video:
    """The video samples with their time stamps in ticks of CLOCK, from the first one on."""

    samples: Samples
    decode_times: Sequence[int]
    durations: Sequence[int]
    composition_offsets: Sequence[int]
    end: int
    """Presentation time of the end."""
    delay: int
    """From decode to presentation time of the first sample in the file; here both are 0."""
    shortest_segment: int

    @classmethod
    def of(cls, samples: Samples, track: StoredTrack, shortest_segment: int) -> "_Video":
        offsets = samples.composition_offsets
        presentation = [time + offset for time, offset in zip(samples.decode_times[:-1], offsets, strict=True)]
        first, scale = presentation[0], track.timescale
        if not samples.is_sync(0) or min(presentation) != first or track.media_time > first or not scale:
            raise ValueError("the first sample is not the first to be presented")

        def ticks(time: int) -> int:
            # To the nearest; from the middle, away from zero.
            half = (2 * abs(time) * CLOCK + scale) // (2 * scale)
            return half if time >= 0 else -half

        lead = first + max(0, -min(offsets))
        shifted = [ticks(time - lead) for time in samples.decode_times]
        decode_times = [time - shifted[0] for time in shifted]
        durations = [after - before for before, after in pairwise(decode_times[:-1])]
        last = samples.decode_times[-1] - samples.decode_times[-2]
        durations.append(ticks(last))
        composition = [ticks(time - first) - decode for time, decode in zip(presentation, decode_times, strict=False)]
        end = ticks(max(presentation) + last - first)
        return cls(samples, decode_times[:-1], durations, composition, end, -shifted[0], shortest_segment)

    @property
    def av_offset(self) -> float:
        """Largest offset, in seconds, from the first audio packet at AUDIO_RATE to the first frame of a segment."""
        times = [self.decode_times[number] for number in self.segment_starts()]
        packets = [_packets_before(time - self.delay, AUDIO_RATE) for time in times]
        return max(time / CLOCK - packet * AAC_FRAME / AUDIO_RATE for time, packet in zip(times, packets, strict=True))

    def segment_starts(self) -> Iterator[int]:
        """Yield the index of each sync sample that starts a segment."""
        start = 0
        yield 0
        syncs = self.samples.sync_samples
        for number in sorted(syncs) if syncs is not None else range(len(self.decode_times)):
            if self.decode_times[number] - start >= self.shortest_segment:
                start = self.decode_times[number]
                yield number

    def traf(self, first: int, end: int, data_offset: int) -> bytes:
        """Make the `traf` box of a range of samples, whose bytes start `data_offset` bytes after that of the `moof`."""
        flags = (_SYNC if self.samples.is_sync(number) else _NOT_SYNC for number in range(first, end))
        # Signed ones in a table of unsigned ones.
        offsets = unpacked(packed(self.composition_offsets[first:end], "i"), "I", end - first)
        columns = self.durations[first:end], self.samples.sizes[first:end], flags, offsets
        rows = packed(chain.from_iterable(zip(*columns, strict=True)))
        fields = _SIGNED_OFFSETS | _DATA_OFFSET | _DURATION | _SIZE | _FLAGS | _COMPOSITION_OFFSET
        header = struct.pack(">II", _DEFAULT_BASE_IS_MOOF, VIDEO_TRACK)
        return _traf(header, self.decode_times[first], struct.pack(">IIi", fields, end - first, data_offset) + rows)


@dataclass(frozen=True, slots=True)
class _Audio:
    """Audio packets of AAC_FRAME samples, as long as the video: the file's, with silent ones before and after them."""

    aac: Aac
    samples: Samples
    skipped: int
    """Packets of the file to drop at the start; below 0: silent packets to add there."""
    count: int
    tail: int = AAC_FRAME
    """Samples of the file's last packet, which may be shorter."""

    @classmethod
    def silent(cls, end: int) -> "_Audio":
        """Make silence until `end`, in ticks of CLOCK."""
        aac = Aac()
        return cls(aac, _NO_SAMPLES, 0, _packets_before(end, aac.rate))

    @classmethod
    def of(cls, trak: bytes, track: StoredTrack, offset: float, end: int, file_size: int) -> "_Audio":
        """Take the packets of a track that starts `offset` seconds after the first frame, until `end`."""
        media = child(trak, b"mdia")
        aac = aac_of(child(media, b"minf", b"stbl", b"stsd"))
        samples = samples_of(media, file_size)
        if track.kind != "soun" or not track.plain or not track.timescale:
            raise ValueError("the audio track has several edits, or is none")
        # In ticks of both time bases, so that nothing is rounded. Phones write when they got each packet.
        packet = AAC_FRAME * track.timescale
        times = samples.decode_times
        if any(abs(time * aac.rate - number * packet) >= packet for number, time in enumerate(times)):
            raise ValueError("the audio packets are not evenly spread")
        skipped = round((track.media_time / track.timescale - offset) * aac.rate / AAC_FRAME)
        tail = (times[-1] - times[-2]) * aac.rate // track.timescale
        return cls(aac, samples, skipped, _packets_before(end, aac.rate), min(max(tail, 1), AAC_FRAME))

    def sizes(self, first: int, end: int) -> list[int]:
        """Return the bytes of each packet from `first` up to `end`."""
        before, stored, after = self._split(first, end)
        silent = len(_SILENCE[self.aac.channels])
        return [silent] * before + list(self.samples.sizes[stored.start : stored.stop]) + [silent] * after

    def pieces(self, first: int, end: int) -> list[Piece]:
        """Return the packets from `first` up to `end`."""
        before, stored, after = self._split(first, end)
        silence = _SILENCE[self.aac.channels]
        found: list[Piece] = [silence * before, *self.samples.byte_ranges(stored.start, stored.stop), silence * after]
        return [piece for piece in found if piece]

    def _split(self, first: int, end: int) -> tuple[int, range, int]:
        """Divide a range of packets: number of silent ones, those of the file, number of silent ones after them."""
        first, end, there = first + self.skipped, end + self.skipped, len(self.samples.sizes)
        stored = range(max(0, min(first, there)), max(0, min(end, there)))
        before = max(0, min(0, end) - first)
        return before, stored, end - first - before - len(stored)

    def before(self, time: int) -> int:
        """Count the packets that start before a time stamp, in ticks of CLOCK."""
        return min(self.count, _packets_before(time, self.aac.rate))

    def traf(self, first: int, end: int, data_offset: int) -> bytes:
        """Make the `traf` box of a range of packets, as `_Video.traf` does."""
        sizes, last = self.sizes(first, end), self.tail
        odd = end == self.count == len(self.samples.sizes) - self.skipped and last != AAC_FRAME
        fields = _DATA_OFFSET | _SIZE | (_DURATION if odd else 0)
        cells = [*chain.from_iterable((AAC_FRAME, size) for size in sizes[:-1]), last, sizes[-1]] if odd else sizes
        header = struct.pack(
            ">IIII", _DEFAULT_BASE_IS_MOOF | _DEFAULT_DURATION | _DEFAULT_FLAGS, AUDIO_TRACK, AAC_FRAME, _SYNC
        )
        run = struct.pack(">IIi", fields, end - first, data_offset) + packed(cells)
        return _traf(header, first * AAC_FRAME, run)


_NO_SAMPLES = Samples((0,), (), (), (), None)


def _packets_before(time: int, rate: int) -> int:
    """Count the packets of AAC_FRAME samples that start before a time stamp in ticks of CLOCK; the first one at 0."""
    return max(0, -(-time * rate // (CLOCK * AAC_FRAME)))


def _segments(video: _Video, audio: _Audio) -> Iterator[MediaSegment]:
    start = 0
    for number, (first, end) in enumerate(pairwise([*video.segment_starts(), len(video.decode_times)]), 1):
        # Cut as ffmpeg does, which goes by decode time: the renditions beside this one must be cut alike.
        whole = end == len(video.decode_times)
        until = audio.count if whole else audio.before(video.decode_times[end] - video.delay)
        if until <= start:
            raise ValueError("a segment has no audio")
        yield _segment(number, video, range(first, end), audio, range(start, until))
        start = until


def _segment(number: int, video: _Video, frames: range, audio: _Audio, packets: range) -> MediaSegment:
    ranges = video.samples.byte_ranges(frames.start, frames.stop)
    pieces = audio.pieces(packets.start, packets.stop)
    sequence = box(b"mfhd", struct.pack(">II", 0, number))

    def moof(data_offset: int) -> bytes:
        after = data_offset + sum(map(len, ranges))
        return box(
            b"moof",
            sequence,
            video.traf(frames.start, frames.stop, data_offset),
            audio.traf(packets.start, packets.stop, after),
        )

    syncs = tuple(video.samples.offsets[each] for each in frames if video.samples.is_sync(each))
    return MediaSegment(moof(len(moof(0)) + _MDAT.size), tuple(ranges), tuple(pieces), syncs)


def _traf(header: bytes, decode_time: int, run: bytes) -> bytes:
    tfdt = box(b"tfdt", struct.pack(">IQ", 1 << 24, decode_time))
    return box(b"traf", box(b"tfhd", header), tfdt, box(b"trun", run))
