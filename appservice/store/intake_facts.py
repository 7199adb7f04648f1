"""What has to be known of changes before any is written: one statement, which also marks events as seen and locks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from appservice.core.events import changes
from appservice.core.events.batches import Item
from appservice.core.events.media_kinds import joins
from appservice.core.model import UserId
from appservice.core.rules.power_levels import is_moderator
from appservice.core.rules.video_permissions import Viewer
from appservice.core.settings import RoomSettings
from appservice.store.outbox import Connection
from appservice.store.sql import query

_Posted = (
    changes.NewVideo
    | changes.NewGallery
    | changes.VideoEdited
    | changes.SignInSent
    | changes.SignOutSent
    | changes.CommandSent
    | changes.Reacted
)
"""What is ignored from those whom a policy list bans."""
_POSTED = get_args(_Posted)
# What is done when it comes, and must not be done again: neither by a backfill, nor because a transaction comes
# twice, to another process as well, and what came since would be overwritten.
_ONCE = (
    changes.NewVideo, changes.NewGallery, changes.SignInSent, changes.SignOutSent, changes.Reacted,
    *get_args(changes.StateChange),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """What of a room decides what becomes of a video; of one that is new, the defaults.

    `asks`: it is encrypted, or that is not known yet; somebody has to opt it in.
    """

    settings: RoomSettings
    power_levels: dict[str, object]
    creators: frozenset[str]
    encrypted: bool
    asks: bool

    def viewer(self, user_id: UserId) -> Viewer:
        """Return who somebody is in the room."""
        moderates = is_moderator(self.power_levels, user_id, self.creators)
        return Viewer(user_id, moderates, in_encrypted=self.encrypted)


_NEW_ROOM = RoomFacts(RoomSettings(), {}, frozenset(), encrypted=False, asks=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known before a batch is written. `first`: events that were not seen before; `known`: rooms there are.

    `media`: those of the batch's files that were uploaded in the widget, with their owners; also of thumbnails.
    """

    now: datetime
    known: frozenset[str]
    _first: set[str]
    _policed: frozenset[str]
    _rooms: dict[str, RoomFacts]
    media: frozenset[tuple[str, str]]
    _items: frozenset[str]

    def counted(self, batch: Sequence[Item]) -> list[tuple[int, Item]]:
        """Return the changes about which something is to be done, with their numbers."""
        return [(index, change) for index, change in enumerate(batch) if self._counts(change)]

    def _counts(self, change: Item) -> bool:
        if isinstance(change, _POSTED) and author(change) in self._policed:
            return False
        if isinstance(change, _ONCE) and change.event_id:
            if change.event_id not in self._first:
                return False  # the homeserver repeats itself, or we found it ourselves
            self._first.remove(change.event_id)
        videos = brought(change) if isinstance(change, changes.NewVideo | changes.NewGallery) else ()
        return not videos or any(self.joins(video) for video in videos)

    def joins(self, video: changes.NewVideo) -> bool:
        """Say whether the room chose to have what was sent in its reels."""
        return video.choice is None or joins(video.choice, self.room(video).settings)

    def knows(self, video: changes.NewVideo) -> bool:
        """Say whether its message brought a video before: the homeserver repeats itself."""
        return f"{video.event_id} {video.item}" in self._items

    def room(self, video: changes.NewVideo) -> RoomFacts:
        """Return what is known of a video's room."""
        return self._rooms.get(video.room_id, _NEW_ROOM)

    def asks(self, video: changes.NewVideo) -> bool:
        """Say whether a video concerns a room that somebody has to opt in."""
        return any(self._rooms.get(room, _NEW_ROOM).asks for room in (video.room_id, video.sent_in or video.room_id))


def author(change: _Posted) -> UserId:
    """Return who sent it."""
    return change.video.sender if isinstance(change, changes.VideoEdited) else change.sender


def brought(change: Item) -> tuple[changes.NewVideo, ...]:
    """Return the videos that a message brings, or as edited has now."""
    match change:
        case changes.NewVideo():
            return (change,)
        case changes.NewGallery() | changes.VideoEdited():
            return change.videos
        case _:
            return ()


async def open_batch(connection: Connection, batch: Sequence[Item], *, again: bool = False) -> Facts:
    """Return what is known before changes are written; their events count as seen from now on, unless they do `again`.

    Until the transaction's end nobody puts the senders of videos into quarantine, or opts their rooms out.
    """
    once = [] if again else [change for change in batch if isinstance(change, _ONCE) and change.event_id]
    posted = [change for change in batch if isinstance(change, _POSTED)]
    videos = [video for change in batch for video in brought(change)]
    sent_in = {room for video in videos for room in (video.room_id, video.sent_in or video.room_id)}
    (row,) = await connection.fetch(*query(
        "open_batch",
        event_ids=[change.event_id for change in once],
        event_authors=[author(change) if isinstance(change, _POSTED) else None for change in once],
        authors=_unique(author(change) for change in posted),
        senders=_unique(video.sender for video in videos),
        room_ids=_unique(change.room_id for change in batch),
        sent_in=_unique(sent_in),
        mxcs=_unique(video.mxc for video in videos),
        video_events=_unique(video.event_id for video in videos),
    ))  # fmt: skip
    return Facts(
        now=row["now"],
        known=frozenset(row["known"]),
        _first=set(row["first"]),
        _policed=frozenset(row["policed"]),
        _rooms={room_id: _read_room(facts) for room_id, facts in (row["rooms"] or {}).items()},
        media=frozenset(zip(row["media"], row["owners"], strict=True)),
        _items=frozenset(row["items"]),
    )


def _unique(values: Iterable[str]) -> list[str]:
    return sorted(set(values))


def _read_room(facts: dict[str, Any]) -> RoomFacts:
    return RoomFacts(
        RoomSettings.read(facts["settings"]), facts["power_levels"], frozenset(facts["creators"]),
        encrypted=facts["encrypted"], asks=facts["asks"],
    )  # fmt: skip
