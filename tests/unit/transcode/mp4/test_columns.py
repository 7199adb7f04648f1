import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.mp4.boxes import box
from transcode.mp4.columns import Kind, packed, unpacked
from transcode.mp4.fragments import runs_of

RANGES: dict[Kind, tuple[int, int]] = {"I": (0, 2**32 - 1), "i": (-(2**31), 2**31 - 1), "Q": (0, 2**64 - 1)}


@given(st.data(), st.sampled_from(sorted(RANGES)))
def test_written_as_struct_would_and_read_again(data: st.DataObject, kind: Kind) -> None:
    low, high = RANGES[kind]
    cells = data.draw(st.lists(st.integers(low, high), max_size=20))
    written = packed(cells, kind)
    assert written == b"".join(struct.pack(f">{kind}", cell) for cell in cells)
    assert unpacked(b"\xff" + written, kind, len(cells), 1) == tuple(cells)


@pytest.mark.parametrize("count", [2, 4_000_000_000, -1])
def test_what_is_not_there_is_not_read(count: int) -> None:
    with pytest.raises(struct.error, match="cut off"):
        unpacked(bytes(7), "I", count)


@pytest.mark.parametrize(("cell", "kind"), [(-1, "I"), (2**32, "I"), (2**31, "i"), (2**64, "Q")])
def test_a_figure_that_does_not_fit_is_reported(cell: int, kind: Kind) -> None:
    with pytest.raises(struct.error, match="does not fit"):
        packed([cell], kind)


def test_a_number_alone_promises_no_samples() -> None:
    tfhd = box(b"tfhd", struct.pack(">II", 0x8, 1), struct.pack(">I", 100))
    trun = box(b"trun", struct.pack(">IIi", 0x1, 4_000_000_000, 0))
    with pytest.raises(ValueError, match="4000000000 samples"):
        runs_of(box(b"traf", tfhd, box(b"tfdt", struct.pack(">II", 0, 0)), trun))


INDEXES = """
import resource, struct
from transcode.mp4.boxes import box
from transcode.mp4.samples import samples_of

def table(kind, *heads, cells):
    return box(kind, struct.pack(">I", 0), struct.pack(f">{len(heads)}I", *heads), cells)

here = box(b"dinf", box(b"dref", struct.pack(">II", 0, 1), box(b"url ", bytes([0, 0, 0, 1]))))
def read(count):
    pair = struct.pack(">II", 1, 100)
    tables = box(b"stbl",
        table(b"stts", count, cells=pair * count), table(b"ctts", count, cells=pair * count),
        table(b"stss", count, cells=b"".join(number.to_bytes(4) for number in range(1, count + 1))),
        table(b"stsz", 0, count, cells=struct.pack(">I", 1) * count),
        table(b"stsc", 1, cells=struct.pack(">III", 1, 1, 1)), table(b"stco", count, cells=bytes(4 * count)))
    assert len(samples_of(box(b"minf", here, tables), 10**6).sizes) == count

read(200_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for lesser in range(12):
    read(199_999 - lesser)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_full_indexes_of_many_lengths_leave_nothing_behind() -> None:
    root = Path(__file__).parents[4]
    growth = subprocess.run(
        [sys.executable, "-c", INDEXES], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    assert int(growth) < 100 * 1024, "kB; a format for each length took some 70 MB an index"
