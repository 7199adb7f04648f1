"""The id of a request: in each log line that it causes, and in its response."""

import re
import secrets

from aiohttp import web

from appservice.core.web.client_address import Networks, is_within

HEADER = "X-Request-ID"
REQUEST_ID = web.RequestKey("request_id", str)

_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,128}", re.ASCII)


def id_of(request: web.BaseRequest, trusted: Networks) -> str:
    """Return the id that a trusted proxy gave the request, or a new one: nobody else's gets into the log."""
    given = request.headers.get(HEADER)
    if given and _WELL_FORMED.fullmatch(given) and request.remote and is_within(request.remote, trusted):
        return given
    return secrets.token_hex(16)
