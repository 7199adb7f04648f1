"""Writes new videos as a set, in the caller's transaction: who may add them, what waits, what there is no room for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias

from appservice.core.events import changes
from appservice.core.jobs import Job, Priority, TranscodeVideo, UpdateStatus
from appservice.core.model import HeldFor, RoomId, UserId, VideoId
from appservice.core.rules.quotas import NO_LIMITS, Quotas
from appservice.core.rules.video_permissions import may_add
from appservice.core.settings import Hold
from appservice.store.intake_facts import Facts
from appservice.store.mapping import Row, encrypted_file_json
from appservice.store.outbox import Connection, Queued, announce_all, notification
from appservice.store.quota_usage import Budget
from appservice.store.sql import query

_NOTIFIED_WITHIN_S, _NOTIFIED_EVERY_S = 3600, 86_400
_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)
# So long what was uploaded in the widget comes once without a nonce as well: pages of an earlier release send none.
_DOUBLE_S = 600

Sent: TypeAlias = tuple[int, changes.NewVideo]
"""A video, with the number of its change in the batch."""
Times: TypeAlias = Mapping[str, Sequence[tuple[int, datetime]]]
"""When the members of a room changed: the numbers of the changes in the batch, with the database's clock."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may come, and when its event came, by the database's clock (None: just now)."""

    quotas: Quotas = NO_LIMITS
    received_at: datetime | None = None

    def earliest(self, change: changes.NewVideo) -> datetime | None:
        """Return when a video was sent at the earliest; None: just now, or before the bot came, and requested."""
        if change.of_before:
            return None
        found = change.backfilled
        times = [self.received_at, (found.sent_after or _LONG_AGO) if found else None]
        return min((time for time in times if time), default=None)


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a video's sender may add it, and whether it waits for a moderator of the room."""

    may_add: bool
    waits: bool


async def insert_videos(
    connection: Connection,
    sent: Sequence[Sent],
    facts: Facts,
    bounds: Bounds,
    times: Times,
    announced: Sequence[str] = (),
) -> list[Queued]:
    """Add videos, but those that are known, or may not come; announce rooms that changed; and return the videos' jobs.

    What there is no room for has failed at once. `times`: when members changed, whom a video's time must not overtake.
    """
    groups = [sent]
    if facts.media and bounds.quotas != NO_LIMITS:
        # What was uploaded in the widget counts as that until its message comes, and so for messages before it.
        groups = [list(group) for _, group in groupby(sent, key=itemgetter(0))]
    jobs: list[Queued] = []
    is_announced = False
    for group in groups:
        await media_sent(connection, facts, [video for _, video in group])
        added = await _which_to_add(connection, group, facts, bounds, jobs)
        if added:
            jobs += await _insert(
                connection, added, bounds, [_received_at(each, facts, times) for each, _ in added], announced
            )
            is_announced = True
    if not is_announced:
        await announce_all(connection, announced)
    return jobs


async def _which_to_add(
    connection: Connection, sent: Sequence[Sent], facts: Facts, bounds: Bounds, jobs: list[Queued]
) -> list[tuple[Sent, Judged]]:
    """Return the videos that are new and that their senders may add; `jobs` notify the others."""
    sent = [each for each in sent if facts.joins(each[1]) and not facts.knows(each[1])]
    sent = await _agreed(connection, sent, facts, bounds)
    sent = await _without_doubles(connection, sent, facts)
    judged = await judge(connection, [video for _, video in sent], facts)
    verdicts = list(zip(sent, judged, strict=True))
    jobs += await _refuse(connection, [each for each, verdict in verdicts if not verdict.may_add])
    return [(each, verdict) for each, verdict in verdicts if verdict.may_add]


async def _insert(
    connection: Connection, added: Sequence[tuple[Sent, Judged]], bounds: Bounds, came: Sequence[datetime | None],
    announced: Sequence[str],
) -> list[Queued]:  # fmt: skip
    sent = [each for each, _ in added]
    videos = [video for _, video in sent]
    budget = await Budget.read(connection, bounds.quotas, videos)
    waits = [verdict.waits for _, verdict in added]
    rows = await connection.fetch(*_insertion(videos, waits, came, announced))
    rows = [row for row in rows if row["id"] is not None]
    if any(row["in_quarantine"] for row in rows):
        await connection.execute(*query("quarantine_new", video_ids=[row["id"] for row in rows]))
    return await _begin(connection, sent, rows, budget)


async def media_sent(connection: Connection, facts: Facts, videos: Sequence[changes.NewVideo]) -> None:
    """Note that messages brought what was uploaded in the widget: whatever becomes of them, it was sent."""
    if facts.media:
        await connection.execute(*query("media_sent", mxcs=[video.mxc for video in videos]))


async def _agreed(connection: Connection, sent: Sequence[Sent], facts: Facts, bounds: Bounds) -> Sequence[Sent]:
    """Return the videos that may be stored: those of encrypted rooms once somebody opted in."""
    asking = [each for each in sent if facts.asks(each[1])]
    if not asking:
        return sent
    rows = await connection.fetch(*query(
        "which_may_be_taken",
        room_ids=[video.room_id for _, video in asking],
        sent_in=[video.sent_in or video.room_id for _, video in asking],
        earliest=[bounds.earliest(video) for _, video in asking],
    ))  # fmt: skip
    left_out = {id(each) for each in asking} - {id(asking[row["number"] - 1]) for row in rows}
    return [each for each in sent if id(each) not in left_out]


async def _without_doubles(connection: Connection, sent: Sequence[Sent], facts: Facts) -> Sequence[Sent]:
    """Return the videos that are new; messages by which a client sent one once more are stored with the first.

    Without a nonce it is the same file of those uploaded in the widget, soon after: anything else may be sent again.
    """
    recognisable = [each for each in sent if each[1].nonce is not None or (each[1].mxc, each[1].sender) in facts.media]
    if not recognisable:
        return sent
    videos = [video for _, video in recognisable]
    sent_in, senders = [video.sent_in or video.room_id for video in videos], [video.sender for video in videos]
    await connection.execute(*query("lock_doubles", sent_in=sent_in, senders=senders))
    rows = await connection.fetch(*query(
        "first_sent",
        sent_in=sent_in,
        senders=senders,
        nonces=[video.nonce for video in videos],
        mxcs=[video.mxc for video in videos],
        items=[video.item for video in videos],
        seconds=_DOUBLE_S,
    ))  # fmt: skip
    if not rows:
        return sent
    again = [recognisable[row["number"] - 1] for row in rows]
    await connection.execute(*query(
        "add_doubles", event_ids=[video.event_id for _, video in again], video_ids=[row["video_id"] for row in rows]
    ))  # fmt: skip
    doubles = {id(each) for each in again}
    return [each for each in sent if id(each) not in doubles]


async def judge(connection: Connection, videos: Sequence[changes.NewVideo], facts: Facts) -> list[Judged]:
    """Say of each video whether its room lets its sender add it, and whether it waits for a moderator."""
    undecided: dict[tuple[RoomId, UserId], None] = {}
    for video in videos:
        if facts.room(video).settings.hold is Hold.NEW:
            undecided[video.room_id, video.sender] = None
    shown: set[tuple[str, str]] = set()
    if undecided:
        rooms, senders = [room for room, _ in undecided], [sender for _, sender in undecided]
        rows = await connection.fetch(*query("were_shown", room_ids=rooms, senders=senders))
        shown = {(row["room_id"], row["sender"]) for row in rows}
    return [_judged(video, facts, shown) for video in videos]


def _judged(video: changes.NewVideo, facts: Facts, shown: set[tuple[str, str]]) -> Judged:
    room = facts.room(video)
    viewer = room.viewer(video.sender)
    hold = room.settings.hold
    held = hold is Hold.ALL or (hold is Hold.NEW and (video.room_id, video.sender) not in shown)
    return Judged(may_add(viewer, room.settings), held and not viewer.moderates)


async def _refuse(connection: Connection, refused: Sequence[Sent]) -> list[Queued]:
    """Say that only moderators add videos, once a day; but not of what nobody called a video, or sent long ago."""
    refused = [each for each in refused if each[1].certain]
    if not refused:
        return []
    rows = await connection.fetch(*query(
        "refuse",
        room_ids=[video.room_id for _, video in refused],
        user_ids=[video.sender for _, video in refused],
        sent_at=[video.sent_at for _, video in refused],
        within_seconds=_NOTIFIED_WITHIN_S,
        every_seconds=_NOTIFIED_EVERY_S,
    ))  # fmt: skip
    jobs = []
    for index, video in (refused[row["number"] - 1] for row in rows):
        thread = None if video.sent_in else video.event_id
        jobs.append(Queued(index, notification(video.room_id, video.sender, thread, "bot-moderators-add")))
    return jobs


def _received_at(each: Sent, facts: Facts, times: Times) -> datetime | None:
    """Return when a video came, between the changes of members before and after it; None: just now."""
    index, video = each
    around = times.get(video.room_id, ())
    if not any(number > index for number, _ in around):
        return None
    return max((at for number, at in around if number < index), default=facts.now)


def _insertion(
    videos: Sequence[changes.NewVideo], waits: Sequence[bool], came: Sequence[datetime | None], announced: Sequence[str]
) -> tuple[str, *tuple[object, ...]]:
    found = [video.backfilled for video in videos]
    return query(
        "insert_videos",
        event_ids=[video.event_id for video in videos],
        room_ids=[video.room_id for video in videos],
        sent_in=[video.sent_in or video.room_id for video in videos],
        senders=[video.sender for video in videos],
        titles=[video.title for video in videos],
        mxcs=[video.mxc for video in videos],
        encrypted_files=[encrypted_file_json(video.encrypted_file) for video in videos],
        claimed_sizes=[video.claimed_size for video in videos],
        certain=[video.certain for video in videos],
        sent_at=[video.sent_at for video in videos],
        held_for=[HeldFor.APPROVAL if each else None for each in waits],
        kinds=[video.kind for video in videos],
        items=[video.item for video in videos],
        spoilers=[video.spoiler for video in videos],
        spoiler_reasons=[video.spoiler_reason for video in videos],
        sent_after=[(each.sent_after or _LONG_AGO) if each else None for each in found],
        histories=[each.history if each else None for each in found],
        nonces=[video.nonce for video in videos],
        of_before=[video.of_before for video in videos],
        received_at=came,
        announced=announced,
    )


async def _begin(connection: Connection, sent: Sequence[Sent], rows: Sequence[Row], budget: Budget) -> list[Queued]:
    """Return the jobs of videos that were added; what the quotas have no room for has failed."""
    ids = {(row["event_id"], row["item"]): VideoId(str(row["id"])) for row in rows}
    jobs, full = [], []
    for index, video in sent:
        video_id = ids.get((video.event_id, video.item))
        if video_id is None:
            continue
        scope = budget.spend(video)
        job: Job = TranscodeVideo(video_id) if scope is None else UpdateStatus(video_id)
        if scope is not None:
            full.append((video_id, f"quota-{scope}"))
        background = video.of_before and scope is None
        jobs.append(Queued(index, job, priority=Priority.BACKGROUND if background else None))
    if full:
        failures = [failure for _, failure in full]
        await connection.execute(*query("refuse_videos", ids=[video_id for video_id, _ in full], failures=failures))
    await budget.expire_warnings(connection)
    return jobs
