"""Counts what is used of the quotas, and warns before they are used up, in the caller's transaction."""

from collections.abc import Sequence
from typing import Self

from appservice.core.events.changes import NewVideo
from appservice.core.model import RoomId, UploadId, UserId, Video, VideoId
from appservice.core.rules.quotas import Quotas, QuotaScope, Used
from appservice.core.sign_in_codes import PREFIX
from appservice.core.text.markup import code
from appservice.store.outbox import Connection, alert, notify
from appservice.store.sql import query

_MOST_DECLARED = 2**40
"""Bytes that count of what a sender declared."""


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


class Budget:
    """What the quotas leave for new videos, one after another: each that comes takes of what the next may have."""

    def __init__(self, quotas: Quotas, used: dict[tuple[QuotaScope, str], Used]) -> None:
        self._quotas = quotas
        self._used = used
        self._ample: set[tuple[QuotaScope, str]] = set()

    @classmethod
    async def read(cls, connection: Connection, quotas: Quotas, videos: Sequence[NewVideo]) -> Self:
        """Read what is used of the scopes of these videos, before they are added."""
        scopes = [scope for scope, _ in quotas.limited()]
        if not scopes:
            return cls(quotas, {})
        keys = {(scope, _whose(scope, video.sender, video.room_id)) for scope in scopes for video in videos}
        rows = await connection.fetch(*query(
            "used_by_each",
            user_ids=sorted(whose for scope, whose in keys if scope is QuotaScope.USER),
            room_ids=sorted(whose for scope, whose in keys if scope is QuotaScope.ROOM),
            server=QuotaScope.SERVER in scopes,
        ))  # fmt: skip
        return cls(
            quotas, {(QuotaScope(row["scope"]), row["whose"]): Used(row["videos"], row["bytes"]) for row in rows}
        )

    def spend(self, video: NewVideo) -> QuotaScope | None:
        """Count a video that was added; return the first scope without room for it, if any.

        What may turn out to be no video is not refused as one before it was looked at.
        """
        if not self._used:
            return None
        full = self._full(video) if video.certain else None
        if full is None:
            for scope, _ in self._quotas.limited():
                key = scope, _whose(scope, video.sender, video.room_id)
                used = self._used[key]
                # As `used_by_each` counts what is in progress: of a sender what they declared.
                size = min(video.claimed_size or 0, _MOST_DECLARED) if scope is QuotaScope.USER else 0
                self._used[key] = Used(used.videos + 1, used.bytes + size)
        return full

    def _full(self, video: NewVideo) -> QuotaScope | None:
        for scope, allowance in self._quotas.limited():
            key = scope, _whose(scope, video.sender, video.room_id)
            if not allowance.is_nearly_used_up(self._used[key]):
                self._ample.add(key)
            if allowance.is_used_up(self._used[key]):
                return scope
        return None

    async def expire_warnings(self, connection: Connection) -> None:
        """Delete the warnings of scopes that are not nearly used up: another approach to the limit is another one."""
        if self._ample:
            ample = sorted(self._ample)
            await connection.execute(*query(
                "delete_quota_warnings", scopes=[scope for scope, _ in ample], whose=[whose for _, whose in ample]
            ))  # fmt: skip
