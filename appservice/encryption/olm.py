"""Stands in for the module `olm` of python-olm (libolm's bindings), as far as mautrix.crypto uses it.

libolm is unmaintained and has no wheels for current versions of Python; vodozemac is its successor.
`installation.install` makes this module what `import olm` finds.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appservice.core.tokens import encode_unpadded
from appservice.encryption.errors import OlmError
from appservice.encryption.megolm_sessions import InboundGroupSession, OlmGroupSessionError, OutboundGroupSession
from appservice.encryption.olm_sessions import (
    Account,
    InboundSession,
    OlmAccountError,
    OlmMessage,
    OlmPreKeyMessage,
    OlmSessionError,
    OutboundSession,
    Session,
)

__all__ = [
    "Account",
    "InboundGroupSession",
    "InboundSession",
    "OlmAccountError",
    "OlmError",
    "OlmGroupSessionError",
    "OlmMessage",
    "OlmPreKeyMessage",
    "OlmSessionError",
    "OutboundGroupSession",
    "OutboundSession",
    "PkSigning",
    "PkSigningError",
    "Session",
]


class PkSigningError(OlmError):
    """The seed is not one."""


class PkSigning:
    """A cross-signing key, from its seed of 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        try:
            self._key = Ed25519PrivateKey.from_private_bytes(seed)
        except ValueError as error:
            raise PkSigningError(str(error)) from error
        self.public_key = encode_unpadded(self._key.public_key().public_bytes_raw())

    def sign(self, message: str | bytes) -> str:
        """Return the signature in base64 without padding."""
        return encode_unpadded(self._key.sign(message.encode() if isinstance(message, str) else message))
