"""What keeps a process going, and what ends it."""

import asyncio

import pytest

from appservice.web.health import Vitals
from appservice.wiring.process import run_until_stopped


async def test_what_breaks_ends_the_process_with_its_reason_and_the_rest_of_it() -> None:
    async def well() -> None:
        await asyncio.Event().wait()

    async def done() -> None:
        pass

    async def broken() -> None:
        await asyncio.sleep(0.01)
        raise RuntimeError("a mistake of ours")

    going = asyncio.create_task(well())
    vitals = Vitals()
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        await run_until_stopped(None, asyncio.create_task(done()), going, asyncio.create_task(broken()), vitals=vitals)
    assert vitals.is_draining
    await asyncio.wait({going}, timeout=5)
    assert going.cancelled()
