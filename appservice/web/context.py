"""What the routes share: typed application keys, filled by the composition root."""

from dataclasses import dataclass

import aiohttp
from aiohttp import web

from appservice.config import Config
from appservice.files import LocalFiles
from appservice.matrix.client import Homeserver
from appservice.matrix.openid import OpenIdVerifier
from appservice.store import Store
from appservice.web.access import Access
from appservice.web.hub import Hub
from appservice.web.reels import ReelCache


@dataclass(frozen=True)
class Context:
    """The parts behind the routes."""

    config: Config
    store: Store
    homeserver: Homeserver
    openid: OpenIdVerifier
    files: LocalFiles
    access: Access
    hub: Hub
    reels: ReelCache
    session: aiohttp.ClientSession


CONTEXT = web.AppKey("context", Context)
