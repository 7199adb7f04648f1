"""What ended the owner of the bot's device is named, however deep it is in groups of groups."""

import pytest

from appservice.core.errors import HomeserverError
from appservice.worker.encrypted_rooms import first_of


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_the_first_error_of_nested_groups_is_found(depth: int) -> None:
    first = HomeserverError("the device is gone")
    error: Exception = first
    for _ in range(depth):
        error = ExceptionGroup("works", [error, ValueError("another")])
    assert first_of(error) is first
