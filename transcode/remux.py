"""Cuts an MP4 into media segments without touching its samples: where each begins, and the boxes around it. Pure.

It comes to what ffmpeg makes with `commands.copy` of the same file; but no process has to start for it, and the samples
need not pass through us (`segments.write`). ISO 14496-12, 8.8.

Sound stays as it is at any usual rate, for encoding it would take many times as long as all the rest. It is moved to
begin with a whole packet, by half of one (16 ms) at most, which nobody notices (ITU-R BT.1359); the ladder is exact.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from transcode.copy_policy import AAC_FRAME, Copying
from transcode.mp4.boxes import box, boxes, child
from transcode.mp4.columns import packed, unpacked
from transcode.mp4.init_segment import AUDIO_RATE, AUDIO_TRACK, CLOCK, VIDEO_TRACK, Aac, aac_of, init_segment
from transcode.mp4.moov import StoredTrack, tracks_of
from transcode.mp4.samples import Samples, samples_of
from transcode.plan import SHORTEST_COPIED

_MDAT = struct.Struct(">I4s")
_DEFAULT_BASE_IS_MOOF, _DEFAULT_LENGTH, _DEFAULT_FLAGS = 0x20000, 0x8, 0x20
_DATA_OFFSET, _LENGTH, _SIZE, _FLAGS, _SHIFT = 0x1, 0x100, 0x200, 0x400, 0x800
_SIGNED_SHIFTS = 1 << 24
# Depends on no other sample; or does, and is no key frame (ISO 14496-12, 8.8.3.1).
_KEY, _OTHER = 0x0200_0000, 0x0101_0000
# A packet of AAC-LC without any sound, by the number of channels (ISO 14496-3, 4.4.2.1), as FFmpeg's encoder writes it.
_SILENCE = {1: bytes.fromhex("01182007"), 2: bytes.fromhex("211004608c1c")}


Piece = range | bytes
"""Some samples: where they lie in the file, or themselves."""


@dataclass(frozen=True, slots=True)
class Part:
    """A media segment: boxes of ours, then the samples."""

    moof: bytes
    pictures: tuple[range, ...]
    """Where the pictures lie in the file, in order."""
    sound: tuple[Piece, ...]
    keys: tuple[int, ...] = ()
    """Where its key frames lie in the file."""

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All samples, in order."""
        return *self.pictures, *self.sound

    @property
    def head(self) -> bytes:
        """What stands before the samples."""
        return self.moof + _MDAT.pack(_MDAT.size + sum(map(len, self.pieces)), b"mdat")


@dataclass(frozen=True, slots=True)
class Remuxed:
    """All that a copy consists of."""

    init: bytes
    parts: tuple[Part, ...]
    audio_rate: int
    """Sound samples per second."""
    lag: float
    """Seconds by which ffmpeg would cut sound of our own rate before these pictures at most, see `Segment.lag`."""


def remuxed(moov: bytes, video_index: int, audio_index: int | None, copying: Copying, file_size: int) -> Remuxed:
    """Copy two tracks of a file, by its `moov` box, as `copy_policy` has decided; or video with silent audio.

    Raises ValueError where the index is wrong, or has something that only ffmpeg knows how to handle.
    """
    bodies = [body for kind, body in boxes(moov) if kind == b"trak"]
    tracks = tracks_of(moov)
    if max(video_index, audio_index or 0) >= len(bodies):
        raise ValueError("a track is missing")
    media = child(bodies[video_index], b"mdia")
    pictures = _Pictures.of(samples_of(media, file_size), tracks[video_index])
    if abs(pictures.end - copying.duration * CLOCK) > pictures.end / len(pictures.begins):
        raise ValueError("an edit list or the like ends the pictures before their time")
    if audio_index is None:
        sound = _Sound.none(pictures.end)
    else:
        sound = _Sound.of(bodies[audio_index], tracks[audio_index], copying.heard, pictures.end, file_size)
    rung = copying.rung
    try:
        init = init_segment(child(media, b"minf", b"stbl", b"stsd"), sound.aac, rung.width, rung.height)
        return Remuxed(init, tuple(_parts(pictures, sound)), sound.aac.rate, pictures.lag)
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

    @property
    def lag(self) -> float:
        """Seconds from the first packet of sound of our rate to the first picture, in the segment where it is most."""
        begins = [self.begins[number] for number in self.cuts()]
        packets = [_packets_before(begin - self.delay, AUDIO_RATE) for begin in begins]
        return max(
            begin / CLOCK - packet * AAC_FRAME / AUDIO_RATE for begin, packet in zip(begins, packets, strict=True)
        )

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
        # Signed ones in a table of unsigned ones.
        shifts = unpacked(packed(self.shifts[first:end], "i"), "I", end - first)
        columns = self.lengths[first:end], self.samples.sizes[first:end], flags, shifts
        rows = packed(chain.from_iterable(zip(*columns, strict=True)))
        given = _SIGNED_SHIFTS | _DATA_OFFSET | _LENGTH | _SIZE | _FLAGS | _SHIFT
        header = struct.pack(">II", _DEFAULT_BASE_IS_MOOF, VIDEO_TRACK)
        return _traf(header, self.begins[first], struct.pack(">IIi", given, end - first, offset) + rows)


@dataclass(frozen=True, slots=True)
class _Sound:
    """Packets of AAC_FRAME each as long as there are pictures: the file's, and silent ones before and behind them."""

    aac: Aac
    samples: Samples
    skipped: int
    """How many packets of the file come before ours; below 0: how many of ours come before the file's."""
    count: int
    tail: int = AAC_FRAME
    """Sound samples of the file's last packet: there may be nothing more in it."""

    @classmethod
    def none(cls, end: int) -> "_Sound":
        """Be silent until `end`, in ticks of CLOCK."""
        aac = Aac()
        return cls(aac, _NO_SAMPLES, 0, _packets_before(end, aac.rate))

    @classmethod
    def of(cls, trak: bytes, track: StoredTrack, heard: float, end: int, file_size: int) -> "_Sound":
        """Take those of a track whose first one is heard so many seconds after the first picture."""
        media = child(trak, b"mdia")
        aac = aac_of(child(media, b"minf", b"stbl", b"stsd"))
        samples = samples_of(media, file_size)
        if track.kind != "soun" or not track.plain or not track.timescale:
            raise ValueError("its sound is cut, or none")
        # In ticks of both clocks, so that nothing is rounded. Phones write when they got each packet.
        packet = AAC_FRAME * track.timescale
        if any(abs(begin * aac.rate - number * packet) >= packet for number, begin in enumerate(samples.begins)):
            raise ValueError("its sound is not even")
        skipped = round((track.skipped / track.timescale - heard) * aac.rate / AAC_FRAME)
        tail = (samples.begins[-1] - samples.begins[-2]) * aac.rate // track.timescale
        return cls(aac, samples, skipped, _packets_before(end, aac.rate), min(max(tail, 1), AAC_FRAME))

    def sizes(self, first: int, end: int) -> list[int]:
        """Give the bytes of the packets from `first` up to `end`."""
        before, stored, behind = self._split(first, end)
        silent = len(_SILENCE[self.aac.channels])
        return [silent] * before + list(self.samples.sizes[stored.start : stored.stop]) + [silent] * behind

    def pieces(self, first: int, end: int) -> list[Piece]:
        """Give these packets."""
        before, stored, behind = self._split(first, end)
        silence = _SILENCE[self.aac.channels]
        found: list[Piece] = [silence * before, *self.samples.pieces(stored.start, stored.stop), silence * behind]
        return [piece for piece in found if piece]

    def _split(self, first: int, end: int) -> tuple[int, range, int]:
        """Give how many of these are silent, which of the file's come then, and how many silent ones behind them."""
        first, end, there = first + self.skipped, end + self.skipped, len(self.samples.sizes)
        stored = range(max(0, min(first, there)), max(0, min(end, there)))
        before = max(0, min(0, end) - first)
        return before, stored, end - first - before - len(stored)

    def before(self, instant: int) -> int:
        """Count the packets that begin before an instant, in ticks of CLOCK."""
        return min(self.count, _packets_before(instant, self.aac.rate))

    def run(self, first: int, end: int, offset: int) -> bytes:
        """Make the box of some of them, as `_Pictures.run` does."""
        sizes, last = self.sizes(first, end), self.tail
        odd = end == self.count == len(self.samples.sizes) - self.skipped and last != AAC_FRAME
        given = _DATA_OFFSET | _SIZE | (_LENGTH if odd else 0)
        cells = [*chain.from_iterable((AAC_FRAME, size) for size in sizes[:-1]), last, sizes[-1]] if odd else sizes
        header = struct.pack(
            ">IIII", _DEFAULT_BASE_IS_MOOF | _DEFAULT_LENGTH | _DEFAULT_FLAGS, AUDIO_TRACK, AAC_FRAME, _KEY
        )
        run = struct.pack(">IIi", given, end - first, offset) + packed(cells)
        return _traf(header, first * AAC_FRAME, run)


_NO_SAMPLES = Samples((0,), (), (), (), None)


def _packets_before(instant: int, rate: int) -> int:
    """Count the packets of AAC_FRAME samples that begin before an instant, in ticks of CLOCK; the first one at 0."""
    return max(0, -(-instant * rate // (CLOCK * AAC_FRAME)))


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
    to_hear = sound.pieces(heard.start, heard.stop)
    sequence = box(b"mfhd", struct.pack(">II", 0, number))

    def moof(offset: int) -> bytes:
        after = offset + sum(map(len, seen))
        return box(
            b"moof", sequence, pictures.run(shown.start, shown.stop, offset), sound.run(heard.start, heard.stop, after)
        )

    keys = tuple(pictures.samples.offsets[each] for each in shown if pictures.samples.is_key(each))
    return Part(moof(len(moof(0)) + _MDAT.size), tuple(seen), tuple(to_hear), keys)


def _traf(header: bytes, begin: int, run: bytes) -> bytes:
    begins = box(b"tfdt", struct.pack(">IQ", 1 << 24, begin))
    return box(b"traf", box(b"tfhd", header), begins, box(b"trun", run))
