"""Uploads by tus, and what becomes of them."""

import asyncio
import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from tests.support.viewer import Viewer
from tests.support.waiting import eventually

PATH = "/api/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
BODY = {"Content-Type": "application/offset+octet-stream"}


@dataclass
class TusResponse:
    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class Uploader:
    """What tus-js-client does, step by step."""

    viewer: Viewer
    url: str = ""
    more: dict[str, str] = field(default_factory=dict)

    async def call(
        self, method: str, url: str, *, data: object = None, json: object = None, **headers: str
    ) -> TusResponse:
        sent = {"Authorization": f"Bearer {self.viewer.token}", **TUS, **self.more}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in sent.items() if value}
        url = urljoin(self.viewer.base_url, url)
        async with self.viewer.http.request(method, url, data=data, json=json, headers=sent) as response:
            body = await response.json() if response.content_type == "application/json" and method != "HEAD" else None
            return TusResponse(response.status, response.headers, body)

    async def create(self, length: int | None, name: str = "recording.webm") -> TusResponse:
        size = {"Upload_Defer_Length": "1"} if length is None else {"Upload_Length": str(length)}
        metadata = f"filename {base64.b64encode(name.encode()).decode()},filetype dmlkZW8vd2VibQ=="
        response = await self.call("POST", PATH, Upload_Metadata=metadata, **size)
        if response.status == 201:
            self.url = urljoin(f"{self.viewer.base_url}{PATH}", response.headers["Location"])
        return response

    async def patch(self, offset: int, data: object, **headers: str) -> TusResponse:
        data = io.BytesIO(data) if isinstance(data, bytes) else data
        return await self.call("PATCH", self.url, data=data, **{"Upload_Offset": str(offset), **BODY, **headers})

    async def head(self) -> TusResponse:
        return await self.call("HEAD", self.url)

    async def offset(self) -> int:
        response = await self.head()
        assert response.status == 200
        return int(response.headers["Upload-Offset"])

    async def send(self, file: Path) -> None:
        data = file.read_bytes()
        assert (await self.create(len(data), file.name)).status == 201
        assert (await self.patch(0, data)).status == 204

    async def cut_off(self, offset: int, head: bytes, announced: int) -> None:
        """Send the start of a PATCH, and go away."""
        parts = urlsplit(self.url)
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        headers = {
            "Host": parts.netloc, "Authorization": f"Bearer {self.viewer.token}", **TUS, **BODY,
            "Upload-Offset": str(offset), "Content-Length": str(announced),
        }  # fmt: skip
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"PATCH {parts.path} HTTP/1.1\r\n{lines}\r\n".encode() + head)
        # Closed, not aborted: what was written is on its way, whenever it is read.
        writer.close()
        await writer.wait_closed()

    async def finish(self, **options: object) -> TusResponse:
        return await self.call("POST", f"{self.url}/finish", json=options, Tus_Resumable="")

    async def state(self) -> dict[str, Any]:
        response = await self.call("GET", self.url, Tus_Resumable="")
        assert response.status == 200, response
        return dict(response.body)

    async def outcome(self, *states: str) -> dict[str, Any]:
        async def ended() -> dict[str, Any] | None:
            state = await self.state()
            return state if state["state"] in (states or ("ready", "failed")) else None

        found = await eventually(ended, what="the end of the work on an upload")
        assert found
        return found

    def id(self) -> str:
        return self.url.rpartition("/")[2]

    def bytes_in(self, uploads: Path) -> Path:
        """Return where the bytes are, in the folder of all uploads."""
        return uploads / self.id()

    async def wait_for_deletion(self, uploads: Path) -> None:
        """Wait until the bytes are gone, which they are just after the row says how it ended."""

        async def gone() -> bool:
            return not self.bytes_in(uploads).exists()

        await eventually(gone, what="the bytes being deleted")
