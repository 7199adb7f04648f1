"""What the bot sent on behalf of people: kept before it is sent, so that whoever sees the event knows whose it is."""

from appservice.behalf import SentFor, SentKind, plain_reaction
from appservice.errors import ConflictError, GoneError
from appservice.jobs import Connection, announce_talk
from appservice.model import EventId, RoomId, UploadId, UserId, Video, VideoId
from appservice.removal import redact_sent
from appservice.rows import SQL, Row
from appservice.store.pool import Database


class SentForStore(Database):
    """The rows of what is sent on behalf. Every method raises UnavailableError when the database is away.

    The same nonce of the same person for the same thing is the same sending, whenever it comes. Raises ConflictError
    for a nonce that was used for something else, GoneError for what was taken back.
    """

    async def comment(self, video: Video, user_id: UserId, nonce: str) -> SentFor:
        """Keep that a comment is about to be sent."""
        async with self._transaction() as connection:
            found = await _add(connection, video.sent_in, user_id, nonce, SentKind.COMMENT, video_id=video.id)
            found = found or await connection.fetchrow(SQL["sent_by_nonce"], video.sent_in, nonce)
        return _same(found, user_id, nonce, SentKind.COMMENT, video.id)

    async def reaction(self, video: Video, user_id: UserId, nonce: str, key: str) -> tuple[SentFor, bool, SentFor]:
        """Keep that somebody reacts; return it, whether that is new, and the first of those that one event is to be of.

        An event that stands for others, in whichever form of the same emoji, stands for them as well from now on.
        """
        async with self._transaction() as connection:
            alike = await _lock(connection, video.id, key)
            standing = [each for each in alike if not each.is_taken_back]
            own = next((each for each in standing if each.user_id == user_id), None)
            first = next(iter(standing), None)
            if own:
                return own, False, first or own
            row = await _add(
                connection, video.sent_in, user_id, nonce, SentKind.REACTION, video_id=video.id,
                reaction=(first and first.reaction) or key, event_id=first.event_id if first else None,
            )  # fmt: skip
            if row and row["event_id"]:
                await announce_talk(connection, video.sent_in, video.event_id, relates=True)  # no event tells of it
            known = row or await connection.fetchrow(SQL["sent_by_nonce"], video.sent_in, nonce)
        sent = _same(known, user_id, nonce, SentKind.REACTION, video.id)
        return sent, True, first or sent

    async def video(self, room_id: RoomId, user_id: UserId, nonce: str, upload_id: UploadId) -> SentFor:
        """Keep that an upload is about to be sent, once, by whichever nonce."""
        async with self._transaction() as connection:
            found = (
                await _add(connection, room_id, user_id, nonce, SentKind.VIDEO, upload_id=upload_id)
                or await connection.fetchrow(SQL["sent_upload"], upload_id)
                or await connection.fetchrow(SQL["sent_by_nonce"], room_id, nonce)
            )
        if found and str(found["upload_id"]) == upload_id:
            nonce = found["nonce"]
        return _same(found, user_id, nonce, SentKind.VIDEO, None)

    async def sent(self, sent: SentFor, event_id: EventId) -> bool:
        """Keep which event it is; False where it was erased, or taken back, meanwhile."""
        return bool(await self._fetch("was_sent", sent.key, event_id))

    async def refused(self, sent: SentFor) -> None:
        """Forget what the homeserver refused."""
        await self._fetch("not_sent", sent.key)

    async def about(self, video_id: VideoId) -> list[SentFor]:
        """Return what is known of the events about a video, also of those that were taken back."""
        return [_read(row) for row in await self._fetch("sent_about", video_id)]

    async def stands(self, room_id: RoomId, event_id: EventId) -> bool:
        """Say whether an event is still somebody's."""
        row = await self._fetchrow("stands", room_id, event_id)
        return bool(row and row["stands"])

    async def take_back(self, video: Video, user_id: UserId, shown_id: str) -> bool:
        """Take back somebody's comment, or their part of a reaction, by its `shown_id`; False where that is not theirs.

        The event is redacted with the last part of it.
        """
        async with self._transaction() as connection:
            row = await connection.fetchrow(SQL["own_sent"], video.id, user_id, shown_id)
            if row is None:
                return False
            if row["reaction"]:
                await _lock(connection, video.id, row["reaction"])
            await connection.execute(SQL["take_back"], row["key"])
            await redact_sent(connection, [(row["room_id"], row["event_id"])])
            about = video.event_id if row["reaction"] else row["event_id"]
            await announce_talk(connection, row["room_id"], about, relates=bool(row["reaction"]))
            return True

    async def name_of(self, room_id: RoomId, user_id: UserId) -> tuple[str | None, bool]:
        """Return what a member is called, and whether nobody else there is called alike."""
        row = await self._fetchrow("name_in_room", room_id, user_id)
        return (row["display_name"], not row["shared"]) if row else (None, False)

    async def hears_since(self, room_id: RoomId, user_id: UserId) -> int | None:
        """Return since when a member may read what is said (ms since the epoch), None for one who is none.

        By the history visibility of now: nothing is kept of what is said, so nobody knows under which it was.
        """
        row = await self._fetchrow("hears_since", room_id, user_id)
        return row["since"] if row else None


async def _add(
    connection: Connection,
    room_id: RoomId,
    user_id: UserId,
    nonce: str,
    kind: SentKind,
    *,
    video_id: VideoId | None = None,
    reaction: str | None = None,
    upload_id: UploadId | None = None,
    event_id: EventId | None = None,
) -> Row | None:
    return await connection.fetchrow(
        SQL["add_sent_for"], room_id, user_id, nonce, kind, video_id, reaction, upload_id, event_id
    )


async def _lock(connection: Connection, video_id: VideoId, reaction: str) -> list[SentFor]:
    """Hold a reaction to a video until the transaction's end, and return everybody's that looks the same."""
    plain = plain_reaction(reaction)
    await connection.execute(SQL["lock_reaction"], video_id, plain)
    return [_read(row) for row in await connection.fetch(SQL["reactions_like"], video_id, plain)]


def _same(row: Row | None, user_id: UserId, nonce: str, kind: SentKind, video_id: VideoId | None) -> SentFor:
    found = _read(row) if row else None
    if found is None or (found.user_id, found.nonce, found.kind, found.video_id) != (user_id, nonce, kind, video_id):
        raise ConflictError("This nonce was used for something else. Make a new one.")
    if found.is_taken_back:
        raise GoneError("This was taken back.")
    return found


def _read(row: Row) -> SentFor:
    return SentFor(
        key=row["key"],
        user_id=UserId(row["user_id"]),
        nonce=row["nonce"],
        kind=SentKind(row["kind"]),
        video_id=VideoId(str(row["video_id"])) if row["video_id"] else None,
        reaction=row["reaction"],
        event_id=EventId(row["event_id"]) if row["event_id"] else None,
        sent_at=row["sent_at"],
        is_taken_back=row["taken_back_at"] is not None,
    )
