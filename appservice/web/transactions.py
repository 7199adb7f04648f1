"""The homeserver's side: transactions stored with their jobs before they are acknowledged (application service API)."""

import asyncio
import hmac
import json
from typing import Any

import structlog
from aiohttp import web

from appservice import metrics
from appservice.core.errors import (
    BadJsonError,
    ForbiddenError,
    MalformedEventError,
    NotFoundError,
    RequestError,
    UnknownTokenError,
)
from appservice.core.events.changes import Change, Talk
from appservice.core.events.intake import read_event, read_talk
from appservice.web.context import CONTEXT, Context

log = structlog.get_logger()

MAX_BODY = 64 * 1024 * 1024
_PARSE_IN_THREAD = 256 * 1024

routes = web.RouteTableDef()


def _authenticate(request: web.Request, context: Context) -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    expected = context.config.appservice.hs_token.get_secret_value()
    if scheme.lower() != "bearer" or not token:
        raise UnknownTokenError("The homeserver's hs_token is missing.")
    if not hmac.compare_digest(token.encode("utf-8", "surrogateescape"), expected.encode()):
        log.warning("hs_token_refused", peer=request.remote)
        raise ForbiddenError("This is not our hs_token. Is the registration of the homeserver the current one?")


async def _read_json(request: web.Request) -> Any:  # noqa: ANN401 - hostile until read_event has checked it
    body = await request.read()
    try:
        # Some 40 MB of JSON take half a second; the loop serves viewers meanwhile.
        return await asyncio.to_thread(json.loads, body) if len(body) > _PARSE_IN_THREAD else json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadJsonError("The body is not JSON.") from error


def _changes(events: list[object], context: Context) -> list[Change]:
    changes = []
    malformed = 0
    for event in events:
        try:
            change = read_event(event, bot=context.config.bot, permissions=context.config.permissions)
        except MalformedEventError as error:
            event_id = event.get("event_id") if isinstance(event, dict) else None
            log.warning("event_malformed", event_id=str(event_id)[:255], reason=str(error))
            malformed += 1
            continue
        if change is not None:
            changes.append(change)
    outcomes = {"malformed": malformed, "taken": len(changes), "ignored": len(events) - len(changes) - malformed}
    for outcome, count in outcomes.items():
        if count:
            metrics.EVENTS.labels(outcome).inc(count)
    return changes


def _talks(events: list[object], context: Context) -> set[Talk]:
    talks = (read_talk(event, bot=context.config.bot) for event in events)
    return {talk for talk in talks if talk is not None}


@routes.put("/_matrix/app/v1/transactions/{txn_id}")
async def transaction(request: web.Request) -> web.Response:
    """Store what a transaction changes and its jobs, and only then acknowledge it.

    Repeats are harmless whatever their id: a video is stored once for its event id, and state is only state.
    """
    context = request.app[CONTEXT]
    _authenticate(request, context)
    txn_id = request.match_info["txn_id"][:64]
    with structlog.contextvars.bound_contextvars(txn_id=txn_id), metrics.TRANSACTION_SECONDS.time():
        try:
            body = await _read_json(request)
            events = body.get("events") if isinstance(body, dict) else None
            if not isinstance(events, list):
                raise BadJsonError("A transaction has a list of `events`.")
            await context.stores.intake.apply(_changes(events, context), _talks(events, context))
        except RequestError as error:
            metrics.TRANSACTIONS.labels("refused" if error.status < 500 else "failed").inc()
            log.warning("transaction_not_taken", reason=str(error))
            raise
        metrics.TRANSACTIONS.labels("stored").inc()
    return web.json_response({})


@routes.post("/_matrix/app/v1/ping")
async def ping(request: web.Request) -> web.Response:
    """Respond to the homeserver's ping (application service API, "Pinging")."""
    _authenticate(request, request.app[CONTEXT])
    return web.json_response({})


@routes.get("/_matrix/app/v1/users/{user_id}")
async def user(request: web.Request) -> web.Response:
    """Say whether a user of our namespace exists: only the bot does."""
    context = request.app[CONTEXT]
    _authenticate(request, context)
    if request.match_info["user_id"] != context.config.bot:
        raise NotFoundError("There is no such user.")
    return web.json_response({})


@routes.get("/_matrix/app/v1/rooms/{alias}")
async def alias(request: web.Request) -> web.Response:
    """Say that a room alias does not exist: we have none."""
    _authenticate(request, request.app[CONTEXT])
    raise NotFoundError("There is no such room alias.")
