"""Builds a worker: the handler of each kind of job, and the periodic chores."""

from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import structlog

from appservice.commands.context import Services as CommandServices
from appservice.commands.run import CommandWork
from appservice.config import Retention
from appservice.core.jobs import (
    AnyJob,
    Backfill,
    ConvertUpload,
    DecideByReaction,
    DeleteMessage,
    DeleteUnsent,
    EnforcePolicies,
    MakeExport,
    Notify,
    NotifyAdmins,
    NotifyNewcomers,
    NotifyRoom,
    ReadAgain,
    ReadPolicyList,
    RequestVerdict,
    RespondToSignIn,
    RunCommands,
    SweepFiles,
    SweepStages,
    TendRoom,
    TranscodeVideo,
    UpdateQueuePosts,
    UpdateStatus,
)
from appservice.core.rules.video_permissions import UNDO_S
from appservice.service.sealed_contents import SealedContents
from appservice.store import Stores
from appservice.web.access import Access
from appservice.wiring.parts import Parts, policy_work
from appservice.worker.blocklist import Blocklist
from appservice.worker.command_responses import respond_to_sign_in
from appservice.worker.concurrency import ProcessorSlots
from appservice.worker.erasure import ErasingWork
from appservice.worker.exports import ExportWork
from appservice.worker.loop import Chore, Worker
from appservice.worker.lost_files import LostFiles
from appservice.worker.lower_rungs import IdleRungs
from appservice.worker.monitor import Monitor
from appservice.worker.notifications import NotificationWork
from appservice.worker.opt_ins import OptInNotices
from appservice.worker.ownership import Ownership
from appservice.worker.policies import PolicyWork
from appservice.worker.private_chats import PrivateChats
from appservice.worker.queue_posts import QueuePosts
from appservice.worker.rooms import RoomWork
from appservice.worker.runner_files import RunnerFiles
from appservice.worker.runner_ladders import RunnerLadders
from appservice.worker.status import StatusWork
from appservice.worker.sweeping import StageSweeping
from appservice.worker.taken_jobs import Offers
from appservice.worker.timeline import TimelineWork
from appservice.worker.transcode_options import settings_of
from appservice.worker.uploads import UploadWork
from appservice.worker.verdicts import VerdictWork
from appservice.worker.video_attempt import VideoServices
from appservice.worker.videos import VideoWork
from transcode import Tools, find_tools
from transcode.process.tools import usable_encoder

log = structlog.get_logger()


@dataclass(frozen=True)
class Jobs:
    """Does each job by its kind."""

    parts: Parts
    videos: VideoWork
    uploads: UploadWork
    exports: ExportWork
    verdicts: VerdictWork
    rooms: RoomWork
    status: StatusWork
    queue_posts: QueuePosts
    commands: CommandWork
    notifications: NotificationWork
    opt_ins: OptInNotices
    monitor: Monitor
    erasing: ErasingWork
    timeline: TimelineWork
    policies: PolicyWork
    ownership: Ownership

    async def do(self, job: AnyJob) -> None:  # noqa: C901 - one line for each kind
        """Run a job."""
        match job:
            case TranscodeVideo():
                await self.videos.run(job.video_id)
            case ConvertUpload():
                await self.uploads.run(job.upload_id)
            case MakeExport():
                await self.exports.run(job)
            case RequestVerdict():
                await self.verdicts.run(job.video_id)
            case TendRoom():
                await self.rooms.run(job.room_id)
            case UpdateStatus():
                await self.status.run(job.video_id)
            case UpdateQueuePosts():
                await self.queue_posts.run(job.video_id)
            case DecideByReaction():
                await self.queue_posts.decide(job)
            case SweepFiles():
                await self.videos.services.sweeping.all(job.video_id)
            case SweepStages():
                await self.videos.services.sweeping.stages(job.video_id, job.stages)
            case RunCommands():
                await self.commands.run(job.room_id)
            case RespondToSignIn():
                await respond_to_sign_in(job, self.parts.homeserver, self.parts.texts)
            case Notify():
                await self.notifications.run(job)
            case NotifyRoom():
                await self.opt_ins.notify(job)
            case NotifyNewcomers():
                await self.opt_ins.notify_newcomers(job.room_id)
            case NotifyAdmins():
                await self.monitor.notify(job)
            case DeleteMessage():
                await self.erasing.delete_message(job)
            case DeleteUnsent():
                await self.erasing.delete_unsent(job)
            case Backfill():
                await self.timeline.backfill(job)
            case ReadAgain():
                await self.timeline.read_again(job)
            case ReadPolicyList():
                await self.policies.read(job.room_id)
            case EnforcePolicies():
                await self.policies.enforce()
            case _:
                assert_never(job)

    def chores(self) -> list[Chore]:
        """Return what is done beside the jobs."""
        return [
            # A job is lost only when the database goes away just as its end is noted; nobody must wait for ever for it.
            Chore("recovery", self._recover, every=60.0),
            Chore("waking queues", self._wake_queues, every=self.parts.config.worker.heartbeat_timeout / 2),
            # More often than what was deleted becomes due: so it is seen before, and gone in time.
            Chore("purge", self._purge, every=UNDO_S / 2),
            Chore("sweep", self._sweep, every=self.parts.storage.sweep_s),
            Chore("monitor", self.monitor.check, every=5.0),
            Chore("idle rungs", IdleRungs(self.parts.stores.lower_rungs).act, every=30.0),
            Chore("looking back", self.timeline.backfill_all, every=15.0),
            Chore("packing", self._pack, every=600.0),
        ]

    async def _recover(self) -> None:
        stores = self.parts.stores
        if lost := await stores.attempts.recover_lost_jobs():
            log.warning("lost_jobs_recovered", videos=lost)
        if lost := await stores.commands.recover_lost_jobs():
            log.warning("lost_commands_recovered", rooms=lost)
        await stores.queue_posts.queue_missing()
        await self.verdicts.recover()
        await stores.runners.prune()
        await stores.exports.delete_expired()
        await stores.installation.prune_job_log()
        await stores.status_posts.prune()
        await stores.quotas.fold_totals()
        await _end_lifetimes(stores, self.parts.config.retention)
        # At last: storage may be away, which is no reason to retain anything for longer.
        if await self.ownership.is_ours():
            await self.uploads.sweep()
            await self.erasing.sweep()

    async def _wake_queues(self) -> None:
        await self.parts.stores.installation.wake_queues(self.parts.config.worker.heartbeat_timeout)

    async def _purge(self) -> float | None:
        return await self.parts.stores.changes.purge_deleted(UNDO_S)

    async def _pack(self) -> float | None:
        # Only after an upgrade there is anything: slowly, for nobody waits for it.
        return 1.0 if await self.parts.stores.packed_media.pack_some() else None

    async def _sweep(self) -> None:
        # A look at two folders, which are mostly empty.
        if await self.ownership.is_ours():
            await self.exports.sweep()
            await self.uploads.sweep_files()


async def _end_lifetimes(stores: Stores, retention: Retention) -> None:
    while removed := await stores.erasure.remove_due(retention.days):
        log.info("lifetime_over", videos=removed)
    await stores.erasure.expire_sent()
    if retention.left_rooms_days is not None:
        await stores.erasure.erase_left_rooms(retention.left_rooms_days)


async def build_worker(parts: Parts, scratch: Path) -> Worker:
    """Return a worker for all kinds of jobs; `scratch` is a folder of its own."""
    config = parts.config
    jobs = await _build_jobs(parts, find_tools(config.transcode.ffmpeg, config.transcode.ffprobe), scratch)
    return Worker(
        parts.pool, parts.direct, jobs.do, jobs.chores(),
        concurrency=config.worker.concurrency, heartbeat_timeout=config.worker.heartbeat_timeout,
    )  # fmt: skip


async def _build_jobs(parts: Parts, tools: Tools, scratch: Path) -> Jobs:
    config, stores, homeserver = parts.config, parts.stores, parts.homeserver
    language = config.appservice.language
    return Jobs(
        parts=parts,
        videos=_video_work(parts, tools, scratch),
        uploads=UploadWork(
            config, stores.rooms, stores.uploads, parts.storage.uploads, homeserver, tools, scratch, parts.keyring
        ),
        exports=ExportWork(
            stores.exports, stores.commands, homeserver,
            PrivateChats(stores.exports, homeserver, parts.serves_encrypted),
            parts.files, parts.storage.exports, parts.media_keys, scratch, parts.languages, language,
            config.web.public_url,
            key=await stores.installation.secret("export", Access.new_key()),
            has_key=parts.keyring is not None,
        ),
        verdicts=VerdictWork(
            config.moderation.webhook, stores.verdicts, stores.blocks, parts.session, parts.files, parts.media_keys,
            SealedContents(stores.blocks, parts.keyring),
        ),
        rooms=RoomWork(config, stores, homeserver, parts.texts, parts.use_cases.opt_ins.available),
        status=StatusWork(stores, homeserver, parts.languages, language),
        queue_posts=QueuePosts(
            stores, parts.use_cases.moderation, homeserver, parts.files, parts.languages, language, scratch,
            parts.media_keys, parts.keyring if parts.serves_encrypted else None,
        ),
        commands=CommandWork(CommandServices(config, stores, parts.use_cases, homeserver, parts.languages)),
        notifications=NotificationWork(stores, homeserver, parts.languages, language),
        opt_ins=OptInNotices(stores, homeserver, parts.languages, language),
        monitor=Monitor(config, stores, homeserver, parts.languages),
        erasing=ErasingWork(
            stores.erasure, homeserver, parts.files, parts.texts, LostFiles(stores.erasure, parts.files)
        ),
        timeline=TimelineWork(config, stores, homeserver),
        policies=policy_work(parts),
        ownership=Ownership(stores.installation, stores.erasure, parts.files),
    )  # fmt: skip


def _video_work(parts: Parts, tools: Tools, scratch: Path) -> VideoWork:
    config, stores = parts.config, parts.stores
    encoder, problem = usable_encoder(tools, config.transcode.encoder)
    if problem:
        log.warning("encoder_replaced", wanted=config.transcode.encoder, used=encoder, reason=problem)
    for weakness in tools.sandbox.weaknesses:
        log.warning("sandbox_weak", reason=weakness)
    settings = settings_of(config, encoder)
    services = VideoServices(
        config=config, store=stores.attempts, lower_rungs=stores.lower_rungs, rooms=stores.rooms,
        videos=stores.videos, homeserver=parts.homeserver, session=parts.session, files=parts.files,
        sweeping=StageSweeping(stores.attempts, stores.videos, parts.files, parts.media_keys), tools=tools,
        settings=settings, scratch=scratch,
        blocklist=Blocklist(stores.blocks, stores.rooms, SealedContents(stores.blocks, parts.keyring), tools),
        quotas=stores.quotas, media_keys=parts.media_keys,
        runners=RunnerLadders(RunnerFiles(stores.runners, parts.storage.uploads), parts.media_keys, tools, settings),
        keyring=parts.keyring,
    )  # fmt: skip
    return VideoWork(services, ProcessorSlots(config.worker.concurrency), Offers(parts.pool))
