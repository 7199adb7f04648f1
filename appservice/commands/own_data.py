"""Commands about what is kept of whoever asks: how much it is, and taking it along."""

from appservice.commands.answer import Answer, Item
from appservice.commands.asked import Asked
from appservice.commands.registry import Command
from appservice.quotas import MIB, Allowance, Scope, Used


async def _quota(asked: Asked) -> Answer:
    asked.words.end()
    store = asked.parts.quotas
    items = [_line(asked, Scope.USER, await store.used_by(asked.user_id))]
    if not asked.room.direct:
        items.append(_line(asked, Scope.ROOM, await store.used_in(asked.room.room_id)))
    if asked.may_administer:
        items.append(_line(asked, Scope.SERVER, await store.used_by_all()))
    return Answer(asked.say("bot-quota"), items)


def _line(asked: Asked, scope: Scope, used: Used) -> Item:
    allowed: Allowance = asked.parts.quotas.quotas.of(scope)
    size = round(used.bytes / MIB, 1)
    videos = (
        asked.say("bot-quota-videos", count=used.videos, most=allowed.videos)
        if allowed.videos
        else asked.say("bot-quota-videos-any", count=used.videos)
    )
    disk = (
        asked.say("bot-quota-size", size=size, most=allowed.size)
        if allowed.size
        else asked.say("bot-quota-size-any", size=size)
    )
    return Item(asked.say(f"bot-quota-{scope}", videos=videos, size=disk))


async def _export(asked: Asked) -> Answer:
    asked.words.end()
    if not await asked.parts.exports.ask(asked.user_id, asked.room.room_id):
        return Answer(asked.say("bot-export-awaited"))
    here = asked.room.direct and asked.room.made_for == asked.user_id
    return Answer(asked.say("bot-export-here" if here else "bot-export-there"), reaction="✅")


COMMANDS = (Command("quota", _quota, aliases=("配额", "配額")), Command("export", _export, aliases=("导出", "匯出")))
