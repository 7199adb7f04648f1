"""What is to be said of a video by its message."""

from datetime import UTC, datetime
from typing import Any

import pytest

from appservice.core.model import HeldFor, State, Visibility
from appservice.core.settings import Status
from appservice.core.text.status import OLD_S, Mark, marks
from tests.support.factories import make_video
from transcode.source.audio_loss import AudioLoss

SENT = 1_700_000_000_000
SOON = SENT + 5000


@pytest.mark.parametrize(
    ("state", "status", "said"),
    [
        (State.QUEUED, Status.REACTIONS, set()),
        (State.PROCESSING, Status.REACTIONS, {Mark.WORKING}),
        (State.PLAYABLE, Status.REACTIONS, {Mark.PLAYABLE}),
        (State.READY, Status.REACTIONS, {Mark.PLAYABLE}),
        (State.FAILED, Status.REACTIONS, {Mark.FAILED, Mark.NOTICE}),
        (State.PROCESSING, Status.FAILURES, set()),
        (State.READY, Status.FAILURES, set()),
        (State.FAILED, Status.FAILURES, {Mark.NOTICE}),
        (State.FAILED, Status.OFF, set()),
        (State.READY, Status.OFF, set()),
    ],
)
def test_each_state(state: State, status: Status, said: set[Mark]) -> None:
    video = make_video(state=state, created_at=SENT, failure="too-long" if state is State.FAILED else None)
    assert marks(video, status, now=SOON, posted=False) == said


def test_nobody_waits_for_what_was_sent_long_ago() -> None:
    later = SENT + OLD_S * 1000 + 1
    for state in (State.READY, State.FAILED):
        video = make_video(state=state, created_at=SENT)
        assert marks(video, Status.REACTIONS, now=later, posted=False) == set()
        assert marks(video, Status.REACTIONS, now=later, posted=True)  # a mark of before is brought up to date


def test_nobody_waits_for_what_was_sent_before_the_bot_came() -> None:
    video = make_video(state=State.FAILED, created_at=SENT, of_before=True)
    assert marks(video, Status.REACTIONS, now=SOON, posted=False) == set()


def test_a_new_start_takes_its_turn_in_sight() -> None:
    assert marks(make_video(state=State.QUEUED, created_at=SENT), Status.REACTIONS, now=SOON, posted=True) == {
        Mark.WORKING
    }


def test_what_waits_for_its_upload_has_a_mark_of_its_own() -> None:
    video = make_video(state=State.QUEUED, created_at=SENT, awaited_since=datetime(2026, 1, 1, tzinfo=UTC))
    assert marks(video, Status.REACTIONS, now=SOON, posted=False) == {Mark.AWAITED}
    assert marks(video, Status.FAILURES, now=SOON, posted=False) == set()
    at_work = make_video(state=State.PROCESSING, created_at=SENT, awaited_since=datetime(2026, 1, 1, tzinfo=UTC))
    assert marks(at_work, Status.REACTIONS, now=SOON, posted=True) == {Mark.WORKING}


def test_what_waits_for_a_verdict_is_still_worked_on() -> None:
    video = make_video(visibility=Visibility.HELD, held_for=HeldFor.VERDICT, created_at=SENT)
    assert marks(video, Status.REACTIONS, now=SOON, posted=False) == {Mark.WORKING}
    assert marks(video, Status.FAILURES, now=SOON, posted=False) == set()


@pytest.mark.parametrize("visibility", [Visibility.HIDDEN, Visibility.HELD, Visibility.REMOVED])
def test_what_others_do_not_see_is_not_marked(visibility: Visibility) -> None:
    video = make_video(visibility=visibility, created_at=SENT, held_for=HeldFor.APPROVAL)
    assert marks(video, Status.REACTIONS, now=SOON, posted=True) == set()


@pytest.mark.parametrize("status", [Status.REACTIONS, Status.FAILURES])
def test_the_sender_is_notified_that_audio_is_missing(status: Status) -> None:
    lossy: dict[str, Any] = {"audio_left_out": AudioLoss.DAMAGED, "created_at": SENT}
    played = {Mark.PLAYABLE} if status is Status.REACTIONS else set[Mark]()
    assert marks(make_video(**lossy), status, now=SOON, posted=False) == played | {Mark.NOTICE}
    assert marks(make_video(**lossy), Status.OFF, now=SOON, posted=False) == set()
    assert Mark.NOTICE not in marks(make_video(visibility=Visibility.HIDDEN, **lossy), status, now=SOON, posted=True)
