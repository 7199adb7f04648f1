"""Checks the bot's device in encrypted rooms."""

from appservice import resources
from appservice.check.findings import CheckError, CheckWarning
from appservice.config import Config
from appservice.core.errors import EncryptionNotInstalledError, MigrationError
from appservice.database.opening import check_up_to_date, open_database
from appservice.encryption.errors import NoDeviceError
from appservice.encryption.installation import missing_packages
from appservice.i18n import Texts
from appservice.store import Stores, open_pool
from appservice.wiring.encrypted_rooms import account_of
from appservice.wiring.parts import connections, unlock

_CONNECTIONS = 4


async def encryption(config: Config) -> str:
    """Check that the device is there, with its keys, and cross-signed."""
    if config.encryption.key is None:
        return "off, so encrypted rooms are not served (encryption.key; see docs/encryption.md)"
    if missing := missing_packages():
        raise CheckError(str(EncryptionNotInstalledError(missing)))
    async with open_database(config, attach=True, patience_s=0) as dsn:
        try:
            await check_up_to_date(dsn)
        except MigrationError as error:
            raise CheckWarning("the bot's device is looked at once the database has its schema") from error
        return await _device(config, dsn)


async def _device(config: Config, dsn: str) -> str:
    async with (
        await open_pool(dsn, size=2) as pool,
        connections(_CONNECTIONS) as session,
    ):
        stores = Stores(pool)
        keyring = await unlock(config, stores.installation)
        if keyring is None:
            raise AssertionError("there is a key")
        account = account_of(config, dsn, keyring, Texts(resources.locales(), config.appservice.language))
        from appservice.encryption.opening import open_known_device

        try:
            async with open_known_device(account, stores.rooms, session) as device:
                findings = await device.findings()
        except NoDeviceError as error:
            raise CheckWarning(str(error)) from error
    text = " ".join(finding.text for finding in findings)
    if any(finding.is_broken for finding in findings):
        raise CheckError(text)
    if findings:
        raise CheckWarning(text)
    return f"the bot's device {device.id} is there, with the keys of this database, and cross-signed"
