from hypothesis import given
from hypothesis import strategies as st

from transcode.process.progress import Movement, Progress

REPORTED = (
    b"frame=1\nout_time_us=N/A\nprogress=continue\nout_time_us=2500000\nprogress=continue\nout_time_us=99000000\n"
)


@given(st.integers(1, len(REPORTED)))
def test_lines_may_come_in_any_pieces(size: int) -> None:
    progress = Progress(10.0)
    seen = []
    for start in range(0, len(REPORTED), size):
        progress.feed(REPORTED[start : start + size])
        seen.append(progress.fraction)
    assert seen == sorted(seen)
    assert progress.fraction == 1.0


def test_a_quarter() -> None:
    progress = Progress(10.0)
    progress.feed(b"out_time_us=2500000\nout_time_us=-5\n")
    assert progress.fraction == 0.25
    progress.feed(b"progress=end\n")
    assert progress.fraction == 1.0


def test_nothing_to_do() -> None:
    progress = Progress(0.0)
    progress.feed(b"out_time_us=5\n")
    assert progress.fraction == 0.0


def test_only_work_is_movement() -> None:
    movement = Movement()
    movement.feed(b"frame=0\nfps=0.0\nout_time_us=N/A\nspeed=N/A\nprogress=continue\n")
    start = movement.steps
    movement.feed(b"frame=0\nfps=1.0\nbitrate=N/A\nout_time_us=N/A\nspeed=0.1x\nprogress=continue\n")
    assert movement.steps == start
    movement.feed(b"frame=0\nout_time_us=4")
    movement.feed(b"0\nprogress=continue\n")
    assert movement.steps > start
