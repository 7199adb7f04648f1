"""What does a video cost? Time until it plays, time until it is complete, CPU time, memory and bytes of `Transcoding`.

Each figure stands beside those of others, measured in turn on the same clips with the same ffmpeg, and as a ratio to
them. `./run bench transcode [--runs N] [--clips phone,hevc]`; everything takes about twenty minutes on two cores.
"""

import argparse
import asyncio
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

from bench import _peers
from bench._clips import CLIPS, Clip
from bench._process_cost import Cost, Marks, measure
from transcode import Limits, Settings, Tools, Transcoding, find_tools

RUNS = 5

Costs = dict[str, Cost]


def ours(
    tools: Tools,
    clip: Clip,
    folder: Path,
    marks: Marks,
    *,
    copy: bool = True,
    whole: bool = True,
    below_copy: bool = True,
) -> None:
    """Use the library as the service does, up to what is wanted."""

    async def run() -> None:
        # Where every rung is encoded, they are those of the peers.
        settings = Settings(copy=copy, every_rung=not copy)
        async with Transcoding(clip.path, folder, tools=tools, limits=Limits(), settings=settings) as job:
            async for result in job.first_stage():
                if not marks.playable:
                    marks.is_playable()
                if not whole:
                    return
                if result.whole:
                    marks.first_is_whole()
            await job.ladder(below_copy=below_copy)

    asyncio.run(run())


def _pyav(_: Tools, clip: Clip, folder: Path, marks: Marks) -> None:
    _peers.stream_copy_by_pyav(clip, folder, marks)


ENCODED, COPIED, PLAYABLE = "ours, every rung encoded", "ours, top rung copied", "ours, until playable"
RAW, PEERTUBE, PEERTUBE_0 = "raw ffmpeg, one process", "PeerTube, 1 thread", "PeerTube, all threads"
MEDIACMS, MEDIACMS_FASTER = "MediaCMS, medium", "MediaCMS, faster from 720"
PYAV, BARE_COPY, BARE_SEGMENT = "PyAV copy", "bare ffmpeg copy", "bare ffmpeg, one segment"

WAYS: dict[str, Callable[[Tools, Clip, Path, Marks], None]] = {
    ENCODED: partial(ours, copy=False),
    COPIED: ours,
    PLAYABLE: partial(ours, whole=False),
    RAW: _peers.raw,
    PEERTUBE: _peers.peertube,
    PEERTUBE_0: partial(_peers.peertube, threads=0),
    MEDIACMS: _peers.mediacms,
    MEDIACMS_FASTER: partial(_peers.mediacms, preset="faster"),
    PYAV: _pyav,
    BARE_COPY: _peers.stream_copy,
    BARE_SEGMENT: _peers.first_segment,
}


@dataclass(frozen=True, slots=True)
class Target:
    """Upper bound of a figure: absolute (s, MB), or as the ratio to another way's."""

    way: str
    figure: str
    highest: float
    to: str | None = None

    def line(self, costs: Costs) -> str:
        """Return the report's line: the figure, the bound, and whether it holds."""
        measured = getattr(costs[self.way], self.figure)
        name = f"{self.way}: {self.figure}"
        if self.to:
            measured /= getattr(costs[self.to], self.figure)
            name += f" / {self.to}"
        holds = "holds" if measured <= self.highest else "MISSED"
        return f"  {name:66} {measured:7.2f}   target {self.highest:6.2f}   {holds}"


@dataclass(frozen=True, slots=True)
class Contest:
    """Ways to transcode a clip, compared; measured once where no target needs the median."""

    clip: str
    ways: Sequence[str]
    targets: Sequence[Target] = ()

    def run(self, tools: Tools, clip: Clip, folder: Path, runs: int) -> Costs:
        """Run the ways in turn and return the medians."""
        costs: dict[str, list[Cost]] = {way: [] for way in self.ways}
        for _ in range(runs if self.targets else 1):
            for way, taken in costs.items():
                out = folder / "out"
                taken.append(measure(partial(WAYS[way], tools, clip), out))
                shutil.rmtree(out)
        return {way: _median(taken) for way, taken in costs.items()}


_QUICK_COPY = Target(PLAYABLE, "playable", 2.0, PYAV), Target(PLAYABLE, "playable", 0.3)
CONTESTS = (
    Contest("phone", (PLAYABLE, PYAV, BARE_COPY), _QUICK_COPY),
    Contest("phone", (ENCODED, COPIED, RAW, PEERTUBE), (
        Target(ENCODED, "ladder", 1.03, RAW), Target(ENCODED, "ladder_cpu", 1.03, RAW),
        Target(ENCODED, "ladder", 0.45, PEERTUBE), Target(ENCODED, "ladder_cpu", 0.65, PEERTUBE),
        Target(COPIED, "ready", 0.25, PEERTUBE), Target(COPIED, "cpu", 0.40, PEERTUBE),
        Target(ENCODED, "memory", 600), Target(COPIED, "memory", 600),
    )),
    Contest("mono", (PLAYABLE, PYAV, BARE_COPY), _QUICK_COPY),
    Contest("short", (ENCODED, COPIED, MEDIACMS), (
        Target(ENCODED, "ladder", 0.34, MEDIACMS), Target(ENCODED, "ladder_cpu", 0.36, MEDIACMS),
    )),
    Contest("short", (ENCODED, COPIED, PEERTUBE_0, MEDIACMS_FASTER)),
    Contest("portrait", (PLAYABLE, PYAV, BARE_COPY), _QUICK_COPY),
    Contest("portrait", (COPIED, RAW)),
    Contest("rotated", (PLAYABLE, BARE_SEGMENT), (Target(PLAYABLE, "playable", 1.0),)),
    Contest("rotated", (COPIED, RAW)),
    Contest("webm", (PLAYABLE, BARE_SEGMENT), (Target(PLAYABLE, "playable", 1.0),)),
    Contest("webm", (ENCODED, RAW)),
    Contest("hevc", (PLAYABLE, BARE_SEGMENT), (Target(PLAYABLE, "playable", 3.0),)),
    Contest("hevc", (ENCODED, RAW), (Target(ENCODED, "memory", 850),)),
    Contest("long", (PLAYABLE, PYAV, BARE_COPY), (Target(PLAYABLE, "playable", 2.0, PYAV),)),
    Contest("long", (COPIED, RAW)),
)  # fmt: skip


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(cost, each.name) for cost in costs) for each in fields(Cost)))


def _report(contest: Contest, costs: Costs) -> None:
    figures = [each.name for each in fields(Cost)]
    if PLAYABLE in contest.ways:
        figures = ["playable"]  # the rest is cut off
    print(" " * 52 + "".join(f"{name:>11}" for name in figures))
    ours = [way for way in contest.ways if way.startswith("ours")]
    for way in contest.ways:
        print(f"{way:52}" + "".join(f"{getattr(costs[way], name):11.2f}" for name in figures))
    for way in ours:
        for peer in contest.ways:
            if peer not in ours:
                ratios = (getattr(costs[way], name) / getattr(costs[peer], name) for name in figures)
                print(f"  {f'{way} / {peer}':50}" + "".join(f"{ratio:11.2f}" for ratio in ratios))


def main() -> None:
    """Make the clips in a temporary folder, measure, and leave nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of which the median counts")
    parser.add_argument("--clips", default=",".join(CLIPS), help="some of " + ", ".join(CLIPS))
    given = parser.parse_args()
    names = given.clips.split(",")
    tools = find_tools()
    print(
        f"ffmpeg {tools.version} ({tools.origin}); s, MB; medians of {given.runs} runs in turn, of one without target"
    )
    targets = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            clip = CLIPS[name](tools, Path(folder))
            print(f"\n{name}: {clip.about}, {clip.path.stat().st_size / 1e6:.1f} MB")
            for contest in CONTESTS:
                if contest.clip == name:
                    costs = contest.run(tools, clip, Path(folder), given.runs)
                    _report(contest, costs)
                    targets += [f"{name:9}" + target.line(costs) for target in contest.targets]
    print("\n" + "\n".join(targets))


if __name__ == "__main__":
    main()
