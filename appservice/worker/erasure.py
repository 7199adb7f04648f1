"""What is left to do once a video's row is empty: its message, its original at the homeserver, forgotten files."""

import json
from dataclasses import dataclass

import structlog

from appservice.core.errors import ForbiddenError, RefusedByHomeserverError
from appservice.core.model import EventId, RoomId, UserId
from appservice.i18n import Texts
from appservice.matrix.client import Homeserver
from appservice.media.files import LocalFiles
from appservice.store import ErasingStore

log = structlog.get_logger()

_MOST_TRIES = 30


@dataclass(frozen=True)
class ErasingWork:
    """Finishes removals; one instance for a process."""

    store: ErasingStore
    homeserver: Homeserver
    files: LocalFiles
    texts: Texts

    async def forget(self, payload: str) -> None:
        """Redact the message that brought a video, and delete the original, where we may. May be repeated.

        Or delete what was uploaded for a message that never came.
        """
        asked = json.loads(payload)
        if "unsent" in asked:
            if await self.store.is_unsent(asked["unsent"]):
                log.info("unsent_upload_deleted", mxc=asked["unsent"])
                await self._delete_original(asked["unsent"], await self.store.media_owner(asked["unsent"]))
            return
        room_id, event_id = RoomId(asked["room_id"]), EventId(asked["event_id"])
        if asked.get("said") and await self.store.is_attributed(room_id, event_id):
            return  # others react so, too
        if asked["redact"]:
            # Of what the bot said on behalf of somebody, there is nothing to say.
            reason = None if asked.get("said") else self.texts.say("bot-redacted")
            try:
                await self.homeserver.redact(room_id, event_id, reason)
            except (ForbiddenError, RefusedByHomeserverError) as error:
                log.info("message_stays", room_id=room_id, event_id=event_id, reason=str(error))
                tried = asked.get("tried", 0) + 1
                if asked.get("said") and isinstance(error, ForbiddenError) and tried < _MOST_TRIES:
                    # Somebody was told that it goes, and nobody else can ask for it: it goes once the bot may.
                    await self.store.forget_tomorrow({**asked, "tried": tried})
        if asked["mxc"]:
            await self._delete_original(asked["mxc"], asked.get("sender"))

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
        # Only now: until then they count, and whoever asks what remains is told of them.
        await self.store.media_gone(mxc)

    async def sweep(self) -> None:
        """Delete every folder that no video needs: what a crash, or a disk that was away, left behind."""
        for video_id in await self.store.without_a_video(await self.files.ids()):
            log.warning("files_without_a_video", video_id=video_id)
            await self.files.sweep(video_id, keep=())
