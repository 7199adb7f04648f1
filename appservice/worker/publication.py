"""Publication of an attempt's stages: files first, then the row, and only while it is the newest attempt."""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from appservice import metrics
from appservice.core.errors import HeldBackError, MediaError, UnavailableError
from appservice.core.model import State, Video
from appservice.media.names import files_of
from appservice.media.storage import MediaStore, StageInProgress, StageName
from appservice.service.media_keys import SealedKey
from appservice.store import AttemptStore, Published
from appservice.worker.attempts import SupersededError
from appservice.worker.outages import outlasting
from transcode import Result


class Publication:
    """What one attempt publishes. Its methods raise SupersededError when it may not (any more).

    `keys` are those of its stages, by which their files were encrypted: they share nothing with another video. Where
    the video is ready, and lacks its lower rungs, a stage with all takes the place of its own.
    """

    def __init__(
        self,
        video: Video,
        content_hash: bytes,
        store: AttemptStore,
        files: MediaStore,
        keys: Mapping[State, SealedKey] = MappingProxyType({}),
    ) -> None:
        self._video = video
        self._content_hash = None if keys else content_hash
        self._keys = keys
        self._store = store
        self._files = files
        self._has_poster = False
        self._playable: StageInProgress | None = None
        self._observed: set[State] = set()
        # Used once: browsers cache the files behind a stage's address, and an attempt's number may come again.
        self._name = f"{video.work.attempts}-{secrets.token_hex(4)}"

    async def is_playable(self) -> bool:
        """Say whether an attempt before this one published the same first stage, all of it."""
        return await self._store.plays(self._video, self._content_hash)

    async def playable(self, result: Result, folder: Path) -> None:
        """Publish the first stage, which may still be in progress; its folder is moved away."""
        published = self._published(result, State.PLAYABLE)
        self._playable = await self._publish(folder, published.stage)
        await self._write_row(published)

    async def appended(self, result: Result) -> None:
        """Publish how much of the first stage exists by now; its poster may be new."""
        published = self._published(result, State.PLAYABLE)
        if self._playable:
            # The files first: whoever reads the row fetches them.
            await outlasting(self._playable.extend)
        if published.available is None or published.has_poster > self._has_poster:
            await self._write_row(published)
        elif not await self._store.append_segments(self._video, published.stage, published.available):
            raise SupersededError
        self._has_poster = published.has_poster

    async def ready(self, result: Result, folder: Path) -> None:
        """Publish the last stage."""
        published = self._published(result, State.READY)
        await self._publish(folder, published.stage)
        await self._write_row(published)

    async def share(self, max_duration: float, *, whole: bool = False) -> bool:
        """Publish the files of another video with the same content, if there is one.

        `whole`: not one that lacks its lower rungs. Raises MediaError when it plays longer than `max_duration` seconds:
        the other one's room may allow more.
        """
        if self._content_hash is None:
            return False
        twin = await self._store.same_content(self._video.id, self._content_hash, whole=whole)
        if twin is None:
            return False
        media = twin.media
        if (media.duration or 0) > max_duration:
            raise MediaError("too-long", f"It plays {media.duration} s, the limit is {max_duration} s.", final=True)
        stage = self._stage(State.READY)
        # It may be swept while its files are being copied.
        if media.stage is None or not await self._files.copy(
            StageName(twin.id, media.stage), files_of(twin), StageName(self._video.id, stage)
        ):
            return False
        published = Published(
            state=State.READY, stage=stage, duration=media.duration or 0.0, width=media.width or 0,
            height=media.height or 0, has_poster=media.has_poster, renditions=media.renditions, blurhash=media.blurhash,
            storyboard=media.storyboard, has_preview=media.has_preview, captions=media.captions,
            content_hash=self._content_hash, audio_left_out=media.audio_left_out,
            left_out=media.lower_rungs is not None,
        )  # fmt: skip
        await self._write_row(published)
        return True

    async def withdraw(self) -> list[str]:
        """Delete what this attempt published, and return its stages; nothing may write to them any more.

        But not what viewers are shown: a newer attempt replaces it.
        """
        shown = await self._store.shown_stage(self._video.id)
        stages = [stage for state in (State.PLAYABLE, State.READY) if (stage := self._stage(state)) != shown]
        for stage in stages:
            with suppress(HeldBackError):  # what is not served is swept with what comes next
                await self._files.remove(self._video.id, stage)
        return stages

    def key(self, state: State) -> bytes | None:
        """Return the key by which the files of a stage are to be encrypted; None: they are not."""
        return self._keys[state].key if self._keys else None

    def _stage(self, state: State) -> str:
        return f"{self._name}-{state}"

    def _published(self, result: Result, state: State) -> Published:
        return Published(
            state=state, stage=self._stage(state), duration=result.duration, width=result.width, height=result.height,
            has_poster=result.poster is not None, renditions=result.renditions,
            available=None if result.whole else result.available, blurhash=result.blurhash,
            storyboard=result.storyboard, has_preview=result.preview is not None, captions=result.captions,
            content_hash=self._content_hash, audio_left_out=result.audio_left_out,
            sealed_key=self._keys[state].sealed if self._keys else None, left_out=result.left_out,
        )  # fmt: skip

    async def _publish(self, folder: Path, stage: str) -> StageInProgress:
        return await outlasting(lambda: self._files.publish(folder, self._video.id, stage))

    async def _write_row(self, published: Published) -> None:
        size = await outlasting(lambda: self._files.size(self._video.id, published.stage))
        if not await self._store.publish(self._video, replace(published, bytes=size)):
            raise SupersededError
        await self._observe(published.state)

    async def _observe(self, state: State) -> None:
        """Measure how long a viewer waited, the first time; not for media that an edit brought, or more rungs."""
        reached = {State.PLAYABLE} if state is State.PLAYABLE else {State.PLAYABLE, State.READY}
        before = {State.PLAYABLE: {State.PLAYABLE}, State.READY: {State.PLAYABLE, State.READY}}
        new = reached - self._observed - before.get(self._video.state, set())
        if not new or self._video.work.attempts_before:
            return
        self._observed |= new
        with suppress(UnavailableError):
            age = await self._store.age(self._video.id)
            if age is None:
                return
            for each in new:
                (metrics.READY_SECONDS if each is State.READY else metrics.PLAYABLE_SECONDS).observe(age)
