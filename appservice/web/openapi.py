"""The OpenAPI 3.1 document of the widget's API, made from what its routes declare."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import hdrs, web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from appservice import __version__
from appservice.core.web.views import LimitView
from appservice.web.operation import ERROR, Content, Operation, Undocumented, declared

API = "/api/v1/"

_SECURITY = ("session", "runner")
_IN_PATH = re.compile(r"{(\w+)}")


def document(router: web.UrlDispatcher) -> bytes:
    """Return the document of a router's routes, as JSON. Raises LookupError for one of the API that says nothing."""
    paths: dict[str, dict[str, Any]] = {}
    models: dict[type[BaseModel], None] = {}
    for path, method, operation in operations(router):
        responses = _responses(operation)
        paths.setdefault(path, {})[method] = _described(path, operation, responses)
        models.update(dict.fromkeys(_models(operation, responses)))
    # One form of each model: none of ours is read in another form than it is written.
    _, schemas = models_json_schema(
        [(model, "serialization") for model in models], ref_template="#/components/schemas/{model}"
    )
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "Roomreel", "version": __version__, "license": {"name": "Apache-2.0"}},
            "paths": paths,
            "components": {
                "schemas": schemas.get("$defs", {}),
                "securitySchemes": {name: {"type": "http", "scheme": "bearer"} for name in _SECURITY},
            },
        }
    ).encode()


def operations(router: web.UrlDispatcher) -> Iterator[tuple[str, str, Operation]]:
    """Yield path, method and declaration of each route. Raises LookupError for one of the API without any."""
    for route in router.routes():
        path, operation = route.resource.canonical if route.resource else "", declared(route)
        if operation is None and path.startswith(API):
            raise LookupError(f"{route.method} {path} declares no operation.")
        # aiohttp adds a HEAD to each GET.
        if isinstance(operation, Undocumented) or operation is None or route.method == hdrs.METH_HEAD:
            continue
        yield path, operation.method or route.method.lower(), operation


def _described(path: str, operation: Operation, responses: Mapping[int, Content]) -> dict[str, Any]:
    optional: dict[str, Any] = {
        "externalDocs": operation.standard and {"url": operation.standard},
        "security": operation.session and [{operation.security: []}],
        "parameters": [*(_in_path(name, operation) for name in _IN_PATH.findall(path)), *operation.query],
        "requestBody": operation.body and {"required": True, "content": _json(operation.body.model)},
    }
    return {
        "summary": operation.summary,
        **{name: value for name, value in optional.items() if value},
        "responses": {str(status): _response(content) for status, content in responses.items()},
    }


def _in_path(name: str, operation: Operation) -> dict[str, Any]:
    pattern = {"pattern": f"^{operation.patterns[name]}$"} if name in operation.patterns else {}
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", **pattern}}


def _responses(operation: Operation) -> dict[int, Content]:
    statuses = [*((401, 403, 404) if operation.session else ()), *((400, 413) if operation.body else ()), 503]
    responses = dict.fromkeys([*statuses, *operation.errors], ERROR)
    # Too many requests have to wait, whatever for.
    responses[429] = Content("Too many requests", LimitView)
    responses |= {status: _content(content) for status, content in operation.responses.items()}
    return responses


def _content(content: type[BaseModel] | Content) -> Content:
    return content if isinstance(content, Content) else Content("Done", content)


def _response(content: Content) -> dict[str, Any]:
    found = {**(_json(content.model) if content.model else {}), **content.other}
    return {"description": content.description, **({"content": found} if found else {})}


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}


def _models(operation: Operation, responses: Mapping[int, Content]) -> Iterator[type[BaseModel]]:
    if operation.body:
        yield operation.body.model
    for each in responses.values():
        if each.model:
            yield each.model
        yield from each.also
