"""Run a Roomreel beside a real Synapse: its folder, configuration, database and process."""

import asyncio
import contextlib
import io
import json
import signal
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import aiohttp
import asyncpg
import psutil
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from appservice.config import load_config
from appservice.core.errors import ForbiddenError
from appservice.core.model import UserId
from appservice.demo.client import MatrixClient, MatrixError
from appservice.demo.synapse import Synapse, free_port
from appservice.matrix.client import HomeserverClient
from appservice.registration import render_registration
from tests.support.launch import Launch, Process, execute
from tests.support.viewer import Viewer
from tests.support.waiting import eventually


@dataclass
class Installation:
    """One Roomreel: its folder, configuration, database and process."""

    folder: Path
    synapse: Synapse
    settings: dict[str, Any]
    process: Process | None = None
    launch: Launch = execute

    @classmethod
    def prepare(cls, folder: Path, synapse: Synapse, *, slot: str, database: str, launch: Launch = execute) -> Self:
        """Write the configuration and the registration, which the given Synapse reads at its start."""
        port, metrics_port = free_port(), free_port()
        url = f"http://127.0.0.1:{port}"
        settings: dict[str, Any] = {
            "homeserver": {"url": synapse.base_url, "server_name": synapse.server_name},
            "appservice": {
                "url": url, "id": slot, "bot_localpart": slot,
                "as_token": f"as-token-of-{slot}-for-tests", "hs_token": f"hs-token-of-{slot}-for-tests",
            },
            "web": {"public_url": url, "host": "127.0.0.1", "port": port},
            "metrics": {"host": "127.0.0.1", "port": metrics_port},
            "database": database,
            "data_dir": "data",
            "permissions": {"*": "user"},
            "worker": {"heartbeat_timeout": 3},
            "log": {"level": "debug", "format": "json"},
        }  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        installation = cls(folder, synapse, settings, launch=launch)
        installation.write_config()
        installation.registration.write_text(render_registration(load_config(installation.config)))
        return installation

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def registration(self) -> Path:
        return self.folder / "registration.yaml"

    @property
    def url(self) -> str:
        return str(self.settings["web"]["public_url"])

    @property
    def bot(self) -> str:
        return f"@{self.settings['appservice']['bot_localpart']}:{self.synapse.server_name}"

    @property
    def as_token(self) -> str:
        return str(self.settings["appservice"]["as_token"])

    @property
    def hs_token(self) -> str:
        return str(self.settings["appservice"]["hs_token"])

    @property
    def log_file(self) -> Path:
        return self.folder / "service.log"

    @property
    def media(self) -> Path:
        return self.folder / "data" / "media"

    @property
    def uploads(self) -> Path:
        return self.folder / "data" / "uploads"

    def write_config(self, **sections: object) -> None:
        """Write the configuration, with some sections' keys changed for good."""
        for name, value in sections.items():
            old = self.settings.get(name)
            self.settings[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
        self.config.write_text(yaml.safe_dump(self.settings))

    def log_entries(self, event: str | None = None) -> list[dict[str, Any]]:
        """Return the log entries of the service (complete JSON lines only)."""
        entries = []
        for line in self.log_file.read_text().splitlines() if self.log_file.exists() else []:
            with contextlib.suppress(ValueError):
                entries.append(json.loads(line))
        return [entry for entry in entries if event is None or entry.get("event") == event]

    def secrets_in_log(self, *more: str) -> list[str]:
        """Return which of the configured secrets, and of more, the service has logged, at debug level."""
        log = self.log_file.read_text() if self.log_file.exists() else ""
        key = self.settings.get("encryption", {}).get("key")
        return [each for each in (self.as_token, self.hs_token, key, *more) if each and each in log]

    async def command(self, *args: str, env: dict[str, str] | None = None) -> tuple[int, str]:
        """Run `roomreel …` to its end and return exit code and output."""
        with tempfile.TemporaryFile() as output:
            process = await self.launch(*args, stdout=output, stderr=output, env=env)
            async with asyncio.timeout(120):
                code = await process.wait()
            output.seek(0)
            return code, output.read().decode()

    async def start(self, *, wait: bool = True, command: tuple[str, ...] = ("serve",)) -> None:
        """Start the service; with `wait`, return when it is ready."""
        with self.log_file.open("ab") as log:
            self.process = await self.launch(*command, "-c", str(self.config), stdout=log, stderr=log)
        if wait:
            await eventually(self.is_ready, what=f"{self.folder.name} becoming ready (see {self.log_file})")

    async def is_ready(self) -> bool:
        assert self.process
        assert self.process.returncode is None, self.log_file.read_text()[-4000:]
        try:
            async with aiohttp.ClientSession() as http, http.get(f"{self.url}/ready") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def stop(self, number: int = signal.SIGTERM) -> int | None:
        """Send a signal to the service alone (not its children) and return its exit code."""
        if self.process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        async with asyncio.timeout(30):
            code = await self.process.wait()
        self.process = None
        return code

    async def kill(self) -> None:
        await self.stop(signal.SIGKILL)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    async def keep_deletions_open(self, video_id: str | None = None) -> None:
        """Extend the undo window of deleted videos (or of one) by an hour: 8 s are too few for a slow machine."""
        await self.rows(
            "UPDATE videos SET deleted_at = deleted_at + interval '1 hour'"
            " WHERE deleted_at < now() AND id = coalesce($1::uuid, id)",
            video_id,
        )

    async def depart(self) -> None:
        """Kill the service if it runs, and leave neither rooms nor transactions to the next with its registration."""
        await self.kill()
        async with (
            self._draining_transactions() as received,
            MatrixClient(self.synapse.base_url, self.as_token, self.bot) as bot,
        ):
            # Else the next one would join them at its start and backfill their timelines.
            await self._leave_all()
            slot = self.settings["appservice"]["id"]

            async def pinged() -> bool:
                try:
                    await bot.request("POST", f"/_matrix/client/v1/appservice/{slot}/ping", json={})
                except MatrixError as error:
                    # A race: Synapse may reuse a connection that the killed service is just closing.
                    if error.status != 502:
                        raise
                    return False
                return True

            await eventually(pinged, what="a response to the homeserver's ping")
            while received.is_set():
                received.clear()
                await asyncio.sleep(0.2)

    async def _leave_all(self) -> None:
        slot = self.settings["appservice"]["id"]
        async with aiohttp.ClientSession() as http:
            homeserver = HomeserverClient(http, self.synapse.base_url, self.as_token, slot, UserId(self.bot))
            try:
                rooms = await homeserver.joined_rooms()
            except ForbiddenError as error:
                # No service with this registration was ever started.
                if "has not registered this user" not in str(error):
                    raise
                return
            invited = [invitation.room_id for invitation in await homeserver.invitations(datetime.now(UTC))]
            for room_id in [*rooms, *invited]:
                await homeserver.leave(room_id, "the test is over")

    @contextlib.asynccontextmanager
    async def _draining_transactions(self) -> AsyncIterator[asyncio.Event]:
        """Receive the homeserver's transactions in place of the stopped service; each sets the event.

        Synapse keeps transactions for a service that it cannot reach, and sends them after a ping. A transaction that
        is stored just when Synapse has caught up stays there until its next recovery (a race in Synapse 1.163:
        `_TransactionController.send` checks whether the service is up before it stores one): an invitation would stay
        unanswered.
        """
        received = asyncio.Event()

        async def take(_: web.Request) -> web.Response:
            received.set()
            return web.json_response({})

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", take)
        async with TestServer(app, host=self.settings["web"]["host"], port=self.settings["web"]["port"]):
            yield received

    def ffmpegs(self) -> list[psutil.Process]:
        """Return the running ffmpeg processes of this service."""
        if self.process is None:
            return []
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.name().startswith("ffmpeg"):
                    found.append(child)
        return found

    async def viewer(self, http: aiohttp.ClientSession, user: MatrixClient, room_id: str) -> Viewer:
        status, session = await self.open_session(http, await user.openid_token(), room_id)
        assert status == 200, session
        return Viewer(self.url, http, room_id, session["token"])

    async def signed_in(self, http: aiohttp.ClientSession, user: MatrixClient, room_id: str) -> Viewer:
        """Sign a browser in as a member by a code that they send, and return its session."""
        async with http.post(f"{self.url}/api/v1/sign-in", json={"room_id": room_id}) as response:
            sign_in = await response.json()
        await user.send_text(room_id, sign_in["command"])

        async def session_token() -> str | None:
            body = {"sign_in": sign_in["secret"], "room_id": room_id}
            async with http.post(f"{self.url}/api/v1/session", json=body) as response:
                return (await response.json())["token"] if response.status == 200 else None

        token = await eventually(session_token, what="the browser being signed in")
        assert token
        return Viewer(self.url, http, room_id, token)

    async def open_session(
        self, http: aiohttp.ClientSession, openid_token: object, room_id: str, **options: object
    ) -> tuple[int, Any]:
        body = {"openid_token": openid_token, "room_id": room_id, **options}
        async with http.post(f"{self.url}/api/v1/session", json=body) as response:
            return response.status, await response.json()

    async def transaction(
        self, http: aiohttp.ClientSession, events: list[Any], *, txn_id: str = "test", token: str | None = None
    ) -> tuple[int, Any]:
        """Send a transaction as the homeserver would."""
        headers = {"Authorization": f"Bearer {self.hs_token if token is None else token}"}
        url = f"{self.url}/_matrix/app/v1/transactions/{txn_id}"
        body = io.BytesIO(json.dumps({"events": events}).encode())
        async with http.put(url, data=body, headers=headers) as response:
            return response.status, await response.json()

    async def rows(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Query the database for what the API does not show."""
        connection = await asyncpg.connect(self.settings["database"])
        try:
            return await connection.fetch(query, *args)
        finally:
            await connection.close()
