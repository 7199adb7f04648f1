"""Cuts an MP4 into media segments without touching its samples: where each begins, and the boxes around it. Pure.

It comes to what ffmpeg makes with `command.copy` of the same file; but no process has to start for it, and the samples
need not pass through us (`segments.write`). ISO 14496-12, 8.8.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from transcode.copying import AAC_FRAME, Copying
from transcode.init_segment import AUDIO_TRACK, VIDEO_TRACK, init_segment
from transcode.moov import StoredTrack, tracks_of
from transcode.mp4 import box, boxes, child
from transcode.plan import AUDIO_RATE, CLOCK, SHORTEST_COPIED
from transcode.samples import Samples, samples_of

_MDAT = struct.Struct(">I4s")
_DEFAULT_BASE_IS_MOOF, _DEFAULT_LENGTH, _DEFAULT_FLAGS = 0x20000, 0x8, 0x20
_DATA_OFFSET, _LENGTH, _SIZE, _FLAGS, _SHIFT = 0x1, 0x100, 0x200, 0x400, 0x800
_SIGNED_SHIFTS = 1 << 24
# Depends on no other sample; or does, and is no key frame (ISO 14496-12, 8.8.3.1).
_KEY, _OTHER = 0x0200_0000, 0x0101_0000


@dataclass(frozen=True, slots=True)
class Part:
    """A media segment: boxes of ours, then the samples."""

    moof: bytes
    pieces: tuple[range, ...]
    """Where the samples lie in the file, in order; the first one is a picture's."""

    @property
    def head(self) -> bytes:
        """What stands before the samples."""
        return self.moof + _MDAT.pack(_MDAT.size + sum(map(len, self.pieces)), b"mdat")


@dataclass(frozen=True, slots=True)
class Remuxed:
    """All that a copy consists of."""

    init: bytes
    parts: tuple[Part, ...]


def remuxed(moov: bytes, video_index: int, audio_index: int, copying: Copying, file_size: int) -> Remuxed:
    """Copy two tracks of a file, by the content of its `moov` box, as `copying` has decided.

    Raises ValueError where the index is wrong, or has something that only ffmpeg knows how to handle.
    """
    bodies = [body for kind, body in boxes(moov) if kind == b"trak"]
    tracks = tracks_of(moov)
    if max(video_index, audio_index) >= len(bodies):
        raise ValueError("a track is missing")
    media = [child(bodies[index], b"mdia") for index in (video_index, audio_index)]
    seen, heard = (child(each, b"minf", b"stbl", b"stsd") for each in media)
    pictures = _Pictures.of(samples_of(media[0], file_size), tracks[video_index])
    sound = _Sound.of(samples_of(media[1], file_size), tracks[audio_index], copying.duration)
    if abs(pictures.end - copying.duration * CLOCK) > pictures.end / len(pictures.begins):
        raise ValueError("an edit list or the like ends the pictures before their time")
    try:
        return Remuxed(
            init_segment(seen, heard, copying.rung.width, copying.rung.height), tuple(_parts(pictures, sound))
        )
    except struct.error as error:
        raise ValueError(f"a figure is too large: {error}") from error


@dataclass(frozen=True, slots=True)
class _Pictures:
    """Samples in ticks of CLOCK, from the first one on."""

    samples: Samples
    begins: Sequence[int]
    """When each one is decoded."""
    lengths: Sequence[int]
    shifts: Sequence[int]
    end: int
    delay: int
    """How long the first one is decoded before it is shown; ours is moved to be decoded when it is shown."""

    @classmethod
    def of(cls, samples: Samples, track: StoredTrack) -> "_Pictures":
        shown = [begin + shift for begin, shift in zip(samples.begins[:-1], samples.shifts, strict=True)]
        first, scale = shown[0], track.timescale
        if not samples.is_key(0) or min(shown) != first or track.skipped > first or not scale:
            raise ValueError("what is shown first is not the first picture")

        def ticks(time: int) -> int:
            # To the nearest; from the middle, away from zero.
            half = (2 * abs(time) * CLOCK + scale) // (2 * scale)
            return half if time >= 0 else -half

        lead = first + max(0, -min(samples.shifts))
        decoded = [ticks(begin - lead) for begin in samples.begins]
        begins = [time - decoded[0] for time in decoded]
        lengths = [after - before for before, after in pairwise(begins[:-1])]
        last = samples.begins[-1] - samples.begins[-2]
        lengths.append(ticks(last))
        shifts = [ticks(time - first) - begin for time, begin in zip(shown, begins, strict=False)]
        return cls(samples, begins[:-1], lengths, shifts, ticks(max(shown) + last - first), -decoded[0])

    def cuts(self) -> Iterator[int]:
        """Give the numbers of the samples that begin a segment."""
        begin = 0
        yield 0
        for number in sorted(self.samples.keys) if self.samples.keys is not None else range(len(self.begins)):
            if self.begins[number] - begin >= SHORTEST_COPIED:
                begin = self.begins[number]
                yield number

    def run(self, first: int, end: int, offset: int) -> bytes:
        """Make the box of some of them, whose bytes begin `offset` bytes after the begin of the `moof`."""
        flags = (_KEY if self.samples.is_key(number) else _OTHER for number in range(first, end))
        columns = self.lengths[first:end], self.samples.sizes[first:end], flags, self.shifts[first:end]
        rows = struct.pack(">" + "IIIi" * (end - first), *chain.from_iterable(zip(*columns, strict=True)))
        given = _SIGNED_SHIFTS | _DATA_OFFSET | _LENGTH | _SIZE | _FLAGS | _SHIFT
        header = struct.pack(">II", _DEFAULT_BASE_IS_MOOF, VIDEO_TRACK)
        return _traf(header, self.begins[first], struct.pack(">IIi", given, end - first, offset) + rows)


@dataclass(frozen=True, slots=True)
class _Sound:
    """Packets of AAC_FRAME each, from the one that is heard first on; the last may be shorter."""

    samples: Samples
    skipped: int
    count: int
    last: int
    """Ticks of AUDIO_RATE of the last one."""

    @classmethod
    def of(cls, samples: Samples, track: StoredTrack, duration: float) -> "_Sound":
        skipped = track.skipped // AAC_FRAME
        there = len(samples.sizes) - skipped
        count = min(there, -(-round(duration * AUDIO_RATE) // AAC_FRAME))
        if count < 1:
            raise ValueError("there is no sound")
        end = skipped + count
        return cls(samples, skipped, count, samples.begins[end] - samples.begins[end - 1])

    def before(self, instant: int) -> int:
        """Count the packets that begin before an instant, in ticks of CLOCK."""
        return min(self.count, max(0, -(-instant * AUDIO_RATE // (CLOCK * AAC_FRAME))))

    def run(self, first: int, end: int, offset: int) -> bytes:
        """Make the box of some of them, as `_Pictures.run` does."""
        sizes = self.samples.sizes[self.skipped + first : self.skipped + end]
        odd = end == self.count and self.last != AAC_FRAME
        given = _DATA_OFFSET | _SIZE | (_LENGTH if odd else 0)
        cells = [*chain.from_iterable((AAC_FRAME, size) for size in sizes[:-1]), self.last, sizes[-1]] if odd else sizes
        header = struct.pack(
            ">IIII", _DEFAULT_BASE_IS_MOOF | _DEFAULT_LENGTH | _DEFAULT_FLAGS, AUDIO_TRACK, AAC_FRAME, _KEY
        )
        run = struct.pack(f">IIi{len(cells)}I", given, end - first, offset, *cells)
        return _traf(header, first * AAC_FRAME, run)


def _parts(pictures: _Pictures, sound: _Sound) -> Iterator[Part]:
    heard = 0
    for number, (first, end) in enumerate(pairwise([*pictures.cuts(), len(pictures.begins)]), 1):
        # Cut as ffmpeg does, which goes by when pictures are decoded: the rungs beside this one must be cut alike.
        whole = end == len(pictures.begins)
        until = sound.count if whole else sound.before(pictures.begins[end] - pictures.delay)
        if until <= heard:
            raise ValueError("a segment has no sound")
        yield _part(number, pictures, range(first, end), sound, range(heard, until))
        heard = until


def _part(number: int, pictures: _Pictures, shown: range, sound: _Sound, heard: range) -> Part:
    seen = pictures.samples.pieces(shown.start, shown.stop)
    to_hear = sound.samples.pieces(sound.skipped + heard.start, sound.skipped + heard.stop)
    sequence = box(b"mfhd", struct.pack(">II", 0, number))

    def moof(offset: int) -> bytes:
        after = offset + sum(map(len, seen))
        return box(
            b"moof", sequence, pictures.run(shown.start, shown.stop, offset), sound.run(heard.start, heard.stop, after)
        )

    return Part(moof(len(moof(0)) + _MDAT.size), (*seen, *to_hear))


def _traf(header: bytes, begin: int, run: bytes) -> bytes:
    begins = box(b"tfdt", struct.pack(">IQ", 1 << 24, begin))
    return box(b"traf", box(b"tfhd", header), begins, box(b"trun", run))
