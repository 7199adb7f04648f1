"""The command `room`: what a room's moderators choose for it, shown and changed by name."""

from appservice.commands.context import Command, CommandContext, Rank, RefusedError
from appservice.commands.moderator import DONE, moderated, name_of
from appservice.core.errors import ForbiddenError, RefusedByHomeserverError
from appservice.core.model import RoomId
from appservice.core.room import Room
from appservice.core.rules.video_permissions import viewer_in
from appservice.core.settings import DEFAULT, RoomSettings, written
from appservice.core.sign_in_codes import PREFIX
from appservice.core.text.command_grammar import nearest
from appservice.core.text.markup import code
from appservice.core.text.message import Item, Response


async def _room(context: CommandContext) -> Response:
    room = await _chosen(context)
    if context.words.peek() is None:
        return _all(context, room)
    name = _take_name(context)
    if context.words.peek() is None:
        return Response(_line(context, room.settings, name))
    value = context.words.take().lower() if name != "moderators-room" else context.words.take()
    context.words.end()
    return await _set(context, room, name, value)


async def _chosen(context: CommandContext) -> Room:
    """Return the room that is meant: the one named, else this one, else the only one there is."""
    word = context.words.peek()
    if word is not None and word.startswith("!"):
        context.words.take()
        return await _named(context, RoomId(word))
    if not context.room.direct and context.viewer.moderates:
        return context.room
    rooms = await moderated(context)
    if len(rooms) > 1:
        listed = "\n".join(f"{name_of(room)}: {context.written(f'room {room.room_id}')}" for room in rooms)
        raise RefusedError("bot-which-room", rooms=listed)
    return rooms[0]


async def _named(context: CommandContext, room_id: RoomId) -> Room:
    rooms = await context.stores.moderation.moderated_rooms(context.user_id, None)
    room = next((room for room in rooms if room.room_id == room_id), None)
    if room is None:
        raise RefusedError("bot-no-such-room")
    if not viewer_in(room, context.user_id).moderates:
        raise RefusedError("bot-only-moderators")
    return room


def _all(context: CommandContext, room: Room) -> Response:
    items = [Item(_line(context, room.settings, name)) for name in RoomSettings.names()]
    this = room.room_id == context.room.room_id
    command = context.quoted("room hold new" if this else f"room {room.room_id} hold new")
    return Response(context.say("bot-room", room=name_of(room)), items, context.say("bot-room-how", command=command))


def _line(context: CommandContext, settings: RoomSettings, name: str) -> str:
    return f"{name} {_value(settings, name)} – {_meaning(context, name)}"


def _value(settings: RoomSettings, name: str) -> str:
    return written(getattr(settings, name.replace("-", "_")))


def _meaning(context: CommandContext, name: str) -> str:
    return context.say(f"bot-room-setting-{name}")


def _take_name(context: CommandContext) -> str:
    name = context.words.take().lower()
    names = RoomSettings.names()
    if name in names:
        return name
    meant = nearest(name, names)
    if meant:
        raise RefusedError("bot-no-such-setting-nearest", name=name, meant=meant)
    raise RefusedError("bot-no-such-setting", name=name, names=", ".join(names))


async def _set(context: CommandContext, room: Room, name: str, value: str) -> Response:
    if value == "off" and RoomSettings().model_dump()[name.replace("-", "_")] is None:
        value = DEFAULT
    try:
        settings = room.settings.changed(name, value)
    except ValueError as error:
        raise RefusedError("bot-wrong-value", name=name, value=value, meaning=_meaning(context, name)) from error
    await _check(context, room, name, settings)
    await context.stores.commands.set_room(room.room_id, settings, by=context.user_id)
    if name == "moderators-room":
        await context.stores.queue_posts.queue_missing()
    if name == "history" and settings.history:
        await context.stores.rooms.backfill([room.room_id], history=settings.history)
    text = context.say("bot-set", name=name, value=_value(settings, name), room=name_of(room))
    return Response(text, reaction=DONE)


async def _check(context: CommandContext, room: Room, name: str, settings: RoomSettings) -> None:
    most = context.services.config.media.max_duration
    if name == "max-length" and (settings.max_length or 0) > most:
        raise RefusedError("bot-longer-than-server", most=str(most))
    if name == "moderators-room" and settings.moderators_room is not None:
        await _check_moderators_room(context, room, RoomId(settings.moderators_room))


async def _check_moderators_room(context: CommandContext, room: Room, chosen: RoomId) -> None:
    if chosen == room.room_id:
        raise RefusedError("bot-moderators-room-same")
    known = await context.stores.rooms.room(chosen)
    if known is None or await context.stores.members.member_key(chosen, context.user_id) is None:
        raise RefusedError("bot-moderators-room-unknown", bot=context.services.homeserver.bot)
    if known.encrypted and context.services.config.encryption.key is None:
        raise RefusedError("bot-moderators-room-encrypted")
    if room.encrypted and not known.encrypted:
        raise RefusedError("bot-moderators-room-not-encrypted")
    if not viewer_in(known, context.user_id).moderates:
        raise RefusedError("bot-moderators-room-others")
    if await context.services.homeserver.is_open(chosen):
        raise RefusedError("bot-moderators-room-open")
    await _announce_to_moderators(context, room, known)


async def _announce_to_moderators(context: CommandContext, room: Room, chosen: Room) -> None:
    """Say in a moderators' room what is to come there, and who wants it. Raises RefusedError where the bot may not."""
    texts = context.services.languages[chosen.settings.language or context.services.config.appservice.language]
    command = code(f"{PREFIX} room moderators-room off")
    text = texts.say("bot-moderators-room-chosen", {"user": context.user_id, "room": name_of(room), "command": command})
    try:
        await context.services.homeserver.send_notice(chosen.room_id, text, once=f"{context.command.event_id}|chosen")
    except (ForbiddenError, RefusedByHomeserverError) as error:
        raise RefusedError("bot-moderators-room-unknown", bot=context.services.homeserver.bot) from error


COMMANDS = (Command("room", _room, rank=Rank.MODERATOR, aliases=("房间", "聊天室")),)
