"""`roomreel demo`, as a newcomer and as outside tests run it."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import aiohttp
import psutil

from appservice.demo.synapse import free_port
from tests.support.waiting import eventually

STATE_KEYS = {
    "homeserver_url", "server_name", "public_url", "appservice_url", "metrics_url", "host_url", "room_id",
    "encrypted_room_id", "bot_user_id", "registration", "users",
}  # fmt: skip


async def _start(*args: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "appservice", "demo", *args, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, cwd=Path(__file__).parents[2],
    )  # fmt: skip


async def test_the_check_sees_the_video_play_and_leaves_nothing(tmp_path: Path) -> None:
    process = await _start("--check", "--state", str(tmp_path / "state.json"))
    async with asyncio.timeout(180):
        output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    assert "bob sees it play in Chromium" in output
    assert "and the encrypted room's" in output
    state = json.loads((tmp_path / "state.json").read_text())
    assert set(state) == STATE_KEYS
    assert [set(user) for user in state["users"]] == [{"user_id", "password", "access_token"}] * 2
    assert not Path(state["registration"]).exists()


async def test_a_signal_ends_everything(tmp_path: Path) -> None:
    state_file, port = tmp_path / "state.json", free_port()
    process = await _start("--state", str(state_file), "--port", str(port))

    async def written() -> bool:
        assert process.returncode is None
        return state_file.exists() and bool(state_file.read_text())

    await eventually(written, seconds=120, what="the demo's state")
    state = json.loads(state_file.read_text())
    assert state["host_url"] == f"http://127.0.0.1:{port}/"
    async with aiohttp.ClientSession() as http:
        for url in (state["host_url"], state["metrics_url"] + "/metrics", state["public_url"] + "/ready"):
            async with http.get(url) as response:
                assert response.status == 200
    parts = psutil.Process(process.pid).children(recursive=True)
    assert len(parts) > 3  # Synapse, Roomreel, PostgreSQL and its own
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(60):
        await process.communicate()
    assert process.returncode == 0
    _, alive = await asyncio.to_thread(psutil.wait_procs, parts, timeout=10)
    assert alive == []
    assert not Path(state["registration"]).parent.exists()


async def test_the_port_is_taken() -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        process = await _start("--port", str(port))
        async with asyncio.timeout(120):
            output = (await process.communicate())[0].decode()
    assert process.returncode == 2
    assert f"Port {port} cannot be used" in output
