"""How Olm objects are stored: encrypted and authenticated under the operator's pickle key.

A pickle is a version byte, 16 bytes of salt, and AES-256-GCM over what vodozemac writes. The keys of both layers are
derived (HKDF-SHA256) from the pickle key and the salt, so no two pickles share one. vodozemac's layer alone would
use the same AES-CBC IV for every pickle under a key, and has no place for what a session must carry along.
"""

import json
import os
from collections.abc import Callable
from typing import Any, ClassVar, Generic, Literal, NamedTuple, Protocol, Self, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appservice.encryption.errors import OlmError, raising

Kind = Literal["account", "session", "inbound group session", "outbound group session", "room key bundle"]
Passphrase = str | bytes


class _Inner(Protocol):
    """An object of vodozemac's."""

    def pickle(self, pickle_key: bytes) -> str:
        """Return it encrypted under a key of 32 bytes."""


Inner = TypeVar("Inner", bound=_Inner)

_VERSION = b"\x01"
_SALT_BYTES = 16
_KEY_BYTES = 32
_NONCE = bytes(12)  # each key encrypts one message


class Unpickled(NamedTuple):
    """What a pickle holds: vodozemac's own pickle with its key, and what was stored beside it."""

    pickle: str
    key: bytes
    extra: str


def seal(kind: Kind, passphrase: Passphrase, write: Callable[[bytes], str], extra: str = "") -> bytes:
    """Return a pickle of what `write` returns for a key of 32 bytes, and of `extra`."""
    salt = os.urandom(_SALT_BYTES)
    inner, outer = _derive(passphrase, salt)
    content = json.dumps([write(inner), extra]).encode()
    return _VERSION + salt + AESGCM(outer).encrypt(_NONCE, content, kind.encode())


def unseal(kind: Kind, passphrase: Passphrase, pickle: bytes) -> Unpickled:
    """Read what `seal` returned. Raises ValueError for another key, another kind of object or a damaged pickle."""
    if pickle[:1] != _VERSION:
        raise ValueError(f"This is no pickle of an Olm {kind}.")
    salt, sealed = pickle[1 : 1 + _SALT_BYTES], pickle[1 + _SALT_BYTES :]
    inner, outer = _derive(passphrase, salt)
    try:
        content = AESGCM(outer).decrypt(_NONCE, sealed, kind.encode())
    except InvalidTag as error:
        raise ValueError(f"The pickle of an Olm {kind} is damaged, or the pickle key is not the one it has.") from error
    written, extra = json.loads(content)
    return Unpickled(written, inner, extra)


class Pickled(Generic[Inner]):
    """An object of this interface on one of vodozemac's, `inner`, which is of `inner_type`."""

    kind: ClassVar[Kind]
    error: ClassVar[type[OlmError]]
    inner_type: ClassVar[Any]
    inner: Inner

    def pickle(self, passphrase: Passphrase) -> bytes:
        """Return the object encrypted under `passphrase`."""
        with raising(self.error):
            return seal(self.kind, passphrase, self.inner.pickle, self._extra())

    @classmethod
    def from_pickle(cls, pickle: bytes, passphrase: Passphrase) -> Self:
        """Read what `pickle` returned."""
        new = cls.__new__(cls)
        with raising(cls.error):
            stored = unseal(cls.kind, passphrase, pickle)
            new.inner = cls.inner_type.from_pickle(stored.pickle, stored.key)
            new._restore(stored.extra)  # noqa: SLF001 - of this class
        return new

    def _extra(self) -> str:
        return ""

    def _restore(self, extra: str) -> None:
        """Take what `_extra` returned."""


def _derive(passphrase: Passphrase, salt: bytes) -> tuple[bytes, bytes]:
    # No password hash: the pickle key is a random secret, and a pickle is written at each message.
    secret = passphrase.encode() if isinstance(passphrase, str) else passphrase
    if not secret:
        raise ValueError("The pickle key is empty.")
    keys = HKDF(algorithm=SHA256(), length=2 * _KEY_BYTES, salt=salt, info=b"roomreel olm pickle").derive(secret)
    return keys[:_KEY_BYTES], keys[_KEY_BYTES:]
