"""Commands about what is stored of a person."""

import secrets

import pytest

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.commands import VERSIONS, CommandSender
from tests.support.installation import Installation
from tests.support.rooms import make_room


@pytest.mark.parametrize("version", VERSIONS)
async def test_quota_without_limits(
    reel: Installation, synapse: Synapse, alice: MatrixClient, direct: CommandSender, version: str
) -> None:
    async with await synapse.user(f"frugal-{secrets.token_hex(4)}") as user:
        commands = CommandSender(user, await make_room(alice, reel, user, version=version))
        await _has_nothing_yet(commands)
    assert "This room" not in (await direct("quota")).text


async def _has_nothing_yet(commands: CommandSender) -> None:
    said = await commands("!reel quota")
    assert said.text == (
        "Used so far:\n• You, in all rooms: 0 videos (no limit), 0 MiB (no limit)"
        "\n• This room: 0 videos (no limit), 0 MiB (no limit)"
    )
    assert (await commands("!reel 配额")).text == said.text


@pytest.mark.parametrize("command", ["quota 1", "quota @bob:example.org", "export now"])
async def test_mistakes_get_the_syntax_as_response(direct: CommandSender, command: str) -> None:
    said = await direct(command)
    assert "It is written like this:" in said.text
    assert said.reactions == ["❓"]
