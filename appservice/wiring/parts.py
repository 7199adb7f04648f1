"""What every long-running command needs: the database, the homeserver, the folders."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import structlog

from appservice import resources
from appservice.config import Config
from appservice.core.errors import ConfigError, EncryptionNotInstalledError
from appservice.core.languages import LANGUAGES
from appservice.encryption.installation import missing_packages
from appservice.encryption.keyring import Keyring, new_keyring, open_keyring
from appservice.i18n import Texts
from appservice.matrix.client import Encrypting, HomeserverClient
from appservice.matrix.measured import measured
from appservice.matrix.names import SystemResolver
from appservice.media.opening import open_storage
from appservice.media.storage import MediaStore, Storage
from appservice.service.media_keys import MediaKeys
from appservice.service.use_cases import UseCases
from appservice.store import InstallationStore, Stores, open_pool
from appservice.store.attachment_keys import AttachmentKeyStore
from appservice.store.outbox import Pool
from appservice.store.upload_leases import UploadLeaseStore
from appservice.web.access import Access
from appservice.worker.policies import PolicyWork
from appservice.worker.scratch import scratch_folder

log = structlog.get_logger()

HTTP_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10)
_MOST_CONNECTIONS = 100
_INSTALLATION_KEY = "encryption"
_DATABASE_CONNECTIONS = 6  # for each ladder that is made at a time
_DIRECT_CONNECTIONS = 24  # the queues' listeners, and a lock for each light job and reaction at a time


@dataclass(frozen=True)
class Parts:
    """What every long-running command needs."""

    config: Config
    dsn: str
    """PostgreSQL's own address, without a pooler."""
    pool: Pool
    direct: Pool
    """Connections without a pooler: for notifications, and locks that are held for long."""
    stores: Stores
    access: Access
    use_cases: UseCases
    session: aiohttp.ClientSession
    homeserver: HomeserverClient
    storage: Storage
    languages: Mapping[str, Texts]
    keyring: Keyring | None
    """None: nothing is encrypted here, and encrypted rooms are not served."""
    serves_encrypted: bool
    """Say whether encrypted rooms are served; else nothing is said there but that."""
    media_keys: MediaKeys

    @property
    def files(self) -> MediaStore:
        """The files of videos."""
        return self.storage.media

    @property
    def texts(self) -> Texts:
        """The catalogue of the configured language."""
        return self.languages[self.config.appservice.language]


def homeserver_of(
    config: Config, session: aiohttp.ClientSession, encrypting: Encrypting | None = None
) -> HomeserverClient:
    """Return the client of the configured homeserver; without `encrypting` nothing is encrypted."""
    token = config.appservice.as_token.get_secret_value()
    admin = config.homeserver.admin_token
    return HomeserverClient(
        session, config.homeserver.url, token, config.appservice.id, config.bot,
        admin.get_secret_value() if admin else None, encrypting,
    )  # fmt: skip


def can_encrypt(config: Config) -> bool:
    """Say whether this process can own the bot's device; log why not where an operator wants it."""
    if config.encryption.key is None:
        return False
    if missing := missing_packages():
        log.error("encryption_not_installed", reason=str(EncryptionNotInstalledError(missing)))
    return not missing


async def unlock(config: Config, installation: InstallationStore) -> Keyring | None:
    """Open the installation's key by the operator's, make it the first time, and store it anew where that changed.

    Raises ConfigError for another operator's key, or for none where something is encrypted already.
    """
    key, previous = config.encryption.key, config.encryption.previous_key
    if key is None:
        if await installation.find_secret(_INSTALLATION_KEY) is not None:
            raise ConfigError(
                "This installation has encrypted rooms or media, and `encryption.key` is not set. Put it back into the "
                "configuration; without it nothing of that can be read again."
            )
        return None
    sealed = await installation.secret(_INSTALLATION_KEY, new_keyring().sealed_by(key.get_secret_value()))
    if keyring := open_keyring(sealed, key.get_secret_value()):
        return keyring
    keyring = open_keyring(sealed, previous.get_secret_value()) if previous else None
    if keyring is None:
        raise ConfigError(
            "`encryption.key` is not the one under which this installation's keys are stored. Put that one back, or "
            "name it as `encryption.previous_key` to replace it by the new one."
        )
    await installation.replace_secret(_INSTALLATION_KEY, sealed, keyring.sealed_by(key.get_secret_value()))
    log.info("encryption_key_replaced", hint="`encryption.previous_key` is not needed any more.")
    return keyring


@asynccontextmanager
async def connections(most: int, *traces: aiohttp.TraceConfig) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a pool of connections, and threads to resolve names, that only its users can fill."""
    resolver = SystemResolver()
    connector = aiohttp.TCPConnector(resolver=resolver, limit=most)
    async with aiohttp.ClientSession(connector=connector, timeout=HTTP_TIMEOUT, trace_configs=list(traces)) as session:
        try:
            yield session
        finally:
            await resolver.close()


@asynccontextmanager
async def open_parts(config: Config, dsn: str, *, serves_encrypted: bool) -> AsyncIterator[Parts]:
    """Open all that a long-running command needs."""
    async with AsyncExitStack() as stack:
        # The light jobs and the videos, the queues' listeners, and room for requests.
        size = 32 + _DATABASE_CONNECTIONS * config.worker.concurrency
        pooler = config.database if config.database_direct else None
        pool = direct = await stack.enter_async_context(
            await open_pool(pooler or dsn, size=size, through_pooler=pooler is not None)
        )
        if pooler:
            direct = await stack.enter_async_context(await open_pool(dsn, size=_DIRECT_CONNECTIONS))
        session = await stack.enter_async_context(connections(_MOST_CONNECTIONS, measured(config.homeserver.url)))
        cache = None if config.storage.is_local else stack.enter_context(scratch_folder(config.data_dir / "cache"))
        storage = open_storage(config, UploadLeaseStore(pool), cache, InstallationStore(pool).deleting_files)
        await storage.prepare()
        keyring = await unlock(config, InstallationStore(pool))
        stores = Stores(
            pool,
            config.limits,
            judging=config.moderation.webhook is not None,
            decrypting=serves_encrypted,
            seal=keyring.seal_file if keyring else None,
            sealing=keyring,
            direct=direct,
        )
        if keyring and (sealed := await AttachmentKeyStore(pool).seal_all(keyring.seal_file)):
            log.info("attachment_keys_sealed", videos=sealed)
        key = await stores.installation.secret("signing", Access.new_key())
        access = Access(stores, key, config.permissions)
        yield Parts(
            config=config,
            dsn=dsn,
            pool=pool,
            direct=direct,
            stores=stores,
            access=access,
            use_cases=UseCases.on(stores, access.invalidate, keyring, encrypted_rooms=serves_encrypted),
            session=session,
            homeserver=homeserver_of(config, session, stores.outgoing),
            storage=storage,
            languages={name: Texts(resources.locales(), name) for name in LANGUAGES},
            keyring=keyring,
            serves_encrypted=serves_encrypted,
            media_keys=MediaKeys(stores.media_keys, keyring, all_rooms=config.encryption.all_rooms),
        )


def policy_work(parts: Parts) -> PolicyWork:
    """Return what follows policy lists."""
    return PolicyWork(parts.config, parts.stores.policies, parts.homeserver, parts.texts)
