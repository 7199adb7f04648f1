"""The floor of `bench/room`: bare aiohttp handlers that answer given bytes, and send them to all event streams."""

import asyncio
import sys

from aiohttp import web


async def _serve(port: int) -> None:
    streams: set[asyncio.Queue[bytes]] = set()
    answer = b""

    async def put_answer(request: web.Request) -> web.Response:
        nonlocal answer
        answer = await request.read()
        return web.Response()

    async def get_answer(_request: web.Request) -> web.Response:
        return web.Response(body=answer, content_type="application/json", headers={"Content-Encoding": "gzip"})

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": connected\n\n")
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        streams.add(queue)
        while True:
            await response.write(await queue.get())

    async def send(request: web.Request) -> web.Response:
        sent = await request.read()
        for queue in streams:
            queue.put_nowait(sent)
        return web.Response()

    app = web.Application()
    app.router.add_put("/answer", put_answer)
    app.router.add_get("/answer", get_answer)
    app.router.add_get("/events", events)
    app.router.add_post("/send", send)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
