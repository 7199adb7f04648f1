"""Work that many wait for is done once, also where one of them leaves."""

import asyncio

from appservice.web.once import Latest, Once


async def test_who_comes_meanwhile_gets_the_same() -> None:
    once, begun, may_end = Once[str, int](), 0, asyncio.Event()

    async def make() -> int:
        nonlocal begun
        begun += 1
        await may_end.wait()
        return begun

    waiting = [asyncio.create_task(once.get("a", make)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    may_end.set()
    assert await asyncio.gather(*waiting[1:]) == [1, 1]
    assert await once.get("a", make) == 2, "what is made already is not kept"


async def test_a_read_began_after_whoever_gets_it_came() -> None:
    latest, now, reads = Latest[str, int](), 1, 0
    is_reading, may_read = asyncio.Event(), asyncio.Event()

    async def read() -> int:
        nonlocal reads
        reads += 1
        value = now
        is_reading.set()
        await may_read.wait()
        return value

    first = asyncio.create_task(latest.get("a", read))
    await asyncio.wait_for(is_reading.wait(), 30)
    now = 2
    later = [asyncio.create_task(latest.get("a", read)) for _ in range(5)]
    await asyncio.sleep(0)
    later[0].cancel()
    may_read.set()
    assert await first == 1
    assert await asyncio.gather(*later[1:]) == [2] * 4
    assert reads == 2


async def test_after_a_failure_it_is_read_again() -> None:
    latest = Latest[str, int]()

    async def fail() -> int:
        raise ValueError

    async def read() -> int:
        return 7

    results = await asyncio.gather(*(latest.get("a", fail) for _ in range(2)), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError]
    assert await latest.get("a", read) == 7
