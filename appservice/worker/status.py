"""Posts a video's status at its message: reactions that come and go, and one notice when it failed, edited later."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from appservice.core.errors import ForbiddenError, RefusedByHomeserverError
from appservice.core.model import Video, VideoId, Visibility
from appservice.core.room import Room
from appservice.core.settings import Status
from appservice.core.text.status import KEYS, Mark, marks
from appservice.i18n import Texts
from appservice.matrix.client import HomeserverClient
from appservice.store import StatusPost, Stores
from appservice.worker.reasons import reason_of

log = structlog.get_logger()

_MENDED = "mended"


@dataclass(frozen=True)
class StatusWork:
    """Brings the marks and notices of a video up to date; one instance for a process."""

    stores: Stores
    homeserver: HomeserverClient
    languages: Mapping[str, Texts]
    language: str

    async def run(self, video_id: VideoId) -> None:
        """Send what is new, and redact what no longer holds. May be repeated at any time."""
        async with self.stores.status_posts.locked(video_id):
            # Read under the lock: two jobs of one video may come in any order, and both see the latest.
            video = await self.stores.videos.video(video_id)
            if video is None:
                return
            room = await self.stores.rooms.room(video.room_id)
            posted = await self.stores.status_posts.posts(video_id)
            status = room.settings.status if room else Status.OFF
            wanted = marks(video, status, now=round(time.time() * 1000), posted=bool(posted))
            if not await self.stores.status_posts.leads(video_id):
                wanted &= {Mark.NOTICE}  # nobody reacts twice alike to one message
            try:
                await self._bring(video, room, wanted, posted)
            except (ForbiddenError, RefusedByHomeserverError) as error:
                log.warning("notice_refused", room_id=video.room_id, subject="status", reason=str(error))
            if video.visibility is Visibility.REMOVED:
                await self.stores.status_posts.delete(video_id)

    async def _bring(
        self, video: Video, room: Room | None, wanted: set[Mark], posted: Mapping[Mark, StatusPost]
    ) -> None:
        for mark, before in posted.items():
            if before.event_id and mark not in wanted and mark is not Mark.NOTICE:
                await self.homeserver.redact(video.sent_in, before.event_id)
                await self.stores.status_posts.mark_redacted(video.id, mark)
        for mark in sorted(wanted - {Mark.NOTICE}):
            was = posted.get(mark)
            if was is None or was.event_id is None:
                once = f"{video.id}|{mark}|{was.times if was else 0}"
                event_id = await self.homeserver.send_reaction(video.sent_in, video.event_id, KEYS[mark], once=once)
                await self.stores.status_posts.save(video.id, mark, event_id)
        await self._bring_notice(video, room, posted.get(Mark.NOTICE), wanted=Mark.NOTICE in wanted)

    async def _bring_notice(self, video: Video, room: Room | None, before: StatusPost | None, *, wanted: bool) -> None:
        """Send why it failed, or plays without all of its audio, once; edit that when it is otherwise, or mended."""
        texts = self.languages[(room and room.settings.language) or self.language]
        named = texts.title(video.title, video.kind, video.created_at)
        title = named or texts.say("bot-untitled", {"kind": video.kind})
        if wanted and video.failure:
            reason = reason_of(video.failure, room, texts, video.kind)
            text = texts.say("bot-failed", {"title": title, "reason": reason})
            await self._notice(video, before, video.failure, text)
        elif wanted and video.media.audio_left_out:
            code = f"audio-{video.media.audio_left_out}"
            await self._notice(video, before, code, texts.say("bot-audio", {"title": title, "reason": texts.say(code)}))
        elif before is None or before.event_id is None:
            return
        elif video.visibility is Visibility.REMOVED:
            # It names the video.
            await self.homeserver.redact(video.sent_in, before.event_id)
        elif video.is_playable:
            await self._notice(video, before, _MENDED, texts.say("bot-mended", {"title": title}))

    async def _notice(self, video: Video, before: StatusPost | None, says: str, text: str) -> None:
        if before is None or before.event_id is None:
            once = f"{video.id}|{Mark.NOTICE}"
            event_id = await self.homeserver.send_notice(video.sent_in, text, once=once, thread=video.event_id)
            await self.stores.status_posts.save(video.id, Mark.NOTICE, event_id, says)
        elif before.says != says:
            once = f"{before.event_id}|{video.work.attempts}|{says}"
            await self.homeserver.edit_notice(video.sent_in, before.event_id, text, once=once)
            await self.stores.status_posts.save(video.id, Mark.NOTICE, before.event_id, says)
