"""All use cases, put together once for a process."""

from collections.abc import Callable
from dataclasses import dataclass

from appservice.encryption.keyring import Keyring
from appservice.service.administration import AdministrationService
from appservice.service.moderation import ModerationService
from appservice.service.opt_ins import OptInService
from appservice.service.sealed_contents import SealedContents
from appservice.service.videos import VideoService
from appservice.store import Stores


@dataclass(frozen=True)
class UseCases:
    """What people do, by who does it."""

    videos: VideoService
    moderation: ModerationService
    administration: AdministrationService
    opt_ins: OptInService

    @classmethod
    def on(
        cls,
        stores: Stores,
        invalidate: Callable[[], None],
        keyring: Keyring | None = None,
        *,
        encrypted_rooms: bool = False,
    ) -> "UseCases":
        """Return the use cases; `invalidate` ends what this process has cached from before a change.

        `encrypted_rooms`: they are served.
        """
        contents = SealedContents(stores.blocks, keyring)
        return cls(
            VideoService(stores, invalidate),
            ModerationService(stores, invalidate, contents),
            AdministrationService(stores, invalidate, contents),
            OptInService(stores, invalidate, available=encrypted_rooms),
        )
