"""Parse ffprobe's JSON, once, into typed values: pure.

Every figure comes from a hostile file: absent, absurd and contradictory values are normal, and become 0, "" or None.
"""

import math
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from transcode.errors import BrokenFile


def finite(value: object) -> float | None:
    """Convert a figure that ffprobe printed; None unless it is a finite number."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def ratio(value: str, separator: str = "/") -> float:
    """Convert a fraction like `30000/1001`; 0 unless it is above 0."""
    above, _, below = value.partition(separator)
    numerator, denominator = finite(above), finite(below)
    return numerator / denominator if numerator and denominator and numerator / denominator > 0 else 0.0


def _count(value: object) -> int:
    number = finite(value)
    return int(number) if number is not None and number > 0 else 0


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _lower_keys(value: object) -> object:
    return {str(key).lower(): str(text) for key, text in value.items()} if isinstance(value, dict) else value


_Seconds = Annotated[float | None, BeforeValidator(finite)]
_Count = Annotated[int, BeforeValidator(_count)]
_Text = Annotated[str, BeforeValidator(_text)]
_Tags = Annotated[dict[str, str], BeforeValidator(_lower_keys)]


class _Described(BaseModel):
    model_config = ConfigDict(frozen=True)


class Disposition(_Described):
    """What the container says a stream is for."""

    default: bool = False
    attached_pic: bool = False
    """Whether it is cover art: an image, not a video."""


class SideData(_Described):
    """Metadata of a video stream beside its codec parameters: degrees, and pixels cut off at each side."""

    rotation: _Seconds = None
    crop_top: _Count = 0
    crop_bottom: _Count = 0
    crop_left: _Count = 0
    crop_right: _Count = 0


class Stream(_Described):
    """A stream of the file. Times are seconds, None where they are not known; names are ffmpeg's."""

    index: _Count = 0
    codec_type: _Text = ""
    codec_name: _Text = ""
    codec_tag_string: _Text = ""
    profile: _Text = ""
    level: _Count = 0
    nal_length_size: _Count = 0
    width: _Count = 0
    height: _Count = 0
    sample_aspect_ratio: _Text = ""
    avg_frame_rate: _Text = ""
    r_frame_rate: _Text = ""
    has_b_frames: _Count = 0
    start_time: _Seconds = None
    duration: _Seconds = None
    pix_fmt: _Text = ""
    color_space: _Text = "unknown"
    color_transfer: _Text = ""
    field_order: _Text = ""
    sample_rate: _Count = 0
    channels: _Count = 0
    channel_layout: _Text = ""
    tags: _Tags = {}
    """By lower-case key."""
    disposition: Disposition = Disposition()
    side_data_list: tuple[SideData, ...] = ()


class Format(_Described):
    """The container: the earliest start of all streams in seconds, bytes of the file."""

    start_time: _Seconds = None
    size: _Count = 0


class Description(_Described):
    """What ffprobe found in a file, as `commandline.probing.probe` requests it."""

    streams: tuple[Stream, ...] = ()
    format: Format = Format()


def parse(text: str | bytes) -> Description:
    """Parse ffprobe's output. Raises BrokenFile for anything but JSON of the expected shape."""
    try:
        return Description.model_validate_json(text)
    except ValidationError as error:
        about = error.errors(include_url=False, include_input=False)[0]
        raise BrokenFile(f"ffprobe's output is not as expected: {about['msg']} {about['loc']}") from error


def entries() -> str:
    """Return the argument of `-show_entries` that requests all of a Description."""
    streams = [name for name in Stream.model_fields if name not in {"tags", "disposition", "side_data_list"}]
    side_data = ["side_data_type", *SideData.model_fields]
    return (
        f"format={','.join(Format.model_fields)}:stream={','.join(streams)}:stream_tags=language,title"
        f":stream_disposition={','.join(Disposition.model_fields)}:stream_side_data={','.join(side_data)}"
    )
