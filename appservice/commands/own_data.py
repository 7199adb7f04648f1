"""Commands about what is stored of their sender: how much it is, and exporting it."""

from appservice.commands.context import Command, CommandContext
from appservice.core.rules.quotas import MIB, Allowance, QuotaScope, Used
from appservice.core.text.message import Item, Response


async def _quota(context: CommandContext) -> Response:
    context.words.end()
    store = context.stores.quotas
    items = [_line(context, QuotaScope.USER, await store.used_by(context.user_id))]
    if not context.room.direct:
        items.append(_line(context, QuotaScope.ROOM, await store.used_in(context.room.room_id)))
    if context.may_administer:
        items.append(_line(context, QuotaScope.SERVER, await store.used_by_all()))
    return Response(context.say("bot-quota"), items)


def _line(context: CommandContext, scope: QuotaScope, used: Used) -> Item:
    allowed: Allowance = context.stores.quotas.quotas.of(scope)
    size = round(used.bytes / MIB, 1)
    videos = (
        context.say("bot-quota-videos", count=used.videos, most=allowed.videos)
        if allowed.videos
        else context.say("bot-quota-videos-any", count=used.videos)
    )
    disk = (
        context.say("bot-quota-size", size=size, most=allowed.size)
        if allowed.size
        else context.say("bot-quota-size-any", size=size)
    )
    return Item(context.say(f"bot-quota-{scope}", videos=videos, size=disk))


async def _export(context: CommandContext) -> Response:
    context.words.end()
    if not await context.stores.exports.request(context.user_id, context.room.room_id):
        return Response(context.say("bot-export-awaited"))
    room = context.room
    # Else in one that is encrypted, where that can be.
    is_encrypted = room.encrypted or not context.use_cases.opt_ins.available
    here = room.direct and room.made_for == context.user_id and is_encrypted
    return Response(context.say("bot-export-here" if here else "bot-export-there"), reaction="✅")


COMMANDS = (Command("quota", _quota, aliases=("配额", "配額")), Command("export", _export, aliases=("导出", "匯出")))
