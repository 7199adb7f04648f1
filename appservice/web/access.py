"""Access to rooms and media: grants and sessions, checked against the membership that the database knows.

Results are cached for a few seconds, so that a segment costs no query, and invalidated when any room changes: a member
who left is shut out in every process at once, or well within ten seconds where that notification is lost.
"""

import secrets
import time
from collections.abc import Callable, Mapping

from async_lru import alru_cache

from appservice.core.errors import ForbiddenError, UnknownTokenError
from appservice.core.model import RoomId, UserId, Video, VideoId
from appservice.core.rules.permissions import Level, may_use
from appservice.core.rules.video_permissions import may_watch, viewer_in
from appservice.core.sign_in_codes import CODE_SECONDS
from appservice.core.tokens import (
    Grant,
    GrantScope,
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
from appservice.store import Stores

SESSION_S = 3600
CACHE_S = 3.0
"""Seconds for which a result of the database is cached."""

_CACHE_SIZE = 20_000


class Access:
    """Issues and checks sessions and media grants; `clock` returns the time as `time.time` does."""

    def __init__(
        self,
        stores: Stores,
        key: bytes,
        permissions: Mapping[str, Level],
        *,
        clock: Callable[[], float] = time.time,
        cache_s: float = CACHE_S,
    ) -> None:
        self._stores = stores
        self._permissions = permissions
        self._key = key
        self._clock = clock
        self.generation = 0
        """How often what was cached has been invalidated."""
        # Requests that come at the same time share one query.
        cached = alru_cache(maxsize=_CACHE_SIZE, ttl=cache_s)
        self._viewers = cached(self._query_viewer)
        self._stages = cached(stores.videos.served_stage)
        self._own_stages = cached(stores.videos.served_stage_to)
        self._withheld_stages = cached(self._query_withheld_stage)
        self._videos = cached(self._query_video)

    @staticmethod
    def new_key() -> bytes:
        """Return a fresh signing key."""
        return secrets.token_bytes(32)

    async def _query_withheld_stage(self, video_id: VideoId, room_id: RoomId, user_id: UserId) -> str | None:
        room, video = await self._stores.rooms.room(room_id), await self._stores.videos.video(video_id)
        if room is None or video is None or video.room_id != room_id or not video.has_media or video.is_playable:
            return None
        viewer = viewer_in(room, user_id)
        if not may_watch(video, viewer) or await self._stores.members.member_key(room_id, video.sender) is None:
            return None
        return video.media.stage if await self._stores.videos.readable([video], user_id) else None

    async def _query_video(self, video_id: VideoId, room_id: RoomId, user_id: UserId) -> Video | None:
        video = await self._stores.videos.video(video_id)
        if video is None or video.room_id != room_id or not video.has_media:
            return None
        if not video.is_playable and await self.withheld_stage(video_id, room_id, user_id) is None:
            return None
        return video if await self._stores.videos.readable([video], user_id) else None

    def invalidate(self) -> None:
        """Query the database again from now on: somebody left, or a video was hidden."""
        self.generation += 1
        for cache in (self._viewers, self._stages, self._own_stages, self._withheld_stages, self._videos):
            cache.cache_clear()

    async def _query_viewer(self, scope: GrantScope) -> tuple[RoomId, UserId] | None:
        viewer = await self._stores.members.viewer(scope)
        if viewer is not None and not may_use(viewer[1], self._permissions):
            return None
        if viewer is None or not scope.sign_in or await self._stores.sign_ins.is_signed_in(scope.sign_in, *viewer):
            return viewer
        return None

    def open_session(self, user_id: UserId, room_id: RoomId, sign_in: int = 0) -> tuple[str, Session]:
        """Return a token and the session that it stands for; `sign_in`: the browser's sign-in that began it.

        Raises ForbiddenError for whom the configuration blocks.
        """
        self._check_permitted(user_id)
        session = Session(user_id, room_id, int((self._clock() + SESSION_S) * 1000), sign_in)
        return issue_session(self._key, session), session

    def session(self, authorization: str | None) -> Session:
        """Return the session of an `Authorization: Bearer` header. Raises UnknownTokenError."""
        scheme, _, token = (authorization or "").partition(" ")
        session = read_session(self._key, token, int(self._clock() * 1000)) if scheme.lower() == "bearer" else None
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
        signed_out = session.sign_in and not await self._stores.sign_ins.is_signed_in(
            session.sign_in, session.room_id, session.user_id
        )
        if signed_out:
            raise UnknownTokenError("This browser is signed out.")
        key = (
            await self._stores.members.member_key(session.room_id, session.user_id)
            if session.room_id == room_id
            else None
        )
        if key is None:
            raise ForbiddenError("You are not a member of this room.")
        return key

    def new_secret(self) -> str:
        """Return a secret for a browser that shall be signed in."""
        return issue_secret(self._key, int(self._clock()) + CODE_SECONDS)

    async def signed_in(self, secret: str, room_id: RoomId) -> tuple[int, UserId] | None:
        """Return by which sign-in, and as whom, a browser's secret lets it in; None while its code may still be sent.

        Raises UnknownTokenError for any other secret.
        """
        ends = secret_expiry(self._key, secret)
        known = await self._stores.sign_ins.sign_in(secret_hash(secret), room_id) if ends else None
        if known and known.user_id:
            return known.key, known.user_id
        # The same where nothing waits for the code: a stranger does not learn which rooms there are.
        if ends is None or ends < self._clock():
            raise UnknownTokenError("The sign-in has ended or is not ours. Ask for a new code.")
        return None

    def grant(self, scope: GrantScope) -> Grant:
        """Mint a media grant; the membership must just have been checked."""
        expires_s = grant_expiry(self._clock())
        return Grant(issue_grant(self._key, scope, expires_s), expires_s * 1000)

    async def viewer(self, grant: str, scope: str) -> tuple[GrantScope, RoomId, UserId]:
        """Return what the parts of a media path open, and to whom. Raises ForbiddenError where that is nothing."""
        opened = read_grant(self._key, grant, scope, self._clock())
        viewer = await self._viewers(opened) if opened else None
        if opened is None or viewer is None:
            raise ForbiddenError("This address has expired or is no longer yours. Fetch the room again.")
        return opened, *viewer

    async def served_stage(self, video_id: VideoId, room_id: RoomId, user_id: UserId) -> str | None:
        """Return the stage of a video that a viewer of the room may be served now, None when there is none."""
        stage = await self._stages(video_id, room_id)
        stage = stage or await self._own_stages(video_id, room_id, user_id)
        return stage or await self.withheld_stage(video_id, room_id, user_id)

    async def withheld_stage(self, video_id: VideoId, room_id: RoomId, user_id: UserId) -> str | None:
        """Return the stage of a held or hidden video on which the viewer decides, None when there is none."""
        return await self._withheld_stages(video_id, room_id, user_id)

    async def video(self, video_id: VideoId, room_id: RoomId, user_id: UserId) -> Video | None:
        """Return a video of the room that a viewer may watch now, cached for some seconds; None when there is none."""
        return await self._videos(video_id, room_id, user_id)
