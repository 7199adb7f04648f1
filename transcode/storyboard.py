"""The sprite sheet of thumbnails for seeking: its layout, and its index in WebVTT. Pure."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Self

# ruff: noqa: TRY004 - whatever is wrong with stored JSON, its reader gets one kind of error.

_LONG_SIDE = 160
_MOST_COLUMNS = 10
_MOST_TILES = 100
_SHORTEST_INTERVAL = 1000  # ms


@dataclass(frozen=True, slots=True)
class Storyboard:
    """`count` tiles in rows of `columns`, in reading order, each `width` x `height` pixels and `interval` s later."""

    columns: int
    count: int
    width: int
    height: int
    interval: float

    def __post_init__(self) -> None:
        if min(self.columns, self.width, self.height) < 1 or self.count < self.columns:
            raise ValueError(f"{self} has no full row of tiles")
        if not 0 < self.interval < math.inf:
            raise ValueError(f"the interval of a storyboard must be above 0, not {self.interval}")

    @property
    def rows(self) -> int:
        """How many rows there are; the last one may not be full."""
        return math.ceil(self.count / self.columns)

    def to_json(self) -> dict[str, object]:
        """Return a mapping that `json.dumps` takes and `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Read what `to_json` gave, also after a round trip through JSON. Raises ValueError for anything else."""
        names = {field.name for field in fields(cls)}
        if set(data) != names:
            raise ValueError(f"a storyboard has the keys {sorted(names)}, not {sorted(data)}")
        return cls(
            columns=_whole(data["columns"]),
            count=_whole(data["count"]),
            width=_whole(data["width"]),
            height=_whole(data["height"]),
            interval=_number(data["interval"]),
        )


def plan_storyboard(width: int, height: int, duration: float) -> Storyboard:
    """Lay out the thumbnails of a video of `width` x `height` pixels and `duration` seconds.

    At most 100 tiles, so that the file stays small, and never two for the same second; at most 1600 pixels a side,
    which every decoder takes. Raises ValueError for a size of no pixels or no duration.
    """
    if min(width, height) < 1 or not 0 < duration < math.inf:
        raise ValueError(f"{width}x{height} pixels for {duration} s are not a video")
    # Whole milliseconds: WebVTT has no finer time stamps.
    milliseconds = math.ceil(duration * 1000)
    interval = max(_SHORTEST_INTERVAL, math.ceil(milliseconds / _MOST_TILES))
    count = math.ceil(milliseconds / interval)
    rows = math.ceil(count / _MOST_COLUMNS)
    scale = min(1.0, _LONG_SIDE / max(width, height))
    return Storyboard(
        math.ceil(count / rows), count, _even(width * scale), _even(height * scale), interval=interval / 1000
    )


def web_vtt(storyboard: Storyboard, duration: float, uri: str) -> str:
    """Write a WebVTT file (W3C) with a cue for each tile: its time, and `uri` with the tile's media fragment.

    Tiles that start at the end or later are left out; the last one stays until the end. Raises ValueError when the
    video plays less than a millisecond, or when `uri` could break out of its line or has a fragment already.
    """
    if not 0.001 <= duration < math.inf:
        raise ValueError(f"{duration} s are no duration for a cue")
    if not uri or "#" in uri or "-->" in uri or any(c.isspace() or not c.isprintable() for c in uri):
        raise ValueError(f"{uri!r} is not a URI that a cue can hold")
    return "\n\n".join(["WEBVTT", *_cues(storyboard, math.floor(duration * 1000), uri)]) + "\n"


def _cues(storyboard: Storyboard, end: int, uri: str) -> Iterator[str]:
    starts = [round(index * storyboard.interval * 1000) for index in range(storyboard.count)]
    starts = [start for start in starts if start < end]
    for index, (start, stop) in enumerate(zip(starts, [*starts[1:], end], strict=True)):
        row, column = divmod(index, storyboard.columns)
        x, y = column * storyboard.width, row * storyboard.height
        yield f"{_time(start)} --> {_time(stop)}\n{uri}#xywh={x},{y},{storyboard.width},{storyboard.height}"


def _time(milliseconds: int) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"


def _even(length: float) -> int:
    # 4:2:0 needs even sides.
    return max(2, round(length / 2) * 2)


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} in a storyboard must be a whole number")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{value!r} in a storyboard must be a number")
    return float(value)
