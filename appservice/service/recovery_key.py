"""The recovery key of the bot's cross-signing keys: kept sealed, so that a new device can be signed by them."""

from dataclasses import dataclass

from appservice.encryption.keyring import Keyring
from appservice.store.installation import InstallationStore

_NAME = "recovery key"


@dataclass(frozen=True)
class RecoveryKey:
    """The recovery key, if there is one yet."""

    installation: InstallationStore
    keyring: Keyring

    async def kept(self) -> str | None:
        """Return it; None where there is none. Raises ValueError for one that another installation sealed."""
        sealed = await self.installation.find_secret(_NAME)
        return self.keyring.open(sealed, _NAME).decode() if sealed else None

    async def keep(self, recovery_key: str) -> None:
        """Store a new one."""
        await self.installation.store_secret(_NAME, self.keyring.seal(recovery_key.encode(), _NAME))
