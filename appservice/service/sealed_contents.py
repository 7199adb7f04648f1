"""Which files videos of encrypted rooms are, and what they look like: stored sealed, until one is blocked.

The hashes of others' files would tell whoever reads the database what was sent there.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from appservice.core.model import RoomId, Video, VideoId
from appservice.encryption.keyring import Keyring
from appservice.store import BlockStore, Content
from transcode import is_copy

_PURPOSE = "content"
_HASH_BYTES = 32


@dataclass(frozen=True)
class SealedContents:
    """What is known of files in encrypted rooms. Without a keyring there are no such videos."""

    store: BlockStore
    keyring: Keyring | None

    async def keep(self, video: Video, content: Content) -> None:
        """Store which file a video is."""
        if self.keyring:
            sealed = self.keyring.seal(content.source_hash + (content.fingerprint or b""), _PURPOSE)
            await self.store.seal_content(video.id, sealed)

    async def of(self, video: Video) -> Content | None:
        """Return which file a video is, where that is sealed."""
        sealed = await self.store.sealed_content(video.id)
        return self._opened({video.id: sealed}).get(video.id) if sealed else None

    async def reveal(self, blocked: Video | bytes, room_id: RoomId | None) -> Content | None:
        """Store in the clear which file a video is that is blocked, and those of its copies in a room, or in all.

        The file is that of a video, or one by its SHA-256. To be done before it is blocked, for what is there, and once
        more after that, for what came meanwhile; then copies are to be taken away. Return it, where there were any.
        """
        sealed = await self.store.sealed_contents(room_id) if self.keyring else {}
        contents = await asyncio.to_thread(self._opened, sealed)
        wanted = await self._wanted(blocked, contents) if contents else None
        copies = await asyncio.to_thread(_copies, wanted, contents) if wanted else {}
        await self.store.reveal(copies)
        return wanted if copies else None

    async def _wanted(self, blocked: Video | bytes, contents: Mapping[VideoId, Content]) -> Content | None:
        if isinstance(blocked, Video):
            return contents.get(blocked.id) or await self.store.content(blocked.id)
        same = [each for each in contents.values() if each.source_hash == blocked]
        return max(same, key=lambda each: each.fingerprint or b"", default=Content(blocked, None))

    def _opened(self, sealed: Mapping[VideoId, bytes]) -> dict[VideoId, Content]:
        contents = {}
        for video_id, each in sealed.items():
            try:
                opened = self.keyring.open(each, _PURPOSE) if self.keyring else b""
            except ValueError:
                continue  # damaged: it is nobody's copy
            contents[video_id] = Content(opened[:_HASH_BYTES], opened[_HASH_BYTES:] or None)
        return contents


def _copies(wanted: Content, contents: Mapping[VideoId, Content]) -> dict[VideoId, Content]:
    return {video_id: each for video_id, each in contents.items() if looks_same(wanted, each)}


def looks_same(one: Content, other: Content) -> bool:
    """Say whether two files are the same, or one is a copy of the other that was encoded anew."""
    return one.source_hash == other.source_hash or bool(
        one.fingerprint and other.fingerprint and is_copy(one.fingerprint, other.fingerprint)
    )
