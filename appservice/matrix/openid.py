"""Identity of a viewer: an OpenID token, checked with the homeserver that issued it (client-server API, "OpenID")."""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog

from appservice.core.errors import ForbiddenError, UnavailableError, UnknownTokenError
from appservice.core.model import UserId
from appservice.matrix.discovery import Address, discover, read_json, split_server_name
from appservice.matrix.names import Names, is_address

log = structlog.get_logger()

USERINFO = "/_matrix/federation/v1/openid/userinfo"
_LIMIT = 64 * 1024
# Name servers, .well-known and the homeserver together: a viewer waits for it.
_FEDERATION_S = 20
_TIMEOUT_S = 10
# Requests in progress at a time: to each homeserver of the configuration, to the names of one domain, to all others.
_MOST_OF_KNOWN, _MOST_OF_DOMAIN, _MOST_OF_FEDERATION = 64, 8, 64
_SUBJECT = re.compile(r"@[^:\x00\s]{1,254}:(?P<server>.+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Peer:
    """A homeserver that the configuration names: its address, and a connection pool that no other one can fill."""

    base_url: str
    session: aiohttp.ClientSession


@dataclass(frozen=True, slots=True)
class Federation:
    """What any other homeserver is found and queried by; the session must be guarded (`GuardedConnector`)."""

    session: aiohttp.ClientSession
    names: Names


class OpenIdVerifier:
    """Turns an OpenID token into a user id.

    Queries only homeservers that the config names, by their configured address, and, where there is a
    `federation`, any that Matrix server discovery finds. Of each, and of all that it finds, only so many
    requests are in progress at a time: one without a response holds up no other.
    """

    def __init__(
        self, known: Mapping[str, Peer], federation: Federation | None, *, timeout_s: float = _TIMEOUT_S
    ) -> None:
        self._known = known
        self._federation = federation
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)  # of each request
        self._under_way = Counter[str]()

    async def user_of(self, access_token: str, server_name: str) -> UserId:
        """Return whose token it is.

        Raises UnknownTokenError when the homeserver does not know the token or says something else than
        a user of its own, ForbiddenError for a homeserver that we do not serve, UnavailableError when it
        does not respond.
        """
        subject = (await self._userinfo(access_token, server_name)).get("sub")
        match = _SUBJECT.fullmatch(subject) if isinstance(subject, str) else None
        if match is None or match["server"] != server_name:
            log.warning("openid_subject_refused", server_name=server_name)
            raise UnknownTokenError("The homeserver vouched for a user that is not its own.")
        return UserId(match[0])

    async def _userinfo(self, access_token: str, server_name: str) -> dict[str, Any]:
        if peer := self._known.get(server_name):
            with self._one_more((f"known {server_name}", _MOST_OF_KNOWN)):
                return await self._fetch_userinfo(peer.session, peer.base_url, access_token)
        if self._federation is None:
            raise ForbiddenError(f"Users of {server_name[:255]!r} are not served here.")
        with self._one_more((f"peer {_domain(server_name)}", _MOST_OF_DOMAIN), ("federation", _MOST_OF_FEDERATION)):
            return await self._query_federation(self._federation, access_token, server_name)

    async def _query_federation(self, federation: Federation, access_token: str, server_name: str) -> dict[str, Any]:
        session = federation.session
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FEDERATION_S):
                for address in await discover(session, server_name, federation.names):
                    with contextlib.suppress(UnavailableError):
                        return await self._fetch_userinfo(session, address.base_url, access_token, address)
        raise UnavailableError(f"The homeserver {server_name} does not respond.")

    async def _fetch_userinfo(
        self, session: aiohttp.ClientSession, base_url: str, access_token: str, address: Address | None = None
    ) -> dict[str, Any]:
        named: dict[str, Any] = {}
        if address:
            named = {"server_hostname": address.name, "headers": {"Host": address.authority}}
        try:
            # The spec has the token in the query only; no redirect may carry it elsewhere.
            async with session.get(
                base_url + USERINFO,
                params={"access_token": access_token},
                allow_redirects=False,
                timeout=self._timeout,
                **named,
            ) as response:
                if response.status in {400, 401, 403}:
                    raise UnknownTokenError("The homeserver does not know this OpenID token; it may have expired.")
                if response.status != 200:
                    raise UnavailableError(f"The homeserver responded with {response.status} about an OpenID token.")
                return await read_json(response, _LIMIT)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # The address holds the token: it stays out of the text and of the chain.
            raise UnavailableError(
                f"The homeserver gave no response about an OpenID token ({type(error).__name__})."
            ) from None

    @contextlib.contextmanager
    def _one_more(self, *limits: tuple[str, int]) -> Iterator[None]:
        """Count a request while it is in progress. Raises UnavailableError when there are enough of its kind."""
        if any(self._under_way[kind] >= most for kind, most in limits):
            raise UnavailableError("Too many requests wait for this homeserver's response. Try again in a moment.")
        self._under_way.update(kind for kind, _ in limits)
        try:
            yield
        finally:
            self._under_way.subtract(kind for kind, _ in limits)
            self._under_way = +self._under_way  # drops those that are not queried any more


def _domain(server_name: str) -> str:
    """Return whose name a server's is, roughly: one who owns a domain has any number of names in it."""
    host, _ = split_server_name(server_name)
    return host if is_address(host) else ".".join(host.rstrip(".").lower().split(".")[-2:])
