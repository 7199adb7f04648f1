"""Prevents what is blocked from coming again: the same file, or a copy of it that was encoded anew."""

from dataclasses import dataclass
from pathlib import Path

import structlog

from appservice.core.errors import MediaError
from appservice.core.model import Kind, Video
from appservice.service.sealed_contents import SealedContents, looks_same
from appservice.store import BlockStore, Content, RoomStore
from transcode import Limits, Tools, TranscodeError, fingerprint, is_copy

log = structlog.get_logger()


@dataclass(frozen=True)
class Blocklist:
    """Looks at files before and after the work on them; one instance for a process.

    Which files are in encrypted rooms is sealed until one is blocked.
    """

    store: BlockStore
    rooms: RoomStore
    contents: SealedContents
    tools: Tools

    async def check(self, video: Video, source: Path, source_hash: bytes, limits: Limits) -> None:
        """Raise MediaError when a video's file (`source_hash` is its SHA-256) is blocked in its room.

        Its fingerprint is only made where something is blocked: everybody else's first frame would come later.
        """
        known = await self._came_as(video, source_hash)
        blocked = await self.store.blocked(video.room_id)
        if any(each.source_hash == source_hash for each in blocked):
            raise MediaError("blocked", "The same file is blocked.", final=True)
        looks = [each.fingerprint for each in blocked if each.fingerprint]
        if not looks or video.kind is not Kind.VIDEO:
            return  # images and audio are recognised by their bytes alone
        made = known or await self._learn(video, source, source_hash, limits)
        if made and any(is_copy(made, each) for each in looks):
            raise MediaError("blocked", "It looks like one that is blocked.", final=True)

    async def came_before(self, video: Video, source_hash: bytes) -> bool:
        """Say whether a video is known to be the file with this SHA-256."""
        known = await self.store.content(video.id) or await self.contents.of(video)
        return known is not None and known.source_hash == source_hash

    async def learn(self, video: Video, source: Path, source_hash: bytes, limits: Limits) -> None:
        """Store a video's fingerprint, where it is not known yet, so that it can be blocked.

        What was blocked during the work on it, or on a copy of it, goes now.
        """
        known = await self._came_as(video, source_hash)
        if video.kind is not Kind.VIDEO:
            return
        made = known or await self._learn(video, source, source_hash, limits)
        if not made:
            return
        if await self._is_secret(video):
            await self._reveal_blocked(video, Content(source_hash, made))
        count = await self.store.take_everywhere(source_hash) + await self.store.take_copies(video.room_id, source_hash)
        if count:
            log.info("copies_taken_away", room_id=video.room_id, video_id=video.id, videos=count)

    async def learn_blocked(self, video: Video, source: Path, source_hash: bytes, limits: Limits) -> None:
        """Store the fingerprint of a video that was blocked in the middle of the work on it."""
        blocked = await self.store.blocked(video.room_id)
        if any(each.source_hash == source_hash and not each.fingerprint for each in blocked):
            await self.learn(video, source, source_hash, limits)

    async def _is_secret(self, video: Video) -> bool:
        room = await self.rooms.room(video.room_id)
        return room is not None and room.encrypted

    async def _came_as(self, video: Video, source_hash: bytes) -> bytes | None:
        if not await self._is_secret(video):
            return await self.store.came_as(video, source_hash)
        await self.contents.keep(video, Content(source_hash, None))
        return None

    async def _learn(self, video: Video, source: Path, source_hash: bytes, limits: Limits) -> bytes | None:
        try:
            made = await fingerprint(source, tools=self.tools, limits=limits)
        except TranscodeError as error:
            # Whether it is a video at all is not for us to say.
            log.info("fingerprint_failed", video_id=video.id, code=error.code, reason=str(error))
            return None
        if made and await self._is_secret(video):
            await self.contents.keep(video, Content(source_hash, made))
        elif made:
            await self.store.looks_like(source_hash, made)
        return made

    async def _reveal_blocked(self, video: Video, content: Content) -> None:
        blocked = await self.store.blocked(video.room_id)
        if content.fingerprint and any(
            looks_same(content, Content(each.source_hash, each.fingerprint)) for each in blocked
        ):
            await self.contents.reveal(video, video.room_id)
            await self.store.looks_like(content.source_hash, content.fingerprint)
