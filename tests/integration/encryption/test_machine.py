"""No room key is lost: however many arrive at once, whatever stops the machine, whatever else is among them."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from mautrix.crypto import OlmAccount, OutboundGroupSession
from mautrix.crypto.signature import sign_olm
from mautrix.errors import MatrixConnectionError
from mautrix.types import DeviceID, EventType, SessionID, ToDeviceEvent, UserID

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from appservice.encryption import olm
from appservice.encryption.machine import Machine
from tests.support.crypto_devices import OLM, ROOM, Json, Sender, lacking, machine_of
from tests.support.waiting import eventually

# More than fit between two syncs of a machine that is down, and as many as it has one-time keys.
ONE_TIME_KEYS = 25


async def _senders(alice: MatrixClient, machine: Machine, count: int) -> list[Sender]:
    senders = [Sender(alice, machine) for _ in range(count)]
    for sender in senders:
        await sender.begin()
    return senders


async def test_keys_of_new_sessions_that_arrive_at_once_are_all_kept(machine: Machine, alice: MatrixClient) -> None:
    senders = await _senders(alice, machine, 20)
    sent = [await sender.send_key() for sender in senders for _ in range(3)]
    await machine.sync(0)
    assert await lacking(machine, sent) == []


@contextlib.asynccontextmanager
async def _locked(dsn: str, table: str, mode: str) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """Lock a table, and yield what tells whether somebody waits for it."""
    connection = await asyncpg.connect(dsn)
    watcher = await asyncpg.connect(dsn)

    async def awaited() -> bool:
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::text::regclass"
        return bool(await watcher.fetchval(query, table))

    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN {mode} MODE")
            yield awaited
    finally:
        await connection.close()
        await watcher.close()


async def _stop_while_it_waits(
    machine: Machine, awaited: Callable[[], Awaitable[bool]]
) -> asyncio.Task[list[SessionID]]:
    receiving = asyncio.create_task(machine.sync(0))
    await eventually(awaited)
    receiving.cancel()
    return receiving


@pytest.mark.parametrize("restarted", [False, True], ids=["same process", "restarted"])
@pytest.mark.parametrize("begun", [False, True], ids=["new sessions", "at the token"])
async def test_keys_that_arrived_when_it_was_stopped_are_there_afterwards(
    machine: Machine, dsn: str, bot: MatrixClient, alice: MatrixClient, begun: bool, restarted: bool
) -> None:
    senders = await _senders(alice, machine, 3)
    if begun:
        # The sessions are known, so that the account is not written before the token is.
        assert await lacking(machine, [SessionID("x")]) == ["x"]
        first = [await sender.send_key() for sender in senders]
        await machine.sync(0)
        assert await lacking(machine, first) == []
    sent = [await sender.send_key() for sender in senders for _ in range(3)]
    table = "crypto_account" if begun else "crypto_megolm_inbound_session"
    async with _locked(dsn, table, "EXCLUSIVE") as awaited:
        stopped = await _stop_while_it_waits(machine, awaited)
    with pytest.raises(asyncio.CancelledError):
        await stopped
    assert await lacking(machine, sent) == sent
    if restarted:
        async with machine_of(dsn, bot) as again:
            await again.sync(0)
            assert await lacking(again, sent) == []
    else:
        await machine.sync(0)
        assert await lacking(machine, sent) == []


async def test_new_devices_can_send_while_it_is_down_and_after_each_rotation(
    machine: Machine, dsn: str, bot: MatrixClient, alice: MatrixClient
) -> None:
    late = Sender(alice, machine)
    for _ in range(2):
        senders = [Sender(alice, machine) for _ in range(ONE_TIME_KEYS + 5)]
        claimed = [await sender.begin() for sender in senders]
        assert len(set(claimed)) == ONE_TIME_KEYS + 1  # the fallback key is given out again and again
        sent = [await sender.send_key() for sender in senders]
        async with machine_of(dsn, bot) as again:
            await again.sync(0)
            assert await lacking(again, sent) == []
            # It rotated its fallback key: one that still begins with the one before is understood.
            sent = [await senders[-1].send_key()]
            await again.sync(0)
            assert await lacking(again, sent) == []
    await late.begin()
    sent = [await late.send_key()]
    async with machine_of(dsn, bot) as again:
        await again.sync(0)
        assert await lacking(again, sent) == []


@contextlib.asynccontextmanager
async def _loses_responses(synapse: Synapse, path: str) -> AsyncIterator[str]:
    """A way to the homeserver on which the first response to a path is lost; yields its address."""
    lost: list[str] = []

    async def forward(request: web.Request) -> web.StreamResponse:
        url, body = f"{synapse.base_url}{request.path_qs}", await request.read()
        headers = {"Authorization": request.headers["Authorization"], "Content-Type": "application/json"}
        async with session.request(request.method, url, data=body, headers=headers) as response:
            answer = await response.read()
            if request.path.endswith(path) and not lost:
                lost.append(path)
                assert request.transport
                request.transport.abort()
            return web.Response(body=answer, status=response.status, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    async with aiohttp.ClientSession() as session:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()
    assert lost


async def test_keys_that_were_uploaded_without_a_response_are_known(
    dsn: str, bot: MatrixClient, alice: MatrixClient, synapse: Synapse
) -> None:
    async with _loses_responses(synapse, "/keys/upload") as homeserver, machine_of(dsn, bot, homeserver) as machine:
        machine.client.api.default_retry_count = 0
        with pytest.raises(Exception, match=r"disconnected|reset|keys/upload"):
            await machine.sync(0)
        senders = await _senders(alice, machine, 3)
        sent = [await sender.send_key() for sender in senders]
    async with machine_of(dsn, bot) as again:
        for _ in range(2):  # Synapse repeats its response to a first request for two minutes
            await again.sync(0)
        assert await lacking(again, sent) == []
        # No key that was given out then is given out again.
        sent = [await sender.send_key() for sender in await _senders(alice, again, ONE_TIME_KEYS - 3)]
        await again.sync(0)
        assert await lacking(again, sent) == []


_KEY = "A" * 43
_HOSTILE: list[object] = [
    {},
    {"algorithm": OLM},
    {"algorithm": OLM, "sender_key": 1, "ciphertext": []},
    {"algorithm": "m.other", "sender_key": _KEY, "ciphertext": {}},
    {"algorithm": OLM, "sender_key": _KEY, "ciphertext": {_KEY: {"type": 0, "body": "AAAA"}}},
]


async def test_hostile_events_are_skipped_and_what_comes_between_them_is_kept(
    machine: Machine, alice: MatrixClient
) -> None:
    assert machine.account is not None
    mine = machine.account.identity_key
    sender, other = await _senders(alice, machine, 2)
    sent = []
    for key in (_KEY, "nul \0", "x" * 60_000, ""):
        for kind, body in ((0, "AAAA"), (1, "AAAA"), (1, "\0"), (0, "é"), (7, "AAAA"), ("0", 5)):
            ciphertext = {mine: {"type": kind, "body": body}}
            await sender.send_plain("m.room.encrypted", {"algorithm": OLM, "sender_key": key, "ciphertext": ciphertext})
        sent.append(await sender.send_key())
    for content in _HOSTILE:
        await sender.send_plain("m.room.encrypted", content)
        await sender.send_plain("m.room_key_request", content)
        await sender.send_plain("m.room_key.withheld", content)
    # The first message of a session is no key that can be read, or no key that can be stored.
    for content in (
        {},
        {"room_id": ROOM},
        [],
        {"algorithm": "m.megolm.v1.aes-sha2", "room_id": ROOM, "session_id": "s"},
    ):
        await other.send("m.room_key", content)
    unstorable = OutboundGroupSession(ROOM).share_content.serialize() | {"room_id": "!nul \0:x"}
    await other.send("m.room_key", unstorable)
    # Numbers that no clock has, and what is nested deeper than a parser goes.
    for age in (10**15, 10**20, -(10**20)):
        group = OutboundGroupSession(ROOM).share_content.serialize()
        await other.send("m.room_key", group | {"com.beeper.max_age_ms": age, "com.beeper.max_messages": 1})
    await other.send_plaintext("[" * 10_000)
    sent += [await other.send_key(), await sender.send_key()]
    for _ in range(2):
        await machine.sync(0)
    assert await lacking(machine, sent) == []


async def test_a_room_key_is_not_replaced_by_somebody_elses_or_a_later_one(
    machine: Machine, alice: MatrixClient
) -> None:
    owner, member = await _senders(alice, machine, 2)
    group = OutboundGroupSession(ROOM)
    group.shared = True
    session_id = await owner.send_key(group)
    first: str = group.encrypt("first")  # type: ignore[no-untyped-call]
    for sender in (member, owner):
        await sender.send_key(group)  # from the second message on
    await machine.sync(0)
    known = await machine.crypto_store.get_group_session(ROOM, session_id)
    assert known is not None
    assert (known.sender_key, known.first_known_index) == (owner.account.identity_key, 0)
    assert known.decrypt(first) == ("first", 0)
    assert isinstance(known, olm.InboundGroupSession)


async def test_who_waits_for_a_key_sees_it_when_told(machine: Machine, alice: MatrixClient) -> None:
    (sender,) = await _senders(alice, machine, 1)
    group = OutboundGroupSession(ROOM)
    waiting = asyncio.create_task(machine.wait_for_session(ROOM, SessionID(group.id), timeout=60))
    await asyncio.sleep(0)
    await sender.send_key(group)
    await machine.sync(0)
    assert await waiting
    assert await machine.crypto_store.has_group_session(ROOM, SessionID(group.id))


async def test_other_events_reach_the_handlers_of_the_client(machine: Machine, alice: MatrixClient) -> None:
    (sender,) = await _senders(alice, machine, 1)
    seen: list[Json] = []

    async def note(event: ToDeviceEvent) -> None:
        seen.append(event.content.serialize())

    machine.client.add_event_handler(EventType.find("test.note", EventType.Class.TO_DEVICE), note, wait_sync=True)
    await sender.send_plain("test.note", {"plain": True})
    await sender.send("test.note", {"encrypted": True})
    await machine.sync(0)
    assert seen == [{"plain": True}, {"encrypted": True}]


async def _upload_device(user: MatrixClient, one_time_key: str | None = None) -> None:
    """Upload the keys of a user's device, with a one-time key of its own, or one that is none."""
    me = await user.request("GET", "/_matrix/client/v3/account/whoami")
    user_id, device_id = UserID(me["user_id"]), DeviceID(me["device_id"])
    account = OlmAccount()
    account.generate_one_time_keys(2)  # which of them is given out first, and with which other device's, is chance
    one_time_keys = {}
    for key_id, own_key in account.one_time_keys["curve25519"].items():
        key: Json = {"key": one_time_key or own_key}
        signature = {user_id: {f"ed25519:{device_id}": sign_olm(dict(key), account)}}
        one_time_keys[f"signed_curve25519:{key_id}"] = {**key, "signatures": signature}
    keys = {
        "device_keys": account.get_device_keys(user_id, device_id).serialize(), "one_time_keys": one_time_keys,
    }  # fmt: skip
    await user.request("POST", "/_matrix/client/v3/keys/upload", json=keys)


async def _received(user: MatrixClient) -> list[str]:
    """Return the types of the to-device events that wait for a user's device."""
    response = await user.request("GET", "/_matrix/client/v3/sync", params={"timeout": "0"})
    return [event["type"] for event in response.get("to_device", {}).get("events", [])]


async def test_a_device_whose_key_is_none_keeps_the_others_from_nothing(machine: Machine, synapse: Synapse) -> None:
    """Else one member could see to it that nobody reads what the bot says."""
    async with await synapse.user(f"bad-{secrets.token_hex(4)}") as bad, await synapse.user(
        f"good-{secrets.token_hex(4)}"
    ) as good:  # fmt: skip
        await _upload_device(bad, "AAAA")
        await _upload_device(good)
        await machine.share_group_session(ROOM, sorted([UserID(bad.user_id), UserID(good.user_id)]))
        assert await _received(good) == ["m.room.encrypted"]
        assert await _received(bad) == []


async def test_a_key_does_not_count_as_shared_while_nobody_could_get_it(
    dsn: str, bot: MatrixClient, synapse: Synapse
) -> None:
    async with (
        await synapse.user(f"good-{secrets.token_hex(4)}") as good,
        _loses_responses(synapse, "/keys/claim") as homeserver,
        machine_of(dsn, bot, homeserver) as machine,
    ):
        machine.client.api.default_retry_count = 0
        await machine.sync(0)
        await _upload_device(good)
        with pytest.raises(MatrixConnectionError):
            await machine.share_group_session(ROOM, [UserID(good.user_id)])
        assert await machine.crypto_store.get_outbound_group_session(ROOM) is None
