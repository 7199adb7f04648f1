"""Playlists, segments, posters and avatars below `/media/{exp}.{sig}/{scope}/`."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import aiohttp
from aiohttp import web

from appservice.config import Serve
from appservice.core.errors import ForbiddenError, GoneError, NotFoundError
from appservice.core.model import History, RoomId, UserId, Video, VideoId
from appservice.core.tokens import GrantScope
from appservice.core.web.reels import (
    CHANNEL_KEY,
    EVERYBODY_KEY,
    Reel,
    build_reel,
    channel,
    for_all,
    keys_of_turns,
    refreshed,
    revision_of,
    taking_turns,
    together,
    video_playlists,
)
from appservice.matrix.discovery import read_limited
from appservice.media.concatenated import Whole
from appservice.media.stored import StoredFile, decrypted_file, plain_file
from appservice.web.context import CONTEXT, Context
from appservice.web.limits import COUNTED, Limit, address_of
from appservice.web.media_paths import (
    ACCESS,
    FILE,
    IMMUTABLE,
    PLAYLIST,
    PLAYLIST_TYPE,
    REEL,
    REVISION,
    STAGE,
    TYPES,
    UUID,
    VIEWER,
)
from appservice.web.progressive import send
from appservice.web.ready import is_plain, ready_file
from appservice.web.storyboards import plays_same, storyboard_track
from transcode.hls.encryption import KEY
from transcode.hls.playlist import has_segment

_STAGE = rf"{VIEWER}/v/{{id:{UUID}}}/{{stage:{STAGE}}}"
_LIVE = {"Cache-Control": "private, no-cache"}
# Within the seconds for which an address holds; each request has its own access check.
_REDIRECT = {"Cache-Control": "private, no-store"}
_SECRET = {"Cache-Control": "private, no-store"}
_AVATAR_PX = 96
_AVATAR_LIMIT = 1024 * 1024
_AVATAR_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})

# Three times what a segment plays, as the draft has it; players and proxies wait longer.
_HOLD_S = 6.0
_NUMBER = re.compile(r"[0-9]{1,9}")

# By their names; and whether they will get more segments.
_Playlists: TypeAlias = tuple[Mapping[str, str], bool]

routes = web.RouteTableDef()


async def _open(request: web.Request) -> tuple[Context, GrantScope, RoomId, UserId]:
    context = request.app[CONTEXT]
    try:
        grant, viewer = request.match_info["grant"], request.match_info["scope"]
        scope, room_id, user_id = await context.access.viewer(grant, viewer)
    except ForbiddenError:
        context.limits.count(Limit.PUBLIC, address_of(request, context.config.web.trusted_proxies))
        raise
    if COUNTED not in request:
        context.limits.count(Limit.MEDIA, f"{scope.room_key}.{scope.member_key}")
    return context, scope, room_id, user_id


@routes.get(VIEWER + rf"/reel/{{key:{REEL}}}/{{revision:{REVISION}}}/{{name:{PLAYLIST}}}")
async def reel_playlist(request: web.Request) -> web.Response:
    """Return a playlist of a reel's revision. Raises GoneError when the reel plays something else by now."""
    context, scope, room_id, user_id = await _open(request)
    key, revision = request.match_info["key"], request.match_info["revision"]
    # Of a reel with videos that not every member may see there is one for each viewer.
    own = f"{key}@{scope.member_key}"

    async def now() -> _Playlists:
        cache_key = key
        reel = context.reels.get(scope.room_key, key, revision)
        if reel is None:
            cache_key, reel = own, context.reels.get(scope.room_key, own, revision)
        if reel is None:
            videos = await _listed(context, room_id, key, user_id)
            cache_key = key if all(video.arrival.history is History.SHARED for video in videos) else own
            reel = _build(videos, revision)
            context.reels.put(scope.room_key, cache_key, reel)
        elif reel.videos is not None:
            reel = await _refreshed(context, room_id, reel, reel.videos)
            context.reels.put(scope.room_key, cache_key, reel)
        return reel.playlists, reel.videos is not None

    return await _held(request, context, room_id, now)


async def _held(
    request: web.Request, context: Context, room_id: RoomId, now: Callable[[], Awaitable[_Playlists]]
) -> web.Response:
    """Return one of the playlists that there are `now`; a live one not before it has the segment requested.

    After some seconds it is returned as it is. What is not a number is ignored.
    """
    name, requested = request.match_info["name"], request.query.get("_HLS_msn", "")
    until = asyncio.get_running_loop().time() + _HOLD_S
    with context.hub.more_segments(room_id) as appended:
        while True:
            appended.clear()
            playlists, is_live = await now()
            waits = is_live and name in playlists and _NUMBER.fullmatch(requested) and not context.hub.has_ended
            if not waits or has_segment(playlists[name], int(requested)):
                break
            try:
                async with asyncio.timeout_at(until):
                    await appended.wait()
            except TimeoutError:
                break
    return playlist_response(playlists, name, _LIVE if is_live else IMMUTABLE)


def _build(videos: Sequence[Video], revision: str) -> Reel:
    if not videos or revision_of(videos) != revision:
        raise GoneError("The reel has changed. Fetch the room again.")
    return build_reel(videos)


async def _refreshed(context: Context, room_id: RoomId, known: Reel, videos: Sequence[Video]) -> Reel:
    then, now = videos[-1], await context.stores.videos.video(videos[-1].id)
    if now and now.room_id != room_id:
        now = None
    if now and now.is_playable and (now.media.stage, now.media.available) == (then.media.stage, then.media.available):
        return known
    reel = refreshed(videos, now)
    if reel is None:
        raise GoneError("The reel has changed. Fetch the room again.")
    return reel


async def _listed(context: Context, room_id: RoomId, key: str, user_id: UserId) -> list[Video]:
    keys = None if key in {CHANNEL_KEY, EVERYBODY_KEY} else keys_of_turns(key)
    members = await context.stores.members.joined_members(room_id)
    videos = await context.stores.videos.room_videos(room_id)
    if key == CHANNEL_KEY:
        return channel(for_all(videos, members))
    videos = await context.stores.videos.readable(videos, user_id)
    people = [member for member in members if member.user_id != context.config.bot]
    in_turn = taking_turns(people, keys)
    if keys and len(in_turn) < len(keys):
        return []  # somebody has left, or was never there
    return together(videos, [member.user_id for member in in_turn])


def playlist_response(playlists: Mapping[str, str], name: str, headers: Mapping[str, str]) -> web.Response:
    """Return one of the playlists. Raises NotFoundError when there is none of that name."""
    if name not in playlists:
        raise NotFoundError("There is no such playlist.")
    return web.Response(text=playlists[name], content_type=PLAYLIST_TYPE, headers=headers)


@routes.get(_STAGE + rf"/{{name:{PLAYLIST}}}")
async def video_playlist(request: web.Request) -> web.Response:
    """Return a playlist of one video. Raises GoneError when another stage of it is served by now."""
    context, _, room_id, user_id = await _open(request)

    async def now() -> _Playlists:
        video = await _served_video(request, context, room_id, user_id)
        return video_playlists(video), video.is_in_progress

    return await _held(request, context, room_id, now)


@routes.get(_STAGE + "/storyboard.vtt")
async def storyboard(request: web.Request) -> web.Response:
    """Return which part of the sprite sheet to show when (WebVTT). Raises GoneError as `video_playlist`."""
    context, _, room_id, user_id = await _open(request)
    video = await _served_video(request, context, room_id, user_id, of_media=True)
    return storyboard_track(video, request.match_info["stage"], IMMUTABLE)


async def _served_video(
    request: web.Request, context: Context, room_id: RoomId, user_id: UserId, *, of_media: bool = False
) -> Video:
    """Return a video whose stage a path names, or with `of_media` an earlier one of the same media."""
    video = await context.stores.videos.video(VideoId(request.match_info["id"]))
    if video is None or video.room_id != room_id or not video.has_media:
        raise NotFoundError("There is no such video.")
    if not video.is_playable and await context.access.withheld_stage(video.id, room_id, user_id) is None:
        raise NotFoundError("There is no such video.")
    if not await context.stores.videos.readable([video], user_id):
        raise NotFoundError("There is no such video.")
    stage = request.match_info["stage"]
    if video.media.stage != stage and not (of_media and plays_same(video, stage)):
        raise GoneError("The video has changed. Fetch the room again.")
    return video


@routes.get(_STAGE + f"/{KEY}")
async def stage_key(request: web.Request) -> web.Response:
    """Return the key of a stage whose segments are encrypted (RFC 8216, 4.3.2.4), to whom these are served."""
    context, video_id, _ = await open_video(request)
    key = await context.media_keys.key_of(video_id, request.match_info["stage"])
    if key is None:
        raise NotFoundError("There is no such key.")
    return web.Response(body=key, content_type="application/octet-stream", headers=_SECRET)


@routes.get(VIEWER + rf"/v/{{id:{UUID}}}/access")
async def video_access(request: web.Request) -> web.Response:
    """Return 204 where the viewer may be served a video's files now, for a proxy that sends them from the disk itself.

    Raises ForbiddenError for all others: what exactly is wrong, the file's own route says.
    """
    try:
        await open_video(request)
    except NotFoundError as error:
        raise ForbiddenError("There is no such video.") from error
    return web.Response(status=204, headers=ACCESS)


@routes.get(_STAGE + rf"/{{name:{FILE}}}")
async def video_file(request: web.Request) -> web.StreamResponse:
    """Return a file of a video that may be seen now: media or initialization segment, image, captions or preview."""
    context, video_id, still = await open_video(request)
    stage, name = request.match_info["stage"], request.match_info["name"]
    # Segments are decrypted by the player.
    key = None if "/" in name else await context.media_keys.key_of(video_id, stage)
    if key is None:
        if address := await _address(context, video_id, stage, name):
            return web.Response(status=302, headers={**_REDIRECT, "Location": address})
        if is_plain(request):
            return ready_file(await context.files.hot(video_id, stage, name))
        return await file_response(context, request, video_id, IMMUTABLE)
    path = await context.files.local(video_id, stage, name)
    try:
        whole = Whole(b"", [await asyncio.to_thread(_decrypted, path, key)])
    except OSError as error:
        raise NotFoundError("There is no such file.") from error
    return await send(request, whole, f"{stage}-{name}", {**IMMUTABLE, "Content-Type": TYPES[path.suffix]}, still)


async def _address(context: Context, video_id: VideoId, stage: str, name: str) -> str | None:
    """Return where the viewer gets a file without us; None where they get it from us."""
    serve = context.config.storage.serve
    if serve is Serve.PROXY:
        return None
    encrypted = serve is Serve.CDN and "/" in name and await context.media_keys.key_of(video_id, stage) is not None
    return await context.files.address(video_id, stage, name, encrypted=encrypted)


def _decrypted(path: Path, key: bytes) -> StoredFile:
    return decrypted_file(plain_file(path), key)


async def open_video(request: web.Request) -> tuple[Context, VideoId, Callable[[], Awaitable[object]]]:
    """Return the video of a path, and how to see whether it may still be served. Raises NotFoundError."""
    context, _, room_id, user_id = await _open(request)
    video_id = VideoId(request.match_info["id"])

    async def still() -> str | None:
        return await context.access.served_stage(video_id, room_id, user_id)

    if await still() is None:
        raise NotFoundError("There is no such video.")
    return context, video_id, still


async def file_response(
    context: Context, request: web.Request, video_id: VideoId, headers: Mapping[str, str]
) -> web.FileResponse:
    """Return the file of a path's `stage` and `name` as it is on disk. Raises NotFoundError when it is not there."""
    path = await context.files.local(video_id, request.match_info["stage"], request.match_info["name"])
    # An earlier stage plays on for those who have its playlist, until it is swept; then this is a 404.
    return web.FileResponse(path, headers={**headers, "Content-Type": TYPES[path.suffix]})


@routes.get(VIEWER + r"/avatar/{key:\d{1,18}}")
async def avatar(request: web.Request) -> web.Response:
    """Return a member's avatar as a thumbnail, fetched from the homeserver for the viewer."""
    context, scope, _, _ = await _open(request)
    mxc = await context.stores.members.avatar(scope, int(request.match_info["key"]))
    return await avatar_image(context, mxc, IMMUTABLE)


async def avatar_image(context: Context, mxc: str | None, headers: Mapping[str, str]) -> web.Response:
    """Return an avatar by its content URI. Raises NotFoundError where there is none that can be shown."""
    if mxc is None:
        raise NotFoundError("There is no avatar.")
    try:
        async with context.session.get(
            context.homeserver.thumbnail_url(mxc, _AVATAR_PX), headers=context.homeserver.media_headers
        ) as response:
            if response.status != 200 or response.content_type not in _AVATAR_TYPES:
                raise NotFoundError("There is no avatar that can be shown.")
            body = await read_limited(response, _AVATAR_LIMIT)
            return web.Response(body=body, content_type=response.content_type, headers=headers)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise NotFoundError("The avatar cannot be had from the homeserver.") from error
