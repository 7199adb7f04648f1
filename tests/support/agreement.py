"""Whether responses of the web server are what its OpenAPI document says."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
from aiohttp import web

from appservice.web.openapi import document as document_of

Document = dict[str, Any]

# A room of thousands of videos would take seconds.
_MOST = 64 * 1024


def operations_of(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Yield path, method and operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def conform(document: Document, path: str, method: str, status: int, body: object) -> None:
    """Check a JSON response against its schema in the document."""
    responses = document["paths"][path][method]["responses"]
    assert str(status) in responses, f"{method} {path} answered {status}, which the document does not tell"
    schema = {**responses[str(status)]["content"]["application/json"]["schema"], "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(body)


def strict(document: Document) -> Document:
    """Return the document with every object closed, so that an undocumented key is noticed."""
    copy: Document = json.loads(json.dumps(document))
    for schema in copy["components"]["schemas"].values():
        if schema.get("type") == "object":
            schema["additionalProperties"] = False
            schema["required"] = list(schema["properties"])
    # Where it is not known when the same request may succeed, nothing says so.
    copy["components"]["schemas"]["LimitView"]["required"].remove("retry_after_ms")
    return copy


class Agreement:
    """Compares every response of an application with its document; `differences` has what it found."""

    def __init__(self, app: web.Application) -> None:
        self._document = strict(json.loads(document_of(app.router)))
        self.differences: list[str] = []
        app.on_response_prepare.append(self._compare)

    async def _compare(self, request: web.Request, response: web.StreamResponse) -> None:
        resource = request.match_info.route.resource
        path, method = resource.canonical if resource else "", request.method.lower()
        operation = self._document["paths"].get(path, {}).get(method)
        # An `Expect` that nobody knows is refused before any route.
        if operation is None or response.status == web.HTTPExpectationFailed.status_code:
            return
        try:
            documented = operation["responses"].get(str(response.status))
            assert documented is not None, "its status is not documented"
            assert response.content_type in documented.get("content", {response.content_type: {}}), "nor its type"
            body = response.body if isinstance(response, web.Response) else None
            if isinstance(body, bytes) and body.startswith(b"\x1f\x8b"):
                body = gzip.decompress(body)
            if response.content_type == "application/json" and isinstance(body, bytes) and len(body) < _MOST:
                conform(self._document, path, method, response.status, json.loads(body))
        except (AssertionError, jsonschema.ValidationError) as error:
            self.differences.append(f"{method} {path} {response.status} {response.content_type}: {error}")
