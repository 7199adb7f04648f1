"""Rooms, members and videos: queries behind methods, jobs enqueued in the same transaction."""

import secrets
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from appservice.core.errors import UnavailableError
from appservice.core.events import intake
from appservice.core.jobs import ForgetMessage, LookBack, RequestVerdict, SweepFiles, TendRoom, TranscodeVideo
from appservice.core.model import (
    History,
    Member,
    Membership,
    Room,
    RoomId,
    Snapshot,
    State,
    UserId,
    Video,
    VideoId,
    sources_of,
)
from appservice.core.rules.quotas import NO_LIMITS, Quotas
from appservice.core.tokens import Scope
from appservice.store.applying import apply_all
from appservice.store.audit import ITSELF, Deed, note
from appservice.store.intake import resume
from appservice.store.mapping import SQL, Row, read_room, read_video
from appservice.store.outbox import Connection, Pool, announce, concern_moderators, queue, speak_of, tell, trouble
from appservice.store.pool import Database
from appservice.store.removal import erase_departed
from transcode.hls.captions import Captions
from transcode.hls.playlist import Rendition
from transcode.source.audio_loss import AudioLoss
from transcode.storyboard import Storyboard

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Published:
    """What the worker made of a video; durations in seconds, `available` as in `Video`.

    `content_hash` is equal for videos whose files are interchangeable; `bytes` is what the stage's files take.
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
    bytes: int = 0
    audio_left_out: AudioLoss | None = None


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A video that a worker is at: percent done, and seconds left (None: not known yet)."""

    video_id: VideoId
    room_id: RoomId
    sender: UserId
    attempts: int
    percent: int
    remaining: int | None


# Long enough to look into what went wrong; so many entries that a minute's are always fewer.
_JOB_LOG_DAYS, _JOB_LOG_AT_ONCE = 7, 20_000
# What is playable sooner is not worth a word before.
_QUICK = timedelta(seconds=2)


class Store(Database):
    """All that Roomreel keeps in PostgreSQL. Every method raises UnavailableError when the database is away."""

    def __init__(self, pool: Pool, quotas: Quotas = NO_LIMITS, *, judging: bool = False) -> None:
        super().__init__(pool)
        self._quotas = quotas
        # What is published waits for the verdict of a detection service.
        self._judging = judging

    # Intake

    async def apply(self, changes: Sequence[intake.Change], talks: Collection[intake.Talk] = ()) -> int:
        """Store the changes of a transaction and queue their jobs, all or nothing; return how many were refused.

        Of the `talks`, what concerns videos is announced, and nothing is kept.
        """
        async with self._transaction() as connection:
            refused = (await apply_all(connection, changes, self._quotas))[1]
            if talks:
                columns = zip(*((talk.room_id, talk.target, talk.relates) for talk in talks), strict=True)
                await connection.execute(SQL["announce_talk"], *columns)
            return refused

    # Rooms and members

    async def room(self, room_id: RoomId) -> Room | None:
        """Return what is known of a room."""
        row = await self._fetchrow("room", room_id)
        return read_room(row) if row else None

    async def rooms_with_us(self) -> set[RoomId]:
        """Return the rooms that the bot is in, as far as we were told."""
        return {RoomId(row["room_id"]) for row in await self._fetch("rooms_with_us")}

    async def tended_rooms(self) -> list[RoomId]:
        """Return the rooms that the bot is in or is invited to."""
        return [RoomId(row["room_id"]) for row in await self._fetch("joined_rooms")]

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Take over a room's state as read from the homeserver, except where an event told something newer."""
        rows: list[tuple[UserId, Membership, str | None, str | None]] = [
            *((user_id, Membership.JOIN, name, avatar) for user_id, name, avatar in snapshot.members),
            *((user_id, Membership.INVITE, None, None) for user_id in snapshot.invited),
        ]
        there, memberships, names, avatars = ([row[n] for row in rows] for n in range(4))
        async with self._transaction() as connection:
            again = await connection.fetchval(
                SQL["set_room_snapshot"], snapshot.room_id, snapshot.name, snapshot.power_levels, snapshot.creators,
                snapshot.encrypted, snapshot.read_at, snapshot.max_lifetime, snapshot.history,
            )  # fmt: skip
            if again:
                await queue(connection, TendRoom(snapshot.room_id))
            await connection.execute(SQL["settle_history"], snapshot.room_id)
            await connection.execute(
                SQL["snapshot_members"], snapshot.room_id, there, memberships, names, avatars, snapshot.read_at
            )
            banned = list(snapshot.banned)
            gone = [
                *await connection.fetch(SQL["snapshot_leavers"], snapshot.room_id, there, banned, snapshot.read_at),
                *await connection.fetch(SQL["snapshot_banned"], snapshot.room_id, banned, snapshot.read_at),
            ]
            for user_id in {UserId(row["user_id"]) for row in gone}:
                await erase_departed(connection, snapshot.room_id, user_id, banned=user_id in snapshot.banned)
            await announce(connection, snapshot.room_id)

    async def answer_member(self, member: intake.MemberChanged, requested_at: datetime) -> bool:
        """Take over what the homeserver answered about a member, unless something newer is known: then return False.

        `requested_at` is the database's clock before the request. An event that was stored by then is part of the
        answer; of one that was stored later only another request can tell.
        """
        room_id, user_id = member.room_id, member.user_id
        async with self._transaction() as connection:
            taken = await connection.fetchval(
                SQL["answer_member"], room_id, user_id, member.membership, member.display_name, member.avatar_mxc,
                requested_at,
            )  # fmt: skip
            if not taken:
                return not await connection.fetchval(SQL["is_member_told"], room_id, user_id, requested_at)
            if member.membership in {Membership.LEAVE, Membership.BAN}:
                await erase_departed(connection, room_id, user_id, banned=member.membership is Membership.BAN)
            await announce(connection, room_id)
            return True

    async def joined_members(self, room_id: RoomId) -> list[Member]:
        """Return who is in a room."""
        return [
            Member(
                row["key"],
                UserId(row["user_id"]),
                row["display_name"],
                row["avatar_mxc"],
                VideoId(str(row["avatar_video"])) if row["avatar_video"] else None,
                row["joined_at"],
            )
            for row in await self._fetch("joined_members", room_id)
        ]

    async def member_key(self, room_id: RoomId, user_id: UserId) -> int | None:
        """Return our number for a member while both the user and the bot are in the room, else None."""
        row = await self._fetchrow("member_key", room_id, user_id)
        return row["key"] if row else None

    async def viewer(self, scope: Scope) -> tuple[RoomId, UserId] | None:
        """Return the room and user of a grant's scope while both the user and the bot are in the room."""
        row = await self._fetchrow("viewer", scope.room_key, scope.member_key)
        return (RoomId(row["room_id"]), UserId(row["user_id"])) if row else None

    async def avatar(self, scope: Scope, member_key: int) -> str | None:
        """Return the content URI of a member's avatar, for a viewer of the same room."""
        row = await self._fetchrow("member_avatar", scope.room_key, scope.member_key, member_key)
        return row["avatar_mxc"] if row else None

    async def widget_id(self, room_id: RoomId) -> str:
        """Return the id of the room's widget: nobody can guess it, and it stays as long as we know the room."""
        row = await self._fetchrow("ensure_widget_id", room_id, f"roomreel-{secrets.token_urlsafe(24)}")
        if row is None:
            raise AssertionError("only a known room has a widget")
        return str(row["widget_id"])

    async def bot_profile(self) -> dict[str, str]:
        """Return what we set last in the bot's profile, by field."""
        return {row["field"]: row["value"] for row in await self._fetch("bot_profile")}

    async def keep_bot_profile(self, field: str, value: str) -> None:
        """Remember what we set in the bot's profile."""
        await self._fetch("keep_bot_profile", field, value)

    async def forget_bot_profile(self) -> None:
        """Forget what we set: the homeserver has a new user."""
        await self._fetch("forget_bot_profile")

    async def mark_widget_placed(self, room_id: RoomId) -> None:
        """Remember that the widget was put into the room, so that its removal is respected."""
        await self._fetch("mark_widget_placed", room_id)

    async def mark_told(self, room_id: RoomId, subject: str) -> None:
        """Remember that the bot spoke of `subject` in the room."""
        await self._fetch("mark_told", room_id, subject)

    async def forget_told(self, room_id: RoomId, subject: str) -> None:
        """Let the bot speak of `subject` again."""
        await self._fetch("forget_told", room_id, subject)

    @asynccontextmanager
    async def tending(self, room_id: RoomId) -> AsyncIterator[None]:
        """Hold a room to ourselves among all workers."""
        async with self._session() as connection:
            await connection.execute(SQL["lock_room"], room_id)
            try:
                yield
            finally:
                await connection.execute(SQL["unlock_room"], room_id)

    async def tend(self, room_ids: Sequence[RoomId]) -> None:
        """Queue a look at each of the rooms."""
        async with self._transaction() as connection:
            await queue(connection, *map(TendRoom, room_ids))

    async def note_replacement(self, old: RoomId, new: RoomId) -> None:
        """Remember that a room says itself that another replaces it."""
        await self._fetch("set_replaced_by", old, new)

    async def look_back(self, room_ids: Sequence[RoomId], *, history: int | None = None) -> None:
        """Queue a look at what each of the timelines told and we missed, or at `history` messages of before us."""
        async with self._transaction() as connection:
            await queue(connection, *(LookBack(room_id, history) for room_id in room_ids))

    async def follow_upgrade(self, old: RoomId, new: RoomId) -> None:
        """Carry what a replaced room has into its replacement; both ends must have been checked. May be repeated."""
        async with self._transaction() as connection:
            for what in ("videos", "settings", "moderators_room", "blocks", "audit", "avatars"):
                await connection.execute(SQL[f"move_{what}"], old, new)
            await announce(connection, old)
            await announce(connection, new)

    # Videos

    async def video(self, video_id: VideoId) -> Video | None:
        """Return a video."""
        row = await self._fetchrow("video", video_id)
        return read_video(row) if row else None

    async def room_videos(self, room_id: RoomId) -> list[Video]:
        """Return all videos of a room that were not removed, each sender's in reel order."""
        return [read_video(row) for row in await self._fetch("room_videos", room_id)]

    async def readable(self, videos: Sequence[Video], user_id: UserId) -> list[Video]:
        """Return those of the videos that somebody may see by the history visibility of when each was sent.

        Costs a query only where that was stricter than `shared`.
        """
        strict = [video.id for video in videos if video.history is not History.SHARED and video.sender != user_id]
        rows = await self._fetch("withheld", strict, user_id) if strict else []
        withheld = {str(row["id"]) for row in rows}
        return [video for video in videos if video.id not in withheld]

    async def videos_of(self, sender: UserId, room_id: RoomId | None) -> list[Video]:
        """Return a member's videos, in reel order: of one room, or of every room where both they and the bot are."""
        return [read_video(row) for row in await self._fetch("videos_of", sender, room_id)]

    async def videos_by_short_id(self, beginning: str, user_id: UserId) -> list[Video]:
        """Return the first two videos whose id begins so (hexadecimal digits), in rooms that a user is in."""
        return [read_video(row) for row in await self._fetch("videos_by_short_id", beginning, user_id)]

    async def served_stage(self, video_id: VideoId, room_id: RoomId) -> str | None:
        """Return the folder of a video that all viewers of a room may be served from now."""
        row = await self._fetchrow("served_stage", video_id, room_id)
        return row["stage"] if row else None

    async def served_stage_to(self, video_id: VideoId, room_id: RoomId, user_id: UserId) -> str | None:
        """Return that of a video which only some of the room may see, if this viewer is one of them."""
        row = await self._fetchrow("served_stage_to", video_id, room_id, user_id)
        return row["stage"] if row else None

    async def begin_attempt(self, video_id: VideoId) -> Video | None:
        """Count one more attempt and return the video, None when there is nothing left to do for it."""
        async with self._transaction() as connection:
            row = await connection.fetchrow(SQL["begin_attempt"], video_id, sources_of(State.PROCESSING))
            if row is None:
                return None
            video = read_video(row)
            if video.attempts == 1:
                await speak_of(connection, video.id, after=_QUICK)
            await announce(connection, video.room_id)
            return video

    async def begin_finishing(self, video_id: VideoId, most: int) -> Video | None:
        """Return a video that is ready where what follows is not done; `most` times only, for it may kill workers."""
        row = await self._fetchrow("begin_finishing", video_id, most)
        return read_video(row) if row and row["finishing"] is not None else None

    async def finished(self, video: Video) -> None:
        """Note that all is done that follows from a video being ready."""
        await self._fetch("finished", video.id, video.attempts)

    async def is_wanted(self, video: Video) -> bool:
        """Say whether an attempt still has something to do: nobody removed the video, no newer attempt has begun."""
        return await self._fetchrow("wanted", video.id, video.attempts) is not None

    async def give_back_attempt(self, video: Video) -> str | None:
        """Uncount an attempt that was stopped from outside; return the stage it published, if that is withdrawn."""
        async with self._transaction() as connection:
            withdrawn = await _withdraw_growing(connection, video)
            await connection.execute(SQL["give_back_attempt"], video.id, video.attempts)
        return withdrawn

    async def await_upload(self, video: Video) -> None:
        """End an attempt that does not count, since the video's file is still to come."""
        async with self._transaction() as connection:
            room_id = await connection.fetchval(SQL["await_upload"], video.id, video.attempts)
            if room_id is not None:
                await speak_of(connection, video.id)
                await announce(connection, room_id)

    async def first_awaiting(self, mxc: str) -> VideoId | None:
        """Return the video that asks whether a file was uploaded, for all that wait for the same one."""
        row = await self._fetchrow("first_awaiting", mxc)
        return VideoId(str(row["id"])) if row else None

    async def upload_came(self, mxc: str) -> None:
        """Let all begin that waited for a file."""
        await self._fetch("upload_came", mxc)

    @asynccontextmanager
    async def spared(self, video: Video) -> AsyncIterator[None]:
        """Let an attempt not count should its worker die meanwhile: it only waits, and another one is worked on."""
        await self._fetch("spare_attempt", video.id, video.attempts, 1)
        try:
            yield
        finally:
            await self._fetch("spare_attempt", video.id, video.attempts, -1)

    async def recover_lost_jobs(self) -> int:
        """Queue every unfinished video that has no job (any more); return how many there were."""
        async with self._transaction() as connection:
            return await resume(connection)

    async def publish(self, video: Video, published: Published) -> bool:
        """Show what was made of a video; False when it is gone or a newer attempt has taken over."""
        renditions = [rendition.to_json() for rendition in published.renditions]
        async with self._transaction() as connection:
            row = await connection.fetchrow(
                SQL["publish"], video.id, sources_of(published.state), video.attempts, published.state,
                published.stage, published.duration, published.width, published.height, published.has_poster,
                renditions, published.available, published.blurhash,
                published.storyboard.to_json() if published.storyboard else None, published.has_preview,
                published.content_hash, [captions.to_json() for captions in published.captions],
                published.bytes, published.audio_left_out,
            )  # fmt: skip
            if row is None:
                return False
            if self._judging:
                await connection.execute(SQL["await_verdict"], video.id)
                if published.state is State.READY:
                    await queue(connection, RequestVerdict(video.id))
            if published.has_poster:
                await concern_moderators(connection, video.id)
            if video.state is not State.PLAYABLE or row["audio_left_out"] != video.audio_left_out:  # else said
                await speak_of(connection, video.id)
            await announce(connection, row["room_id"])
            return True

    async def grow(self, video: Video, stage: str, available: int) -> bool:
        """Note how many segments of a growing stage exist, and tell those alone who wait; False as `publish` does."""
        return await self._fetchrow("grow", video.id, video.attempts, stage, available) is not None

    async def same_content(self, video_id: VideoId, content_hash: bytes) -> Video | None:
        """Return another video that is ready, shown, and made from the same content in the same way."""
        row = await self._fetchrow("same_content", content_hash, video_id)
        return read_video(row) if row else None

    async def progress(self, video: Video, percent: int, remaining: int | None) -> None:
        """Tell viewers how far an attempt is, and how many seconds it may still take."""
        await self._fetch("progress", video.id, video.attempts, percent, remaining)

    async def classify(self, video: Video) -> None:
        """Keep as what a video is worked on, and its title, now that its file told what it is."""
        async with self._transaction() as connection:
            row = await connection.fetchrow(SQL["classify"], video.id, video.attempts, video.kind, video.title)
            if row:
                await announce(connection, row["room_id"])

    async def pause(self, video: Video) -> str | None:
        """End an attempt that another one is to follow; return the stage it published, if that is withdrawn."""
        async with self._transaction() as connection:
            withdrawn = await _withdraw_growing(connection, video)
            await connection.execute(SQL["pause"], video.id, video.attempts)
        return withdrawn

    async def under_way(self, heartbeat_timeout: float) -> list[UnderWay]:
        """Return what the workers are at that gave a sign of life within so many seconds."""
        return [
            UnderWay(
                VideoId(str(row["id"])),
                RoomId(row["room_id"]),
                UserId(row["sender"]),
                row["attempts"],
                row["percent"],
                row["remaining"],
            )
            for row in await self._fetch("under_way", heartbeat_timeout)
        ]

    async def fail(self, video: Video, code: str, *, given_up: bool = False) -> None:
        """End the work on a video with a reason, and queue telling its sender in the same transaction.

        `given_up`: it may be our own fault, and admins are told as well. Where the media are those of an edit, what
        played before them comes back.
        """
        async with self._transaction() as connection:
            # Of which kind it is the work on it may have told since `video` was read.
            row = await _bring_back(connection, video, code) or await connection.fetchrow(
                SQL["fail"], video.id, sources_of(State.FAILED), video.attempts, code
            )
            if row is not None:
                await speak_of(connection, video.id)
                await queue(connection, SweepFiles(video.id))
                await concern_moderators(connection, video.id)
                if given_up:
                    await trouble(
                        connection, "video", video_id=video.id, user_id=video.sender, room_id=row["room_id"],
                        failure=code, kind=row["kind"], sent=video.created_at,
                    )  # fmt: skip
                await announce(connection, row["room_id"])

    async def discard(self, video: Video) -> None:
        """Forget a file that turned out to be no video, unless another one replaced it meanwhile."""
        async with self._transaction() as connection:
            # A mark that stands at it, or is just being set, goes as well.
            await connection.execute(SQL["hold_status"], video.id)
            said = await connection.fetch(SQL["said"], video.id)
            row = await connection.fetchrow(SQL["discard"], video.id, video.attempts)
            if row is not None:
                await queue(connection, SweepFiles(video.id))
                marks = [each["event_id"] for each in said if each["event_id"]]
                await queue(connection, *(ForgetMessage(row["sent_in"], mark, redact=True) for mark in marks))
                await announce(connection, row["room_id"])

    async def requeue(self, video_id: VideoId, *, by: UserId = ITSELF) -> bool:
        """Give a failed video a new start; False when it has not failed."""
        async with self._transaction() as connection:
            row = await connection.fetchrow(SQL["requeue"], video_id)
            if row is None:
                return False
            await queue(connection, TranscodeVideo(video_id))
            await speak_of(connection, video_id)
            await note(
                connection, by, Deed.REQUEUED, room_id=row["room_id"], video_id=video_id, user_id=row["sender"],
                failure=row["failure"],
            )  # fmt: skip
            await announce(connection, row["room_id"])
            return True

    async def sweep_later(self, video_id: VideoId, after: timedelta) -> None:
        """Queue the deletion of a video's files that are not served any more, after viewers have moved on."""
        async with self._transaction() as connection:
            await queue(connection, SweepFiles(video_id), after=after)

    async def forget_job_log(self) -> None:
        """Forget what became of jobs long ago: the queue only ever adds to that."""
        for query in ("forget_job_log", "forget_job_statistics"):
            await self._fetch(query, _JOB_LOG_DAYS, _JOB_LOG_AT_ONCE)

    async def counts(self) -> dict[str, int]:
        """Return how many videos there are in each state."""
        return {row["state"]: row["videos"] for row in await self._fetch("counts")}

    async def secret(self, name: str, fresh: bytes) -> bytes:
        """Return the secret that all processes share, `fresh` the first time."""
        row = await self._fetchrow("ensure_secret", name, fresh) or await self._fetchrow("ensure_secret", name, fresh)
        if row is None:
            raise UnavailableError(f"The secret {name} could not be kept in the database.")
        return bytes(row["value"])


async def _bring_back(connection: Connection, video: Video, code: str) -> Row | None:
    row = await connection.fetchrow(SQL["bring_back"], video.id, sources_of(State.FAILED), video.attempts)
    if row is None:
        return None
    await tell(
        connection, RoomId(row["room_id"]), row["sender"], row["thread"], "bot-edit-failed", title=row["title"],
        failure=code, kind=row["kind"], sent=video.created_at,
    )  # fmt: skip
    return row


async def _withdraw_growing(connection: Connection, video: Video) -> str | None:
    """Take a first stage that an attempt left unfinished out of the reel: its next segment may never come.

    Return its name, whose files nobody needs any more; None where there is none.
    """
    row = await connection.fetchrow(SQL["withdraw_growing"], video.id, video.attempts)
    if row is None:
        return None
    await speak_of(connection, video.id)
    await concern_moderators(connection, video.id)
    await announce(connection, row["room_id"])
    return str(row["stage"])
