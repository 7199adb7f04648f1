"""What a route of the API says of itself, once, where it is registered: `web/openapi` makes the document of it.

Kept by hand: aiohttp-pydantic (3.0) reads each body before the handler runs and answers with errors of its own form,
writes OpenAPI 3.0 and needs Python 3.12; aiohttp-docs needs 3.13; aiohttp-apispec is for marshmallow and Swagger 2;
rororo and aiohttp-swagger3 begin with a document that somebody writes.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, Generic, TypeAlias, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from appservice.core.errors import BadJsonError
from appservice.core.web.views import ErrorView

Model = TypeVar("Model", bound=BaseModel)
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Read: TypeAlias = Callable[[], Awaitable[Model]]
"""Reads the body of a request. Raises BadJsonError, which names what is wrong with it."""

_ATTRIBUTE = "__operation__"


@dataclass(frozen=True, slots=True)
class Content:
    """A response: its JSON, or other content by media type; `also` names models that the description speaks of."""

    description: str
    model: type[BaseModel] | None = None
    other: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    also: Sequence[type[BaseModel]] = ()


ERROR = Content("See `error`", ErrorView)
"""The response of a request that failed."""


@dataclass(frozen=True, slots=True)
class Body(Generic[Model]):
    """The JSON body of a request, of at most so many bytes."""

    model: type[Model]
    most: int

    async def read(self, request: web.Request) -> Model:
        """Return the body. Raises BadJsonError, which names what is wrong with it."""
        try:
            return self.model.model_validate_json(await request.clone(client_max_size=self.most).read())
        except ValidationError as error:
            fields = ", ".join(sorted({".".join(map(str, problem["loc"])) or "body" for problem in error.errors()}))
            raise BadJsonError(f"Wrong, missing or unknown: {fields}.") from error


@dataclass(frozen=True, slots=True)
class Operation:
    """A decorator of handlers: a summary, and the content of each response by its status.

    `errors` are statuses besides those that come with a session (401, 403, 404), with a body (400, 413) and always
    (429, 503). `query` has parameters as OpenAPI does, `patterns` regular expressions of parameters in the path.
    `method` says which one of a route for all methods this is, `security` whose token it takes, with a session.
    """

    summary: str
    responses: Mapping[int, type[BaseModel] | Content]
    errors: Sequence[int] = ()
    session: bool = True
    query: Sequence[Mapping[str, Any]] = ()
    patterns: Mapping[str, str] = field(default_factory=dict)
    method: str | None = None
    standard: str | None = None
    body: Body[Any] | None = None
    security: str = "session"

    def __call__(self, handler: Handler) -> Handler:
        """Declare what a handler does that reads no body."""
        setattr(handler, _ATTRIBUTE, self)
        return handler

    def reading(
        self, model: type[Model], *, most: int
    ) -> Callable[[Callable[[web.Request, Read[Model]], Awaitable[web.StreamResponse]]], Handler]:
        """Declare a handler that reads a body of at most so many bytes: it is called with what reads it."""
        body = Body(model, most)

        def declare(handler: Callable[[web.Request, Read[Model]], Awaitable[web.StreamResponse]]) -> Handler:
            @wraps(handler)
            async def handle(request: web.Request) -> web.StreamResponse:
                return await handler(request, lambda: body.read(request))

            return replace(self, body=body)(handle)

        return declare


@dataclass(frozen=True, slots=True)
class Undocumented:
    """A decorator of handlers that the document leaves to the standard which they follow."""

    standard: str

    def __call__(self, handler: Handler) -> Handler:
        """Declare a handler."""
        setattr(handler, _ATTRIBUTE, self)
        return handler


def declared(route: web.AbstractRoute) -> Operation | Undocumented | None:
    """Return what a route says of itself."""
    found = getattr(route.handler, _ATTRIBUTE, None)
    return found if isinstance(found, Operation | Undocumented) else None
