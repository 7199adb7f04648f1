"""Megolm sessions on vodozemac, with the interface of python-olm. Raises OlmGroupSessionError, as python-olm does."""

from typing import Self

import vodozemac

from appservice.encryption.errors import OlmError, raising
from appservice.encryption.pickles import Pickled


class OlmGroupSessionError(OlmError):
    """A session cannot be created or unpickled, or a message is not for it, damaged or older than what it knows."""


class InboundGroupSession(Pickled[vodozemac.InboundGroupSession]):
    """Decrypts what one device sends to a room."""

    kind = "inbound group session"
    error = OlmGroupSessionError
    inner_type = vodozemac.InboundGroupSession

    def __init__(self, session_key: str) -> None:
        with raising(OlmGroupSessionError):
            self.inner = vodozemac.InboundGroupSession(vodozemac.SessionKey(session_key))

    @property
    def id(self) -> str:
        """The id of the session, the same for sender and recipients."""
        return self.inner.session_id

    @property
    def first_known_index(self) -> int:
        """The index of the first message that can be decrypted."""
        return self.inner.first_known_index

    def decrypt(self, ciphertext: str) -> tuple[str, int]:
        """Return plaintext and index of the message. Replays are decrypted as well: the caller compares indexes."""
        with raising(OlmGroupSessionError):
            decrypted = self.inner.decrypt(vodozemac.MegolmMessage.from_base64(ciphertext))
        return decrypted.plaintext.decode("utf-8", "replace"), decrypted.message_index

    def export_session(self, message_index: int) -> str:
        """Return the key of the session from the given index on."""
        with raising(OlmGroupSessionError):
            exported = self.inner.export_at(message_index)
        if exported is None:
            raise OlmGroupSessionError("UNKNOWN_MESSAGE_INDEX")
        return exported.to_base64()

    @classmethod
    def import_session(cls, session_key: str) -> Self:
        """Create a session from what `export_session` returned."""
        session = cls.__new__(cls)
        with raising(OlmGroupSessionError):
            session.inner = vodozemac.InboundGroupSession.import_session(vodozemac.ExportedSessionKey(session_key))
        return session


class OutboundGroupSession(Pickled[vodozemac.GroupSession]):
    """Encrypts what this device sends to a room."""

    kind = "outbound group session"
    error = OlmGroupSessionError
    inner_type = vodozemac.GroupSession

    def __init__(self) -> None:
        self.inner = vodozemac.GroupSession()

    @property
    def id(self) -> str:
        """The id of the session, the same for sender and recipients."""
        return self.inner.session_id

    @property
    def message_index(self) -> int:
        """The index that the next message gets."""
        return self.inner.message_index

    @property
    def session_key(self) -> str:
        """What a recipient needs to decrypt from the next message on."""
        return self.inner.session_key.to_base64()

    def encrypt(self, plaintext: str) -> str:
        """Return the message in base64 without padding."""
        with raising(OlmGroupSessionError):
            return self.inner.encrypt(plaintext.encode()).to_base64()
