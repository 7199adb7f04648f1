"""Commands about videos that every member may give: what the widget's lists and menus do, in words."""

from collections.abc import Sequence
from urllib.parse import quote

from appservice.clean import MAX_REASON, MAX_TITLE, clean_text
from appservice.commands.answer import MOST_LINES, Answer, Item, numbered
from appservice.commands.asked import Asked, RefusedError, Target, short_id, viewer_of
from appservice.commands.grammar import UsageError, VideoName
from appservice.commands.registry import Command
from appservice.errors import ForbiddenError
from appservice.managing import UNDO_S, Change, check_delete, check_restore, managed, may_order, may_see, moved
from appservice.model import State, UserId, Video, VideoId, Visibility
from appservice.settings import written

_DONE = "✅"


def title_of(asked: Asked, video: Video) -> str:
    """Return what a video is called, also one without a title."""
    return asked.title(video) or asked.say("bot-video")


def line_of(asked: Asked, video: Video) -> str:
    """Return a video's line in a list: title, length, what is special about it, id."""
    marks = [_length(video.duration)] if video.duration else []
    if video.state is not State.READY:
        marks.append(asked.say("bot-state-awaited" if video.awaits_upload else f"bot-state-{video.state}"))
    if video.visibility is not Visibility.SHOWN:
        marks.append(asked.say(f"bot-visibility-{video.visibility}"))
    if video.audio_left_out:
        marks.append(asked.say("bot-mark-audio"))
    if video.published:
        marks.append(asked.say("bot-mark-published"))
    return " · ".join([title_of(asked, video), *marks, short_id(video)])


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def page_of(asked: Asked, lines: Sequence[str], command: str) -> tuple[list[Item], str]:
    """Take a page's number; return that page of the numbered lines, and how to see the next one."""
    page = asked.words.number() if asked.words.peek() else 1
    asked.words.end()
    first = (page - 1) * MOST_LINES
    more = len(lines) > first + MOST_LINES
    after = asked.say("bot-next-page", command=asked.quoted(f"{command} {page + 1}")) if more else ""
    return numbered(lines[first : first + MOST_LINES], first + 1), after


# Lists


async def _list(asked: Asked) -> Answer:
    owner = asked.words.user_if()
    if owner is not None:
        targets = await asked.own_videos(UserId(owner))
        items, after = page_of(asked, [line_of(asked, t.video) for t in targets], f"list {owner}")
        return Answer(asked.say("bot-list-of", user=owner, count=len(targets)), items, after)
    asked.words.end()
    return await (_rooms(asked) if asked.room.direct else _members(asked))


async def _members(asked: Asked) -> Answer:
    members = await asked.parts.store.joined_members(asked.room.room_id)
    names = {member.user_id: member.display_name for member in members}
    counts = dict.fromkeys(names, 0)
    everything = await asked.parts.store.room_videos(asked.room.room_id)
    for video in await asked.readable(everything):
        if video.sender in counts and may_see(video, asked.viewer):
            counts[video.sender] += 1
    lines = [
        asked.say("bot-list-line", name=f"{names[user_id]} ({user_id})" if names[user_id] else user_id, count=count)
        for user_id, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        if count
    ]
    return Answer(
        asked.say("bot-list", count=sum(counts.values())), [Item(line) for line in lines[:MOST_LINES]],
        asked.say("bot-list-more", command=asked.quoted("list @…")) if lines else "",
    )  # fmt: skip


async def _rooms(asked: Asked) -> Answer:
    counts: dict[str, int] = {}
    for target in await asked.own_videos():
        name = target.room.name or target.room.room_id
        counts[name] = counts.get(name, 0) + 1
    items = [Item(asked.say("bot-list-line", name=name, count=count)) for name, count in counts.items()]
    return Answer(asked.say("bot-list-rooms", count=sum(counts.values())), items[:MOST_LINES])


async def _mine(asked: Asked) -> Answer:
    targets = await asked.own_videos()
    lines = [
        f"{line_of(asked, t.video)} · {t.room.name or t.room.room_id}" if asked.room.direct else line_of(asked, t.video)
        for t in targets
    ]
    items, after = page_of(asked, lines, "mine")
    return Answer(asked.say("bot-mine", count=len(targets)), items, after)


# Watching


async def _play(asked: Asked) -> Answer:
    if asked.words.peek() is None and asked.command.replied_to is None:
        if asked.room.direct:
            raise UsageError
        return Answer(asked.say("bot-link-room", link=_link(asked, asked.room.room_id)))
    target = await asked.take_target()
    asked.words.end()
    link = _link(asked, target.room.room_id, target.video.id)
    text = asked.say("bot-link", title=title_of(asked, target.video), link=link)
    public = asked.say("bot-link-public", link=public_link(asked, target.video)) if target.video.published else ""
    return Answer(text, after=public)


def _link(asked: Asked, room_id: str, video_id: str = "") -> str:
    video = f"&video={video_id}" if video_id else ""
    return f"{asked.parts.config.web.public_url}/widget/?room_id={quote(room_id, safe='')}{video}"


def public_link(asked: Asked, video: Video) -> str:
    """Return where everybody finds a published video."""
    return f"{asked.parts.config.web.public_url}/u/{quote(video.sender, safe='@:')}#{video.id}"


# Changes


async def _change(asked: Asked, target: Target, change: Change, said: str, **arguments: object) -> Answer:
    changed = await asked.parts.managing.change(
        target.video.id, target.room.room_id, lambda now, worn: managed(now, change, target.viewer, is_avatar=worn),
        by=asked.user_id,
    )  # fmt: skip
    return Answer(asked.say(said, title=title_of(asked, changed), **arguments), reaction=_DONE)


async def _rename(asked: Asked) -> Answer:
    target = await asked.take_target()
    wanted = asked.words.rest()
    title = clean_text(wanted, MAX_TITLE + 1)
    if title is None or len(title) > MAX_TITLE:
        raise RefusedError("bot-title-too-long", most=MAX_TITLE)
    before = title_of(asked, target.video)
    return await _change(asked, target, Change(title=title), "bot-renamed", before=before)


async def _hide(asked: Asked) -> Answer:
    target = await asked.take_target()
    asked.words.end()
    return await _change(asked, target, Change(visibility=Visibility.HIDDEN), "bot-hidden")


async def _show(asked: Asked) -> Answer:
    target = await asked.take_target()
    asked.words.end()
    waits = target.video.held_for is not None and not target.viewer.moderates
    said = "bot-shown-waits" if waits else "bot-shown"
    return await _change(asked, target, Change(visibility=Visibility.SHOWN), said)


async def _publish(asked: Asked) -> Answer:
    target = await asked.take_target()
    asked.words.end()
    link = public_link(asked, target.video)
    return await _change(asked, target, Change(published=True), "bot-published", link=link)


async def _unpublish(asked: Asked) -> Answer:
    target = await asked.take_target()
    asked.words.end()
    return await _change(asked, target, Change(published=False), "bot-unpublished")


async def _avatar(asked: Asked) -> Answer:
    if asked.words.take_if("off", "none"):
        asked.words.end()
        if asked.room.direct:
            raise RefusedError("bot-in-the-room")
        members = await asked.parts.store.joined_members(asked.room.room_id)
        worn = next((m.avatar_video for m in members if m.user_id == asked.user_id), None)
        video = await asked.parts.store.video(worn) if worn else None
        if video is None:
            raise RefusedError("bot-no-avatar")
        target = Target(video, asked.room, asked.viewer)
        return await _change(asked, target, Change(video_avatar=False), "bot-avatar-off")
    target = await asked.take_target()
    asked.words.end()
    return await _change(asked, target, Change(video_avatar=True), "bot-avatar-on")


async def _move(asked: Asked) -> Answer:
    # With one word alone it is the place, of the video that is replied to.
    name = VideoName() if len(asked.words.words) == 1 else asked.words.video()
    target = await asked.target(name)
    where = asked.words.take_if("up", "down", "first", "last")
    place = None if where else asked.words.number()
    asked.words.end()
    owner = target.video.sender
    if not may_order(owner, target.viewer, target.room.settings):
        raise RefusedError("bot-order-by-moderators") if owner == asked.user_id else ForbiddenError("not yours")
    order = await asked.parts.managing.order(
        target.room.room_id, owner, lambda now: moved(now, target.video.id, where or place or 1), by=asked.user_id
    )
    return Answer(
        asked.say(
            "bot-moved", title=title_of(asked, target.video), place=order.index(target.video.id) + 1, count=len(order)
        ),
        reaction=_DONE,
    )


async def _delete(asked: Asked) -> Answer:
    target = await asked.take_target()
    asked.words.end()
    await asked.parts.managing.delete(
        target.video.id, target.room.room_id, lambda now: check_delete(now, target.viewer), by=asked.user_id
    )
    return Answer(
        asked.say("bot-deleted", title=title_of(asked, target.video)),
        after=asked.say("bot-deleted-undo", seconds=round(UNDO_S), command=asked.quoted("undelete")),
        reaction=_DONE,
    )


async def _undelete(asked: Asked) -> Answer:
    asked.words.end()
    where = None if asked.room.direct else asked.room.room_id
    video = await asked.parts.managing.last_deleted(asked.user_id, where, UNDO_S)
    room = await asked.parts.store.room(video.room_id) if video else None
    if video is None or room is None:
        raise RefusedError("bot-nothing-to-undelete")
    viewer = viewer_of(room, asked.user_id)
    restored = await asked.parts.managing.restore(
        VideoId(video.id), video.room_id, lambda now: check_restore(now, viewer), UNDO_S, by=asked.user_id
    )
    return Answer(asked.say("bot-restored", title=title_of(asked, restored)), reaction=_DONE)


async def _report(asked: Asked) -> Answer:
    target = await asked.take_target()
    reason = clean_text(asked.words.rest_if(), MAX_REASON) or ""
    if target.video.sender == asked.user_id:
        raise RefusedError("bot-report-own")
    await asked.parts.managing.report(target.video, asked.user_id, reason)
    return Answer(asked.say("bot-reported", title=title_of(asked, target.video)), reaction=_DONE)


# One's own choices


async def _settings(asked: Asked) -> Answer:
    if asked.words.peek() is None:
        stored = asked.person.model_dump(mode="json")
        items = [
            Item(f"{name} = {written(stored[name.replace('-', '_')])} – {asked.say(f'bot-setting-{name}')}")
            for name in asked.person.names()
        ]
        return Answer(asked.say("bot-settings"), items, asked.say("bot-settings-how", command=_how(asked)))
    name = asked.words.choice(asked.person.names())
    value = asked.words.take()
    asked.words.end()
    try:
        settings = asked.person.changed(name, value.lower())
    except ValueError:
        raise UsageError(value) from None
    await asked.parts.commands.set_person(asked.user_id, settings)
    # In the language that holds from now on.
    texts = asked.parts.languages[
        settings.language or asked.room.settings.language or asked.parts.config.appservice.language
    ]
    now = written(settings.model_dump(mode="json")[name.replace("-", "_")])
    return Answer(texts.say("bot-setting-changed", {"name": name, "value": now}), reaction=_DONE)


def _how(asked: Asked) -> str:
    return asked.quoted(asked.say("bot-usage-settings"))


COMMANDS = (
    Command("list", _list, aliases=("列表", "清單")),
    Command("mine", _mine, aliases=("我的",)),
    Command("play", _play, aliases=("link", "播放", "链接", "連結")),
    Command("rename", _rename, aliases=("改名",)),
    Command("move", _move, aliases=("移动", "移動")),
    Command("hide", _hide, aliases=("隐藏", "隱藏")),
    Command("show", _show, aliases=("显示", "顯示")),
    Command("delete", _delete, aliases=("删除", "刪除")),
    Command("undelete", _undelete, aliases=("restore", "恢复", "恢復")),
    Command("avatar", _avatar, aliases=("头像", "頭像")),
    Command("publish", _publish, aliases=("发布", "發布")),
    Command("unpublish", _unpublish, aliases=("取消发布", "取消發布")),
    Command("report", _report, aliases=("举报", "檢舉")),
    Command("settings", _settings, aliases=("设置", "設定")),
)
