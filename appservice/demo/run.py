"""`roomreel demo`: from nothing to a working room on loopback, with real parts only; gone when it ends."""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from appservice.config import ENV_PREFIX, Config, load_config
from appservice.core.errors import ConfigError, RoomreelError
from appservice.demo.browser import find_chromium
from appservice.demo.check import CheckError, see_video_play
from appservice.demo.client import MatrixClient
from appservice.demo.encrypted_client import EncryptedClient, open_device
from appservice.demo.host import host_of, serve_host
from appservice.demo.rooms import (
    ENCRYPTED_CLIPS,
    PLAIN_CLIPS,
    READY_S,
    People,
    make_encrypted_room,
    make_room,
    send_clips,
    until_ready,
)
from appservice.demo.steps import Steps
from appservice.demo.synapse import Synapse, die_with_parent, free_port
from appservice.registration import new_token, render_registration

_SERVER_NAME = "demo.local"
_PASSWORDS = {"alice": "alice", "bob": "bob"}
_STOP_S = 30.0
_POLL_S = 0.1
_INTERRUPTED = 130


@dataclass(frozen=True)
class _Demo:
    """The running parts."""

    config: Config
    folder: Path
    log: Path
    registration: Path
    synapse: Synapse
    users: dict[str, MatrixClient]
    devices: dict[str, EncryptedClient]
    """The same people, on a device with keys: their other client has none."""
    host_url: str

    @property
    def people(self) -> People[MatrixClient]:
        """Those who make the plain room."""
        return People(self.users["alice"], self.users["bob"], self.config.bot, self.config.web.public_url)

    @property
    def encrypting_people(self) -> People[EncryptedClient]:
        """Those who make the encrypted room."""
        return People(self.devices["alice"], self.devices["bob"], self.config.bot, self.config.web.public_url)

    def state(self, rooms: "_Rooms") -> dict[str, Any]:
        """Return what `--state` writes."""
        return {
            "homeserver_url": self.synapse.base_url,
            "server_name": self.synapse.server_name,
            "public_url": self.config.web.public_url,
            "appservice_url": self.config.appservice.url,
            "metrics_url": f"http://{self.config.metrics.host}:{self.config.metrics.port}",
            "host_url": self.host_url,
            "room_id": rooms.plain,
            "encrypted_room_id": rooms.encrypted,
            "bot_user_id": self.config.bot,
            "registration": str(self.registration),
            "users": [
                {"user_id": user.user_id, "password": _PASSWORDS[name], "access_token": user.access_token}
                for name, user in self.users.items()
            ],
        }


@dataclass(frozen=True)
class _Rooms:
    """The ids of the rooms, and of alice's video in each."""

    plain: str
    encrypted: str
    plain_video: str
    encrypted_video: str


def _write_config(folder: Path, homeserver_url: str) -> Path:
    url = f"http://127.0.0.1:{free_port()}"
    settings = {
        "homeserver": {"url": homeserver_url, "server_name": _SERVER_NAME},
        "appservice": {"url": url, "as_token": new_token(), "hs_token": new_token()},
        "web": {"public_url": url, "port": int(url.rpartition(":")[2])},
        "metrics": {"port": free_port()},
        "data_dir": "data",
        "permissions": {"*": "user"},
        "encryption": {"key": secrets.token_hex(32)},
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    return path


def _environment() -> dict[str, str]:
    """Ours, without what configures another Roomreel: the demo must not come near a database that is in use."""
    return {key: value for key, value in os.environ.items() if not key.startswith(ENV_PREFIX)}


@asynccontextmanager
async def _service(config: Path, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `roomreel serve` as an operator would: in a process of its own."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *die_with_parent(), sys.executable, "-m", "appservice", "serve", "-c", str(config),
            stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            env=_environment(),
        )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _until_ready(url: str, process: asyncio.subprocess.Process) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(READY_S):
        while True:
            if process.returncode is not None:
                raise CheckError(f"`roomreel serve` ended with exit code {process.returncode}.")
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"{url}/ready") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(_POLL_S)


async def _start(stack: AsyncExitStack, steps: Steps, folder: Path, log: Path, port: int | None) -> _Demo:
    synapse = Synapse(folder / "synapse", server_name=_SERVER_NAME)
    config_file = _write_config(folder, synapse.base_url)
    config = load_config(config_file, env={})
    registration = folder / "registration.yaml"
    registration.write_text(render_registration(config))
    synapse.registrations = [registration]
    with steps.step("a real Synapse"):
        await stack.enter_async_context(synapse)
    with steps.step("alice and bob"):
        users = {name: await synapse.user(name, password) for name, password in _PASSWORDS.items()}
    with steps.step("Roomreel, with a PostgreSQL of its own"):
        process = await stack.enter_async_context(_service(config_file, log))
        await _until_ready(config.web.public_url, process)
    with steps.step("devices of theirs that encrypt"):
        opened = {
            name: open_device(synapse.base_url, users[name].user_id, password, "The demo")
            for name, password in _PASSWORDS.items()
        }
        devices = {name: await stack.enter_async_context(device) for name, device in opened.items()}
    host_url = f"http://127.0.0.1:{port or free_port()}/"
    return _Demo(config, folder, log, registration, synapse, users, devices, host_url)


async def _open_host(stack: AsyncExitStack, demo: _Demo, room_id: str, encrypted_room_id: str) -> None:
    about = {
        "homeserver_url": demo.synapse.base_url,
        "server_name": demo.synapse.server_name,
        "room_id": room_id,
        "encrypted_room_id": encrypted_room_id,
        "users": [
            {"user_id": user.user_id, "password": _PASSWORDS[name], "display_name": name.capitalize()}
            for name, user in demo.users.items()
        ],
    }
    app = host_of(about, demo.synapse.base_url, demo.config.web.public_url, demo.devices.values())
    runner = await serve_host(app, int(demo.host_url.rstrip("/").rpartition(":")[2]))
    stack.push_async_callback(runner.cleanup)


def _announce(demo: _Demo) -> None:
    print(f"""
The room, as a Matrix client shows it:   {demo.host_url}
  as alice:                              {demo.host_url}?user=alice
  as bob:                                {demo.host_url}?user=bob
The encrypted room, as alice:            {demo.host_url}?user=alice&room=encrypted
  as bob:                                {demo.host_url}?user=bob&room=encrypted
Homeserver (alice/alice, bob/bob):       {demo.synapse.base_url}
Roomreel:                                {demo.config.web.public_url}
Log:                                     {demo.log}

Send a video there, and it plays in the room. Ctrl+C ends everything.""", flush=True)  # fmt: skip


async def _prepare(stack: AsyncExitStack, demo: _Demo, steps: Steps) -> _Rooms:
    """Make the rooms and wait for alice's video in each."""
    people, encrypting = demo.people, demo.encrypting_people
    with steps.step("a room with the bot and the widget"):
        plain = await make_room(people)
    with steps.step("an encrypted room, in which alice opts in"):
        encrypted = await make_encrypted_room(encrypting)
    await _open_host(stack, demo, plain, encrypted)
    with steps.step("sample videos made and sent"):
        in_plain = await send_clips(people, plain, PLAIN_CLIPS, demo.folder)
        in_encrypted = await send_clips(encrypting, encrypted, ENCRYPTED_CLIPS, demo.folder)
    with steps.step("alice's videos are ready"):
        plain_video = await until_ready(people, plain, in_plain)
        encrypted_video = await until_ready(people, encrypted, in_encrypted)
    return _Rooms(plain, encrypted, plain_video, encrypted_video)


async def _run(*, check: bool, state: Path | None, port: int | None) -> int:
    if check:
        find_chromium()  # better missed now than after everything else
    logging.getLogger("nio").setLevel(logging.ERROR)  # it warns of each session that it is about to begin
    steps = Steps()
    print("Starting two rooms to try Roomreel in …", flush=True)
    async with AsyncExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="roomreel-demo-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
        log = folder / "roomreel.log"
        try:
            demo = await _start(stack, steps, folder, log, port)
            rooms = await _prepare(stack, demo, steps)
            if state:
                await asyncio.to_thread(_write_whole, state, json.dumps(demo.state(rooms), indent=2))
            if check:
                with steps.step("bob sees it play in Chromium"):
                    await see_video_play(f"{demo.host_url}?user=bob", rooms.plain_video)
                with steps.step("and the encrypted room's"):
                    await see_video_play(f"{demo.host_url}?user=bob&room=encrypted", rooms.encrypted_video)
        except ConfigError:
            raise  # says what to do, and is no fault of a part that runs
        except (RoomreelError, TimeoutError, aiohttp.ClientError) as error:
            _report(steps.current, error, log)
            return 1
        steps.total()
        if not check:
            _announce(demo)
            await asyncio.Event().wait()  # until a signal
    return 0


def _write_whole(path: Path, text: str) -> None:
    """Write a file that others wait for: they see all of it, or none."""
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.touch(mode=0o600)  # it holds access tokens
    unfinished.write_text(text)
    unfinished.replace(path)


def _report(step: str, error: Exception, log: Path) -> None:
    reason = str(error) or f"It took longer than {READY_S:g} s."
    print(f"\nThis step failed: {step}\n{reason}\n\nThe end of Roomreel's log:\n{_tail(log)}", file=sys.stderr)


def _tail(path: Path) -> str:
    if not path.exists():
        return "(it had not started)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-30:])


async def demo(*, check: bool, state: Path | None, port: int | None) -> int:
    """Run the demo until a signal, or with `check` until a browser saw a video play; return the exit code.

    `state` is where to write the addresses as JSON once all is ready; `port` is the host page's.
    """
    if state and not await asyncio.to_thread(state.parent.is_dir):
        raise ConfigError(f"The folder of {state} does not exist.")
    running = asyncio.create_task(_run(check=check, state=state, port=port))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        return await running
    except asyncio.CancelledError:
        return _INTERRUPTED if check else 0
