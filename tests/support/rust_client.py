"""A client of Element's: its crypto (matrix-sdk-crypto) as a user's device on a real homeserver."""

import base64
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from appservice.demo.client import MatrixClient
from tests.support.rust_crypto import KEYS_CLAIM, KEYS_QUERY, KEYS_UPLOAD, RustDevice, rust_device

Json = dict[str, Any]

_TO_DEVICE, _SIGNATURES = 3, 4
_CLIENT = "/_matrix/client/v3"


class RustClient:
    """What Element does between its crypto and the homeserver, step by step."""

    def __init__(self, user: MatrixClient, device: RustDevice) -> None:
        self.user = user
        self.device = device
        self._since = ""
        self._received: list[Json] = []

    @property
    def user_id(self) -> str:
        return self.user.user_id

    async def perform(self, request: Json) -> Json:
        """Send a request of its crypto's to the homeserver, and the response back."""
        kind, body = request["type"], request["body"]
        if kind == _TO_DEVICE:
            path = f"{_CLIENT}/sendToDevice/{request['event_type']}/{request['id']}"
            response = await self.user.request("PUT", path, json=body)
        else:
            paths = {KEYS_UPLOAD: "upload", KEYS_QUERY: "query", KEYS_CLAIM: "claim", _SIGNATURES: "signatures/upload"}
            response = await self.user.request("POST", f"{_CLIENT}/keys/{paths[kind]}", json=body)
        if "id" in request:
            await self.device.call("sent", request["id"], kind, response)
        return response

    async def pump(self) -> None:
        """Send what its crypto has to send."""
        while requests := await self.device.call("outgoing"):
            for request in requests:
                await self.perform(request)

    async def sync(self) -> list[Json]:
        """Receive what is new to the device, send what it asks for, and return the to-device events."""
        params = {"timeout": "0", **({"since": self._since} if self._since else {})}
        response = await self.user.request("GET", f"{_CLIENT}/sync", params=params)
        self._since = response["next_batch"]
        events = response.get("to_device", {}).get("events", [])
        self._received += events
        changed = response.get("device_lists", {}).get("changed", [])
        counts = response.get("device_one_time_keys_count", {})
        received = await self.device.call("receive", events, counts, changed)
        await self.pump()
        return [each["event"] for each in received]

    def received(self, event_type: str) -> list[Json]:
        """Return the contents of the to-device events of a type so far, as they came."""
        return [event["content"] for event in self._received if event["type"] == event_type]

    async def cross_sign(self) -> None:
        """Make cross-signing keys, and sign the device."""
        made = await self.device.call("bootstrap_cross_signing")
        await self.user.request("POST", f"{_CLIENT}/keys/device_signing/upload", json=made["keys"])
        await self.perform(made["signatures"])
        await self.learn(self.user_id)

    async def learn(self, user_id: str) -> None:
        """Learn the devices of a user, as they are now, and begin sessions with them."""
        await self.device.call("track", [user_id])
        await self.device.call("query_again")
        await self.pump()
        if claim := await self.device.call("missing_sessions", [user_id]):
            await self.perform(claim)

    async def share_key(self, room_id: str, user_ids: list[str], strategy: str = "allDevices") -> list[Json]:
        """Send the key of the room's next messages, or that it is refused, and return what was sent."""
        requests: list[Json] = await self.device.call("share_room_key", room_id, user_ids, strategy)
        for request in requests:
            await self.perform(request)
        return requests

    async def write(self, room_id: str, text: str, event_id: str = "$event") -> Json:
        """Return a message as a room would have it, encrypted by the key that was shared last."""
        content = await self.device.call("encrypt", room_id, "m.room.message", {"msgtype": "m.text", "body": text})
        return {
            "type": "m.room.encrypted", "room_id": room_id, "event_id": event_id, "sender": self.user_id,
            "origin_server_ts": 1, "content": content,
        }  # fmt: skip

    async def send_bundle(self, room_id: str, user_id: str) -> bytes:
        """Upload the keys of a room and tell a user's devices where they are (MSC4268); return what was uploaded."""
        bundle = await self.device.call("build_room_key_bundle", room_id)
        data = base64.b64decode(bundle["data"])
        url = await self.user.upload(data, "application/octet-stream")
        for request in await self.device.call("share_room_key_bundle", user_id, room_id, url, bundle["file"]):
            await self.perform(request)
        return data


@contextlib.asynccontextmanager
async def rust_client(user: MatrixClient) -> AsyncIterator[RustClient]:
    """Start the crypto of a user's device, with its keys on the homeserver."""
    me = await user.request("GET", f"{_CLIENT}/account/whoami")
    async with rust_device(user.user_id, me["device_id"]) as device:
        client = RustClient(user, device)
        await client.pump()
        yield client
