"""Cross-signs the device, so that clients which send to verified devices alone (MSC4153) send to it.

The bot's account has cross-signing keys of its own, made once, and a recovery key that opens their private halves in
its account data (secret storage). A new device is signed by these. Import after `installation.install`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from mautrix.api import Method, Path
from mautrix.client import Client
from mautrix.crypto.signature import verify_signature_json
from mautrix.crypto.ssss.key import Key
from mautrix.crypto.ssss.machine import Machine as SecretStorage
from mautrix.errors import MNotFound
from mautrix.types import SigningKey, UserID

from appservice.encryption.errors import CrossSigningError
from appservice.encryption.machine import Machine

log = structlog.get_logger()

Json = Mapping[str, Any]
Keep = Callable[[str], Awaitable[None]]


async def ensure_cross_signed(machine: Machine, kept: str | None, keep: Keep) -> str | None:
    """Cross-sign the device unless it is; return the recovery key if one was made, to be shown to the operator once.

    `kept` is the recovery key of an earlier time; `keep` stores a new one, before anything is published. The device's
    keys must have been uploaded. Raises CrossSigningError, and mautrix' errors of requests.
    """
    keys = await published_keys(machine.client)
    if is_cross_signed(keys, machine):
        return None
    if master_key(keys, machine.client.mxid) is None:
        machine.ssss = _KeptFirst(machine.client, keep)
        made: str = await machine.generate_recovery_key()
        await _check(machine)
        log.info("cross_signing_keys_made", device=machine.client.device_id)
        return made
    if kept is None:
        raise CrossSigningError(
            f"{machine.client.mxid} has cross-signing keys that Roomreel did not make, so its device stays unverified, "
            "and clients that send to verified devices only send it no keys. Sign in as the bot nowhere else; reset "
            "these keys: `roomreel admin -c FILE renew-device --reset-cross-signing`."
        )
    try:
        await machine.verify_with_recovery_key(kept)
    except (ValueError, LookupError, MNotFound) as error:
        raise CrossSigningError(
            f"The recovery key that Roomreel keeps does not open the cross-signing keys of {machine.client.mxid} "
            f"({type(error).__name__}): somebody replaced them, or the secrets in its account data. Reset them: "
            "`roomreel admin -c FILE renew-device --reset-cross-signing`."
        ) from error
    await _check(machine)
    log.info("device_cross_signed", device=machine.client.device_id)
    return None


async def reset_cross_signing(machine: Machine, keep: Keep) -> str:
    """Replace the account's cross-signing keys, and return the new recovery key, to be shown to the operator once.

    Whoever verified the bot sees that its identity has changed. Needs an appservice: others need a password.
    """
    machine.ssss = _KeptFirst(machine.client, keep)
    made: str = await machine.generate_recovery_key()
    await _check(machine)
    return made


async def published_keys(client: Client) -> Json:
    """Return what the homeserver tells others of the bot's keys (`/keys/query`)."""
    content: Json = await client.api.request(
        Method.POST, Path.v3.keys.query, {"device_keys": {client.mxid: []}, "timeout": 10_000}
    )
    return content


def master_key(keys: Json, user_id: str) -> SigningKey | None:
    """Return the user's master key."""
    return _only_key(keys, "master_keys", user_id)


def device_keys(keys: Json, user_id: str, device_id: str) -> Json | None:
    """Return the keys of a device, as they were uploaded."""
    return _object(_object(keys.get("device_keys")).get(user_id)).get(device_id)


def is_cross_signed(keys: Json, machine: Machine) -> bool:
    """Say whether the device is signed by the self-signing key, and that by the master key."""
    user_id, device_id = machine.client.mxid, machine.client.device_id
    master, self_signing = master_key(keys, user_id), _only_key(keys, "self_signing_keys", user_id)
    device = device_keys(keys, user_id, device_id)
    if not (master and self_signing and device):
        return False
    return _is_signed(keys["self_signing_keys"][user_id], user_id, master) and _is_signed(device, user_id, self_signing)


def _is_signed(signed: Any, user_id: str, key: SigningKey) -> bool:  # noqa: ANN401  # JSON
    try:
        return bool(verify_signature_json(signed, UserID(user_id), key, key))
    except (KeyError, TypeError, AttributeError):
        return False


async def _check(machine: Machine) -> None:
    # The homeserver answers an upload of signatures with 200, whatever it makes of them.
    if not is_cross_signed(await published_keys(machine.client), machine):
        raise CrossSigningError(
            "The homeserver did not take the signature of the bot's device. Look into the homeserver's log; the next "
            "start tries again."
        )


class _KeptFirst(SecretStorage):
    """Secret storage whose new key is kept, and is the default one, before anything is encrypted by it."""

    def __init__(self, client: Client, keep: Keep) -> None:
        super().__init__(client)
        self._keep = keep

    async def generate_and_upload_key(self, passphrase: str | None = None) -> Key:
        key = Key.generate(passphrase)
        await self._keep(key.recovery_key)
        await self.set_key_data(key.id, key.metadata)
        await self.set_default_key_id(key.id)
        return key


def _only_key(keys: Json, name: str, user_id: str) -> SigningKey | None:
    found = list(_object(_object(_object(keys.get(name)).get(user_id)).get("keys")).values())
    return SigningKey(found[0]) if len(found) == 1 and isinstance(found[0], str) else None


def _object(value: Any) -> Json:  # noqa: ANN401  # JSON
    return value if isinstance(value, Mapping) else {}
