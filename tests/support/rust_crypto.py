"""A device with the crypto of Element's clients (matrix-sdk-crypto, in Node), for tests to talk with."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

_SCRIPT = Path(__file__).with_suffix(".mjs")
_LINE_BYTES = 64 * 2**20

# The numbers of RequestType in matrix-sdk-crypto-wasm.
KEYS_UPLOAD, KEYS_QUERY, KEYS_CLAIM = 0, 1, 2


class RustCryptoError(Exception):
    """What the device refused to do."""


class RustDevice:
    """One device; `call` is a method of rust_crypto.mjs."""

    def __init__(self, process: asyncio.subprocess.Process, user_id: str, device_id: str) -> None:
        self._process = process
        self.user_id = user_id
        self.device_id = device_id
        self.identity_keys: dict[str, str] = {}

    async def call(self, method: str, *arguments: object) -> Any:  # noqa: ANN401  # JSON, as the method has it
        """Run a method and return its value; raises RustCryptoError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([method, *arguments]).encode() + b"\n")
        await self._process.stdin.drain()
        response = json.loads(await self._process.stdout.readline())
        if "error" in response:
            raise RustCryptoError(response["error"])
        return response["value"]

    async def take_keys(self) -> dict[str, Any]:
        """Return what the device uploads: `device_keys`, `one_time_keys` and `fallback_keys`."""
        (upload,) = [request for request in await self.call("outgoing") if request["type"] == KEYS_UPLOAD]
        counts = {"signed_curve25519": len(upload["body"]["one_time_keys"])}
        await self.call("sent", upload["id"], KEYS_UPLOAD, {"one_time_key_counts": counts})
        keys: dict[str, Any] = upload["body"]
        return keys

    async def learn_device(self, user_id: str, device_id: str, device_keys: object, one_time_key: object) -> None:
        """Tell it the device of another user, and let it begin a session with it by one of its one-time keys."""
        await self.call("track", [user_id])
        for request in await self.call("outgoing"):
            if request["type"] == KEYS_QUERY:
                found = {"device_keys": {user_id: {device_id: device_keys}}, "failures": {}}
                await self.call("sent", request["id"], KEYS_QUERY, found)
        claim = await self.call("missing_sessions", [user_id])
        if claim:
            claimed = {"one_time_keys": {user_id: {device_id: one_time_key}}, "failures": {}}
            await self.call("sent", claim["id"], KEYS_CLAIM, claimed)


@contextlib.asynccontextmanager
async def rust_device(user_id: str, device_id: str) -> AsyncIterator[RustDevice]:
    """Start a device; it ends with the block."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("node", str(_SCRIPT), stdin=pipe, stdout=pipe, limit=_LINE_BYTES)
    try:
        device = RustDevice(process, user_id, device_id)
        device.identity_keys = await device.call("start", user_id, device_id)
        yield device
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
