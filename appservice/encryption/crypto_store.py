"""mautrix' store in PostgreSQL, which keeps its sync token and can be reloaded. Import after `installation.install`."""

from contextlib import AbstractAsyncContextManager
from typing import cast

from mautrix.crypto import OlmAccount, PgCryptoStore


class CryptoStore(PgCryptoStore):
    """Accounts, sessions, devices and the sync token of one device."""

    def transaction(self) -> AbstractAsyncContextManager[None]:  # type: ignore[override]  # mautrix types it as None
        """Make what the block writes one transaction, or a savepoint in the one that is open."""
        return cast("AbstractAsyncContextManager[None]", super().transaction())

    async def put_account(self, account: OlmAccount) -> None:
        """Store the account. The token is read first: mautrix would write an empty one until somebody has read it."""
        await self.get_next_batch()
        await super().put_account(account)

    async def reload(self) -> OlmAccount | None:
        """Drop what is cached, which a rolled back transaction never wrote, and return the account as it is stored."""
        self._olm_cache.clear()
        self._account = None
        self._sync_token = None
        return await self.get_account()
