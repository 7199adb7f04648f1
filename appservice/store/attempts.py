"""The work on a video: attempts that fence each other, and what they publish."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from appservice.core.errors import TakenError
from appservice.core.jobs import DeleteMessage, Priority, RequestVerdict, SweepFiles, SweepStages, TranscodeVideo
from appservice.core.model import RoomId, State, UserId, Video, VideoId, sources_of
from appservice.store.audit import ITSELF, Deed, note
from appservice.store.intake_videos import resume
from appservice.store.mapping import Row, read_video
from appservice.store.media_keys import add_key, delete_keys
from appservice.store.outbox import Connection, Pool, alert, announce, concern_moderators, notify, queue, update_status
from appservice.store.packing import pack
from appservice.store.pool import Database
from appservice.store.sql import query
from transcode.hls.captions import Captions
from transcode.hls.playlist import Rendition
from transcode.source.audio_loss import AudioLoss
from transcode.storyboard import Storyboard


@dataclass(frozen=True, slots=True)
class Published:
    """What the worker made of a video; durations in seconds, `available` as in `Video`.

    `content_hash` is equal for videos whose files are interchangeable; `bytes` is what the stage's files take.
    `sealed_key` is the stage's key as it is stored; None: its files are not encrypted. `left_out`: the rungs below its
    stream copy are not made.
    """

    state: State
    stage: str
    duration: float
    width: int
    height: int
    has_poster: bool
    renditions: Sequence[Rendition]
    available: int | None = None
    blurhash: str | None = None
    storyboard: Storyboard | None = None
    has_preview: bool = False
    captions: Sequence[Captions] = ()
    content_hash: bytes | None = None
    sealed_key: bytes | None = None
    bytes: int = 0
    audio_left_out: AudioLoss | None = None
    left_out: bool = False


# What is playable sooner is not worth a word before.
_QUICK = timedelta(seconds=2)


class AttemptStore(Database):
    """Attempts. Every method raises UnavailableError when the database is away."""

    def __init__(self, pool: Pool, *, judging: bool = False) -> None:
        super().__init__(pool)
        # What is published waits for the verdict of a detection service.
        self._judging = judging

    async def begin_attempt(self, video_id: VideoId) -> Video | None:
        """Count one more attempt and return the video, None when there is nothing left to do for it."""
        async with self._transaction() as connection:
            row = await connection.fetchrow(
                *query("begin_attempt", id=video_id, from_states=sources_of(State.PROCESSING))
            )
            if row is None:
                return None
            video = read_video(row)
            if video.work.attempts == 1:
                await update_status(connection, video.id, after=_QUICK)
            await announce(connection, video.room_id)
            return video

    async def begin_finishing(self, video_id: VideoId, most: int) -> Video | None:
        """Return a video that is ready where what follows is not done; `most` times only, for it may kill workers."""
        row = await self._fetchrow("begin_finishing", id=video_id, most=most)
        return read_video(row) if row and row["finishing"] is not None else None

    async def finished(self, video: Video) -> None:
        """Note that all is done that follows from a video being ready."""
        await self._fetch("finished", id=video.id, attempt=video.work.attempts)

    async def stop_finishing(self, video: Video, *, passing: bool) -> None:
        """Leave undone what follows from being ready, and lower rungs: if `passing`, until somebody wants them."""
        await self._fetch("stop_finishing", id=video.id, attempt=video.work.attempts, passing=passing)

    async def finishing_tries(self, video: Video) -> int:
        """Return how often it was begun to do what follows, as far as that counts."""
        row = await self._fetchrow("finishing_tries", id=video.id, attempt=video.work.attempts)
        return row["finishing"] or 0 if row else 0

    async def uncount_finishing(self, video: Video) -> None:
        """Do not count one more time that it was begun: what ended it passes."""
        await self._fetch("uncount_finishing", id=video.id, attempt=video.work.attempts)

    async def is_wanted(self, video: Video) -> bool:
        """Say whether an attempt still has something to do: nobody removed the video, no newer attempt has begun."""
        return await self._fetchrow("wanted", id=video.id, attempt=video.work.attempts) is not None

    async def give_back_attempt(self, video: Video) -> str | None:
        """Uncount an attempt that was stopped from outside; return the stage it published, if that is withdrawn."""
        async with self._transaction() as connection:
            withdrawn = await _withdraw_unfinished(connection, video)
            await connection.execute(*query("give_back_attempt", id=video.id, attempt=video.work.attempts))
        return withdrawn

    async def await_upload(self, video: Video) -> None:
        """End an attempt that does not count, since the video's file is still to come."""
        async with self._transaction() as connection:
            room_id = await connection.fetchval(*query("await_upload", id=video.id, attempt=video.work.attempts))
            if room_id is not None:
                await update_status(connection, video.id)
                await announce(connection, room_id)

    async def first_awaiting(self, mxc: str) -> VideoId | None:
        """Return the video that queries whether a file was uploaded, for all that wait for the same one."""
        row = await self._fetchrow("first_awaiting", mxc=mxc)
        return VideoId(str(row["id"])) if row else None

    async def upload_came(self, mxc: str) -> None:
        """Queue all videos that waited for a file."""
        await self._fetch("upload_came", mxc=mxc)

    @asynccontextmanager
    async def uncounted(self, video: Video) -> AsyncIterator[None]:
        """Do not count the attempt should its worker die meanwhile: it only waits, and another one is worked on.

        Nor when it ends because another worker has taken the video.
        """
        await self._fetch("uncount_attempt", id=video.id, attempt=video.work.attempts, number=1)
        try:
            yield
        except TakenError:
            raise
        except BaseException:
            await self._count_again(video)
            raise
        else:
            await self._count_again(video)

    async def _count_again(self, video: Video) -> None:
        await self._fetch("uncount_attempt", id=video.id, attempt=video.work.attempts, number=-1)

    async def plays(self, video: Video, content_hash: bytes | None) -> bool:
        """Say whether the first stage of the same content is published, as an earlier attempt left it."""
        row = await self._fetchrow("plays", id=video.id, attempt=video.work.attempts, content_hash=content_hash)
        return row is not None

    async def shown_stage(self, video_id: VideoId) -> str | None:
        """Return the stage that a video shows, whichever attempt made it."""
        row = await self._fetchrow("shown_stage", id=video_id)
        return str(row["stage"]) if row else None

    async def recover_lost_jobs(self) -> int:
        """Queue every unfinished video that has no job (any more); return how many there were."""
        async with self._transaction() as connection:
            return await resume(connection)

    async def publish(self, video: Video, published: Published) -> bool:
        """Show what was made of a video; False when it is gone or a newer attempt has taken over.

        What is published of a video that is ready takes the place of its stage, which lacks lower rungs.
        """
        replaced = video.media.stage if video.state is State.READY else None
        async with self._transaction() as connection:
            row = await connection.fetchrow(
                *query(
                    "publish",
                    id=video.id,
                    from_states=sources_of(published.state),
                    attempt=video.work.attempts,
                    replaced=replaced,
                    state=published.state,
                    stage=published.stage,
                    stage_encrypted=published.sealed_key is not None,
                    duration=published.duration,
                    width=published.width,
                    height=published.height,
                    has_poster=published.has_poster,
                    renditions=[rendition.to_json() for rendition in published.renditions],
                    available=published.available,
                    blurhash=published.blurhash,
                    storyboard=published.storyboard.to_json() if published.storyboard else None,
                    packed=pack(published.renditions, published.storyboard),
                    has_preview=published.has_preview,
                    content_hash=published.content_hash,
                    captions=[captions.to_json() for captions in published.captions],
                    bytes=published.bytes,
                    audio_left_out=published.audio_left_out,
                    left_out=published.left_out,
                )
            )
            if row is None:
                return False
            if published.sealed_key is not None:
                await add_key(connection, video.id, published.stage, published.sealed_key)
            if row["needs_job"]:
                await queue(connection, TranscodeVideo(video.id), priority=Priority.BACKGROUND)
            if replaced is not None:
                # Here, for a worker that dies may find no file to finish with.
                await queue(connection, SweepStages(video.id, (replaced,)), after=SweepStages.AFTER)
            else:
                await self._follow(connection, video, published, row["audio_left_out"])
            await announce(connection, row["room_id"])
            return True

    async def _follow(
        self, connection: Connection, video: Video, published: Published, audio_left_out: AudioLoss | None
    ) -> None:
        """Queue what follows from a stage that is not the same video once more, with more rungs."""
        if self._judging:
            await connection.execute(*query("await_verdict", id=video.id))
            if published.state is State.READY:
                await queue(connection, RequestVerdict(video.id))
        if published.has_poster:
            await concern_moderators(connection, video.id)
        if video.state is not State.PLAYABLE or audio_left_out != video.media.audio_left_out:  # else posted
            await update_status(connection, video.id)

    async def append_segments(self, video: Video, stage: str, available: int) -> bool:
        """Store how many segments of a stage in progress exist, and notify who waits; False as `publish` does."""
        return (
            await self._fetchrow(
                "append_segments", id=video.id, attempt=video.work.attempts, stage=stage, available=available
            )
            is not None
        )

    async def same_content(self, video_id: VideoId, content_hash: bytes, *, whole: bool = False) -> Video | None:
        """Return another video that is ready, shown, and made from the same content.

        `whole`: none that lacks its lower rungs.
        """
        row = await self._fetchrow("same_content", content_hash=content_hash, id=video_id, whole=whole)
        return read_video(row) if row else None

    async def progress(self, video: Video, percent: int, remaining: int | None) -> None:
        """Notify viewers how far an attempt is, and how many seconds it may still take."""
        await self._fetch("progress", id=video.id, attempt=video.work.attempts, percent=percent, remaining=remaining)

    async def age(self, video_id: VideoId) -> float | None:
        """Return the seconds since a video's event arrived, by the database's clock; None of one that is gone."""
        row = await self._fetchrow("age", id=video_id)
        return row["seconds"] if row else None

    async def classify(self, video: Video) -> None:
        """Store the kind and title of a video, now that its file was examined."""
        async with self._transaction() as connection:
            row = await connection.fetchrow(
                *query("classify", id=video.id, attempt=video.work.attempts, kind=video.kind, title=video.title)
            )
            if row:
                await announce(connection, row["room_id"])

    async def pause(self, video: Video) -> str | None:
        """End an attempt that another one is to follow; return the stage it published, if that is withdrawn."""
        async with self._transaction() as connection:
            withdrawn = await _withdraw_unfinished(connection, video)
            await connection.execute(*query("pause", id=video.id, attempt=video.work.attempts))
        return withdrawn

    async def fail(self, video: Video, code: str, *, given_up: bool = False) -> None:
        """End the work on a video with a reason, and queue its sender's notification in the same transaction.

        `given_up`: it may be our own fault, and admins are notified as well. Where the media are those of an edit, what
        played before them comes back.
        """
        async with self._transaction() as connection:
            # The attempt may have changed the kind since `video` was read.
            row = await _bring_back(connection, video, code) or await connection.fetchrow(
                *query(
                    "fail", id=video.id, from_states=sources_of(State.FAILED), attempt=video.work.attempts, failure=code
                )
            )
            if row is not None:
                await update_status(connection, video.id)
                await queue(connection, SweepFiles(video.id))
                await concern_moderators(connection, video.id)
                if given_up:
                    await alert(
                        connection, "video", video_id=video.id, user_id=video.sender, room_id=row["room_id"],
                        failure=code, kind=row["kind"], sent=video.created_at,
                    )  # fmt: skip
                await announce(connection, row["room_id"])

    async def discard(self, video: Video) -> None:
        """Delete a file that turned out to be no video, unless another one replaced it meanwhile."""
        async with self._transaction() as connection:
            # A mark that stands at it, or is just being set, goes as well.
            await connection.execute(*query("hold_status", video_id=video.id))
            posts = await connection.fetch(*query("status_posts", video_id=video.id))
            row = await connection.fetchrow(*query("discard", id=video.id, attempt=video.work.attempts))
            if row is not None:
                await queue(connection, SweepFiles(video.id))
                marks = [each["event_id"] for each in posts if each["event_id"]]
                await queue(connection, *(DeleteMessage(row["sent_in"], mark, redact=True) for mark in marks))
                await announce(connection, row["room_id"])

    async def requeue(self, video_id: VideoId, *, by: UserId = ITSELF) -> bool:
        """Give a failed video a new start; False when it has not failed."""
        async with self._transaction() as connection:
            row = await connection.fetchrow(*query("requeue", id=video_id))
            if row is None:
                return False
            await queue(connection, TranscodeVideo(video_id))
            await update_status(connection, video_id)
            await note(
                connection, by, Deed.REQUEUED, room_id=row["room_id"], video_id=video_id, user_id=row["sender"],
                failure=row["failure"],
            )  # fmt: skip
            await announce(connection, row["room_id"])
            return True

    async def sweep_later(self, video_id: VideoId, stages: Sequence[str]) -> None:
        """Queue the deletion of stages that something else took the place of, after viewers have moved on."""
        async with self._transaction() as connection:
            await queue(connection, SweepStages(video_id, tuple(stages)), after=SweepStages.AFTER)


async def _bring_back(connection: Connection, video: Video, code: str) -> Row | None:
    row = await connection.fetchrow(
        *query("bring_back", id=video.id, from_states=sources_of(State.FAILED), attempt=video.work.attempts)
    )
    if row is None:
        return None
    await notify(
        connection, RoomId(row["room_id"]), row["sender"], row["thread"], "bot-edit-failed", title=row["title"],
        failure=code, kind=row["kind"], sent=video.created_at,
    )  # fmt: skip
    return row


async def _withdraw_unfinished(connection: Connection, video: Video) -> str | None:
    """Withdraw a first stage that an attempt left unfinished from the reel: its next segment may never come.

    Return its name, whose files nobody needs any more; None where there is none.
    """
    row = await connection.fetchrow(*query("withdraw_unfinished", id=video.id, attempt=video.work.attempts))
    if row is None:
        return None
    await delete_keys(connection, video.id, [row["stage"]])
    await update_status(connection, video.id)
    await concern_moderators(connection, video.id)
    await announce(connection, row["room_id"])
    return str(row["stage"])
