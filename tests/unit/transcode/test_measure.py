from pathlib import Path

import pytest

from transcode.errors import BrokenFile, Failed
from transcode.limits import Limits
from transcode.measure import durations_of, measure
from transcode.plan import plan
from transcode.probe import Probe

PLAN = plan(Probe(2.0, 320, 240, 320, 240, 30.0, 30.0, "h264", 0, None, 0.0, None, interlaced=False), Limits())
RUNG = PLAN.fast


def test_durations() -> None:
    assert durations_of("#EXTM3U\n#EXTINF:2.002000,\n0.m4s\n#EXTINF:0.5,title\n1.m4s\n") == (2.002, 0.5)


@pytest.mark.parametrize(
    ("playlist", "error"),
    [("#EXTM3U\n", BrokenFile), ("#EXTINF:2.0,\n0.m4s\n", Failed), ("#EXTINF:x,\n", Failed), (None, Failed)],
)
def test_what_is_missing(playlist: str | None, error: type[Exception], tmp_path: Path) -> None:
    (tmp_path / RUNG.name).mkdir()
    if playlist is not None:
        (tmp_path / RUNG.name / "index.m3u8").write_text(playlist)
    with pytest.raises(error):
        measure(tmp_path, RUNG, PLAN)
