"""Names that a camera gave to files: when it took them, as far as the names have it. Pure.

The widget reads the same names in its viewer's time zone (`widget/src/core/camera.ts`); both are tested with the cases
of `widget/src/core/camera-names.json`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_LONGEST = 100
_SUFFIX = re.compile(r"\.[a-z][a-z0-9]{1,4}\Z", re.IGNORECASE | re.ASCII)
_STAMP = re.compile(
    r"(?P<maker>PXL|MVIMG|IMG|VID|MOV|DSC|PANO|AUD|PTT|REC|WIN|signal|video|photo|image"
    r"|(?P<screen>screen[ _-]?record(?:ing|er)|screencast(?: from)?|screenshot)|WhatsApp (?:Video|Image|Audio|Ptt))?"
    r"[ _-]*(?P<year>(?:19|20)\d\d)[-_.]?(?P<month>\d\d)[-_.]?(?P<day>\d\d)"
    r"(?:(?: at |[ _T-])(?P<hour>\d{1,2})[-_.:]?(?P<minute>[0-5]\d)(?:[-_.:]?[0-5]\d\d{0,3})?"
    r"(?:[\s\u00a0\u202f]?(?P<half>[AP])M)?)?"
    r"(?P<rest>[^\n]*)",
    re.IGNORECASE | re.ASCII,
)
# What cameras and chat apps put behind: a number, `~2`, `(1)`, `-WA0003`, `.TS`, `_HDR`.
_BEHIND = re.compile(r"(?:[-_.~](?:WA)?\d{1,6}|[-_.~][A-Z]{2,9}| ?\(\d{1,3}\))*", re.ASCII)
# Recorders of the screen add the app that they recorded.
_APP = re.compile(r"[-_][\w .-]*", re.ASCII)
_OF_CHAT = re.compile(r"-WA\d", re.ASCII)
# A number of the camera's own, and what iOS makes of a video that it cuts: when it was taken is not in them.
_NUMBERED = re.compile(
    r"(?:(?:IMG|MVI|DSC|DSCN|DSCF|GOPR|GH\d\d|GX\d\d|DJI)_?\d{4,6}|trim\.[0-9A-F][0-9A-F-]{3,40}"
    r"|(?P<screen>RPReplay)_Final\d{6,12})",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Taken:
    """When something was taken: in UTC where `date` has a time zone, else as the camera's clock showed it.

    `timed`: the time of day is known, not the day alone. `screen`: it shows what was on a screen.
    """

    date: datetime
    timed: bool
    screen: bool


def taken_of(name: str, sent: int) -> Taken | None:
    """Return when a file was taken by its name, with its suffix or without; None for what people wrote.

    `sent`, in ms since the epoch, stands where a camera's name has no date.
    """
    if len(name) > _LONGEST:
        return None
    # A suffix may be missing: then what looks like one belongs to the name.
    for each in dict.fromkeys((name, _SUFFIX.sub("", name))):
        if found := _stamped(each) or _numbered(each, sent):
            return found
    return None


def _numbered(name: str, sent: int) -> Taken | None:
    match = _NUMBERED.fullmatch(name)
    if match is None:
        return None
    date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=sent)
    return Taken(date, timed=True, screen=match["screen"] is not None)


def _stamped(name: str) -> Taken | None:
    match = _STAMP.fullmatch(name)
    if match is None:
        return None
    maker, screen, rest, hour = match.group("maker", "screen", "rest", "hour")
    # A day alone may be a title; a chat app says that it named the file.
    named = hour is not None or (maker is not None and _OF_CHAT.match(rest) is not None)
    if not named or not (_BEHIND.fullmatch(rest) or (screen is not None and _APP.fullmatch(rest))):
        return None
    # Pixel phones write UTC; others write what the clock showed.
    zone = UTC if maker is not None and maker.upper() == "PXL" else None
    try:
        year, month, day = (int(match[part]) for part in ("year", "month", "day"))
        date = datetime(year, month, day, _hour(match), int(match["minute"] or 0), tzinfo=zone)
    except ValueError:
        return None  # no such month, day or hour
    return Taken(date, timed=hour is not None, screen=screen is not None)


def _hour(match: re.Match[str]) -> int:
    hour = int(match["hour"] or 12)
    if match["half"] is None:
        return hour
    return hour % 12 + (12 if match["half"].upper() == "P" else 0)
