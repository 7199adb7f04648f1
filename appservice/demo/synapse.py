"""A real Synapse in a folder of its own: started, waited for, stopped, and gone when its owner is gone."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import shutil
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import yaml

from appservice.core.errors import RoomreelError
from appservice.demo.client import MatrixClient, MatrixError

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 10.0
_POLL_S = 0.05
_LOG_TAIL_LINES = 30


class SynapseError(RoomreelError):
    """Synapse is not installed, or did not start; the message has the end of its log."""


class Synapse:
    """A homeserver on loopback, in `folder` (configuration, SQLite database, media, log).

    `registrations` are appservice registration files, read at every start. `port` 0 takes a free one, the same over
    `stop()` and `start()`. `max_upload_size` is a size as Synapse writes it (`50M`, `1G`). `extra` is merged into
    homeserver.yaml at the top level.
    """

    def __init__(
        self,
        folder: Path,
        *,
        server_name: str = "test.local",
        registrations: Sequence[Path] = (),
        port: int = 0,
        max_upload_size: str = "1G",
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = folder
        self.server_name = server_name
        self.registrations = list(registrations)
        self.port = port or free_port()
        self._max_upload_size = max_upload_size
        self._extra = dict(extra or {})
        self._secret = secrets.token_hex(16)
        self._process: asyncio.subprocess.Process | None = None
        self._clients: list[MatrixClient] = []

    @property
    def base_url(self) -> str:
        """Where the client API is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        """What Synapse wrote: warnings and errors of all its runs in this folder."""
        return self.folder / "synapse.log"

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.returncode is None

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            await client.close()
        self._clients.clear()
        await self.stop()

    async def start(self) -> None:
        """Start and wait until it responds; raises `SynapseError`. The thread that calls this must outlive it."""
        if self.running:
            return
        await asyncio.to_thread(self._prepare)
        with await asyncio.to_thread(self.log_file.open, "ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *die_with_parent(),
                *(sys.executable, "-m", "synapse.app.homeserver", "-c", str(self.folder / "homeserver.yaml")),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=_environment(),
                process_group=0,
            )
        await self._wait_until_healthy()

    async def stop(self) -> None:
        """Stop it, politely first; the folder stays, so that `start()` continues where it ended."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_TIMEOUT_S)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def register_user(self, name: str, password: str, admin: bool = False) -> str:
        """Create the user `@name:server_name` by the shared secret and return an access token."""
        url = f"{self.base_url}/_synapse/admin/v1/register"
        async with aiohttp.ClientSession() as session:
            async with session.get(url) as response:
                nonce = str((await response.json())["nonce"])
            fields = (nonce, name, password, "admin" if admin else "notadmin")
            # SHA-1 is what Synapse requires here: it only proves that we know the secret.
            mac = hmac.new(self._secret.encode(), "\0".join(fields).encode(), hashlib.sha1).hexdigest()
            body = {"nonce": nonce, "username": name, "password": password, "admin": admin, "mac": mac}
            async with session.post(url, json=body) as response:
                content = await response.json()
                if response.status != 200:
                    raise MatrixError(response.status, str(content.get("errcode")), str(content.get("error")))
                return str(content["access_token"])

    async def user(self, name: str, password: str = "secret", admin: bool = False) -> MatrixClient:  # noqa: S107
        """Create a user and return their client, which is closed with this homeserver (the default is for tests)."""
        token = await self.register_user(name, password, admin)
        client = MatrixClient(self.base_url, token, f"@{name}:{self.server_name}")
        self._clients.append(client)
        return client

    async def _wait_until_healthy(self) -> None:
        end = time.monotonic() + _START_TIMEOUT_S
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < end and self.running:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"{self.base_url}/health") as response:
                        if response.status == 200:
                            return
                await asyncio.sleep(_POLL_S)
        reason = "did not respond in time" if self.running else "ended while starting"
        tail = await asyncio.to_thread(_tail, self.log_file)
        await self.stop()
        raise SynapseError(f"Synapse {reason} ({self.log_file}):\n{tail}\n{_hint(tail)}".rstrip())

    def _prepare(self) -> None:
        """Write the configuration; keys that must survive a restart are reused."""
        self.folder.mkdir(parents=True, exist_ok=True)
        key = self.folder / "signing.key"
        if not key.exists():
            seed = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
            key.write_text(f"ed25519 a_test {seed}\n")
        logging = {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": "WARNING", "handlers": ["stderr"]},
        }
        (self.folder / "logging.yaml").write_text(yaml.safe_dump(logging))
        (self.folder / "homeserver.yaml").write_text(yaml.safe_dump({**self._config(), **self._extra}))

    def _config(self) -> dict[str, Any]:
        folder = self.folder
        return {
            "server_name": self.server_name,
            "public_baseurl": self.base_url,
            "pid_file": str(folder / "synapse.pid"),
            "log_config": str(folder / "logging.yaml"),
            "signing_key_path": str(folder / "signing.key"),
            "media_store_path": str(folder / "media"),
            "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
            "listeners": [
                {
                    "type": "http",
                    "port": self.port,
                    "bind_addresses": ["127.0.0.1"],
                    "resources": [{"names": ["client", "openid"]}],
                }
            ],
            "registration_shared_secret": self._secret,
            "macaroon_secret_key": self._secret,
            "form_secret": self._secret,
            "app_service_config_files": [str(path) for path in self.registrations],
            "bcrypt_rounds": 4,
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "federation_domain_whitelist": [],
            "report_stats": False,
            "presence": {"enabled": False},
            "url_preview_enabled": False,
            "max_upload_size": self._max_upload_size,
            **_relaxed_limits(),
        }


def free_port() -> int:
    """Return a TCP port that nobody listens on, out of the range from which outgoing connections take theirs."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def die_with_parent() -> tuple[str, ...]:
    """Return the command prefix by which a child is killed when its owner is, where the machine has one."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()


def _relaxed_limits() -> dict[str, Any]:
    free = {"per_second": 1e6, "burst_count": 1_000_000}
    plain = (
        "rc_message", "rc_registration", "rc_registration_token_validity", "rc_admin_redaction", "rc_joins_per_room",
        "rc_third_party_invite", "rc_3pid_validation", "rc_media_create", "rc_key_requests", "rc_reports",
        "rc_room_creation", "rc_user_directory", "rc_delayed_event_mgmt",
    )  # fmt: skip
    return {
        **dict.fromkeys(plain, free),
        "rc_login": dict.fromkeys(("address", "account", "failed_attempts"), free),
        "rc_joins": dict.fromkeys(("local", "remote"), free),
        "rc_invites": dict.fromkeys(("per_room", "per_user", "per_issuer"), free),
        "rc_presence": {"per_user": free},
        "max_pending_media_uploads": 1_000_000,
    }


def _environment() -> dict[str, str]:
    """Ours, without what changes a Python program behind its back (tests run with warnings as errors)."""
    return {key: value for key, value in os.environ.items() if key not in {"PYTHONWARNINGS", "PYTHONDEVMODE"}}


def _tail(path: Path) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])
    except FileNotFoundError:
        return "(no log)"


def _hint(log: str) -> str:
    return "Install it: pip install 'roomreel[demo]'" if "No module named" in log else ""
