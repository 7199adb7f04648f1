"""The database in operation: every query of `queries/` behind a method."""

from appservice.store.admin import AdminStore, AuditLine, Quarantined, Queue, RoomLine, Undoable, UserLine
from appservice.store.all import Stores
from appservice.store.attempts import AttemptStore, Published
from appservice.store.blocks import Block, BlockStore, Content, UnknownContentError
from appservice.store.bookmarks import BookmarkStore
from appservice.store.channel import ChannelStore
from appservice.store.commands import CommandStore, OpenCommand
from appservice.store.erasure import ErasureStore
from appservice.store.exports import Belongings, ExportStore
from appservice.store.installation import InstallationStore
from appservice.store.intake import IntakeStore
from appservice.store.lower_rungs import LowerRungStore
from appservice.store.members import MemberStore
from appservice.store.moderation import Held, ModerationStore, Reported
from appservice.store.policies import PolicyList, PolicyStore
from appservice.store.pool import Database, open_pool
from appservice.store.public import PublicStore
from appservice.store.queue_posts import Post, QueuePostStore
from appservice.store.quotas import QuotaStore
from appservice.store.room_states import RoomRead, RoomStateStore
from appservice.store.rooms import RoomStore
from appservice.store.sent_for import SentForStore
from appservice.store.sign_ins import SignIn, SignInStore
from appservice.store.status_posts import StatusPost, StatusPostStore
from appservice.store.timeline import TimelineStore
from appservice.store.uploads import SupersededUploadError, Upload, UploadState, UploadStore
from appservice.store.verdicts import Unjudged, Verdict, VerdictStore
from appservice.store.video_changes import VideoChangeStore
from appservice.store.videos import UnderWay, VideoStore

__all__ = [
    "AdminStore",
    "AttemptStore",
    "AuditLine",
    "Belongings",
    "Block",
    "BlockStore",
    "BookmarkStore",
    "ChannelStore",
    "CommandStore",
    "Content",
    "Database",
    "ErasureStore",
    "ExportStore",
    "Held",
    "InstallationStore",
    "IntakeStore",
    "LowerRungStore",
    "MemberStore",
    "ModerationStore",
    "OpenCommand",
    "PolicyList",
    "PolicyStore",
    "Post",
    "PublicStore",
    "Published",
    "Quarantined",
    "Queue",
    "QueuePostStore",
    "QuotaStore",
    "Reported",
    "RoomLine",
    "RoomRead",
    "RoomStateStore",
    "RoomStore",
    "SentForStore",
    "SignIn",
    "SignInStore",
    "StatusPost",
    "StatusPostStore",
    "Stores",
    "SupersededUploadError",
    "TimelineStore",
    "UnderWay",
    "Undoable",
    "Unjudged",
    "UnknownContentError",
    "Upload",
    "UploadState",
    "UploadStore",
    "UserLine",
    "Verdict",
    "VerdictStore",
    "VideoChangeStore",
    "VideoStore",
    "open_pool",
]
