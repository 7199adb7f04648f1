"""How ffmpeg reads a hostile file: demuxer, origin of time, streams that are read for their time stamps alone. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ffmpeg
from ffmpeg.nodes import Stream

from transcode.commandline import audio_filters
from transcode.limits import Limits
from transcode.mp4.moov import Edits
from transcode.process.ffmpeg import Confinement
from transcode.process.tools import Tools
from transcode.source.codecs import DECODERS
from transcode.source.ogg_chains import Link
from transcode.source.probe import Probe

ONE_GRAPH: dict[str, object] = {"reinit_filter": 0}
"""Keeps filters from being restarted where the format changes within the file, when they would lose their state.

Those of video take frames of another size; audio that changes is decoded separately, see `preparation.audio`.
"""

# By default, ffmpeg subtracts the start that it found by looking into the file: of all streams, also those that are not
# played; and nothing where it does not look. So the origin is ours, the same in every command line.
_EXPLICIT_CLOCK: dict[str, object] = {"seek_timestamp": 1}

OWN_CLOCK = frozenset({"mpeg", "mpegts", "nut", "ogg"})
"""Formats whose clock may jump (AVFMT_TS_DISCONT).

Of them ffmpeg subtracts the start of the streams that it reads, whatever its options. So that is left to ffmpeg, and
each command line reads all streams that are played: see `discarded`.
"""

_EDITS: dict[Edits, dict[str, object]] = {
    Edits.APPLIED: {},
    Edits.OFFSET: {"advanced_editlist": 0},
    Edits.IGNORED: {"ignore_editlist": 1},
}


@dataclass(frozen=True, slots=True)
class Access:
    """How a demuxer gets at a container: the byte where it starts, and how to treat its edit lists."""

    start: int = 0
    edits: Edits = Edits.APPLIED

    def url(self, path: Path) -> str:
        """Return ffmpeg's URL of the file, or of the part of it."""
        return f"subfile,,start,{self.start},end,0,,:{path}" if self.start else f"file:{path}"

    @property
    def options(self) -> dict[str, object]:
        """ffmpeg's input options for it."""
        protocols = {"protocol_whitelist": "subfile,file"} if self.start else {}
        return {**protocols, **_EDITS[self.edits]}


PLAIN = Access()
"""From the first byte on, with its edit lists."""


@dataclass(frozen=True, slots=True)
class Source:
    """An examined file, and what reads it. `demuxer` is the one that ffmpeg must be forced to use."""

    tools: Tools
    path: Path
    demuxer: str
    probe: Probe
    limits: Limits
    access: Access = PLAIN
    audio: Path | None = None
    """The file of `preparation.audio`, where the audio changes its format; it starts at the origin of the source."""

    @property
    def reads(self) -> tuple[Path, ...]:
        """The files that its command lines read."""
        return (self.path,) if self.audio is None else (self.path, self.audio)

    def read(self, **options: object) -> Stream:
        """Return the input with additional options; its time counts from the origin unless they change that."""
        # ffmpeg-python identifies an input by its options: one with other options is another input.
        clock = {} if self.demuxer in OWN_CLOCK else _EXPLICIT_CLOCK
        ours = input_options(self.demuxer, self.limits) | self.access.options | clock | self.origin_options(0.0)
        return ffmpeg.input(self.access.url(self.path), **(ours | options))

    def audio_of(self, read: Stream, origin: float = 0.0) -> Stream | None:
        """Return the stereo audio of the input `read`, or of the separate file, whose time counts from `origin`.

        None where there is none.
        """
        if not self.probe.has_audio or self.audio is None:
            return audio_filters.played_tracks(read, self.probe.audio)
        return flac_input(self.audio, itsoffset=f"{0.0 - origin:.6f}")

    def origin_options(self, origin: float) -> dict[str, object]:
        """Return the options that move the origin of time, in seconds after that of the file."""
        return {"itsoffset": f"{0.0 - self._start - origin:.6f}"}

    def seek_options(self, second: float) -> dict[str, object]:
        """Return the options that seek to a `second` after the origin, which becomes 0."""
        return {"ss": f"{self._start + second:.6f}", "itsoffset": 0}

    def discarded_audio(self, read: Stream) -> list[Stream]:
        """Return outputs that read the audio of the file for its time stamps, where it is played from another file."""
        index = self.probe.audio.index
        return [] if self.audio is None or index is None else [discarded(read, index)]

    def confinement(self, deadline: float, folder: Path | None = None) -> Confinement:
        """Return what its command lines may see and use, until `deadline` on the loop's clock, inside a `folder`."""
        return Confinement(self.tools.sandbox, self.limits, deadline, self.reads, folder)

    @property
    def _start(self) -> float:
        return 0.0 if self.demuxer in OWN_CLOCK else self.probe.start


def input_options(demuxer: str, limits: Limits) -> dict[str, object]:
    """Return the options with which every hostile file is read: our demuxer, and nothing but allowed decoders."""
    return {
        "f": demuxer,
        "protocol_whitelist": "file",
        "format_whitelist": demuxer,
        "codec_whitelist": DECODERS,
        "max_streams": limits.max_streams,
        "max_pixels": limits.max_pixels,
        "threads": limits.threads,
    }


def discarded(read: Stream, index: int, **options: object) -> Stream:
    """Return an output that reads a stream for its time stamps alone: see `OWN_CLOCK`."""
    return ffmpeg.output(read[str(index)], "-", f="null", c="copy", **options)


def link_inputs(path: Path, links: Sequence[Link], limits: Limits) -> list[Stream]:
    """Return an input for each link of a chained Ogg file."""
    options = input_options("ogg", limits) | {"protocol_whitelist": "subfile,file"}
    return [ffmpeg.input(f"subfile,,start,{each.start},end,{each.end},,:{path}", **options) for each in links]


def flac_input(path: str | Path, **options: object) -> Stream:
    """Return the audio of a FLAC file that a hostile decoder may have written."""
    known = {"f": "flac", "protocol_whitelist": "file", "format_whitelist": "flac", "codec_whitelist": "flac"}
    return ffmpeg.input(f"file:{path}", **known, **options)["0"]
