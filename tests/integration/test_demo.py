"""`roomreel demo` where things go wrong: it is killed, and the machine has another Roomreel's settings."""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

import aiohttp
import psutil

from tests.support.launch import ROOT
from tests.support.waiting import eventually

# Of another Roomreel: were it heeded, the demo would not start, or would write into a database that is in use.
_FOREIGN = {"ROOMREEL_DATABASE": "postgresql://127.0.0.1:1/in-use", "ROOMREEL_NO__SUCH_KEY": "1"}


async def test_a_killed_demo_takes_its_parts_along(http: aiohttp.ClientSession) -> None:
    # Not in the test's own folder: PostgreSQL's socket lies there, and its path may have only 107 bytes.
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="demo-") as folder:
        state = Path(folder, "state.json")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appservice", "demo", "--state", state,
            cwd=ROOT, stdout=asyncio.subprocess.DEVNULL, env={**os.environ, **_FOREIGN, "TMPDIR": folder},
        )  # fmt: skip
        try:

            async def written() -> bool:
                assert process.returncode is None
                return state.exists()

            await eventually(written, seconds=120, what="the demo")
            public_url = json.loads(state.read_text())["public_url"]
            async with http.get(f"{public_url}/ready") as response:
                assert response.status == 200
            parts = psutil.Process(process.pid).children(recursive=True)
            assert len(parts) > 3  # Synapse, Roomreel, PostgreSQL and its own
        finally:
            process.kill()
            await process.wait()
        _, alive = await asyncio.to_thread(psutil.wait_procs, parts, timeout=15)
        assert alive == []
