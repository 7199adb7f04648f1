"""Videos as people see them: lists, and what is served."""

from collections.abc import Sequence
from dataclasses import dataclass

from appservice.core.model import History, RoomId, UserId, Video, VideoId
from appservice.store.mapping import read_video
from appservice.store.pool import Database


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A video that a worker is at: percent done, and seconds left (None: not known yet)."""

    video_id: VideoId
    room_id: RoomId
    sender: UserId
    attempts: int
    percent: int
    remaining: int | None


class VideoStore(Database):
    """Videos. Every method raises UnavailableError when the database is away."""

    async def video(self, video_id: VideoId) -> Video | None:
        """Return a video."""
        row = await self._fetchrow("video", id=video_id)
        return read_video(row) if row else None

    async def room_videos(self, room_id: RoomId) -> list[Video]:
        """Return all videos of a room that were not removed, each sender's in reel order."""
        return [read_video(row) for row in await self._fetch("room_videos", room_id=room_id)]

    async def readable(self, videos: Sequence[Video], user_id: UserId) -> list[Video]:
        """Return the videos that somebody may see by the history visibility of when each was sent.

        Costs a query only where that was stricter than `shared`.
        """
        strict = [
            video.id for video in videos if video.arrival.history is not History.SHARED and video.sender != user_id
        ]
        rows = await self._fetch("withheld", ids=strict, user_id=user_id) if strict else []
        withheld = {str(row["id"]) for row in rows}
        return [video for video in videos if video.id not in withheld]

    async def videos_of(self, sender: UserId, room_id: RoomId | None) -> list[Video]:
        """Return a member's videos, in reel order: of one room, or of every room where both they and the bot are."""
        return [read_video(row) for row in await self._fetch("videos_of", sender=sender, room_id=room_id)]

    async def videos_by_short_id(self, beginning: str, user_id: UserId) -> list[Video]:
        """Return the first two videos whose id begins so (hexadecimal digits), in rooms that a user is in."""
        return [read_video(row) for row in await self._fetch("videos_by_short_id", digits=beginning, user_id=user_id)]

    async def served_stage(self, video_id: VideoId, room_id: RoomId) -> str | None:
        """Return the folder of a video that all viewers of a room may be served from now."""
        row = await self._fetchrow("served_stage", id=video_id, room_id=room_id)
        return row["stage"] if row else None

    async def served_stage_to(self, video_id: VideoId, room_id: RoomId, user_id: UserId) -> str | None:
        """Return that of a video which only some of the room may see, if this viewer is one of them."""
        row = await self._fetchrow("served_stage_to", id=video_id, room_id=room_id, user_id=user_id)
        return row["stage"] if row else None

    async def counts(self) -> dict[str, int]:
        """Return how many videos there are in each state."""
        return {row["state"]: row["videos"] for row in await self._fetch("counts")}

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
            for row in await self._fetch("under_way", heartbeat_timeout=heartbeat_timeout)
        ]
