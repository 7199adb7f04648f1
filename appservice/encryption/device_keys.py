"""Uploads the keys by which others begin sessions with this device. Import after `installation.install`."""

import base64
import binascii
from typing import Any

import structlog
from mautrix.api import Method, Path
from mautrix.client import Client
from mautrix.crypto import OlmAccount, OlmMachine
from mautrix.crypto.signature import sign_olm
from mautrix.errors import MatrixConnectionError, MatrixRequestError, MNotFound
from mautrix.types import KeyID

log = structlog.get_logger()

Json = dict[str, Any]

_MARK = "chat.roomreel.one_time_keys"
"""Account data of the bot: a device, the number of the newest one-time key that it uploaded, and whether its database
was restored from a backup since: no backup of the database takes that back."""
_EXISTS = "already exists"
"""What Synapse says of a key whose number another one has."""


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
        if await is_older_than_uploaded(machine.client, account):
            await _mark(machine.client, restored=True)
        account.generate_one_time_keys(missing)
    if fallback_used and not fallback:
        account.generate_fallback_key()
        fallback = account.fallback_key["curve25519"]
    content = _content(machine, account, fallback)
    if not content:
        return
    await machine.crypto_store.put_account(account)
    try:
        await machine.client.api.request(Method.POST, Path.v3.keys.upload, content)
    except MatrixRequestError as error:
        if _EXISTS in str(error):
            await _mark(machine.client, restored=True)
        raise
    account.shared = True
    numbers = [_number(each) for each in account.one_time_keys["curve25519"]]
    account.mark_keys_as_published()
    await machine.crypto_store.put_account(account)
    if numbers:
        await _mark(machine.client, newest=max(numbers))


async def is_older_than_uploaded(client: Client, account: OlmAccount) -> bool:
    """Say whether the account is one of an earlier time, from a restored database, or was since its device is there.

    It numbers its keys anew, and what others encrypt by keys that it has not got is lost. Changes nothing.
    """
    mark = await _read_mark(client)
    if mark.get("restored") is True:
        return True
    passphrase = "copy"  # noqa: S105  # of nothing that is stored
    copy = OlmAccount.from_pickle(account.pickle(passphrase), passphrase, shared=True)
    copy.mark_keys_as_published()
    copy.generate_one_time_keys(1)
    (following,) = map(_number, copy.one_time_keys["curve25519"])
    newest = mark.get("newest")
    return isinstance(newest, int) and following <= newest


async def _read_mark(client: Client) -> Json:
    try:
        mark = await client.get_account_data(_MARK)
    except MNotFound:
        return {}
    # Of another device it says nothing.
    return mark if isinstance(mark, dict) and mark.get("device") == client.device_id else {}


async def _mark(client: Client, **changes: int) -> None:
    # The number after the upload: one that is too high would accuse a good database.
    try:
        mark = await _read_mark(client) | {"device": str(client.device_id)} | changes
        await client.set_account_data(_MARK, mark)
    except (MatrixRequestError, MatrixConnectionError) as error:
        log.warning("one_time_keys_not_marked", error=str(error))


def _number(key_id: str) -> int:
    # vodozemac counts its keys.
    try:
        return int.from_bytes(base64.b64decode(key_id + "=" * (-len(key_id) % 4)))
    except binascii.Error:
        return 0


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
