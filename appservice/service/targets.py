"""The videos that somebody may know of, each with the viewer that they are in its room."""

from collections.abc import Sequence
from dataclasses import dataclass

from appservice.core.model import RoomId, UserId, Video
from appservice.core.room import Room
from appservice.core.rules.video_permissions import Viewer, may_see, viewer_in
from appservice.store import Stores


@dataclass(frozen=True, slots=True)
class Target:
    """A video, the room that has it, and who somebody is there."""

    video: Video
    room: Room
    viewer: Viewer


async def known_to(
    user_id: UserId, videos: Sequence[Video], stores: Stores, *, here: Room | None = None
) -> list[Target]:
    """Return those of the videos that somebody may know of, as a member of their rooms.

    `here`: a room that they just proved to be in; of others the database knows.
    """
    rooms: dict[RoomId, Room | None] = {here.room_id: here} if here else {}
    targets = []
    for video in await stores.videos.readable(videos, user_id):
        if video.room_id not in rooms:
            rooms[video.room_id] = await _room_of(video.room_id, user_id, stores)
        room = rooms[video.room_id]
        if room and may_see(video, viewer := viewer_in(room, user_id)):
            targets.append(Target(video, room, viewer))
    return targets


async def _room_of(room_id: RoomId, user_id: UserId, stores: Stores) -> Room | None:
    is_member = await stores.members.member_key(room_id, user_id) is not None
    return await stores.rooms.room(room_id) if is_member else None
