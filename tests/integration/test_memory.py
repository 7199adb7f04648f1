"""A large upload passes through in small pieces."""

from pathlib import Path

import aiohttp
import pytest

from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.launch import execute
from tests.support.rooms import make_room
from tests.support.waiting import eventually

MIB = 1024 * 1024


def _memory(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def _reset_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # proc(5)


@pytest.fixture
def large_video(clip: Path, tmp_path: Path) -> Path:
    """A playable MP4 of 500 MB: the clip, then one `free` box (ISO/IEC 14496-12)."""
    path = tmp_path / "large.mp4"
    padding = 500_000_000
    path.write_bytes(clip.read_bytes() + padding.to_bytes(4, "big") + b"free")
    with path.open("r+b") as file:
        file.truncate(clip.stat().st_size + padding)
    return path


async def test_500_mb_cost_less_than_64_mib(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path, large_video: Path
) -> None:
    spare.launch = execute
    async with spare.running():
        room_id = await make_room(alice, spare)
        viewer = await spare.viewer(http, alice, room_id)
        # What any first video brings in (modules, connections) is not what a large one costs.
        await viewer.video_in(await alice.send_video(room_id, clip), "ready")
        assert spare.process
        pid = spare.process.pid
        _reset_peak(pid)
        before = _memory(pid, "VmRSS")
        event_id = await alice.send_video(room_id, large_video)
        await viewer.video_in(event_id, "ready", seconds=120)
        rise = _memory(pid, "VmHWM") - before
        assert rise < 64 * MIB, f"{rise / MIB:.1f} MiB"

        async def gone() -> bool:
            return not list((spare.folder / "data" / "scratch").glob("*/*"))

        await eventually(gone, what="an empty scratch folder")
        print(f"a 500 MB upload raised the resident memory by {rise / MIB:.1f} MiB")  # noqa: T201 - the figure
