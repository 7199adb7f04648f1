import struct
from dataclasses import replace
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.transcode.mp4.test_init_segment import AUDIO_STSD, VIDEO_STSD, audio_stsd, esds
from tests.unit.transcode.mp4.test_samples import HERE
from transcode.mp4.boxes import box, codecs_of
from transcode.mp4.fragments import Run, runs_of
from transcode.mp4.init_segment import AAC_FRAME, AUDIO_RATE, CLOCK
from transcode.mp4.remux import MediaSegment, Piece, Remux, Selection, remux

SIZE = 10_000_000
RATE, SECONDS = 25, 5
SELECTION = Selection(0, 1, 320, 240, SECONDS, audio_offset=0.0, shortest_segment=2 * CLOCK - CLOCK // 20)
FRAMES = RATE * SECONDS
PACKETS = -(-SECONDS * AUDIO_RATE // AAC_FRAME)


def listed(kind: bytes, *rows: tuple[int, ...], form: str = "i") -> bytes:
    return box(kind, struct.pack(">II", 0, len(rows)), *(struct.pack(f">{len(row)}{form}", *row) for row in rows))


def trak(
    kind: bytes,
    scale: int,
    stsd: bytes,
    sizes: list[int],
    stts: list[tuple[int, int]],
    offset: int,
    *,
    ctts: list[tuple[int, int]] | None = None,
    keys: list[int] | None = None,
    skipped: int = 0,
) -> bytes:
    elst = box(b"edts", box(b"elst", struct.pack(">IIIiI", 0, 1, 0, skipped, 1 << 16)))
    tables = [
        box(b"stsd", stsd),
        listed(b"stts", *stts),
        box(b"stsz", struct.pack(">III", 0, 0, len(sizes)), struct.pack(f">{len(sizes)}I", *sizes)),
        listed(b"stsc", (1, 1, 1)),
        listed(b"stco", *((at,) for at in accumulate(sizes[:-1], initial=offset))),
        listed(b"ctts", *ctts) if ctts else b"",
        listed(b"stss", *((key,) for key in keys)) if keys else b"",
    ]
    return box(
        b"trak",
        elst,
        box(
            b"mdia",
            box(b"mdhd", bytes(12), struct.pack(">II", scale, 0), bytes(4)),
            box(b"hdlr", bytes(8), kind),
            box(b"minf", box(b"dinf", box(b"dref", struct.pack(">II", 0, 1), HERE)), box(b"stbl", *tables)),
        ),
    )


FRAME_SIZES = [1000 + number for number in range(FRAMES)]
PACKET_SIZES = [300 + number % 7 for number in range(PACKETS + 3)]
AUDIO_AT = 1_000_000
# In each three, the second that is decoded is shown last; all are delayed by one frame, at a timescale of 600.
REORDERED = [*[(1, 24), (1, 48), (1, 0)] * (FRAMES // 3), (FRAMES % 3, 24)]


STEREO, MONO = bytes.fromhex("211004608c1c"), bytes.fromhex("01182007")


def video_trak(**changed: object) -> bytes:
    options: dict[str, object] = {"keys": list(range(1, FRAMES + 1, RATE)), "stts": [(FRAMES, 24)]} | changed
    return trak(b"vide", 600, VIDEO_STSD, FRAME_SIZES, offset=1000, **options)  # type: ignore[arg-type]


def audio_trak(skipped: int = AAC_FRAME, last: int = AAC_FRAME) -> bytes:
    count = len(PACKET_SIZES)
    rows = [(count - 1, AAC_FRAME), (1, last)]
    return trak(b"soun", AUDIO_RATE, AUDIO_STSD, PACKET_SIZES, rows, AUDIO_AT, skipped=skipped)


def made(video: bytes | None = None, audio: bytes | None = None, selection: Selection = SELECTION) -> Remux:
    return remux(box(b"mvhd") + (video or video_trak()) + (audio or audio_trak()), selection, SIZE)


def stored(piece: Piece) -> range:
    assert isinstance(piece, range)
    return piece


def silent(piece: Piece, packet: bytes = STEREO) -> int:
    """Return the number of silent packets of a piece, which has nothing else."""
    assert isinstance(piece, bytes)
    count, rest = divmod(len(piece), len(packet))
    assert (piece, rest) == (packet * count, 0)
    return count


def runs(part: MediaSegment) -> tuple[Run, Run]:
    first, second = runs_of(part.moof[8:])
    assert (first.track, second.track) == (1, 2)
    return first, second


def test_segments_begin_at_key_frames_two_seconds_apart() -> None:
    copy = made()
    assert codecs_of(copy.init) == "avc1.64001f,mp4a.40.2"
    video = [runs(part)[0] for part in copy.segments]
    assert [(run.decode_time, len(run.durations)) for run in video] == [(0, 50), (2 * CLOCK, 50), (4 * CLOCK, 25)]
    assert {length for run in video for length in run.durations} == {CLOCK // RATE}
    assert all(run.is_sync and not any(run.composition_offsets) for run in video)


def test_audio_is_cut_where_the_video_is() -> None:
    audio = [runs(part)[1] for part in made().segments]
    # The packet that starts before a segment's first frame belongs to the one before.
    starts = [0, *(-(-second * AUDIO_RATE // AAC_FRAME) for second in (2, 4)), PACKETS]
    assert [run.decode_time for run in audio] == [start * AAC_FRAME for start in starts[:-1]]
    assert [run.end for run in audio] == [end * AAC_FRAME for end in starts[1:]]


def test_a_segment_says_where_its_samples_are() -> None:
    for part in made().segments:
        video, audio = runs(part)
        frames, packets = part.pieces
        assert video.offset == len(part.head)
        assert audio.offset == len(part.head) + len(frames)
        assert int.from_bytes(part.head[-8:-4]) == 8 + len(frames) + len(packets)
        assert video.size == FRAME_SIZES[video.decode_time * RATE // CLOCK]
        assert audio.size == PACKET_SIZES[1 + audio.decode_time // AAC_FRAME]
    pieces = [[stored(piece) for piece in part.pieces] for part in made().segments]
    assert all(before.stop == after.start for each in zip(*pieces, strict=True) for before, after in pairwise(each))
    assert pieces[0][0].start == 1000
    assert pieces[0][1].start == AUDIO_AT + PACKET_SIZES[0]


@pytest.mark.parametrize(("lower", "skipped"), [(0, 24), (0, 0), (24, 0)], ids=["hidden", "late", "below-0"])
def test_reordered_frames_keep_their_presentation_times(lower: int, skipped: int) -> None:
    # Muxers write it in three ways: an edit list hides that all are late, or none does, or some offsets are below 0.
    ctts = [(count, offset - lower) for count, offset in REORDERED]
    copy = made(video_trak(ctts=ctts, keys=[1, 52, 103], skipped=skipped))
    video = [runs(part)[0] for part in copy.segments]
    assert [run.decode_time for run in video] == [0, 51 * 3600, 102 * 3600]
    assert sorted(time for run in video for time in run.presentation_times) == [
        3600 * number for number in range(FRAMES)
    ]
    # They are decoded one frame before they are presented: the packet in between belongs to the next segment.
    audio = [runs(part)[1] for part in copy.segments]
    assert audio[1].decode_time == -(-50 * AUDIO_RATE // RATE // AAC_FRAME) * AAC_FRAME


def test_every_frame_a_key_frame() -> None:
    parts = made(video_trak(keys=None)).segments
    # 1.95 s would be enough.
    assert [runs(part)[0].decode_time for part in parts] == [0, 49 * 3600, 98 * 3600]


@pytest.mark.parametrize("skipped", [0, AAC_FRAME * 3])
def test_audio_begins_where_the_file_says(skipped: int) -> None:
    audio = [runs(part)[1] for part in made(audio=audio_trak(skipped)).segments]
    assert sum(len(run.durations) for run in audio) == PACKETS
    assert audio[0].size == PACKET_SIZES[skipped // AAC_FRAME]


@pytest.mark.parametrize("missing", [1, 100])
def test_silence_follows_audio_that_is_too_short(missing: int) -> None:
    *whole, last = made(audio=audio_trak(AAC_FRAME * (3 + missing), last=500)).segments
    pieces = [piece for part in whole for piece in part.audio] + list(last.audio)
    assert sum(silent(piece) for piece in pieces if isinstance(piece, bytes)) == missing
    assert [isinstance(piece, bytes) for piece in pieces] == sorted(isinstance(piece, bytes) for piece in pieces)
    audio = [runs(part)[1] for part in (*whole, last)]
    # The last packet of the file goes on into the silence.
    assert {length for run in audio for length in run.durations} == {AAC_FRAME}
    assert audio[-1].end == PACKETS * AAC_FRAME


@pytest.mark.parametrize(
    ("late", "packets"), [(0.02, 1), (0.0107, 1), (0.0106, 0), (-0.02, -1), (3.0, 141), (-0.25, -12)]
)
def test_audio_that_begins_elsewhere_is_shifted_by_whole_packets(late: float, packets: int) -> None:
    copy = made(selection=replace(SELECTION, audio_offset=late))
    assert [runs(part)[1].decode_time for part in copy.segments] == [
        run.decode_time for run in map(second, made().segments)
    ]
    pieces = [piece for part in copy.segments for piece in part.audio]
    silence = sum(silent(piece) for piece in pieces if isinstance(piece, bytes))
    first = next(piece for piece in pieces if isinstance(piece, range))
    assert first.start == AUDIO_AT + sum(PACKET_SIZES[: max(0, 1 - packets)])
    # One packet comes before what is audio_trak; it takes the place of one that would be silent.
    assert silence == max(0, packets - 1) + max(0, PACKETS - len(PACKET_SIZES) + 1 - packets)


def second(part: MediaSegment) -> Run:
    return runs(part)[1]


@pytest.mark.parametrize(("rate", "scale"), [(44_100, 44_100), (32_000, 32_000), (44_100, 90_000)])
def test_audio_of_another_rate_stays_as_it_is(rate: int, scale: int) -> None:
    number = {44_100: 4, 32_000: 5}[rate]
    mono = audio_stsd(esds(struct.pack(">H", 2 << 11 | number << 7 | 1 << 3)))
    count = -(-SECONDS * rate // AAC_FRAME) + 3
    length = AAC_FRAME * scale // rate
    track = trak(b"soun", scale, mono, PACKET_SIZES[:count], [(count, length)], AUDIO_AT, skipped=2 * length + 60)
    copy = made(audio=track)
    assert copy.audio_rate == rate
    audio = [runs(part)[1] for part in copy.segments]
    starts = [0, *(-(-second * rate // AAC_FRAME) for second in (2, 4))]
    assert [run.decode_time for run in audio] == [start * AAC_FRAME for start in starts]
    assert audio[-1].end / rate == pytest.approx(SECONDS, abs=AAC_FRAME / rate)
    assert audio[0].size == PACKET_SIZES[2]
    # However it is cut: what is made beside it has audio of our rate.
    assert copy.av_offset == made().av_offset
    later = made(audio=track, selection=replace(SELECTION, audio_offset=1.0)).segments[0].audio[0]
    assert silent(later, MONO) == round(rate / AAC_FRAME) - 2


def test_packets_may_come_a_little_early_or_late() -> None:
    count = len(PACKET_SIZES)
    uneven = [(1, AAC_FRAME + 700), (1, AAC_FRAME - 900), (count - 2, AAC_FRAME)]
    copy = made(audio=trak(b"soun", AUDIO_RATE, AUDIO_STSD, PACKET_SIZES, uneven, AUDIO_AT, skipped=AAC_FRAME))
    assert copy.segments == made().segments


def test_video_without_audio_gets_silence() -> None:
    for audio in (b"", audio_trak()):
        copy = remux(box(b"mvhd") + video_trak() + audio, replace(SELECTION, audio_index=None), SIZE)
        assert [silent(piece) for part in copy.segments for piece in part.audio] == [
            len(second(part).durations) for part in made().segments
        ]
        assert [second(part).decode_time for part in copy.segments] == [
            second(part).decode_time for part in made().segments
        ]
        assert (copy.init, copy.av_offset) == (made().init, made().av_offset)


def test_the_lag_is_that_of_ffmpegs_cuts() -> None:
    for copy in (made(), made(video_trak(ctts=REORDERED, keys=[1, 52, 103]))):
        both = [runs(part) for part in copy.segments]
        assert copy.av_offset == pytest.approx(
            max(video.presentation_times[0] / CLOCK - audio.decode_time / AUDIO_RATE for video, audio in both)
        )


def test_the_last_packet_may_be_shorter() -> None:
    audio = [runs(part)[1] for part in made(audio=audio_trak(AAC_FRAME * 3, last=500)).segments]
    assert {length for run in audio[:-1] for length in run.durations} == {AAC_FRAME}
    assert {*audio[-1].durations[:-1]} == {AAC_FRAME}
    assert audio[-1].durations[-1] == 500


UNEVEN = trak(b"soun", AUDIO_RATE, AUDIO_STSD, PACKET_SIZES, [(len(PACKET_SIZES), AAC_FRAME + 8)], AUDIO_AT)
CUT = audio_trak().replace(struct.pack(">iI", AAC_FRAME, 1 << 16), struct.pack(">iI", AAC_FRAME, 1 << 15))


@pytest.mark.parametrize(
    ("video", "audio", "selection", "reason"),
    [
        (video_trak(keys=[2, 30]), None, SELECTION, "first to be presented"),
        (video_trak(skipped=24), None, SELECTION, "first to be presented"),
        (video_trak(ctts=[(1, 48), (1, 0), (FRAMES - 2, 48)]), None, SELECTION, "first to be presented"),
        (None, None, replace(SELECTION, duration=4.5), "ends the video early"),
        (None, UNEVEN, SELECTION, "not evenly"),
        (None, CUT, SELECTION, "several edits"),
        (None, video_trak(), SELECTION, "sample entries"),
        (video_trak(ctts=[(FRAMES - 1, 0), (1, 2**31 - 1)]), None, SELECTION, "ends the video early"),
        (
            video_trak(stts=[(1, 2**31 - 1), (FRAMES - 1, 24)], ctts=[(1, 0), (FRAMES - 1, 25 - 2**31)]),
            None,
            SELECTION,
            "too large",
        ),
    ],
)
def test_what_only_ffmpeg_can_handle(
    video: bytes | None, audio: bytes | None, selection: Selection, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        made(video, audio, selection)


WHOLE = box(b"mvhd") + video_trak(ctts=REORDERED, keys=[1, 52, 103]) + audio_trak()


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8))
def test_a_damaged_index_leads_nowhere(position: int, damage: bytes) -> None:
    try:
        copy = remux(WHOLE[:position] + damage + WHOLE[position + len(damage) :], SELECTION, SIZE)
    except ValueError:
        return
    for part in copy.segments:
        runs(part)
        pieces = [piece for piece in part.pieces if isinstance(piece, range)]
        assert all(0 <= piece.start <= piece.stop <= SIZE for piece in pieces)
