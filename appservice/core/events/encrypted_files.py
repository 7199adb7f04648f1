"""The description of an encrypted attachment in an event (`EncryptedFile` of version v2), read and written. Pure."""

import base64
from collections.abc import Mapping

from appservice.core.errors import MalformedEventError
from appservice.core.model import EncryptedFile
from appservice.core.tokens import decode_unpadded, encode_unpadded

_KEY_BYTES = 32
_IV_BYTES = 16
_HASH_BYTES = 32


def read_encrypted_file(file: Mapping[str, object]) -> EncryptedFile:
    """Read what decrypts the file; raises MalformedEventError, which names the field, for anything that is not v2."""
    if file.get("v") != "v2":
        raise MalformedEventError("file is not an EncryptedFile of version v2")
    key = _object(file, "key")
    if key.get("kty") != "oct" or key.get("alg") != "A256CTR":
        raise MalformedEventError("file has a key that is not for A256CTR")
    uses = key.get("key_ops")
    if not isinstance(uses, list) or "decrypt" not in uses:
        raise MalformedEventError("file has a key that is not for decryption")
    return EncryptedFile(
        key=_bytes(key, "k", "key", _KEY_BYTES),
        iv=_bytes(file, "iv", "iv", _IV_BYTES),
        sha256=_bytes(_object(file, "hashes"), "sha256", "hash", _HASH_BYTES),
    )


def encrypted_file_content(file: EncryptedFile, url: str) -> dict[str, object]:
    """Return the `file` of an event for an attachment at a content URI."""
    return {
        "v": "v2",
        "url": url,
        "key": {
            "kty": "oct",
            "alg": "A256CTR",
            "key_ops": ["encrypt", "decrypt"],
            "ext": True,
            "k": base64.urlsafe_b64encode(file.key).decode().rstrip("="),
        },
        "iv": encode_unpadded(file.iv),
        "hashes": {"sha256": encode_unpadded(file.sha256)},
    }


def _object(file: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = file.get(name)
    if not isinstance(value, Mapping):
        raise MalformedEventError(f"file has no {name}")
    return value


def _bytes(fields: Mapping[str, object], field: str, name: str, size: int) -> bytes:
    text = fields.get(field)
    if not isinstance(text, str):
        raise MalformedEventError(f"file has no {name}")
    try:
        data = decode_unpadded(text)
    except ValueError as error:
        raise MalformedEventError(f"file has a {name} that is no base64") from error
    if len(data) != size:
        raise MalformedEventError(f"file has a {name} of {len(data)} bytes instead of {size}")
    return data
