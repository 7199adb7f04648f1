"""What the routes share: typed application keys, filled by the composition root."""

from dataclasses import dataclass

import aiohttp
from aiohttp import web

from appservice.config import Config
from appservice.core.web.reels import ReelCache
from appservice.encryption.keyring import Keyring
from appservice.matrix.client import HomeserverClient
from appservice.matrix.openid import OpenIdVerifier
from appservice.media.storage import MediaStore, Storage
from appservice.service.media_keys import MediaKeys
from appservice.service.use_cases import UseCases
from appservice.store import Stores
from appservice.web.access import Access
from appservice.web.clock import SharedClock
from appservice.web.event_streams import EventStreams
from appservice.web.health import Vitals
from appservice.web.hub import Hub
from appservice.web.limits import RateLimits
from appservice.web.relations import RelationReader
from appservice.web.room_cache import RoomCache


@dataclass(frozen=True)
class Context:
    """The parts behind the routes."""

    config: Config
    stores: Stores
    use_cases: UseCases
    clock: SharedClock
    relations: RelationReader
    homeserver: HomeserverClient
    openid: OpenIdVerifier
    storage: Storage
    access: Access
    hub: Hub
    streams: EventStreams
    reels: ReelCache
    rooms: RoomCache
    limits: RateLimits
    session: aiohttp.ClientSession
    media_keys: MediaKeys
    keyring: Keyring | None
    vitals: Vitals

    @property
    def files(self) -> MediaStore:
        """The files of videos."""
        return self.storage.media


CONTEXT = web.AppKey("context", Context)
