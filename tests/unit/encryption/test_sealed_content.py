"""The content of a message with keys, as it is stored."""

import json

import pytest

from appservice.core.model import UploadId
from appservice.encryption.keyring import new_keyring
from appservice.encryption.sealed_content import open_content, seal_content

UPLOAD = UploadId("0b0e1f3c-0000-4000-8000-000000000001")
CONTENT = {"msgtype": "m.video", "body": "海边.mp4", "file": {"key": {"k": "secret"}}, "info": {"w": 320}}
URL = "mxc://test.local/a"


def test_what_is_stored_names_the_file_and_holds_nothing_else_in_clear() -> None:
    keyring = new_keyring()
    stored = json.loads(json.dumps(seal_content(keyring, UPLOAD, CONTENT, URL)))
    assert set(stored) == {"url", "sealed"}
    assert stored["url"] == URL
    assert "secret" not in json.dumps(stored)
    assert open_content(keyring, UPLOAD, stored) == CONTENT


def test_it_opens_for_no_other_upload_and_no_other_key() -> None:
    keyring = new_keyring()
    stored = seal_content(keyring, UPLOAD, CONTENT, URL)
    for other, upload_id in ((keyring, UploadId("another")), (new_keyring(), UPLOAD), (None, UPLOAD)):
        with pytest.raises(ValueError, match="sealed"):
            open_content(other, upload_id, stored)


def test_what_was_not_sealed_is_as_it_is() -> None:
    plain = {"msgtype": "m.video", "url": URL}
    assert open_content(None, UPLOAD, plain) == plain
