"""Permission to opt an encrypted room in and out: whether playable copies of its videos are stored here. Pure."""

from appservice.core.errors import ConflictError, ForbiddenError
from appservice.core.room import Room
from appservice.core.rules.video_permissions import Viewer


def may_opt_in(room: Room, viewer: Viewer) -> bool:
    """Say whether somebody decides that for a room: its moderators do, and whoever is alone with the bot."""
    return room.encrypted and (viewer.moderates or room.direct)


def check_opt_in(room: Room, viewer: Viewer, *, available: bool) -> None:
    """Raise ConflictError or ForbiddenError unless the viewer may opt the room in.

    `available`: the operator has set up encrypted rooms.
    """
    check_opt_out(room, viewer)
    if not available:
        raise ConflictError("This server is not set up for encrypted rooms; docs/encryption.md tells its operator how.")


def check_opt_out(room: Room, viewer: Viewer) -> None:
    """Raise ConflictError or ForbiddenError unless the viewer may opt the room out."""
    if not room.encrypted:
        raise ConflictError("This room is not encrypted: there is nothing to agree to.")
    if not may_opt_in(room, viewer):
        raise ForbiddenError("Only the room's moderators may do this.")
