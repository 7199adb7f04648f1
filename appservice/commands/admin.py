"""Commands of those who run this installation: what there is, what goes wrong, quarantine, and taking things back.

They are heard in the management room and alone with the bot. Nothing that is said here is content: videos are called
by their ids, for admins are no members of the rooms.
"""

import asyncio
import re
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import replace

from appservice import __version__
from appservice.audit import Deed
from appservice.clean import MAX_REASON, clean_text
from appservice.commands.answer import MOST_LINES, Answer, Item
from appservice.commands.asked import Asked, RefusedError, short_id
from appservice.commands.blocks import beginning_with, block_line, how_to_unblock, take_digits
from appservice.commands.grammar import UsageError
from appservice.commands.registry import Command, Rank
from appservice.managing import UNDO_S, check_undo
from appservice.model import RoomId, State, UserId, Video, VideoId
from appservice.permissions import Level, level_of
from appservice.store import Quarantined, Queue, RoomLine, Undoable, UnknownContentError, UserLine

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


def _page(asked: Asked) -> int:
    page = asked.words.number() if asked.words.peek() else 1
    asked.words.end()
    return page


def _listed(asked: Asked, heading: str, lines: list[str], count: int, page: int) -> Answer:
    if page > 1 and not lines:
        raise RefusedError("bot-no-such-page", page=page)
    more = count > page * MOST_LINES
    after = asked.say("bot-next-page", command=asked.quoted(f"{asked.name} {page + 1}")) if more else ""
    return Answer(asked.say(heading, count=count), [Item(line) for line in lines], after)


# Looking


async def _status(asked: Asked) -> Answer:
    asked.words.end()
    parts = asked.parts
    counts, totals = await parts.store.counts(), await parts.admin.totals()
    lines = [f"{asked.say(f'bot-state-{state}')}: {counts[state]}" for state in State if state in counts]
    if totals.held:
        lines.append(asked.say("bot-status-held", count=totals.held, quarantined=totals.quarantined))
    for work in await parts.store.under_way(parts.config.worker.heartbeat_timeout):
        short = f"#{work.video_id.replace('-', '')[:8]}"
        lines.append(asked.say("bot-status-work", id=short, percent=work.percent, room=work.room_id))
    disk = await asyncio.to_thread(shutil.disk_usage, parts.config.data_dir)
    lines.append(asked.say("bot-status-disk", free=_size(disk.free), total=_size(disk.total)))
    if "disk" in await parts.admin.alarms():
        lines.append(asked.say("bot-status-disk-low"))
    text = asked.say("bot-status", version=__version__, rooms=totals.rooms, count=totals.videos)
    return Answer(text, [Item(line) for line in lines])


async def _rooms(asked: Asked) -> Answer:
    page = _page(asked)
    rooms, count = await asked.parts.admin.rooms(MOST_LINES, (page - 1) * MOST_LINES)
    return _listed(asked, "bot-rooms", [_room_line(asked, room) for room in rooms], count, page)


def _room_line(asked: Asked, room: RoomLine) -> str:
    name = f"{room.name} ({room.room_id})" if room.name else room.room_id
    line = asked.say("bot-rooms-line", name=name, members=room.members, count=room.videos, size=_size(room.bytes))
    marks = [asked.say("bot-rooms-encrypted")] if room.encrypted else []
    if room.bot_membership == "invite":
        marks.append(asked.say("bot-rooms-invited"))
    return " · ".join([line, *marks])


async def _users(asked: Asked) -> Answer:
    page = _page(asked)
    users, count = await asked.parts.admin.users(MOST_LINES, (page - 1) * MOST_LINES)
    return _listed(asked, "bot-users", [_user_line(asked, user) for user in users], count, page)


def _user_line(asked: Asked, user: UserLine) -> str:
    line = asked.say("bot-users-line", user=user.user_id, count=user.videos, rooms=user.rooms, size=_size(user.bytes))
    level = level_of(user.user_id, asked.parts.config.permissions)
    marks = {
        "bot-users-quarantined": user.quarantined,
        "bot-users-blocked": level is Level.BLOCKED,
        "bot-users-admin": level is Level.ADMIN,
    }
    return " · ".join([line, *(asked.say(mark) for mark, has in marks.items() if has)])


async def _stats(asked: Asked) -> Answer:
    asked.words.end()
    admin = asked.parts.admin
    totals, failures, queues = await admin.totals(), await admin.failures(), await admin.queues()
    lines = [
        asked.say("bot-stats-files", size=_size(totals.bytes), length=_length(totals.seconds)),
        asked.say("bot-stats-people", users=totals.users, rooms=totals.rooms),
    ]
    texts = asked.parts.languages[asked.language]
    lines += [
        asked.say("bot-stats-failed", count=each.count, reason=texts.failure(each.code, each.kind), code=each.code)
        for each in failures
    ]
    lines += [_queue_line(asked, queue) for queue in queues] or [asked.say("bot-stats-idle")]
    return Answer(asked.say("bot-stats", count=totals.videos), [Item(line) for line in lines])


def _queue_line(asked: Asked, queue: Queue) -> str:
    line = asked.say("bot-stats-queue", job=queue.job, waiting=queue.waiting, work=queue.under_way)
    if queue.oldest is None:
        return line
    oldest = asked.say("bot-stats-oldest", seconds=round(queue.oldest))
    return f"{line} · {oldest}"


# Videos and people


async def _take_video(asked: Asked) -> Video:
    """Take a video's id, or its beginning; it may be in any room. Raises UsageError, or RefusedError."""
    word = asked.words.take()
    match = _ID.fullmatch(word)
    digits = match[1].replace("-", "").lower() if match else ""
    if not 6 <= len(digits) <= 32:
        raise UsageError(word)
    found = await asked.parts.admin.any_video(digits)
    if len(found) != 1:
        raise RefusedError("bot-no-such-id-anywhere" if not found else "bot-id-too-short", id=digits)
    return found[0]


def _reason(asked: Asked) -> str:
    return clean_text(asked.words.rest_if(), MAX_REASON) or ""


async def _requeue(asked: Asked) -> Answer:
    video = await _take_video(asked)
    asked.words.end()
    if not await asked.parts.store.requeue(video.id, by=asked.user_id):
        raise RefusedError("bot-not-failed", id=short_id(video))
    return Answer(asked.say("bot-requeued", id=short_id(video)), after=_how_to_undo(asked), reaction=_DONE)


def _how_to_undo(asked: Asked) -> str:
    return asked.say("bot-undo-how", command=asked.quoted("undo"))


async def _quarantine(asked: Asked) -> Answer:
    word = asked.words.peek()
    if word is None or (word.isdecimal() and len(word) < 6):
        return await _in_quarantine(asked)
    if word.startswith("@"):
        user_id = UserId(asked.words.user())
        count = await asked.parts.admin.quarantine_user(user_id, by=asked.user_id, reason=_reason(asked))
        if count is None:
            raise RefusedError("bot-user-in-quarantine", user=user_id)
        text = asked.say("bot-quarantined-user", user=user_id, count=count)
    else:
        video = await _take_video(asked)
        if not await asked.parts.admin.quarantine_video(video, by=asked.user_id, reason=_reason(asked)):
            raise RefusedError("bot-video-in-quarantine", id=short_id(video))
        text = asked.say("bot-quarantined", id=short_id(video), user=video.sender, room=video.room_id)
    return Answer(text, after=_how_to_undo(asked), reaction=_DONE)


async def _in_quarantine(asked: Asked) -> Answer:
    page = _page(asked)
    entries, count = await asked.parts.admin.in_quarantine(MOST_LINES, (page - 1) * MOST_LINES)
    return _listed(asked, "bot-in-quarantine", [_quarantine_line(asked, each) for each in entries], count, page)


def _quarantine_line(asked: Asked, entry: Quarantined) -> str:
    what: str = entry.user_id
    if entry.video_id:
        what = f"#{entry.video_id.replace('-', '')[:8]} · {entry.user_id} · {entry.room_id}"
    day = f"{entry.quarantined_at:%Y-%m-%d}" if entry.quarantined_at else ""
    return " · ".join(part for part in (what, entry.quarantined_by, day, entry.reason) if part)


async def _release(asked: Asked) -> Answer:
    user_id = asked.words.user_if()
    if user_id is not None:
        asked.words.end()
        count = await asked.parts.admin.release_user(UserId(user_id), by=asked.user_id)
        if count is None:
            raise RefusedError("bot-user-not-in-quarantine", user=user_id)
        text = asked.say("bot-released-user", user=user_id, count=count)
    else:
        video = await _take_video(asked)
        asked.words.end()
        if not await asked.parts.admin.release_video(video, by=asked.user_id):
            raise RefusedError("bot-video-not-in-quarantine", id=short_id(video))
        text = asked.say("bot-released", id=short_id(video))
    return Answer(text, after=_how_to_undo(asked), reaction=_DONE)


# Files


async def _block_everywhere(asked: Asked) -> Answer:
    word = asked.words.peek()
    if word is None or (word.isdecimal() and len(word) < 6):
        return await _blocked_everywhere(asked)
    match = _SHA256.fullmatch(word)
    content = bytes.fromhex(asked.words.take().removeprefix("#")) if match else await _take_video(asked)
    try:
        count = await asked.parts.moderating.block_everywhere(content, _reason(asked), by=asked.user_id)
    except UnknownContentError as error:
        raise RefusedError("bot-cannot-block", command=asked.quoted("quarantine")) from error
    return Answer(asked.say("bot-blocks-everywhere", count=count), reaction=_DONE)


async def _blocked_everywhere(asked: Asked) -> Answer:
    page = _page(asked)
    blocks = await asked.parts.moderating.blocks_everywhere()
    if not blocks and page == 1:
        return Answer(asked.say("bot-no-blocks"))
    shown = blocks[(page - 1) * MOST_LINES : page * MOST_LINES]
    answer = _listed(asked, "bot-blocked", [block_line(asked, each) for each in shown], len(blocks), page)
    how = how_to_unblock(asked, "unblock-everywhere", shown[0])
    return replace(answer, after=f"{answer.after}\n{how}".strip())


async def _unblock_everywhere(asked: Asked) -> Answer:
    digits = take_digits(asked)
    for block in beginning_with(await asked.parts.moderating.blocks_everywhere(), digits):
        await asked.parts.moderating.unblock(block, by=asked.user_id)
    return Answer(asked.say("bot-unblocked"), reaction=_DONE)


# Taking back


async def _undo(asked: Asked) -> Answer:
    asked.words.end()
    last = await asked.parts.admin.undoable(asked.user_id, UNDO_S)
    if last is None:
        raise RefusedError("bot-nothing-to-undo")
    text = await (_undo_of_user(asked, last) if last.video_id is None else _undo_of_video(asked, last, last.video_id))
    if text is None:
        raise RefusedError("bot-nothing-to-undo")
    return Answer(text, reaction=_DONE)


async def _undo_of_user(asked: Asked, last: Undoable) -> str | None:
    admin, user_id = asked.parts.admin, last.user_id or UserId("")
    if last.deed is Deed.QUARANTINED:
        count = await admin.release_user(user_id, by=asked.user_id, undoes=last.key)
        return None if count is None else asked.say("bot-released-user", user=user_id, count=count)
    count = await admin.quarantine_user(user_id, by=asked.user_id, undoes=last.key)
    return None if count is None else asked.say("bot-quarantined-user", user=user_id, count=count)


async def _undo_of_video(asked: Asked, last: Undoable, video_id: VideoId) -> str | None:
    video = await asked.parts.store.video(video_id)
    if video is None:
        return None
    return await _UNDO[last.deed](asked, last, video)


async def _undo_quarantine(asked: Asked, last: Undoable, video: Video) -> str | None:
    done = await asked.parts.admin.release_video(video, by=asked.user_id, undoes=last.key)
    return asked.say("bot-released", id=short_id(video)) if done else None


async def _undo_release(asked: Asked, last: Undoable, video: Video) -> str | None:
    done = await asked.parts.admin.quarantine_video(video, by=asked.user_id, undoes=last.key)
    text = asked.say("bot-quarantined", id=short_id(video), user=video.sender, room=video.room_id)
    return text if done else None


async def _undo_requeue(asked: Asked, last: Undoable, video: Video) -> str | None:
    failure = str(last.details.get("failure", "internal"))
    done = await asked.parts.admin.take_back_requeue(video, failure, by=asked.user_id, undoes=last.key)
    return asked.say("bot-requeue-undone", id=short_id(video)) if done else None


async def _undo_deletion(asked: Asked, _: Undoable, video: Video) -> str | None:
    restored = await asked.parts.managing.restore(
        video.id, RoomId(video.room_id), lambda now: check_undo(now, asked.user_id), UNDO_S, by=asked.user_id
    )
    return asked.say("bot-undeleted", id=short_id(restored))


_UNDO: dict[Deed, Callable[[Asked, Undoable, Video], Coroutine[None, None, str | None]]] = {
    Deed.QUARANTINED: _undo_quarantine,
    Deed.RELEASED: _undo_release,
    Deed.REQUEUED: _undo_requeue,
    Deed.DELETED: _undo_deletion,
}


# Notices


async def _notices(asked: Asked) -> Answer:
    wanted = asked.words.choice({"on", "off"}) if asked.words.peek() else None
    asked.words.end()
    room_id = asked.parts.config.appservice.admin_room
    if room_id is None:
        raise RefusedError("bot-notices-nowhere")
    if wanted is not None:
        await asked.parts.admin.set_notices(on=wanted == "on")
    on = await asked.parts.admin.notices_on()
    text = asked.say("bot-notices-on" if on else "bot-notices-off", room=room_id)
    return Answer(text, reaction=_DONE if wanted else None)


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
