"""The command `room`: what a room's moderators choose for it, shown and changed by name."""

from appservice.codes import PREFIX
from appservice.commands.answer import Answer, Item
from appservice.commands.asked import Asked, RefusedError, viewer_of
from appservice.commands.grammar import nearest
from appservice.commands.moderator import DONE, moderated, name_of
from appservice.commands.registry import Command, Rank
from appservice.errors import ForbiddenError, RefusedByHomeserverError
from appservice.markup import code
from appservice.model import Room, RoomId
from appservice.settings import DEFAULT, RoomSettings, written


async def _room(asked: Asked) -> Answer:
    room = await _chosen(asked)
    if asked.words.peek() is None:
        return _all(asked, room)
    name = _take_name(asked)
    if asked.words.peek() is None:
        return Answer(_line(asked, room.settings, name))
    value = asked.words.take().lower() if name != "moderators-room" else asked.words.take()
    asked.words.end()
    return await _set(asked, room, name, value)


async def _chosen(asked: Asked) -> Room:
    """Return the room that is meant: the one named, else this one, else the only one there is."""
    word = asked.words.peek()
    if word is not None and word.startswith("!"):
        asked.words.take()
        return await _named(asked, RoomId(word))
    if not asked.room.direct and asked.viewer.moderates:
        return asked.room
    rooms = await moderated(asked)
    if len(rooms) > 1:
        listed = "\n".join(f"{name_of(room)}: {asked.written(f'room {room.room_id}')}" for room in rooms)
        raise RefusedError("bot-which-room", rooms=listed)
    return rooms[0]


async def _named(asked: Asked, room_id: RoomId) -> Room:
    rooms = await asked.parts.moderating.moderated_rooms(asked.user_id, None)
    room = next((room for room in rooms if room.room_id == room_id), None)
    if room is None:
        raise RefusedError("bot-no-such-room")
    if not viewer_of(room, asked.user_id).moderates:
        raise RefusedError("bot-only-moderators")
    return room


def _all(asked: Asked, room: Room) -> Answer:
    items = [Item(_line(asked, room.settings, name)) for name in RoomSettings.names()]
    this = room.room_id == asked.room.room_id
    command = asked.quoted("room hold new" if this else f"room {room.room_id} hold new")
    return Answer(asked.say("bot-room", room=name_of(room)), items, asked.say("bot-room-how", command=command))


def _line(asked: Asked, settings: RoomSettings, name: str) -> str:
    return f"{name} {_value(settings, name)} – {_meaning(asked, name)}"


def _value(settings: RoomSettings, name: str) -> str:
    return written(getattr(settings, name.replace("-", "_")))


def _meaning(asked: Asked, name: str) -> str:
    return asked.say(f"bot-room-setting-{name}")


def _take_name(asked: Asked) -> str:
    name = asked.words.take().lower()
    names = RoomSettings.names()
    if name in names:
        return name
    meant = nearest(name, names)
    if meant:
        raise RefusedError("bot-no-such-setting-nearest", name=name, meant=meant)
    raise RefusedError("bot-no-such-setting", name=name, names=", ".join(names))


async def _set(asked: Asked, room: Room, name: str, value: str) -> Answer:
    if value == "off" and RoomSettings().model_dump()[name.replace("-", "_")] is None:
        value = DEFAULT
    try:
        settings = room.settings.changed(name, value)
    except ValueError as error:
        raise RefusedError("bot-wrong-value", name=name, value=value, meaning=_meaning(asked, name)) from error
    await _check(asked, room, name, settings)
    await asked.parts.commands.set_room(room.room_id, settings, by=asked.user_id)
    if name == "moderators-room":
        await asked.parts.moderating.ask()
    if name == "history" and settings.history:
        await asked.parts.store.look_back([room.room_id], history=settings.history)
    text = asked.say("bot-set", name=name, value=_value(settings, name), room=name_of(room))
    return Answer(text, reaction=DONE)


async def _check(asked: Asked, room: Room, name: str, settings: RoomSettings) -> None:
    most = asked.parts.config.media.max_duration
    if name == "max-length" and (settings.max_length or 0) > most:
        raise RefusedError("bot-longer-than-server", most=str(most))
    if name == "moderators-room" and settings.moderators_room is not None:
        await _check_moderators_room(asked, room, RoomId(settings.moderators_room))


async def _check_moderators_room(asked: Asked, room: Room, chosen: RoomId) -> None:
    if chosen == room.room_id:
        raise RefusedError("bot-moderators-room-same")
    known = await asked.parts.store.room(chosen)
    if known is None or await asked.parts.store.member_key(chosen, asked.user_id) is None:
        raise RefusedError("bot-moderators-room-unknown", bot=asked.parts.homeserver.bot)
    if known.encrypted:
        raise RefusedError("bot-moderators-room-encrypted")
    if not viewer_of(known, asked.user_id).moderates:
        raise RefusedError("bot-moderators-room-others")
    if await asked.parts.homeserver.is_open(chosen):
        raise RefusedError("bot-moderators-room-open")
    await _announce_to_moderators(asked, room, known)


async def _announce_to_moderators(asked: Asked, room: Room, chosen: Room) -> None:
    """Say in a moderators' room what is to come there, and who wants it. Raises RefusedError where the bot may not."""
    texts = asked.parts.languages[chosen.settings.language or asked.parts.config.appservice.language]
    command = code(f"{PREFIX} room moderators-room off")
    text = texts.say("bot-moderators-room-chosen", {"user": asked.user_id, "room": name_of(room), "command": command})
    try:
        await asked.parts.homeserver.send_notice(chosen.room_id, text, once=f"{asked.command.event_id}|chosen")
    except (ForbiddenError, RefusedByHomeserverError) as error:
        raise RefusedError("bot-moderators-room-unknown", bot=asked.parts.homeserver.bot) from error


COMMANDS = (Command("room", _room, rank=Rank.MODERATOR, aliases=("房间", "聊天室")),)
