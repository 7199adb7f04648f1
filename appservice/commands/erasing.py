"""The command that erases everything of whoever gives it."""

from appservice.commands.answer import Answer
from appservice.commands.asked import Asked
from appservice.commands.registry import Command


async def _forget_me(asked: Asked) -> Answer:
    sure = asked.words.take_if("yes", "是")
    asked.words.end()
    if not sure:
        count = len(await asked.parts.store.videos_of(asked.user_id, None))
        return Answer(asked.say("bot-forget-sure", count=count), code=asked.written("forget-me yes"))
    count = await asked.parts.erasing.erase_user(asked.user_id, by=asked.user_id)
    return Answer(asked.say("bot-forgotten", count=count), reaction="✅")


COMMANDS = (Command("forget-me", _forget_me, aliases=("忘记我", "忘記我")),)
