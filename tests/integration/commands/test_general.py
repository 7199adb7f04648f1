"""How the bot is spoken to: with a prefix among others, without one alone; and what it says to mistakes."""

import pytest

from appservice import __version__
from appservice.demo.client import MatrixClient
from tests.support.commands import CommandSender, response_to
from tests.support.installation import Installation
from tests.support.waiting import eventually


async def test_it_says_what_it_understands(member_commands: CommandSender) -> None:
    said = await member_commands("!reel help")
    assert "!reel version – which release I am" in said.text
    assert "<li><code>!reel version</code> – which release I am</li>\n" in said.html
    assert "(as in @bob:example.org 3)" in said.text
    assert "(as in <code>@bob:example.org 3</code>)" in said.html, "within code no client makes a link of it"
    assert (await member_commands("!REEL")).text == said.text
    assert (await member_commands("!reel help version")).text == "which release I am\n!reel version"


@pytest.mark.parametrize("command", ["!reel version", "!Reel  VERSION "])
async def test_its_release(member_commands: CommandSender, command: str) -> None:
    assert (await member_commands(command)).text == f"Roomreel {__version__}"


async def test_a_mistake_gets_the_syntax_as_response(member_commands: CommandSender) -> None:
    said = await member_commands("!reel version 2")
    assert said.text.startswith("“2” does not fit here.")
    assert "!reel version" in said.text
    assert said.reactions == ["❓"]
    said = await member_commands("!reel versoin")
    assert said.text.startswith("I do not know “versoin”. Did you mean “version”?")
    said = await member_commands("!reel <b>hm</b>")
    assert "I do not know this command." in said.text
    assert "<b>" not in said.html


async def test_alone_with_the_bot_there_is_no_prefix(direct: CommandSender) -> None:
    assert (await direct("version")).text == f"Roomreel {__version__}"
    assert (await direct("!reel version")).text == f"Roomreel {__version__}"
    assert "!reel" not in (await direct("help")).text


async def test_among_others_nothing_is_for_the_bot_but_what_is_said_to_it(
    member_commands: CommandSender, reel: Installation, alice: MatrixClient
) -> None:
    for text in ("version", "!reelversion", "say !reel version", "!reels"):
        await member_commands.user.send_text(member_commands.room_id, text)
    event_id = await alice.send_text(member_commands.room_id, "!reel version")
    await response_to(alice, member_commands.room_id, event_id)
    rows = await reel.rows("SELECT event_id, body FROM commands WHERE room_id = $1", member_commands.room_id)
    assert [row["event_id"] for row in rows] == [event_id]

    async def is_done() -> bool:
        rows = await reel.rows("SELECT body, done_at FROM commands WHERE event_id = $1", event_id)
        return bool(rows[0]["done_at"] and not rows[0]["body"])

    await eventually(is_done, what="the end of the command")
