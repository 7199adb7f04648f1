"""Sessions by header, grants by path: what is queried from the database, how often, and what strangers get."""

import asyncio
import time
from types import SimpleNamespace
from typing import cast

import pytest

from appservice.core.errors import ForbiddenError, UnknownTokenError
from appservice.core.model import RoomId, UserId, Video, VideoId
from appservice.core.room import Room
from appservice.core.rules.permissions import Level
from appservice.core.tokens import GrantScope, Session, issue_grant, issue_session, secret_hash
from appservice.store import SignIn, Stores
from appservice.web.access import CACHE_S, SESSION_S, Access
from tests.support.factories import ALICE, ROOM

KEY = b"k" * 32
SCOPE = GrantScope(3, 7)
VIDEO = VideoId("00000000-0000-0000-0000-000000000001")
PERMISSIONS = {"*": Level.USER}


class Members:
    """A fake of the stores: who is in the room; it counts queries."""

    def __init__(self) -> None:
        self.joined = True
        self.queries = 0
        self.sign_ins: dict[bytes, SignIn] = {}

    async def viewer(self, scope: GrantScope) -> tuple[RoomId, UserId] | None:
        self.queries += 1
        return (ROOM, ALICE) if self.joined and (scope.room_key, scope.member_key) == (3, 7) else None

    async def sign_in(self, secret_hash: bytes, room_id: RoomId) -> SignIn | None:
        return self.sign_ins.get(secret_hash) if room_id == ROOM else None

    async def is_signed_in(self, key: int, room_id: RoomId, user_id: UserId) -> bool:
        return (room_id, user_id) == (ROOM, ALICE) and SignIn(key, ALICE) in self.sign_ins.values()

    async def member_key(self, room_id: RoomId, user_id: UserId) -> int | None:
        self.queries += 1
        return 7 if self.joined and (room_id, user_id) == (ROOM, ALICE) else None

    async def served_stage(self, video_id: VideoId, room_id: RoomId) -> str | None:
        self.queries += 1
        return "1-ready" if self.joined and (video_id, room_id) == (VIDEO, ROOM) else None

    async def served_stage_to(self, video_id: VideoId, room_id: RoomId, user_id: UserId) -> str | None:
        return None

    async def room(self, room_id: RoomId) -> Room | None:
        """There is none whose moderators decide on anything."""

    async def video(self, video_id: VideoId) -> Video | None:
        """None waits for a decision either."""


def _stores(members: Members) -> Stores:
    one_for_all = SimpleNamespace(members=members, rooms=members, videos=members, sign_ins=members)
    return cast("Stores", one_for_all)


@pytest.fixture
def members() -> Members:
    return Members()


@pytest.fixture
def access(members: Members) -> Access:
    return Access(_stores(members), KEY, PERMISSIONS)


@pytest.fixture
def brief(members: Members) -> Access:
    """Access whose cache expires at once."""
    return Access(_stores(members), KEY, PERMISSIONS, cache_s=0.0)


def _parts(scope: GrantScope = SCOPE, seconds: int = 600, key: bytes = KEY) -> tuple[str, str]:
    grant, _, path = issue_grant(key, scope, int(time.time()) + seconds).partition("/")
    return grant, path


def test_a_session_lasts_an_hour(access: Access) -> None:
    token, session = access.open_session(ALICE, ROOM)
    assert abs(session.expires_at / 1000 - time.time() - SESSION_S) < 5
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert access.session(f"{scheme} {token}") == session


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Basic {token}", "{token}", "Bearer  {token}"]
)
def test_no_session(access: Access, authorization: str | None) -> None:
    token, _ = access.open_session(ALICE, ROOM)
    with pytest.raises(UnknownTokenError):
        access.session(authorization and authorization.replace("{token}", token))


def test_an_old_or_foreign_session(access: Access) -> None:
    old = issue_session(KEY, Session(ALICE, ROOM, int(time.time() * 1000) - 1))
    foreign = issue_session(Access.new_key(), Session(ALICE, ROOM, 2**53))
    for token in (old, foreign):
        with pytest.raises(UnknownTokenError):
            access.session(f"Bearer {token}")


async def test_membership_is_queried_each_time(access: Access, members: Members) -> None:
    _, session = access.open_session(ALICE, ROOM)
    assert await access.membership(session, ROOM) == 7
    members.joined = False
    with pytest.raises(ForbiddenError):
        await access.membership(session, ROOM)


async def test_a_session_is_for_its_own_room(access: Access, members: Members) -> None:
    _, session = access.open_session(ALICE, RoomId("!another"))
    for room_id in (ROOM, "!another"):
        with pytest.raises(ForbiddenError):
            await access.membership(session, room_id)
    assert members.queries == 1


async def test_a_minted_grant_opens(access: Access) -> None:
    grant = access.grant(SCOPE)
    assert time.time() * 1000 < grant.expires_at <= (time.time() + 1200) * 1000
    first, _, scope = grant.path.partition("/")
    assert await access.viewer(first, scope) == (SCOPE, ROOM, ALICE)


async def test_many_segments_cost_one_question(access: Access, members: Members) -> None:
    for _ in range(50):
        await access.viewer(*_parts())
        await access.served_stage(VIDEO, ROOM, ALICE)
    assert members.queries == 2


async def test_who_left_is_shut_out_once_the_cache_expires(brief: Access, members: Members) -> None:
    assert CACHE_S < 10
    await brief.viewer(*_parts())
    assert await brief.served_stage(VIDEO, ROOM, ALICE) == "1-ready"
    members.joined = False
    await asyncio.sleep(0.01)
    with pytest.raises(ForbiddenError):
        await brief.viewer(*_parts())
    assert await brief.served_stage(VIDEO, ROOM, ALICE) is None


async def test_requests_at_the_same_time_share_a_query(access: Access, members: Members) -> None:
    found = await asyncio.gather(*(access.viewer(*_parts()) for _ in range(50)))
    assert found == [(SCOPE, ROOM, ALICE)] * 50
    assert members.queries == 1


async def test_a_cancelled_request_cancels_no_other(access: Access, members: Members) -> None:
    going, staying = (asyncio.ensure_future(access.viewer(*_parts())) for _ in range(2))
    await asyncio.sleep(0)
    going.cancel()
    assert await staying == (SCOPE, ROOM, ALICE)
    assert members.queries == 1


async def test_grants_that_open_nothing(access: Access, members: Members) -> None:
    grant, scope = _parts()
    for parts in (_parts(seconds=-1), _parts(key=b"o" * 32), (grant, "3.8"), ("", scope), ("x.y", "z")):
        with pytest.raises(ForbiddenError):
            await access.viewer(*parts)
    assert members.queries == 0
    with pytest.raises(ForbiddenError):
        await access.viewer(*_parts(GrantScope(4, 7)))


async def test_the_cache_is_bounded(access: Access, members: Members) -> None:
    for room_key in (*range(1000, 21_001), 1000):
        with pytest.raises(ForbiddenError):
            await access.viewer(*_parts(GrantScope(room_key, 1)))
    assert members.queries == 20_002


async def test_what_changed_is_queried_again(access: Access, members: Members) -> None:
    assert await access.served_stage(VIDEO, ROOM, ALICE) == "1-ready"
    assert await access.viewer(*_parts())
    members.joined = False  # stands for a video that may not be served any more, too
    access.invalidate()
    assert await access.served_stage(VIDEO, ROOM, ALICE) is None
    with pytest.raises(ForbiddenError):
        await access.viewer(*_parts())


class Changing(Members):
    """A video is hidden during the first query."""

    access: Access

    async def served_stage(self, video_id: VideoId, room_id: RoomId) -> str | None:
        before = await super().served_stage(video_id, room_id)
        self.joined = False
        self.access.invalidate()
        return before


async def test_a_result_from_before_a_change_is_not_cached() -> None:
    members = Changing()
    members.access = Access(_stores(members), KEY, PERMISSIONS)
    assert await members.access.served_stage(VIDEO, ROOM, ALICE) == "1-ready"
    assert await members.access.served_stage(VIDEO, ROOM, ALICE) is None


async def test_a_signed_in_browser_until_it_is_signed_out(access: Access, members: Members) -> None:
    secret = access.new_secret()
    assert await access.signed_in(secret, ROOM) is None
    members.sign_ins[secret_hash(secret)] = SignIn(9, None)
    assert await access.signed_in(secret, ROOM) is None
    members.sign_ins[secret_hash(secret)] = SignIn(9, ALICE)
    assert await access.signed_in(secret, ROOM) == (9, ALICE)
    _, session = access.open_session(ALICE, ROOM, 9)
    assert await access.membership(session, ROOM) == 7
    members.sign_ins.clear()
    with pytest.raises(UnknownTokenError):
        await access.membership(session, ROOM)


async def test_media_end_with_the_sign_in(brief: Access, members: Members) -> None:
    scope = GrantScope(3, 7, 9)
    members.sign_ins[b""] = SignIn(9, ALICE)
    assert await brief.viewer(*_parts(scope)) == (scope, ROOM, ALICE)
    members.sign_ins.clear()
    await asyncio.sleep(0.01)
    with pytest.raises(ForbiddenError):
        await brief.viewer(*_parts(scope))


async def test_secrets_that_never_sign_in(members: Members) -> None:
    now = time.time()
    access = Access(_stores(members), KEY, PERMISSIONS, clock=lambda: now)
    for secret in (
        "",
        "x",
        f"{2**40}.x.y",
        Access(_stores(members), b"o" * 32, PERMISSIONS).new_secret(),
    ):
        with pytest.raises(UnknownTokenError):
            await access.signed_in(secret, ROOM)
    old = access.new_secret()
    assert await access.signed_in(old, RoomId("!unknown")) is None  # as for any room
    now = 2.0**40
    with pytest.raises(UnknownTokenError):
        await access.signed_in(old, ROOM)


async def test_whom_the_configuration_blocks_gets_in_by_nothing_of_before(members: Members, access: Access) -> None:
    token, session = access.open_session(ALICE, ROOM)
    grant = access.grant(SCOPE).path.partition("/")[0]
    blocked = Access(_stores(members), KEY, {"*": Level.USER, ALICE: Level.BLOCKED})
    assert blocked.session(f"Bearer {token}") == session
    with pytest.raises(ForbiddenError):
        await blocked.membership(session, ROOM)
    with pytest.raises(ForbiddenError):
        blocked.open_session(ALICE, ROOM)
    with pytest.raises(ForbiddenError):
        await blocked.viewer(grant, str(SCOPE))
    assert await access.viewer(grant, str(SCOPE)) == (SCOPE, ROOM, ALICE)
