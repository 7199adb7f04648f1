"""How rows are read: also by the release before, which serves beside this one while it is replaced."""

import pytest

from appservice.core.model import MALFORMED_FILE, EncryptedFile
from appservice.encryption.keyring import new_keyring
from appservice.store.mapping import encrypted_file_json, read_stored_file

FILE = EncryptedFile(key=bytes(range(32)), iv=bytes(16), sha256=bytes(range(32, 64)))


@pytest.mark.parametrize("file", [FILE, new_keyring().seal_file(FILE), MALFORMED_FILE], ids=["clear", "sealed", "none"])
def test_the_key_of_an_attachment_is_stored_in_fields_that_earlier_releases_read(file: EncryptedFile) -> None:
    stored = encrypted_file_json(file)
    assert stored is not None
    assert set(stored) == {"key", "iv", "sha256"}
    assert all(bytes.fromhex(text) is not None for text in stored.values())
    assert read_stored_file(dict(stored)) == file
