"""Commands of a room's moderators: what waits, what was reported, and what is not to come (again)."""

from collections.abc import Sequence

from appservice.clean import MAX_REASON, clean_text
from appservice.commands.answer import MOST_LINES, Answer, Item
from appservice.commands.asked import Asked, Readers, RefusedError, Target, short_id, viewer_of
from appservice.commands.blocks import beginning_with, block_line, how_to_unblock, take_digits
from appservice.commands.member import title_of
from appservice.commands.registry import Command, Rank
from appservice.managing import UNDO_S, check_delete, waits
from appservice.model import HeldFor, Room, RoomId, Visibility
from appservice.store import Held, Reported, UnknownContentError
from appservice.texts import clock

DONE = "✅"
_WHY = {
    HeldFor.APPROVAL: "bot-held-for-approval",
    HeldFor.REPORTS: "bot-held-for-reports",
    HeldFor.POLICY: "bot-held-for-policy",
    HeldFor.VERDICT: "bot-held-for-verdict",
    HeldFor.QUARANTINE: "bot-held-for-quarantine",
}


async def moderated(asked: Asked) -> list[Room]:
    """Return the rooms that whoever asks moderates and may speak of here. Raises RefusedError when there are none.

    Alone with the bot these are all; elsewhere this room, and those that ask for decisions in it.
    """
    rooms: list[Room] = [] if asked.room.direct else [asked.room]
    if asked.room.direct or asked.readers is Readers.TRUSTED:
        asking = None if asked.room.direct else asked.room.room_id
        rooms += await asked.parts.moderating.moderated_rooms(asked.user_id, asking)
    found = [room for room in rooms if viewer_of(room, asked.user_id).moderates]
    if not found:
        raise RefusedError("bot-moderates-nothing")
    return found


def name_of(room: Room) -> str:
    """Return what people call a room."""
    return room.name or room.room_id


async def _queue(asked: Asked) -> Answer:
    page = _take_page(asked)
    rooms = {room.room_id: room for room in await moderated(asked)}
    held = await asked.parts.moderating.held(list(rooms))
    if not held:
        return Answer(asked.say("bot-queue-empty"))
    items = [_held_item(asked, each, rooms) for each in held]
    return _list(asked, "bot-queue", items, page, after=asked.say("bot-queue-how", approve=asked.written("approve #…")))


def _held_item(asked: Asked, held: Held, rooms: dict[RoomId, Room]) -> Item:
    video = held.video
    # What members said is for moderators alone: how many they are is not told before everybody.
    count = held.reports if video.room_id != asked.room.room_id else 0
    why = asked.say(_WHY[video.held_for or HeldFor.APPROVAL], count=count)
    length = clock(video.duration) if video.duration else "–"
    text = asked.say(
        "bot-queue-line", id=short_id(video), title=title_of(asked, video), sender=video.sender, length=length, why=why
    )
    return Item(_placed(asked, text, rooms[video.room_id]))


def _placed(asked: Asked, text: str, room: Room) -> str:
    return text if room.room_id == asked.room.room_id else asked.say("bot-in-room", text=text, room=name_of(room))


def _take_page(asked: Asked) -> int:
    page = asked.words.number() if asked.words.peek() else 1
    asked.words.end()
    return page


def _list(asked: Asked, heading: str, items: Sequence[Item], page: int, *, after: str = "") -> Answer:
    pages = -(-len(items) // MOST_LINES)
    page = min(page, pages)
    shown = items[(page - 1) * MOST_LINES : page * MOST_LINES]
    if page < pages:
        more = asked.say("bot-next-page", command=asked.quoted(f"{asked.name} {page + 1}"))
        after = f"{more}\n{after}" if after else more
    return Answer(asked.say(heading, count=len(items)), shown, after)


def _check_moderates(target: Target) -> None:
    if not target.viewer.moderates:
        raise RefusedError("bot-only-moderators")


def _check_waits(target: Target) -> None:
    _check_moderates(target)
    if target.video.visibility is Visibility.HELD and not waits(target.video):
        raise RefusedError("bot-held-by-others")
    if not waits(target.video):
        raise RefusedError("bot-not-waiting")


def _reason(asked: Asked) -> str:
    return clean_text(asked.words.rest_if(), MAX_REASON) or ""


async def _approve(asked: Asked) -> Answer:
    target = await asked.take_target()
    asked.words.end()
    _check_waits(target)
    await asked.parts.moderating.approve(target.video, target.viewer)
    return Answer(asked.say("bot-approved", title=title_of(asked, target.video)), reaction=DONE)


async def _reject(asked: Asked) -> Answer:
    target = await asked.take_target()
    reason = _reason(asked)
    _check_waits(target)
    await asked.parts.moderating.reject(target.video, target.viewer, reason)
    return _taken_away(asked, "bot-rejects", target)


async def _remove(asked: Asked) -> Answer:
    target = await asked.take_target()
    reason = _reason(asked)
    _check_moderates(target)
    await asked.parts.managing.delete(
        target.video.id, target.room.room_id, lambda now: check_delete(now, target.viewer), by=asked.user_id,
        reason=reason,
    )  # fmt: skip
    return _taken_away(asked, "bot-removes", target)


def _taken_away(asked: Asked, message: str, target: Target) -> Answer:
    undo = asked.say("bot-deleted-undo", seconds=round(UNDO_S), command=asked.quoted("undelete"))
    return Answer(f"{asked.say(message, title=title_of(asked, target.video))} {undo}", reaction=DONE)


async def _block(asked: Asked) -> Answer:
    target = await asked.take_target()
    reason = _reason(asked)
    _check_moderates(target)
    try:
        count = await asked.parts.moderating.block(target.video, target.viewer, reason)
    except UnknownContentError as error:
        raise RefusedError("bot-cannot-block", command=asked.quoted("remove")) from error
    return Answer(asked.say("bot-blocks", title=title_of(asked, target.video), count=count), reaction=DONE)


async def _blocks(asked: Asked) -> Answer:
    page = _take_page(asked)
    rooms = {room.room_id: room for room in await moderated(asked)}
    blocks = await asked.parts.moderating.blocks(list(rooms))
    if not blocks:
        return Answer(asked.say("bot-no-blocks"))
    items = [Item(_placed(asked, block_line(asked, block), rooms[block.room_id])) for block in blocks if block.room_id]
    return _list(asked, "bot-blocked", items, page, after=how_to_unblock(asked, "unblock", blocks[0]))


async def _unblock(asked: Asked) -> Answer:
    digits = take_digits(asked)
    blocks = await asked.parts.moderating.blocks([room.room_id for room in await moderated(asked)])
    for block in beginning_with(blocks, digits):
        await asked.parts.moderating.unblock(block, by=asked.user_id)
    return Answer(asked.say("bot-unblocked"), reaction=DONE)


async def _reports(asked: Asked) -> Answer:
    page = _take_page(asked)
    rooms = {room.room_id: room for room in await moderated(asked)}
    reported = await asked.parts.moderating.reported(list(rooms))
    if not reported:
        return Answer(asked.say("bot-no-reports"))
    items = [_reported_item(asked, each, rooms) for each in reported]
    after = asked.say("bot-reports-how", dismiss=asked.written("dismiss #…"), remove=asked.written("remove #…"))
    if any(each.video.room_id == asked.room.room_id for each in reported):
        alone = asked.say("bot-reports-alone")
        after = f"{after}\n{alone}"
    return _list(asked, "bot-reports", items, page, after=after)


def _reported_item(asked: Asked, reported: Reported, rooms: dict[RoomId, Room]) -> Item:
    video = reported.video
    text = asked.say(
        "bot-reports-line", id=short_id(video), title=title_of(asked, video), sender=video.sender,
        count=len(reported.reasons),
    )  # fmt: skip
    # Members trust that only moderators read why: in the room itself everybody would.
    # What was kept by an earlier release may have line breaks, which would pass for lines of ours.
    reasons = [clean_text(reason, MAX_REASON) for reason in reported.reasons]
    said = [f"“{reason}”" for reason in reasons if reason] if video.room_id != asked.room.room_id else []
    if said:
        text = asked.say("bot-because", text=text, reason=", ".join(said))
    return Item(_placed(asked, text, rooms[video.room_id]))


async def _dismiss(asked: Asked) -> Answer:
    target = await asked.take_target()
    asked.words.end()
    _check_moderates(target)
    reports = await asked.parts.managing.reports(target.room.room_id)
    if not reports.get(target.video.id):
        raise RefusedError("bot-not-reported")
    await asked.parts.managing.dismiss_reports(target.video, by=asked.user_id)
    return Answer(asked.say("bot-dismissed", title=title_of(asked, target.video)), reaction=DONE)


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
