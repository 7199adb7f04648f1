"""Counts what is used of the quotas, and warns before they are used up, in the caller's transaction."""

from appservice.core.model import RoomId, UploadId, UserId, Video, VideoId
from appservice.core.rules.quotas import Quotas, QuotaScope, Used
from appservice.core.sign_in_codes import PREFIX
from appservice.core.text.markup import code
from appservice.store.outbox import Connection, alert, notify
from appservice.store.sql import query


def _whose(scope: QuotaScope, sender: UserId, room_id: RoomId) -> str:
    return {QuotaScope.USER: str(sender), QuotaScope.ROOM: str(room_id), QuotaScope.SERVER: ""}[scope]


async def used(
    connection: Connection,
    scope: QuotaScope,
    whose: str,
    *,
    without: VideoId | None = None,
    but: UploadId | None = None,
) -> Used:
    """Return what is used of a scope by all videos but one, and by all uploads that were not sent yet `but` one.

    `whose` is a user, a room, or empty for the server.
    """
    match scope:
        case QuotaScope.USER:
            used_by = query("used_by_user", without_video=without, without_upload=but, user_id=whose)
        case QuotaScope.ROOM:
            used_by = query("used_by_room", without_video=without, without_upload=but, room_id=whose)
        case QuotaScope.SERVER:
            used_by = query("used_by_server", without_video=without, without_upload=but)
    row = await connection.fetchrow(*used_by)
    return Used(row["videos"], row["bytes"]) if row else Used(0, 0)


async def used_up(
    connection: Connection,
    quotas: Quotas,
    sender: UserId,
    room_id: RoomId,
    *,
    without: VideoId | None = None,
    but: UploadId | None = None,
) -> QuotaScope | None:
    """Return the first scope without room beside all others for the video `without`, the upload `but` or a new one."""
    for scope, allowance in quotas.limited():
        whose = _whose(scope, sender, room_id)
        others = await used(connection, scope, whose, without=without, but=but)
        if not allowance.is_nearly_used_up(others):
            # Another approach to the limit is another warning.
            await connection.execute(*query("delete_quota_warning", scope=scope, whose=whose))
        if allowance.is_used_up(others):
            return scope
    return None


async def warn(connection: Connection, quotas: Quotas, video: Video) -> None:
    """Warn a video's sender once that they, or the room, have little left; and admins that the server has."""
    for scope, allowance in quotas.limited():
        whose = _whose(scope, video.sender, video.room_id)
        now = await used(connection, scope, whose)
        if not allowance.is_nearly_used_up(now):
            await connection.execute(*query("delete_quota_warning", scope=scope, whose=whose))
        elif await connection.fetchval(*query("first_quota_warning", scope=scope, whose=whose)):
            percent = int(100 * allowance.share(now))
            if scope is QuotaScope.SERVER:
                await alert(connection, "quota", percent=percent)
            else:
                message, command = f"bot-quota-near-{scope}", code(f"{PREFIX} quota")
                await notify(
                    connection, video.room_id, video.sender, video.thread, message, percent=percent, command=command
                )
