"""What does a day of a chat cost? CPU time, wall time, disk and time until it plays, of a mix as chats have it.

60 % are messenger-sized, 20 % from a phone's camera, 5 % 4K HEVC, 10 % loops, 5 % odd, and a tenth was sent before
(`_day_clips`). PeerTube and MediaCMS do the same files in the same run, each clip in turn, by the arguments in their
sources (`_peers`); both do again what was sent before. Ours are the library with what the service does around it: the
file's hash, and links instead of a second transcoding. `watched` is ours with `transcode.ladder: watched`, where of
five videos one has a viewer who needs the lower rungs, and without what is made while the machine is idle. Disk is what
stays once the first stages are swept.

`./run bench day [--clips N] [--shorten X] [--only ours,peertube]`: durations are divided by X, 3 unless said otherwise;
that is against us, for what does not grow with a clip weighs more. The clips are kept in `.run/day-clips`.
"""

import argparse
import hashlib
import os
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bench import _peers
from bench._clips import Clip
from bench._day_clips import Sent, day, make
from bench._process_cost import Cost, Marks, measure
from bench.transcode import ours
from transcode import Tools, find_tools

CLIPS, SHORTEN = 20, 3.0
_KEPT = Path(".run/day-clips")

Way = Callable[[Tools, Clip, Path, Marks], None]

OURS, WATCHED, PEERTUBE, MEDIACMS = "ours", "watched", "peertube", "mediacms"
_WAYS: dict[str, Way] = {
    OURS: ours,
    WATCHED: partial(ours, below_copy=False),
    PEERTUBE: _peers.peertube,
    MEDIACMS: _peers.mediacms,
}
_NAMES = {OURS: "ours", WATCHED: "ours, ladder: watched", PEERTUBE: "PeerTube, 1 thread", MEDIACMS: "MediaCMS, medium"}
_LINKING = frozenset({OURS, WATCHED})
"""Those that do not transcode again what they have."""

_GOALS = ((OURS, PEERTUBE, "cpu", 0.30), (OURS, PEERTUBE, "output", 0.8), (WATCHED, PEERTUBE, "cpu", 0.15))
_SLOW = 5
"""Of so many videos with lower rungs one has a viewer whose line is too slow for the copy."""


@dataclass(frozen=True, slots=True)
class Day:
    """What a way took for all clips: seconds and MB; `playable` is the median."""

    cpu: float
    ready: float
    output: float
    playable: float


def _hashed(way: Way, tools: Tools, clip: Clip, folder: Path, marks: Marks) -> None:
    with clip.path.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    way(tools, clip, folder, marks)


def _linked(clip: Clip, before: Path, folder: Path, _: Marks) -> None:
    """Do what a file needs that is here already."""
    with clip.path.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    shutil.copytree(before / "ready", folder / "ready", copy_function=os.link)


def _cost(way: str, tools: Tools, clip: Clip, folder: Path, before: Path | None) -> Cost:
    if way not in _LINKING:
        return measure(partial(_WAYS[way], tools, clip), folder)
    if before is None:
        return measure(partial(_hashed, _WAYS[way], tools, clip), folder)
    return measure(partial(_linked, clip, before), folder)


def _with_viewers(first: Cost, whole: Cost, folder: Path, whole_folder: Path) -> Cost:
    """Add a share of what the service does for a viewer on a slow line: a stage with all rungs, from the file."""
    if _rungs(folder) == _rungs(whole_folder):
        return first  # it was encoded, or has no lower rungs
    return replace(
        first,
        cpu=first.cpu + whole.cpu / _SLOW,
        ready=first.ready + whole.ready / _SLOW,
        output=first.output + (whole.output - first.output) / _SLOW,
    )


def _rungs(folder: Path) -> int:
    return sum(each.is_dir() for each in (folder / "ready").iterdir())


def _run(tools: Tools, sent: Sequence[Sent], ways: Sequence[str], folder: Path) -> dict[str, list[Cost]]:
    costs: dict[str, list[Cost]] = {way: [] for way in ways}
    for number, each in enumerate(sent):
        clip = make(tools, _KEPT, each)
        for way, taken in costs.items():
            out = folder / f"{way}-{number}"
            first = next(place for place, other in enumerate(sent) if other == each)
            before = folder / f"{way}-{first}" if first < number else None
            taken.append(_cost(way, tools, clip, out, before))
            if way not in _LINKING:
                shutil.rmtree(out)
        if WATCHED in costs and sent.index(each) == number:
            whole, left_out = folder / f"{OURS}-{number}", folder / f"{WATCHED}-{number}"
            costs[WATCHED][-1] = _with_viewers(costs[WATCHED][-1], costs[OURS][-1], left_out, whole)
    return costs


def _day(way: str, sent: Sequence[Sent], costs: Sequence[Cost]) -> Day:
    new = [sent.index(each) == number for number, each in enumerate(sent)]
    return Day(
        cpu=sum(cost.cpu for cost in costs),
        ready=sum(cost.ready for cost in costs),
        # A link takes nothing.
        output=sum(cost.output for cost, first in zip(costs, new, strict=True) if first or way not in _LINKING),
        playable=statistics.median(cost.playable for cost in costs),
    )


def _report(sent: Sequence[Sent], costs: dict[str, list[Cost]]) -> None:
    for kind in dict.fromkeys(each.kind for each in sorted(sent, key=lambda each: each.number)):
        chosen = [number for number, each in enumerate(sent) if each.kind == kind]
        some = [sent[number] for number in chosen]
        print(f"\n{kind}: {len(some)} clips, {sum(each.seconds for each in some)} s")
        _table({way: _day(way, some, [taken[number] for number in chosen]) for way, taken in costs.items()})
    print(f"\nThe day: {len(sent)} clips, {sum(each.seconds for each in sent)} s")
    days = {way: _day(way, sent, taken) for way, taken in costs.items()}
    _table(days)
    print()
    for way, peer, figure, most in _GOALS:
        if way in days and peer in days:
            ratio = getattr(days[way], figure) / getattr(days[peer], figure)
            holds = "holds" if ratio <= most else "MISSED"
            print(f"  {f'{_NAMES[way]}: {figure} / {_NAMES[peer]}':56} {ratio:5.2f}   target {most:.2f}   {holds}")


def _table(days: dict[str, Day]) -> None:
    figures = {"cpu": "CPU s", "ready": "wall s", "output": "disk MB", "playable": "playable s"}
    print(" " * 36 + "".join(f"{name:>12}" for name in figures.values()))
    for way, taken in days.items():
        print(f"{_NAMES[way]:36}" + "".join(f"{getattr(taken, figure):12.2f}" for figure in figures))
    for way, taken in days.items():
        for peer, theirs in days.items():
            if way in _LINKING and peer not in _LINKING:
                ratios = (getattr(taken, figure) / getattr(theirs, figure) for figure in figures)
                print(f"  {f'{_NAMES[way]} / {_NAMES[peer]}':34}" + "".join(f"{ratio:12.2f}" for ratio in ratios))


def _ways(only: str) -> list[str]:
    """Read what to measure; `watched` needs what its lower rungs cost."""
    wanted = only.split(",")
    return [way for way in _WAYS if way in wanted or (way == OURS and WATCHED in wanted)]


def main() -> None:
    """Make the clips that are not there yet, and measure; what is made of them goes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=CLIPS, help="how many are sent, about")
    parser.add_argument("--shorten", type=float, default=SHORTEN, help="what durations are divided by")
    parser.add_argument("--only", default=",".join(_WAYS), help="some of " + ", ".join(_WAYS))
    given = parser.parse_args()
    tools = find_tools()
    _KEPT.mkdir(parents=True, exist_ok=True)
    sent = day(given.clips, given.shorten)
    print(f"ffmpeg {tools.version} ({tools.origin}); durations divided by {given.shorten:g}")
    with tempfile.TemporaryDirectory() as folder:
        _report(sent, _run(tools, sent, _ways(given.only), Path(folder)))


if __name__ == "__main__":
    main()
