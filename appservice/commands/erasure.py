"""The command that erases everything that is stored of its sender."""

from appservice.commands.context import Command, CommandContext
from appservice.core.text.message import Response


async def _forget_me(context: CommandContext) -> Response:
    sure = context.words.take_if("yes", "是")
    context.words.end()
    if not sure:
        count = len(await context.stores.videos.videos_of(context.user_id, None))
        return Response(context.say("bot-forget-sure", count=count), code=context.written("forget-me yes"))
    count = await context.use_cases.administration.erase_user(context.user_id, by=context.user_id)
    return Response(context.say("bot-forgotten", count=count), reaction="✅")


COMMANDS = (Command("forget-me", _forget_me, aliases=("忘记我", "忘記我")),)
