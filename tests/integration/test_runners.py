"""Runners over a real TLS endpoint: ladders that they make, and lies that the worker finds, which goes on itself."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appservice.core.runners import TaskView, token_hash
from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.clips import make_noisy_clip, with_padding
from tests.support.encrypted_rooms import encrypting_user, make_encrypted_room
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.runners import Endpoint, HandRunner, over_tls
from tests.support.waiting import eventually
from transcode import Limits, Settings, Tools, Transcoding
from transcode.hls.encryption import BLOCK, file_cipher

TOKEN = re.compile(r"rrr_[A-Za-z0-9_-]{43}")
OLDER = "UPDATE runner_jobs SET leased_until = now() - interval '1 second' WHERE id = $1::uuid"


@pytest.fixture(scope="module")
async def noisy(tmp_path_factory: pytest.TempPathFactory, tools: Tools) -> Path:
    """A clip that is stream copied, with another rung below."""
    return await make_noisy_clip(tools, tmp_path_factory.mktemp("noisy") / "noisy.mp4", 4)


@pytest.fixture(scope="module")
async def encoded(noisy: Path, tools: Tools) -> Path:
    """A clip of which every rung is encoded."""
    target = noisy.with_name("encoded.webm")
    process = await asyncio.create_subprocess_exec(
        tools.ffmpeg, "-v", "error", "-i", noisy, "-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus", target
    )
    assert await process.wait() == 0
    return target


@pytest.fixture
async def endpoint(spare: Installation, tmp_path: Path) -> AsyncIterator[Endpoint]:
    async with over_tls(tmp_path / "tls", spare.settings["web"]["port"]) as endpoint:
        yield endpoint


async def _add(spare: Installation, name: str = "home", *more: str) -> str:
    code, printed = await spare.command("admin", "-c", str(spare.config), "runners", "add", name, *more)
    assert code == 0, printed
    found = TOKEN.search(printed)
    assert found, printed
    return found[0]


async def _listed(spare: Installation) -> str:
    code, printed = await spare.command("admin", "-c", str(spare.config), "runners", "list")
    assert code == 0, printed
    return printed


async def _waits(spare: Installation, token: str) -> bool:
    query = "SELECT FROM runners WHERE token_hash = $1 AND waits_until > now()"
    return bool(await spare.rows(query, token_hash(token)))


@asynccontextmanager
async def _running(spare: Installation, endpoint: Endpoint, token: str, folder: Path) -> AsyncIterator[Path]:
    """Run the real command, which knows the address and the token; yield its log."""
    folder.mkdir(exist_ok=True)
    log = folder / "runner.log"
    env = {"ROOMREEL_RUNNER_TOKEN": token}
    line = ("runner", "--server", endpoint.url, "--ca", str(endpoint.ca), "--scratch", str(folder / "scratch"))
    with log.open("ab") as output:
        process = await spare.launch(*line, stdout=output, stderr=output, env=env)
    try:

        async def waits() -> bool:
            assert process.returncode is None, log.read_text()
            return await _waits(spare, token)

        await eventually(waits, what="the runner waiting")
        yield log
    finally:
        if process.returncode is None:
            process.send_signal(15)
        assert await process.wait() == 0, log.read_text()
    assert token not in log.read_text()


@pytest.mark.parametrize("source", ["noisy", "encoded"])
@pytest.mark.parametrize("at_rest", [False, True], ids=["plain", "encrypted on disk"])
async def test_a_runner_makes_a_ladder_over_https(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, endpoint: Endpoint, tmp_path: Path,
    noisy: Path, encoded: Path, *, source: str, at_rest: bool,
) -> None:  # fmt: skip
    if at_rest:
        spare.write_config(encryption={"key": secrets.token_urlsafe(32), "all_rooms": True})
    async with spare.running():
        token = await _add(spare)
        room_id = await make_room(alice, spare)
        viewer = await spare.viewer(http, alice, room_id)
        async with _running(spare, endpoint, token, tmp_path / "home"):
            event_id = await alice.send_video(room_id, noisy if source == "noisy" else encoded)
            video = await viewer.video_in(event_id, "ready")
            (made,) = spare.log_entries("runner_ladder_made")
            assert made["video_id"] == video["id"]
            status, playlist = await viewer.fetch(video["playlist_url"])
            assert status == 200
            rungs = [line.removesuffix(".m3u8") for line in playlist.decode().splitlines() if line.endswith(".m3u8")]
            assert rungs == ["360", "240"]
            for rung in rungs:
                status, segment = await viewer.fetch(video["playlist_url"].replace("index.m3u8", f"{rung}/1.m4s"))
                assert status == 200
                assert (b"moof" in segment[:16]) is not at_rest
            assert video["storyboard_url"]
            assert video["preview_url"]
            assert "1 done, 0 failed, no encrypted rooms, idle" in await _listed(spare)
            assert not await spare.rows("SELECT FROM runner_jobs")
            assert list(spare.uploads.iterdir()) == []
        assert spare.secrets_in_log(token) == []


class _Liar:
    """What a hostile runner sends in place of a ladder."""

    def __init__(self, tools: Tools, noisy: Path, folder: Path) -> None:
        self.tools, self.noisy, self.folder = tools, noisy, folder

    async def honest(self, source: Path, task: TaskView) -> dict[str, bytes]:
        """Make what a runner should."""
        settings = Settings(rungs=task.rungs, preset=task.preset, copy=task.copy_source)
        out = self.folder / f"out-{secrets.token_hex(4)}"
        async with Transcoding(source, out, tools=self.tools, limits=Limits(), settings=settings) as transcoding:
            await transcoding.skip_first_stage()
            opened = await transcoding.export_ladder()
            made = {}
            for name, most in transcoding.files().items():
                if file := opened(name, most):
                    with file:
                        made[name] = file.read()
        return made

    async def other(self, *, seconds: int = 4, made_of: str = "mandelbrot=s=640x360:r=30") -> Path:
        """Make a clip with as many frames that shows something else, or another number of them."""
        path = self.folder / f"{secrets.token_hex(4)}.mp4"
        process = await asyncio.create_subprocess_exec(
            self.tools.ffmpeg, "-v", "error", "-f", "lavfi", "-i", made_of, "-f", "lavfi", "-i", "sine=r=48000",
            "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", "3M", "-g", "30", "-bf", "0",
            "-c:a", "aac", "-ac", "2", "-t", str(seconds), path,
        )  # fmt: skip
        assert await process.wait() == 0
        return path


async def _garbage(liar: _Liar, task: TaskView) -> dict[str, bytes]:
    made = await liar.honest(liar.noisy, task)
    return {name: secrets.token_bytes(len(content)) for name, content in made.items()}


async def _nothing(_: _Liar, __: TaskView) -> dict[str, bytes]:
    return {}


async def _another(liar: _Liar, task: TaskView) -> dict[str, bytes]:
    return await liar.honest(await liar.other(), task)


async def _shorter(liar: _Liar, task: TaskView) -> dict[str, bytes]:
    source = "testsrc2=s=640x360:r=30,noise=alls=40:allf=t"
    return await liar.honest(await liar.other(seconds=3, made_of=source), task)


async def _cut_off(liar: _Liar, task: TaskView) -> dict[str, bytes]:
    made = await liar.honest(liar.noisy, task)
    return made | {"240": made["240"][:-10_000]}


async def _smaller(liar: _Liar, task: TaskView) -> dict[str, bytes]:
    made = await liar.honest(liar.noisy, task)
    return made | {"360": made["240"]}


async def _no_image(liar: _Liar, task: TaskView) -> dict[str, bytes]:
    made = await liar.honest(liar.noisy, task)
    return made | {"poster.jpg": b"<script>alert(1)</script>"}


LIES: dict[str, Callable[..., Any]] = {
    "garbage": _garbage, "nothing": _nothing, "another video": _another, "another duration": _shorter,
    "cut off": _cut_off, "a smaller rendition": _smaller, "a poster that is no image": _no_image,
}  # fmt: skip


@pytest.mark.parametrize("lie", list(LIES))
async def test_a_lie_is_found_and_the_worker_makes_the_ladder(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, endpoint: Endpoint, tmp_path: Path,
    noisy: Path, tools: Tools, lie: str,
) -> None:  # fmt: skip
    async with spare.running():
        runner = HandRunner(http, endpoint.url, await _add(spare), endpoint.ca)
        viewer, event_id, job = await _leased(spare, http, alice, runner, noisy)
        made = await LIES[lie](_Liar(tools, noisy, tmp_path), TaskView.model_validate(job["task"]))
        for name, content in made.items():
            assert await runner.put(job["id"], name, content) == 204
        sizes = {name: len(content) for name, content in made.items()}
        assert await runner.status("POST", f"/jobs/{job['id']}/complete", json={"files": sizes}) == 204
        await viewer.video_in(event_id, "ready")
        assert spare.log_entries("runner_refused")
        assert not spare.log_entries("runner_ladder_made")
        assert "0 done, 1 failed" in await _listed(spare)


async def _wait(spare: Installation, runner: HandRunner) -> "asyncio.Task[tuple[int, bytes, Mapping[str, str]]]":
    """Wait for a job as that runner."""
    waiting = asyncio.create_task(runner.request("POST", "/lease"))
    await eventually(lambda: _waits(spare, runner.token), what="the runner waiting")
    return waiting


async def _leased(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, runner: HandRunner, clip: Path
) -> tuple[Any, str, dict[str, Any]]:
    """Send a video, lease its ladder, and fetch its file."""
    room_id = await make_room(alice, spare)
    viewer = await spare.viewer(http, alice, room_id)
    waiting = await _wait(spare, runner)
    event_id = await alice.send_video(room_id, clip)
    status, body, _ = await waiting
    assert status == 200
    job = json.loads(body)
    status, source, _ = await runner.request("GET", f"/jobs/{job['id']}/source")
    assert status == 200
    key = bytes.fromhex(job["key"] or "")
    assert (file_cipher(key, source[:BLOCK]).update(source[BLOCK:]) if key else source) == clip.read_bytes()
    status, rest, headers = await runner.request("GET", f"/jobs/{job['id']}/source", headers={"Range": "bytes=1000-"})
    assert (status, rest) == (206, source[1000:])
    assert headers["Content-Range"] == f"bytes 1000-{len(source) - 1}/{len(source)}"
    return viewer, event_id, job


async def test_a_revoked_runner_gets_nothing_in_the_middle_of_a_job(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, endpoint: Endpoint, noisy: Path
) -> None:
    async with spare.running():
        runner = HandRunner(http, endpoint.url, await _add(spare), endpoint.ca)
        viewer, event_id, job = await _leased(spare, http, alice, runner, noisy)
        path = f"/jobs/{job['id']}"
        assert await runner.put(job["id"], "240", b"x" * 1000) == 204
        assert await runner.status("POST", f"{path}/heartbeat", json={"share": 0.5}) == 204
        code, printed = await spare.command("admin", "-c", str(spare.config), "runners", "revoke", "home")
        assert code == 0, printed
        assert await runner.put(job["id"], "240", b"x" * 1000, offset=1000) == 401
        for method, end in (("POST", "/heartbeat"), ("POST", "/complete"), ("POST", "/return"), ("GET", "/source")):
            body = None if method == "GET" else {"share": 0.6}
            assert await runner.status(method, path + end, json=body) == 401
        assert await runner.status("POST", "/lease") == 401
        await viewer.video_in(event_id, "ready")
        assert "revoked" in await _listed(spare)


async def test_a_runner_that_dies_delays_and_an_old_lease_is_worth_nothing(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, endpoint: Endpoint, noisy: Path
) -> None:
    async with spare.running():
        runner = HandRunner(http, endpoint.url, await _add(spare), endpoint.ca)
        viewer, event_id, job = await _leased(spare, http, alice, runner, noisy)
        # As if it had said nothing for that long.
        await spare.rows(OLDER, job["id"])
        await viewer.video_in(event_id, "ready")
        assert await runner.status("POST", f"/jobs/{job['id']}/heartbeat", json={"share": 0.5}) == 404
        assert await runner.put(job["id"], "240", b"x") == 404
        assert "0 done, 1 failed" in await _listed(spare)


async def test_a_worker_that_dies_takes_the_lease_with_it(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, endpoint: Endpoint, noisy: Path
) -> None:
    await spare.start()
    runner = HandRunner(http, endpoint.url, await _add(spare), endpoint.ca)
    viewer, event_id, job = await _leased(spare, http, alice, runner, noisy)
    await spare.kill()
    await spare.start()

    async def again() -> bool:
        return bool(await spare.rows("SELECT FROM videos WHERE attempts > 1"))

    await eventually(again, seconds=60, what="another attempt")
    # The row is there still, and its lease not over.
    assert await spare.rows("SELECT FROM runner_jobs WHERE id = $1::uuid AND leased_until > now()", job["id"])
    assert await runner.put(job["id"], "240", b"x") == 404
    assert await runner.status("POST", f"/jobs/{job['id']}/complete", json={"files": {}}) == 404
    await viewer.video_in(event_id, "ready", seconds=60)
    await spare.stop()


async def test_what_waits_for_a_runner_is_encrypted_where_the_rooms_files_are(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, endpoint: Endpoint, noisy: Path
) -> None:
    spare.write_config(encryption={"key": secrets.token_urlsafe(32), "all_rooms": True})
    async with spare.running():
        runner = HandRunner(http, endpoint.url, await _add(spare), endpoint.ca)
        viewer, event_id, job = await _leased(spare, http, alice, runner, noisy)
        assert job["key"]
        stored = [path.read_bytes() for path in spare.uploads.iterdir()]
        assert stored
        assert not any(noisy.read_bytes()[:64] in each for each in stored)
        assert await runner.status("POST", f"/jobs/{job['id']}/return", json={"reason": "stopped"}) == 204
        await viewer.video_in(event_id, "ready")
        assert "0 done, 0 failed" in await _listed(spare)
        assert spare.secrets_in_log(job["key"]) == []


async def test_a_video_of_an_encrypted_room_goes_only_where_it_may(
    spare: Installation, http: aiohttp.ClientSession, synapse: Synapse, endpoint: Endpoint, noisy: Path, tmp_path: Path
) -> None:
    """To a runner with `--encrypted`, and not to one without that waits first."""
    spare.write_config(encryption={"key": secrets.token_urlsafe(32)})
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(spare.running())
        ada = await encrypting_user(synapse, "ada", stack)
        room_id = await make_encrypted_room(ada, spare)
        viewer = await spare.viewer(http, ada, room_id)
        plain = HandRunner(http, endpoint.url, await _add(spare, "plain"), endpoint.ca)
        waiting = await _wait(spare, plain)
        await viewer.video_in(await ada.send_video(room_id, noisy), "ready")
        assert not spare.log_entries("runner_leased")
        trusted = await _add(spare, "trusted", "--encrypted")
        await stack.enter_async_context(_running(spare, endpoint, trusted, tmp_path / "trusted"))
        longer = with_padding(noisy, tmp_path / "other.mp4", b"another file")
        await viewer.video_in(await ada.send_video(room_id, longer), "ready")
        assert [entry["runner"] for entry in spare.log_entries("runner_leased")] == ["trusted"]
        assert spare.log_entries("runner_ladder_made")
        waiting.cancel()


async def test_encrypted_rooms_are_for_runners_that_may(spare: Installation, http: aiohttp.ClientSession) -> None:
    async with spare.running():
        await _add(spare, "plain")
        assert "no encrypted rooms" in await _listed(spare)
        await _add(spare, "trusted", "--encrypted")
        assert "also encrypted rooms" in await _listed(spare)
        code, printed = await spare.command("admin", "-c", str(spare.config), "runners", "add", "plain")
        assert code == 2
        assert "There is, or was" in printed
        rows = await spare.rows("SELECT octet_length(token_hash) AS length FROM runners")
        assert [row["length"] for row in rows] == [32, 32]
