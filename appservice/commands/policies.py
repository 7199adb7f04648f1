"""The command `policies`: which policy lists this installation follows."""

from appservice.commands.answer import Answer, Item
from appservice.commands.asked import Asked, RefusedError
from appservice.commands.grammar import UsageError
from appservice.commands.registry import Command, Rank
from appservice.errors import ForbiddenError, HomeserverError, RefusedByHomeserverError
from appservice.model import RoomId
from appservice.store import PolicyList

_DONE = "✅"
_MOST = 255


async def _policies(asked: Asked) -> Answer:
    what = asked.words.take_if("add", "remove")
    if what is None:
        asked.words.end()
        return await _all(asked)
    word = asked.words.take()
    asked.words.end()
    if word[0] not in "!#" or len(word) > _MOST:
        raise UsageError(word)
    room_id = await _room(asked, word)
    store = asked.parts.policies
    if what == "add":
        if not await store.follow(room_id, by=asked.user_id):
            raise RefusedError("bot-policy-known", room=word)
        return Answer(asked.say("bot-policy-added", room=word), reaction=_DONE)
    if not await store.leave(room_id, by=asked.user_id):
        raise RefusedError("bot-policy-unknown", room=word)
    return Answer(asked.say("bot-policy-removed", room=word), reaction=_DONE)


async def _all(asked: Asked) -> Answer:
    lists = await asked.parts.policies.lists()
    after = asked.say("bot-policies-how", command=asked.quoted("policies add #…"))
    return Answer(asked.say("bot-policies", count=len(lists)), [Item(_line(asked, each)) for each in lists], after)


def _line(asked: Asked, policy_list: PolicyList) -> str:
    if policy_list.read_at is None:
        return asked.say("bot-policy-unread", room=policy_list.room_id)
    return asked.say("bot-policy-line", room=policy_list.room_id, count=policy_list.rules)


async def _room(asked: Asked, word: str) -> RoomId:
    try:
        return await asked.parts.homeserver.room_of(word)
    except (ForbiddenError, RefusedByHomeserverError, HomeserverError) as error:
        raise RefusedError("bot-policy-nowhere", room=word) from error


COMMANDS = (Command("policies", _policies, rank=Rank.ADMIN, aliases=("策略",)),)
