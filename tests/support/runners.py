"""A runner by hand, which can lie, and a TLS endpoint before a service."""

import io
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import trustme

from appservice.demo.synapse import free_port
from tests.support.nginx import nginx

_TLS = """
server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.pem;
    location / {{
        proxy_pass http://127.0.0.1:{upstream};
        proxy_set_header X-Forwarded-For $remote_addr;
        client_max_body_size 16m;
        proxy_request_buffering off;
        proxy_buffering off;
        proxy_read_timeout 60s;
    }}
}}
"""


@dataclass(frozen=True)
class Endpoint:
    """An address over TLS, and the file with the certificate of who made its own."""

    url: str
    ca: Path


@asynccontextmanager
async def over_tls(folder: Path, upstream: int) -> AsyncIterator[Endpoint]:
    """Serve what listens on a port over TLS, with a self-made authority."""
    folder.mkdir()
    authority, port = trustme.CA(), free_port()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    content = _TLS.format(port=port, upstream=upstream, folder=folder)
    async with nginx(folder / "nginx", port, content):
        yield Endpoint(f"https://127.0.0.1:{port}", folder / "ca.pem")


@dataclass
class HandRunner:
    """A runner whose requests a test sends."""

    http: aiohttp.ClientSession
    url: str
    token: str
    ca: Path | None = None
    address: str | None = None

    async def request(self, method: str, path: str, **more: Any) -> tuple[int, bytes, Mapping[str, str]]:  # noqa: ANN401 - aiohttp's
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        if self.address:
            headers["X-Forwarded-For"] = self.address
        trusted = ssl.create_default_context(cafile=str(self.ca)) if self.ca else True
        async with self.http.request(
            method, f"{self.url}/api/v1/runner{path}", headers=headers, ssl=trusted, **more
        ) as response:
            return response.status, await response.read(), dict(response.headers)

    async def status(self, method: str, path: str, **more: Any) -> int:  # noqa: ANN401 - aiohttp's
        return (await self.request(method, path, **more))[0]

    async def put(self, job_id: str, name: str, content: object, offset: int = 0) -> int:
        """Send a part of a file."""
        headers = {"Upload-Offset": str(offset)}
        content = io.BytesIO(content) if isinstance(content, bytes) else content
        return await self.status("PATCH", f"/jobs/{job_id}/files/{name}", data=content, headers=headers)
