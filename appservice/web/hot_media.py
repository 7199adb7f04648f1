"""What is requested most of media, before aiohttp's router: cached playlists and files, for whoever may have them.

Rights are checked as in the routes of `media`. Whatever is in any way special (a condition, a range, an error, what is
not cached) is left to these.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial

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
# What is made of a video leaves the memory within ten seconds of its deletion.
_PLAYLISTS_S, _MOST_PLAYLISTS = 8.0, 64
# Beyond the seconds for which `access` caches what it queried.
_PASSES_S, _MOST_PASSES = 2.0, 20_000


@dataclass(frozen=True, slots=True)
class _Stage:
    """A video's stage that is not in progress: what is in it never changes."""

    video_id: VideoId
    stage: str
    state: State
    video: Video = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Pass:
    """That the viewer of a path may have it, by what was known when the caches of `access` were of a generation."""

    generation: int
    expires_s: int
    member: str
    respond: Callable[[], Ready | None]


class HotMedia:
    """Answers what it can, and leaves the rest to the routes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._playlists = alru_cache(maxsize=_MOST_PLAYLISTS, ttl=_PLAYLISTS_S)(_playlists)
        # By whole paths: a viewer's grant is in them, and so nobody has another's. All end together.
        self._passes: dict[str, _Pass] = {}

    def before(self, routes: Handler) -> Handler:
        """Return a handler of all requests that calls `routes` for what is not answered here."""

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            path = request.raw_path
            if not path.startswith("/media/") or self._context.vitals.is_draining:
                return await routes(request)  # the routes close the connections of a process that is to stop
            if request.method in _METHODS and is_plain(request):
                response = self._pass(path) or await self._respond(request)
                if response is not None:
                    return response
            return await routes(request)

        return handle

    def _pass(self, path: str) -> Ready | None:
        known = self._passes.get(path)
        if known is None or known.generation != self._context.access.generation or time.time() >= known.expires_s:
            return None
        response = known.respond()
        if response is not None:
            try:
                self._context.limits.count(Limit.MEDIA, known.member)
            except RequestError:
                return None
        return response

    async def _respond(self, request: web.BaseRequest) -> Ready | None:
        found = _PATH.fullmatch(request.raw_path)
        if found is None:
            return None
        grant, scope, video, stage, playlist, name, key, revision, reel_playlist = found.groups()
        if name and self._context.files.held(VideoId(video), stage, name) is None:
            return None
        generation = self._context.access.generation
        try:
            opened, room_id, user_id = await self._context.access.viewer(grant, scope)
            member = f"{opened.room_key}.{opened.member_key}"
            self._context.limits.count(Limit.MEDIA, member)
            request[COUNTED] = True
            respond: Callable[[], Ready | None] | None
            if key:
                # Looked up each time: what `reels` lets go of is held by nobody.
                respond = partial(self._reel, opened, key, revision, reel_playlist)
            elif playlist:
                respond = await self._playlist(VideoId(video), room_id, user_id, stage, playlist)
            elif not await self._context.access.served_stage(VideoId(video), room_id, user_id):
                return None
            else:
                respond = partial(self._file, VideoId(video), stage, name)
        except RequestError:
            return None  # its route finds the same, and says so
        if respond is None:
            return None
        response = respond()
        if response is not None:
            self._let_pass(request.raw_path, _Pass(generation, int(grant.partition(".")[0]), member, respond))
        return response

    def _let_pass(self, path: str, known: _Pass) -> None:
        if not self._passes:
            asyncio.get_running_loop().call_later(_PASSES_S, self._passes.clear)
        if len(self._passes) < _MOST_PASSES:
            self._passes[path] = known

    def _file(self, video_id: VideoId, stage: str, name: str) -> Ready | None:
        file = self._context.files.held(video_id, stage, name)
        return ready_file(file) if file else None

    async def _playlist(
        self, video_id: VideoId, room_id: RoomId, user_id: UserId, stage: str, name: str
    ) -> Callable[[], Ready] | None:
        video = await self._context.access.video(video_id, room_id, user_id)
        if video is None or video.media.stage != stage or video.is_in_progress:
            return None
        body = (await self._playlists(_Stage(video_id, stage, video.state, video))).get(name)
        return None if body is None else partial(Ready, _playlist_head(len(body)), body)

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
