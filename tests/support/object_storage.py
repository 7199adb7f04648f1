"""Real object storage on free ports: an S3 server (SeaweedFS), what makes it one of Google's, and Azurite."""

import asyncio
import base64
import contextlib
import hmac
import io
import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from appservice.config import Place
from appservice.core.errors import UnavailableError
from appservice.demo.synapse import free_port
from appservice.media.object_opening import open_objects
from tests.support.processes import suspended
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
ACCESS_KEY, SECRET_KEY = "key-of-the-tests", "secret-of-the-tests"
BUCKET = "reel"
_KEPT = ("Content-Length", "Content-Type", "Content-Range", "ETag", "Last-Modified")
# Those of every emulator, as Microsoft documents them.
_ACCOUNT = "devstoreaccount1"
_ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass
class ObjectStorage:
    """A place that a configuration's `storage` names, and the origin that browsers see of it."""

    place: dict[str, Any]
    origin: str
    pid: int

    def section(self, prefix: str, **more: object) -> dict[str, Any]:
        """Return a `storage` section with a prefix of its own."""
        return {**self.place, "url": f"{self.place['url']}/{prefix}", **more}

    def suspended(self) -> contextlib.AbstractContextManager[None]:
        """Let it respond to nothing until the context ends."""
        return suspended([psutil.Process(self.pid)])


@asynccontextmanager
async def s3_server() -> AsyncIterator[ObjectStorage]:
    """Run an S3 server with a bucket until the context ends."""
    credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    async with _weed({"name": "t", "credentials": credentials, "actions": ["Admin"]}) as (url, pid):
        options = {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY}
        place = {
            "url": f"s3://{BUCKET}", "endpoint": url, "region": "us-east-1", "allow_http": True, "options": options,
        }  # fmt: skip
        await _responding(place)
        yield ObjectStorage(place, url, pid)


@asynccontextmanager
async def google_storage() -> AsyncIterator[ObjectStorage]:
    """Run a server of Google's XML API until the context ends.

    That is what obstore speaks, and the emulators there are (gcp-storage-emulator) speak JSON. Google made it
    interoperable with S3's: this is the S3 server, which knows everybody, behind what translates the names of headers.
    """
    async with _weed({"name": "anonymous", "actions": ["Admin"]}) as (url, pid), aiohttp.ClientSession() as http:
        await eventually(lambda: _listens(url), what="the S3 server")

        async def translate(request: web.Request) -> web.StreamResponse:
            headers = {
                name.lower().replace("x-goog-", "x-amz-"): value
                for name, value in request.headers.items()
                if name.lower() not in {"host", "authorization", "transfer-encoding"}
            }
            address, body = URL(url + request.raw_path, encoded=True), io.BytesIO(await request.read())
            async with http.request(request.method, address, data=body, headers=headers) as response:
                kept = {name: response.headers[name] for name in _KEPT if name in response.headers}
                answer = web.StreamResponse(status=response.status, headers=kept)
                await answer.prepare(request)
                await answer.write(await response.read())
                return answer

        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", translate)
        async with TestServer(app) as server:
            account = {
                "gcs_base_url": str(server.make_url("")).rstrip("/"), "disable_oauth": True,
                "client_email": "", "private_key": "", "private_key_id": "",
            }  # fmt: skip
            options = {"service_account_key": json.dumps(account)}
            place = {"url": f"gs://{BUCKET}", "allow_http": True, "options": options}
            await _responding(place)
            yield ObjectStorage(place, str(server.make_url("")), pid)


@asynccontextmanager
async def _weed(identity: dict[str, Any]) -> AsyncIterator[tuple[str, int]]:
    """Run SeaweedFS for one identity; yield its S3 API's URL, and its process' id."""
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    with tempfile.TemporaryDirectory(prefix="roomreel-s3-") as name:
        folder = Path(name)
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        listening = [f"-{part}.port={port}" for part, port in ports.items()]
        listening += [f"-{part}.port.grpc={free_port()}" for part in ports]
        words = (
            "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", *listening,
            f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false",
            f"-s3.localSocket={folder / 's3.sock'}", f"-filer.localSocket={folder / 'filer.sock'}",
            "-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=40",
        )  # fmt: skip
        async with _running(folder, str(Path(sys.executable).with_name("weed")), *words) as process:
            yield f"http://127.0.0.1:{ports['s3']}", process.pid


async def _listens(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as http, http.get(url) as response:
            return response.status < 500
    except aiohttp.ClientError:
        return False


async def _responding(place: dict[str, Any]) -> None:
    """Wait until a place takes objects, for the first of which its bucket is made."""
    objects = open_objects(Place.model_validate(place))

    async def responds() -> bool:
        try:
            await objects.put("probe", b"")
        except UnavailableError:
            return False
        return True

    await eventually(responds, what=f"{place['url']} taking objects")
    await objects.delete(["probe"])


@asynccontextmanager
async def azurite() -> AsyncIterator[ObjectStorage]:
    """Run an emulator of Azure Blob Storage with a container until the context ends."""
    port = free_port()
    main = ROOT / ".run" / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    assert main.is_file(), "./run test installs it"
    with tempfile.TemporaryDirectory(prefix="roomreel-azurite-") as name:
        words = ("--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry")
        listening = ("--blobHost", "127.0.0.1", "--blobPort", str(port))
        node = shutil.which("node") or str(ROOT / ".run" / "node" / "node")
        url = f"http://127.0.0.1:{port}/{_ACCOUNT}"
        async with _running(Path(name), node, str(main), *words, *listening) as process:

            async def responds() -> bool:
                assert process.returncode is None, (Path(name) / "output").read_text()[-4000:]
                return await _make_container(url)

            await eventually(responds, what="Azurite")
            options = {"account_name": _ACCOUNT, "account_key": _ACCOUNT_KEY}
            place = {"url": f"az://{BUCKET}", "endpoint": url, "allow_http": True, "options": options}
            yield ObjectStorage(place, f"http://127.0.0.1:{port}", process.pid)


async def _make_container(url: str) -> bool:
    """Make the container as Azure's REST API has it ("Authorize with Shared Key"), for obstore makes none."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
    named = "".join(f"{name}:{value}\n" for name, value in headers.items())
    text = "PUT" + "\n" * 12 + f"{named}/{_ACCOUNT}/{_ACCOUNT}/{BUCKET}\nrestype:container"
    signed = hmac.digest(base64.b64decode(_ACCOUNT_KEY), text.encode(), "sha256")
    headers["Authorization"] = f"SharedKey {_ACCOUNT}:{base64.b64encode(signed).decode()}"
    try:
        async with aiohttp.ClientSession() as http, http.put(
            f"{url}/{BUCKET}?restype=container", headers=headers, skip_auto_headers=["Content-Type"]
        ) as response:  # fmt: skip
            assert response.status == 201, await response.text()
            return True
    except aiohttp.ClientError:
        return False


@asynccontextmanager
async def _running(folder: Path, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    with (folder / "output").open("wb") as output:
        process = await asyncio.create_subprocess_exec(*words, cwd=folder, stdout=output, stderr=output)
    try:
        yield process
    finally:
        # Nothing of it is needed any more.
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
