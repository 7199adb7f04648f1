from pathlib import Path

import pytest

from tests.unit.transcode.test_mp4 import AVC1, MP4A, box, init
from transcode.copied import Unfit, take_apart
from transcode.copying import Copying
from transcode.plan import Rung

COPYING = Copying(Rung("240", 320, 240, 1), 0.0, 2.0, sound=True)


@pytest.mark.parametrize(
    "whole",
    [
        None,
        b"",
        b"\x00\x00\x00\x09moof",
        init(AVC1, MP4A),
        init(AVC1),
        init(AVC1, MP4A) + box(b"moof") + box(b"mdat"),
        init(AVC1, MP4A) + box(b"moof", box(b"traf")) + box(b"mdat"),
    ],
)
def test_what_is_missing(whole: bytes | None, tmp_path: Path) -> None:
    (tmp_path / "240").mkdir()
    if whole is not None:
        (tmp_path / "240" / "copy.mp4").write_bytes(whole)
    with pytest.raises(Unfit):
        take_apart(tmp_path, COPYING)
