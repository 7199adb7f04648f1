"""Videos that await a detection service's verdict, and the effects of verdicts."""

from dataclasses import dataclass
from enum import StrEnum

from appservice.core.jobs import EnforcePolicies, RequestVerdict
from appservice.core.model import HeldFor, Video, VideoId
from appservice.store.audit import ITSELF, Deed, note
from appservice.store.blocks import BlockStore, block_everywhere, block_here
from appservice.store.mapping import read_video
from appservice.store.outbox import Connection, Pool, alert, announce, concern_moderators, notify, queue, update_status
from appservice.store.pool import Database
from appservice.store.sql import query


class Verdict(StrEnum):
    """What is to become of a video, by the names of the webhook."""

    ALLOW = "allow"
    HOLD = "hold"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A video that nobody sees before there is a verdict; the SHA-256 of the file as it was sent, in hexadecimal."""

    video: Video
    sha256: str | None


class VerdictStore(Database):
    """Verdicts. Every method raises UnavailableError when the database is away."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._contents = BlockStore(pool)

    async def unjudged(self, video_id: VideoId) -> Unjudged | None:
        """Return a video that is whole and was not judged yet; None when there is nothing to judge (any more)."""
        row = await self._fetchrow("unjudged", id=video_id)
        return Unjudged(read_video(row), row["source_hash"].hex() if row["source_hash"] else None) if row else None

    async def judge(
        self, video: Video, verdict: Verdict, reason: str, *, everywhere: bool = False, failed: str | None = None
    ) -> bool:
        """Apply a verdict to a video; False when what was judged is not there any more.

        `everywhere`: what is blocked is blocked in all rooms. `failed` is why nobody judged it, where the configuration
        had to: admins get an alert.
        """
        source_hash = None
        async with self._transaction() as connection:
            row = await connection.fetchrow(*query("judge", id=video.id, attempts=video.work.attempts))
            if row is None:
                return False
            now = read_video(row)
            match verdict:
                case Verdict.ALLOW:
                    await self._release(connection, now)
                case Verdict.HOLD:
                    await connection.execute(*query("hold_judged", id=now.id))
                    await self._note(connection, now, Deed.HELD, reason=reason or failed or "")
                case Verdict.BLOCK:
                    block = block_everywhere if everywhere else block_here
                    source_hash, _ = await block(connection, now, by=ITSELF, reason=reason)
                    await notify(
                        connection, now.room_id, now.sender, now.thread, "bot-judged", title=now.title, kind=now.kind,
                        sent=now.created_at, reason=reason,
                    )  # fmt: skip
            if failed is not None:
                await alert(connection, "verdict", reason=failed)
            await update_status(connection, now.id)
            await concern_moderators(connection, now.id)
            await announce(connection, now.room_id)
        if source_hash is not None and everywhere:
            await self._contents.take_everywhere(source_hash)
        elif source_hash is not None:
            await self._contents.take_copies(video.room_id, source_hash)
        return True

    async def requeue_unjudged(self) -> int:
        """Queue every video that waits for a verdict and has no job (any more); return how many there were."""
        async with self._transaction() as connection:
            rows = await connection.fetch(*query("verdicts_without_job"))
            await queue(connection, *(RequestVerdict(VideoId(str(row["id"]))) for row in rows))
        return len(rows)

    async def release_all(self) -> int:
        """Release what waits for a verdict, since no service is configured any more; return how many there were."""
        async with self._transaction() as connection:
            rows = await connection.fetch(*query("release_judged", id=None))
            for row in rows:
                video_id = VideoId(str(row["id"]))
                await update_status(connection, video_id)
                await concern_moderators(connection, video_id)
                await announce(connection, row["room_id"])
        return len(rows)

    async def _release(self, connection: Connection, video: Video) -> None:
        await connection.execute(*query("release_judged", id=video.id))
        await self._note(connection, video, Deed.RELEASED)
        # What happened to its sender meanwhile holds for it as well.
        await connection.execute(*query("share_sender", user_id=video.sender))
        if video.withheld.held_for is HeldFor.VERDICT:
            await connection.execute(*query("quarantine_new", video_ids=[video.id]))
        await queue(connection, EnforcePolicies())

    async def _note(self, connection: Connection, video: Video, deed: Deed, **details: object) -> None:
        await note(
            connection, ITSELF, deed, room_id=video.room_id, video_id=video.id, user_id=video.sender,
            because=HeldFor.VERDICT, **details,
        )  # fmt: skip
