"""Splits the changes of a transaction into batches that are written as sets, in any order within. Pure.

Rule: a batch written as a set must leave the database as its changes would, one after another. Within a batch members
come first, then rooms' state, then what was sent (`store/intake_batches`). Whatever depends on something that would be
written after it begins the next batch.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from appservice.core.events.changes import (
    BotMembershipChanged,
    Change,
    CommandSent,
    EncryptedSent,
    HistoryChanged,
    MemberChanged,
    NewGallery,
    NewVideo,
    PolicyChanged,
    PowerChanged,
    Redacted,
    RoomEncrypted,
    RoomReplaced,
    SentByBot,
    SignInSent,
    SignOutSent,
    VideoEdited,
)
from appservice.core.model import RoomId
from appservice.core.room import Membership


@dataclass(frozen=True, slots=True)
class Touched:
    """Something happened in a room of which nothing is here: the redaction of what was never stored."""

    room_id: RoomId


@dataclass(frozen=True, slots=True)
class Departed:
    """Somebody left, or was banned, with whom something may have to be erased."""

    change: MemberChanged

    @property
    def room_id(self) -> RoomId:
        """The room that they left."""
        return self.change.room_id


Item = Change | Touched | Departed

ALONE = (
    Departed, SentByBot, VideoEdited, SignInSent, SignOutSent, PolicyChanged, BotMembershipChanged, RoomReplaced,
)  # fmt: skip
"""What comes one at a time: a person's deed, or rare, and much depends on it."""

_Mark = tuple[object, ...]


def batches(changes: Sequence[Item]) -> Iterator[list[Item]]:
    """Yield the changes in their order: sets, each of `ALONE` by itself, redactions apart from all they may be of."""
    batch: list[Item] = []
    left: set[_Mark] = set()
    for change in changes:
        alone = isinstance(change, ALONE)
        if batch and (alone or not left.isdisjoint(_must_follow(change))):
            yield batch
            batch, left = [], set()
        if alone:
            yield [change]
        else:
            batch.append(change)
            left.update(_leaves(change))
    if batch:
        yield batch


def event_ids(change: Item) -> Collection[str]:
    """Return the events that a change is of: what may be redacted, or come again."""
    if isinstance(change, Departed):
        return event_ids(change.change)
    if isinstance(change, VideoEdited):
        return [change.video.event_id]
    event_id = getattr(change, "event_id", None)
    return [event_id] if event_id else []


def _leaves(change: Item) -> Iterator[_Mark]:
    """Yield what later changes of the same batch may not depend on."""
    if not isinstance(change, Touched):
        yield ("redaction",) if isinstance(change, Redacted) else ("other",)
    match change:
        case NewVideo() | NewGallery():
            yield "videos of", change.room_id
            yield from _sendings(change)
        case EncryptedSent():
            yield "encrypted", change.event_id
            yield "videos of", change.room_id
        case CommandSent(addressed=False):
            yield "command", change.room_id
        case MemberChanged():
            for other in Membership:
                if other is not change.membership:
                    yield "member", change.room_id, change.user_id, other
        case PowerChanged() | HistoryChanged() | RoomEncrypted():
            yield "state", change.room_id


def _must_follow(change: Item) -> Iterator[_Mark]:
    """Yield what a change must not share a batch with."""
    if not isinstance(change, Touched):
        yield ("other",) if isinstance(change, Redacted) else ("redaction",)
    # What is here encrypted is not seen yet.
    yield from (("encrypted", event_id) for event_id in event_ids(change) if not isinstance(change, EncryptedSent))
    match change:
        case NewVideo() | NewGallery():
            yield "state", change.room_id
            yield from _sendings(change)
        case EncryptedSent():
            yield "state", change.room_id
        case MemberChanged():
            yield "member", change.room_id, change.user_id, change.membership
            yield "command", change.room_id
        case PowerChanged() | HistoryChanged() | RoomEncrypted():
            yield "videos of", change.room_id


def _sendings(change: NewVideo | NewGallery) -> Iterator[_Mark]:
    """Yield by what a client's second sending of the same is recognised."""
    for video in (change,) if isinstance(change, NewVideo) else change.videos:
        sent = video.sent_in or video.room_id, video.sender, video.item
        yield "file", *sent, video.mxc
        if video.nonce is not None:
            yield "nonce", *sent, video.nonce
