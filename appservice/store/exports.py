"""Exports of members' data: their content, and the links by which they are fetched."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appservice.core.jobs import MakeExport
from appservice.core.model import ExportId, RoomId, UserId, Video, VideoId
from appservice.core.settings import PersonSettings
from appservice.store.audit import Deed, note
from appservice.store.mapping import read_video
from appservice.store.outbox import queue
from appservice.store.pool import Database
from appservice.store.sql import query

EXPORT_HOURS = 24


@dataclass(frozen=True, slots=True)
class Belongings:
    """What is stored of somebody: their videos, with the names of their rooms, and the rest as JSON has it."""

    videos: Sequence[tuple[Video, str | None]]
    settings: dict[str, Any]
    reports: list[dict[str, Any]]
    audit: list[dict[str, Any]]
    sent: list[dict[str, Any]]
    """What the bot sent on their behalf."""


class ExportStore(Database):
    """Exports. Every method raises UnavailableError when the database is away."""

    async def request(self, user_id: UserId, room_id: RoomId) -> bool:
        """Queue the making of an export, requested in a room; False when one is being made already."""
        async with self._transaction() as connection:
            await connection.execute(*query("lock_exports", user_id=user_id))
            if await connection.fetchval(*query("export_awaited", user_id=user_id)):
                return False
            requested_at: datetime = await connection.fetchval(*query("clock"))
            await queue(connection, MakeExport(user_id, room_id, requested_at))
        return True

    async def belongings(self, user_id: UserId) -> Belongings:
        """Return what is stored of somebody."""
        async with self._transaction() as connection:
            videos = await connection.fetch(*query("exported_videos", user_id=user_id))
            settings = await connection.fetchval(*query("person", user_id=user_id))
            reports = await connection.fetch(*query("exported_reports", user_id=user_id))
            audit = await connection.fetch(*query("exported_audit", user_id=user_id))
            sent = await connection.fetch(*query("exported_sent", user_id=user_id))
        return Belongings(
            [(read_video(row), row["room_name"]) for row in videos],
            PersonSettings.read(settings or {}).model_dump(mode="json"),
            [dict(row) for row in reports],
            [dict(row) for row in audit],
            [dict(row) for row in sent],
        )

    async def was_erased(self, user_id: UserId, since: datetime) -> bool:
        """Say whether all of somebody was erased after a time."""
        row = await self._fetchrow("was_erased", user_id=user_id, since=since)
        return bool(row and row["erased"])

    async def add(
        self,
        export_id: ExportId,
        user_id: UserId,
        secret_hash: bytes,
        videos: Sequence[VideoId],
        requested_at: datetime,
        sealed_key: bytes | None = None,
    ) -> bool:
        """Make an export known, for a day and instead of the one before; `sealed_key`: that of an encrypted one.

        False when something that is in it was deleted meanwhile.
        """
        async with self._transaction() as connection:
            await connection.execute(*query("lock_exports", user_id=user_id))
            existing = await connection.fetch(*query("existing_videos", ids=list(videos)))
            if len(existing) < len(videos) or await connection.fetchval(
                *query("was_erased", user_id=user_id, since=requested_at)
            ):
                return False
            await connection.execute(
                *query(
                    "add_export",
                    id=export_id,
                    user_id=user_id,
                    secret_hash=secret_hash,
                    seconds=EXPORT_HOURS * 3600,
                    sealed_key=sealed_key,
                )
            )
            await note(connection, user_id, Deed.EXPORTED, user_id=user_id, videos=len(videos))
        return True

    async def by_secret(self, secret_hash: bytes) -> tuple[ExportId, bytes | None] | None:
        """Return the export that a secret's SHA-256 opens, as long as it does, and its key where it is encrypted."""
        row = await self._fetchrow("export_by_secret", secret_hash=secret_hash)
        return (ExportId(str(row["id"])), row["sealed_key"]) if row else None

    async def existing(self, export_ids: Iterable[ExportId]) -> set[ExportId]:
        """Return those of the exports that may be fetched."""
        return {ExportId(str(row["id"])) for row in await self._fetch("existing_exports", ids=list(export_ids))}

    async def delete_expired(self) -> None:
        """Delete the links that have expired."""
        await self._fetch("delete_expired_exports")

    async def is_of_encrypted(self, user_id: UserId) -> bool:
        """Say whether an export of somebody's has anything of an encrypted room."""
        row = await self._fetchrow("is_of_encrypted", user_id=user_id)
        return bool(row and row["found"])

    async def room_made_for(self, user_id: UserId, *, encrypted: bool) -> RoomId | None:
        """Return the latest room, encrypted or not, that the bot made for somebody.

        Who is there now, only the homeserver knows.
        """
        row = await self._fetchrow("room_made_for", user_id=user_id, encrypted=encrypted)
        return RoomId(row["room_id"]) if row else None

    async def add_direct_room(self, room_id: RoomId, user_id: UserId, *, encrypted: bool) -> None:
        """Store that the bot made a room for itself and somebody, as `create_direct` does."""
        async with self._transaction() as connection:
            made = query("add_direct_room", room_id=room_id, user_id=user_id, encrypted=encrypted)
            await connection.execute(*made)
            await connection.execute(*query("add_invited", room_id=room_id, user_id=user_id))
