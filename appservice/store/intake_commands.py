"""Signs browsers in and out by what their users sent, in the caller's transaction."""

from appservice.core.events import changes
from appservice.core.jobs import RespondToSignIn
from appservice.core.sign_in_codes import MISS_SECONDS, MOST_MISSES, SIGNED_IN_SECONDS, SignInOutcome
from appservice.store.outbox import Connection, announce, queue
from appservice.store.sql import query


async def sign_in(connection: Connection, change: changes.SignInSent) -> None:
    """Sign in the browser that shows the code, and queue what to say of it."""
    if await connection.fetchrow(*query("sign_in_event", event_id=change.event_id)) is not None:
        return  # the homeserver repeats itself
    misses = await connection.fetchval(*query("count_misses", user_id=change.sender, seconds=MISS_SECONDS))
    if misses >= MOST_MISSES:
        return  # they were notified
    browser = await connection.fetchval(
        *query(
            "redeem_code",
            room_id=change.room_id,
            code=change.code,
            user_id=change.sender,
            event_id=change.event_id,
            seconds=SIGNED_IN_SECONDS,
        )
    )
    if browser is not None:
        await _respond(connection, change, SignInOutcome.SIGNED_IN, browser=browser)
        return
    await connection.execute(*query("add_miss", event_id=change.event_id, user_id=change.sender))
    last = misses + 1 == MOST_MISSES
    await _respond(connection, change, SignInOutcome.TOO_MANY_CODES if last else SignInOutcome.WRONG_CODE)


async def sign_out(connection: Connection, change: changes.SignOutSent) -> None:
    """Sign out all browsers of the sender."""
    rooms = [row["room_id"] for row in await connection.fetch(*query("sign_out_user", user_id=change.sender))]
    for room_id in set(rooms):
        await announce(connection, room_id)  # what they watch there ends
    await _respond(connection, change, SignInOutcome.SIGNED_OUT, count=len(rooms))


async def _respond(
    connection: Connection,
    change: changes.SignInSent | changes.SignOutSent,
    outcome: SignInOutcome,
    **arguments: object,
) -> None:
    job = RespondToSignIn(change.room_id, change.event_id, change.thread, change.sender, outcome, arguments)
    await queue(connection, job)
