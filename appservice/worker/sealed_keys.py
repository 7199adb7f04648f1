"""Opens the keys of attachments as they are stored, before their files are downloaded."""

import structlog

from appservice.core.errors import MediaError
from appservice.core.model import MALFORMED_FILE, EncryptedFile
from appservice.encryption.keyring import Keyring

log = structlog.get_logger()


def opened(file: EncryptedFile, keyring: Keyring | None) -> EncryptedFile:
    """Return what decrypts an attachment.

    Raises MediaError (final): `encrypted-file` for what decrypts nothing, `tool-missing` without the key by which it is
    sealed, which the log explains to the operator.
    """
    if file.sealed:
        file = _unsealed(file, keyring)
    if file == MALFORMED_FILE:
        raise MediaError("encrypted-file", "The event does not say by what its file is decrypted.", final=True)
    return file


def _unsealed(file: EncryptedFile, keyring: Keyring | None) -> EncryptedFile:
    reason = "`encryption.key` is not set."
    if keyring is not None:
        try:
            return keyring.open_file(file)
        except ValueError as error:
            reason = str(error)
    hint = "Put back the `encryption.key` and the table `secrets` of the time at which it was stored."
    log.error("attachment_key_lost", reason=reason, hint=hint)
    raise MediaError("tool-missing", f"The key of the attachment cannot be opened: {reason}", final=True)
