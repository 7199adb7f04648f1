"""Members' public pages `/u/{user_id}`: what they publish, as HTML, as data, and its media.

Every request, of a segment too, is checked against the database: what is taken back is gone with the next one. Whoever
shows nothing, is unknown, or cannot be, gets one and the same response.
"""

import asyncio
import contextlib
import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import jinja2
from aiohttp import web

from appservice import resources
from appservice.core.errors import GoneError, NotFoundError
from appservice.core.languages import LANGUAGES
from appservice.core.model import PublicMember, UserId, Video, VideoId
from appservice.core.web.bytes_cache import BytesCache
from appservice.core.web.member_page import (
    PublicMemberView,
    PublicVideoView,
    machine_length,
    member_path,
    member_view,
    progressive,
    spoken_length,
)
from appservice.core.web.reels import build_reel
from appservice.i18n import Texts, preferred_language
from appservice.media.concatenated import Whole, whole_of
from appservice.media.reading import reading
from appservice.media.storage import MediaStore
from appservice.store import PublicStore
from appservice.web.context import CONTEXT
from appservice.web.media import avatar_image, file_response, playlist_response
from appservice.web.media_paths import FILE, PLAYLIST, REVISION, STAGE, UUID
from appservice.web.page import POLICY, SOON, Entry, read_entry, template
from appservice.web.progressive import send
from appservice.web.storyboards import plays_same, storyboard_track
from transcode.hls.playlist import Rendition

_ENTRY = "src/page.tsx"
_CACHE_BYTES = 64 * 1024 * 1024
_VIDEOS_OF_PAGE = 60
# From so many bytes on, a page is cached compressed as well. It holds no secret that its length could leak.
_COMPRESS = 4096
# Neither a shared cache nor a browser responds instead of us; a search engine does not index it.
_HEADERS = {
    "Cache-Control": "private, no-cache",
    "X-Robots-Tag": "noindex",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_PAGE_HEADERS = {
    **_HEADERS,
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "Vary": "Accept-Language, Accept-Encoding",
}
USER = "/u/{user_id:[^/]+}"
_VIDEO = USER + rf"/v/{{id:{UUID}}}/{{stage:{STAGE}}}"

routes = web.RouteTableDef()


def _user(request: web.Request) -> UserId:
    return UserId(request.match_info["user_id"])


async def public_video(request: web.Request) -> Video:
    """Return the video that a path names, where it is published. Raises NotFoundError."""
    video = await request.app[CONTEXT].stores.public.video(_user(request), VideoId(request.match_info["id"]))
    if video is None:
        raise NotFoundError("There is nothing here.")
    return video


class _Pages:
    """The pages in each language."""

    def __init__(self, entry: Entry, page: jinja2.Template) -> None:
        self._entry = entry
        self._page = page
        self._texts = {language: Texts(resources.locales(), language) for language in LANGUAGES}

    def render(self, language: str, root: str, view: PublicMemberView | None, number: int = 1) -> str:
        """Render one of the pages of a member's videos; without a member, the page that says that there is nothing.

        Its script gets its data with it only where they are all on one page; else it fetches them.
        """
        videos = view.videos if view else []
        begin = (number - 1) * _VIDEOS_OF_PAGE
        return self._page.render(
            lang=language,
            say=partial(_say, self._texts[language]),
            title_of=partial(_title, self._texts[language]),
            entry=self._entry,
            root=root,
            path=member_path(UserId(view.user_id)) if view else "",
            member=view,
            videos=videos[begin : begin + _VIDEOS_OF_PAGE],
            number=number,
            pages=pages_of(len(videos)),
            data=view.model_dump() if view and len(videos) <= _VIDEOS_OF_PAGE else None,
            date=lambda milliseconds: datetime.fromtimestamp(milliseconds / 1000, UTC),
            spoken_length=spoken_length,
            machine_length=machine_length,
        )


def pages_of(videos: int) -> int:
    """Return how many pages so many videos take."""
    return max(1, -(-videos // _VIDEOS_OF_PAGE))


def _say(texts: Texts, message_id: str, **arguments: object) -> str:
    return texts.say(message_id, arguments)


def _title(texts: Texts, video: PublicVideoView) -> str:
    return texts.title(video.title, video.kind, video.created_at)


@dataclass(frozen=True, slots=True)
class _Page:
    """Something of a member's page in one revision of what they publish."""

    revision: str
    etag: str
    body: bytes
    zipped: bytes | None = None


class PageCache:
    """What was made of members' pages lately: a page of thousands of videos takes a second, and anybody may request it.

    Whether it is still what they publish is queried from the database each time.
    """

    def __init__(self, total: int = _CACHE_BYTES, per_member: int = _CACHE_BYTES // 4) -> None:
        self._pages: BytesCache[str, _Page] = BytesCache(total, per_member)
        # One at a time: the same page is not made for each of those who request it at once.
        self._making = asyncio.Lock()

    async def page(
        self, store: PublicStore, user_id: UserId, kind: str, make: Callable[[PublicMember], str]
    ) -> _Page | None:
        """Return a member's page of some kind, made when it was not or is not what they publish; None for nothing."""
        revision = await store.revision(user_id)
        if revision is None:
            return None
        if cached := self._cached(user_id, kind, revision):
            return cached
        async with self._making:
            if cached := self._cached(user_id, kind, revision):
                return cached
            member = await store.member(user_id)
            if member is None:
                return None
            page = await asyncio.to_thread(_made, revision, make, member)
            if await store.revision(user_id) == revision:  # else the body may be of a later one
                self._pages.put(user_id, kind, page, len(page.body) + len(page.zipped or b""))
            return page

    def _cached(self, user_id: UserId, kind: str, revision: str) -> _Page | None:
        cached = self._pages.get(user_id, kind)
        return cached if cached and cached.revision == revision else None


def _made(revision: str, make: Callable[[PublicMember], str], member: PublicMember) -> _Page:
    body = make(member).encode()
    zipped = gzip.compress(body, 6) if len(body) > _COMPRESS else None
    return _Page(revision, hashlib.sha256(body).hexdigest()[:16], body, zipped)


PAGES = web.AppKey("pages", PageCache)


async def _page(request: web.Request, kind: str, make: Callable[[PublicMember], str]) -> _Page | None:
    return await request.app[PAGES].page(request.app[CONTEXT].stores.public, _user(request), kind, make)


async def _show(pages: _Pages, request: web.Request) -> web.Response:
    language = preferred_language(request.headers.get("Accept-Language", ""))
    root = request.app[CONTEXT].config.web.public_url
    number = await _number(request)
    page = await _page(
        request, f"{language} {number}", lambda member: pages.render(language, root, member_view(member), number)
    )
    if page is None:
        return _page_response(request, _page_of(pages.render(language, root, None)), "text/html", status=404)
    return _page_response(request, page, "text/html")


async def _number(request: web.Request) -> int:
    """Return which of the member's pages is requested; the last one where there are not so many."""
    page = request.query.get("page", "1")
    if not (page.isascii() and page.isdecimal()) or page == "1":
        return 1
    count = await _page(request, "pages", lambda member: str(pages_of(len(member.videos))))
    # Before anything is made or cached for it: there are as many as the member has.
    return max(1, min(int(page), int(count.body) if count else 1))


def _page_of(text: str) -> _Page:
    body = text.encode()
    return _Page("", hashlib.sha256(body).hexdigest()[:16], body)


def _page_response(request: web.Request, page: _Page, content_type: str, status: int = 200) -> web.Response:
    """Return what the browser may cache, but has to revalidate each time."""
    body, etag, headers = page.body, page.etag, dict(_PAGE_HEADERS)
    if page.zipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        # Another representation has another tag (RFC 9110, 8.8.3.3).
        body, etag, headers["Content-Encoding"] = page.zipped, f"{page.etag}-gzip", "gzip"
    headers["ETag"] = f'"{etag}"'
    if status == 200 and any(known.value in {etag, "*"} for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, status=status, content_type=content_type, charset="utf-8", headers=headers)


@routes.get(USER + "/reel.json")
async def reel_data(request: web.Request) -> web.Response:
    """Return the page as data, so that it can be brought up to date."""
    page = await _page(request, "data", lambda member: member_view(member).model_dump_json())
    if page is None:
        raise NotFoundError("There is nothing here.")
    return _page_response(request, page, "application/json")


@routes.get(USER + rf"/reel/{{revision:{REVISION}}}/{{name:{PLAYLIST}}}")
async def reel_playlist(request: web.Request) -> web.Response:
    """Return a playlist of the reel as it is now. Raises GoneError for an earlier revision."""
    page = await _page(request, "reel", _playlists)
    reel = json.loads(page.body) if page else None
    if reel is None:
        raise NotFoundError("There is nothing here.")
    if reel["revision"] != request.match_info["revision"]:
        raise GoneError("The reel has changed. Fetch the page again.")
    return playlist_response(reel["playlists"], request.match_info["name"], _HEADERS)


def _playlists(member: PublicMember) -> str:
    reel = build_reel(member.videos, "../../")
    return json.dumps({"revision": reel.revision, "playlists": reel.playlists})


@routes.get(_VIDEO + "/storyboard.vtt")
async def storyboard(request: web.Request) -> web.Response:
    """Return which part of the storyboard's sprite sheet to show when (WebVTT)."""
    return storyboard_track(await public_video(request), request.match_info["stage"], _HEADERS)


@routes.get(_VIDEO + "/video.mp4")
async def video_file(request: web.Request) -> web.StreamResponse:
    """Send a video as one file, for players that know no playlists. It ends when the video is taken back."""
    context, video = request.app[CONTEXT], await public_video(request)
    stage = request.match_info["stage"]
    # Who plays an earlier stage goes on in it until it is swept; that of an edit has other media, and another index.
    if not plays_same(video, stage):
        raise NotFoundError("There is nothing here.")
    rendition, whole = await _whole(context.files, video, stage)
    headers = {**_HEADERS, "Content-Type": "video/mp4"}
    # A stage's name is never used again, and what is in it stays as it is.
    etag = f"{stage}-{rendition.name}-{whole.size}"
    return await send(request, whole, etag, headers, lambda: context.stores.public.video(video.sender, video.id))


async def _whole(files: MediaStore, video: Video, stage: str) -> tuple[Rendition, Whole]:
    """Put the files together of the first rendition that a stage has all of, and no more. Raises NotFoundError."""
    for rendition in progressive(video.media.renditions):
        with contextlib.suppress(NotFoundError):
            there = await files.rendition(video.id, stage, rendition.name)
            if f"{len(rendition.durations)}.m4s" not in there:
                return rendition, await reading(whole_of, there, rendition)
    raise NotFoundError("There is nothing here.")


@routes.get(_VIDEO + rf"/{{name:{FILE}}}")
async def media_file(request: web.Request) -> web.StreamResponse:
    """Return a media segment, an initialization segment or an image."""
    video = await public_video(request)
    return await file_response(request.app[CONTEXT], request, video.id, _HEADERS)


@routes.get(USER + "/avatar")
async def avatar(request: web.Request) -> web.Response:
    """Return the member's avatar as a thumbnail."""
    page = await _page(request, "avatar", lambda member: member.avatar_mxc or "")
    if page is None:
        raise NotFoundError("There is nothing here.")
    return await avatar_image(request.app[CONTEXT], page.body.decode() or None, _HEADERS)


def add_public_pages(app: web.Application) -> None:
    """Serve all of it. Raises ConfigError when the page was not built."""
    entry = read_entry(resources.widget_assets(), _ENTRY, SOON)
    app[PAGES] = PageCache()
    app.router.add_get(USER, partial(_show, _Pages(entry, template(resources.templates(), "member.html"))))
    app.router.add_routes(routes)
