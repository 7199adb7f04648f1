"""The keys of stages whose files are encrypted on disk: made, and opened for who may be served them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from appservice.core.errors import NotFoundError
from appservice.core.model import PLAYABLE_STATES, ExportId, State, Video, VideoId
from appservice.core.room import Room
from appservice.encryption.keyring import Keyring
from appservice.store.media_keys import MediaKeyStore
from transcode.hls.encryption import KEY_BYTES

log = structlog.get_logger()

_PURPOSE = "media"
_EXPORT = "export"
_RUNNER = "runner"


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A key, and as what it is stored."""

    key: bytes = field(repr=False)
    sealed: bytes


class MediaKeys:
    """The keys of one installation; without a keyring nothing is encrypted."""

    def __init__(self, store: MediaKeyStore, keyring: Keyring | None, *, all_rooms: bool) -> None:
        self._store, self._keyring, self._all_rooms = store, keyring, all_rooms
        # Each is logged once.
        self._unreadable: set[str] = set()

    def new_for(self, room: Room | None) -> dict[State, SealedKey]:
        """Make a key for each stage of a video in a room; none where its files are not encrypted."""
        is_encrypted = self._all_rooms or (room is not None and room.encrypted)
        if self._keyring is None or not is_encrypted:
            return {}
        return {state: _new(self._keyring, _PURPOSE) for state in PLAYABLE_STATES}

    def new_for_export(self) -> SealedKey | None:
        """Make the key of an export; None where nothing is encrypted."""
        return _new(self._keyring, _EXPORT) if self._keyring else None

    def new_for_runner(self, room: Room | None) -> SealedKey | None:
        """Make the key of what a runner is sent and sends of a video in a room; None where it is not encrypted."""
        return _new(self._keyring, _RUNNER) if self._keyring and self.new_for(room) else None

    async def key_of(self, video_id: VideoId, stage: str) -> bytes | None:
        """Return the key of a stage; None where its files are not encrypted, or are gone.

        What was encrypted before stays readable, whatever the configuration says by now. Raises NotFoundError where the
        key cannot be opened.
        """
        sealed = await self._store.sealed_key(video_id, stage) if self._keyring else None
        return self._opened(sealed, _PURPOSE, f"{video_id}/{stage}") if sealed else None

    async def key_of_served(self, video: Video) -> bytes | None:
        """Return the key of the stage that is served of a video; None where its files are not encrypted.

        Raises NotFoundError where there is none although they are.
        """
        stage = video.media.stage
        key = await self.key_of(video.id, stage) if stage and video.media.encrypted else None
        if key is None and video.media.encrypted:
            raise NotFoundError("There is no such file.")
        return key

    async def sweep(self, video_id: VideoId) -> None:
        """Delete the keys of a video's stages that nothing refers to any more."""
        await self._store.sweep(video_id)

    async def delete(self, video_id: VideoId, stages: Sequence[str]) -> None:
        """Delete the keys of stages whose files are deleted."""
        await self._store.delete(video_id, stages)

    def key_of_export(self, sealed: bytes, export_id: ExportId) -> bytes:
        """Return the key of an export. Raises NotFoundError where it cannot be opened."""
        return self._opened(sealed, _EXPORT, export_id)

    def key_of_runner(self, sealed: bytes, job_id: str) -> bytes:
        """Return the key of a runner's job. Raises NotFoundError where it cannot be opened."""
        return self._opened(sealed, _RUNNER, job_id)

    def _opened(self, sealed: bytes, purpose: str, name: str) -> bytes:
        if self._keyring is None:
            raise NotFoundError("There is no such file.")
        try:
            return self._keyring.open(sealed, purpose)
        except ValueError as error:
            if name not in self._unreadable:
                self._unreadable.add(name)
                log.error("media_key_unreadable", name=name, reason=str(error))  # noqa: TRY400 - no trace is of use
            raise NotFoundError("There is no such file.") from error


def _new(keyring: Keyring, purpose: str) -> SealedKey:
    key = os.urandom(KEY_BYTES)
    return SealedKey(key, keyring.seal(key, purpose))
