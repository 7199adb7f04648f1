"""What members and moderators do with videos: change, delete with undo, order, report."""

from typing import Annotated, Literal

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, field_validator, model_validator

from appservice.core.errors import BadJsonError, ConflictError, ForbiddenError
from appservice.core.model import RoomId, UserId, Video, VideoId, Visibility
from appservice.core.rules.video_permissions import (
    UNDO_S,
    Change,
    check_delete,
    check_restore,
    managed,
    may_order,
    reordered,
)
from appservice.core.text.clean import MAX_REASON, MAX_TITLE, clean_text
from appservice.core.web.views import BlockedView, DeletedView, EmptyView, OrderView, ReportsView, video_view
from appservice.store import UnknownContentError
from appservice.web.caller import UUID, VIDEO, Caller
from appservice.web.requests import json_answer, read_body

log = structlog.get_logger()

_BODY = 4 * 1024
_ORDER_BODY = 512 * 1024

_VideoIdText = Annotated[StrictStr, Field(pattern=f"^{UUID}$")]

routes = web.RouteTableDef()


def _without_nul(value: str) -> str:
    """Return a text as it is. Raises ValueError for one that a program spoiled: nobody types NUL."""
    if "\x00" in value:
        raise ValueError("holds NUL, which no text has")
    return value


class ChangeRequest(BaseModel):
    """The body of `PATCH /api/v1/videos/{id}`: what is to become of it, and the version that was looked at."""

    model_config = ConfigDict(extra="forbid")
    title: StrictStr | None = Field(None, max_length=MAX_TITLE)
    visibility: Literal["shown", "hidden"] | None = None
    published: StrictBool | None = None
    video_avatar: StrictBool | None = None
    version: StrictInt | None = None

    @field_validator("title")
    @classmethod
    def _has_letters(cls, value: str | None) -> str | None:
        if value is None:
            return None
        tidy = clean_text(_without_nul(value))
        if tidy is None:
            raise ValueError("has nothing to see in it: write a title")
        return tidy

    @model_validator(mode="after")
    def _changes_something(self) -> "ChangeRequest":
        if self.model_fields_set <= {"version"}:
            raise ValueError("changes nothing")
        return self

    def change(self) -> Change:
        """Return it in the words of the core."""
        visibility = Visibility(self.visibility) if self.visibility else None
        return Change(self.title, visibility, self.published, self.video_avatar, self.version)


class OrderRequest(BaseModel):
    """The body of `PUT …/order`: all of a member's videos, and the order that the editor saw."""

    model_config = ConfigDict(extra="forbid")
    videos: list[_VideoIdText] = Field(max_length=10_000, json_schema_extra={"uniqueItems": True})
    base: list[_VideoIdText] | None = Field(None, max_length=10_000)


class ReasonRequest(BaseModel):
    """The body of `POST /api/v1/videos/{id}/report`, `…/reject` and `…/block`."""

    model_config = ConfigDict(extra="forbid")
    reason: StrictStr = Field("", max_length=MAX_REASON)

    @field_validator("reason")
    @classmethod
    def _is_one_line(cls, value: str) -> str:
        # It is read in a notice of ours: it must not bring lines of its own.
        return clean_text(_without_nul(value), MAX_REASON) or ""


async def _answer(caller: Caller, video: Video) -> web.Response:
    """Answer a video as the viewer sees it now."""
    members = await caller.context.stores.store.joined_members(caller.room.room_id)
    sender = next((member for member in members if member.user_id == video.sender), None)
    reports = await caller.context.stores.managing.reports(caller.room.room_id) if caller.viewer.moderates else None
    grant = caller.context.access.grant(caller.scope)
    is_avatar = sender is not None and sender.avatar_video == video.id
    return json_answer(video_view(video, caller.viewer, grant, is_avatar=is_avatar, reports=reports))


def _require_moderator(caller: Caller) -> None:
    """Raise ForbiddenError for members who are no moderators."""
    if not caller.viewer.moderates:
        raise ForbiddenError("Only the room's moderators may do this.")


def _changed(caller: Caller, what: str, video_id: VideoId) -> None:
    """Let nobody get an answer of before, and note who did it."""
    caller.context.access.forget()
    log.info(what, video_id=video_id, room_id=caller.room.room_id, user_id=caller.viewer.user_id)


@routes.patch(VIDEO)
async def patch_video(request: web.Request) -> web.Response:
    """Rename, hide, show or publish a video, or make it its sender's avatar. Raises ConflictError on an old version."""
    caller = await Caller.of(request)
    video = await caller.video(request)
    change = (await read_body(request, ChangeRequest, _BODY)).change()
    changed = await caller.context.stores.managing.change(
        video.id, caller.room.room_id, lambda now, worn: managed(now, change, caller.viewer, is_avatar=worn),
        by=caller.viewer.user_id,
    )  # fmt: skip
    _changed(caller, "video_changed", video.id)
    return await _answer(caller, changed)


@routes.delete(VIDEO)
async def delete_video(request: web.Request) -> web.Response:
    """Take a video from everybody; for some seconds it can be brought back, then its content is gone."""
    caller = await Caller.of(request)
    video = await caller.video(request)
    deleted_at = await caller.context.stores.managing.delete(
        video.id, caller.room.room_id, lambda now: check_delete(now, caller.viewer), by=caller.viewer.user_id
    )
    _changed(caller, "video_deleted", video.id)
    return _deleted(video, deleted_at)


def _deleted(video: Video, deleted_at: int) -> web.Response:
    return json_answer(DeletedView(id=video.id, undo_until=deleted_at + round(UNDO_S * 1000)))


@routes.post(VIDEO + "/restore")
async def restore_video(request: web.Request) -> web.Response:
    """Bring back a video that was deleted a moment ago. Raises GoneError when it is too late."""
    caller = await Caller.of(request)
    restored = await caller.context.stores.managing.restore(
        VideoId(request.match_info["id"]), caller.room.room_id, lambda now: check_restore(now, caller.viewer), UNDO_S,
        by=caller.viewer.user_id,
    )  # fmt: skip
    _changed(caller, "video_restored", restored.id)
    return await _answer(caller, restored)


@routes.put("/api/v1/rooms/{room_id}/members/{user_id}/order")
async def put_order(request: web.Request) -> web.Response:
    """Give a member's videos another order. Raises ConflictError when it is not what the editor saw any more."""
    caller = await Caller.of(request)
    if caller.room.room_id != RoomId(request.match_info["room_id"]):
        raise ForbiddenError("You are not a member of this room.")
    owner = UserId(request.match_info["user_id"])
    if not may_order(owner, caller.viewer, caller.room.settings):
        raise ForbiddenError("Only a member's own videos, or as a moderator, can be put into another order.")
    body = await read_body(request, OrderRequest, _ORDER_BODY)
    wanted = [VideoId(video) for video in body.videos]
    base = None if body.base is None else [VideoId(video) for video in body.base]
    strangers = await caller.context.stores.managing.not_of(caller.room.room_id, owner, wanted)
    if strangers:
        raise BadJsonError(f"Not a video of this member's: {strangers[0]}.")
    order = await caller.context.stores.managing.order(
        caller.room.room_id, owner, lambda current: reordered(current, wanted, base),
        by=caller.viewer.user_id,
    )  # fmt: skip
    return json_answer(OrderView(videos=[str(video) for video in order]))


@routes.post(VIDEO + "/report")
async def report_video(request: web.Request) -> web.Response:
    """Tell the room's moderators that something is wrong with a video."""
    caller = await Caller.of(request)
    video = await caller.video(request)
    if video.sender == caller.viewer.user_id:
        raise ForbiddenError("You need not report your own video: delete it.")
    body = await read_body(request, ReasonRequest, _BODY)
    await caller.context.stores.managing.report(video, caller.viewer.user_id, body.reason)
    _changed(caller, "video_reported", video.id)
    return json_answer(EmptyView())


@routes.get(VIDEO + "/reports")
async def get_reports(request: web.Request) -> web.Response:
    """Answer what members said against a video, to moderators; who said it stays unsaid."""
    caller = await Caller.of(request)
    video = await caller.video(request)
    _require_moderator(caller)
    reasons = await caller.context.stores.managing.said_against(video.id)
    # What was kept by an earlier release may have line breaks.
    return json_answer(ReportsView(reasons=[clean_text(reason, MAX_REASON) or "" for reason in reasons]))


@routes.post(VIDEO + "/reject")
async def reject_video(request: web.Request) -> web.Response:
    """Take away a video that waits; its sender is told why. Raises ConflictError when it waits no longer."""
    caller = await Caller.of(request)
    video = await caller.video(request)
    body = await read_body(request, ReasonRequest, _BODY)
    deleted_at = await caller.context.stores.moderating.reject(video, caller.viewer, body.reason)
    _changed(caller, "video_rejected", video.id)
    return _deleted(video, deleted_at)


@routes.post(VIDEO + "/block")
async def block_video(request: web.Request) -> web.Response:
    """Take away a video and let its file come no more. Raises ConflictError while it is not known what the file is."""
    caller = await Caller.of(request)
    video = await caller.video(request)
    body = await read_body(request, ReasonRequest, _BODY)
    try:
        count = await caller.context.stores.moderating.block(video, caller.viewer, body.reason)
    except UnknownContentError as error:
        raise ConflictError(str(error)) from error
    _changed(caller, "video_blocked", video.id)
    return json_answer(BlockedView(count=count))


@routes.delete(VIDEO + "/reports")
async def dismiss_reports(request: web.Request) -> web.Response:
    """Forget what was said against a video."""
    caller = await Caller.of(request)
    video = await caller.video(request)
    _require_moderator(caller)
    await caller.context.stores.managing.dismiss_reports(video, by=caller.viewer.user_id)
    _changed(caller, "reports_dismissed", video.id)
    return json_answer(EmptyView())
