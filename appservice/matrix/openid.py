"""Who a viewer is: an OpenID token, checked with the homeserver that issued it (client-server API, "OpenID")."""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from typing import Any

import aiohttp
import structlog

from appservice.errors import ForbiddenError, UnavailableError, UnknownTokenError
from appservice.matrix.discovery import Address, discover, read_json
from appservice.model import UserId

log = structlog.get_logger()

_USERINFO = "/_matrix/federation/v1/openid/userinfo"
_LIMIT = 64 * 1024
# Name servers, .well-known and the homeserver together: a viewer waits for it.
_FEDERATION_S = 20
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_SUBJECT = re.compile(r"@[^:\x00\s]{1,254}:(?P<server>.+)", re.ASCII)


class OpenIdVerifier:
    """Turns an OpenID token into a user id.

    Asks only homeservers that the config names, by their configured address, and, where `federation`
    is a (guarded) session, any that Matrix server discovery finds.
    """

    def __init__(
        self, session: aiohttp.ClientSession, known: Mapping[str, str], federation: aiohttp.ClientSession | None
    ) -> None:
        self._session = session
        self._known = known
        self._federation = federation

    async def user_of(self, access_token: str, server_name: str) -> UserId:
        """Return whose token it is.

        Raises UnknownTokenError when the homeserver does not know the token or says something else than
        a user of its own, ForbiddenError for a homeserver that we do not serve, UnavailableError when it
        does not answer.
        """
        subject = (await self._userinfo(access_token, server_name)).get("sub")
        match = _SUBJECT.fullmatch(subject) if isinstance(subject, str) else None
        if match is None or match["server"] != server_name:
            log.warning("openid_subject_refused", server_name=server_name)
            raise UnknownTokenError("The homeserver vouched for a user that is not its own.")
        return UserId(match[0])

    async def _userinfo(self, access_token: str, server_name: str) -> dict[str, Any]:
        if base_url := self._known.get(server_name):
            return await _ask(self._session, base_url, access_token)
        if self._federation is None:
            raise ForbiddenError(f"Users of {server_name[:255]!r} are not served here.")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FEDERATION_S):
                for address in await discover(self._federation, server_name):
                    with contextlib.suppress(UnavailableError):
                        return await _ask(self._federation, address.base_url, access_token, address)
        raise UnavailableError(f"The homeserver {server_name} does not answer.")


async def _ask(
    session: aiohttp.ClientSession, base_url: str, access_token: str, address: Address | None = None
) -> dict[str, Any]:
    named: dict[str, Any] = {}
    if address:
        named = {"server_hostname": address.name, "headers": {"Host": address.authority}}
    try:
        # The spec has the token in the query only; no redirect may carry it elsewhere.
        async with session.get(
            base_url + _USERINFO,
            params={"access_token": access_token},
            allow_redirects=False,
            timeout=_TIMEOUT,
            **named,
        ) as response:
            if response.status in {400, 401, 403}:
                raise UnknownTokenError("The homeserver does not know this OpenID token; it may have expired.")
            if response.status != 200:
                raise UnavailableError(f"The homeserver answered {response.status} about an OpenID token.")
            return await read_json(response, _LIMIT)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        # The address holds the token: it stays out of the text and of the chain.
        raise UnavailableError(
            f"The homeserver gave no answer about an OpenID token ({type(error).__name__})."
        ) from None
