"""Runners: who they are, what they are given, and how far that is."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from appservice.core.model import UploadId, Video, VideoId
from appservice.core.runners import LEASE_S, TaskView, token_hash
from appservice.store.pool import Database
from appservice.store.sql import query

KEPT_S = 20.0
"""For so long an offer stands whose worker says nothing."""


class OfferState(StrEnum):
    """What became of an offer."""

    OFFERED = "offered"
    LEASED = "leased"
    COMPLETE = "complete"
    FAILED = "failed"
    RETURNED = "returned"


class Runner(NamedTuple):
    """A runner by its token."""

    id: str
    name: str


class RunnerFile(NamedTuple):
    """A file of a job, which has `most` bytes at most; `size`: its bytes once it is whole."""

    id: UploadId
    most: int
    size: int | None


@dataclass(frozen=True, slots=True)
class Lease:
    """A job that a runner has; `sealed_key` opens what is encrypted of it."""

    id: str
    video_id: VideoId
    task: TaskView
    sealed_key: bytes | None


@dataclass(frozen=True, slots=True)
class RunnerLine:
    """A runner as operators see it."""

    name: str
    takes_encrypted: bool
    seen_at: datetime | None
    done: int
    failed: int
    paused_until: datetime | None
    revoked_at: datetime | None
    video_id: VideoId | None


@dataclass(frozen=True, slots=True)
class Offer:
    """What a worker offers of an attempt; `most_seconds`: for how long a runner may have it."""

    video: Video
    encrypted: bool
    task: TaskView
    files: Mapping[str, int]
    sealed_key: bytes | None
    most_seconds: float


class RunnerStore(Database):
    """Runners, and what they do. Every method raises UnavailableError when the database is away."""

    async def add(self, name: str, token: str, *, takes_encrypted: bool) -> bool:
        """Register a runner by the hash of its token; False where there is, or was, one of that name."""
        return (
            await self._fetchrow("add_runner", name=name, token_hash=token_hash(token), takes_encrypted=takes_encrypted)
            is not None
        )

    async def revoke(self, name: str) -> bool:
        """End what a runner does, and let it do nothing more; False where there is none (any more) of that name."""
        return await self._fetchrow("revoke_runner", name=name) is not None

    async def all(self) -> list[RunnerLine]:
        """Return all runners, those that were revoked last."""
        return [
            RunnerLine(**{**row, "video_id": VideoId(str(row["video_id"])) if row["video_id"] else None})
            for row in await self._fetch("runners")
        ]

    async def runner(self, token: str) -> Runner | None:
        """Return the runner of a token; None where there is none, or it was revoked."""
        row = await self._fetchrow("runner_of_token", token_hash=token_hash(token))
        if row is None or not hmac.compare_digest(row["token_hash"], token_hash(token)):
            return None
        return Runner(str(row["id"]), row["name"])

    async def lease(self, runner: Runner, waits_s: float) -> Lease | None:
        """Give a runner the next job; where there is none, note that it waits for some seconds."""
        row = await self._fetchrow("lease_runner_job", runner_id=runner.id, seconds=LEASE_S)
        await self._fetch("await_runner_job", id=runner.id, seconds=0.0 if row else waits_s)
        if row is None:
            return None
        task = TaskView.model_validate(row["task"])
        return Lease(str(row["id"]), VideoId(str(row["video_id"])), task, row["sealed_key"])

    async def renew(self, runner: Runner, job_id: str, share: float) -> bool:
        """Renew a lease; False where the runner has it no more."""
        await self._fetch("runner_seen", id=runner.id)
        return (
            await self._fetchrow("renew_runner_lease", id=job_id, runner_id=runner.id, share=share, seconds=LEASE_S)
            is not None
        )

    async def has(self, runner: Runner, job_id: str) -> bool:
        """Say whether a runner has a job now."""
        return await self._fetchrow("runner_lease", id=job_id, runner_id=runner.id) is not None

    async def end(self, runner: Runner, job_id: str, state: OfferState) -> bool:
        """End a lease; False where the runner has it no more."""
        return await self._fetchrow("end_runner_lease", id=job_id, runner_id=runner.id, state=state) is not None

    async def file(self, job_id: str, name: str) -> RunnerFile | None:
        """Return a file of a job; None where it has none of that name."""
        row = await self._fetchrow("runner_file", job_id=job_id, name=name)
        return RunnerFile(UploadId(str(row["id"])), row["most"], row["size"]) if row else None

    async def files(self, job_id: str) -> dict[str, RunnerFile]:
        """Return the files of a job by their names."""
        return {
            row["name"]: RunnerFile(UploadId(str(row["id"])), row["most"], row["size"])
            for row in await self._fetch("runner_files", job_id=job_id)
        }

    async def finish_file(self, file: RunnerFile, size: int) -> None:
        """Note that a file is whole."""
        await self._fetch("finish_runner_file", id=file.id, size=size)

    async def is_awaited(self, *, encrypted: bool) -> bool | None:
        """Say whether a runner waits for a job just now; None where there is none for it at all."""
        row = await self._fetchrow("runner_waits", encrypted=encrypted)
        return bool(row["waits"]) if row else None

    async def offer(self, offer: Offer) -> str:
        """Offer a job, and return its id."""
        async with self._transaction() as connection:
            job_id = await connection.fetchval(*query(
                "offer_runner_job", video_id=offer.video.id, attempt=offer.video.work.attempts,
                encrypted=offer.encrypted, task=offer.task.model_dump(), sealed_key=offer.sealed_key,
                most_seconds=offer.most_seconds, seconds=KEPT_S,
            ))  # fmt: skip
            names, mosts = list(offer.files), list(offer.files.values())
            await connection.execute(*query("add_runner_files", job_id=job_id, names=names, mosts=mosts))
        return str(job_id)

    async def keep(self, job_id: str) -> tuple[OfferState, float]:
        """Let an offer stand, and return what became of it, and the share that is done."""
        row = await self._fetchrow("keep_runner_job", id=job_id, seconds=KEPT_S)
        return (OfferState(row["state"]), float(row["share"])) if row else (OfferState.RETURNED, 0.0)

    async def withdraw(self, job_id: str) -> bool:
        """Withdraw an offer; False where a runner was faster."""
        return await self._fetchrow("withdraw_runner_job", id=job_id) is not None

    async def count(self, job_id: str, *, done: bool) -> None:
        """Count for its runner that a job was done, or was not."""
        await self._fetch("count_runner_job", id=job_id, done=done)

    async def drop(self, job_id: str) -> None:
        """Delete a job."""
        await self._fetch("end_runner_job", id=job_id)

    async def prune(self) -> None:
        """Delete what workers offered that have died."""
        await self._fetch("prune_runner_jobs")
