"""Each field of an encrypted attachment's description is hostile; what is wrong is named."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.core.errors import MalformedEventError
from appservice.core.events.encrypted_files import encrypted_file_content, read_encrypted_file
from appservice.core.model import EncryptedFile

FILE = EncryptedFile(key=b"\xfb\xff" * 16, iv=b"\xfb\xff\xfe" * 2 + bytes(10), sha256=b"\xff\xfe" * 16)
CONTENT = encrypted_file_content(FILE, "mxc://test.local/a")
Json = dict[str, Any]


def _with(path: str, value: object) -> Json:
    """Return a description with one value replaced; without it for `...`."""
    content: Json = {**CONTENT, "key": dict(CONTENT["key"]), "hashes": dict(CONTENT["hashes"])}  # type: ignore[call-overload]
    *above, name = path.split(".")
    place = content[above[0]] if above else content
    if value is ...:
        del place[name]
    else:
        place[name] = value
    return content


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("v", ..., "version v2"), ("v", "v1", "version v2"), ("v", 2, "version v2"),
        ("key", ..., "no key"), ("key", "text", "no key"), ("key", None, "no key"),
        ("key.kty", ..., "A256CTR"), ("key.kty", "RSA", "A256CTR"),
        ("key.alg", ..., "A256CTR"), ("key.alg", "A256GCM", "A256CTR"), ("key.alg", ["A256CTR"], "A256CTR"),
        ("key.key_ops", ..., "for decryption"), ("key.key_ops", ["encrypt"], "for decryption"),
        ("key.key_ops", "decrypt", "for decryption"), ("key.key_ops", {"decrypt": 1}, "for decryption"),
        ("key.k", ..., "no key"), ("key.k", 5, "no key"), ("key.k", "", "key of 0 bytes instead of 32"),
        ("key.k", _base64(b"k" * 31), "key of 31 bytes instead of 32"), ("key.k", _base64(b"k" * 33), "of 33 bytes"),
        ("key.k", "é" * 43, "key that is no base64"), ("key.k", "A" * 41, "key that is no base64"),
        ("iv", ..., "no iv"), ("iv", None, "no iv"), ("iv", _base64(b"i" * 8), "iv of 8 bytes instead of 16"),
        ("iv", _base64(b"i" * 17), "iv of 17 bytes"), ("iv", "%" * 22, "iv that is no base64"),
        ("hashes", ..., "no hashes"), ("hashes", [], "no hashes"), ("hashes.sha256", ..., "no hash"),
        ("hashes.sha256", None, "no hash"), ("hashes.sha256", _base64(b"h" * 20), "hash of 20 bytes instead of 32"),
        ("hashes.sha256", "\0" * 43, "hash that is no base64"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(path: str, value: object, text: str) -> None:
    with pytest.raises(MalformedEventError, match=text):
        read_encrypted_file(_with(path, value))


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("padding", ["", "="])
def test_either_alphabet_is_read_padded_or_not(encode: Callable[[bytes], bytes], padding: str) -> None:
    def text(data: bytes) -> str:
        encoded = encode(data).decode()
        return encoded if padding else encoded.rstrip("=")

    content = _with("key.k", text(FILE.key)) | {"iv": text(FILE.iv), "hashes": {"sha256": text(FILE.sha256)}}
    assert read_encrypted_file(content) == FILE


def test_what_is_written_is_as_the_specification_has_it() -> None:
    assert CONTENT["url"] == "mxc://test.local/a"
    assert CONTENT["key"] == {
        "kty": "oct", "alg": "A256CTR", "ext": True, "key_ops": ["encrypt", "decrypt"],
        "k": "-__7__v_-__7__v_-__7__v_-__7__v_-__7__v_-_8",
    }  # fmt: skip
    assert "=" not in f"{CONTENT['iv']}{CONTENT['hashes']}"


@given(key=st.binary(min_size=32, max_size=32), iv=st.binary(min_size=16, max_size=16), data=st.data())
def test_what_is_written_is_read(key: bytes, iv: bytes, data: st.DataObject) -> None:
    file = EncryptedFile(key=key, iv=iv, sha256=data.draw(st.binary(min_size=32, max_size=32)))
    assert read_encrypted_file(encrypted_file_content(file, "mxc://test.local/a")) == file


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(
    path=st.sampled_from(["v", "key", "key.kty", "key.alg", "key.key_ops", "key.k", "iv", "hashes", "hashes.sha256"]),
    value=_JSON,
)
def test_anything_else_in_a_field_is_malformed_and_nothing_worse(path: str, value: object) -> None:
    with pytest.raises(MalformedEventError):
        read_encrypted_file(_with(path, value))
