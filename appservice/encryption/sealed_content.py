"""The content of a message that holds keys of attachments, as it is stored until its sender fetches it."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from appservice.core.model import UploadId
from appservice.encryption.keyring import Keyring

_SEALED = "sealed"


def seal_content(keyring: Keyring, upload_id: UploadId, content: Mapping[str, object], url: str) -> dict[str, object]:
    """Return what is stored of the content of an upload's message: the URI of its file, and all of it sealed."""
    sealed = keyring.seal(json.dumps(content).encode(), _purpose(upload_id))
    return {"url": url, _SEALED: base64.b64encode(sealed).decode()}


def open_content(keyring: Keyring | None, upload_id: UploadId, stored: dict[str, Any]) -> dict[str, Any]:
    """Return the content of an upload's message, sealed or not. Raises ValueError where its key is not there."""
    if _SEALED not in stored:
        return stored
    if keyring is None:
        raise ValueError("What was uploaded is sealed by `encryption.key`, which is not set.")
    content = json.loads(keyring.open(base64.b64decode(stored[_SEALED]), _purpose(upload_id)))
    if not isinstance(content, dict):
        raise TypeError("What was sealed is no content of a message.")
    return content


def _purpose(upload_id: UploadId) -> str:
    return f"upload {upload_id}"
