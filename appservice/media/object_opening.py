"""Opens object storage as it is configured, and tries it."""

import secrets
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import aiohttp
from obstore.exceptions import BaseError, UnknownConfigurationKeyError
from obstore.store import AzureStore, GCSStore, LocalStore, S3Store

from appservice.config import Config, Place, Serve, StorageConfig
from appservice.core.errors import ConfigError, StorageUnavailableError
from appservice.media.cache import FileCache
from appservice.media.object_exports import ObjectExports
from appservice.media.object_files import ObjectFiles
from appservice.media.object_uploads import ObjectUploads
from appservice.media.objects import PATIENCE_S, Objects
from appservice.media.storage import Leases, Storage

if TYPE_CHECKING:
    from obstore.store import AzureConfig, ClientConfig, GCSConfig, ObjectStore, RetryConfig, S3Config

_MIB = 1024 * 1024
# Requests are paid for.
_SWEEP_S = 60.0
_PROBE_S = 30
_CORS = "Access-Control-Allow-Origin"
_PROBE = b"Roomreel writes, reads, lists and deletes this to see that it can."


def open_object_storage(chosen: StorageConfig, place: Place, leases: Leases, cache: Path) -> Storage:
    """Return all that is stored as objects in a place, which is the chosen one or that before. Raises ConfigError."""
    objects = open_objects(place)
    files = ObjectFiles(
        objects, FileCache(cache, chosen.cache * _MIB),
        # What is to be moved comes from us.
        redirects=place is chosen and chosen.serve is Serve.REDIRECT,
        cdn=chosen.cdn_url if place is chosen and chosen.serve is Serve.CDN else None,
    )  # fmt: skip
    return Storage(files, ObjectUploads(objects, leases), ObjectExports(objects), _SWEEP_S)


def open_objects(place: Place) -> Objects:
    """Return the objects of a place that has a URL. Raises ConfigError."""
    try:
        # A part takes minutes on a slow line, and all that is small has an end by itself.
        return Objects(_store(place, "300s"), _store(place, f"{PATIENCE_S:g}s"))
    except (BaseError, ValueError, OSError) as error:
        # The text may quote a value.
        reason = str(error).split("\n", 1)[0] if isinstance(error, UnknownConfigurationKeyError) else ""
        raise ConfigError(
            f"`storage`: {place.url} cannot be opened ({reason or type(error).__name__}). Check `storage.url`, "
            "`storage.endpoint`, `storage.region` and the names in `storage.options`."
        ) from None


def _store(place: Place, timeout: str) -> "ObjectStore":
    parts = urlsplit(place.url or "")
    bucket, prefix = parts.netloc, parts.path.strip("/") or None
    options: dict[str, Any] = {name: value.get_secret_value() for name, value in place.options.items()}
    client: ClientConfig = {"connect_timeout": "5s", "timeout": timeout, "allow_http": place.allow_http}
    retries: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
    if place.endpoint:
        options["endpoint"] = place.endpoint
    match parts.scheme:
        case "s3":
            options.setdefault("virtual_hosted_style_request", str(not place.path_style).lower())
            if place.region:
                options["region"] = place.region
            s3 = cast("S3Config", options)
            return S3Store(bucket, prefix=prefix, config=s3, client_options=client, retry_config=retries)
        case "gs":
            gs = cast("GCSConfig", options)
            return GCSStore(bucket, prefix=prefix, config=gs, client_options=client, retry_config=retries)
        case "az":
            az = cast("AzureConfig", options)
            return AzureStore(bucket, prefix=prefix, config=az, client_options=client, retry_config=retries)
        case _:
            return LocalStore(parts.path, automatic_cleanup=True, mkdir=True)


async def probe_storage(config: Config) -> str:
    """Write, read, list and delete an object, also as viewers read it, and return what storage there is.

    Raises ConfigError, which says what fails. Nothing is done where files are in the folders below `data_dir`.
    """
    chosen = config.storage
    if chosen.url is None:
        return str(config.data_dir)
    objects, folder = open_objects(chosen), f"probes/{secrets.token_hex(8)}"
    path, doing = f"{folder}/probe", "written"
    try:
        await objects.put(path, _PROBE)
        doing = "read"
        read = await objects.get(path)
        doing = "listed"
        listed = [each.path async for page in objects.pages(folder) for each in page]
        await _probe_as_viewer(config, objects, path)
        doing = "deleted"
        await objects.delete([path])
        left = [each.path async for page in objects.pages(folder) for each in page]
    except (StorageUnavailableError, FileNotFoundError) as error:
        raise ConfigError(f"{chosen.url}: an object cannot be {doing}. {error}") from error
    if read != _PROBE or listed != [path] or left:
        raise ConfigError(f"{chosen.url}: what was written is not what is read, listed and deleted there.")
    return chosen.url


async def _probe_as_viewer(config: Config, objects: Objects, path: str) -> None:
    """Fetch an object as the widget's page does, which is of another origin. Raises ConfigError."""
    if config.storage.serve is Serve.PROXY:
        return
    is_cdn = config.storage.serve is Serve.CDN
    address = f"{config.storage.cdn_url}/{path}" if is_cdn else await objects.sign(path, _PROBE_S)
    place = str(config.storage.cdn_url) if is_cdn else "{0.scheme}://{0.netloc}".format(urlsplit(address))
    page = "{0.scheme}://{0.netloc}".format(urlsplit(config.web.public_url))
    timeout = aiohttp.ClientTimeout(total=_PROBE_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(
            address, headers={"Origin": page}
        ) as response:  # fmt: skip
            read, allowed = await response.content.read(2 * len(_PROBE)), response.headers.get(_CORS)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ConfigError(f"{place} does not respond to viewers ({error or type(error).__name__}).") from error
    if read != _PROBE:
        raise ConfigError(f"{place} responds to viewers with {response.status}, and not with the file.")
    if allowed not in {"*", page}:
        raise ConfigError(f"{place} does not let pages of {page} read it (CORS). See docs/storage.md.")
