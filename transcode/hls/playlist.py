"""Write HLS playlists (RFC 8216) of one video and of lists of videos, from measured renditions: pure.

A reel is many videos in one playlist, with a discontinuity between two of them. Because a player may switch variants at
any segment, the playlists of all tiers must have the same timeline: that is why the renditions of a video have the same
segment boundaries, and why a video that lacks a rung lends its nearest one to that tier.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Protocol, Self

from transcode.hls.encryption import KEY, segment_iv

# ruff: noqa: TRY004 - whatever is wrong with stored JSON, its reader gets one kind of error.

VERSION = 7
"""The declared protocol version: fragmented MP4 through EXT-X-MAP in ordinary playlists needs at least 6."""

POSTER = "poster.jpg"
"""Name of the poster image in a stage's folder."""

STORYBOARD = "storyboard.jpg"
"""Name of the sprite sheet, with a thumbnail for each interval, in a stage's folder."""

PREVIEW = "preview.mp4"
"""Name of the short silent clip in a stage's folder."""


class Variant(Protocol):
    """The attributes of EXT-X-STREAM-INF in a master playlist."""

    @property
    def width(self) -> int:
        """Pixels across."""

    @property
    def height(self) -> int:
        """Pixels down."""

    @property
    def frame_rate(self) -> float:
        """Frames per second."""

    @property
    def codecs(self) -> str:
        """RFC 6381 list of what is inside."""

    @property
    def bandwidth(self) -> int:
        """Bits per second of the worst segment."""

    @property
    def average_bandwidth(self) -> int:
        """Bits per second over the whole."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """One rendition of one video, as measured on its files.

    `name` is its folder and its rung ('720'), `width` and `height` are pixels, `frame_rate` is frames per second,
    `codecs` is the RFC 6381 list, both bandwidths are bits per second (peak segment, and mean), `durations` are the
    seconds of each segment in order. Files: `{name}/init.mp4` and `{name}/{i}.m4s`, i counting from 0.
    """

    name: str
    width: int
    height: int
    frame_rate: float
    codecs: str
    bandwidth: int
    average_bandwidth: int
    durations: tuple[float, ...]

    @property
    def duration(self) -> float:
        """Duration in seconds."""
        return math.fsum(self.durations)

    @property
    def short_side(self) -> int:
        """Pixels of the shorter side."""
        return min(self.width, self.height)

    def to_json(self) -> dict[str, object]:
        """Return a mapping that `json.dumps` takes and `from_json` reads back."""
        return {**asdict(self), "durations": list(self.durations)}

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Read what `to_json` gave, also after a round trip through JSON. Raises ValueError for anything else."""
        names = {field.name for field in fields(cls)}
        if set(data) != names:
            raise ValueError(f"a rendition has the keys {sorted(names)}, not {sorted(data)}")
        durations = data["durations"]
        if not isinstance(durations, list | tuple):
            raise ValueError("durations of a rendition must be a list")
        return cls(
            name=_text(data["name"]),
            width=_whole(data["width"]),
            height=_whole(data["height"]),
            frame_rate=_number(data["frame_rate"]),
            codecs=_text(data["codecs"]),
            bandwidth=_whole(data["bandwidth"]),
            average_bandwidth=_whole(data["average_bandwidth"]),
            durations=tuple(_number(seconds) for seconds in durations),
        )


@dataclass(frozen=True, slots=True)
class Item:
    """One video of a list. `prefix` is the relative URI of its folder: '' or something that ends in '/'."""

    prefix: str
    renditions: tuple[Rendition, ...]

    def __post_init__(self) -> None:
        _check_prefix(self.prefix)
        if not self.renditions:
            raise ValueError(f"item {self.prefix!r} has no renditions")


@dataclass(frozen=True, slots=True)
class Tier:
    """One variant of a whole list: for each item the rendition that serves it. Figures are the peaks of its parts."""

    name: str
    width: int
    height: int
    frame_rate: float
    codecs: str
    bandwidth: int
    average_bandwidth: int
    parts: tuple[tuple[str, Rendition], ...]


def media_playlist(
    items: Sequence[tuple[str, Rendition]],
    repeat: int = 1,
    available: int | None = None,
    encrypted: Collection[str] = (),
) -> str:
    """Write the playlist that plays `items` (folder prefix, rendition) in order, the whole list `repeat` times.

    `available` is the number of existing segments of a last item that is still in progress: the playlist is then a live
    one to which segments are only ever added (EVENT, RFC 8216 section 4.3.3.5), and which plays from its start. Whoever
    serves it has to block requests for a segment to come (`has_segment`). When all exist it ends, and must stay of that
    type (section 6.2.1).
    `encrypted` are the prefixes of those items whose files are; each has its key beside them (`encryption.KEY`).
    Raises ValueError when there is nothing to play, when a prefix is not a folder URI, when `repeat` is below 1, or
    above 1 for a live list.
    """
    if not items:
        raise ValueError("a playlist needs at least one item")
    event = available is not None
    live = available is not None and available < len(items[-1][1].durations)
    if repeat < 1 or (live and repeat > 1):
        raise ValueError(f"repeat must be at least 1, and 1 for a live list, not {repeat}")
    longest = max(max(rendition.durations) for _, rendition in items)
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        # Including segments to come: it must never change.
        f"#EXT-X-TARGETDURATION:{math.ceil(longest)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'EVENT' if event else 'VOD'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    if event:
        # Else players start at the live edge.
        lines += ["#EXT-X-START:TIME-OFFSET=0", "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES"]
    *before, last = items
    once = [list(_item_lines(prefix, rendition, encrypted)) for prefix, rendition in before]
    once.append(list(_item_lines(*last, encrypted, available)))
    for index, item in enumerate(once * repeat):
        if index:
            lines.append("#EXT-X-DISCONTINUITY")
        lines += item
    if not live:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def has_segment(playlist: str, number: int) -> bool:
    """Return whether a media playlist has a segment of a Media Sequence Number, or will never get it.

    A request for one to come (`_HLS_msn`) is blocked until then: draft-pantos-hls-rfc8216bis section 6.2.5.2.
    """
    return "#EXT-X-ENDLIST" in playlist or playlist.count("#EXTINF:") > number


def master_playlist(variants: Sequence[tuple[str, Variant]]) -> str:
    """Write the playlist that lists one media playlist (relative URI) per variant, in the order given.

    Raises ValueError when there are none, or when a URI could break out of its line.
    """
    if not variants:
        raise ValueError("a master playlist needs at least one variant")
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for uri, variant in variants:
        _check_uri(uri)
        lines.append(
            f"#EXT-X-STREAM-INF:BANDWIDTH={variant.bandwidth},AVERAGE-BANDWIDTH={variant.average_bandwidth},"
            f'RESOLUTION={variant.width}x{variant.height},CODECS="{variant.codecs}",'
            f"FRAME-RATE={variant.frame_rate:.3f}"
        )
        lines.append(uri)
    return "\n".join(lines) + "\n"


def tiers(items: Sequence[Item]) -> list[Tier]:
    """Return one tier per rung that any item has, lowest first.

    Each item is in every tier: by its largest rendition that is no taller than the tier, else by its smallest.
    """
    names = {rendition.name for item in items for rendition in item.renditions}
    return [_tier(name, items) for name in sorted(names, key=int)]


def _item_lines(
    prefix: str, rendition: Rendition, encrypted: Collection[str], available: int | None = None
) -> Iterator[str]:
    _check_prefix(prefix)
    folder = f"{prefix}{rendition.name}/"
    is_encrypted = prefix in encrypted
    if is_encrypted:
        yield _key_line(prefix, rendition, None)
    elif encrypted:
        # Else the key of an item before it would count on.
        yield "#EXT-X-KEY:METHOD=NONE"
    yield f'#EXT-X-MAP:URI="{folder}init.mp4"'
    for index, seconds in enumerate(rendition.durations[:available]):
        if is_encrypted:
            yield _key_line(prefix, rendition, index)
        yield f"#EXTINF:{seconds:.6f},"
        yield f"{folder}{index}.m4s"


def _key_line(prefix: str, rendition: Rendition, index: int | None) -> str:
    # The default IV is the sequence number, which differs between lists.
    return f'#EXT-X-KEY:METHOD=AES-128,URI="{prefix}{KEY}",IV=0x{segment_iv(rendition.name, index).hex()}'


def _tier(name: str, items: Sequence[Item]) -> Tier:
    parts = tuple((item.prefix, _serving(int(name), item.renditions)) for item in items)
    chosen = [rendition for _, rendition in parts]
    largest = max(chosen, key=lambda rendition: rendition.width * rendition.height)
    bits = math.fsum(rendition.average_bandwidth * rendition.duration for rendition in chosen)
    return Tier(
        name=name,
        width=largest.width,
        height=largest.height,
        frame_rate=max(rendition.frame_rate for rendition in chosen),
        codecs=_covering([rendition.codecs for rendition in chosen]),
        bandwidth=max(rendition.bandwidth for rendition in chosen),
        average_bandwidth=math.ceil(bits / math.fsum(rendition.duration for rendition in chosen)),
        parts=parts,
    )


def _covering(codecs: Sequence[str]) -> str:
    """Return the highest profile with the highest level: stream copies have their source's own, 'avc1.' PP CC LL."""
    highest = max(codecs)
    level = slice(len("avc1.PPCC"), len("avc1.PPCCLL"))
    return highest[: level.start] + max(each[level] for each in codecs) + highest[level.stop :]


def _serving(short_side: int, renditions: Sequence[Rendition]) -> Rendition:
    by_size = sorted(renditions, key=lambda rendition: rendition.short_side)
    return next((r for r in reversed(by_size) if r.short_side <= short_side), by_size[0])


def _check_prefix(prefix: str) -> None:
    if prefix and not prefix.endswith("/"):
        raise ValueError(f"prefix {prefix!r} must be empty or end in '/'")
    _check_uri(prefix)


def _check_uri(uri: str) -> None:
    if any(character in '"\\' or character.isspace() or not character.isprintable() for character in uri):
        raise ValueError(f"{uri!r} is not a URI that a playlist can hold")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} in a rendition must be text")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} in a rendition must be a whole number")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{value!r} in a rendition must be a number")
    return float(value)
