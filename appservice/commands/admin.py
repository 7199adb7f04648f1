"""Commands of admins: status and statistics, alerts, quarantine, blocks, and undoing.

They are accepted in the management room and alone with the bot. Nothing posted here is content: videos are called
by their ids, for admins are no members of the rooms.
"""

import asyncio
import re
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import replace

from appservice import __version__
from appservice.commands.blocks import beginning_with, block_line, how_to_unblock, take_digits
from appservice.commands.context import Command, CommandContext, Rank, RefusedError, short_id
from appservice.core.model import State, UserId, Video, VideoId
from appservice.core.rules.permissions import Level, level_of
from appservice.core.rules.video_permissions import UNDO_S
from appservice.core.text.clean import MAX_REASON, clean_text
from appservice.core.text.command_grammar import UsageError
from appservice.core.text.message import MOST_LINES, Item, Response
from appservice.store import Quarantined, Queue, RoomLine, Undoable, UnknownContentError, UserLine
from appservice.store.audit import Deed

_DONE = "✅"
_ID = re.compile(r"#?([0-9a-f-]{6,36})", re.ASCII | re.IGNORECASE)
_SHA256 = re.compile(r"#?[0-9a-f]{64}", re.ASCII | re.IGNORECASE)
_GIB, _MIB = 1024**3, 1024**2


def _size(count: int) -> str:
    return f"{count / _GIB:.1f} GiB" if count >= _GIB else f"{count / _MIB:.1f} MiB"


def _length(seconds: float) -> str:
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _page(context: CommandContext) -> int:
    page = context.words.number() if context.words.peek() else 1
    context.words.end()
    return page


def _listed(context: CommandContext, heading: str, lines: list[str], count: int, page: int) -> Response:
    if page > 1 and not lines:
        raise RefusedError("bot-no-such-page", page=page)
    more = count > page * MOST_LINES
    after = context.say("bot-next-page", command=context.quoted(f"{context.name} {page + 1}")) if more else ""
    return Response(context.say(heading, count=count), [Item(line) for line in lines], after)


# Looking


async def _status(context: CommandContext) -> Response:
    context.words.end()
    services = context.services
    counts, totals = await services.stores.videos.counts(), await services.stores.admin.totals()
    lines = [f"{context.say(f'bot-state-{state}')}: {counts[state]}" for state in State if state in counts]
    if totals.held:
        lines.append(context.say("bot-status-held", count=totals.held, quarantined=totals.quarantined))
    for work in await services.stores.videos.under_way(services.config.worker.heartbeat_timeout):
        short = f"#{work.video_id.replace('-', '')[:8]}"
        lines.append(context.say("bot-status-work", id=short, percent=work.percent, room=work.room_id))
    disk = await asyncio.to_thread(shutil.disk_usage, services.config.data_dir)
    lines.append(context.say("bot-status-disk", free=_size(disk.free), total=_size(disk.total)))
    if "disk" in await services.stores.admin.alarms():
        lines.append(context.say("bot-status-disk-low"))
    text = context.say("bot-status", version=__version__, rooms=totals.rooms, count=totals.videos)
    return Response(text, [Item(line) for line in lines])


async def _rooms(context: CommandContext) -> Response:
    page = _page(context)
    rooms, count = await context.stores.admin.rooms(MOST_LINES, (page - 1) * MOST_LINES)
    return _listed(context, "bot-rooms", [_room_line(context, room) for room in rooms], count, page)


def _room_line(context: CommandContext, room: RoomLine) -> str:
    name = f"{room.name} ({room.room_id})" if room.name else room.room_id
    line = context.say("bot-rooms-line", name=name, members=room.members, count=room.videos, size=_size(room.bytes))
    marks = [context.say("bot-rooms-encrypted")] if room.encrypted else []
    if room.bot_membership == "invite":
        marks.append(context.say("bot-rooms-invited"))
    return " · ".join([line, *marks])


async def _users(context: CommandContext) -> Response:
    page = _page(context)
    users, count = await context.stores.admin.users(MOST_LINES, (page - 1) * MOST_LINES)
    return _listed(context, "bot-users", [_user_line(context, user) for user in users], count, page)


def _user_line(context: CommandContext, user: UserLine) -> str:
    line = context.say("bot-users-line", user=user.user_id, count=user.videos, rooms=user.rooms, size=_size(user.bytes))
    level = level_of(user.user_id, context.services.config.permissions)
    marks = {
        "bot-users-quarantined": user.quarantined,
        "bot-users-blocked": level is Level.BLOCKED,
        "bot-users-admin": level is Level.ADMIN,
    }
    return " · ".join([line, *(context.say(mark) for mark, has in marks.items() if has)])


async def _stats(context: CommandContext) -> Response:
    context.words.end()
    admin = context.stores.admin
    totals, failures, queues = (
        await admin.totals(),
        await admin.failures(),
        await admin.queues(),
    )
    lines = [
        context.say("bot-stats-files", size=_size(totals.bytes), length=_length(totals.seconds)),
        context.say("bot-stats-people", users=totals.users, rooms=totals.rooms),
    ]
    texts = context.services.languages[context.language]
    lines += [
        context.say("bot-stats-failed", count=each.count, reason=texts.failure(each.code, each.kind), code=each.code)
        for each in failures
    ]
    lines += [_queue_line(context, queue) for queue in queues] or [context.say("bot-stats-idle")]
    return Response(context.say("bot-stats", count=totals.videos), [Item(line) for line in lines])


def _queue_line(context: CommandContext, queue: Queue) -> str:
    line = context.say("bot-stats-queue", job=queue.job, waiting=queue.waiting, work=queue.under_way)
    if queue.oldest is None:
        return line
    oldest = context.say("bot-stats-oldest", seconds=round(queue.oldest))
    return f"{line} · {oldest}"


# Videos and people


async def _take_video(context: CommandContext) -> Video:
    """Parse a video's id, or its beginning; it may be in any room. Raises UsageError, or RefusedError."""
    word = context.words.take()
    match = _ID.fullmatch(word)
    digits = match[1].replace("-", "").lower() if match else ""
    if not 6 <= len(digits) <= 32:
        raise UsageError(word)
    found = await context.stores.admin.any_video(digits)
    if len(found) != 1:
        raise RefusedError("bot-no-such-id-anywhere" if not found else "bot-id-too-short", id=digits)
    return found[0]


def _reason(context: CommandContext) -> str:
    return clean_text(context.words.rest_if(), MAX_REASON) or ""


async def _requeue(context: CommandContext) -> Response:
    video = await _take_video(context)
    context.words.end()
    if not await context.use_cases.administration.requeue(video.id, by=context.user_id):
        raise RefusedError("bot-not-failed", id=short_id(video))
    return Response(context.say("bot-requeued", id=short_id(video)), after=_how_to_undo(context), reaction=_DONE)


def _how_to_undo(context: CommandContext) -> str:
    return context.say("bot-undo-how", command=context.quoted("undo"))


async def _quarantine(context: CommandContext) -> Response:
    word = context.words.peek()
    if word is None or (word.isdecimal() and len(word) < 6):
        return await _in_quarantine(context)
    if word.startswith("@"):
        user_id = UserId(context.words.user())
        count = await context.use_cases.administration.quarantine_user(
            user_id, by=context.user_id, reason=_reason(context)
        )
        if count is None:
            raise RefusedError("bot-user-in-quarantine", user=user_id)
        text = context.say("bot-quarantined-user", user=user_id, count=count)
    else:
        video = await _take_video(context)
        if not await context.use_cases.administration.quarantine_video(
            video, by=context.user_id, reason=_reason(context)
        ):
            raise RefusedError("bot-video-in-quarantine", id=short_id(video))
        text = context.say("bot-quarantined", id=short_id(video), user=video.sender, room=video.room_id)
    return Response(text, after=_how_to_undo(context), reaction=_DONE)


async def _in_quarantine(context: CommandContext) -> Response:
    page = _page(context)
    entries, count = await context.stores.admin.in_quarantine(MOST_LINES, (page - 1) * MOST_LINES)
    return _listed(context, "bot-in-quarantine", [_quarantine_line(context, each) for each in entries], count, page)


def _quarantine_line(context: CommandContext, entry: Quarantined) -> str:
    what: str = entry.user_id
    if entry.video_id:
        what = f"#{entry.video_id.replace('-', '')[:8]} · {entry.user_id} · {entry.room_id}"
    day = f"{entry.quarantined_at:%Y-%m-%d}" if entry.quarantined_at else ""
    return " · ".join(part for part in (what, entry.quarantined_by, day, entry.reason) if part)


async def _release(context: CommandContext) -> Response:
    user_id = context.words.user_if()
    if user_id is not None:
        context.words.end()
        count = await context.use_cases.administration.release_user(UserId(user_id), by=context.user_id)
        if count is None:
            raise RefusedError("bot-user-not-in-quarantine", user=user_id)
        text = context.say("bot-released-user", user=user_id, count=count)
    else:
        video = await _take_video(context)
        context.words.end()
        if not await context.use_cases.administration.release_video(video, by=context.user_id):
            raise RefusedError("bot-video-not-in-quarantine", id=short_id(video))
        text = context.say("bot-released", id=short_id(video))
    return Response(text, after=_how_to_undo(context), reaction=_DONE)


# Files


async def _block_everywhere(context: CommandContext) -> Response:
    word = context.words.peek()
    if word is None or (word.isdecimal() and len(word) < 6):
        return await _blocked_everywhere(context)
    match = _SHA256.fullmatch(word)
    content = bytes.fromhex(context.words.take().removeprefix("#")) if match else await _take_video(context)
    try:
        count = await context.use_cases.administration.block_everywhere(content, _reason(context), by=context.user_id)
    except UnknownContentError as error:
        raise RefusedError("bot-cannot-block", command=context.quoted("quarantine")) from error
    return Response(context.say("bot-blocks-everywhere", count=count), reaction=_DONE)


async def _blocked_everywhere(context: CommandContext) -> Response:
    page = _page(context)
    blocks = await context.stores.blocks.blocks_everywhere()
    if not blocks and page == 1:
        return Response(context.say("bot-no-blocks"))
    shown = blocks[(page - 1) * MOST_LINES : page * MOST_LINES]
    response = _listed(context, "bot-blocked", [block_line(context, each) for each in shown], len(blocks), page)
    how = how_to_unblock(context, "unblock-everywhere", shown[0])
    return replace(response, after=f"{response.after}\n{how}".strip())


async def _unblock_everywhere(context: CommandContext) -> Response:
    digits = take_digits(context)
    for block in beginning_with(await context.stores.blocks.blocks_everywhere(), digits):
        await context.use_cases.moderation.unblock(block, by=context.user_id)
    return Response(context.say("bot-unblocked"), reaction=_DONE)


# Taking back


async def _undo(context: CommandContext) -> Response:
    context.words.end()
    last = await context.stores.admin.undoable(context.user_id, UNDO_S)
    if last is None:
        raise RefusedError("bot-nothing-to-undo")
    text = await (
        _undo_of_user(context, last) if last.video_id is None else _undo_of_video(context, last, last.video_id)
    )
    if text is None:
        raise RefusedError("bot-nothing-to-undo")
    return Response(text, reaction=_DONE)


async def _undo_of_user(context: CommandContext, last: Undoable) -> str | None:
    administration, user_id = context.use_cases.administration, last.user_id or UserId("")
    if last.deed is Deed.QUARANTINED:
        count = await administration.release_user(user_id, by=context.user_id, undoes=last.key)
        return None if count is None else context.say("bot-released-user", user=user_id, count=count)
    count = await administration.quarantine_user(user_id, by=context.user_id, undoes=last.key)
    return None if count is None else context.say("bot-quarantined-user", user=user_id, count=count)


async def _undo_of_video(context: CommandContext, last: Undoable, video_id: VideoId) -> str | None:
    video = await context.stores.videos.video(video_id)
    if video is None:
        return None
    return await _UNDO[last.deed](context, last, video)


async def _undo_quarantine(context: CommandContext, last: Undoable, video: Video) -> str | None:
    done = await context.use_cases.administration.release_video(video, by=context.user_id, undoes=last.key)
    return context.say("bot-released", id=short_id(video)) if done else None


async def _undo_release(context: CommandContext, last: Undoable, video: Video) -> str | None:
    done = await context.use_cases.administration.quarantine_video(video, by=context.user_id, undoes=last.key)
    text = context.say("bot-quarantined", id=short_id(video), user=video.sender, room=video.room_id)
    return text if done else None


async def _undo_requeue(context: CommandContext, last: Undoable, video: Video) -> str | None:
    failure = str(last.details.get("failure", "internal"))
    done = await context.stores.admin.take_back_requeue(video, failure, by=context.user_id, undoes=last.key)
    return context.say("bot-requeue-undone", id=short_id(video)) if done else None


async def _undo_deletion(context: CommandContext, _: Undoable, video: Video) -> str | None:
    restored = await context.use_cases.videos.undo_deletion(video, context.user_id)
    return context.say("bot-undeleted", id=short_id(restored))


_UNDO: dict[Deed, Callable[[CommandContext, Undoable, Video], Coroutine[None, None, str | None]]] = {
    Deed.QUARANTINED: _undo_quarantine,
    Deed.RELEASED: _undo_release,
    Deed.REQUEUED: _undo_requeue,
    Deed.DELETED: _undo_deletion,
}


# Notices


async def _notices(context: CommandContext) -> Response:
    wanted = context.words.choice({"on", "off"}) if context.words.peek() else None
    context.words.end()
    room_id = context.services.config.appservice.admin_room
    if room_id is None:
        raise RefusedError("bot-notices-nowhere")
    if wanted is not None:
        await context.stores.admin.set_notices(on=wanted == "on")
    on = await context.stores.admin.notices_on()
    text = context.say("bot-notices-on" if on else "bot-notices-off", room=room_id)
    return Response(text, reaction=_DONE if wanted else None)


COMMANDS = (
    Command("status", _status, rank=Rank.ADMIN, aliases=("状态", "狀態")),
    Command("stats", _stats, rank=Rank.ADMIN, aliases=("统计", "統計")),
    Command("rooms", _rooms, rank=Rank.ADMIN, aliases=("房间", "聊天室")),
    Command("users", _users, rank=Rank.ADMIN, aliases=("用户", "使用者")),
    Command("requeue", _requeue, rank=Rank.ADMIN, aliases=("重试", "重試")),
    Command("quarantine", _quarantine, rank=Rank.ADMIN, aliases=("隔离", "隔離")),
    Command("release", _release, rank=Rank.ADMIN, aliases=("解除隔离", "解除隔離")),
    Command("block-everywhere", _block_everywhere, rank=Rank.ADMIN, aliases=("全局屏蔽", "全域封鎖")),
    Command("unblock-everywhere", _unblock_everywhere, rank=Rank.ADMIN, aliases=("取消全局屏蔽", "取消全域封鎖")),
    Command("undo", _undo, rank=Rank.ADMIN, aliases=("撤销", "復原")),
    Command("notices", _notices, rank=Rank.ADMIN, aliases=("通知",)),
)
