"""Makes exports, zips of members' videos and data, and sends the link where nobody else reads."""

import asyncio
import base64
import errno
import hashlib
import hmac
import json
import shutil
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import structlog

from appservice.core.errors import ForbiddenError, NotFoundError, RefusedByHomeserverError
from appservice.core.jobs import MakeExport
from appservice.core.model import ExportId, HeldFor, RoomId, UserId, Video
from appservice.i18n import Texts
from appservice.matrix.client import HomeserverClient
from appservice.media.concatenated import Whole, whole_of
from appservice.media.encrypted_writer import EncryptedWriter
from appservice.media.reading import reading
from appservice.media.storage import ExportFiles, MediaStore
from appservice.media.stored import decrypted_file, plain_file
from appservice.service.media_keys import MediaKeys
from appservice.store import Belongings, CommandStore, ExportStore
from appservice.store.exports import EXPORT_HOURS
from appservice.worker.private_chats import CannotEncryptError, PrivateChats
from transcode import NO_SPACE
from transcode.hls.playlist import POSTER

log = structlog.get_logger()

MIB = 1024 * 1024
_TRIES = 3
_READY = "bot-export-ready"

_Message = tuple[str, Mapping[str, object]]
"""A message of the catalogue, with its arguments."""


class _StoppedError(Exception):
    """Nobody waits for the zip any more."""


@dataclass(frozen=True)
class ExportWork:
    """Makes exports; one instance for a process."""

    store: ExportStore
    commands: CommandStore
    homeserver: HomeserverClient
    chats: PrivateChats
    files: MediaStore
    folder: ExportFiles
    media_keys: MediaKeys
    scratch: Path
    languages: Mapping[str, Texts]
    language: str
    public_url: str
    key: bytes
    has_key: bool
    """There is a key of the operator's: videos of encrypted rooms may be here."""

    async def run(self, job: MakeExport) -> None:
        """Make an export that somebody requested, and send them the link.

        May be repeated, should the worker die: the link is the same one, and it is sent once.
        """
        user_id, requested_at = job.user_id, job.asked_at
        secret = secret_of(self.key, user_id, requested_at)
        outcome: _Message | None = None
        for _ in range(_TRIES):
            if await self.store.was_erased(user_id, requested_at):
                return  # they want nothing to be left
            outcome = await self._make(user_id, requested_at, secret)
            if outcome:
                break
        message, arguments = outcome or ("bot-export-failed", {})
        await self._notify(user_id, message, arguments, once=_once(secret, message))

    async def sweep(self) -> None:
        """Delete the files of exports that nobody may fetch (any more)."""
        there = await self.folder.ids()
        for export_id in there - await self.store.existing(there) if there else ():
            await self.folder.remove(export_id)

    async def _make(self, user_id: UserId, requested_at: datetime, secret: str) -> _Message | None:
        """Return the message to send; None when another try may do better."""
        digest = hashlib.sha256(secret.encode()).digest()
        made = await self.store.by_secret(digest)
        if made and (file_made := await self.folder.file(made[0])) is not None:
            return self._ready(secret, file_made.size)  # by a worker that died before it could send it
        belongings = await self.store.belongings(user_id)
        export_id = ExportId(str(uuid.uuid4()))
        file = self.scratch / f"{export_id}.zip"
        key = self.media_keys.new_for_export()
        try:
            size = await self._write(file, user_id, belongings, key.key if key else None)
            videos = [video.id for video, _ in belongings.videos]
            sealed = key.sealed if key else None
            if not await self.store.add(export_id, user_id, digest, videos, requested_at, sealed):
                return None
            # The row is there first: a file without one is swept.
            await self.folder.publish(file, export_id)
        except (OSError, NotFoundError) as error:
            # The disk is full, or what was there when we looked is swept by now.
            log.warning("export_failed", user_id=user_id, reason=str(error))
            is_full = isinstance(error, OSError) and error.errno in NO_SPACE
            return ("bot-export-disk-full", {}) if is_full else None
        finally:
            file.unlink(missing_ok=True)
        return self._ready(secret, size)

    def _ready(self, secret: str, size: int) -> _Message:
        link = f"{self.public_url}/export/{secret}"
        return _READY, {"link": link, "size": round(size / MIB, 1), "hours": EXPORT_HOURS}

    async def _write(self, file: Path, user_id: UserId, belongings: Belongings, key: bytes | None) -> int:
        parts: list[tuple[str, Whole]] = []
        listed = []
        for number, (video, room_name) in enumerate(belongings.videos, 1):
            name = f"videos/{number:04}-{video.id[:8]}"
            own = await self._parts(name, video)
            parts += own
            listed.append(_described(video, room_name, [each for each, _ in own]))
        data = {
            "user_id": user_id, "exported_at": datetime.now(UTC), "videos": listed, "settings": belongings.settings,
            "reports": belongings.reports, "audit": belongings.audit, "sent_by_bot": belongings.sent,
        }  # fmt: skip
        text = json.dumps(data, ensure_ascii=False, indent=2, default=_as_text)
        stopped = threading.Event()
        try:
            return await reading(_write_zip, file, text, parts, stopped, key)
        finally:
            stopped.set()

    async def _parts(self, name: str, video: Video) -> list[tuple[str, Whole]]:
        try:
            key = await self.media_keys.key_of_served(video)
        except NotFoundError:
            return []  # nobody can read them any more
        return await self._files(name, video, key)

    async def _files(self, name: str, video: Video, key: bytes | None) -> list[tuple[str, Whole]]:
        """Return the files of a video, best rendition and poster. Nobody gets out what is in quarantine."""
        media, quarantined = video.media, video.withheld.held_for is HeldFor.QUARANTINE
        if not media.stage or not media.renditions or video.is_in_progress or quarantined:
            return []
        best = max(media.renditions, key=lambda each: (each.height, each.bandwidth))
        files = await self.files.rendition(video.id, media.stage, best.name)
        parts = [(f"{name}.mp4", await reading(whole_of, files, best, key))]
        if media.has_poster:
            poster = await self.files.local(video.id, media.stage, POSTER)
            stored = await asyncio.to_thread(lambda: decrypted_file(plain_file(poster), key))
            parts.append((f"{name}{poster.suffix}", Whole(b"", [stored])))
        return parts

    async def _notify(self, user_id: UserId, message: str, arguments: Mapping[str, object], *, once: str) -> None:
        try:
            room_id = await self._room_for(user_id, message)
        except CannotEncryptError as error:
            # They hear that, which is no secret, and nothing more.
            log.warning("export_not_sent", user_id=user_id, reason=error.message)
            await self._notify(user_id, error.message, {}, once=_once(once, error.message))
            return
        if room_id is None:
            log.error("no_room_for_secrets", user_id=user_id, subject="export")
            return
        person = await self.commands.person(user_id)
        text = self.languages[person.language or self.language].say(message, arguments)
        try:
            await self.homeserver.send_notice(room_id, text, once=once)
        except (ForbiddenError, RefusedByHomeserverError) as error:
            log.warning("notice_refused", user_id=user_id, subject="export", reason=str(error))

    async def _room_for(self, user_id: UserId, message: str) -> RoomId | None:
        """Return where to send a message. Raises CannotEncryptError for a link that cannot be sent."""
        is_link = message == _READY
        # Without a key nothing of an encrypted room was ever taken.
        must = is_link and self.has_key and await self.store.is_of_encrypted(user_id)
        try:
            return await self.chats.room_for(user_id, must_be_encrypted=must)
        except (ForbiddenError, RefusedByHomeserverError) as error:
            log.warning("notice_refused", user_id=user_id, subject="export", reason=str(error))
            return None


def secret_of(key: bytes, user_id: UserId, requested_at: datetime) -> str:
    """Return the secret of the link to what somebody requested at a time: the same one each time that it is made."""
    signed = hmac.new(key, f"export|{requested_at.isoformat()}|{user_id}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def _once(secret: str, message: str) -> str:
    return hashlib.sha256(f"{message}|{secret}".encode()).hexdigest()[:32]


def _described(video: Video, room_name: str | None, files: Sequence[str]) -> dict[str, Any]:
    return {
        "id": video.id, "title": video.title, "sent_at": datetime.fromtimestamp(video.created_at / 1000, UTC),
        "room_id": video.room_id, "room_name": room_name, "event_id": video.event_id, "kind": video.kind,
        "state": video.state, "failure": video.failure, "visibility": video.visibility,
        "published": video.published, "spoiler": video.spoiler is not None,
        "spoiler_reason": video.spoiler.reason if video.spoiler else None,
        "duration": video.media.duration, "audio_left_out": video.media.audio_left_out, "files": files,
    }  # fmt: skip


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _write_zip(
    file: Path, data: str, parts: Sequence[tuple[str, Whole]], stopped: threading.Event, key: bytes | None
) -> int:
    """Write the zip, perhaps encrypted, and return its bytes (blocking). What is in it is compressed already."""
    needed = sum(whole.size for _, whole in parts)
    if shutil.disk_usage(file.parent).free < needed + 64 * MIB:
        raise OSError(errno.ENOSPC, f"{needed} bytes are needed")
    with (
        file.open("wb") as target,
        ZipFile(EncryptedWriter(target, key) if key else target, "w", ZIP_STORED) as archive,
    ):
        archive.writestr("data.json", data)
        for name, whole in parts:
            with archive.open(name, "w", force_zip64=True) as entry:
                for piece in whole.pieces(range(whole.size)):
                    if stopped.is_set():
                        raise _StoppedError
                    entry.write(piece)
    return file.stat().st_size
