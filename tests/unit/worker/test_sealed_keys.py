"""The keys of attachments as they are stored."""

import pytest
from structlog.testing import capture_logs

from appservice.core.errors import MediaError
from appservice.core.model import MALFORMED_FILE, EncryptedFile
from appservice.encryption.keyring import Keyring, new_keyring
from appservice.worker.sealed_keys import opened

FILE = EncryptedFile(key=b"k" * 32, iv=b"i" * 16, sha256=b"h" * 32)


def test_a_key_is_opened_where_it_is_sealed() -> None:
    keyring = new_keyring()
    assert opened(keyring.seal_file(FILE), keyring) == FILE
    assert opened(FILE, keyring) == opened(FILE, None) == FILE


@pytest.mark.parametrize("keyring", [None, new_keyring()])
def test_a_key_that_cannot_be_opened_is_for_the_operator(keyring: Keyring | None) -> None:
    with capture_logs() as logs, pytest.raises(MediaError) as caught:
        opened(new_keyring().seal_file(FILE), keyring)
    assert (caught.value.code, caught.value.final) == ("tool-missing", True)
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("attachment_key_lost", "error")]
    assert "encryption.key" in logs[0]["hint"]


def test_what_decrypts_nothing_is_for_its_sender() -> None:
    keyring = new_keyring()
    for stored in (MALFORMED_FILE, keyring.seal_file(MALFORMED_FILE)):
        with pytest.raises(MediaError) as caught:
            opened(stored, keyring)
        assert (caught.value.code, caught.value.final) == ("encrypted-file", True)
