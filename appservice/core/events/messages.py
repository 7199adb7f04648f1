"""Parsing of messages: videos, galleries, edits, commands. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from appservice.core.errors import MalformedEventError
from appservice.core.events.behalf import SentKind, without_name
from appservice.core.events.changes import (
    Change,
    CommandSent,
    NewGallery,
    NewVideo,
    SentByBot,
    SignInSent,
    SignOutSent,
    VideoEdited,
)
from appservice.core.events.encrypted_files import read_encrypted_file
from appservice.core.events.fields import identifier, mxc_of, nonce_of, room_id_of, size_of, time_of, user_id_of
from appservice.core.events.media_kinds import Sort, name_without_suffix, sort_of_message, sort_of_sticker
from appservice.core.model import MALFORMED_FILE, EncryptedFile, EventId, Kind, UserId
from appservice.core.rules.permissions import Level, may_use
from appservice.core.sign_in_codes import PREFIX, is_sign_out, sign_in_code
from appservice.core.text.clean import clean_text

_MAX_COMMAND = 2000

_FILES = ("m.video", "m.file", "m.image", "m.audio")
_GALLERIES = ("m.gallery", "dm.filament.gallery")  # MSC4274, and its unstable name
_MESSAGES = (*_FILES, *_GALLERIES, "m.text")
MOST_ITEMS = 100
"""Items of a gallery that are looked at: an honest event has room for some sixty."""
_SPOILERS = ("m.spoiler", "page.codeberg.everypizza.msc4193.spoiler")


def read_message(event: Mapping[str, object], bot: UserId, permissions: Mapping[str, Level]) -> Change | None:
    """Return what a message changes, None where that is nothing."""
    content = event.get("content")
    if not isinstance(content, Mapping) or content.get("msgtype") not in _MESSAGES:
        return None  # redacted, or another kind of message (not a set: it need not be hashable)
    sender = user_id_of(event.get("sender"), "sender")
    if sender == bot:
        return read_sent_by_bot(event, content)
    if not may_use(sender, permissions):
        return None
    if _is_edit(content):
        return _edit(event, content, bot, permissions)
    if content["msgtype"] == "m.text":
        return _command(event, content, sender)
    if content["msgtype"] in _GALLERIES:
        return _gallery(event, content, sender)
    sort = sort_of_message(content["msgtype"], _info(content), _file_name(content))
    return _video(event, content, sender, sort, nonce_of(content)) if sort else None


def read_sent_by_bot(event: Mapping[str, object], content: Mapping[str, object]) -> SentByBot | None:
    """Return what the bot sent on behalf of somebody, None for what it says itself."""
    nonce = nonce_of(content)
    if nonce is None:
        return None
    room_id, event_id = room_id_of(event), EventId(identifier(event.get("event_id"), "$", "event_id"))
    if event.get("type") == "m.reaction" or content.get("msgtype") != "m.video":
        kind = SentKind.REACTION if event.get("type") == "m.reaction" else SentKind.COMMENT
        return SentByBot(room_id, event_id, nonce, kind)
    own = without_name(content)
    sort = sort_of_message("m.video", _info(own), _file_name(own))
    video = _video(event, own, user_id_of(event.get("sender"), "sender"), sort, nonce) if sort else None
    return SentByBot(room_id, event_id, nonce, SentKind.VIDEO, video)


def _gallery(event: Mapping[str, object], content: Mapping[str, object], sender: UserId) -> NewGallery | None:
    items = content.get("itemtypes")
    if not isinstance(items, list):
        raise MalformedEventError("itemtypes is not a list")
    event_id, room_id = EventId(identifier(event.get("event_id"), "$", "event_id")), room_id_of(event)
    time_of(event.get("origin_server_ts"))
    videos: list[NewVideo] = []
    broken: MalformedEventError | None = None
    for index, item in enumerate(items[:MOST_ITEMS]):
        try:
            video = _gallery_item(event, content, item, sender)
        except MalformedEventError as error:
            broken = error  # and the others are none the worse for it
        else:
            videos += [replace(video, item=index)] if video else []
    if broken and not videos:
        raise broken
    return NewGallery(event_id, room_id, sender, tuple(videos)) if videos else None


def _gallery_item(
    event: Mapping[str, object], gallery: Mapping[str, object], item: object, sender: UserId
) -> NewVideo | None:
    if not isinstance(item, Mapping) or item.get("itemtype") not in _FILES:
        return None
    sort = sort_of_message(item["itemtype"], _info(item), _file_name(item))
    if sort is None:
        return None
    video = _video(event, item, sender, sort)
    spoiler, reason = _spoiler(gallery)
    return replace(
        video,
        title=video.title or clean_text(gallery.get("body")) or "",
        # Of a gallery that is one, everything is.
        spoiler=video.spoiler or spoiler,
        spoiler_reason=video.spoiler_reason or reason,
    )


def read_sticker(event: Mapping[str, object], bot: UserId, permissions: Mapping[str, Level]) -> NewVideo | None:
    """Return the video that a sticker is shown as, None where it is none."""
    content = event.get("content")
    if not isinstance(content, Mapping) or (content.get("url") is None and content.get("file") is None):
        return None  # redacted
    sender = user_id_of(event.get("sender"), "sender")
    if sender == bot or not may_use(sender, permissions):
        return None
    return _video(event, content, sender, sort_of_sticker(_info(content)))


def _command(event: Mapping[str, object], content: Mapping[str, object], sender: UserId) -> Change | None:
    body = content.get("body")
    if not isinstance(body, str):
        return None
    room_id, event_id = room_id_of(event), EventId(identifier(event.get("event_id"), "$", "event_id"))
    thread = _thread(content) or event_id
    if PREFIX in body.lower():
        if (code := sign_in_code(body)) is not None:
            return SignInSent(room_id, event_id, sender, code, thread)
        if is_sign_out(body):
            return SignOutSent(room_id, event_id, sender, thread)
    replied_to = _replied_to(content)
    if replied_to:
        body = _without_fallback(body)
    first, _, rest = body.strip().partition(" ")
    addressed = first.lower() == PREFIX
    command = clean_text(rest if addressed else body, _MAX_COMMAND) or ""
    return CommandSent(room_id, event_id, sender, command, addressed, thread, replied_to)


def _replied_to(content: Mapping[str, object]) -> EventId | None:
    """Return what a message replies to; in a thread without a reply of its own, what the thread is about."""
    relation = content.get("m.relates_to")
    if not isinstance(relation, Mapping):
        return None
    reply = relation.get("m.in_reply_to")
    if isinstance(reply, Mapping) and relation.get("is_falling_back") is not True:
        return _optional_event(reply.get("event_id"))
    return _thread(content)


def _without_fallback(body: str) -> str:
    """Return a reply's text without the quotation that clients put before it until Matrix 1.13."""
    lines = body.split("\n")
    quoted = next((n for n, line in enumerate(lines) if not line.startswith(">")), len(lines))
    return "\n".join(lines[quoted:])


def _thread(content: Mapping[str, object]) -> EventId | None:
    relation = content.get("m.relates_to")
    if not isinstance(relation, Mapping) or relation.get("rel_type") != "m.thread":
        return None
    return _optional_event(relation.get("event_id"))


def _optional_event(value: object) -> EventId | None:
    try:
        return EventId(identifier(value, "$", "an event_id"))
    except MalformedEventError:
        return None  # what a message replies to only adds to it


def _info(content: Mapping[str, object]) -> Mapping[str, object]:
    info = content.get("info")
    return info if isinstance(info, Mapping) else {}


def _video(
    event: Mapping[str, object], content: Mapping[str, object], sender: UserId, sort: Sort, nonce: str | None = None
) -> NewVideo:
    # Some clients write what is not there as null; and what is no object has nothing to decrypt with.
    file = content.get("file")
    file = file if isinstance(file, Mapping) and file else None
    encrypted_file = _encrypted_file(file, sort) if file else None
    source = file.get("url") if file else content.get("url")
    spoiler, reason = _spoiler(content)
    return NewVideo(
        event_id=EventId(identifier(event.get("event_id"), "$", "event_id")),
        room_id=room_id_of(event),
        sender=sender,
        title=_title(content, sort.kind),
        mxc=mxc_of(source),
        encrypted_file=encrypted_file,
        claimed_size=size_of(_info(content).get("size")),
        certain=sort.certain,
        sent_at=time_of(event.get("origin_server_ts")),
        kind=sort.kind,
        choice=sort.choice,
        spoiler=spoiler,
        spoiler_reason=reason,
        nonce=nonce,
    )


def _encrypted_file(file: Mapping[str, object], sort: Sort) -> EncryptedFile:
    try:
        return read_encrypted_file(file)
    except MalformedEventError:
        if not sort.certain:
            raise  # nobody called it a video
        return MALFORMED_FILE


def _spoiler(content: Mapping[str, object]) -> tuple[bool, str | None]:
    """Return whether a message's file is marked as a spoiler (MSC4193), and why."""
    marked = [name for name in _SPOILERS if content.get(name) is True]
    reasons = (clean_text(content.get(f"{name}.reason")) for name in marked)
    return bool(marked), next((reason for reason in reasons if reason), None)


def _is_edit(content: Mapping[str, object]) -> bool:
    relation = content.get("m.relates_to")
    return isinstance(relation, Mapping) and relation.get("rel_type") == "m.replace"


def _edit(
    event: Mapping[str, object], content: Mapping[str, object], bot: UserId, permissions: Mapping[str, Level]
) -> VideoEdited | None:
    # An edit's own relation says what it replaces; one in what it brings says nothing (spec, "Event replacements").
    new = content.get("m.new_content")
    replacement = (
        {key: value for key, value in new.items() if key != "m.relates_to"} if isinstance(new, Mapping) else {}
    )
    now = read_message({**event, "content": replacement}, bot, permissions)
    relation = content["m.relates_to"]
    if not isinstance(now, NewVideo | NewGallery) or not isinstance(relation, Mapping):
        return None
    target = EventId(identifier(relation.get("event_id"), "$", "event_id of m.relates_to"))
    return VideoEdited.to(target, now)


def _file_name(content: Mapping[str, object]) -> str:
    return clean_text(content.get("filename")) or clean_text(content.get("body")) or ""


def _title(content: Mapping[str, object], kind: Kind) -> str:
    # With `filename` present, `body` is the caption (spec 1.10, "Media captions").
    body, name = clean_text(content.get("body")) or "", _file_name(content)
    return body if body and body != name else name_without_suffix(name, kind)
