"""Measures the requests to the homeserver of a session, whoever makes them: mautrix, downloads, uploads."""

import asyncio
from time import monotonic
from types import SimpleNamespace

import aiohttp
from yarl import URL

from appservice.metrics import HOMESERVER_SECONDS, endpoint_of


def measured(homeserver: str) -> aiohttp.TraceConfig:
    """Return what makes a session measure its requests to a homeserver; those to others do not count."""
    origin = URL(homeserver).origin()
    trace = aiohttp.TraceConfig()

    async def started(_: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceRequestStartParams) -> None:
        context.started = monotonic()

    def observe(context: SimpleNamespace, url: URL, outcome: str) -> None:
        if url.origin() == origin:
            HOMESERVER_SECONDS.labels(endpoint_of(url.raw_path), outcome).observe(monotonic() - context.started)

    async def ended(_: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams) -> None:
        observe(context, params.url, outcome_of(params.response.status))

    async def broken(
        _: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestExceptionParams
    ) -> None:
        if not isinstance(params.exception, asyncio.CancelledError):  # nobody waits for it any more
            observe(context, params.url, "unreachable")

    trace.on_request_start.append(started)
    trace.on_request_end.append(ended)
    trace.on_request_exception.append(broken)
    return trace


def outcome_of(status: int) -> str:
    """Return the outcome of a request by its response's status."""
    if status == 429:
        return "limited"
    if status >= 500:
        return "failed"
    return "refused" if status >= 400 else "ok"
