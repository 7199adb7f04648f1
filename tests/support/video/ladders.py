"""What both lanes make of long enough clips, as their playlists and their files tell it."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import m3u8

from tests.support.video.awkward import X264, Workdir
from tests.support.video.media import transcode
from transcode import (
    Item,
    Limits,
    Rendition,
    Result,
    Settings,
    Tools,
    master_playlist,
    media_playlist,
    tiers,
)
from transcode.mp4.boxes import boxes
from transcode.mp4.fragments import runs_of

TRACKS = {1: "video", 2: "audio"}
# Longer than ffmpeg waits for a stream that lags behind (10 s), so that one which does is seen.
_FILM = ["-f", "lavfi", "-i", "testsrc2=s=480x360:r=30:d=23", "-f", "lavfi", "-i", "sine=440:r=48000:d=23", "-ac", "2"]
LANES = {
    "copied": ("phone.mp4", [*_FILM, *X264, "-bf", "3", "-g", "47", "-preset", "veryfast"]),
    "encoded": ("recording.webm", [*_FILM, "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"]),
    "silent": ("silent.mkv", [*_FILM[:4], *X264]),
}


@dataclass(frozen=True)
class Packet:
    """A sample as a demuxer tells it, in ticks of its track."""

    kind: str
    shown: int
    decoded: int
    length: int
    is_key: bool


@dataclass
class Made:
    """A rendition as its playlist and its files tell it."""

    tools: Tools
    folder: Path
    rendition: Rendition

    @cached_property
    def text(self) -> str:
        return media_playlist([("", self.rendition)])

    @cached_property
    def playlist(self) -> m3u8.M3U8:
        return m3u8.loads(self.text)

    def path(self, uri: str) -> Path:
        return self.folder / uri

    @cached_property
    def init(self) -> Path:
        return self.path(self.playlist.segment_map[0].uri)

    @cached_property
    def segments(self) -> list[Path]:
        return [self.path(segment.uri) for segment in self.playlist.segments]

    @cached_property
    def streams(self) -> list[dict[str, Any]]:
        return list(self._ask(self.init.read_bytes() + self.segments[0].read_bytes(), "-show_streams")["streams"])

    @cached_property
    def alone(self) -> list[list[Packet]]:
        """The packets of each segment, read with nothing but the init segment before it."""
        return [list(self._packets(segment)) for segment in self.segments]

    def of(self, kind: str) -> list[list[Packet]]:
        return [[packet for packet in packets if packet.kind == kind] for packets in self.alone]

    def _packets(self, segment: Path) -> Iterator[Packet]:
        entries = "packet=codec_type,pts,dts,duration,flags"
        data = segment.read_bytes()
        told = self._ask(self.init.read_bytes() + data, "-show_entries", entries)
        # ffmpeg moves all pictures by as much as the most negative offset.
        runs = [run for kind, moof in boxes(data) if kind == b"moof" for run in runs_of(moof)]
        moved = {TRACKS[run.track]: max(0, -min(run.composition_offsets)) for run in runs}
        for packet in told["packets"]:
            kind = packet["codec_type"]
            shown = packet["pts"] - moved[kind]
            yield Packet(kind, shown, packet["dts"], packet["duration"], "K" in packet["flags"])

    def _ask(self, data: bytes, *question: str) -> dict[str, Any]:
        # Without the edit lists' help, and without ffmpeg's own: as it is stored.
        asked = ["-v", "warning", "-ignore_editlist", "1", "-f", "mov", "-of", "json", *question, "-i", "pipe:0"]
        done = subprocess.run([self.tools.ffprobe, *asked], input=data, capture_output=True, check=True)
        assert done.stderr == b"", f"ffprobe complains: {done.stderr.decode()}"
        return dict(json.loads(done.stdout))


@dataclass
class Ladder:
    """All renditions of one stage, and each state that its list was in."""

    made: list[Made]
    result: Result
    states: list[Result] = field(default_factory=list)

    @cached_property
    def tiers(self) -> list[tuple[str, Any]]:
        return [(f"{tier.name}.m3u8", tier) for tier in tiers([Item("", self.result.renditions)])]

    @cached_property
    def master_text(self) -> str:
        return master_playlist(self.tiers)

    @cached_property
    def master(self) -> m3u8.M3U8:
        return m3u8.loads(self.master_text)

    def variants(self) -> Iterator[tuple[Any, Made]]:
        for variant in self.master.playlists:
            yield variant.stream_info, next(m for m in self.made if f"{m.rendition.name}.m3u8" == variant.uri)


async def build(tools: Tools, root: Path) -> dict[str, Ladder]:
    """Make the ladder of every lane below a folder: both stages of it."""
    made = {}
    for lane, (name, arguments) in LANES.items():
        folder = root / lane
        folder.mkdir()
        await asyncio.to_thread(Workdir(tools.ffmpeg, folder).make, name, *arguments)
        states: list[Result] = []
        result = await transcode(
            folder / name, folder / "out", tools=tools, limits=Limits(), settings=Settings(rungs=(360, 240)),
            on_stage=states.append,
        )  # fmt: skip
        for stage, told in (("ready", result), ("playable", states[-1])):
            renditions = [Made(tools, folder / "out" / stage, rendition) for rendition in told.renditions]
            made[f"{lane} {stage}"] = Ladder(renditions, told, states if stage == "playable" else [])
    return made
