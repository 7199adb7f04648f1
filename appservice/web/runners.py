"""Runners over HTTPS: a job is leased, its input fetched, its files sent one by one; what they hold a worker verifies.

A runner has nothing but its token. Every request checks that the job is its own now, for an attempt that is still the
newest one; requests that last, again and again.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress

import structlog
from aiohttp import web

from appservice import metrics
from appservice.core.errors import (
    ConflictError,
    InvalidHeaderError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
    UnknownTokenError,
)
from appservice.core.runners import (
    FILE,
    LEASE_S,
    SOURCE,
    CompleteRequest,
    HeartbeatRequest,
    ReceivedView,
    ReturnRequest,
    RunnerJobView,
    token_in,
)
from appservice.core.web import tus_headers
from appservice.media.storage import Appender
from appservice.store.runners import Lease, OfferState, Runner, RunnerFile
from appservice.web.context import CONTEXT, Context
from appservice.web.limits import Limit, address_of
from appservice.web.media_paths import UUID
from appservice.web.operation import Content, Operation, Read
from appservice.web.requests import json_response, next_of_body

log = structlog.get_logger()

ROOT = "/api/v1/runner"
_JOB = ROOT + f"/jobs/{{id:{UUID}}}"
_WAIT_S, _LOOK_S = 20.0, 1.0
# For so long a runner counts as waiting that did not come again.
_WAITS_S = 5.0
_CHECK_S = 1.0
_PIECE = 256 * 1024
_MOST_BODY = 8192
_RANGE = re.compile(r"bytes=([0-9]{1,15})-", re.ASCII)
_SECURITY = "runner"

routes = web.RouteTableDef()


async def _runner(request: web.Request) -> tuple[Context, Runner]:
    context = request.app[CONTEXT]
    token = token_in(request.headers.get("Authorization"))
    runner = await context.stores.runners.runner(token) if token else None
    if runner is None:
        context.limits.count(Limit.RUNNER_TOKENS, address_of(request, context.config.web.trusted_proxies))
        raise UnknownTokenError("There is no such runner, or it was revoked.")
    return context, runner


async def _leased(request: web.Request) -> tuple[Context, Runner, str]:
    context, runner = await _runner(request)
    job_id = request.match_info["id"]
    await _check(context, runner, job_id)
    return context, runner, job_id


async def _check(context: Context, runner: Runner, job_id: str) -> None:
    if not await context.stores.runners.has(runner, job_id):
        raise NotFoundError("The job is not yours, or not any more.")


@routes.post(ROOT + "/lease")
@Operation(
    "Lease the next job, for which the response waits for some seconds",
    {200: RunnerJobView, 204: Content("There is none: try again")},
    security=_SECURITY,
)
async def lease(request: web.Request) -> web.Response:
    """Give a runner a job, once there is one."""
    context, runner = await _runner(request)
    end = asyncio.get_running_loop().time() + _WAIT_S
    while True:
        leased = await context.stores.runners.lease(runner, _WAITS_S)
        if leased:
            metrics.RUNNER_JOBS.labels(outcome="leased").inc()
            log.info("runner_leased", runner=runner.name, runner_job=leased.id, video_id=leased.video_id)
            return json_response(await _job_view(context, leased))
        gone = request.transport is None or request.transport.is_closing()
        if gone or context.vitals.is_draining or asyncio.get_running_loop().time() > end:
            return web.Response(status=204)
        await asyncio.sleep(_LOOK_S)


async def _job_view(context: Context, leased: Lease) -> RunnerJobView:
    key = context.media_keys.key_of_runner(leased.sealed_key, leased.id) if leased.sealed_key else None
    files = await context.stores.runners.files(leased.id)
    return RunnerJobView(
        id=leased.id,
        task=leased.task,
        key=key.hex() if key else None,
        files={name: file.most for name, file in files.items() if name != SOURCE},
        lease_seconds=LEASE_S,
    )


@routes.post(_JOB + "/heartbeat")
@Operation("Keep a job", {204: Content("It is kept")}, security=_SECURITY).reading(HeartbeatRequest, most=_MOST_BODY)
async def heartbeat(request: web.Request, read: Read[HeartbeatRequest]) -> web.Response:
    """Renew a lease."""
    context, runner = await _runner(request)
    body = await read()
    if not await context.stores.runners.renew(runner, request.match_info["id"], body.share):
        raise NotFoundError("The job is not yours, or not any more.")
    return web.Response(status=204)


@routes.get(_JOB + "/source")
@Operation(
    "The input of a job, from the first byte of a range on",
    {
        200: Content("The file", other={"application/octet-stream": {}}),
        206: Content("The rest of it", other={"application/octet-stream": {}}),
    },
    errors=(400,),
    security=_SECURITY,
)
async def source(request: web.Request) -> web.StreamResponse:
    """Send the input of a job, while it is leased."""
    context, runner, job_id = await _leased(request)
    file = await _prepared(context, runner, job_id)
    size = file.size or 0
    start = 0
    if wanted := request.headers.get("Range"):
        found = _RANGE.fullmatch(wanted)
        if found is None or (start := int(found[1])) > size:
            raise InvalidHeaderError(f"Range must be bytes=N-, of {size} bytes.")
    response = web.StreamResponse(status=206 if wanted else 200)
    response.content_type = "application/octet-stream"
    response.content_length = size - start
    if wanted:
        response.headers["Content-Range"] = f"bytes {start}-{max(start, size - 1)}/{size}"
    await response.prepare(request)
    checked = _Checked(context, runner, job_id)
    async with aclosing(context.storage.uploads.read(file.id, start)) as pieces:
        async for piece in pieces:
            try:
                await checked()
            except NotFoundError as error:
                # The response has begun: it ends too soon.
                raise ConnectionResetError("The lease is over.") from error
            await response.write(piece)
            metrics.RUNNER_BYTES.labels(direction="sent").inc(len(piece))
    await response.write_eof()
    return response


async def _prepared(context: Context, runner: Runner, job_id: str) -> RunnerFile:
    """Wait until a worker has put the input into storage. Raises UnavailableError when that takes long."""
    end = asyncio.get_running_loop().time() + _WAIT_S
    while True:
        file = await context.stores.runners.file(job_id, SOURCE)
        if file and file.size is not None:
            return file
        if asyncio.get_running_loop().time() > end:
            raise UnavailableError("The input is being prepared. Try again in a moment.")
        await asyncio.sleep(_LOOK_S / 4)
        await _check(context, runner, job_id)


class _Checked:
    """Checks now and then, while something lasts, that a job is still leased. Raises NotFoundError."""

    def __init__(self, context: Context, runner: Runner, job_id: str) -> None:
        self._context, self._runner, self._job_id = context, runner, job_id
        self._time = asyncio.get_running_loop().time
        self._last = self._time()

    async def __call__(self) -> None:
        if self._time() - self._last >= _CHECK_S:
            await _check(self._context, self._runner, self._job_id)
            self._last = self._time()


async def _file(request: web.Request) -> tuple[Context, Runner, str, RunnerFile]:
    context, runner, job_id = await _leased(request)
    name = request.match_info["file"]
    file = await context.stores.runners.file(job_id, name) if name != SOURCE else None
    if file is None:
        raise NotFoundError("The job has no such file.")
    return context, runner, job_id, file


async def _size(context: Context, file: RunnerFile) -> int:
    try:
        return await context.storage.uploads.size(file.id)
    except NotFoundError:
        return 0


@routes.get(_JOB + f"/files/{{file:{FILE}}}")
@Operation("How much has come of a file", {200: ReceivedView}, patterns={"file": FILE}, security=_SECURITY)
async def received(request: web.Request) -> web.Response:
    """Say where a runner goes on whose connection broke."""
    context, _, _, file = await _file(request)
    return json_response(ReceivedView(offset=await _size(context, file)))


@routes.patch(_JOB + f"/files/{{file:{FILE}}}")
@Operation(
    "Append the body to a file at `Upload-Offset`",
    {204: Content("It was appended")},
    errors=(400, 409, 413, 423, 507),
    patterns={"file": FILE},
    security=_SECURITY,
)
async def append(request: web.Request) -> web.Response:
    """Take a part of a file. One that becomes too large ends the job: its runner does something else than it should."""
    context, runner, job_id, file = await _file(request)
    offset = tus_headers.offset(request.headers)
    uploads = context.storage.uploads
    if not offset and not await _size(context, file):
        with suppress(FileExistsError):
            await uploads.create(file.id)
    try:
        async with uploads.appending(file.id) as end:
            if end.offset != offset:
                raise ConflictError(f"Upload-Offset must be {end.offset}.")
            await _receive(request, end, file.most - offset, _Checked(context, runner, job_id))
            reached = end.offset
    except TooLargeError:
        log.warning("runner_refused", runner=runner.name, runner_job=job_id, reason="a file is too large")
        await context.stores.runners.end(runner, job_id, OfferState.FAILED)
        raise
    await _check(context, runner, job_id)
    return web.Response(status=204, headers={"Upload-Offset": str(reached)})


async def _receive(request: web.Request, end: Appender, most: int, check: Callable[[], Awaitable[None]]) -> None:
    if (request.content_length or 0) > most:
        raise TooLargeError(f"There is room for {most} more bytes.")
    piece = bytearray()
    try:
        while data := await next_of_body(request.content):
            await check()
            if len(data) + len(piece) > most:
                raise TooLargeError(f"There was room for {most} more bytes.")
            piece += data
            if len(piece) >= _PIECE:
                whole, piece = bytes(piece), bytearray()
                most -= len(whole)
                await end.append(whole)
                metrics.RUNNER_BYTES.labels(direction="received").inc(len(whole))
    finally:
        await end.append(bytes(piece))
        metrics.RUNNER_BYTES.labels(direction="received").inc(len(piece))


@routes.post(_JOB + "/complete")
@Operation(
    "Say that all files of a job are there", {204: Content("A worker verifies them")}, errors=(409,), security=_SECURITY
).reading(CompleteRequest, most=_MOST_BODY)
async def complete(request: web.Request, read: Read[CompleteRequest]) -> web.Response:
    """Hand a job over to its worker."""
    context, runner, job_id = await _leased(request)
    sizes, files = (await read()).files, await context.stores.runners.files(job_id)
    for name, size in sizes.items():
        file = files.get(name)
        if file is None or name == SOURCE or size > file.most or await _size(context, file) != size:
            raise ConflictError("A file has another size, or there is none of that name.")
        await context.stores.runners.finish_file(file, size)
    if not await context.stores.runners.end(runner, job_id, OfferState.COMPLETE):
        raise NotFoundError("The job is not yours any more.")
    log.info("runner_completed", runner=runner.name, runner_job=job_id)
    return web.Response(status=204)


@routes.post(_JOB + "/return")
@Operation("Give a job back", {204: Content("It goes on elsewhere")}, security=_SECURITY).reading(
    ReturnRequest, most=_MOST_BODY
)
async def give_back(request: web.Request, read: Read[ReturnRequest]) -> web.Response:
    """Let a job go on elsewhere; one that its runner cannot do counts as failed."""
    context, runner, job_id = await _leased(request)
    reason = (await read()).reason
    state = OfferState.RETURNED if reason == "stopped" else OfferState.FAILED
    await context.stores.runners.end(runner, job_id, state)
    log.info("runner_returned", runner=runner.name, runner_job=job_id, reason=reason)
    return web.Response(status=204)
