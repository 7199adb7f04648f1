"""What tests fork in the place of a command has its ends, and none outlives the tests."""

import asyncio
import signal
import sys
from pathlib import Path

import psutil

from tests.support.installation import Installation
from tests.support.launch import ROOT
from tests.support.waiting import eventually

TESTS = """
import asyncio, sys
from tests.support.launch import fork

async def main():
    with open(sys.argv[2], "ab") as log:
        process = await fork("serve", "-c", sys.argv[1], stdout=log, stderr=log)
    print(process.pid, flush=True)
    await process.wait()

asyncio.run(main())
"""


async def test_a_signal_that_ends_it_is_reported(spare: Installation) -> None:
    await spare.start()
    assert await spare.stop(signal.SIGKILL) == -signal.SIGKILL
    await spare.start()
    assert await spare.stop() == 0


async def test_it_ends_with_the_tests_that_are_killed(spare: Installation) -> None:
    tests = await asyncio.create_subprocess_exec(
        sys.executable, "-c", TESTS, spare.config, spare.log_file, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert tests.stdout
    service = psutil.Process(int(await tests.stdout.readline()))
    server = service.parent()
    assert server
    assert server.ppid() == tests.pid
    tests.kill()
    await tests.wait()

    async def gone() -> bool:
        return not any(process.is_running() for process in (service, server))

    await eventually(gone, what="the end of both")
    assert "Traceback" not in Path(spare.log_file).read_text()
