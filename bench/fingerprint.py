"""Does the fingerprint recognise copies of a video, and distinguish different videos? And what does it cost?

30 synthetic clips, each re-encoded in nine ways; 300 other clips; and a minute of 1080p from a phone, against ffmpeg
that only decodes it. `./run bench fingerprint`
"""

import asyncio
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench._clips import ffmpeg, phone
from tests.support.video.synthetic_clips import ENCODINGS, SIZE, make_synthetic_clips, reencode
from transcode import Limits, Tools, find_tools
from transcode.fingerprint import distance, fingerprint, is_copy

CLIPS, OTHERS, SECONDS = 30, 300, 2.0
RUNS = 5


async def _fingerprint(tools: Tools, path: Path) -> bytes:
    made = await fingerprint(path, tools=tools, limits=Limits())
    return made or b""


async def _copies(tools: Tools, folder: Path, sources: dict[int, bytes]) -> None:
    matches: Counter[str] = Counter()
    distances: list[float] = []
    for number, source in sources.items():
        copies = await asyncio.to_thread(reencode, tools, folder / f"{number}.mp4", folder, ENCODINGS)
        for way, path in copies.items():
            copy = await _fingerprint(tools, path)
            matches[way] += is_copy(source, copy)
            distances.append(distance(source, copy))
    for way in ENCODINGS:
        print(f"copies, {way:13} matched {matches[way]} of {len(sources)}")
    print(f"differing bits: median {statistics.median(distances):.1%}, most {max(distances):.1%}")


async def _others(tools: Tools, folder: Path, sources: dict[int, bytes]) -> None:
    numbers = range(CLIPS, CLIPS + OTHERS)
    others = [await _fingerprint(tools, folder / f"{number}.mp4") for number in numbers]
    wrong = sum(any(is_copy(source, other) for source in sources.values()) for other in others)
    nearest = min(distance(source, other) for source in sources.values() for other in others)
    print(f"others: {wrong} of {len(others)} matched one of the {len(sources)}; the nearest differs in {nearest:.1%}")
    print(f"without a fingerprint, too plain: {others.count(b'')}")


async def _cost(tools: Tools, folder: Path) -> None:
    clip = phone(tools, folder, 60)
    ours, bare = [], []
    for _ in range(RUNS):
        started = time.perf_counter()
        await _fingerprint(tools, clip.path)
        ours.append(time.perf_counter() - started)
        started = time.perf_counter()
        await asyncio.to_thread(ffmpeg, tools, "-i", clip.path, "-an", "-f", "null", "-")
        bare.append(time.perf_counter() - started)
    took, floor = statistics.median(ours), statistics.median(bare)
    print(f"{clip.about}: {took:.2f} s, {took / floor:.2f} of a bare decode ({floor:.2f} s)")


async def main() -> None:
    """Print matches, false matches and the time."""
    tools = find_tools()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_synthetic_clips(tools, folder, range(CLIPS + OTHERS), seconds=SECONDS, size=SIZE)
        sources = {number: await _fingerprint(tools, folder / f"{number}.mp4") for number in range(CLIPS)}
        await _copies(tools, folder, sources)
        await _others(tools, folder, sources)
        await _cost(tools, folder)


if __name__ == "__main__":
    asyncio.run(main())
