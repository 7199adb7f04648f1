"""Members' public pages `/u/{user_id}`: what they publish, as HTML, as data, and its media.

Every request, of a segment too, is checked against the database: what is taken back is gone with the next one. Whoever
shows nothing, is unknown, or cannot be, gets one and the same answer.
"""

import asyncio
import hashlib
from datetime import UTC, datetime
from functools import partial

import jinja2
from aiohttp import web
from pydantic import BaseModel

from appservice import resources
from appservice.errors import GoneError, NotFoundError
from appservice.model import PublicMember, UserId, Video, VideoId
from appservice.texts import LANGUAGES, Texts, preferred_language
from appservice.web.context import CONTEXT
from appservice.web.media import avatar_picture, file_answer, playlist_answer, storyboard_track
from appservice.web.member import (
    PublicMemberView,
    machine_length,
    member_path,
    member_view,
    progressive,
    spoken_length,
)
from appservice.web.page import POLICY, Entry, read_entry, template
from appservice.web.progressive import send
from appservice.web.reels import build_reel, revision_of
from appservice.whole import whole_of

_ENTRY = "src/page.tsx"
# Neither a shared cache nor a browser answers in our place; a search engine does not keep it.
_HEADERS = {
    "Cache-Control": "private, no-cache",
    "X-Robots-Tag": "noindex",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_PAGE_HEADERS = {
    **_HEADERS,
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "Vary": "Accept-Language",
}
_USER = "/u/{user_id:[^/]+}"
_VIDEO = _USER + "/v/{id:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}}/{stage:[a-z0-9-]{1,40}}"

routes = web.RouteTableDef()


def _user(request: web.Request) -> UserId:
    return UserId(request.match_info["user_id"])


async def _member(request: web.Request) -> PublicMember:
    member = await request.app[CONTEXT].public.member(_user(request))
    if member is None:
        raise NotFoundError("There is nothing here.")
    return member


async def _video(request: web.Request) -> Video:
    video = await request.app[CONTEXT].public.video(_user(request), VideoId(request.match_info["id"]))
    if video is None:
        raise NotFoundError("There is nothing here.")
    return video


class _Pages:
    """The pages in each language."""

    def __init__(self, entry: Entry, page: jinja2.Template) -> None:
        self._entry = entry
        self._page = page
        self._texts = {language: Texts(resources.locales(), language) for language in LANGUAGES}

    def render(self, language: str, root: str, view: PublicMemberView | None) -> str:
        """Render a member's page; without one, the page that says that there is nothing."""
        return self._page.render(
            lang=language,
            say=partial(_say, self._texts[language]),
            entry=self._entry,
            root=root,
            path=member_path(UserId(view.user_id)) if view else "",
            member=view,
            data=view.model_dump() if view else None,
            date=lambda moment: datetime.fromtimestamp(moment / 1000, UTC),
            spoken_length=spoken_length,
            machine_length=machine_length,
        )


def _say(texts: Texts, message_id: str, **arguments: object) -> str:
    return texts.say(message_id, arguments)


async def _show(pages: _Pages, request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    member = await context.public.member(_user(request))
    language = preferred_language(request.headers.get("Accept-Language", ""))
    html = pages.render(language, context.config.web.public_url, member_view(member) if member else None)
    return _kept(request, html.encode(), "text/html", status=200 if member else 404)


def _kept(request: web.Request, body: bytes, content_type: str, status: int = 200) -> web.Response:
    """Answer what the browser may keep, but has to ask about each time."""
    etag = hashlib.sha256(body).hexdigest()[:16]
    headers = {**_PAGE_HEADERS, "ETag": f'"{etag}"'}
    if status == 200 and any(known.value in {etag, "*"} for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, status=status, content_type=content_type, charset="utf-8", headers=headers)


@routes.get(_USER + "/reel.json")
async def reel_data(request: web.Request) -> web.Response:
    """Answer the page as data, so that it can be brought up to date."""
    view: BaseModel = member_view(await _member(request))
    return _kept(request, view.model_dump_json().encode(), "application/json")


@routes.get(_USER + r"/reel/{revision:[0-9a-f]{16}}/{name:(?:index|\d{1,5})\.m3u8}")
async def reel_playlist(request: web.Request) -> web.Response:
    """Answer a playlist of the reel as it is now. Raises GoneError for an earlier revision."""
    member = await _member(request)
    if revision_of(member.videos) != request.match_info["revision"]:
        raise GoneError("The reel has changed. Ask for the page again.")
    return playlist_answer(build_reel(member.videos, "../../").playlists, request.match_info["name"], _HEADERS)


@routes.get(_VIDEO + "/storyboard.vtt")
async def storyboard(request: web.Request) -> web.Response:
    """Answer which part of the storyboard's picture to show when (WebVTT)."""
    return storyboard_track(await _video(request), _HEADERS)


@routes.get(_VIDEO + "/video.mp4")
async def video_file(request: web.Request) -> web.StreamResponse:
    """Answer a video as one file, for players that know no playlists. It ends when the video is taken back."""
    context, video = request.app[CONTEXT], await _video(request)
    stage = request.match_info["stage"]
    if video.stage != stage:
        raise NotFoundError("There is nothing here.")
    rendition = progressive(video.renditions)
    folder = context.files.path(video.id, stage, f"{rendition.name}/init.mp4").parent
    whole = await asyncio.to_thread(whole_of, folder, rendition)
    headers = {**_HEADERS, "Content-Type": "video/mp4"}
    # A stage's name is never used again, and what is in it stays as it is.
    etag = f"{stage}-{rendition.name}-{whole.size}"
    return await send(request, whole, etag, headers, lambda: context.public.video(video.sender, video.id))


@routes.get(_VIDEO + "/{name:[a-z0-9./]{1,60}}")
async def media_file(request: web.Request) -> web.StreamResponse:
    """Answer a segment, an initialization segment or a picture."""
    video = await _video(request)
    return await file_answer(request.app[CONTEXT], request, video.id, _HEADERS)


@routes.get(_USER + "/avatar")
async def avatar(request: web.Request) -> web.Response:
    """Answer the member's avatar as a small picture."""
    member = await _member(request)
    return await avatar_picture(request.app[CONTEXT], member.avatar_mxc, _HEADERS)


def add_public_pages(app: web.Application) -> None:
    """Serve all of it. Raises ConfigError when the page was not built."""
    entry = read_entry(resources.widget_assets(), _ENTRY)
    app.router.add_get(_USER, partial(_show, _Pages(entry, template(resources.templates(), "member.html"))))
    app.router.add_routes(routes)
