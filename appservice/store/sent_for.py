"""What the bot sent on behalf of people: stored before it is sent, so that the owner of each event is known."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

from appservice.core.errors import ConflictError, GoneError, UnavailableError
from appservice.core.events.behalf import SentFor, SentKind, digest, plain_reaction
from appservice.core.model import EventId, RoomId, UploadId, UserId, Video
from appservice.store.mapping import Row
from appservice.store.outbox import Connection, Pool, announce_talk
from appservice.store.pool import LockingDatabase
from appservice.store.removal import redact_sent
from appservice.store.sql import query

# Each holds a connection until the homeserver responds: most of the pool's are for others; and one slow room, in which
# a large part of a federation is queried, leaves some for other rooms.
_REACTING, _REACTING_IN_ROOM = 6, 2
_LONGEST_WAIT_S = 10
_MOST_ABOUT = 5000
_TRIES = 3


class SentForStore(LockingDatabase):
    """The rows of what is sent on behalf. Every method raises UnavailableError when the database is away.

    The same nonce of the same person for the same thing is the same sending, whenever it comes. Raises ConflictError
    for a nonce that was used for something else, GoneError for what was taken back.
    """

    def __init__(self, pool: Pool, direct: "Pool | None" = None) -> None:
        super().__init__(pool, direct)
        self._reacting = asyncio.Semaphore(_REACTING)
        self._reacting_in: WeakValueDictionary[RoomId, asyncio.Semaphore] = WeakValueDictionary()

    async def comment(self, video: Video, user_id: UserId, nonce: str, text: str) -> SentFor:
        """Store that a comment is about to be sent."""
        hashed = digest(SentKind.COMMENT, video.event_id, text)
        async with self._transaction() as connection:
            found = await _add(
                connection, _Draft(video.sent_in, user_id, nonce, hashed, SentKind.COMMENT, about=video)
            ) or await connection.fetchrow(*query("sent_by_nonce", room_id=video.sent_in, nonce=nonce))
        return _same(found, user_id, hashed)

    @asynccontextmanager
    async def lock_reaction(self, video: Video, key: str) -> AsyncIterator[None]:
        """Lock a reaction of the bot's, in whichever form of the emoji, among all processes.

        Homeservers look for an equal reaction before they send one, and let two pass that come at once.
        """
        plain = plain_reaction(key)
        in_room = self._reacting_in.setdefault(video.sent_in, asyncio.Semaphore(_REACTING_IN_ROOM))
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(_LONGEST_WAIT_S):
                    await stack.enter_async_context(in_room)
                    await stack.enter_async_context(self._reacting)
                    lock = self._holding("lock_reaction", target=video.event_id, reaction=plain)
                    await stack.enter_async_context(lock)
            except TimeoutError as error:
                raise UnavailableError("Others react just now, and wait for the homeserver.") from error
            yield

    async def reaction(self, video: Video, user_id: UserId, nonce: str, key: str) -> tuple[SentFor, bool]:
        """Store that somebody is about to react, in whichever form of an emoji, and return whether that is new."""
        plain = plain_reaction(key)
        hashed = digest(SentKind.REACTION, video.event_id, plain)
        for _ in range(_TRIES):
            async with self._transaction() as connection:
                added = await _add(
                    connection,
                    _Draft(video.sent_in, user_id, nonce, hashed, SentKind.REACTION, about=video, reaction=key),
                )
                if added:
                    return _read(added), True
                if used := await connection.fetchrow(*query("sent_by_nonce", room_id=video.sent_in, nonce=nonce)):
                    _same(used, user_id, hashed)
                own = await connection.fetchrow(
                    *query("react_again", room_id=video.sent_in, target=video.event_id, user_id=user_id, reaction=plain)
                )
            if own:
                return _same(own, user_id, hashed), False
            # Their equal one was taken back between the two.
        raise UnavailableError("You take this reaction back, and make it, at the same time.")

    async def join(self, video: Video, sent: SentFor) -> EventId | None:
        """Make the event of others who react so stand for this person as well; None where nobody does."""
        async with self._transaction() as connection:
            found = await connection.fetchrow(
                *query(
                    "standing_reaction",
                    room_id=video.sent_in,
                    target=video.event_id,
                    reaction=plain_reaction(sent.reaction or ""),
                )
            )
            if found is None:
                return None
            if await connection.fetchval(
                *query("join_reaction", key=sent.key, event_id=found["event_id"], reaction=found["reaction"])
            ):
                await announce_talk(connection, video.sent_in, video.event_id, relates=True)  # no event announces it
        return EventId(found["event_id"])

    async def video(self, room_id: RoomId, user_id: UserId, nonce: str, upload_id: UploadId) -> SentFor:
        """Store that an upload is about to be sent, once, by whichever nonce."""
        hashed = digest(SentKind.VIDEO, upload_id)
        async with self._transaction() as connection:
            found = (
                await _add(connection, _Draft(room_id, user_id, nonce, hashed, SentKind.VIDEO, upload_id=upload_id))
                or await connection.fetchrow(*query("sent_upload", upload_id=upload_id))
                or await connection.fetchrow(*query("sent_by_nonce", room_id=room_id, nonce=nonce))
            )
        return _same(found, user_id, hashed)

    async def sent_video(self, user_id: UserId, upload_id: UploadId) -> EventId | None:
        """Return by which event somebody sent an upload, which may be gone since."""
        row = await self._fetchrow("sent_upload", upload_id=upload_id)
        is_own = row is not None and row["user_id"] == user_id
        return _same(row, user_id, digest(SentKind.VIDEO, upload_id)).event_id if is_own else None

    async def sent(self, sent: SentFor, event_id: EventId) -> SentFor | None:
        """Store which event it is, and return which one holds; None where it was erased, or taken back, meanwhile.

        An event that it is not goes: all of theirs was erased in between; or the homeserver sent it again, since it did
        not know any more that it had.
        """
        async with self._transaction() as connection:
            row = await connection.fetchrow(*query("was_sent", key=sent.key, event_id=event_id))
            if row is None or row["event_id"] != event_id:
                await redact_sent(connection, [(sent.room_id, event_id)])
        return _read(row) if row else None

    async def about(self, video: Video, events: Mapping[EventId, str | None]) -> list[SentFor]:
        """Return whose the bot's `events` (with their nonces) about a video's message are, the earliest sent first.

        By its nonce, an event completes a row that has no event id yet.
        """
        by_nonce = {nonce: event_id for event_id, nonce in events.items() if nonce is not None}
        rows = await self._fetch(
            "sent_about",
            room_id=video.sent_in,
            target=video.event_id,
            event_ids=list(events),
            nonces=list(by_nonce),
            limit=_MOST_ABOUT,
        )
        found = [_read(row) for row in reversed(rows)]
        attributed = [each if each.event_id else await self.sent(each, by_nonce[each.nonce]) for each in found]
        return [each for each in attributed if each]

    async def newest_comments(self, video: Video, most: int) -> list[EventId]:
        """Return the newest comments that the bot sent on behalf of people, the newest first."""
        rows = await self._fetch("newest_comments", room_id=video.sent_in, target=video.event_id, limit=most)
        return [EventId(row["event_id"]) for row in rows]

    async def is_attributed(self, room_id: RoomId, event_id: EventId, nonce: str | None = None) -> bool:
        """Say whether a reaction of the bot's is still somebody's; its nonce completes a row as sent."""
        async with self._transaction() as connection:
            row = nonce and await connection.fetchrow(
                *query("sent_by_bot", room_id=room_id, nonce=nonce, kind=SentKind.REACTION)
            )
            if row:
                await connection.execute(*query("was_sent", key=row["key"], event_id=event_id))
            return bool(await connection.fetchval(*query("is_attributed", room_id=room_id, event_id=event_id)))

    async def take_back(self, video: Video, user_id: UserId, shown_id: str) -> bool:
        """Redact somebody's comment, or their part of a reaction, by its `shown_id`; False where that is not theirs.

        The event is redacted with the last part of it.
        """
        async with self._transaction() as connection:
            row = await connection.fetchrow(
                *query("own_sent", video_id=video.id, target=video.event_id, user_id=user_id, event_id=shown_id)
            )
            if row is None:
                return False
            if await connection.fetchval(*query("take_back", key=row["key"])):
                await redact_sent(connection, [(row["room_id"], row["event_id"])])
                about = EventId(row["target"] if row["reaction"] else row["event_id"])
                await announce_talk(connection, row["room_id"], about, relates=bool(row["reaction"]))
        return True

    async def name_of(self, room_id: RoomId, user_id: UserId) -> tuple[str | None, bool]:
        """Return what a member is called, and whether nobody else there is called alike."""
        row = await self._fetchrow("name_in_room", room_id=room_id, user_id=user_id)
        return (row["display_name"], not row["shared"]) if row else (None, False)

    async def readable_since(self, room_id: RoomId, user_id: UserId) -> int | None:
        """Return since when a member may read messages (ms since the epoch), None for one who is none.

        By the history visibility of now: nothing is stored of messages, so nobody knows under which it was.
        """
        row = await self._fetchrow("readable_since", room_id=room_id, user_id=user_id)
        return row["since"] if row else None


@dataclass(frozen=True, slots=True)
class _Draft:
    """What is about to be sent; `hashed` as `digest` makes it."""

    room_id: RoomId
    user_id: UserId
    nonce: str
    hashed: bytes
    kind: SentKind
    about: Video | None = None
    reaction: str | None = None
    upload_id: UploadId | None = None


async def _add(connection: Connection, draft: _Draft) -> Row | None:
    """Add a row; None where the nonce or the upload was sent already, or the user reacts so."""
    video_id, target = (draft.about.id, draft.about.event_id) if draft.about else (None, None)
    return await connection.fetchrow(
        *query(
            "add_sent_for",
            room_id=draft.room_id,
            user_id=draft.user_id,
            nonce=draft.nonce,
            digest=draft.hashed,
            kind=draft.kind,
            video_id=video_id,
            target=target,
            reaction=draft.reaction,
            upload_id=draft.upload_id,
        )
    )


def _same(row: Row | None, user_id: UserId, hashed: bytes) -> SentFor:
    if row is None or (row["user_id"], row["digest"]) != (user_id, hashed):
        raise ConflictError("This nonce was used for something else. Make a new one.")
    found = _read(row)
    if found.is_taken_back:
        raise GoneError("This was taken back.")
    return found


def _read(row: Row) -> SentFor:
    return SentFor(
        key=row["key"],
        user_id=UserId(row["user_id"]),
        nonce=row["nonce"],
        kind=SentKind(row["kind"]),
        room_id=RoomId(row["room_id"]),
        reaction=row["reaction"],
        event_id=EventId(row["event_id"]) if row["event_id"] else None,
        sent_at=row["sent_at"],
        is_taken_back=row["taken_back_at"] is not None,
    )
