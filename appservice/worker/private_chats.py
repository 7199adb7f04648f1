"""Rooms of the bot and one person, which the bot makes for what nobody else may read."""

from dataclasses import dataclass

from appservice.core.model import RoomId, UserId
from appservice.matrix.client import HomeserverClient
from appservice.store import ExportStore


class CannotEncryptError(Exception):
    """What has to be encrypted cannot be: `message` names the text that says why, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class PrivateChats:
    """These rooms; one instance for a process."""

    store: ExportStore
    homeserver: HomeserverClient
    encrypts: bool
    """Encrypted rooms are served: the operator has set them up."""

    async def room_for(self, user_id: UserId, *, must_be_encrypted: bool) -> RoomId | None:
        """Return a room where nobody but one person reads, as the homeserver says just now, for what is sent then.

        It is encrypted where the person has a device that can decrypt. None when not even a new one is like that.
        Raises CannotEncryptError where it must be encrypted, and would be for nobody.
        """
        encrypted = self.encrypts and await self.homeserver.has_device_keys(user_id)
        if must_be_encrypted and not encrypted:
            raise CannotEncryptError("bot-export-no-keys" if self.encrypts else "bot-export-unserved")
        known = await self.store.room_made_for(user_id, encrypted=encrypted)
        if known and await self._is_for(known, user_id, encrypted=encrypted):
            return known
        made = await self.homeserver.create_direct(user_id, encrypted=encrypted)
        await self.store.add_direct_room(made, user_id, encrypted=encrypted)
        return made if await self._is_for(made, user_id, encrypted=encrypted) else None

    async def _is_for(self, room_id: RoomId, user_id: UserId, *, encrypted: bool) -> bool:
        audience = await self.homeserver.audience(room_id)
        if audience is None or not audience.is_for_secrets(self.homeserver.bot, user_id):
            return False
        return audience.encrypted or not encrypted
