"""Serve the demo's host page in front of the service under test."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from appservice.demo.client import MatrixClient
from appservice.demo.encrypted_client import EncryptedClient
from appservice.demo.host import host_of, serve_host
from appservice.demo.synapse import free_port
from tests.support.installation import Installation

OpenHost = Callable[[str], Awaitable[str]]


@asynccontextmanager
async def hosts(
    reel: Installation, alice: MatrixClient, bob: MatrixClient, devices: Iterable[EncryptedClient] = ()
) -> AsyncIterator[OpenHost]:
    """Yield a function that serves the host page for a room until the block ends, and returns its URL.

    `devices` are what people send to encrypted rooms with.
    """
    async with AsyncExitStack() as stack:

        async def serve(room_id: str) -> str:
            about = {
                "homeserver_url": reel.synapse.base_url,
                "server_name": reel.synapse.server_name,
                "room_id": room_id,
                "users": [
                    {"user_id": user.user_id, "password": "secret", "display_name": user.user_id[1:].partition(":")[0]}
                    for user in (alice, bob)
                ],
            }
            port = free_port()
            runner = await serve_host(host_of(about, reel.synapse.base_url, reel.url, devices), port)
            stack.push_async_callback(runner.cleanup)
            return f"http://127.0.0.1:{port}/"

        yield serve
