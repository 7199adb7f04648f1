"""The installation's key, under which all secrets of encrypted rooms are stored, itself sealed by the operator's.

What is sealed is a version byte, a nonce of 12 bytes, and AES-256-GCM with its purpose as associated data: what is
sealed for one purpose opens for no other.
"""

import base64
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from appservice.core.model import EncryptedFile

if TYPE_CHECKING:  # six megabytes, for installations that encrypt alone
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES, _NONCE_BYTES = 32, 12
_VERSION = b"\x01"
_ATTACHMENT, _INSTALLATION = "attachment", "installation"


class Keyring:
    """The installation's key, and what is derived from it."""

    def __init__(self, installation_key: bytes) -> None:
        self._key = installation_key
        self._sealing = _cipher(installation_key, b"roomreel seal")

    @property
    def pickle_key(self) -> str:
        """The key under which Olm objects are stored."""
        return base64.b64encode(_derive(self._key, b"roomreel pickle key")).decode()

    def seal(self, secret: bytes, purpose: str) -> bytes:
        """Encrypt a secret to be stored."""
        return _seal(self._sealing, secret, purpose)

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Decrypt what was sealed for a purpose. Raises ValueError for anything else."""
        return _open(self._sealing, sealed, purpose)

    def seal_file(self, file: EncryptedFile) -> EncryptedFile:
        """Return the description of an attachment as it is stored."""
        return replace(file, key=self.seal(file.key, _ATTACHMENT), sealed=True) if not file.sealed else file

    def open_file(self, file: EncryptedFile) -> EncryptedFile:
        """Return the description of an attachment by which it is decrypted. Raises ValueError."""
        return replace(file, key=self.open(file.key, _ATTACHMENT), sealed=False) if file.sealed else file

    def sealed_by(self, operators_key: str) -> bytes:
        """Return the installation's key as it is stored."""
        return _seal(_of_operator(operators_key), self._key, _INSTALLATION)


def new_keyring() -> Keyring:
    """Make a new key for an installation."""
    return Keyring(os.urandom(_KEY_BYTES))


def open_keyring(sealed: bytes, operators_key: str) -> Keyring | None:
    """Open the installation's key; None where the operator's is another one."""
    try:
        return Keyring(_open(_of_operator(operators_key), sealed, _INSTALLATION))
    except ValueError:
        return None


def _of_operator(key: str) -> "AESGCM":
    # No password hash: config.yaml.example requires a random secret.
    return _cipher(key.encode(), b"roomreel operator")


def _cipher(secret: bytes, info: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(_derive(secret, info))


def _derive(secret: bytes, info: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(secret)


def _seal(cipher: "AESGCM", secret: bytes, purpose: str) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + cipher.encrypt(nonce, secret, purpose.encode())


def _open(cipher: "AESGCM", sealed: bytes, purpose: str) -> bytes:
    from cryptography.exceptions import InvalidTag

    version, nonce, rest = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    if version != _VERSION or len(nonce) < _NONCE_BYTES:
        raise ValueError("This was not sealed by an installation's key.")
    try:
        return cipher.decrypt(nonce, rest, purpose.encode())
    except InvalidTag as error:
        raise ValueError("What was sealed is damaged, or the key is not the one that sealed it.") from error
