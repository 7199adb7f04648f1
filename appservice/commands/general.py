"""Commands about the bot itself: help and version."""

from appservice import __version__
from appservice.commands.answer import Answer, Item
from appservice.commands.asked import Asked
from appservice.commands.registry import Command
from appservice.markup import code


async def _help(asked: Asked) -> Answer:
    known = [command for command in asked.known if command.rank <= asked.rank]
    name = asked.words.take_if(*(name for command in known for name in (command.name, *command.aliases)))
    asked.words.end()
    if name:
        (command,) = (command for command in known if name in {command.name, *command.aliases})
        return Answer(asked.say(f"bot-help-{command.name}"), code=asked.usage(command))
    items = [Item(f"{code(asked.usage(command))} – {asked.say(f'bot-help-{command.name}')}") for command in known]
    examples = {"own": code("3"), "others": code("@bob:example.org 3"), "id": code("#1a2b3c4d")}
    return Answer(asked.say("bot-help"), items, asked.say("bot-help-videos", **examples))


async def _version(asked: Asked) -> Answer:
    asked.words.end()
    return Answer(asked.say("bot-version", version=__version__))


COMMANDS = (Command("help", _help, aliases=("帮助", "說明")), Command("version", _version))
