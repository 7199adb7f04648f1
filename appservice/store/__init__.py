"""The database in operation: every query of `queries/` behind a method."""

from appservice.store.all import Stores
from appservice.store.behalf import SentForStore
from appservice.store.channel import ChannelStore
from appservice.store.commands import CommandStore, OpenCommand
from appservice.store.contents import ContentStore
from appservice.store.erasure import ErasingStore
from appservice.store.exports import Belongings, ExportStore
from appservice.store.installation import AdminStore, AuditLine, Quarantined, Queue, RoomLine, Undoable, UserLine
from appservice.store.moderation import Block, Held, ModeratingStore, Post, Reported, UnknownContentError
from appservice.store.places import PlaceStore
from appservice.store.policies import PolicyList, PolicyStore
from appservice.store.pool import Database, open_pool
from appservice.store.public import PublicStore
from appservice.store.quotas import QuotaStore
from appservice.store.rooms import Published, Store, UnderWay
from appservice.store.sign_ins import SignIn, SignInStore
from appservice.store.statuses import Said, StatusStore
from appservice.store.timeline import TimelineStore
from appservice.store.uploads import SupersededUploadError, Upload, UploadState, UploadStore
from appservice.store.verdicts import Unjudged, Verdict, VerdictStore
from appservice.store.video_changes import ManagingStore

__all__ = [
    "AdminStore",
    "AuditLine",
    "Belongings",
    "Block",
    "ChannelStore",
    "CommandStore",
    "ContentStore",
    "Database",
    "ErasingStore",
    "ExportStore",
    "Held",
    "ManagingStore",
    "ModeratingStore",
    "OpenCommand",
    "PlaceStore",
    "PolicyList",
    "PolicyStore",
    "Post",
    "PublicStore",
    "Published",
    "Quarantined",
    "Queue",
    "QuotaStore",
    "Reported",
    "RoomLine",
    "Said",
    "SentForStore",
    "SignIn",
    "SignInStore",
    "StatusStore",
    "Store",
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
    "open_pool",
]
