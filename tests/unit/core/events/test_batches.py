"""What may be written together, and what must wait for what is before it."""

import random

import pytest

from appservice.core.events.batches import ALONE, Departed, Item, Touched, batches
from appservice.core.events.changes import (
    CommandSent,
    EncryptedSent,
    HistoryChanged,
    MemberChanged,
    NewGallery,
    NewVideo,
    Redacted,
    RoomNamed,
    SignOutSent,
    VideoEdited,
)
from appservice.core.model import EventId, History, RoomId
from appservice.core.room import Membership
from tests.support.factories import ALICE, BOB, ROOM
from tests.support.intake_scenarios import draw

OTHER = RoomId("!other:example.org")


def _video(event_id: str = "$v", nonce: str | None = None, mxc: str = "", room_id: RoomId = ROOM) -> NewVideo:
    file = mxc or f"mxc://x/{event_id[1:]}"
    return NewVideo(EventId(event_id), room_id, ALICE, "", file, None, None, True, 1, nonce=nonce)


def _member(membership: Membership = Membership.JOIN, name: str | None = None) -> MemberChanged:
    return MemberChanged(ROOM, BOB, membership, name, None)


def _command(*, addressed: bool = False) -> CommandSent:
    return CommandSent(ROOM, EventId("$c"), ALICE, "help", addressed, EventId("$c"), None)


ENCRYPTED = EncryptedSent(ROOM, EventId("$x"), ALICE, "session", {})
REDACTED = Redacted(ROOM, EventId("$v"), ALICE)
LEFT = _member(Membership.LEAVE)


@pytest.mark.parametrize(
    "together",
    [
        [_member(), _video(), _member(name="New")],
        [_video(), LEFT, _video("$w")],
        [_video(), RoomNamed(ROOM, "x"), ENCRYPTED, _command(), Touched(ROOM)],
        [HistoryChanged(OTHER, History.SHARED), _video()],
        [REDACTED, Touched(OTHER), REDACTED],
        [_member(), _command(), _video()],
        [_command(addressed=True), _member()],
        [_video(), NewGallery(EventId("$g"), ROOM, ALICE, (_video("$g"),))],
    ],
)
def test_what_does_not_depend_on_another_is_written_together(together: list[Item]) -> None:
    assert list(batches(together)) == [together]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (_video(), REDACTED),
        (REDACTED, _video()),
        (_video(), HistoryChanged(ROOM, History.JOINED)),
        (HistoryChanged(ROOM, History.JOINED), _video()),
        (HistoryChanged(ROOM, History.JOINED), ENCRYPTED),
        (_member(), LEFT),
        (LEFT, _member()),
        (_command(), _member()),
        (_video(nonce="n"), _video("$w", nonce="n")),
        (_video(mxc="mxc://x/1"), _video("$w", mxc="mxc://x/1")),
        (ENCRYPTED, _video("$x")),
        (_video(), VideoEdited.to(EventId("$v"), _video("$w"))),
        (_video(), Departed(LEFT)),
        (Departed(LEFT), _video()),
        (
            SignOutSent(ROOM, EventId("$o"), ALICE, EventId("$o")),
            SignOutSent(ROOM, EventId("$p"), ALICE, EventId("$p")),
        ),
    ],
)
def test_what_depends_on_another_waits_for_it(first: Item, then: Item) -> None:
    assert list(batches([first, then])) == [[first], [then]]


@pytest.mark.parametrize("seed", range(50))
def test_nothing_is_lost_or_moved(seed: int) -> None:
    for transaction in draw(seed).transactions:
        written = list(batches(transaction))
        assert [change for batch in written for change in batch] == transaction
        assert all(len(batch) == 1 for batch in written if isinstance(batch[0], ALONE))


def test_as_many_as_come_of_people_who_only_send_are_one_batch() -> None:
    dice = random.Random(1)  # noqa: S311 - a seed
    videos = [_video(f"$v{number}", room_id=dice.choice([ROOM, OTHER])) for number in range(1000)]
    assert len(list(batches(videos))) == 1
