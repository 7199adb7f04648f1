"""Event streams of many viewers for measurements: raw sockets, so that they cost this process little."""

import asyncio
import statistics
from collections.abc import Callable

# So many from one address: a service bounds connections of each.
_PER_ADDRESS = 40


class Viewers:
    """Event streams of many viewers: raw sockets, so that they cost this process little."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []
        self._waiting: dict[int, asyncio.Event] = {}

    async def connect(self, port: int, path: str, headers: Callable[[int], dict[str, str]], count: int) -> None:
        """Open so many streams, and wait until each of them is connected."""
        first = len(self._writers)
        for number in range(first, first + count):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=(f"127.0.0.{2 + number // _PER_ADDRESS}", 0)
            )
            lines = [f"GET {path} HTTP/1.1", "Host: x", *(f"{k}: {v}" for k, v in headers(number % count).items())]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            head = await reader.readuntil(b": connected\n\n")
            assert b" 200 " in head, head
            self._writers.append(writer)  # nobody else keeps the connection
            self.received.append(0)
            self._waiting[number] = asyncio.Event()
            self._tasks.append(asyncio.create_task(self._read(number, reader)))

    async def _read(self, number: int, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65536):
            if b"event:" in data:
                self.received[number] += len(data)
                self._waiting[number].set()
        raise AssertionError(f"stream {number} ended")

    async def all_received(self) -> int:
        """Wait until each got an event; return the median of their bytes since the last time."""
        async with asyncio.timeout(60):
            for number, event in self._waiting.items():
                await asyncio.wait(
                    {self._tasks[number], waiting := asyncio.create_task(event.wait())},
                    return_when=asyncio.FIRST_COMPLETED,
                )
                ended = [each for each, task in enumerate(self._tasks) if task.done()]
                assert not ended, f"{len(ended)} streams ended, {ended[:5]} first"
                waiting.cancel()
        await asyncio.sleep(0.5)
        median = round(statistics.median(self.received))
        for number, event in self._waiting.items():
            event.clear()
            self.received[number] = 0
        return median

    async def close(self) -> None:
        """End all."""
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
