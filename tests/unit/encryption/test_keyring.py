"""What the installation's key seals opens for it alone, and for what it was sealed for."""

import pytest

from appservice.core.model import EncryptedFile
from appservice.encryption.keyring import new_keyring, open_keyring

FILE = EncryptedFile(key=b"k" * 32, iv=b"i" * 16, sha256=b"s" * 32)


def test_what_is_sealed_opens_for_its_purpose_alone() -> None:
    keyring = new_keyring()
    sealed = keyring.seal(b"secret", "media")
    assert b"secret" not in sealed
    assert keyring.open(sealed, "media") == b"secret"
    with pytest.raises(ValueError, match="damaged"):
        keyring.open(sealed, "attachment")
    with pytest.raises(ValueError, match="damaged"):
        new_keyring().open(sealed, "media")


@pytest.mark.parametrize("damage", [b"", b"\x02", b"\x01short"])
def test_what_nobody_sealed_is_refused(damage: bytes) -> None:
    with pytest.raises(ValueError, match="sealed"):
        new_keyring().open(damage, "media")


def test_each_sealing_differs() -> None:
    keyring = new_keyring()
    assert keyring.seal(b"secret", "media") != keyring.seal(b"secret", "media")


def test_the_key_of_an_attachment_is_sealed_once() -> None:
    keyring = new_keyring()
    sealed = keyring.seal_file(FILE)
    assert FILE.key not in sealed.key
    assert keyring.seal_file(sealed) == sealed
    assert keyring.open_file(sealed) == FILE
    assert keyring.open_file(FILE) == FILE


def test_the_operators_key_opens_the_installations() -> None:
    keyring = new_keyring()
    stored = keyring.sealed_by("operator's key")
    opened = open_keyring(stored, "operator's key")
    assert opened is not None
    assert opened.pickle_key == keyring.pickle_key
    assert opened.open(keyring.seal(b"secret", "media"), "media") == b"secret"
    assert open_keyring(stored, "another key") is None
