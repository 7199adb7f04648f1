"""`roomreel check`: every part we depend on, one line each, and what to do about a failure."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from appservice import resources
from appservice.config import Config
from appservice.core.errors import EncryptionNotInstalledError, ForbiddenError, HomeserverError, RoomreelError
from appservice.core.model import RoomId
from appservice.core.rules.permissions import Level, level_of
from appservice.core.web.client_address import is_within
from appservice.database.opening import check_up_to_date, open_database
from appservice.encryption.errors import NoDeviceError
from appservice.encryption.installation import missing_packages
from appservice.i18n import Texts
from appservice.media.files import LocalFiles
from appservice.store import Stores, open_pool
from appservice.wiring.encrypted_rooms import account_of
from appservice.wiring.parts import connections, homeserver_of, unlock
from transcode import TranscodeError, find_tools
from transcode.process.tools import usable_encoder

_LEAST_FREE = 2 * 1024**3
_NAMED = 5
_CONNECTIONS = 4
_FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP")
"""Headers by which a reverse proxy names the client whose request it forwards."""


class _CheckError(Exception):
    """A part is not as it should be; the text says what to do."""


class _CheckWarning(Exception):  # noqa: N818 - nothing is broken
    """A part works, but could be safer; the text says what to do."""


async def _database(config: Config) -> str:
    async with open_database(config, attach=True, patience_s=0) as dsn:
        await check_up_to_date(dsn)
    return "responds, and its schema is this release's"


async def _homeserver(config: Config) -> str:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        homeserver = homeserver_of(config, session)
        try:
            user_id = await homeserver.whoami()
        except ForbiddenError as error:
            raise _CheckError(
                f"does not let us be {config.bot} ({error}). The bot may not exist before the first `roomreel serve`; "
                "otherwise compare registration.yaml with the configuration."
            ) from error
        except HomeserverError as error:
            raise _CheckError(
                f"{error}. Check homeserver.url, that the registration is named in homeserver.yaml, that Synapse was "
                "restarted since, and that as_token is the same in both."
            ) from error
    return f"takes us for {user_id}"


async def _way_back(config: Config) -> str:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        stand_in = await _respond_to_pings(config)
        try:
            took = await homeserver_of(config, session).ping()
        except (HomeserverError, ForbiddenError) as error:
            raise _CheckError(
                f"the homeserver does not reach us ({error}). Check appservice.url in the registration, the firewall "
                "between the two, and that hs_token is the same in both."
            ) from error
        finally:
            if stand_in:
                await stand_in.cleanup()
    return f"the homeserver reached us in {took} ms"


async def _respond_to_pings(config: Config) -> web.AppRunner | None:
    """Listen on the service's port when it does not run, so that the check also works before the first start."""

    async def ping(request: web.Request) -> web.Response:
        expected = f"Bearer {config.appservice.hs_token.get_secret_value()}"
        known = request.headers.get("Authorization") == expected
        return web.json_response({} if known else {"errcode": "M_FORBIDDEN", "error": ""}, status=200 if known else 403)

    app = web.Application()
    app.router.add_post("/_matrix/app/v1/ping", ping)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, config.web.host, config.web.port).start()
    except OSError:
        await runner.cleanup()
        return None  # the service itself has the port
    return runner


async def _admin_room(config: Config) -> str:
    room_id = config.appservice.admin_room
    if room_id is None:
        return "there is none, so nobody gets alerts (appservice.admin_room)"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        try:
            readers = await homeserver_of(config, session).audience(RoomId(room_id))
        except (HomeserverError, ForbiddenError) as error:
            raise _CheckWarning(f"cannot be looked at: {error}") from error
    if readers is None:
        raise _CheckWarning(f"{config.bot} is not in {room_id}, or it does not exist: invite the bot there.")
    ways = {
        "the join rule is public: make it invite-only": readers.join_rule == "public",
        "anybody can read its history: set its visibility to members only": readers.history == "world_readable",
    }
    others = sorted(
        user_id
        for user_id in readers.joined | readers.invited
        if user_id != config.bot and level_of(user_id, config.permissions) is not Level.ADMIN
    )
    found = [way for way, is_open in ways.items() if is_open]
    if others:
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        found.append(
            f"{', '.join(others[:_NAMED])}{more} read it and are no admins: remove them there, or make them `admin` in "
            "`permissions`"
        )
    if found:
        raise _CheckWarning(f"others would read in {room_id} what goes wrong, with people's ids: {'; '.join(found)}.")
    return f"only admins read {room_id}"


async def _proxy(config: Config) -> str:
    """Check from which addresses requests to `web.public_url` arrive, which only a stand-in sees."""
    secret = secrets.token_urlsafe(16)
    async with _listening(config, secret) as seen:
        if seen is None:
            return "not tried, since Roomreel runs: stop it to have this looked at"
        try:
            timeout = aiohttp.ClientTimeout(total=10)
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(
                f"{config.web.public_url}/live?check={secret}", allow_redirects=False
            ) as response:  # fmt: skip
                await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _CheckWarning(
                f"{config.web.public_url} does not respond from this machine ({error or type(error).__name__}): check "
                "that the proxy runs, and hands on to web.host and web.port"
            ) from error
    if not seen:
        return f"requests to {config.web.public_url} do not come here from this machine: nothing to see"
    peer, names = seen[0]
    if names and not is_within(peer, config.web.trusted_proxies):
        raise _CheckWarning(
            f"a proxy at {peer} hands requests on ({', '.join(names)}), and is not in web.trusted_proxies: all viewers "
            f"would share the limits of one address. Add {peer} there."
        )
    return f"{peer} is trusted to say whose requests it hands on" if names else f"{peer} hands on nobody's address"


@asynccontextmanager
async def _listening(config: Config, secret: str) -> AsyncIterator[list[tuple[str, list[str]]] | None]:
    """Yield the peers of requests that know the secret, with their headers of a proxy; None where our port is taken."""
    seen: list[tuple[str, list[str]]] = []

    async def live(request: web.Request) -> web.Response:
        if request.query.get("check") == secret:
            seen.append((request.remote or "", [name for name in _FORWARDED if name in request.headers]))
        return web.json_response({"status": "live"})

    app = web.Application()
    app.router.add_get("/live", live)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, config.web.host, config.web.port).start()
        except OSError:
            yield None
        else:
            yield seen
    finally:
        await runner.cleanup()


async def _ffmpeg(config: Config) -> str:
    tools = await asyncio.to_thread(find_tools, config.transcode.ffmpeg, config.transcode.ffprobe)
    encoder, problem = await asyncio.to_thread(usable_encoder, tools, config.transcode.encoder)
    found = f"{tools.version} ({tools.origin}: {tools.ffmpeg}{f'; {tools.reason}' if tools.reason else ''})"
    return f"{found} encodes with {encoder}{f', not with {config.transcode.encoder}: {problem}' if problem else ''}"


async def _storage(config: Config) -> str:
    media = config.data_dir / "media"
    try:
        await LocalFiles(media).prepare()
    except OSError as error:
        raise _CheckError(f"{media} cannot be written: {error}. Check data_dir and who owns it.") from error
    free = shutil.disk_usage(media).free
    if free < _LEAST_FREE:
        raise _CheckError(f"only {free // 1024**2} MiB are free at {media}. Make room, or move data_dir.")
    return f"{media}, {free // 1024**3} GiB free"


async def _sandbox(config: Config) -> str:
    try:
        tools = await asyncio.to_thread(find_tools, config.transcode.ffmpeg, config.transcode.ffprobe)
    except TranscodeError as error:
        raise _CheckWarning("cannot be tried without ffmpeg") from error
    if tools.sandbox.weaknesses:
        raise _CheckWarning("; ".join(tools.sandbox.weaknesses))
    return f"{tools.sandbox.name} closes ffmpeg in"


async def _encryption(config: Config) -> str:
    if config.encryption.key is None:
        return "off, so encrypted rooms are not served (encryption.key; see docs/encryption.md)"
    if missing := missing_packages():
        raise _CheckError(str(EncryptionNotInstalledError(missing)))
    async with (
        open_database(config, attach=True, patience_s=0) as dsn,
        await open_pool(dsn, size=2) as pool,
        connections(_CONNECTIONS) as session,
    ):
        stores = Stores(pool)
        keyring = await unlock(config, stores.installation)
        if keyring is None:
            raise AssertionError("there is a key")
        account = account_of(config, dsn, keyring, Texts(resources.locales(), config.appservice.language))
        from appservice.encryption.opening import open_known_device

        try:
            async with open_known_device(account, stores.rooms, session) as device:
                findings = await device.findings()
        except NoDeviceError as error:
            raise _CheckWarning(str(error)) from error
    text = " ".join(finding.text for finding in findings)
    if any(finding.is_broken for finding in findings):
        raise _CheckError(text)
    if findings:
        raise _CheckWarning(text)
    return f"the bot's device {device.id} is there, with the keys of this database, and cross-signed"


_CHECKS: dict[str, Callable[[Config], Awaitable[str]]] = {
    "database": _database,
    "homeserver": _homeserver,
    "homeserver to us": _way_back,
    "admin room": _admin_room,
    "proxy": _proxy,
    "ffmpeg": _ffmpeg,
    "storage": _storage,
    "sandbox": _sandbox,
    "encryption": _encryption,
}


async def check(config: Config, say: Callable[[str], None]) -> bool:
    """Check everything, say one line for each part, and return whether all is well."""
    say("ok    configuration: every key is known")
    well = True
    for name, examine in _CHECKS.items():
        try:
            say(f"ok    {name}: {await examine(config)}")
        except _CheckWarning as warning:
            say(f"warn  {name}: {warning}")
        except (_CheckError, RoomreelError, TranscodeError) as error:
            say(f"FAIL  {name}: {error}")
            well = False
    return well
