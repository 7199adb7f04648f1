"""What can be wrong with the bot's device, in words that say what to do, and the mend by a new device.

Import after `installation.install`.
"""

import secrets
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from mautrix.api import Method, Path
from mautrix.client import Client
from mautrix.crypto import OlmAccount, StateStore
from mautrix.errors import MatrixRequestError
from mautrix.types import DeviceID

from appservice.encryption.cross_signing import (
    Keep,
    device_keys,
    ensure_cross_signed,
    is_cross_signed,
    published_keys,
)
from appservice.encryption.crypto_store import CryptoStore
from appservice.encryption.device_keys import is_older_than_uploaded
from appservice.encryption.machine import Machine

log = structlog.get_logger()

_NAME = "Roomreel"
_DAY_MS = 24 * 60 * 60 * 1000
_STALE_DAYS = 7
_RENEW = "Stop Roomreel, run `roomreel admin -c FILE renew-device`, and start it again"

Code = Literal["device-gone", "keys-differ", "database-older", "keys-refused", "not-cross-signed", "may-be-deleted"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong: with `is_broken` encrypted rooms do not work (for some), else they may not one day."""

    code: Code
    text: str
    is_broken: bool


async def examine(machine: Machine, now_ms: int) -> list[Finding]:
    """Look at the device as the homeserver and others have it; changes nothing. Raises mautrix' errors of requests.

    What a running service meanwhile found in its own machine, `keys-refused`, is known there alone.
    """
    client, account = machine.client, machine.account
    if account is None:
        raise RuntimeError("The machine is not loaded.")
    device = await _device(client)
    if device is None:
        return [_gone(client)]
    keys = await published_keys(client)
    found = [] if _has_our_keys(keys, client, account) else [_differ(client)]
    if await is_older_than_uploaded(client, account):
        found.append(_older(client))
    elif machine.keys_refused:
        found.append(_refused(machine.keys_refused))
    if not found and not is_cross_signed(keys, machine):
        found.append(_unsigned(client))
    last_seen = device.get("last_seen_ts")
    unseen_days = (now_ms - last_seen) // _DAY_MS if isinstance(last_seen, int) else 0  # never seen, never deleted
    if unseen_days >= _STALE_DAYS:
        found.append(_stale(unseen_days))
    return found


async def is_there(client: Client) -> bool:
    """Say whether the homeserver has the client's device. Raises mautrix' errors of requests."""
    return await _device(client) is not None


def lost(client: Client) -> str:
    """Say that the homeserver has not got the client's device any more, and what to do."""
    return _gone(client).text


async def _device(client: Client) -> dict[str, Any] | None:
    as_device, client.api.as_device_id = client.api.as_device_id, None  # an error of its own if it is gone
    try:
        device: dict[str, Any] = await client.api.request(Method.GET, Path.v3.devices[client.device_id])
    except MatrixRequestError as error:
        if error.http_status == 404:
            return None
        raise
    else:
        return device
    finally:
        client.api.as_device_id = as_device


def _has_our_keys(keys: Any, client: Client, account: OlmAccount) -> bool:  # noqa: ANN401  # JSON
    if not account.shared:
        return True  # the next sync uploads them
    there = device_keys(keys, client.mxid, client.device_id)
    ours = {f"{algorithm}:{client.device_id}": key for algorithm, key in account.identity_keys.items()}
    return there is not None and there.get("keys") == ours


def _gone(client: Client) -> Finding:
    text = (
        f"The homeserver does not have the bot's device {client.device_id} any more: an admin deleted it, or Synapse "
        f"did (`delete_stale_devices_after`). Nothing new can be read in encrypted rooms. {_RENEW}; what could be read "
        "before can be read after it. So that it does not happen again, see docs/encryption.md."
    )
    return Finding("device-gone", text, is_broken=True)


def _differ(client: Client) -> Finding:
    text = (
        f"The homeserver has other keys for the bot's device {client.device_id} than this database, which is another "
        f"installation's, or was emptied: others encrypt for keys that it does not have. If it is yours: {_RENEW}."
    )
    return Finding("keys-differ", text, is_broken=True)


def _older(client: Client) -> Finding:
    text = (
        f"The database is older than what the bot's device {client.device_id} has sent to the homeserver: it was "
        f"restored from a backup. New devices encrypt for keys that it does not have. {_RENEW}; what could be read "
        "before can be read after it."
    )
    return Finding("database-older", text, is_broken=True)


def _refused(error: str) -> Finding:
    text = (
        f"The homeserver refuses the device's new one-time keys ({error}): once those that it has are used up, new "
        f"devices cannot send to the bot. Look into the homeserver's log. Where nothing else helps: {_RENEW}."
    )
    return Finding("keys-refused", text, is_broken=True)


def _unsigned(client: Client) -> Finding:
    text = (
        f"The bot's device {client.device_id} is not cross-signed: clients that send to verified devices only send it "
        "no keys. Start Roomreel: it signs the device, or says in its log why it cannot."
    )
    return Finding("not-cross-signed", text, is_broken=False)


def _stale(days: int) -> Finding:
    text = (
        f"The homeserver has not noticed for {days} days that the bot's device is used. If Synapse has "
        "`delete_stale_devices_after`, it will delete the device once that time is over, and the bot can read nothing "
        "any more: set `track_appservice_user_ips: true` in homeserver.yaml, or remove `delete_stale_devices_after`."
    )
    return Finding("may-be-deleted", text, is_broken=False)


async def renew_device(
    client: Client, store: CryptoStore, state_store: StateStore, recovery_key: str | None, keep: Keep
) -> tuple[DeviceID, str | None]:
    """Replace the device by a new one; return its id, and a recovery key if a new one had to be made.

    For an appservice; nobody else may use the device meanwhile. Keys that others sent before stay. After an error it
    can be run again. Raises mautrix' errors of requests, and CrossSigningError: the new device is there, unverified.
    """
    api, old = client.api, client.device_id
    api.as_device_id = None  # it may be gone already
    try:
        await api.request(Method.DELETE, Path.v3.devices[old], {})
    except MatrixRequestError as error:
        if error.http_status != 404:
            raise
    # From here on a start makes a device as on the first day, should we not come to it.
    await store.forget_device()
    client.device_id = new_device_id()
    await create_device(client)
    api.as_device_id = client.device_id
    await store.put_device_id(client.device_id)
    machine = Machine(client, store, state_store)
    await machine.load()
    await machine.sync(0)
    log.info("device_renewed", old=old, new=client.device_id)
    return client.device_id, await ensure_cross_signed(machine, recovery_key, keep)


def new_device_id() -> DeviceID:
    """Return an id that no device has."""
    return DeviceID(f"ROOMREEL{secrets.token_hex(5).upper()}")


async def create_device(client: Client) -> None:
    """Make the client's device on the homeserver (MSC4190, stable since Matrix 1.17)."""
    await client.api.request(Method.PUT, Path.v3.devices[client.device_id], {"display_name": _NAME})
