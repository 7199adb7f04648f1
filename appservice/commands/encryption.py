"""Commands of encrypted rooms: whether playable copies of their videos are stored."""

from appservice.commands.context import Command, CommandContext, Rank, RefusedError
from appservice.commands.moderator import DONE
from appservice.core.rules.opt_in import may_opt_in
from appservice.core.text.message import Response


async def _enable(context: CommandContext) -> Response:
    context.words.end()
    _check(context)
    if not await context.use_cases.opt_ins.opt_in(context.room, context.viewer):
        # Somebody may just have been faster.
        room = await context.stores.rooms.room(context.room.room_id) or context.room
        raise RefusedError("bot-enabled-before", **context.services.languages[context.language].opted_in(room))
    return Response(reaction=DONE)  # all of the room are notified


async def _disable(context: CommandContext) -> Response:
    sure = context.words.take_if("yes", "是")
    context.words.end()
    _check(context)
    if not sure:
        count = len(await context.stores.videos.room_videos(context.room.room_id))
        return Response(context.say("bot-disable-sure", count=count), code=context.written("disable yes"))
    await context.use_cases.opt_ins.opt_out(context.room, context.viewer)
    return Response(reaction=DONE)


def _check(context: CommandContext) -> None:
    if not context.room.encrypted:
        raise RefusedError("bot-not-encrypted")
    if not may_opt_in(context.room, context.viewer):
        raise RefusedError("bot-only-moderators")


COMMANDS = (
    Command("enable", _enable, rank=Rank.MODERATOR, aliases=("启用", "啟用")),
    Command("disable", _disable, rank=Rank.MODERATOR, aliases=("停用",)),
)
