"""Commands about videos that every member may give: what the widget's lists and menus do, in words."""

from collections.abc import Sequence
from urllib.parse import quote

from appservice.commands.context import Command, CommandContext, RefusedError, short_id
from appservice.core.model import State, UserId, Video, Visibility
from appservice.core.rules.video_permissions import (
    UNDO_S,
    VideoChange,
    may_order,
    may_see,
    moved,
)
from appservice.core.settings import written
from appservice.core.text.clean import MAX_REASON, MAX_TITLE, clean_text
from appservice.core.text.command_grammar import UsageError, VideoName
from appservice.core.text.message import MOST_LINES, Item, Response, numbered
from appservice.service.targets import Target

_DONE = "✅"


def title_of(context: CommandContext, video: Video) -> str:
    """Return what a video is called, also one without a title."""
    return context.title(video) or context.say("bot-video")


def line_of(context: CommandContext, video: Video) -> str:
    """Return a video's line in a list: title, length, what is special about it, id."""
    marks = [_length(video.media.duration)] if video.media.duration else []
    if video.state is not State.READY:
        marks.append(context.say("bot-state-awaited" if video.awaits_upload else f"bot-state-{video.state}"))
    if video.visibility is not Visibility.SHOWN:
        marks.append(context.say(f"bot-visibility-{video.visibility}"))
    if video.media.audio_left_out:
        marks.append(context.say("bot-mark-audio"))
    if video.published:
        marks.append(context.say("bot-mark-published"))
    return " · ".join([title_of(context, video), *marks, short_id(video)])


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def page_of(context: CommandContext, lines: Sequence[str], command: str) -> tuple[list[Item], str]:
    """Parse a page's number; return that page of the numbered lines, and how to see the next one."""
    page = context.words.number() if context.words.peek() else 1
    context.words.end()
    first = (page - 1) * MOST_LINES
    more = len(lines) > first + MOST_LINES
    after = context.say("bot-next-page", command=context.quoted(f"{command} {page + 1}")) if more else ""
    return numbered(lines[first : first + MOST_LINES], first + 1), after


# Lists


async def _list(context: CommandContext) -> Response:
    owner = context.words.user_if()
    if owner is not None:
        targets = await context.own_videos(UserId(owner))
        items, after = page_of(context, [line_of(context, t.video) for t in targets], f"list {owner}")
        return Response(context.say("bot-list-of", user=owner, count=len(targets)), items, after)
    context.words.end()
    return await (_rooms(context) if context.room.direct else _members(context))


async def _members(context: CommandContext) -> Response:
    members = await context.stores.members.joined_members(context.room.room_id)
    names = {member.user_id: member.display_name for member in members}
    counts = dict.fromkeys(names, 0)
    everything = await context.stores.videos.room_videos(context.room.room_id)
    for video in await context.readable(everything):
        if video.sender in counts and may_see(video, context.viewer):
            counts[video.sender] += 1
    lines = [
        context.say("bot-list-line", name=f"{names[user_id]} ({user_id})" if names[user_id] else user_id, count=count)
        for user_id, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        if count
    ]
    return Response(
        context.say("bot-list", count=sum(counts.values())), [Item(line) for line in lines[:MOST_LINES]],
        context.say("bot-list-more", command=context.quoted("list @…")) if lines else "",
    )  # fmt: skip


async def _rooms(context: CommandContext) -> Response:
    counts: dict[str, int] = {}
    for target in await context.own_videos():
        name = target.room.name or target.room.room_id
        counts[name] = counts.get(name, 0) + 1
    items = [Item(context.say("bot-list-line", name=name, count=count)) for name, count in counts.items()]
    return Response(context.say("bot-list-rooms", count=sum(counts.values())), items[:MOST_LINES])


async def _mine(context: CommandContext) -> Response:
    targets = await context.own_videos()
    lines = [
        f"{line_of(context, t.video)} · {t.room.name or t.room.room_id}"
        if context.room.direct
        else line_of(context, t.video)
        for t in targets
    ]
    items, after = page_of(context, lines, "mine")
    return Response(context.say("bot-mine", count=len(targets)), items, after)


# Watching


async def _play(context: CommandContext) -> Response:
    if context.words.peek() is None and context.command.replied_to is None:
        if context.room.direct:
            raise UsageError
        return Response(context.say("bot-link-room", link=_link(context, context.room.room_id)))
    target = await context.take_target()
    context.words.end()
    link = _link(context, target.room.room_id, target.video.id)
    text = context.say("bot-link", title=title_of(context, target.video), link=link)
    public = context.say("bot-link-public", link=public_link(context, target.video)) if target.video.published else ""
    return Response(text, after=public)


def _link(context: CommandContext, room_id: str, video_id: str = "") -> str:
    video = f"&video={video_id}" if video_id else ""
    return f"{context.services.config.web.public_url}/widget/?room_id={quote(room_id, safe='')}{video}"


def public_link(context: CommandContext, video: Video) -> str:
    """Return where everybody finds a published video."""
    return f"{context.services.config.web.public_url}/u/{quote(video.sender, safe='@:')}#{video.id}"


# Changes


async def _change(
    context: CommandContext, target: Target, change: VideoChange, message: str, **arguments: object
) -> Response:
    changed = await context.use_cases.videos.change(target.video, change, target.viewer)
    return Response(context.say(message, title=title_of(context, changed), **arguments), reaction=_DONE)


async def _rename(context: CommandContext) -> Response:
    target = await context.take_target()
    wanted = context.words.rest()
    title = clean_text(wanted, MAX_TITLE + 1)
    if title is None or len(title) > MAX_TITLE:
        raise RefusedError("bot-title-too-long", most=MAX_TITLE)
    before = title_of(context, target.video)
    return await _change(context, target, VideoChange(title=title), "bot-renamed", before=before)


async def _hide(context: CommandContext) -> Response:
    target = await context.take_target()
    context.words.end()
    return await _change(context, target, VideoChange(visibility=Visibility.HIDDEN), "bot-hidden")


async def _show(context: CommandContext) -> Response:
    target = await context.take_target()
    context.words.end()
    waits = target.video.withheld.held_for is not None and not target.viewer.moderates
    message = "bot-shown-waits" if waits else "bot-shown"
    return await _change(context, target, VideoChange(visibility=Visibility.SHOWN), message)


async def _publish(context: CommandContext) -> Response:
    target = await context.take_target()
    context.words.end()
    link = public_link(context, target.video)
    return await _change(context, target, VideoChange(published=True), "bot-published", link=link)


async def _unpublish(context: CommandContext) -> Response:
    target = await context.take_target()
    context.words.end()
    return await _change(context, target, VideoChange(published=False), "bot-unpublished")


async def _avatar(context: CommandContext) -> Response:
    if context.words.take_if("off", "none"):
        context.words.end()
        if context.room.direct:
            raise RefusedError("bot-in-the-room")
        members = await context.stores.members.joined_members(context.room.room_id)
        worn = next((m.avatar_video for m in members if m.user_id == context.user_id), None)
        video = await context.stores.videos.video(worn) if worn else None
        if video is None:
            raise RefusedError("bot-no-avatar")
        target = Target(video, context.room, context.viewer)
        return await _change(context, target, VideoChange(video_avatar=False), "bot-avatar-off")
    target = await context.take_target()
    context.words.end()
    return await _change(context, target, VideoChange(video_avatar=True), "bot-avatar-on")


async def _move(context: CommandContext) -> Response:
    # A single word is the new position, of the video that is replied to.
    name = VideoName() if len(context.words.words) == 1 else context.words.video()
    target = await context.target(name)
    where = context.words.take_if("up", "down", "first", "last")
    position = None if where else context.words.number()
    context.words.end()
    owner = target.video.sender
    if owner == context.user_id and not may_order(owner, target.viewer, target.room.settings):
        raise RefusedError("bot-order-by-moderators")
    order = await context.use_cases.videos.order(
        owner, target.room, target.viewer, lambda now: moved(now, target.video.id, where or position or 1)
    )
    return Response(
        context.say(
            "bot-moved", title=title_of(context, target.video), place=order.index(target.video.id) + 1, count=len(order)
        ),
        reaction=_DONE,
    )


async def _delete(context: CommandContext) -> Response:
    target = await context.take_target()
    context.words.end()
    await context.use_cases.videos.delete(target.video, target.viewer)
    return Response(
        context.say("bot-deleted", title=title_of(context, target.video)),
        after=context.say("bot-deleted-undo", seconds=round(UNDO_S), command=context.quoted("undelete")),
        reaction=_DONE,
    )


async def _undelete(context: CommandContext) -> Response:
    context.words.end()
    where = None if context.room.direct else context.room.room_id
    restored = await context.use_cases.videos.restore_last(context.user_id, where)
    if restored is None:
        raise RefusedError("bot-nothing-to-undelete")
    return Response(context.say("bot-restored", title=title_of(context, restored)), reaction=_DONE)


async def _report(context: CommandContext) -> Response:
    target = await context.take_target()
    reason = clean_text(context.words.rest_if(), MAX_REASON) or ""
    if target.video.sender == context.user_id:
        raise RefusedError("bot-report-own")
    await context.use_cases.videos.report(target.video, target.viewer, reason)
    return Response(context.say("bot-reported", title=title_of(context, target.video)), reaction=_DONE)


# One's own choices


async def _settings(context: CommandContext) -> Response:
    if context.words.peek() is None:
        stored = context.person.model_dump(mode="json")
        items = [
            Item(f"{name} = {written(stored[name.replace('-', '_')])} – {context.say(f'bot-setting-{name}')}")
            for name in context.person.names()
        ]
        return Response(context.say("bot-settings"), items, context.say("bot-settings-how", command=_how(context)))
    name = context.words.choice(context.person.names())
    value = context.words.take()
    context.words.end()
    try:
        settings = context.person.changed(name, value.lower())
    except ValueError:
        raise UsageError(value) from None
    await context.stores.commands.set_person(context.user_id, settings)
    # In the language that holds from now on.
    texts = context.services.languages[
        settings.language or context.room.settings.language or context.services.config.appservice.language
    ]
    now = written(settings.model_dump(mode="json")[name.replace("-", "_")])
    return Response(texts.say("bot-setting-changed", {"name": name, "value": now}), reaction=_DONE)


def _how(context: CommandContext) -> str:
    return context.quoted(context.say("bot-usage-settings"))


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
