"""Puts the routes together: one place renders errors, sets headers and logs requests."""

import math
import time

import structlog
from aiohttp import web

from appservice.core.errors import LimitExceededError, RequestError, StorageUnavailableError
from appservice.core.web.views import ErrorView, LimitView
from appservice.web import (
    api,
    behalf,
    bookmarks,
    channel,
    encryption,
    events,
    exports,
    media,
    public,
    rooms,
    runners,
    sign_in,
    slow_lines,
    transactions,
    uploads,
    videos,
)
from appservice.web.connections import FIRST
from appservice.web.context import CONTEXT, Context
from appservice.web.health import Readiness, add_health
from appservice.web.hot_media import HotMedia
from appservice.web.limits import admit
from appservice.web.openapi import document
from appservice.web.operation import Handler, Undocumented
from appservice.web.page import add_page
from appservice.web.probes import add_probes
from appservice.web.ready import HEADERS
from appservice.web.request_ids import HEADER, REQUEST_ID, id_of
from appservice.web.requests import check_address, json_response

log = structlog.get_logger()

_STORAGE_RETRY_AFTER_S = 5
_HTTP_ERRCODES = {404: "M_UNRECOGNIZED", 405: "M_UNRECOGNIZED", 413: "M_TOO_LARGE"}


def _error(status: int, errcode: str, text: str) -> web.Response:
    return json_response(ErrorView(errcode=errcode, error=text), status=status)


def _limited(error: LimitExceededError) -> web.Response:
    if error.retry_after is None:
        return _error(error.status, error.errcode, str(error))
    # Both forms: HTTP's, and that of the client-server API.
    milliseconds = math.ceil(error.retry_after * 1000)
    view = LimitView(errcode=error.errcode, error=str(error), retry_after_ms=milliseconds)
    response = json_response(view, status=error.status)
    response.headers["Retry-After"] = str(math.ceil(error.retry_after))
    return response


def _refused(request: web.Request, error: RequestError) -> web.Response:
    if error.public != str(error):
        log.warning("request_unavailable", route=_route(request), reason=str(error))
    response = _error(error.status, error.errcode, error.public)
    if isinstance(error, StorageUnavailableError):
        response.headers["Retry-After"] = str(_STORAGE_RETRY_AFTER_S)
    return response


async def _respond(request: web.Request, handler: Handler) -> web.StreamResponse:
    context = request.app[CONTEXT]
    try:
        check_address(request)
        admit(request, context.limits, context.access, context.config.web.trusted_proxies)
        return await handler(request)
    except LimitExceededError as error:
        return _limited(error)
    except RequestError as error:
        return _refused(request, error)
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        response = _error(error.status, _HTTP_ERRCODES.get(error.status, "M_UNKNOWN"), error.text or error.reason)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except web.RequestPayloadError:
        return _error(400, "M_BAD_JSON", "The body cannot be decoded.")
    except ConnectionResetError:
        raise  # the viewer closed the page; nobody reads a response
    except Exception:
        log.exception("request_failed", route=_route(request))
        return _error(500, "M_UNKNOWN", "Something went wrong here. Its cause is in the log.")


def _route(request: web.Request) -> str:
    # The route's pattern, not the path: paths and queries hold grants and tokens.
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical if resource else 'unknown'}"


@web.middleware
async def _middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    started = time.monotonic()
    request[REQUEST_ID] = id_of(request, request.app[CONTEXT].config.web.trusted_proxies)
    with structlog.contextvars.bound_contextvars(request_id=request[REQUEST_ID]):
        response = await _respond(request, handler)
        log.debug(
            "request", route=_route(request), status=response.status, seconds=round(time.monotonic() - started, 4)
        )
    return response


async def _on_prepare(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    if request.app[CONTEXT].vitals.is_draining:
        # Whoever comes again is to come to another process.
        response.force_close()
        response.headers["Connection"] = "close"
    if REQUEST_ID in request:  # else it is no request: what was sent could not be read
        response.headers[HEADER] = request[REQUEST_ID]


async def _let_go(app: web.Application) -> None:
    """End what would go on for ever, once nobody new can come: event streams, and requests for what is to come."""
    app[CONTEXT].hub.end()


def _add_document(app: web.Application) -> None:
    """Serve the document of all routes that there are by now."""
    body = document(app.router)

    @Undocumented("https://spec.openapis.org/oas/v3.1.0")
    async def openapi(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app.router.add_get("/api/v1/openapi.json", openapi)


def _add_described(app: web.Application) -> None:
    """Add all routes that the document of the API describes."""
    for module in (
        transactions,
        api,
        rooms,
        events,
        encryption,
        sign_in,
        channel,
        videos,
        behalf,
        bookmarks,
        media,
        slow_lines,
        uploads,
        runners,
    ):
        app.router.add_routes(module.routes)
    public.add_public_pages(app)
    exports.add_exports(app)


def describe() -> bytes:
    """Return the OpenAPI document of the API as JSON, without a service that serves it."""
    app = web.Application()
    _add_described(app)
    return document(app.router)


def build_app(context: Context) -> web.Application:
    """Return the application for both the homeserver and the viewers; `vitals` are those of its process."""
    app = web.Application(middlewares=[_middleware], client_max_size=transactions.MAX_BODY)
    app[CONTEXT] = context
    app[FIRST] = HotMedia(context)
    app[uploads.RECEIVING] = uploads.Receiving()
    _add_described(app)
    add_health(app, context.vitals, Readiness(context.stores.observation, context.config.data_dir / "media"))
    add_page(app)
    add_probes(app, context.config.appservice.hs_token.get_secret_value())
    _add_document(app)
    app.on_response_prepare.append(_on_prepare)
    app.on_shutdown.append(_let_go)
    app.on_response_prepare.append(uploads.on_prepare)
    return app
