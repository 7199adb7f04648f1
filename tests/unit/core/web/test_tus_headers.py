"""The headers of tus, right and wrong."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.core.errors import ContentTypeError, InvalidHeaderError, ProtocolVersionError
from appservice.core.text.clean import clean_text
from appservice.core.web import tus_headers


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_only_our_version() -> None:
    tus_headers.check_version({"Tus-Resumable": "1.0.0"})
    for headers in ({}, {"Tus-Resumable": "0.2.2"}, {"Tus-Resumable": ""}):
        with pytest.raises(ProtocolVersionError):
            tus_headers.check_version(headers)


def test_only_the_content_type_of_tus() -> None:
    tus_headers.check_content_type({"Content-Type": "application/offset+octet-stream"})
    for headers in ({}, {"Content-Type": "video/webm"}):
        with pytest.raises(ContentTypeError):
            tus_headers.check_content_type(headers)


def test_offset() -> None:
    assert tus_headers.offset({"Upload-Offset": "0"}) == 0
    assert tus_headers.offset({"Upload-Offset": "70"}) == 70
    for value in ("", "-1", "+1", "1.0", "1e3", "٣", "1" * 16, " 1"):
        with pytest.raises(InvalidHeaderError):
            tus_headers.offset({"Upload-Offset": value})
    with pytest.raises(InvalidHeaderError):
        tus_headers.offset({})


def test_the_length_of_a_new_upload() -> None:
    assert tus_headers.length_of_new({"Upload-Length": "100"}) == 100
    assert tus_headers.length_of_new({"Upload-Length": "0"}) == 0
    assert tus_headers.length_of_new({"Upload-Defer-Length": "1"}) is None
    for headers in (
        {},
        {"Upload-Length": "100", "Upload-Defer-Length": "1"},
        {"Upload-Defer-Length": "0"},
        {"Upload-Length": "-5"},
    ):
        with pytest.raises(InvalidHeaderError):
            tus_headers.length_of_new(headers)


def test_metadata() -> None:
    # The example of the specification.
    text = "filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential"
    assert tus_headers.metadata(text) == {"filename": "world_domination_plan.pdf", "is_confidential": ""}
    assert tus_headers.metadata("") == tus_headers.metadata("  ") == {}
    assert tus_headers.metadata(f"filename {_b64('海边.webm')}, filetype {_b64('video/webm')}") == {
        "filename": "海边.webm",
        "filetype": "video/webm",
    }
    assert tus_headers.metadata("filename /w==") == {"filename": "�"}
    for wrong in ("filename !!", "a b c", ",", "a,a", "ключ eA==", "filename abc"):
        with pytest.raises(InvalidHeaderError):
            tus_headers.metadata(wrong)


@given(st.text())
def test_metadata_never_breaks_otherwise(text: str) -> None:
    with contextlib.suppress(InvalidHeaderError):
        tus_headers.metadata(text)


def test_names_of_files() -> None:
    assert tus_headers.file_name("holiday.mov") == "holiday.mov"
    assert tus_headers.file_name("../../etc/passwd") == "passwd"
    assert tus_headers.file_name("C:\\videos\\a.mp4") == "a.mp4"
    assert tus_headers.file_name("a\x00b\n\u202egpj.mp4") == "ab gpj.mp4"
    assert tus_headers.file_name("海边 🌊.webm") == "海边 🌊.webm"
    for nothing in (None, "", "/", "..", "\u202e", " . "):
        assert tus_headers.file_name(nothing) == "video"
    long = tus_headers.file_name("x" * 500 + ".mp4")
    assert len(long) == 200
    assert long.endswith(".mp4")


@given(st.text())
def test_every_name_is_a_plain_one(text: str) -> None:
    name = tus_headers.file_name(text)
    assert 0 < len(name) <= 200
    assert clean_text(name) == name
    assert not set("/\\") & set(name)
