"""A room in which the bot gets commands, of each room version that matters."""

import pytest

from appservice.demo.client import MatrixClient
from tests.support.commands import VERSIONS, CommandSender, open_direct
from tests.support.installation import Installation
from tests.support.rooms import make_room


@pytest.fixture
async def direct(reel: Installation, alice: MatrixClient) -> CommandSender:
    """Alice alone with the bot."""
    return CommandSender(alice, await open_direct(alice, reel))


@pytest.fixture(params=VERSIONS)
async def member_commands(
    request: pytest.FixtureRequest, reel: Installation, alice: MatrixClient, bob: MatrixClient
) -> CommandSender:
    """Bob in a plain room of alice's with the bot: he is no moderator there."""
    return CommandSender(bob, await make_room(alice, reel, bob, version=request.param))
