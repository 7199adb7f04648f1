"""schemathesis: requests made from the served document, good and bad ones, get responses as it says."""

import asyncio
import itertools
from collections import Counter
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.service import Service

EXAMPLES = 20
CHECKS = [
    not_a_server_error,
    negative_data_rejection,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def _explore(url: str, operation: Any, known: dict[str, str], token: str, modes: Any) -> Counter[int]:  # noqa: ANN401 - schemathesis' own
    """Send requests of one operation, and count the responses by status; raise what differs from the document."""
    numbers = itertools.count(1)
    statuses: Counter[int] = Counter()

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(operation.as_strategy(generation_mode=modes), st.booleans())
    def run(case: Any, is_known: bool) -> None:  # noqa: ANN401 - as above
        # What exists, as well as what is made up; a stream of a room that exists would never end.
        if is_known and not operation.path.endswith("/events"):
            case.path_parameters = {**case.path_parameters, **{n: known[n] for n in case.path_parameters if n in known}}
        number = next(numbers)
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": f"203.0.113.{number % 250}"}
        response = case.call(base_url=url, headers=headers, timeout=20)
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    run()
    return statuses


async def test_every_operation_responds_as_the_document_says(service: Service) -> None:
    async with service.http.get(f"{service.url}/api/v1/openapi.json") as response:
        schema = schemathesis.openapi.from_dict(await response.json())
    # Parameters that nobody knows are ignored, as is usual: proxies and caches add some.
    schema.config.generation.update(allow_extra_parameters=False)
    found = list(schema.get_all_operations())
    operations = [each.ok() for each in found if isinstance(each, Ok)]
    assert len(operations) == len(found)
    explorer = service.user("explorer")
    room = await service.room(explorer)
    # Somebody without a client: they may do all that others may, and have the bot speak for them.
    viewer = await service.signed_in(explorer, room)
    known = {"room_id": room.room_id, "user_id": explorer}
    wrong: list[str] = []
    statuses: Counter[int] = Counter()
    for operation, mode in itertools.product(operations, schemathesis.GenerationMode):
        try:
            statuses += await asyncio.to_thread(_explore, service.url, operation, known, viewer.token, mode)
        except Unsatisfiable:
            # Nothing can be wrong with a request without a body or parameters, and any text is a path's.
            assert mode is schemathesis.GenerationMode.NEGATIVE, operation.label
        except Exception as error:
            wrong.append(f"{operation.label} ({mode.name}): {error!r} {getattr(error, 'exceptions', '')}")
    assert not wrong, "\n".join(wrong)
    # Each kind of response came, so that something was checked.
    assert {200, 400, 403, 404} <= set(statuses), statuses
