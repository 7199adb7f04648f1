"""Commands of a room's moderators: the queue, reports, and blocks."""

from collections.abc import Sequence

from appservice.commands.blocks import beginning_with, block_line, how_to_unblock, take_digits
from appservice.commands.context import (
    Command,
    CommandContext,
    Rank,
    Readers,
    RefusedError,
    short_id,
)
from appservice.commands.member import title_of
from appservice.core.model import HeldFor, RoomId, Visibility
from appservice.core.room import Room
from appservice.core.rules.video_permissions import UNDO_S, viewer_in, waits
from appservice.core.text.clean import MAX_REASON, clean_text
from appservice.core.text.message import MOST_LINES, Item, Response
from appservice.i18n import clock
from appservice.service.targets import Target
from appservice.store import Held, Reported, UnknownContentError

DONE = "✅"
_WHY = {
    HeldFor.APPROVAL: "bot-held-for-approval",
    HeldFor.REPORTS: "bot-held-for-reports",
    HeldFor.POLICY: "bot-held-for-policy",
    HeldFor.VERDICT: "bot-held-for-verdict",
    HeldFor.QUARANTINE: "bot-held-for-quarantine",
}


async def moderated(context: CommandContext) -> list[Room]:
    """Return the rooms that the sender moderates and may speak of here. Raises RefusedError when there are none.

    Alone with the bot these are all; elsewhere this room, and those whose queue is posted in it.
    """
    rooms: list[Room] = [] if context.room.direct else [context.room]
    if context.room.direct or context.readers is Readers.TRUSTED:
        moderators_room = None if context.room.direct else context.room.room_id
        rooms += await context.stores.moderation.moderated_rooms(context.user_id, moderators_room)
    found = [room for room in rooms if viewer_in(room, context.user_id).moderates]
    if not found:
        raise RefusedError("bot-moderates-nothing")
    return found


async def _mentioned(context: CommandContext) -> tuple[dict[RoomId, Room], str]:
    """Return those of them whose videos may be mentioned here, and what to say of the others."""
    rooms = await moderated(context)
    said = {room.room_id: room for room in rooms if context.is_as_private(room)}
    return said, context.say("bot-not-said-here") if len(said) < len(rooms) else ""


def name_of(room: Room) -> str:
    """Return what people call a room."""
    return room.name or room.room_id


async def _queue(context: CommandContext) -> Response:
    page = _take_page(context)
    rooms, unsaid = await _mentioned(context)
    held = await context.stores.moderation.held(list(rooms))
    if not held:
        return Response(context.say("bot-queue-empty"), after=unsaid)
    items = [_held_item(context, each, rooms) for each in held]
    how = context.say("bot-queue-how", approve=context.written("approve #…"))
    return _list(context, "bot-queue", items, page, after=_lines(how, unsaid))


def _held_item(context: CommandContext, held: Held, rooms: dict[RoomId, Room]) -> Item:
    video = held.video
    # Reports are for moderators alone: their number is not shown to everybody.
    count = held.reports if video.room_id != context.room.room_id else 0
    why = context.say(_WHY[video.withheld.held_for or HeldFor.APPROVAL], count=count)
    length = clock(video.media.duration) if video.media.duration else "–"
    text = context.say(
        "bot-queue-line",
        id=short_id(video),
        title=title_of(context, video),
        sender=video.sender,
        length=length,
        why=why,
    )
    return Item(_with_room(context, text, rooms[video.room_id]))


def _with_room(context: CommandContext, text: str, room: Room) -> str:
    return text if room.room_id == context.room.room_id else context.say("bot-in-room", text=text, room=name_of(room))


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def _take_page(context: CommandContext) -> int:
    page = context.words.number() if context.words.peek() else 1
    context.words.end()
    return page


def _list(context: CommandContext, heading: str, items: Sequence[Item], page: int, *, after: str = "") -> Response:
    pages = -(-len(items) // MOST_LINES)
    page = min(page, pages)
    shown = items[(page - 1) * MOST_LINES : page * MOST_LINES]
    if page < pages:
        more = context.say("bot-next-page", command=context.quoted(f"{context.name} {page + 1}"))
        after = f"{more}\n{after}" if after else more
    return Response(context.say(heading, count=len(items)), shown, after)


def _check_moderates(target: Target) -> None:
    if not target.viewer.moderates:
        raise RefusedError("bot-only-moderators")


def _check_waits(target: Target) -> None:
    _check_moderates(target)
    if target.video.visibility is Visibility.HELD and not waits(target.video):
        raise RefusedError("bot-held-by-others")
    if not waits(target.video):
        raise RefusedError("bot-not-waiting")


def _reason(context: CommandContext) -> str:
    return clean_text(context.words.rest_if(), MAX_REASON) or ""


async def _approve(context: CommandContext) -> Response:
    target = await context.take_target()
    context.words.end()
    _check_waits(target)
    await context.use_cases.moderation.approve(target.video, target.viewer)
    return Response(context.say("bot-approved", title=title_of(context, target.video)), reaction=DONE)


async def _reject(context: CommandContext) -> Response:
    target = await context.take_target()
    reason = _reason(context)
    _check_waits(target)
    await context.use_cases.moderation.reject(target.video, target.viewer, reason)
    return _taken_away(context, "bot-rejects", target)


async def _remove(context: CommandContext) -> Response:
    target = await context.take_target()
    reason = _reason(context)
    _check_moderates(target)
    await context.use_cases.videos.delete(target.video, target.viewer, reason)
    return _taken_away(context, "bot-removes", target)


def _taken_away(context: CommandContext, message: str, target: Target) -> Response:
    undo = context.say("bot-deleted-undo", seconds=round(UNDO_S), command=context.quoted("undelete"))
    return Response(f"{context.say(message, title=title_of(context, target.video))} {undo}", reaction=DONE)


async def _block(context: CommandContext) -> Response:
    target = await context.take_target()
    reason = _reason(context)
    _check_moderates(target)
    try:
        count = await context.use_cases.moderation.block(target.video, target.viewer, reason)
    except UnknownContentError as error:
        raise RefusedError("bot-cannot-block", command=context.quoted("remove")) from error
    return Response(context.say("bot-blocks", title=title_of(context, target.video), count=count), reaction=DONE)


async def _blocks(context: CommandContext) -> Response:
    page = _take_page(context)
    rooms, unsaid = await _mentioned(context)
    blocks = await context.stores.blocks.blocks(list(rooms))
    if not blocks:
        return Response(context.say("bot-no-blocks"), after=unsaid)
    items = [
        Item(_with_room(context, block_line(context, block), rooms[block.room_id])) for block in blocks if block.room_id
    ]
    how = how_to_unblock(context, "unblock", blocks[0])
    return _list(context, "bot-blocked", items, page, after=_lines(how, unsaid))


async def _unblock(context: CommandContext) -> Response:
    digits = take_digits(context)
    blocks = await context.stores.blocks.blocks([room.room_id for room in await moderated(context)])
    for block in beginning_with(blocks, digits):
        await context.use_cases.moderation.unblock(block, by=context.user_id)
    return Response(context.say("bot-unblocked"), reaction=DONE)


async def _reports(context: CommandContext) -> Response:
    page = _take_page(context)
    rooms, unsaid = await _mentioned(context)
    reported = await context.stores.moderation.reported(list(rooms))
    if not reported:
        return Response(context.say("bot-no-reports"), after=unsaid)
    items = [_reported_item(context, each, rooms) for each in reported]
    after = context.say("bot-reports-how", dismiss=context.written("dismiss #…"), remove=context.written("remove #…"))
    if any(each.video.room_id == context.room.room_id for each in reported):
        after = _lines(after, context.say("bot-reports-alone"))
    return _list(context, "bot-reports", items, page, after=_lines(after, unsaid))


def _reported_item(context: CommandContext, reported: Reported, rooms: dict[RoomId, Room]) -> Item:
    video = reported.video
    text = context.say(
        "bot-reports-line", id=short_id(video), title=title_of(context, video), sender=video.sender,
        count=len(reported.reasons),
    )  # fmt: skip
    # Members trust that only moderators read why: in the room itself everybody would.
    # What was stored by an earlier release may have line breaks, which would pass for lines of ours.
    reasons = [clean_text(reason, MAX_REASON) for reason in reported.reasons]
    quoted = [f"“{reason}”" for reason in reasons if reason] if video.room_id != context.room.room_id else []
    if quoted:
        text = context.say("bot-because", text=text, reason=", ".join(quoted))
    return Item(_with_room(context, text, rooms[video.room_id]))


async def _dismiss(context: CommandContext) -> Response:
    target = await context.take_target()
    context.words.end()
    _check_moderates(target)
    if not await context.use_cases.moderation.dismiss_reports(target.video, target.viewer):
        raise RefusedError("bot-not-reported")
    return Response(context.say("bot-dismissed", title=title_of(context, target.video)), reaction=DONE)


COMMANDS = (
    Command("queue", _queue, rank=Rank.MODERATOR, aliases=("待审", "待審")),
    Command("approve", _approve, rank=Rank.MODERATOR, aliases=("通过", "核准")),
    Command("reject", _reject, rank=Rank.MODERATOR, aliases=("拒绝", "拒絕")),
    Command("remove", _remove, rank=Rank.MODERATOR, aliases=("移除",)),
    Command("block", _block, rank=Rank.MODERATOR, aliases=("屏蔽", "封鎖")),
    Command("unblock", _unblock, rank=Rank.MODERATOR, aliases=("取消屏蔽", "取消封鎖")),
    Command("blocks", _blocks, rank=Rank.MODERATOR, aliases=("屏蔽列表", "封鎖清單")),
    Command("reports", _reports, rank=Rank.MODERATOR, aliases=("举报列表", "檢舉清單")),
    Command("dismiss", _dismiss, rank=Rank.MODERATOR, aliases=("驳回举报", "駁回檢舉")),
)
