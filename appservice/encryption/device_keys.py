"""Uploads the keys by which others begin sessions with this device. Import after `installation.install`."""

from typing import Any

from mautrix.api import Method, Path
from mautrix.crypto import OlmAccount, OlmMachine
from mautrix.crypto.signature import sign_olm
from mautrix.types import KeyID

Json = dict[str, Any]


async def upload_keys(machine: OlmMachine, on_homeserver: int, *, fallback_used: bool) -> None:
    """Upload the device's keys once, and one-time keys up to half of what the account can have.

    `on_homeserver`: how many unused one-time keys it has. With `fallback_used` there is a new fallback key as well; the
    one before stays usable until the next. Keys are stored before they are uploaded: the homeserver must not give out
    keys that nobody has.
    """
    account = _account(machine)
    fallback = account.fallback_key["curve25519"]
    # Keys of an upload without a response may be given out already: they stay usable, but are not offered again.
    account.mark_keys_as_published()
    missing = account.max_one_time_keys // 2 - on_homeserver
    if missing > 0:
        account.generate_one_time_keys(missing)
    if fallback_used and not fallback:
        account.generate_fallback_key()
        fallback = account.fallback_key["curve25519"]
    content = _content(machine, account, fallback)
    if not content:
        return
    await machine.crypto_store.put_account(account)
    await machine.client.api.request(Method.POST, Path.v3.keys.upload, content)
    account.shared = True
    account.mark_keys_as_published()
    await machine.crypto_store.put_account(account)


def _account(machine: OlmMachine) -> OlmAccount:
    if machine.account is None:
        raise RuntimeError("The machine is not loaded.")
    return machine.account


def _content(machine: OlmMachine, account: OlmAccount, fallback: dict[str, str]) -> Json:
    one_time_keys = account.one_time_keys["curve25519"]
    content: Json = {}
    if one_time_keys:
        content["one_time_keys"] = {
            _key_id(each): _signed(machine, {"key": key}) for each, key in one_time_keys.items()
        }
    if fallback:
        content["fallback_keys"] = {
            _key_id(each): _signed(machine, {"key": key, "fallback": True}) for each, key in fallback.items()
        }
    if not account.shared:
        content["device_keys"] = account.get_device_keys(machine.client.mxid, machine.client.device_id).serialize()
    return content


def _key_id(key_id: str) -> str:
    return f"signed_curve25519:{key_id}"


def _signed(machine: OlmMachine, key: Json) -> Json:
    signature = sign_olm(dict(key), machine.account)
    return {**key, "signatures": {machine.client.mxid: {str(KeyID.ed25519(machine.client.device_id)): signature}}}
