"""Put a line of limited rate, with latency and loss, between browsers and a server on this machine.

In user space, for network namespaces with netem need rights and a kernel module. What is simulated: the handshake's
round trip, a rate that all connections share, TCP's slow start (RFC 6928, ten packets, doubled each round trip, halved
by a loss), and a lost packet's retransmission, behind which the connection waits: after a round trip where more follow
it, after the timer (RFC 6298; 200 ms as Linux has it) where it is alone. Not simulated: a rate for the way up.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

_PACKET = 1460
_FIRST_WINDOW = 10 * _PACKET
_TIMER_S = 0.2


@dataclass(frozen=True)
class Line:
    """A line; `round_trip` in seconds, `rate` downwards in bits per second, `loss` as a share of the packets."""

    name: str
    round_trip: float
    rate: float
    loss: float = 0


CABLE = Line("20 Mb/s, 60 ms", 0.06, 20e6)
FAR = Line("150 ms, 2 % loss", 0.15, 20e6, 0.02)


class _Downstream:
    """The rate, which all connections share."""

    def __init__(self, rate: float) -> None:
        self._rate, self._free = rate, 0.0

    def sent(self, size: int) -> float:
        """Return when so many bytes have left the sender."""
        self._free = max(self._free, time.monotonic()) + size * 8 / self._rate
        return self._free


class _Window:
    """What may be on its way before the receiver acknowledges."""

    def __init__(self, round_trip: float) -> None:
        self._round_trip = round_trip
        self._size, self._used = float(_FIRST_WINDOW), 0
        self._changed = asyncio.Event()

    async def take(self, size: int) -> None:
        while self._used > 0 and self._used + size > self._size:
            self._changed.clear()
            await self._changed.wait()
        self._used += size

    def acknowledge_after(self, size: int, arrival: float) -> None:
        asyncio.get_running_loop().call_later(
            arrival + self._round_trip / 2 - time.monotonic(), self._acknowledged, size
        )

    def lose(self) -> None:
        self._size = max(2.0 * _PACKET, self._size / 2)

    def _acknowledged(self, size: int) -> None:
        self._used -= size
        self._size += size
        self._changed.set()


async def _carry(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, line: Line, leave: Callable[[int], float]
) -> None:
    """Carry one direction of a connection; `leave` says when bytes have left the sender."""
    window, queue = _Window(line.round_trip), asyncio.Queue[tuple[float, bytes]]()

    async def deliver() -> None:
        while True:
            arrival, data = await queue.get()
            await asyncio.sleep(arrival - time.monotonic())
            if not data or target.is_closing():
                target.close()
                return
            target.write(data)

    async def send() -> None:
        arrival = 0.0
        while True:
            data = await source.read(4 * _PACKET)
            await window.take(len(data))
            packets = -(-len(data) // _PACKET)
            late = 0.0
            if random.random() > (1 - line.loss) ** packets:  # noqa: S311 - no secret
                window.lose()
                late = line.round_trip if packets > 1 else line.round_trip + _TIMER_S
            arrival = max(arrival, leave(len(data)) + line.round_trip / 2 + late)
            window.acknowledge_after(len(data), arrival)
            queue.put_nowait((arrival, data))
            if not data:
                return

    await asyncio.gather(deliver(), send())


@asynccontextmanager
async def through(line: Line, port: int) -> AsyncIterator[int]:
    """Return a port on loopback behind which, over the line, is another one."""
    down = _Downstream(line.rate)
    running = set[asyncio.Task[None]]()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = time.monotonic() + line.round_trip
        there, back = await asyncio.open_connection("127.0.0.1", port)
        up = _carry(reader, back, line, lambda _size: max(accepted, time.monotonic()))
        with contextlib.suppress(OSError):
            await asyncio.gather(up, _carry(there, writer, line, down.sent))

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(connect(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
