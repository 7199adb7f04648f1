"""Random transactions of events that depend on one another, a database for them, and what they leave there as text."""

import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from appservice.core.events.behalf import SentKind
from appservice.core.events.changes import (
    BotMembershipChanged,
    Change,
    CommandSent,
    EncryptedSent,
    HistoryChanged,
    MemberChanged,
    NewGallery,
    NewVideo,
    PolicyChanged,
    PowerChanged,
    Reacted,
    Redacted,
    RetentionChanged,
    RoomEncrypted,
    RoomNamed,
    SentByBot,
    VideoEdited,
)
from appservice.core.events.media_kinds import Choice
from appservice.core.events.policy_rules import read_rule
from appservice.core.model import EventId, History, KeyRotation, Kind, RoomId, UserId
from appservice.core.room import Membership
from appservice.core.rules.quotas import NO_LIMITS, Allowance, Quotas
from appservice.store import Stores
from appservice.store.outbox import Pool

USERS = [UserId(f"@{name}:example.org") for name in ("alice", "bob", "carol", "dave", "eve")]
PLAIN, OPTED_IN, NOT_OPTED_IN, CHOOSY, MODERATED, DIRECT, LIST, UNKNOWN = ROOMS = [
    RoomId(f"!{name}:example.org")
    for name in ("plain", "in", "out", "choosy", "moderated", "direct", "list", "unknown")
]
BOT = UserId("@reel:example.org")
_MEDIA = [f"mxc://example.org/{number}" for number in range(8)]
_UPLOADED = "mxc://example.org/uploaded"
_NOW_MS = int(time.time() * 1000) - 60_000
_CLEAN = (
    "TRUNCATE seen_events, rooms, members, videos, pgqueuer, pgqueuer_log, audit, people, commands, refusals, uploads,"
    " policy_lists, policy_rules, quarantined_users, upload_media, doubles, sent_for, encrypted_events, quota_warnings,"
    " queue_posts, statuses, key_erasures RESTART IDENTITY CASCADE"
)
_MEMBERS = "SELECT room_id, user_id, membership, display_name, avatar_mxc, join_heard FROM members ORDER BY 1, 2"
_ROOMS = """SELECT room_id, name, bot_membership, inviter, direct, power_levels, encrypted, encryption, replaced_by,
    history, max_lifetime, opted_in_by, told, widget_placed FROM rooms ORDER BY 1"""
_VIDEOS = """SELECT v.event_id, v.item, room_id, sent_in, sender, title, mxc, claimed_size, certain, state, visibility,
    failure, kind, held_for, spoiler, spoiler_reason, history, nonce, of_before, quarantined, edits, position, version,
    sent_after IS NULL AS in_turn, ARRAY(
        SELECT m.user_id || ' ' || h FROM members m, unnest(ARRAY['joined', 'invited']) AS h
        WHERE was_there(v.room_id, m.user_id, h, v.received_at, v.received_at) AND m.room_id = v.room_id ORDER BY 1
    ) AS seen_by FROM videos v ORDER BY 1, 2"""
_OTHERS = (
    "SELECT event_id FROM seen_events ORDER BY 1",
    "SELECT event_id, room_id, sender, body FROM commands ORDER BY key",
    "SELECT event_id, room_id, sender, session_id, event, found FROM encrypted_events ORDER BY key",
    "SELECT actor, action, room_id, video_id, user_id, details FROM audit ORDER BY 2, 3, 4, 5",
    "SELECT event_id, video_id FROM doubles ORDER BY video_id, received_at",
    "SELECT room_id, user_id FROM refusals ORDER BY 1, 2",
    "SELECT room_id, event_type, state_key, entity FROM policy_rules ORDER BY 1, 2, 3",
    "SELECT mxc, sent_at IS NULL AS unsent, forget_at IS NULL AS kept FROM upload_media ORDER BY 1",
    "SELECT scope, whose FROM quota_warnings ORDER BY 1, 2",
    "SELECT nonce, user_id, event_id, taken_back_at IS NULL AS stands FROM sent_for ORDER BY 1",
)
# Jobs of a kind in their order, but those that undo: their order says nothing.
_JOBS = """SELECT entrypoint, convert_from(payload, 'UTF8') AS payload, priority,
    CASE WHEN entrypoint IN ('video', 'command', 'reaction', 'room')
        THEN rank() OVER (PARTITION BY entrypoint ORDER BY id) END AS nth
    FROM pgqueuer ORDER BY entrypoint, id"""


@dataclass(frozen=True)
class Scenario:
    """Some transactions, and the quotas in force."""

    transactions: list[list[Change]]
    quotas: Quotas


def draw(seed: int) -> Scenario:
    """Return a scenario of changes that often concern the same few rooms, people, files and events."""
    dice = random.Random(seed)  # noqa: S311 - a seed
    one = Quotas(user=Allowance(videos=3), room=Allowance(videos=9), server=Allowance(size=50))
    quotas = dice.choice([NO_LIMITS, NO_LIMITS, one])
    drawn = _Draw(dice)
    return Scenario([drawn.transaction(dice.choice([3, 8, 20, 40])) for _ in range(3)], quotas)


class _Draw:
    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._sent: list[NewVideo] = []
        self._kinds: list[tuple[int, Callable[[], Change]]] = [
            (30, self._new), (4, self._gallery), (20, self._member), (6, self._redaction), (5, self._edit),
            (6, self._command), (4, self._encrypted), (2, self._reaction), (3, self._state), (1, self._bot),
            (1, self._policy), (1, self._sent_by_bot),
        ]  # fmt: skip

    def transaction(self, most: int) -> list[Change]:
        weights = [weight for weight, _ in self._kinds]
        makes = [make for _, make in self._kinds]
        return [make() for make in self._dice.choices(makes, weights, k=self._dice.randint(1, most))]

    def _room(self) -> RoomId:
        return self._dice.choices(ROOMS, [8, 3, 2, 4, 2, 2, 1, 1])[0]

    def _user(self) -> UserId:
        return self._dice.choice(USERS)

    def _event(self) -> EventId:
        return EventId(f"$e{self._dice.randrange(80)}")

    def _video(self, room_id: RoomId | None = None, event_id: EventId | None = None, item: int = 0) -> NewVideo:
        dice = self._dice
        choice = dice.choice([None, None, None, Choice.IMAGES])
        return NewVideo(
            event_id or self._event(), room_id or self._room(), self._user(), f"title {dice.randrange(9)}",
            dice.choice([*_MEDIA, _UPLOADED]), None, dice.choice([None, 5, 20_000_000]), certain=dice.random() < 0.8,
            sent_at=_NOW_MS + dice.randrange(30_000), kind=Kind.IMAGE if choice else Kind.VIDEO, choice=choice,
            spoiler=dice.random() < 0.2, item=item, nonce=f"nonce{dice.randrange(3)}" if dice.random() < 0.2 else None,
        )  # fmt: skip

    def _new(self) -> NewVideo:
        video = self._video()
        if self._sent and self._dice.random() < 0.15:  # its client sends it once more
            video = replace(self._dice.choice(self._sent), event_id=video.event_id)
        self._sent.append(video)
        return video

    def _gallery(self) -> NewGallery:
        event_id, room_id = self._event(), self._room()
        first = self._video(room_id, event_id)
        videos = [self._video(room_id, event_id, item) for item in range(self._dice.randint(1, 3))]
        videos = [replace(video, sender=first.sender) for video in videos]
        return NewGallery(event_id, room_id, first.sender, tuple(videos))

    def _edit(self) -> VideoEdited:
        was, video = self._some(), self._video()
        video = replace(video, room_id=was.room_id, sender=was.sender, nonce=None)
        others = [replace(self._video(), room_id=was.room_id, sender=was.sender, item=1, event_id=video.event_id)]
        return VideoEdited(was.room_id, was.event_id, video, tuple(others[: self._dice.randrange(2)]))

    def _some(self) -> NewVideo:
        return self._dice.choice(self._sent or [self._video()])

    def _member(self) -> MemberChanged:
        states = [Membership.JOIN, Membership.LEAVE, Membership.BAN, Membership.INVITE]
        membership = self._dice.choices(states, [8, 2, 1, 1])[0]
        name = self._dice.choice([None, "A", "B"])
        return MemberChanged(self._room(), self._user(), membership, name, None, self._event())

    def _redaction(self) -> Redacted:
        if self._dice.random() < 0.3:
            return Redacted(PLAIN, EventId(f"$s{self._dice.randrange(6)}"), self._user())
        was = self._some()
        target = was.event_id if self._dice.random() < 0.8 else self._event()
        return Redacted(was.room_id, target, self._user())

    def _command(self) -> CommandSent:
        event_id = self._event()
        addressed = self._dice.random() < 0.4
        return CommandSent(self._room(), event_id, self._user(), "help", addressed, event_id, None)

    def _encrypted(self) -> EncryptedSent:
        event_id, room_id = self._event(), self._dice.choice([OPTED_IN, NOT_OPTED_IN, PLAIN])
        return EncryptedSent(room_id, event_id, self._user(), "session", {"event_id": event_id})

    def _reaction(self) -> Reacted:
        return Reacted(PLAIN, self._event(), self._user(), EventId("$post"), approves=self._dice.random() < 0.5)

    def _state(self) -> Change:
        room_id, event_id = self._room(), self._event()
        changes: list[Change] = [
            RoomNamed(room_id, self._dice.choice(["X", "Y"]), event_id),
            PowerChanged(room_id, {"users": {self._user(): 100}}, event_id),
            RetentionChanged(room_id, self._dice.choice([None, 1000]), event_id),
            HistoryChanged(room_id, self._dice.choice(list(History)), event_id),
            RoomEncrypted(room_id, KeyRotation(self._dice.randint(1, 9), 100)),
        ]
        return self._dice.choice(changes)  # fmt: skip

    def _bot(self) -> BotMembershipChanged:
        membership = self._dice.choice([Membership.JOIN, Membership.JOIN, Membership.INVITE, Membership.LEAVE])
        return BotMembershipChanged(self._room(), membership, self._user(), event_id=self._event())

    def _policy(self) -> PolicyChanged:
        kind, entity = "m.policy.rule.user", self._user()
        content = {"entity": entity, "recommendation": "m.ban", "reason": "x"} if self._dice.random() < 0.6 else {}
        rule = read_rule(kind, entity, content)
        return PolicyChanged(LIST, kind, entity, rule, self._event())

    def _sent_by_bot(self) -> SentByBot:
        video = replace(self._video(PLAIN), sender=BOT, nonce="behalf")
        return SentByBot(PLAIN, video.event_id, "behalf", SentKind.VIDEO, video)


async def prepare(pool: Pool) -> None:
    """Empty the database, and store the rooms and what some of their people chose, sent and uploaded before."""
    await pool.execute(_CLEAN)
    stores = Stores(pool, decrypting=True)
    for room_id in ROOMS[:-1]:
        await stores.intake.apply([BotMembershipChanged(room_id, Membership.INVITE, USERS[0], room_id == DIRECT)])
        await stores.intake.apply([BotMembershipChanged(room_id, Membership.JOIN, BOT)])
    for room_id in (OPTED_IN, NOT_OPTED_IN):
        await stores.intake.apply([RoomEncrypted(room_id)])
    await pool.execute("UPDATE rooms SET state_read_at = now(), history = 'shared'")
    await stores.opt_ins.opt_in(OPTED_IN, by=USERS[0])
    members = [MemberChanged(room_id, user, Membership.JOIN, None, None) for room_id in ROOMS[:5] for user in USERS[:3]]
    await stores.intake.apply([*members, MemberChanged(DIRECT, USERS[0], Membership.JOIN, None, None)])
    early = [
        NewVideo(EventId(f"$s{n}"), PLAIN, USERS[n % 3], f"s{n}", f"mxc://x/s{n}", None, 5, True, n) for n in range(6)
    ]
    for each in early:
        await stores.intake.apply([each])
    await pool.execute("UPDATE videos SET state = 'ready' WHERE event_id IN ('$s0', '$s1')")
    settings = {CHOOSY: '{"hold": "new", "images": true, "on_leave": "erase"}', MODERATED: '{"add": "moderators"}'}
    for room_id, chosen in settings.items():
        await pool.execute("UPDATE rooms SET settings = $2::text::jsonb WHERE room_id = $1", room_id, chosen)
    await pool.execute(
        """INSERT INTO people VALUES ($1, '{"add": false}'), ($2, '{"on_leave": "erase"}')""", *USERS[3:]
    )
    await pool.execute("INSERT INTO quarantined_users (user_id, quarantined_by) VALUES ($1, '')", USERS[2])
    await pool.execute("INSERT INTO policy_lists (room_id, added_by) VALUES ($1, '')", LIST)
    await pool.execute(
        "INSERT INTO upload_media (mxc, upload_id, owner, room_id, bytes) VALUES ($1, gen_random_uuid(), $2, $3, 9)",
        _UPLOADED, USERS[0], PLAIN,
    )  # fmt: skip
    await pool.execute(
        "INSERT INTO queue_posts (event_id, room_id, video_id)"
        " SELECT '$post', $1, id FROM videos WHERE event_id = '$s2'",
        PLAIN,
    )  # fmt: skip
    await pool.execute(
        "INSERT INTO sent_for (room_id, user_id, nonce, digest, kind) VALUES ($1, $2, 'behalf', '', 'video')",
        PLAIN, USERS[1],
    )  # fmt: skip
    await pool.execute("TRUNCATE pgqueuer")


async def dump(pool: Pool) -> list[str]:
    """Return what is stored, without times and random ids: the order of times is in who saw which video."""
    names = {
        str(row["id"]): f"video {row['event_id']}/{row['item']}"
        for row in await pool.fetch("SELECT id, event_id, item FROM videos")
    }
    lines = []
    for statement in (_ROOMS, _MEMBERS, _VIDEOS, _JOBS, *_OTHERS):
        rows = [json.dumps(dict(row), default=str, sort_keys=True) for row in await pool.fetch(statement)]
        rows = [re.sub(r'\\"once\\": \\"[0-9a-f]{32}\\"', "", row) for row in rows]
        rows = [re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", lambda found: names.get(found[0], "?"), row) for row in rows]
        lines += rows if " ORDER BY key" in statement else sorted(rows)
    return lines
