"""Who may see what now: grants and sessions, checked against the membership that the database knows.

Answers are kept for a few seconds, so that a segment costs no query, and forgotten when any room changes: a member
who left is shut out in every process at once, or well within ten seconds where that news is lost.
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

from appservice.core.errors import ForbiddenError, UnknownTokenError
from appservice.core.model import RoomId, UserId, VideoId
from appservice.core.rules.permissions import Level, may_use
from appservice.core.rules.power_levels import is_moderator
from appservice.core.rules.video_permissions import Viewer, may_watch
from appservice.core.sign_in_codes import CODE_SECONDS
from appservice.core.tokens import (
    Scope,
    Session,
    grant_expiry,
    issue_grant,
    issue_secret,
    issue_session,
    read_grant,
    read_session,
    secret_expiry,
    secret_hash,
)
from appservice.core.web.views import Grant
from appservice.store import SignInStore, Store

SESSION_S = 3600
_REMEMBER_S = 3.0
_MOST_REMEMBERED = 20_000

K = TypeVar("K")
V = TypeVar("V")


class _Remembered(Generic[K, V]):
    def __init__(self, ask: Callable[[K], Awaitable[V]]) -> None:
        self._ask = ask
        self._answers: dict[K, tuple[float, V]] = {}

    def clear(self) -> None:
        """Forget all answers, also those that are just being given: they may be from before."""
        self._answers = {}

    async def get(self, key: K) -> V:
        now = time.monotonic()
        answers = self._answers
        known = answers.get(key)
        if known and now < known[0]:
            return known[1]
        if len(answers) >= _MOST_REMEMBERED:
            answers.clear()
        answer = await self._ask(key)
        answers[key] = (now + _REMEMBER_S, answer)
        return answer


class Access:
    """Issues and checks sessions and media grants."""

    def __init__(self, store: Store, sign_ins: SignInStore, key: bytes, permissions: Mapping[str, Level]) -> None:
        self._store = store
        self._permissions = permissions
        self._sign_ins = sign_ins
        self._key = key
        self._viewers = _Remembered(self._ask_viewer)
        self._stages = _Remembered(self._ask_stage)
        self._own_stages = _Remembered(self._ask_own_stage)
        self._withheld_stages = _Remembered(self._ask_withheld_stage)

    @staticmethod
    def new_key() -> bytes:
        """Return a fresh signing key."""
        return secrets.token_bytes(32)

    async def _ask_stage(self, key: tuple[VideoId, RoomId]) -> str | None:
        return await self._store.served_stage(*key)

    async def _ask_own_stage(self, key: tuple[VideoId, RoomId, UserId]) -> str | None:
        return await self._store.served_stage_to(*key)

    async def _ask_withheld_stage(self, key: tuple[VideoId, RoomId, UserId]) -> str | None:
        video_id, room_id, user_id = key
        room, video = await self._store.room(room_id), await self._store.video(video_id)
        if room is None or video is None or video.room_id != room_id or not video.has_media or video.is_playable:
            return None
        viewer = Viewer(user_id, is_moderator(room.power_levels, user_id, room.creators))
        if not may_watch(video, viewer) or await self._store.member_key(room_id, video.sender) is None:
            return None
        return video.stage if await self._store.readable([video], user_id) else None

    def forget(self) -> None:
        """Ask the database again from now on: somebody left, or a video was hidden."""
        self._viewers.clear()
        self._stages.clear()
        self._own_stages.clear()
        self._withheld_stages.clear()

    async def _ask_viewer(self, scope: Scope) -> tuple[RoomId, UserId] | None:
        viewer = await self._store.viewer(scope)
        if viewer is not None and not may_use(viewer[1], self._permissions):
            return None
        if viewer is None or not scope.sign_in or await self._sign_ins.is_signed_in(scope.sign_in, *viewer):
            return viewer
        return None

    def open_session(self, user_id: UserId, room_id: RoomId, sign_in: int = 0) -> tuple[str, Session]:
        """Return a token and the session that it stands for; `sign_in`: the browser's sign-in that began it.

        Raises ForbiddenError for whom the configuration blocks.
        """
        self._check_permitted(user_id)
        session = Session(user_id, room_id, int((time.time() + SESSION_S) * 1000), sign_in)
        return issue_session(self._key, session), session

    def session(self, authorization: str | None) -> Session:
        """Return the session of an `Authorization: Bearer` header. Raises UnknownTokenError."""
        scheme, _, token = (authorization or "").partition(" ")
        session = read_session(self._key, token, int(time.time() * 1000)) if scheme.lower() == "bearer" else None
        if session is None:
            raise UnknownTokenError("The session is missing, expired or not ours. Start a new one.")
        return session

    def _check_permitted(self, user_id: UserId) -> None:
        if not may_use(user_id, self._permissions):
            raise ForbiddenError("Roomreel is not for you on this server. Ask whoever runs it.")

    async def membership(self, session: Session, room_id: str) -> int:
        """Return our number for the session's user in the room. Raises ForbiddenError unless joined now, and permitted.

        Raises UnknownTokenError when the browser that began the session was signed out.
        """
        self._check_permitted(session.user_id)
        signed_out = session.sign_in and not await self._sign_ins.is_signed_in(
            session.sign_in, session.room_id, session.user_id
        )
        if signed_out:
            raise UnknownTokenError("This browser is signed out.")
        key = await self._store.member_key(session.room_id, session.user_id) if session.room_id == room_id else None
        if key is None:
            raise ForbiddenError("You are not a member of this room.")
        return key

    def new_secret(self) -> str:
        """Return a secret for a browser that shall be signed in."""
        return issue_secret(self._key, int(time.time()) + CODE_SECONDS)

    async def signed_in(self, secret: str, room_id: RoomId) -> tuple[int, UserId] | None:
        """Return by which sign-in, and as whom, a browser's secret lets it in; None while its code may still be sent.

        Raises UnknownTokenError for any other secret.
        """
        ends = secret_expiry(self._key, secret)
        known = await self._sign_ins.sign_in(secret_hash(secret), room_id) if ends else None
        if known and known.user_id:
            return known.key, known.user_id
        # The same where nothing waits for the code: a stranger does not learn which rooms there are.
        if ends is None or ends < time.time():
            raise UnknownTokenError("The sign-in has ended or is not ours. Ask for a new code.")
        return None

    def grant(self, scope: Scope) -> Grant:
        """Mint a media grant; the membership must just have been checked."""
        expires_s = grant_expiry(time.time())
        return Grant(issue_grant(self._key, scope, expires_s), expires_s * 1000)

    async def viewer(self, grant: str, scope: str) -> tuple[Scope, RoomId, UserId]:
        """Return what the parts of a media path open, and to whom. Raises ForbiddenError where that is nothing."""
        opened = read_grant(self._key, grant, scope, time.time())
        viewer = await self._viewers.get(opened) if opened else None
        if opened is None or viewer is None:
            raise ForbiddenError("This address has expired or is no longer yours. Ask for the room again.")
        return opened, *viewer

    async def served_stage(self, video_id: VideoId, room_id: RoomId, user_id: UserId) -> str | None:
        """Return the stage of a video that a viewer of the room may be served now, None when there is none."""
        stage = await self._stages.get((video_id, room_id))
        stage = stage or await self._own_stages.get((video_id, room_id, user_id))
        return stage or await self.withheld_stage(video_id, room_id, user_id)

    async def withheld_stage(self, video_id: VideoId, room_id: RoomId, user_id: UserId) -> str | None:
        """Return the stage of a held or hidden video on which the viewer decides, None when there is none."""
        return await self._withheld_stages.get((video_id, room_id, user_id))
