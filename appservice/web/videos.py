"""Routes of members and moderators on videos: change, delete with undo, order, report."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, field_validator, model_validator

from appservice.core.errors import BadJsonError, ConflictError, ForbiddenError
from appservice.core.model import RoomId, UserId, Video, VideoId, Visibility
from appservice.core.rules.video_permissions import UNDO_S, VideoChange, check_dismiss, reordered
from appservice.core.text.clean import MAX_REASON, MAX_TITLE, clean_text
from appservice.core.web.room_views import video_view
from appservice.core.web.views import BlockedView, DeletedView, EmptyView, OrderView, ReportsView, VideoView
from appservice.store import UnknownContentError
from appservice.web.caller import VIDEO, Caller
from appservice.web.media_paths import UUID
from appservice.web.operation import Operation, Read
from appservice.web.requests import json_response

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

    def change(self) -> VideoChange:
        """Return it in the words of the core."""
        visibility = Visibility(self.visibility) if self.visibility else None
        return VideoChange(self.title, visibility, self.published, self.video_avatar, self.version)


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


async def _video_response(caller: Caller, video: Video) -> web.Response:
    """Return a video as the viewer sees it now."""
    members = await caller.context.stores.members.joined_members(caller.room.room_id)
    sender = next((member for member in members if member.user_id == video.sender), None)
    reports = await caller.context.stores.changes.reports(caller.room.room_id) if caller.viewer.moderates else None
    grant = caller.context.access.grant(caller.scope)
    is_avatar = sender is not None and sender.avatar_video == video.id
    return json_response(video_view(video, caller.viewer, f"{grant.base}/", is_avatar=is_avatar, reports=reports))


@routes.patch(VIDEO)
@Operation("Change a video; only what is given", {200: VideoView}, errors=(409,)).reading(ChangeRequest, most=_BODY)
async def patch_video(request: web.Request, read: Read[ChangeRequest]) -> web.Response:
    """Rename, hide, show or publish a video, or make it its sender's avatar. Raises ConflictError on an old version."""
    caller = await Caller.of(request)
    video = await caller.video(request)
    change = (await read()).change()
    return await _video_response(caller, await caller.context.use_cases.videos.change(video, change, caller.viewer))


@routes.delete(VIDEO)
@Operation("Delete a video, to be undone for some seconds", {200: DeletedView})
async def delete_video(request: web.Request) -> web.Response:
    """Delete a video; for some seconds it can be restored, then its content is gone."""
    caller = await Caller.of(request)
    video = await caller.video(request)
    return _deleted(video, await caller.context.use_cases.videos.delete(video, caller.viewer))


def _deleted(video: Video, deleted_at: int) -> web.Response:
    return json_response(DeletedView(id=video.id, undo_until=deleted_at + round(UNDO_S * 1000)))


@routes.post(VIDEO + "/restore")
@Operation("Undo a deletion", {200: VideoView}, errors=(410,))
async def restore_video(request: web.Request) -> web.Response:
    """Restore a video that was deleted just now. Raises GoneError when it is too late."""
    caller = await Caller.of(request)
    video_id = VideoId(request.match_info["id"])
    restored = await caller.context.use_cases.videos.restore(video_id, caller.room.room_id, caller.viewer)
    return await _video_response(caller, restored)


@routes.put("/api/v1/rooms/{room_id}/members/{user_id}/order")
@Operation("Order a member's videos", {200: OrderView}, errors=(409,)).reading(OrderRequest, most=_ORDER_BODY)
async def put_order(request: web.Request, read: Read[OrderRequest]) -> web.Response:
    """Give a member's videos another order. Raises ConflictError when it is not what the editor saw any more."""
    caller = await Caller.of(request)
    if caller.room.room_id != RoomId(request.match_info["room_id"]):
        raise ForbiddenError("You are not a member of this room.")
    owner = UserId(request.match_info["user_id"])
    body = await read()
    wanted = [VideoId(video) for video in body.videos]
    base = None if body.base is None else [VideoId(video) for video in body.base]
    strangers = await caller.context.stores.changes.not_of(caller.room.room_id, owner, wanted)
    if strangers:
        raise BadJsonError(f"Not a video of this member's: {strangers[0]}.")
    order = await caller.context.use_cases.videos.order(
        owner, caller.room, caller.viewer, lambda current: reordered(current, wanted, base)
    )
    return json_response(OrderView(videos=[str(video) for video in order]))


@routes.post(VIDEO + "/report")
@Operation("Report a video", {200: EmptyView}).reading(ReasonRequest, most=_BODY)
async def report_video(request: web.Request, read: Read[ReasonRequest]) -> web.Response:
    """Report a video to the room's moderators."""
    caller = await Caller.of(request)
    video = await caller.video(request)
    body = await read()
    await caller.context.use_cases.videos.report(video, caller.viewer, body.reason)
    return json_response(EmptyView())


@routes.get(VIDEO + "/reports")
@Operation("The reasons of a video's reports, for moderators", {200: ReportsView})
async def get_reports(request: web.Request) -> web.Response:
    """Return the reasons of a video's reports, to moderators; who reported stays unsaid."""
    caller = await Caller.of(request)
    video = await caller.video(request)
    check_dismiss(video, caller.viewer)
    reasons = await caller.context.stores.changes.report_reasons(video.id)
    # What was stored by an earlier release may have line breaks.
    return json_response(ReportsView(reasons=[clean_text(reason, MAX_REASON) or "" for reason in reasons]))


@routes.post(VIDEO + "/reject")
@Operation("Reject a video that waits, to be undone for some seconds", {200: DeletedView}, errors=(409,)).reading(
    ReasonRequest, most=_BODY
)
async def reject_video(request: web.Request, read: Read[ReasonRequest]) -> web.Response:
    """Remove a video that waits; its sender is notified why. Raises ConflictError when it waits no longer."""
    caller = await Caller.of(request)
    video = await caller.video(request)
    body = await read()
    return _deleted(video, await caller.context.use_cases.moderation.reject(video, caller.viewer, body.reason))


@routes.post(VIDEO + "/block")
@Operation("Block a video's file in the room", {200: BlockedView}, errors=(409,)).reading(ReasonRequest, most=_BODY)
async def block_video(request: web.Request, read: Read[ReasonRequest]) -> web.Response:
    """Remove a video and block its file. Raises ConflictError while it is not known what the file is."""
    caller = await Caller.of(request)
    video = await caller.video(request)
    body = await read()
    try:
        count = await caller.context.use_cases.moderation.block(video, caller.viewer, body.reason)
    except UnknownContentError as error:
        raise ConflictError(str(error)) from error
    return json_response(BlockedView(count=count))


@routes.delete(VIDEO + "/reports")
@Operation("Dismiss what was reported", {200: EmptyView})
async def dismiss_reports(request: web.Request) -> web.Response:
    """Delete the reports of a video."""
    caller = await Caller.of(request)
    video = await caller.video(request)
    await caller.context.use_cases.moderation.dismiss_reports(video, caller.viewer)
    return json_response(EmptyView())
