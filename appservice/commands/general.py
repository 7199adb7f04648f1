"""Commands about the bot itself: help and version."""

from appservice import __version__
from appservice.commands.context import Command, CommandContext
from appservice.core.text.markup import code
from appservice.core.text.message import Item, Response


async def _help(context: CommandContext) -> Response:
    known = [command for command in context.known if command.rank <= context.rank]
    name = context.words.take_if(*(name for command in known for name in (command.name, *command.aliases)))
    context.words.end()
    if name:
        (command,) = (command for command in known if name in {command.name, *command.aliases})
        return Response(context.say(f"bot-help-{command.name}"), code=context.usage(command))
    items = [Item(f"{code(context.usage(command))} – {context.say(f'bot-help-{command.name}')}") for command in known]
    examples = {"own": code("3"), "others": code("@bob:example.org 3"), "id": code("#1a2b3c4d")}
    return Response(context.say("bot-help"), items, context.say("bot-help-videos", **examples))


async def _version(context: CommandContext) -> Response:
    context.words.end()
    return Response(context.say("bot-version", version=__version__))


COMMANDS = (Command("help", _help, aliases=("帮助", "說明")), Command("version", _version))
