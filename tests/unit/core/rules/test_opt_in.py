"""Who opts an encrypted room in and out."""

import pytest

from appservice.core.errors import ConflictError, ForbiddenError
from appservice.core.rules.opt_in import check_opt_in, check_opt_out, may_opt_in
from appservice.core.rules.video_permissions import Viewer
from tests.support.factories import ALICE, BOB, make_room

MODERATOR, MEMBER = Viewer(ALICE, moderates=True), Viewer(BOB, moderates=False)
ENCRYPTED, DIRECT, PLAIN = make_room(encrypted=True), make_room(encrypted=True, direct=True), make_room()


def test_moderators_may_and_whoever_is_alone_with_the_bot() -> None:
    assert [may_opt_in(room, MODERATOR) for room in (ENCRYPTED, DIRECT, PLAIN)] == [True, True, False]
    assert [may_opt_in(room, MEMBER) for room in (ENCRYPTED, DIRECT, PLAIN)] == [False, True, False]


def test_what_is_refused_says_why() -> None:
    check_opt_in(ENCRYPTED, MODERATOR, available=True)
    with pytest.raises(ConflictError, match="not set up"):
        check_opt_in(ENCRYPTED, MODERATOR, available=False)
    with pytest.raises(ForbiddenError, match="moderators"):
        check_opt_in(ENCRYPTED, MEMBER, available=True)
    with pytest.raises(ConflictError, match="not encrypted"):
        check_opt_in(PLAIN, MODERATOR, available=True)
    with pytest.raises(ConflictError, match="not encrypted"):
        check_opt_out(PLAIN, MODERATOR)
    check_opt_out(DIRECT, MEMBER)
