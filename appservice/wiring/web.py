"""Builds the context of the routes."""

from contextlib import AsyncExitStack

import aiohttp

from appservice.config import Config
from appservice.core.web.reels import ReelCache
from appservice.matrix.discovery import GuardedConnector
from appservice.matrix.names import Names
from appservice.matrix.openid import Federation, OpenIdVerifier, Peer
from appservice.web.clock import SharedClock
from appservice.web.context import Context
from appservice.web.event_streams import EventStreams
from appservice.web.followers import Followers
from appservice.web.health import Vitals
from appservice.web.hub import Hub
from appservice.web.limits import RateLimits
from appservice.web.relations import RelationReader
from appservice.web.room_cache import RoomCache
from appservice.wiring.parts import HTTP_TIMEOUT, Parts, connections

_MOST_OF_PEER = 32


async def build_context(parts: Parts, stack: AsyncExitStack) -> Context:
    """Return what the routes share; `stack` closes it."""
    config, stores = parts.config, parts.stores
    clock = SharedClock(stores.installation.now)
    rooms = RoomCache(stores, clock, config.bot, encrypted_rooms=parts.use_cases.opt_ins.available)
    followers = Followers(stores, rooms, clock)
    return Context(
        config=config,
        stores=stores,
        use_cases=parts.use_cases,
        clock=clock,
        relations=RelationReader(parts.homeserver, stores.sent_for),
        homeserver=parts.homeserver,
        openid=await _verifier(config, stack),
        storage=parts.storage,
        access=parts.access,
        hub=Hub(parts.dsn, stores.channels.watching, on_change=parts.access.invalidate, deliver=followers.deliver),
        streams=EventStreams(),
        reels=ReelCache(),
        rooms=rooms,
        limits=RateLimits(),
        # Avatars may come from other homeservers, however slow: what queries ours does not wait behind them.
        session=await stack.enter_async_context(connections(_MOST_OF_PEER)),
        media_keys=parts.media_keys,
        keyring=parts.keyring,
        vitals=Vitals(),
    )


async def _verifier(config: Config, stack: AsyncExitStack) -> OpenIdVerifier:
    known = {**config.identity.homeservers, config.homeserver.server_name: config.homeserver.url}
    peers = {
        name: Peer(url, await stack.enter_async_context(connections(_MOST_OF_PEER))) for name, url in known.items()
    }
    if not config.identity.federation:
        return OpenIdVerifier(peers, None)
    names = Names()
    stack.push_async_callback(names.close)
    connector = GuardedConnector(config.identity.allowed_networks, names)
    session = aiohttp.ClientSession(connector=connector, timeout=HTTP_TIMEOUT, trust_env=False)
    return OpenIdVerifier(peers, Federation(await stack.enter_async_context(session), names))
