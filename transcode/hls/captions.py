"""Convert a file's subtitles to captions: which tracks, and sanitized cues. Pure.

Everything in them comes from a hostile file. A browser gets WebVTT (W3C) that we have written ourselves: time stamps,
and text without any markup but italics, bold and underline.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from transcode.source.ffprobe import Description

MOST_TRACKS = 8
MOST_BYTES = 2 * 2**20
"""Bytes of one file of captions: some 40 hours of talk."""

TEXT_CODECS = frozenset({"ass", "mov_text", "ssa", "subrip", "text", "webvtt"})
"""ffprobe's names of the subtitle codecs that are text, not images."""

DECODERS = "ass,mov_text,srt,ssa,subrip,text,webvtt"
"""ffmpeg's decoders for them."""

_MOST_CUES = 20_000
_LONGEST_CUE = 2000
_LONGEST_LABEL = 60
_NO_LANGUAGE = frozenset({"", "und", "mis", "mul", "zxx", "unk"})
_TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8}){0,3}", re.ASCII)
_TIME = r"((?:[0-9]{2,4}:)?[0-5][0-9]:[0-5][0-9]\.[0-9]{3})"
_TIMING = re.compile(rf"{_TIME} --> {_TIME}(?:[ \t].*)?", re.ASCII)
_KEPT = re.compile(r"(</?[ibu]>|&(?:amp|lt|gt|nbsp|lrm|rlm);)")
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_OVERRIDE = re.compile(r"\{\\[^}]*\}")  # style overrides of ASS


@dataclass(frozen=True, slots=True)
class Captions:
    """A file of captions in a stage's folder; `language` is BCP 47, None where it is not known."""

    name: str
    language: str | None
    label: str

    def to_json(self) -> dict[str, object]:
        """Return a mapping that `json.dumps` takes and `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave, also after a round trip through JSON."""
        return cls(name=data["name"], language=data["language"], label=data["label"])


@dataclass(frozen=True, slots=True)
class Track:
    """A subtitle stream of a file, by its index, and what it becomes."""

    index: int
    captions: Captions


def tracks_of(description: Description) -> tuple[Track, ...]:
    """Choose the subtitle streams that become captions, the first ones if there are many."""
    found: list[Track] = []
    labels: set[str] = set()
    for stream in description.streams:
        if stream.codec_type != "subtitle" or stream.codec_name not in TEXT_CODECS:
            continue
        if len(found) == MOST_TRACKS:
            break
        language = _language(stream.tags.get("language", ""))
        label = _label(stream.tags.get("title", "")) or language or str(len(found) + 1)
        if label in labels:  # viewers choose by it
            label = f"{label} ({len(found) + 1})"
        labels.add(label)
        found.append(Track(stream.index, Captions(f"captions{len(found)}.vtt", language, label)))
    return tuple(found)


def cleaned(text: str) -> str:
    """Rewrite the cues of a WebVTT file, without anything else; empty where there is none."""
    cues = []
    for count, cue in enumerate(_cues(text)):
        if count == _MOST_CUES:
            break
        cues.append(cue)
    return "WEBVTT\n\n" + "\n".join(cues) if cues else ""


def _cues(text: str) -> Iterator[str]:
    for block in re.split(r"\n{2,}", text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")):
        lines = block.split("\n")
        timed = [(number, found) for number, line in enumerate(lines[:2]) if (found := _TIMING.fullmatch(line))]
        if not timed:
            continue
        number, timing = timed[0]
        start, end = timing.groups()
        text = "\n".join(lines[number + 1 :])[:_LONGEST_CUE]
        said = "\n".join(filter(None, map(_plain, text.split("\n"))))
        if said and _seconds(start) < _seconds(end):
            yield f"{start} --> {end}\n{said}\n"


def _plain(line: str) -> str:
    parts = _KEPT.split(_OVERRIDE.sub("", line))
    # Every second part is allowed markup; the others are escaped.
    return "".join(
        part if number % 2 else "".join(_ESCAPED.get(character, character) for character in part)
        for number, part in enumerate(parts)
    ).strip()


def _seconds(time: str) -> float:
    *hours, minutes, seconds = time.split(":")
    return float(hours[0] if hours else 0) * 3600 + float(minutes) * 60 + float(seconds)


def _language(stated: str) -> str | None:
    tag = stated.strip().lower().replace("_", "-")
    main, _, rest = tag.partition("-")
    if main in _NO_LANGUAGE or not _TAG.fullmatch(tag):
        return None
    from langcodes import Language  # five megabytes, for videos with captions alone

    # Containers have ISO 639-2, of which BCP 47 prefers ISO 639-1. Of a hostile tag only the language is looked up:
    # langcodes caches all that it parses, for good, and there are only so many languages of three letters.
    language = Language.get(main).language or main
    return language + (f"-{_cased(rest)}" if rest else "")


def _cased(subtags: str) -> str:
    # RFC 5646, 2.1.1: Hant, TW.
    cases = {4: str.capitalize, 2: str.upper}
    return "-".join(cases.get(len(subtag), str)(subtag) for subtag in subtags.split("-"))


def _label(title: str) -> str:
    return "".join(character for character in title if character.isprintable()).strip()[:_LONGEST_LABEL].strip()
