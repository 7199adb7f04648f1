"""mautrix' machine, which one member's bad device must not keep from the others.

Import after `installation.install`.
"""

from contextvars import ContextVar

import aiohttp
import structlog
from mautrix.crypto import OlmMachine
from mautrix.crypto.encrypt_olm import ClaimKeysList
from mautrix.errors import CryptoError, MatrixConnectionError, MatrixRequestError
from mautrix.types import DeviceID, DeviceIdentity, RoomID, SerializerError, SyncToken, UserID

from appservice.encryption import olm

log = structlog.get_logger()

# What one event, device or user can be to blame for; after anything else a whole response is handled again.
OF_ONE = (
    CryptoError, olm.OlmError, SerializerError, ValueError, TypeError, LookupError, AttributeError,
    ArithmeticError, RecursionError,
)  # fmt: skip
_NO_TOKEN = SyncToken("")
_MAY_PASS = frozenset({401, 408, 429})
_NOT_CLAIMED: ContextVar[list[Exception] | None] = ContextVar("not_claimed", default=None)


class SharingMachine(OlmMachine):
    """Queries devices and begins sessions with each alone where that fails for all of them."""

    async def share_group_session(self, room_id: RoomID, users: list[UserID]) -> None:
        """Share a new key. Raises where the homeserver gave out no keys: mautrix would count it as shared."""
        not_claimed: list[Exception] = []
        token = _NOT_CLAIMED.set(not_claimed)
        try:
            await super().share_group_session(room_id, users)
        finally:
            _NOT_CLAIMED.reset(token)
        if not_claimed:
            await self.crypto_store.remove_outbound_group_session(room_id)
            raise not_claimed[0]

    async def _create_outbound_sessions(self, users: ClaimKeysList, _force_recreate_session: bool = False) -> None:
        """Begin sessions; what is wrong with one device, such as a key that is none, does not harm the others."""
        try:
            await super()._create_outbound_sessions(users, _force_recreate_session)
        except (MatrixRequestError, MatrixConnectionError, aiohttp.ClientError, TimeoutError) as error:
            not_claimed = _NOT_CLAIMED.get()
            if not_claimed is not None and _may_pass(error):
                not_claimed.append(error)
            raise
        except OF_ONE as error:
            several = [(user_id, device_id) for user_id, devices in users.items() for device_id in devices]
            if len(several) == 1:
                raise
            log.warning("sessions_begun_singly", devices=len(several), error=type(error).__name__)
            for user_id, device_id in several:
                await self._begin_session(users[user_id][device_id], _force_recreate_session)

    async def _begin_session(self, device: DeviceIdentity, recreate: bool) -> None:
        one = {device.user_id: {device.device_id: device}}
        try:
            await super()._create_outbound_sessions(one, recreate)
        except Exception as error:
            log.info("session_not_begun", user=device.user_id, device=device.device_id, error=type(error).__name__)

    async def _fetch_keys(
        self,
        users: list[UserID],
        since: SyncToken = _NO_TOKEN,
        include_untracked: bool = False,
    ) -> dict[UserID, dict[DeviceID, DeviceIdentity]]:
        """Query devices; what is wrong with those of one user does not harm the others."""
        fetch = super()._fetch_keys
        try:
            return await fetch(users, since, include_untracked)
        except OF_ONE as error:
            if len(users) == 1:
                log.warning("devices_malformed", user=next(iter(users)), error=type(error).__name__)
                return {}
        found: dict[UserID, dict[DeviceID, DeviceIdentity]] = {}
        for user_id in users:
            found |= await self._fetch_keys([user_id], since, include_untracked)
        return found


def _may_pass(error: Exception) -> bool:
    return not isinstance(error, MatrixRequestError) or error.http_status >= 500 or error.http_status in _MAY_PASS
