"""Who may see what now: grants and sessions, checked against the membership that the database knows.

Answers are kept for a few seconds, so that a segment costs no query and a member who left is
still shut out in every process well within ten seconds.
"""

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from appservice.errors import ForbiddenError, UnknownTokenError
from appservice.model import RoomId, UserId, VideoId
from appservice.store import Store
from appservice.tokens import Scope, Session, grant_expiry, issue_grant, issue_session, read_grant, read_session
from appservice.web.views import Grant

SESSION_S = 3600
_REMEMBER_S = 3.0
_MOST_REMEMBERED = 20_000

K = TypeVar("K")
V = TypeVar("V")


class _Remembered(Generic[K, V]):
    def __init__(self, ask: Callable[[K], Awaitable[V]]) -> None:
        self._ask = ask
        self._answers: dict[K, tuple[float, V]] = {}

    async def get(self, key: K) -> V:
        now = time.monotonic()
        known = self._answers.get(key)
        if known and now < known[0]:
            return known[1]
        if len(self._answers) >= _MOST_REMEMBERED:
            self._answers.clear()
        answer = await self._ask(key)
        self._answers[key] = (now + _REMEMBER_S, answer)
        return answer


class Access:
    """Issues and checks sessions and media grants."""

    def __init__(self, store: Store, key: bytes) -> None:
        self._store = store
        self._key = key
        self._viewers = _Remembered(store.viewer)
        self._stages = _Remembered(self._ask_stage)

    @staticmethod
    def new_key() -> bytes:
        """Return a fresh signing key."""
        return secrets.token_bytes(32)

    async def _ask_stage(self, key: tuple[VideoId, RoomId]) -> str | None:
        return await self._store.served_stage(*key)

    def open_session(self, user_id: UserId, room_id: RoomId) -> tuple[str, Session]:
        """Return a token and the session that it stands for."""
        session = Session(user_id, room_id, int((time.time() + SESSION_S) * 1000))
        return issue_session(self._key, session), session

    def session(self, authorization: str | None) -> Session:
        """Return the session of an `Authorization: Bearer` header. Raises UnknownTokenError."""
        scheme, _, token = (authorization or "").partition(" ")
        session = read_session(self._key, token, int(time.time() * 1000)) if scheme.lower() == "bearer" else None
        if session is None:
            raise UnknownTokenError("The session is missing, expired or not ours. Start a new one.")
        return session

    async def membership(self, session: Session, room_id: str) -> int:
        """Return our number for the session's user in the room. Raises ForbiddenError unless joined now."""
        key = await self._store.member_key(session.room_id, session.user_id) if session.room_id == room_id else None
        if key is None:
            raise ForbiddenError("You are not a member of this room.")
        return key

    def grant(self, scope: Scope) -> Grant:
        """Mint a media grant; the membership must just have been checked."""
        expires_s = grant_expiry(time.time())
        return Grant(issue_grant(self._key, scope, expires_s), expires_s * 1000)

    async def viewer(self, grant: str, scope: str) -> tuple[Scope, RoomId]:
        """Return what the parts of a media path open. Raises ForbiddenError when they open nothing (any more)."""
        opened = read_grant(self._key, grant, scope, time.time())
        viewer = await self._viewers.get(opened) if opened else None
        if opened is None or viewer is None:
            raise ForbiddenError("This address has expired or is no longer yours. Ask for the room again.")
        return opened, viewer[0]

    async def served_stage(self, video_id: VideoId, room_id: RoomId) -> str | None:
        """Return the stage of a video that the room's viewers may be served now, None when there is none."""
        return await self._stages.get((video_id, room_id))
