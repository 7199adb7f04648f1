"""What is requested most of media, before aiohttp's router: cached playlists and files, for whoever may have them.

Rights are checked as in the routes of `media`. Whatever is in any way special (a condition, a range, an error, what is
not cached) is left to these.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from aiohttp import web
from async_lru import alru_cache

from appservice.core.errors import RequestError
from appservice.core.model import RoomId, State, UserId, Video, VideoId
from appservice.core.tokens import GrantScope
from appservice.core.web.reels import video_playlists
from appservice.web.connections import Handler
from appservice.web.context import Context
from appservice.web.limits import COUNTED, Limit
from appservice.web.media_paths import (
    ACCESS,
    FILE,
    GRANT,
    IMMUTABLE,
    PLAYLIST,
    PLAYLIST_TYPE,
    REEL,
    REVISION,
    SCOPE,
    STAGE,
    UUID,
)
from appservice.web.ready import Ready, head, is_plain, ready_file

_PATH = re.compile(
    rf"/media/({GRANT})/({SCOPE})/(?:v/({UUID})/({STAGE})/(?:({PLAYLIST})|({FILE}))|reel/({REEL})/({REVISION})/({PLAYLIST}))",
    re.ASCII,
)
_METHODS = frozenset({"GET", "HEAD"})
_ACCESS = head(ACCESS, None)
# What is made of a video leaves the memory within ten seconds of its deletion.
_PLAYLISTS_S, _MOST_PLAYLISTS = 8.0, 256


@dataclass(frozen=True, slots=True)
class _Stage:
    """A video's stage that is not in progress: what is in it never changes."""

    video_id: VideoId
    stage: str
    state: State
    video: Video = field(compare=False)


class HotMedia:
    """Answers what it can, and leaves the rest to the routes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._playlists = alru_cache(maxsize=_MOST_PLAYLISTS, ttl=_PLAYLISTS_S)(_playlists)

    def before(self, routes: Handler) -> Handler:
        """Return a handler of all requests that calls `routes` for what is not answered here."""

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            if request.raw_path.startswith("/media/"):
                response = await self._respond(request)
                if response is not None:
                    return response
            return await routes(request)

        return handle

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse | None:
        found = _PATH.fullmatch(request.raw_path) if request.method in _METHODS and is_plain(request) else None
        if found is None:
            return None
        grant, scope, video, stage, playlist, name, key, revision, reel_playlist = found.groups()
        try:
            if name:
                return await self._file(request, (grant, scope), VideoId(video), stage, name)
            opened, room_id, user_id = await self._open(request, grant, scope)
            if video and not stage:
                return await self._access(VideoId(video), room_id, user_id)
            if video:
                return await self._playlist(VideoId(video), room_id, user_id, stage, playlist)
            return self._reel(opened, key, revision, reel_playlist)
        except RequestError:
            return None  # its route finds the same, and says so

    async def _open(self, request: web.BaseRequest, grant: str, scope: str) -> tuple[GrantScope, RoomId, UserId]:
        viewer = await self._context.access.viewer(grant, scope)
        self._context.limits.count(Limit.MEDIA, f"{viewer[0].room_key}.{viewer[0].member_key}")
        request[COUNTED] = True
        return viewer

    async def _file(
        self, request: web.BaseRequest, grant: tuple[str, str], video_id: VideoId, stage: str, name: str
    ) -> Ready | None:
        file = self._context.files.held(video_id, stage, name)
        if file is None:
            return None
        _, room_id, user_id = await self._open(request, *grant)
        if await self._context.access.served_stage(video_id, room_id, user_id) is None:
            return None
        return ready_file(file)

    async def _access(self, video_id: VideoId, room_id: RoomId, user_id: UserId) -> Ready | None:
        stage = await self._context.access.served_stage(video_id, room_id, user_id)
        return Ready(_ACCESS, b"") if stage else None

    async def _playlist(
        self, video_id: VideoId, room_id: RoomId, user_id: UserId, stage: str, name: str
    ) -> Ready | None:
        video = await self._context.access.video(video_id, room_id, user_id)
        if video is None or video.media.stage != stage or video.is_in_progress:
            return None
        body = (await self._playlists(_Stage(video_id, stage, video.state, video))).get(name)
        return None if body is None else Ready(_playlist_head(len(body)), body)

    def _reel(self, scope: GrantScope, key: str, revision: str, name: str) -> Ready | None:
        reels = self._context.reels
        reel = reels.get(scope.room_key, key, revision) or reels.get(
            scope.room_key, f"{key}@{scope.member_key}", revision
        )
        if reel is None or reel.videos is not None or name not in reel.playlists:
            return None
        body = reel.playlists[name].encode()
        return Ready(_playlist_head(len(body)), body)


async def _playlists(stage: _Stage) -> Mapping[str, bytes]:
    return {name: text.encode() for name, text in video_playlists(stage.video).items()}


@lru_cache(maxsize=1024)
def _playlist_head(size: int) -> bytes:
    return head({**IMMUTABLE, "Content-Type": f"{PLAYLIST_TYPE}; charset=utf-8"}, size)
