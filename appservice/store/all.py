"""All stores of one pool, each built once."""

from dataclasses import dataclass

from appservice.core.rules.quotas import NO_LIMITS, Quotas
from appservice.store.behalf import SentForStore
from appservice.store.channel import ChannelStore
from appservice.store.commands import CommandStore
from appservice.store.contents import ContentStore
from appservice.store.erasure import ErasingStore
from appservice.store.exports import ExportStore
from appservice.store.installation import AdminStore
from appservice.store.moderation import ModeratingStore
from appservice.store.outbox import Pool
from appservice.store.places import PlaceStore
from appservice.store.policies import PolicyStore
from appservice.store.public import PublicStore
from appservice.store.quotas import QuotaStore
from appservice.store.rooms import Store
from appservice.store.sign_ins import SignInStore
from appservice.store.statuses import StatusStore
from appservice.store.timeline import TimelineStore
from appservice.store.uploads import UploadStore
from appservice.store.verdicts import VerdictStore
from appservice.store.video_changes import ManagingStore


@dataclass(frozen=True)
class Stores:
    """All stores."""

    store: Store
    managing: ManagingStore
    contents: ContentStore
    moderating: ModeratingStore
    verdicts: VerdictStore
    policies: PolicyStore
    erasing: ErasingStore
    admin: AdminStore
    commands: CommandStore
    statuses: StatusStore
    timeline: TimelineStore
    quotas: QuotaStore
    uploads: UploadStore
    exports: ExportStore
    channels: ChannelStore
    places: PlaceStore
    public: PublicStore
    sign_ins: SignInStore
    sent_for: SentForStore

    @classmethod
    def on(cls, pool: Pool, quotas: Quotas = NO_LIMITS, *, judging: bool = False) -> "Stores":
        """Return all stores on a pool; `judging`: what is published waits for the verdict of a detection service."""
        return cls(
            store=Store(pool, quotas, judging=judging),
            managing=ManagingStore(pool),
            contents=ContentStore(pool),
            moderating=ModeratingStore(pool),
            verdicts=VerdictStore(pool),
            policies=PolicyStore(pool),
            erasing=ErasingStore(pool),
            admin=AdminStore(pool),
            commands=CommandStore(pool),
            statuses=StatusStore(pool),
            timeline=TimelineStore(pool, quotas),
            quotas=QuotaStore(pool, quotas),
            uploads=UploadStore(pool, quotas),
            exports=ExportStore(pool),
            channels=ChannelStore(pool),
            places=PlaceStore(pool),
            public=PublicStore(pool),
            sign_ins=SignInStore(pool),
            sent_for=SentForStore(pool),
        )
