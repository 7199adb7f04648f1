"""Rate limits of requests, counted in this process: by user where a session says who it is, else by address.

Far above what widgets and players do, also when many of them stand behind one address.
"""

from enum import Enum, auto

from aiohttp import web
from throttled import MemoryStore, Throttled, per_min

from appservice.core.errors import LimitExceededError, UnknownTokenError
from appservice.core.web.client_address import Networks, bucket_of, client_of
from appservice.web.access import Access

_MOST_KEYS = 50_000
"""So many callers are counted; of more, those whose last request is oldest are dropped."""


class Limit(Enum):
    """What is counted apart."""

    PUBLIC = auto()
    IDENTITY = auto()
    CODES = auto()
    MEMBER_PAGES = auto()
    PUBLIC_MEDIA = auto()
    EXPORTS = auto()
    READS = auto()
    WRITES = auto()
    ORDERS = auto()
    REPORTS = auto()
    UPLOADS = auto()
    RELATIONS = auto()
    POSTS = auto()
    MEDIA = auto()
    ROOM_CODES = auto()
    SLOW_LINES = auto()
    RUNNERS = auto()
    RUNNER_TOKENS = auto()


_RATES = {
    # By address: an office, or a provider's many customers, may be one.
    Limit.PUBLIC: (3000, 1000),
    # A browser that waits for its code polls every two seconds; what a session costs others is bounded elsewhere.
    Limit.IDENTITY: (1200, 600),
    Limit.CODES: (60, 30),
    Limit.MEMBER_PAGES: (300, 150),
    Limit.PUBLIC_MEDIA: (12_000, 6000),
    Limit.EXPORTS: (60, 30),
    # By user, or by membership.
    Limit.READS: (1200, 400),
    Limit.WRITES: (1200, 400),
    Limit.ORDERS: (120, 60),
    Limit.REPORTS: (60, 30),
    Limit.UPLOADS: (60, 30),
    # The homeserver is queried each time: some of its requests for one of ours.
    Limit.RELATIONS: (120, 60),
    # What the bot posts in rooms on behalf of one user.
    Limit.POSTS: (60, 20),
    Limit.MEDIA: (12_000, 6000),
    # By membership, or by address; a player reports each video once.
    Limit.SLOW_LINES: (120, 60),
    # By address: a file is sent in parts. And those with a token that is none.
    Limit.RUNNERS: (6000, 2000),
    Limit.RUNNER_TOKENS: (60, 30),
    # By room, from all addresses.
    Limit.ROOM_CODES: (600, 300),
}
"""Requests a minute, and how many of them may come at once."""

COUNTED = web.RequestKey("counted", bool)
"""Set on a request that was counted already, by its membership."""


class RateLimits:
    """Counts requests (GCRA), in bounded memory."""

    def __init__(self) -> None:
        store = MemoryStore(options={"MAX_SIZE": _MOST_KEYS})
        self._throttles = {
            limit: Throttled(using="gcra", quota=per_min(*_RATES[limit]), store=store, key_prefix=limit.name.lower())
            for limit in Limit
        }

    def count(self, limit: Limit, key: str) -> None:
        """Count one more request. Raises LimitExceededError when there were too many lately."""
        result = self._throttles[limit].limit(key)
        if result.limited:
            raise LimitExceededError(
                "There are too many requests. Wait a moment, then try again.", retry_after=result.state.retry_after
            )


def admit(request: web.Request, limits: RateLimits, access: Access, trusted: Networks) -> None:
    """Count a request before anything is done for it. Raises LimitExceededError.

    What opens media, and the homeserver's token, are checked first: `web/media` counts by membership.
    """
    resource = request.match_info.route.resource
    path = resource.canonical if resource else ""
    if path == "/live" or path.startswith(("/media/", "/_matrix/app/")):
        return
    if path.startswith("/api/v1/runner/"):
        limits.count(Limit.RUNNERS, address_of(request, trusted))
        return
    if path.startswith("/api/v1/") and (limit := _by_user(request.method, path)):
        try:
            limits.count(limit, access.session(request.headers.get("Authorization")).user_id)
        except UnknownTokenError:
            limits.count(Limit.PUBLIC, address_of(request, trusted))
        return
    limits.count(_by_address(request.method, path), address_of(request, trusted))


def address_of(request: web.Request, trusted: Networks) -> str:
    """Return the address by which a request counts."""
    return bucket_of(client_of(request.remote or "", request.headers.getall("X-Forwarded-For", []), trusted))


def _by_address(method: str, path: str) -> Limit:
    if path.startswith("/u/"):
        return Limit.PUBLIC_MEDIA if path.startswith("/u/{user_id}/v/") else Limit.MEMBER_PAGES
    if path.startswith("/export/"):
        return Limit.EXPORTS
    if path == "/api/v1/sign-in" and method == "POST":
        return Limit.CODES
    return Limit.IDENTITY if path in {"/api/v1/session", "/api/v1/sign-in"} else Limit.PUBLIC


def _by_user(method: str, path: str) -> Limit | None:
    if path in {"/api/v1/session", "/api/v1/sign-in", "/api/v1/time", "/api/v1/openapi.json"}:
        return None
    end = path.rpartition("/")[2]
    if method in {"GET", "HEAD"}:
        return Limit.RELATIONS if end == "said" else Limit.READS
    if method == "POST" and path == "/api/v1/uploads":
        return Limit.UPLOADS
    return _ENDS.get(end, Limit.WRITES)


_ENDS = {
    "order": Limit.ORDERS, "report": Limit.REPORTS, "comments": Limit.POSTS, "reactions": Limit.POSTS,
    "videos": Limit.POSTS, "{event_id}": Limit.POSTS,
}  # fmt: skip
