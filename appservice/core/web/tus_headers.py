"""The headers of tus 1.0 (https://tus.io/protocols/resumable-upload), read and checked. Pure."""

import base64
import binascii
import re
from collections.abc import Mapping

from appservice.core.errors import ContentTypeError, InvalidHeaderError, ProtocolVersionError
from appservice.core.text.clean import clean_text

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-defer-length,termination,expiration"

_CONTENT_TYPE = "application/offset+octet-stream"
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)
_KEY = re.compile(r"[!-+\--~]+", re.ASCII)  # ASCII without spaces and commas
_LONGEST_NAME = 200
_LONGEST_GIVEN = 8192


def check_version(headers: Mapping[str, str]) -> None:
    """Raise ProtocolVersionError for a client of another version, or of none."""
    if headers.get("Tus-Resumable") != VERSION:
        raise ProtocolVersionError(f"Tus-Resumable must be {VERSION}.")


def check_content_type(headers: Mapping[str, str]) -> None:
    """Raise ContentTypeError for the body of a PATCH that is none of tus."""
    if headers.get("Content-Type") != _CONTENT_TYPE:
        raise ContentTypeError(f"Content-Type must be {_CONTENT_TYPE}.")


def offset(headers: Mapping[str, str]) -> int:
    """Return where the body of a PATCH belongs. Raises InvalidHeaderError."""
    value = _number(headers, "Upload-Offset")
    if value is None:
        raise InvalidHeaderError("Upload-Offset is missing.")
    return value


def declared_length(headers: Mapping[str, str]) -> int | None:
    """Return the bytes of the whole upload, None when the request does not say. Raises InvalidHeaderError."""
    return _number(headers, "Upload-Length")


def length_of_new(headers: Mapping[str, str]) -> int | None:
    """Return the bytes that a new upload is to have, None when they are declared later. Raises InvalidHeaderError."""
    length, deferred = declared_length(headers), headers.get("Upload-Defer-Length")
    if deferred not in {None, "1"}:
        raise InvalidHeaderError("Upload-Defer-Length can only be 1.")
    if (length is None) == (deferred is None):
        raise InvalidHeaderError("Either Upload-Length or Upload-Defer-Length must be there.")
    return length


def metadata(text: str) -> dict[str, str]:
    """Read Upload-Metadata: comma-separated pairs of a key and its value in base64. Raises InvalidHeaderError.

    A value that is not UTF-8 is read as well as can be.
    """
    read: dict[str, str] = {}
    for pair in text.split(",") if text.strip() else ():
        key, _, value = pair.strip().partition(" ")
        if not _KEY.fullmatch(key) or key in read:
            raise InvalidHeaderError("Upload-Metadata has a key that is empty, not ASCII, or there twice.")
        try:
            read[key] = base64.b64decode(value, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError) as error:
            raise InvalidHeaderError("Upload-Metadata has a value that is not base64.") from error
    return read


def file_name(given: str | None, otherwise: str = "video") -> str:
    """Return a name as a message may carry it: no folders, nothing invisible, of a sensible length."""
    last = re.split(r"[/\\]", given or "")[-1]
    name = (clean_text(last, _LONGEST_GIVEN) or "").strip(" .")
    return clean_text(name[-_LONGEST_NAME:]) or otherwise


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name)
    if value is None:
        return None
    if not _NUMBER.fullmatch(value):
        raise InvalidHeaderError(f"{name} must be a number that is not negative.")
    return int(value)
