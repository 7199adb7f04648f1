"""The command `policies`: which policy lists this installation follows."""

from appservice.commands.context import Command, CommandContext, Rank, RefusedError
from appservice.core.errors import ForbiddenError, HomeserverError, RefusedByHomeserverError
from appservice.core.model import RoomId
from appservice.core.text.command_grammar import UsageError
from appservice.core.text.message import Item, Response
from appservice.store import PolicyList

_DONE = "✅"
_MOST = 255


async def _policies(context: CommandContext) -> Response:
    what = context.words.take_if("add", "remove")
    if what is None:
        context.words.end()
        return await _all(context)
    word = context.words.take()
    context.words.end()
    if word[0] not in "!#" or len(word) > _MOST:
        raise UsageError(word)
    room_id = await _room(context, word)
    store = context.stores.policies
    if what == "add":
        if not await store.follow(room_id, by=context.user_id):
            raise RefusedError("bot-policy-known", room=word)
        return Response(context.say("bot-policy-added", room=word), reaction=_DONE)
    if not await store.leave(room_id, by=context.user_id):
        raise RefusedError("bot-policy-unknown", room=word)
    return Response(context.say("bot-policy-removed", room=word), reaction=_DONE)


async def _all(context: CommandContext) -> Response:
    lists = await context.stores.policies.lists()
    after = context.say("bot-policies-how", command=context.quoted("policies add #…"))
    items = [Item(_line(context, each)) for each in lists]
    return Response(context.say("bot-policies", count=len(lists)), items, after)


def _line(context: CommandContext, policy_list: PolicyList) -> str:
    if policy_list.read_at is None:
        return context.say("bot-policy-unread", room=policy_list.room_id)
    return context.say("bot-policy-line", room=policy_list.room_id, count=policy_list.rules)


async def _room(context: CommandContext, word: str) -> RoomId:
    try:
        return await context.services.homeserver.room_of(word)
    except (ForbiddenError, RefusedByHomeserverError, HomeserverError) as error:
        raise RefusedError("bot-policy-nowhere", room=word) from error


COMMANDS = (Command("policies", _policies, rank=Rank.ADMIN, aliases=("策略",)),)
