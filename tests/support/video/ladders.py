"""Make ladders of long enough clips, by stream copy and by encoding, and read their playlists and files."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import m3u8

from tests.support.video.corpus_case import X264, Workdir
from tests.support.video.output_checks import transcode
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
# Longer than ffmpeg waits for a stream that lags behind (10 s), so that such a lag fails a test.
_AV = ["-f", "lavfi", "-i", "testsrc2=s=480x360:r=30:d=23", "-f", "lavfi", "-i", "sine=440:r=48000:d=23", "-ac", "2"]
SOURCES = {
    "copied": ("phone.mp4", [*_AV, *X264, "-bf", "3", "-g", "47", "-preset", "veryfast"]),
    "encoded": ("recording.webm", [*_AV, "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"]),
    "silent": ("silent.mkv", [*_AV[:4], *X264]),
}


@dataclass(frozen=True)
class Packet:
    """A packet as ffprobe reports it, in ticks of its track."""

    kind: str
    shown: int
    decoded: int
    length: int
    is_key: bool


@dataclass
class RenditionFiles:
    """A rendition: its playlist, and its files as ffprobe reads them."""

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
        return list(self._probe(self.init.read_bytes() + self.segments[0].read_bytes(), "-show_streams")["streams"])

    @cached_property
    def alone(self) -> list[list[Packet]]:
        """The packets of each segment, read after its initialization segment alone."""
        return [list(self._packets(segment)) for segment in self.segments]

    def of(self, kind: str) -> list[list[Packet]]:
        return [[packet for packet in packets if packet.kind == kind] for packets in self.alone]

    def _packets(self, segment: Path) -> Iterator[Packet]:
        entries = "packet=codec_type,pts,dts,duration,flags"
        data = segment.read_bytes()
        probed = self._probe(self.init.read_bytes() + data, "-show_entries", entries)
        # ffmpeg adds the most negative composition offset to all presentation times.
        runs = [run for kind, moof in boxes(data) if kind == b"moof" for run in runs_of(moof)]
        offsets = {TRACKS[run.track]: max(0, -min(run.composition_offsets)) for run in runs}
        for packet in probed["packets"]:
            kind = packet["codec_type"]
            shown = packet["pts"] - offsets[kind]
            yield Packet(kind, shown, packet["dts"], packet["duration"], "K" in packet["flags"])

    def _probe(self, data: bytes, *options: str) -> dict[str, Any]:
        # As it is stored: without edit lists.
        arguments = ["-v", "warning", "-ignore_editlist", "1", "-f", "mov", "-of", "json", *options, "-i", "pipe:0"]
        done = subprocess.run([self.tools.ffprobe, *arguments], input=data, capture_output=True, check=True)
        assert done.stderr == b"", f"ffprobe complains: {done.stderr.decode()}"
        return dict(json.loads(done.stdout))


@dataclass
class Ladder:
    """All renditions of one stage, and each state of its playlist."""

    files: list[RenditionFiles]
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

    def variants(self) -> Iterator[tuple[Any, RenditionFiles]]:
        for variant in self.master.playlists:
            yield variant.stream_info, next(m for m in self.files if f"{m.rendition.name}.m3u8" == variant.uri)


async def build(tools: Tools, root: Path) -> dict[str, Ladder]:
    """Make the ladders of every source below a folder: both stages of each."""
    ladders = {}
    for source, (name, arguments) in SOURCES.items():
        folder = root / source
        folder.mkdir()
        await asyncio.to_thread(Workdir(tools.ffmpeg, folder).make, name, *arguments)
        states: list[Result] = []
        result = await transcode(
            folder / name, folder / "out", tools=tools, limits=Limits(),
            settings=Settings(rungs=(360, 240), every_rung=True), on_stage=states.append,
        )  # fmt: skip
        for stage, reported in (("ready", result), ("playable", states[-1])):
            renditions = [RenditionFiles(tools, folder / "out" / stage, rendition) for rendition in reported.renditions]
            ladders[f"{source} {stage}"] = Ladder(renditions, reported, states if stage == "playable" else [])
    return ladders
