"""Posts the moderators' queue in their room: each held video once, with its poster, to be decided by a reaction."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from appservice.core.errors import ForbiddenError, NotFoundError, RequestError
from appservice.core.events.encrypted_files import encrypted_file_content
from appservice.core.events.intake import APPROVE, REJECT
from appservice.core.jobs import DecideByReaction
from appservice.core.model import RoomId, State, Video, VideoId, Visibility
from appservice.core.room import Membership, Room
from appservice.core.rules.video_permissions import viewer_in, waits
from appservice.core.sign_in_codes import PREFIX
from appservice.encryption.keyring import Keyring
from appservice.i18n import Texts, clock
from appservice.matrix.attachments import encrypt_file
from appservice.matrix.client import HomeserverClient
from appservice.media.storage import MediaStore
from appservice.media.stored import decrypted_file, plain_file, read_all
from appservice.service.media_keys import MediaKeys
from appservice.service.moderation import ModerationService
from appservice.service.targets import known_to
from appservice.store import Post, Stores
from appservice.store.audit import Deed
from appservice.worker.scratch import workspace
from transcode.hls.playlist import POSTER

log = structlog.get_logger()

_WAITING = "waiting"
_WAITING_UNSEEN = "waiting-unseen"
_BY_DEED = {
    Deed.REJECTED: "bot-post-rejected",
    Deed.BLOCKED: "bot-post-blocked",
    Deed.DELETED: "bot-post-deleted",
    Deed.APPROVED: "bot-post-approved",
    Deed.REPORTS_DISMISSED: "bot-post-approved",
}


@dataclass(frozen=True)
class QueuePosts:
    """Posts what waits, and says what became of it; one instance for a process."""

    stores: Stores
    moderation: ModerationService
    homeserver: HomeserverClient
    files: MediaStore
    languages: Mapping[str, Texts]
    language: str
    scratch: Path
    media_keys: MediaKeys
    keyring: Keyring | None
    """None: encrypted rooms are not served."""

    async def run(self, video_id: VideoId) -> None:
        """Bring the posts about a video up to date. May be repeated at any time."""
        async with self.stores.queue_posts.locked(video_id):
            video = await self.stores.videos.video(video_id)
            if video is None:
                return
            is_waiting = waits(video) and video.state is not State.FAILED
            posts = await self.stores.queue_posts.posts(video_id)
            room = await self._moderators_room(video) if is_waiting and video.media.has_poster else None
            if room and not any(post.room_id == room.room_id and post.part == "text" for post in posts):
                await self._post(video, room)
            for post in posts:
                await self._update(post, video, is_waiting=is_waiting)
            if video.visibility is Visibility.REMOVED:
                await self.stores.queue_posts.delete_posts(video_id)

    async def decide(self, job: DecideByReaction) -> None:
        """Apply a decision by a reaction, if its sender has the permission. May be repeated: then nothing is left."""
        video = await self.stores.videos.video(job.video_id)
        targets = await known_to(job.user_id, [video] if video else [], self.stores)
        for target in targets:
            try:
                if job.approves:
                    await self.moderation.approve(target.video, target.viewer)
                else:
                    await self.moderation.reject(target.video, target.viewer, "")
            except RequestError as error:
                if error.status >= 500:
                    raise
                log.info("reaction_without_effect", video_id=job.video_id, user_id=job.user_id, reason=str(error))

    async def _moderators_room(self, video: Video) -> Room | None:
        room = await self.stores.rooms.room(video.room_id)
        queue_room = (
            room
            and room.settings.moderators_room
            and await self.stores.rooms.room(RoomId(room.settings.moderators_room))
        )
        if room is None or not queue_room or queue_room.bot_membership is not Membership.JOIN:
            return None
        return queue_room if await self._may_post_in(room, queue_room) else None

    async def _may_post_in(self, room: Room, queue_room: Room) -> bool:
        """Say whether a room may have its queue in another: somebody moderates both, and not anybody reads there."""
        refusal = None
        if not await self._have_a_moderator_in_common(room, queue_room):
            refusal = "Nobody moderates both rooms: its moderators did not choose this queue."
        elif await self.homeserver.is_open(queue_room.room_id):
            refusal = "Anybody may come in or read there."
        elif room.encrypted and not queue_room.encrypted:
            refusal = "It is not encrypted, and the room of the videos is."
        elif self.keyring is None and await self.homeserver.is_encrypted(queue_room.room_id):
            refusal = "It is encrypted, and this server is not set up for that."
        if refusal:
            log.warning("moderators_room_refused", room_id=room.room_id, wanted=queue_room.room_id, reason=refusal)
        return refusal is None

    async def _have_a_moderator_in_common(self, *rooms: Room) -> bool:
        return any(
            all(viewer_in(room, user_id).moderates for room in rooms)
            for user_id in await self.stores.moderation.joined_in_both(*(room.room_id for room in rooms))
        )

    async def _post(self, video: Video, queue_room: Room) -> None:
        # What waits again, after it was decided, is posted anew: each managed change has its own number.
        once = f"{video.id}|{video.version}"
        try:
            if not video.spoiler:  # many clients would show its poster to everybody who scrolls by
                poster = await self._send_poster(video, queue_room, once)
                await self.stores.queue_posts.add_post(poster, video.id)
            text = await self.homeserver.send_notice(
                queue_room.room_id, await self._question(video, queue_room), once=once
            )
            await self.stores.queue_posts.add_post(Post(text, queue_room.room_id, "text", _waiting(video)), video.id)
            for key in (APPROVE, REJECT):
                await self.homeserver.send_reaction(queue_room.room_id, text, key)
        except ForbiddenError as error:
            log.warning("notice_refused", room_id=queue_room.room_id, subject="queue", reason=str(error))
        except (FileNotFoundError, NotFoundError):
            # A newer stage has replaced this one; its own job comes.
            log.info("poster_gone", video_id=video.id)

    async def _send_poster(self, video: Video, queue_room: Room, once: str) -> Post:
        async with self._poster(video) as poster:
            image = await self._upload(poster, queue_room)
        texts = self._texts(queue_room)
        caption = texts.title(video.title, video.kind, video.created_at) or texts.say("bot-video")
        info = {"mimetype": "image/jpeg", "w": video.media.width, "h": video.media.height}
        event_id = await self.homeserver.send_image(queue_room.room_id, image, caption, info, once=f"{once}|picture")
        return Post(event_id, queue_room.room_id, "picture", _WAITING)

    @asynccontextmanager
    async def _poster(self, video: Video) -> AsyncIterator[Path]:
        """Yield a video's poster as a file that is not encrypted. Raises OSError, and NotFoundError."""
        poster = await self.files.local(video.id, video.media.stage or "", POSTER)
        key = await self.media_keys.key_of_served(video)
        if key is None:
            yield poster
            return
        with workspace(self.scratch, "poster") as folder:
            content = await asyncio.to_thread(lambda: read_all(decrypted_file(plain_file(poster), key)))
            await asyncio.to_thread((folder / POSTER).write_bytes, content)
            yield folder / POSTER

    async def _upload(self, poster: Path, queue_room: Room) -> dict[str, object]:
        """Put a poster into the media repository, encrypted for an encrypted room; return what names it in an event."""
        if self.keyring is None or not await self.homeserver.is_encrypted(queue_room.room_id):
            return {"url": await self.homeserver.upload(poster, "image/jpeg")}
        with workspace(self.scratch, "poster") as folder:
            key = await encrypt_file(poster, folder / "encrypted")
            uri = await self.homeserver.upload(folder / "encrypted", "application/octet-stream")
        return {"file": encrypted_file_content(key, uri)}

    async def _question(self, video: Video, queue_room: Room) -> str:
        room = await self.stores.rooms.room(video.room_id)
        number = f"#{video.id.replace('-', '')[:8]}"
        reports = (await self.stores.changes.reports(video.room_id)).get(video.id, 0)
        texts = self._texts(queue_room)
        about = texts.say(
            "bot-post-asks-unseen" if video.spoiler else "bot-post-asks",
            {
                "sender": video.sender,
                "length": clock(video.media.duration or 0),
                "room": (room and room.name) or video.room_id,
            },
        )
        hidden = [_spoiler_line(texts, video.spoiler.reason)] if video.spoiler else []
        why = [texts.say("bot-post-reported", {"count": reports})] if reports else []
        how = texts.say(
            "bot-post-how",
            {
                "yes": APPROVE,
                "no": REJECT,
                "approve": f"{PREFIX} approve {number}",
                "reject": f"{PREFIX} reject {number}",
            },
        )
        return "\n".join([about, *hidden, *why, how])

    async def _update(self, post: Post, video: Video, *, is_waiting: bool) -> None:
        room = await self.stores.rooms.room(post.room_id)
        try:
            if post.part == "picture":
                if video.visibility is Visibility.REMOVED or video.spoiler:
                    await self.homeserver.redact(post.room_id, post.event_id)
                return
            says, text = await self._state_of(video, room, is_waiting=is_waiting)
            if says != post.says:
                once = f"{post.event_id}|{video.version}|{says}"
                await self.homeserver.edit_notice(post.room_id, post.event_id, text, once=once)
                await self.stores.queue_posts.post_says(post, says)
        except ForbiddenError as error:
            log.warning("notice_refused", room_id=post.room_id, subject="queue", reason=str(error))

    async def _state_of(self, video: Video, queue_room: Room | None, *, is_waiting: bool) -> tuple[str, str]:
        """Return what a post is to say of a video, in one word and in a text."""
        texts = self._texts(queue_room)
        if is_waiting:
            return _waiting(video), await self._question(video, queue_room) if queue_room else ""
        decision = await self.stores.queue_posts.decision(video.id)
        removed = video.visibility is Visibility.REMOVED
        by_moderator = decision is not None and not (removed and decision.actor == video.sender)
        if decision and by_moderator and removed == (decision.deed in _REMOVING):
            return decision.deed, texts.say(_BY_DEED[decision.deed], {"user": decision.actor})
        return "settled", texts.say("bot-post-gone" if removed else "bot-post-settled")

    def _texts(self, room: Room | None) -> Texts:
        return self.languages[(room and room.settings.language) or self.language]


def _waiting(video: Video) -> str:
    return _WAITING_UNSEEN if video.spoiler else _WAITING


def _spoiler_line(texts: Texts, reason: str | None) -> str:
    return texts.say("bot-post-spoiler-because", {"reason": reason}) if reason else texts.say("bot-post-spoiler")


_REMOVING = {Deed.REJECTED, Deed.BLOCKED, Deed.DELETED}
