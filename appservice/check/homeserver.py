"""Checks the homeserver: tokens, users and resources, its clock, and that it reaches us."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from appservice.check.database import SKEW_S
from appservice.check.findings import CheckError, CheckWarning
from appservice.check.stand_in import listening
from appservice.config import Config
from appservice.matrix.discovery import read_json
from appservice.matrix.openid import USERINFO

_LIMIT = 64 * 1024
_WHOAMI = "/_matrix/client/v3/account/whoami"
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_PING_TIMEOUT = aiohttp.ClientTimeout(total=45)
_ANEW = "with `roomreel generate-registration -c FILE -r FILE`, and restart Synapse"
_NOT_YET = "has not registered this user"  # Synapse's word for a user of our namespace that does not exist yet


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    content: Mapping[str, Any]
    date: str
    requested_at: float
    received_at: float

    @property
    def errcode(self) -> str:
        return str(self.content.get("errcode", ""))

    def __str__(self) -> str:
        """Return it for a person; what the homeserver says must not steer the terminal."""
        said = f"{self.errcode} {self.content.get('error', '')}".strip()[:300]
        return f"{self.status} {''.join(letter for letter in said if letter.isprintable())}".strip()


async def _request(
    session: aiohttp.ClientSession, url: str, method: str = "GET", *, token: str | None = None, **query: str
) -> _Response:
    """Send a request. Raises CheckError where nobody responds."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body: dict[str, str] | None = {} if method == "POST" else None
    before = time.time()
    try:
        async with session.request(
            method, url, params=query, headers=headers, json=body, allow_redirects=False
        ) as response:
            try:
                content = await read_json(response, _LIMIT)
            except ValueError:
                content = {}
            return _Response(response.status, content, response.headers.get("Date", ""), before, time.time())
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise CheckError(
            f"{url.partition('/_matrix')[0]} does not respond ({error or type(error).__name__}). Check homeserver.url, "
            "and that the homeserver runs."
        ) from error


async def homeserver(config: Config) -> str:
    """Check that the homeserver takes us for the bot, and its registration for ours."""
    base, as_token = config.homeserver.url, config.appservice.as_token.get_secret_value()
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        sender = await _sender(session, config)
        if sender == config.bot:
            raise CheckError(
                f"the registration's sender_localpart is the bot's own name ({config.bot}): Synapse would refuse "
                f"the bot what it refuses senders. Write it anew {_ANEW}."
            )
        found = await _request(session, base + _WHOAMI, token=as_token, user_id=config.bot)
    if found.status == 403 and _NOT_YET in str(found):
        return f"knows our registration; the first `roomreel serve` makes {config.bot}"
    if found.status == 403:
        raise CheckError(
            f"does not let us be {config.bot} ({found}): the users of registration.yaml are others. Compare it with "
            f"appservice.bot_localpart and homeserver.server_name, or write it anew {_ANEW}."
        )
    if found.status != 200:
        raise CheckError(f"responds with {found} about {config.bot}. Look into its log.")
    return f"takes us for {config.bot}"


async def _sender(session: aiohttp.ClientSession, config: Config) -> str:
    """Return whom the homeserver takes us for without a user id: the registration's sender."""
    url = config.homeserver.url + _WHOAMI
    found = await _request(session, url, token=config.appservice.as_token.get_secret_value())
    if found.status == 401:
        other = await _request(session, url, token=config.appservice.hs_token.get_secret_value())
        if other.status == 200:
            raise CheckError(
                "the tokens are swapped: what it knows as our as_token is hs_token in the configuration. Exchange "
                f"them, or write the registration anew {_ANEW}."
            )
        raise CheckError(
            f"does not know our as_token ({found}). Check that the registration is named in homeserver.yaml "
            "(app_service_config_files), that Synapse was restarted since, and that as_token is the same in both."
        )
    sender = found.content.get("user_id")
    if found.status != 200 or not isinstance(sender, str):
        raise CheckError(f"{config.homeserver.url} is no homeserver ({found}). Check homeserver.url.")
    name = sender.partition(":")[2]
    if name != config.homeserver.server_name:
        raise CheckError(f"it is {name[:255]}, not {config.homeserver.server_name}. Correct homeserver.server_name.")
    return sender


async def openid(config: Config) -> str:
    """Check that viewers can prove who they are, at our homeserver and at those of `identity.homeservers`."""
    missing = []
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        for name, url in {**config.identity.homeservers, config.homeserver.server_name: config.homeserver.url}.items():
            try:
                found = await _request(session, url + USERINFO, access_token="roomreel-check")  # noqa: S106 - none
            except CheckError as error:
                raise CheckWarning(f"{name} cannot be asked: {error}") from error
            if found.status not in {400, 401, 403}:
                missing.append(f"{url} ({name}) responds with {found}")
    if missing:
        raise CheckError(
            f"nobody can prove who they are, so the widget lets nobody in: {'; '.join(missing)}. Add `openid` to the "
            "resources of that listener in homeserver.yaml (`names: [client, openid]`) and restart Synapse; a proxy or "
            f"worker in between must hand on {USERINFO}."
        )
    return "viewers can prove who they are"


async def clock(config: Config) -> str:
    """Check this machine's clock against the homeserver's."""
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        try:
            found = await _request(session, config.homeserver.url + "/_matrix/client/versions")
        except CheckError as error:
            raise CheckWarning("cannot be compared with the homeserver's, which does not respond") from error
    try:
        theirs = parsedate_to_datetime(found.date).timestamp()
    except ValueError:
        return "cannot be compared with the homeserver's, which says no Date"
    # Whole seconds, of a moment between the request and its response.
    ahead = max(theirs - found.received_at, found.requested_at - 1 - theirs)
    if ahead > SKEW_S:
        direction = "behind" if theirs > found.received_at else "ahead of"
        raise CheckWarning(
            f"this machine's is {round(ahead)} s {direction} the homeserver's: who may see which video is decided by "
            "the time. Let both follow NTP (`timedatectl set-ntp true`)."
        )
    return "this machine and the homeserver agree"


async def way_back(config: Config) -> str:
    """Check that the homeserver reaches us, with the right hs_token (MSC2659)."""
    path = f"/_matrix/client/v1/appservice/{config.appservice.id}/ping"
    async with listening(config), aiohttp.ClientSession(timeout=_PING_TIMEOUT) as session:
        found = await _request(
            session, config.homeserver.url + path, "POST", token=config.appservice.as_token.get_secret_value()
        )
    if found.status == 200:
        return f"the homeserver reached us in {found.content.get('duration_ms', 0)} ms"
    raise CheckError(_why_not(config, found))


def _why_not(config: Config, found: _Response) -> str:
    status = found.content.get("status")
    if found.status == 401:
        return f"cannot be tried: the homeserver does not know our as_token ({found}). See `homeserver` above."
    if found.status == 403:
        return (
            f"our id is not {config.appservice.id} at the homeserver ({found}). Make appservice.id that of the "
            f"registration, or write that anew {_ANEW}."
        )
    if found.errcode == "M_BAD_STATUS" and status in {401, 403}:
        return (
            f"we refuse the homeserver's hs_token ({found}). Check that hs_token is the same in both, in the "
            "registration that Synapse reads and in the configuration; if the service runs, that it was restarted."
        )
    if found.errcode == "M_BAD_STATUS":
        return (
            f"something else than Roomreel responds at the registration's url, with status {status}. Check the url and "
            f"its port (appservice.url is {config.appservice.url}), and what a proxy there does with /_matrix/app/."
        )
    if found.errcode in {"M_CONNECTION_FAILED", "M_CONNECTION_TIMEOUT"}:
        return (
            f"the homeserver does not reach us ({found}). The registration's url must lead from its machine, or "
            f"container, to web.host and web.port ({config.web.host}:{config.web.port}; in a container 127.0.0.1 is "
            f"the container itself). Check appservice.url ({config.appservice.url}) and the firewall between."
        )
    if found.errcode == "M_URL_NOT_SET":
        return f"the registration has no url: write it anew {_ANEW}."
    return f"the homeserver does not reach us ({found}). Check appservice.url in the registration."
