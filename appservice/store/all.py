"""All stores of one pool, each built once."""

from appservice.core.events.attachment_keys import Convert
from appservice.core.rules.quotas import NO_LIMITS, Quotas
from appservice.store.admin import AdminStore
from appservice.store.attempts import AttemptStore
from appservice.store.blocks import BlockStore
from appservice.store.bookmarks import BookmarkStore
from appservice.store.channel import ChannelStore
from appservice.store.commands import CommandStore
from appservice.store.encrypted_events import EncryptedEventStore
from appservice.store.erasure import ErasureStore
from appservice.store.exports import ExportStore
from appservice.store.installation import InstallationStore
from appservice.store.intake import IntakeStore
from appservice.store.lower_rungs import LowerRungStore
from appservice.store.media_keys import MediaKeyStore
from appservice.store.members import MemberStore
from appservice.store.moderation import ModerationStore
from appservice.store.observation import ObservationStore
from appservice.store.opt_ins import OptInStore
from appservice.store.outbox import Pool
from appservice.store.outgoing import OutgoingStore, Sealing
from appservice.store.packed_media import PackedMediaStore
from appservice.store.policies import PolicyStore
from appservice.store.public import PublicStore
from appservice.store.queue_posts import QueuePostStore
from appservice.store.quotas import QuotaStore
from appservice.store.room_states import RoomStateStore
from appservice.store.rooms import RoomStore
from appservice.store.runners import RunnerStore
from appservice.store.sent_for import SentForStore
from appservice.store.sign_ins import SignInStore
from appservice.store.status_posts import StatusPostStore
from appservice.store.timeline import TimelineStore
from appservice.store.uploads import UploadStore
from appservice.store.verdicts import VerdictStore
from appservice.store.video_changes import VideoChangeStore
from appservice.store.videos import VideoStore


class Stores:
    """All stores; `judging`: what is published waits for the verdict of a detection service.

    `decrypting`: encrypted rooms are served. `seal` encrypts the keys of attachments before they are stored, `sealing`
    what is sent to encrypted rooms. Locks that are held for long are those of `direct` connections, where there are.
    """

    def __init__(
        self, pool: Pool, quotas: Quotas = NO_LIMITS, *, judging: bool = False, decrypting: bool = False,
        seal: Convert | None = None, sealing: Sealing | None = None, direct: "Pool | None" = None,
    ) -> None:  # fmt: skip
        # What events bring
        self.intake = IntakeStore(pool, quotas, decrypting=decrypting, seal=seal)
        self.timeline = TimelineStore(pool, quotas, decrypting=decrypting, seal=seal)
        self.encrypted_events = EncryptedEventStore(pool, quotas, seal=seal)
        self.rooms = RoomStore(pool, direct)
        self.members = MemberStore(pool)
        # Videos, and the work on them
        self.videos = VideoStore(pool)
        self.attempts = AttemptStore(pool, judging=judging)
        self.lower_rungs = LowerRungStore(pool)
        self.media_keys = MediaKeyStore(pool)
        self.packed_media = PackedMediaStore(pool)
        self.uploads = UploadStore(pool, quotas)
        self.quotas = QuotaStore(pool, quotas)
        self.runners = RunnerStore(pool)
        self.blocks = BlockStore(pool)
        self.verdicts = VerdictStore(pool)
        # What people do
        self.changes = VideoChangeStore(pool)
        self.moderation = ModerationStore(pool)
        self.admin = AdminStore(pool)
        self.policies = PolicyStore(pool)
        self.erasure = ErasureStore(pool)
        self.exports = ExportStore(pool)
        self.opt_ins = OptInStore(pool)
        # What the bot says
        self.commands = CommandStore(pool, direct)
        self.status_posts = StatusPostStore(pool, direct)
        self.queue_posts = QueuePostStore(pool, direct)
        self.sent_for = SentForStore(pool, direct)
        self.outgoing = OutgoingStore(pool, sealing if decrypting else None)
        # Who watches
        self.sign_ins = SignInStore(pool)
        self.channels = ChannelStore(pool)
        self.room_states = RoomStateStore(pool)
        self.bookmarks = BookmarkStore(pool)
        self.public = PublicStore(pool)
        # What operators see
        self.installation = InstallationStore(pool)
        self.observation = ObservationStore(pool)
