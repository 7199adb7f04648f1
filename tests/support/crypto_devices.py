"""Devices on a real homeserver: ours with its database, and plain ones that send it room keys."""

import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

from appservice.encryption.installation import install

install()  # before mautrix.crypto is imported

from mautrix.client import Client  # noqa: E402
from mautrix.client.state_store.asyncpg import PgStateStore  # noqa: E402
from mautrix.crypto import OlmAccount, OutboundGroupSession, PgCryptoStateStore, Session  # noqa: E402
from mautrix.crypto.signature import sign_olm  # noqa: E402
from mautrix.errors import SessionNotFound  # noqa: E402
from mautrix.types import DeviceID, IdentityKey, RoomID, SessionID, UserID  # noqa: E402
from mautrix.util.async_db import Database  # noqa: E402

from appservice.demo.client import MatrixClient  # noqa: E402
from appservice.encryption import olm  # noqa: E402
from appservice.encryption.crypto_store import CryptoStore  # noqa: E402
from appservice.encryption.machine import Machine  # noqa: E402

Json = dict[str, Any]

OLM = "m.olm.v1.curve25519-aes-sha2"
ROOM = RoomID("!not-ours:test.local")


@contextlib.asynccontextmanager
async def machine_of(dsn: str, user: MatrixClient, homeserver: str = "") -> AsyncIterator[Machine]:
    """Open the machine of a user's device with what its database has, as a start of the service does."""
    me = await user.request("GET", "/_matrix/client/v3/account/whoami")
    database = Database.create(dsn, db_args={"min_size": 1, "max_size": 4}, upgrade_table=CryptoStore.upgrade_table)
    await database.start()
    client = Client(UserID(me["user_id"]), DeviceID(me["device_id"]), base_url=homeserver or user.base_url)
    client.api.token = user.access_token
    try:
        await PgStateStore.upgrade_table.upgrade(database)
        store = CryptoStore(me["user_id"], "pickle key of the tests", database)
        await store.put_device_id(client.device_id)
        machine = Machine(client, store, PgCryptoStateStore(database))
        await machine.load()
        yield machine
    finally:
        await client.api.session.close()
        await database.stop()


class Sender:
    """A device that sends room keys to another one, all in one Olm session."""

    def __init__(self, user: MatrixClient, target: Machine) -> None:
        assert target.account is not None
        self._user = user
        self._target = (target.client.mxid, target.client.device_id)
        self._to_keys = target.account.identity_keys
        self.account = OlmAccount()
        self._session: Session | None = None

    async def begin(self) -> str:
        """Claim a key, begin the session and return the key."""
        user_id, device_id = self._target
        query = {"one_time_keys": {user_id: {device_id: "signed_curve25519"}}}
        claimed = await self._user.request("POST", "/_matrix/client/v3/keys/claim", json=query)
        (key,) = claimed["one_time_keys"][user_id][device_id].values()
        self._session = self.account.new_outbound_session(
            IdentityKey(self._to_keys["curve25519"]), IdentityKey(key["key"])
        )
        return str(key["key"])

    async def send_key(self, group: OutboundGroupSession | None = None) -> SessionID:
        """Send the key of a room's session, a new one if none is given, and return the session's id."""
        group = group or OutboundGroupSession(ROOM)
        await self.send("m.room_key", group.share_content.serialize())
        return SessionID(group.id)

    async def send(self, event_type: str, content: object) -> None:
        """Send an encrypted to-device event."""
        user_id, _ = self._target
        event = {
            "type": event_type, "content": content, "sender": self._user.user_id, "sender_device": "ANY",
            "keys": {"ed25519": self.account.signing_key},
            "recipient": user_id, "recipient_keys": {"ed25519": self._to_keys["ed25519"]},
        }  # fmt: skip
        await self.send_plaintext(json.dumps(event))

    async def send_plaintext(self, plaintext: str) -> None:
        """Send an encrypted to-device event that holds any text."""
        assert self._session is not None
        sealed = self._session.encrypt(plaintext)
        ciphertext = {self._to_keys["curve25519"]: {"type": int(sealed.type), "body": sealed.body}}
        encrypted = {"algorithm": OLM, "sender_key": self.account.identity_key, "ciphertext": ciphertext}
        await self.send_plain("m.room.encrypted", encrypted)

    async def send_plain(self, event_type: str, content: object) -> None:
        """Send a to-device event as it is."""
        user_id, device_id = self._target
        path = f"/_matrix/client/v3/sendToDevice/{event_type}/{secrets.token_hex(8)}"
        await self._user.request("PUT", path, json={"messages": {user_id: {device_id: content}}})


class Inbox:
    """What a user's device has received, all together. One for each device: Synapse repeats its first response."""

    def __init__(self, user: MatrixClient) -> None:
        self._user = user
        self._since = ""
        self._events: list[Json] = []

    async def read(self, event_type: str) -> list[Json]:
        """Return the contents of the to-device events of a type so far."""
        params = {"timeout": "0", **({"since": self._since} if self._since else {})}
        response = await self._user.request("GET", "/_matrix/client/v3/sync", params=params)
        self._since = response["next_batch"]
        self._events += response.get("to_device", {}).get("events", [])
        return [event["content"] for event in self._events if event["type"] == event_type]


async def known_sender(machine: Machine, user: MatrixClient) -> Sender:
    """Return the device of a user, whose keys are on the homeserver, in a session with the machine."""
    me = await user.request("GET", "/_matrix/client/v3/account/whoami")
    sender = Sender(user, machine)
    keys = sender.account.get_device_keys(UserID(user.user_id), me["device_id"]).serialize()
    await user.request("POST", "/_matrix/client/v3/keys/upload", json={"device_keys": keys})
    await sender.begin()
    return sender


async def cross_sign(user: MatrixClient) -> None:
    """Make cross-signing keys for a user, and sign their device, whose keys are on the homeserver."""
    me = await user.request("GET", "/_matrix/client/v3/account/whoami")
    master, self_signing = (olm.PkSigning(secrets.token_bytes(32)) for _ in range(2))
    upload = {}
    for usage, key in (("master", master), ("self_signing", self_signing)):
        public: Json = {
            "user_id": user.user_id,
            "usage": [usage],
            "keys": {f"ed25519:{key.public_key}": key.public_key},
        }
        signature = sign_olm(dict(public), master)
        public["signatures"] = {user.user_id: {f"ed25519:{master.public_key}": signature}}
        upload[f"{usage}_key"] = public
    await user.request("POST", "/_matrix/client/v3/keys/device_signing/upload", json=upload)
    query = {"device_keys": {user.user_id: [me["device_id"]]}}
    known = await user.request("POST", "/_matrix/client/v3/keys/query", json=query)
    device: Json = known["device_keys"][user.user_id][me["device_id"]]
    signed = {key: value for key, value in device.items() if key not in {"signatures", "unsigned"}}
    signature = sign_olm(dict(signed), self_signing)
    device = signed | {"signatures": {user.user_id: {f"ed25519:{self_signing.public_key}": signature}}}
    signatures = {user.user_id: {me["device_id"]: device}}
    await user.request("POST", "/_matrix/client/v3/keys/signatures/upload", json=signatures)


async def read(machine: Machine, event: Json) -> str:
    """Return the text of an encrypted message. Raises SessionNotFound, GroupSessionWithheldError."""
    content = event["content"]
    session_id = SessionID(content["session_id"])
    session = await machine.crypto_store.get_group_session(RoomID(event["room_id"]), session_id)
    if session is None:
        raise SessionNotFound(session_id)
    plaintext, _ = session.decrypt(content["ciphertext"])
    return str(json.loads(plaintext)["content"]["body"])


async def lacking(machine: Machine, session_ids: list[SessionID]) -> list[SessionID]:
    """Return the room keys that the machine does not have."""
    return [known for known in session_ids if not await machine.crypto_store.has_group_session(ROOM, known)]
