"""Builds what owns the bot's device in encrypted rooms. mautrix' crypto is imported only where they are served."""

from functools import partial
from typing import TYPE_CHECKING

from appservice.config import Config
from appservice.core.model import UserId
from appservice.core.rules.permissions import Level, level_of
from appservice.encryption.installation import install
from appservice.encryption.keyring import Keyring
from appservice.i18n import Texts
from appservice.matrix.download import read_attachment
from appservice.service.recovery_key import RecoveryKey
from appservice.wiring.parts import Parts
from appservice.worker.device_care import DeviceCare
from appservice.worker.encrypted_rooms import EncryptedRooms
from appservice.worker.late_keys import LateKeys
from appservice.worker.sending import Sending

if TYPE_CHECKING:
    from appservice.encryption.opening import Account


def build_encrypted_rooms(parts: Parts) -> EncryptedRooms | None:
    """Return what decrypts and encrypts; None where encrypted rooms are not served."""
    if not parts.serves_encrypted or parts.keyring is None:
        return None
    account = account_of(parts.config, parts.dsn, parts.keyring, parts.texts)
    from appservice.encryption.opening import open_device

    return EncryptedRooms(
        config=parts.config,
        dsn=parts.dsn,
        stores=parts.stores,
        open_device=partial(open_device, account, session=parts.session),
        recovery_key=RecoveryKey(parts.stores.installation, parts.keyring),
        care=DeviceCare(parts.stores, partial(read_attachment, parts.session, parts.homeserver)),
        late_keys=LateKeys(parts.stores),
        sending=Sending(parts.stores, parts.homeserver),
    )


def account_of(config: Config, dsn: str, keyring: Keyring, texts: Texts) -> "Account":
    """Return whose device it is, once mautrix' crypto can be imported."""
    install()
    from appservice.encryption.opening import Account

    return Account(
        bot=config.bot,
        url=config.homeserver.url,
        as_token=config.appservice.as_token.get_secret_value(),
        dsn=dsn,
        pickle_key=keyring.pickle_key,
        declined=texts.say("bot-verification-declined"),
        may_verify=lambda user_id: level_of(UserId(user_id), config.permissions) is Level.ADMIN,
    )
