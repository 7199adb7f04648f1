"""`roomreel demo`: from nothing to a working room on loopback, with real parts only; gone when it ends."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from appservice.config import ENV_PREFIX, Config, load_config
from appservice.core.errors import ConfigError, RoomreelError
from appservice.demo.browser import find_chromium
from appservice.demo.check import CheckError, see_video_play
from appservice.demo.client import MatrixClient
from appservice.demo.clips import ALICE_CLIPS, BOB_CLIPS, make_clip
from appservice.demo.host import host_of, serve_host
from appservice.demo.synapse import Synapse, die_with_parent, free_port
from appservice.registration import new_token, render_registration

_SERVER_NAME = "demo.local"
_PASSWORDS = {"alice": "alice", "bob": "bob"}
_READY_S = 120.0
_STOP_S = 30.0
_POLL_S = 0.1
_INTERRUPTED = 130
_WIDGET = "im.vector.modular.widgets"


@dataclass
class _Steps:
    """Says each step and how long it took; `current` is the one that goes on, or that failed."""

    started: float = field(default_factory=time.monotonic)
    current: str = ""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        self.current = name
        yield
        print(f"  {name:<44}{time.monotonic() - began:7.2f} s", flush=True)

    def total(self) -> None:
        print(f"  {'altogether':<44}{time.monotonic() - self.started:7.2f} s", flush=True)


@dataclass(frozen=True)
class _Demo:
    """The running parts."""

    config: Config
    folder: Path
    log: Path
    registration: Path
    synapse: Synapse
    users: dict[str, MatrixClient]
    host_url: str

    def state(self, room_id: str) -> dict[str, Any]:
        """Return what `--state` writes."""
        return {
            "homeserver_url": self.synapse.base_url,
            "server_name": self.synapse.server_name,
            "public_url": self.config.web.public_url,
            "appservice_url": self.config.appservice.url,
            "metrics_url": f"http://{self.config.metrics.host}:{self.config.metrics.port}",
            "host_url": self.host_url,
            "room_id": room_id,
            "bot_user_id": self.config.bot,
            "registration": str(self.registration),
            "users": [
                {"user_id": user.user_id, "password": _PASSWORDS[name], "access_token": user.access_token}
                for name, user in self.users.items()
            ],
        }


def _write_config(folder: Path, homeserver_url: str) -> Path:
    url = f"http://127.0.0.1:{free_port()}"
    settings = {
        "homeserver": {"url": homeserver_url, "server_name": _SERVER_NAME},
        "appservice": {"url": url, "as_token": new_token(), "hs_token": new_token()},
        "web": {"public_url": url, "port": int(url.rpartition(":")[2])},
        "metrics": {"port": free_port()},
        "data_dir": "data",
        "permissions": {"*": "user"},
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
    async with aiohttp.ClientSession() as http, asyncio.timeout(_READY_S):
        while True:
            if process.returncode is not None:
                raise CheckError(f"`roomreel serve` ended with exit code {process.returncode}.")
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"{url}/ready") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(_POLL_S)


async def _until_widget(user: MatrixClient, room_id: str) -> None:
    async with asyncio.timeout(_READY_S):
        while True:
            if any(event["type"] == _WIDGET and event["content"] for event in await user.get_full_state(room_id)):
                return
            await asyncio.sleep(_POLL_S)


async def _make_room(demo: _Demo) -> str:
    alice, bob = demo.users["alice"], demo.users["bob"]
    room_id = await alice.create_room(
        name="Movie night", invite=[demo.config.bot, bob.user_id], user_levels={demo.config.bot: 50}
    )
    await bob.join(room_id)
    await _until_widget(alice, room_id)
    return room_id


async def _send_clips(demo: _Demo, room_id: str) -> str:
    """Send a video of alice and one of bob; return alice's event."""
    clip = ALICE_CLIPS[0]
    event_id = await demo.users["alice"].send_video(room_id, await make_clip(clip, demo.folder), info=clip.info)
    other = BOB_CLIPS[0]
    await demo.users["bob"].send_video(room_id, await make_clip(other, demo.folder), info=other.info)
    return event_id


async def _until_video_ready(demo: _Demo, room_id: str, event_id: str) -> str:
    """Return the id of a video once it is ready, as bob's widget would learn it."""
    bob, url = demo.users["bob"], demo.config.web.public_url
    async with aiohttp.ClientSession(base_url=url, raise_for_status=True) as http, asyncio.timeout(_READY_S):
        body = {"openid_token": await bob.openid_token(), "room_id": room_id}
        async with http.post("/api/v1/session", json=body) as response:
            headers = {"Authorization": f"Bearer {(await response.json())['token']}"}
        while True:
            async with http.get(f"/api/v1/rooms/{room_id}", headers=headers) as response:
                members = (await response.json())["members"]
            found = next((v for m in members for v in m["videos"] if v["event_id"] == event_id), None)
            if found and found["state"] == "failed":
                raise CheckError(f"The sample video failed: {found['failure']}")
            if found and found["state"] == "ready":
                return str(found["id"])
            await asyncio.sleep(_POLL_S)


async def _start(stack: AsyncExitStack, steps: _Steps, folder: Path, log: Path, port: int | None) -> _Demo:
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
    host_url = f"http://127.0.0.1:{port or free_port()}/"
    return _Demo(config, folder, log, registration, synapse, users, host_url)


async def _open_host(stack: AsyncExitStack, demo: _Demo, room_id: str) -> None:
    about = {
        "homeserver_url": demo.synapse.base_url,
        "server_name": demo.synapse.server_name,
        "room_id": room_id,
        "users": [
            {"user_id": user.user_id, "password": _PASSWORDS[name], "display_name": name.capitalize()}
            for name, user in demo.users.items()
        ],
    }
    app = host_of(about, demo.synapse.base_url, demo.config.web.public_url)
    runner = await serve_host(app, int(demo.host_url.rstrip("/").rpartition(":")[2]))
    stack.push_async_callback(runner.cleanup)


def _announce(demo: _Demo) -> None:
    print(f"""
The room, as a Matrix client shows it:   {demo.host_url}
  as alice:                              {demo.host_url}?user=alice
  as bob:                                {demo.host_url}?user=bob
Homeserver (alice/alice, bob/bob):       {demo.synapse.base_url}
Roomreel:                                {demo.config.web.public_url}
Log:                                     {demo.log}

Send a video there, and it plays in the room. Ctrl+C ends everything.""", flush=True)  # fmt: skip


async def _prepare(stack: AsyncExitStack, demo: _Demo, steps: _Steps) -> tuple[str, str]:
    """Make the room and wait for alice's video; return the room's and the video's id."""
    with steps.step("a room with the bot and the widget"):
        room_id = await _make_room(demo)
    await _open_host(stack, demo, room_id)
    with steps.step("sample videos made and sent"):
        event_id = await _send_clips(demo, room_id)
    with steps.step("alice's video is ready"):
        video_id = await _until_video_ready(demo, room_id, event_id)
    return room_id, video_id


async def _run(*, check: bool, state: Path | None, port: int | None) -> int:
    if check:
        find_chromium()  # better missed now than after everything else
    steps = _Steps()
    print("Starting a room to try Roomreel in …", flush=True)
    async with AsyncExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="roomreel-demo-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
        log = folder / "roomreel.log"
        try:
            demo = await _start(stack, steps, folder, log, port)
            room_id, video_id = await _prepare(stack, demo, steps)
            if state:
                await asyncio.to_thread(_write_whole, state, json.dumps(demo.state(room_id), indent=2))
            if check:
                with steps.step("bob sees it play in Chromium"):
                    await see_video_play(demo.host_url, video_id)
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
    reason = str(error) or f"It took longer than {_READY_S:g} s."
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
