"""A command's definition, and its context: sender, room, language, readers of the response, and the videos it names."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from appservice.config import Config
from appservice.core.errors import RoomreelError
from appservice.core.model import History, UserId, Video
from appservice.core.room import Room
from appservice.core.rules.permissions import Level, level_of
from appservice.core.rules.video_permissions import Viewer, viewer_in
from appservice.core.settings import PersonSettings
from appservice.core.sign_in_codes import PREFIX
from appservice.core.text.command_grammar import VideoName, Words
from appservice.core.text.markup import code
from appservice.core.text.message import Response
from appservice.core.web.reels import for_all
from appservice.i18n import Texts
from appservice.matrix.client import HomeserverClient
from appservice.service.targets import Target, known_to
from appservice.service.use_cases import UseCases
from appservice.store import OpenCommand, Stores


class Rank(IntEnum):
    """The rank that a command needs: any member, a room's moderator, an admin of this installation."""

    MEMBER = 0
    MODERATOR = 1
    ADMIN = 2


@dataclass(frozen=True, slots=True)
class Command:
    """A command, with other names for it; `bot-help-{name}` says what it does, `bot-usage-{name}` how it is written."""

    name: str
    act: "Callable[[CommandContext], Awaitable[Response]]"
    rank: Rank = Rank.MEMBER
    aliases: tuple[str, ...] = ()


class RefusedError(RoomreelError):
    """A command cannot be done; `message` names the text that says why and what to do, with its `arguments`."""

    def __init__(self, message: str, **arguments: object) -> None:
        super().__init__(message)
        self.message = message
        self.arguments = arguments


@dataclass(frozen=True)
class Services:
    """What commands work with; one for a process."""

    config: Config
    stores: Stores
    use_cases: UseCases
    homeserver: HomeserverClient
    languages: Mapping[str, Texts]
    """The catalogue in each language."""


class Readers(StrEnum):
    """Who reads a response, by the homeserver's membership when the command was begun."""

    TWO = "two"
    """Only the sender of the command."""
    TRUSTED = "trusted"
    """Those whom somebody let into the management room, or into a moderators' room."""
    ANYBODY = "anybody"
    """Anybody, of a room that is (or was to be) for those who are trusted."""
    MEMBERS = "members"
    """A room's members; a response holds nothing that is not for them."""


@dataclass(frozen=True)
class CommandContext:
    """A command being done."""

    services: Services
    command: OpenCommand
    room: Room
    person: PersonSettings
    words: Words
    name: str
    known: Sequence[Command]
    """Every command that there is."""
    readers: "Readers"
    """Who reads the response."""

    @property
    def stores(self) -> Stores:
        """The database."""
        return self.services.stores

    @property
    def use_cases(self) -> UseCases:
        """What people can do."""
        return self.services.use_cases

    @property
    def user_id(self) -> UserId:
        """The sender of the command."""
        return self.command.sender

    @property
    def language(self) -> str:
        """The language of the response: the person's choice, else the room's, else the configured one."""
        return self.person.language or self.room.settings.language or self.services.config.appservice.language

    def say(self, message: str, **arguments: object) -> str:
        """Return a text in that language."""
        return self.services.languages[self.language].say(message, arguments)

    def title(self, video: Video) -> str:
        """Return a video's title in that language, empty where it has none."""
        return self.services.languages[self.language].title(video.title, video.kind, video.created_at)

    def written(self, command: str) -> str:
        """Return a command as it is to be written here: alone with the bot, without a prefix."""
        return command if self.room.direct else f"{PREFIX} {command}"

    def quoted(self, command: str) -> str:
        """Return that within a sentence."""
        return code(self.written(command))

    def usage(self, command: Command) -> str:
        """Return how a command is written here."""
        return self.written(self.say(f"bot-usage-{command.name}"))

    @property
    def viewer(self) -> Viewer:
        """The sender as a viewer of this room."""
        return viewer_in(self.room, self.user_id)

    @property
    def rank(self) -> Rank:
        """The sender's highest rank here."""
        if self.may_administer:
            return Rank.ADMIN
        return Rank.MODERATOR if self.viewer.moderates else Rank.MEMBER

    @property
    def may_administer(self) -> bool:
        """Say whether the sender is an admin, where admins have their commands: alone with the bot or in their room."""
        return self.is_admin and (self.room.direct or (self._is_admin_room and self.readers is Readers.TRUSTED))

    @property
    def is_admin(self) -> bool:
        """Say whether the sender is an admin of this installation, wherever that is."""
        return level_of(self.user_id, self.services.config.permissions) is Level.ADMIN

    @property
    def is_unheard_admin(self) -> bool:
        """Say whether the sender is an admin in the management room, which has become one that anybody may read."""
        return self.is_admin and self._is_admin_room and self.readers is Readers.ANYBODY

    @property
    def _is_admin_room(self) -> bool:
        return self.room.room_id == self.services.config.appservice.admin_room

    async def hears_moderators(self) -> bool:
        """Say whether moderators' commands are taken here, from whoever is a moderator where the video is.

        That is so alone with the bot and in moderators' rooms; elsewhere this room's power levels decide.
        """
        if self.room.direct or self.rank >= Rank.MODERATOR:
            return True
        return self.readers is Readers.TRUSTED and await self.stores.moderation.is_moderators_room(self.room.room_id)

    async def own_videos(self, owner: UserId | None = None) -> list[Target]:
        """Return a member's videos that the sender may know of, in the order of their numbers.

        In a conversation with the bot alone these are those of every room where both are; else those of this room.
        """
        where = None if self.room.direct else self.room.room_id
        videos = await self.stores.videos.videos_of(owner or self.user_id, where)
        return await self._seen(videos)

    async def readable(self, videos: Sequence[Video]) -> list[Video]:
        """Return those that the sender may see by the history visibility, and of others' all who read the response."""
        seen = await self.stores.videos.readable(videos, self.user_id)
        if self.readers is not Readers.MEMBERS or all(video.arrival.history is History.SHARED for video in seen):
            return seen
        members = await self.stores.members.joined_members(self.room.room_id)
        common = {video.id for video in for_all(seen, members)}
        return [video for video in seen if video.sender == self.user_id or video.id in common]

    async def _seen(self, videos: Sequence[Video]) -> list[Target]:
        readable = await self.readable(videos)
        targets = await known_to(self.user_id, readable, self.services.stores, here=self.room)
        return [target for target in targets if self._may_mention(target.room)]

    def is_as_private(self, room: Room) -> bool:
        """Say whether this room hides what is said as well as another: of encrypted ones nothing is said in clear."""
        return self.room.encrypted or not room.encrypted

    def _may_mention(self, room: Room) -> bool:
        """Say whether those who read here may know of a room: they are its members, or its moderators decide here."""
        if not self.is_as_private(room):
            return False
        if self.room.direct or room.room_id == self.room.room_id:
            return True
        return self.readers is Readers.TRUSTED and room.settings.moderators_room == self.room.room_id

    async def take_target(self) -> Target:
        """Parse a video's name and return the video. Raises UsageError, or RefusedError when there is none."""
        return await self.target(self.words.video())

    async def target(self, name: VideoName) -> Target:
        """Return the video of a name. Raises RefusedError when there is none that the sender may know of."""
        if name.short_id is not None:
            found = await self._seen(await self.stores.videos.videos_by_short_id(name.short_id, self.user_id))
            if len(found) == 1:
                return found[0]
            raise RefusedError("bot-no-such-id" if not found else "bot-id-too-short", id=name.short_id)
        if name.position is not None:
            owner = UserId(name.owner) if name.owner else None
            videos = await self.own_videos(owner)
            if name.position <= len(videos):
                return videos[name.position - 1]
            raise RefusedError("bot-no-such-number", number=name.position, count=len(videos))
        return await self._replied_to()

    async def _replied_to(self) -> Target:
        event_id = self.command.replied_to
        videos = await self.stores.commands.videos_of(self.room.room_id, event_id) if event_id else []
        if not videos and event_id:
            queued = await self.stores.queue_posts.video_of_post(self.room.room_id, event_id)
            videos = [queued] if queued else []
        targets = await self._seen(videos)
        if not targets:
            raise RefusedError("bot-which-video")
        if len(targets) > 1:
            raise RefusedError("bot-several-videos", ids=", ".join(short_id(target.video) for target in targets))
        return targets[0]


def short_id(video: Video) -> str:
    """Return the beginning of a video's id that people call it by."""
    return f"#{video.id.replace('-', '')[:8]}"
