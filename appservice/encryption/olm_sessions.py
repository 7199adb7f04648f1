"""Olm accounts and sessions on vodozemac, with the interface of python-olm.

Raises OlmAccountError and OlmSessionError, as python-olm does; ValueError only where the caller passes nothing.
"""

import base64
import hashlib
import json

import vodozemac

from appservice.core.tokens import encode_unpadded
from appservice.encryption.errors import OlmError, raising
from appservice.encryption.pickles import Pickled

_PRE_KEY = 0


class OlmAccountError(OlmError):
    """An account cannot be unpickled, or refuses an operation."""


class OlmSessionError(OlmError):
    """A session cannot be created or unpickled, or a message is not for it, damaged or used before."""


class OlmMessage:
    """A message of a session that has received one. `ciphertext` is base64 without padding."""

    def __init__(self, ciphertext: str) -> None:
        if not ciphertext:
            raise ValueError("Ciphertext can't be empty")
        self.ciphertext = ciphertext


class OlmPreKeyMessage(OlmMessage):
    """A message from which the recipient can create the session."""


class Account(Pickled[vodozemac.Account]):
    """The identity of a device, and its one-time and fallback keys."""

    kind = "account"
    error = OlmAccountError
    inner_type = vodozemac.Account

    def __init__(self) -> None:
        self.inner = vodozemac.Account()

    @property
    def identity_keys(self) -> dict[str, str]:
        """The public keys of the device, by algorithm."""
        return {
            "curve25519": self.inner.curve25519_key.to_base64(),
            "ed25519": self.inner.ed25519_key.to_base64(),
        }

    def sign(self, message: str | bytes) -> str:
        """Return the Ed25519 signature of `message`, in base64 without padding."""
        return self.inner.sign(_bytes(message)).to_base64()

    @property
    def max_one_time_keys(self) -> int:
        """How many unused one-time keys the account can have."""
        return self.inner.max_number_of_one_time_keys

    @property
    def one_time_keys(self) -> dict[str, dict[str, str]]:
        """The one-time keys that are not published yet, by algorithm and id."""
        return {"curve25519": {key_id: key.to_base64() for key_id, key in self.inner.one_time_keys.items()}}

    @property
    def fallback_key(self) -> dict[str, dict[str, str]]:
        """The fallback key that is not published yet, by algorithm and id; no id when there is none."""
        keys = self.inner.fallback_key  # type: ignore[attr-defined]  # vodozemac's stubs lack it
        return {"curve25519": {key_id: key.to_base64() for key_id, key in keys.items()}}

    def generate_one_time_keys(self, count: int) -> None:
        """Add `count` one-time keys; the oldest ones go when there are more than the account can have."""
        self.inner.generate_one_time_keys(count)

    def generate_fallback_key(self) -> None:
        """Add a fallback key; the one before stays usable until the next."""
        self.inner.generate_fallback_key()  # type: ignore[attr-defined]  # vodozemac's stubs lack it

    def mark_keys_as_published(self) -> None:
        """Take note that the homeserver has the keys of `one_time_keys` and `fallback_key`."""
        self.inner.mark_keys_as_published()

    def remove_one_time_keys(self, session: "Session") -> None:
        """Do nothing: the key of an inbound session is gone since the session was created."""

    def create_inbound(self, message: OlmPreKeyMessage, sender_key: str) -> tuple[vodozemac.Session, bytes]:
        """Create a session from its first message, and return it with the plaintext. Uses up the one-time key."""
        with raising(OlmSessionError):
            return self.inner.create_inbound_session(
                vodozemac.Curve25519PublicKey.from_base64(sender_key),
                vodozemac.PreKeyMessage.from_base64(message.ciphertext),
            )

    def create_outbound(self, identity_key: str, one_time_key: str) -> vodozemac.Session:
        """Create a session with a device by its identity key and one of its one-time keys."""
        with raising(OlmSessionError):
            return self.inner.create_outbound_session(
                vodozemac.Curve25519PublicKey.from_base64(identity_key),
                vodozemac.Curve25519PublicKey.from_base64(one_time_key),
            )


class Session(Pickled[vodozemac.Session]):
    """A session with one device.

    python-olm creates an inbound session first and decrypts its first message afterwards; vodozemac does both at once.
    So the first plaintext is kept, in pickles as well, until `decrypt` returns it.
    """

    kind = "session"
    error = OlmSessionError
    inner_type = vodozemac.Session
    first: tuple[str, str] | None = None  # SHA-256 of the first message, and its plaintext

    @property
    def id(self) -> str:
        """The id of the session, the same for both sides."""
        return self.inner.session_id

    def matches(self, message: OlmPreKeyMessage) -> bool:
        """Return whether the message belongs to this session."""
        with raising(OlmSessionError):
            return self.inner.session_matches(vodozemac.PreKeyMessage.from_base64(message.ciphertext))

    def encrypt(self, plaintext: str) -> OlmMessage:
        """Encrypt a message; it is a pre-key message until one of the other side was decrypted."""
        with raising(OlmSessionError):
            kind, ciphertext = self.inner.encrypt(plaintext.encode()).to_parts()
        encoded = encode_unpadded(ciphertext)
        return OlmPreKeyMessage(encoded) if kind == _PRE_KEY else OlmMessage(encoded)

    def decrypt(self, message: OlmMessage) -> str:
        """Decrypt a message, once. Bytes that are no UTF-8 are replaced, as python-olm does."""
        if self.first and self.first[0] == _digest(message):
            plaintext, self.first = self.first[1], None
            return plaintext
        with raising(OlmSessionError):
            if isinstance(message, OlmPreKeyMessage):
                parsed = vodozemac.PreKeyMessage.from_base64(message.ciphertext).to_any()
            else:
                parsed = vodozemac.AnyOlmMessage.normal(_unbase64(message.ciphertext))
            return self.inner.decrypt(parsed).decode("utf-8", "replace")

    def _extra(self) -> str:
        return json.dumps(self.first) if self.first else ""

    def _restore(self, extra: str) -> None:
        self.first = tuple(json.loads(extra)) if extra else None


class InboundSession(Session):
    """A session that another device began."""

    def __init__(self, account: Account, message: OlmPreKeyMessage, identity_key: str) -> None:
        self.inner, plaintext = account.create_inbound(message, identity_key)
        self.first = _digest(message), plaintext.decode("utf-8", "replace")


class OutboundSession(Session):
    """A session that this device begins."""

    def __init__(self, account: Account, identity_key: str, one_time_key: str) -> None:
        self.inner = account.create_outbound(identity_key, one_time_key)


def _digest(message: OlmMessage) -> str:
    return hashlib.sha256(message.ciphertext.encode()).hexdigest()


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _unbase64(text: str) -> bytes:
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
