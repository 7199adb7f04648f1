"""Deletes what is left once a video's row is empty: its message, its original at the homeserver, files left behind."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from appservice.core.errors import ForbiddenError, HeldBackError, RefusedByHomeserverError
from appservice.core.jobs import DeleteMessage, DeleteUnsent
from appservice.core.model import UserId
from appservice.i18n import Texts
from appservice.matrix.client import HomeserverClient
from appservice.media.storage import MediaStore
from appservice.store import ErasureStore
from appservice.worker.lost_files import LostFiles

log = structlog.get_logger()

_MOST_TRIES = 30
_SHARDS_AT_ONCE = 16


class Turns:
    """Takes some names of many at a time, and begins anew at their end."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._last = ""

    def next(self, names: Sequence[str]) -> list[str]:
        """Return the names, in order, after those that were returned last."""
        after = [name for name in sorted(names) if name > self._last] or sorted(names)
        taken = after[: self._at_once]
        self._last = taken[-1] if taken else ""
        return taken


@dataclass(frozen=True)
class ErasingWork:
    """Finishes removals; one instance for a process."""

    store: ErasureStore
    homeserver: HomeserverClient
    files: MediaStore
    texts: Texts
    lost: LostFiles
    turns: "Turns" = field(default_factory=lambda: Turns(_SHARDS_AT_ONCE))

    async def delete_unsent(self, job: DeleteUnsent) -> None:
        """Delete what was uploaded for a message that never came. May be repeated."""
        if await self.store.is_unsent(job.unsent):
            log.info("unsent_upload_deleted", mxc=job.unsent)
            await self._delete_original(job.unsent, await self.store.media_owner(job.unsent))

    async def delete_message(self, job: DeleteMessage) -> None:
        """Redact the message that brought a video, and delete the original, where we may. May be repeated."""
        if job.said and await self.store.is_attributed(job.room_id, job.event_id):
            return  # others react so, too
        if job.redact:
            await self._redact(job)
        if job.mxc:
            await self._delete_original(job.mxc, job.sender)

    async def _redact(self, job: DeleteMessage) -> None:
        # Of what the bot sent on behalf of somebody, there is nothing to say.
        reason = None if job.said else self.texts.say("bot-redacted")
        try:
            await self.homeserver.redact(job.room_id, job.event_id, reason)
        except (ForbiddenError, RefusedByHomeserverError) as error:
            log.info("message_stays", room_id=job.room_id, event_id=job.event_id, reason=str(error))
            tried = job.tried + 1
            if job.said and isinstance(error, ForbiddenError) and tried < _MOST_TRIES:
                # Somebody was promised that it goes, and nobody else can request it: it goes once the bot may.
                await self.store.retry_tomorrow(replace(job, tried=tried))

    async def _delete_original(self, mxc: str, sender: UserId | None) -> None:
        """Delete a file from the homeserver once no video needs it, if the sender of the last one uploaded it.

        Anybody can send, and delete, a message that names another's file. `sender` is None in jobs of the last release.
        """
        owner = await self.store.media_owner(mxc)
        if owner is None and not await self.homeserver.is_uploaded_by(mxc, sender):
            return
        if owner and owner != sender:
            return
        if await self.store.is_original_used(mxc):
            await self.store.media_stays(mxc)
            return
        for each in (*await self.store.thumbnails_of(mxc), mxc):
            await self.homeserver.delete_media(each)
        # Only now: until then they count, and a query of what remains has them.
        await self.store.media_gone(mxc)

    async def sweep(self) -> None:
        """Delete the files that no video needs: what a crash, or a disk that was away, left behind; log what is lost.

        Some parts of all videos at a time: in object storage each one costs a request.
        """
        for shard in self.turns.next(await self.files.shards()):
            for video_id in await self.store.without_a_video(await self.files.ids(shard)):
                if await self.files.stages(video_id):
                    log.warning("files_without_a_video", video_id=video_id)
                    with suppress(HeldBackError):  # once a minute some of it is done again
                        await self.files.sweep(video_id, keep=())
        await self.lost.look()
