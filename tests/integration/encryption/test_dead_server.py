"""A homeserver that does not respond delays no other's members, and its own get their keys later."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from mautrix.crypto import OlmAccount, OutboundGroupSession, Session
from mautrix.types import (
    DeviceID,
    DeviceIdentity,
    EventType,
    IdentityKey,
    OlmCiphertext,
    RoomID,
    SigningKey,
    TrustState,
    UserID,
)

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from appservice.encryption import olm, sharing
from appservice.encryption.device import Device
from appservice.encryption.errors import DevicesUnknownError
from appservice.encryption.machine import Machine
from appservice.encryption.verification import Verification
from tests.support.crypto_devices import ROOM, Json, known_sender, machine_of
from tests.support.proxy import pass_on

DEAD = "dead.example"
EVE = UserID(f"@eve:{DEAD}")


class Homeserver:
    """Synapse, and a remote server that it cannot reach until that is back."""

    def __init__(self, synapse: Synapse, http: aiohttp.ClientSession) -> None:
        self._synapse, self._http = synapse, http
        self.account = OlmAccount()
        self.account.generate_one_time_keys(5)
        self.is_back = False
        self.hangs = False
        self.requests: list[str] = []
        self.sent: Json = {}

    def device_keys(self) -> Json:
        keys: Json = self.account.get_device_keys(EVE, DeviceID("EVE")).serialize()
        return keys

    def asks(self, body: Json) -> bool:
        """Tell whether a query is about the remote server."""
        return EVE in body["device_keys"]

    async def respond(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else {}
        if request.path.endswith("/keys/query") and self.asks(body):
            return await self._query(request, body)
        if request.path.endswith("/keys/claim") and EVE in body["one_time_keys"]:
            return await self._claim(body)
        if "/sendToDevice/" in request.path:
            for user_id, messages in body["messages"].items():
                self.sent.setdefault(user_id, []).append(messages)
        return await pass_on(self._http, self._synapse.base_url, request)

    async def _query(self, request: web.Request, body: Json) -> web.Response:
        self.requests.append("query")
        response = await pass_on(self._http, self._synapse.base_url, request)
        assert isinstance(response.body, bytes)
        found = json.loads(response.body)
        found["failures"] = {}
        if self.is_back:
            found["device_keys"][EVE] = {"EVE": self.device_keys()}
        else:
            found["device_keys"].pop(EVE, None)
            found["failures"][DEAD] = {"status": 503}
            await asyncio.sleep(body["timeout"] / 1000 if self.hangs else 0)
        return web.json_response(found)

    async def _claim(self, body: Json) -> web.Response:
        self.requests.append("claim")
        assert list(body["one_time_keys"]) == [EVE]  # its server is waited for by itself
        if not self.is_back:
            if self.hangs:
                await asyncio.Event().wait()
            return web.json_response({"one_time_keys": {}, "failures": {DEAD: {"status": 503}}})
        key_id, key = next(iter(self.account.get_one_time_keys(EVE, DeviceID("EVE"), 0).items()))
        return web.json_response({"one_time_keys": {EVE: {"EVE": {key_id: key}}}, "failures": {}})


@pytest.fixture
async def far(synapse: Synapse) -> AsyncIterator[Homeserver]:
    async with aiohttp.ClientSession() as http:
        yield Homeserver(synapse, http)


@pytest.fixture
async def reaching(dsn: str, bot: MatrixClient, far: Homeserver) -> AsyncIterator[Machine]:
    """A machine beyond that homeserver."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", far.respond)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with machine_of(dsn, bot, f"http://127.0.0.1:{runner.addresses[0][1]}") as machine:
            await machine.sync(0)
            yield machine
    finally:
        await runner.cleanup()


def _device(far: Homeserver, device_id: str = "EVE", account: OlmAccount | None = None) -> DeviceIdentity:
    account = account or far.account
    return DeviceIdentity(
        EVE, DeviceID(device_id), IdentityKey(account.identity_key), SigningKey(account.signing_key),
        TrustState.UNVERIFIED, deleted=False, name="",
    )  # fmt: skip


def _room_key(far: Homeserver, encrypted: Json) -> tuple[str, str, int]:
    """Return what came to the device: its type, the room's session, and the first message that its key decrypts."""
    mine = encrypted["ciphertext"][far.account.identity_key]
    session = far.account.new_inbound_session(encrypted["sender_key"], mine["body"])
    event = json.loads(session.decrypt(OlmCiphertext.deserialize(mine)))
    group = olm.InboundGroupSession(event["content"]["session_key"])
    return event["type"], group.id, group.first_known_index


def _pass_time(machine: Machine, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    clock = machine.clock
    monkeypatch.setattr(machine, "clock", lambda: clock() + seconds)
    monkeypatch.setattr(machine._servers, "_clock", lambda: clock() + seconds)  # noqa: SLF001


@pytest.mark.parametrize("known", [True, False], ids=["known devices", "unknown devices"])
async def test_who_is_on_a_dead_server_gets_the_key_later_and_others_at_once(
    reaching: Machine, far: Homeserver, synapse: Synapse, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    async with await synapse.user(f"good-{secrets.token_hex(4)}") as good:
        await _with_device(reaching, good)
        if known:
            await reaching.crypto_store.put_devices(EVE, {DeviceID("EVE"): _device(far)})
        await reaching.share_group_session(ROOM, [EVE, UserID(good.user_id)])
        assert (good.user_id in far.sent, EVE in far.sent) == (True, False)
        await reaching.encrypt_megolm_event(ROOM, EventType.ROOM_MESSAGE, {"body": "first"})
        await reaching.share_missed()  # not yet
        far.is_back = True
        before = len(far.requests)
        await reaching.share_missed()
        assert len(far.requests) == before
        _pass_time(reaching, monkeypatch, 60)
        await reaching.share_missed()
        ((messages),) = far.sent[EVE]
        kind, session_id, index = _room_key(far, messages["EVE"])
        session = await reaching.crypto_store.get_outbound_group_session(ROOM)
        assert session is not None
        assert (kind, session_id, index) == ("m.room_key", session.id, 0)  # the first message can be read as well
        _pass_time(reaching, monkeypatch, 3600)
        await reaching.share_missed()
        assert len(far.sent[EVE]) == 1


async def test_a_server_that_hangs_is_not_waited_for(
    reaching: Machine, far: Homeserver, synapse: Synapse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "_SERVER_S", 1.0)
    far.hangs = True
    await reaching.crypto_store.put_devices(EVE, {DeviceID("EVE"): _device(far)})
    async with await synapse.user(f"good-{secrets.token_hex(4)}") as good:
        await _with_device(reaching, good)
        rooms = [RoomID(f"!{number}:test.local") for number in range(5)]
        first = asyncio.create_task(reaching.share_group_session(rooms[0], [EVE, UserID(good.user_id)]))
        others = [asyncio.create_task(reaching.share_group_session(room, [UserID(good.user_id)])) for room in rooms[1:]]
        await asyncio.gather(first, *others)
        for room in rooms[1:]:  # it was not waited for again
            await reaching.crypto_store.remove_outbound_group_session(room)
            await reaching.share_group_session(room, [EVE, UserID(good.user_id)])
        assert len(far.requests) == 1
        assert len(far.sent[good.user_id]) == 9
        assert EVE not in far.sent


async def test_a_server_of_many_devices_is_none_that_does_not_respond(
    reaching: Machine, far: Homeserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "_SERVER_S", 2.0)
    monkeypatch.setattr(sharing, "_DEVICES_AT_ONCE", 2)
    far.is_back = True
    accounts = {DeviceID(f"EVE{number}"): OlmAccount() for number in range(6)}
    for account in accounts.values():
        account.generate_one_time_keys(1)
    await reaching.crypto_store.put_devices(EVE, {each: _device(far, each, own) for each, own in accounts.items()})
    claimed: list[str] = []

    async def claim(body: Json) -> web.Response:
        devices = body["one_time_keys"][EVE]
        claimed.extend(devices)
        keys = {each: accounts[each].get_one_time_keys(EVE, DeviceID(each), 0) for each in devices}
        return web.json_response({"one_time_keys": {EVE: keys}, "failures": {}})

    async def no_cross_signing(_request: web.Request, _body: Json) -> web.Response:
        return web.json_response({"device_keys": {}, "failures": {}})

    async def add_slowly(key: IdentityKey, session: Session) -> None:
        await asyncio.sleep(0.4)  # all of them take longer than a server may
        await add(key, session)

    add = reaching.crypto_store.add_session
    monkeypatch.setattr(reaching.crypto_store, "add_session", add_slowly)
    monkeypatch.setattr(far, "_claim", claim)
    monkeypatch.setattr(far, "_query", no_cross_signing)
    await reaching.share_group_session(ROOM, [EVE])
    assert sorted(claimed) == sorted(accounts)
    assert [sorted(messages) for messages in far.sent[EVE]] == [sorted(accounts)]


async def test_servers_that_do_not_respond_are_asked_at_once(
    reaching: Machine, far: Homeserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = {EVE, *(UserID(f"@eve:{number}.example") for number in range(15))}

    async def query(_request: web.Request, body: Json) -> web.Response:
        far.requests.append("query")
        queried = set(body["device_keys"])
        malformed = {EVE: {"EVE": 1}} if far.hangs and EVE in queried else {}
        return web.json_response({"device_keys": malformed, "failures": {user[5:]: {} for user in queried - {EVE}}})

    monkeypatch.setattr(far, "_query", query)
    monkeypatch.setattr(far, "asks", lambda body: bool(users & set(body["device_keys"])))
    reaching._senders = {(user, IdentityKey("A" * 43)) for user in users}  # noqa: SLF001 - whose keys came
    await reaching._learn_senders()  # noqa: SLF001
    assert len(far.requests) == 1
    # One whose devices are malformed costs a few requests, not one for each of the others.
    _pass_time(reaching, monkeypatch, 60)
    far.hangs = True
    await reaching._fetch_keys(sorted(users), include_untracked=True)  # noqa: SLF001
    assert len(far.requests) == 1 + 9


async def test_events_of_many_servers_wait_for_them_at_once(reaching: Machine, far: Homeserver) -> None:
    far.hangs = True
    events = []
    for number in range(5):
        sent, key = OutboundGroupSession(ROOM), f"{number}{'A' * 42}"
        await reaching._create_group_session(  # noqa: SLF001 - as its key would have come
            IdentityKey(key), SigningKey(key), ROOM, sent.id, sent.session_key, None, None
        )
        sent.shared = True
        content = {"session_id": sent.id, "ciphertext": sent.encrypt("{}")}  # type: ignore[no-untyped-call]
        sender = EVE if number else f"@eve:other.{DEAD}"
        events.append(
            {"room_id": ROOM, "event_id": f"${number}", "sender": sender, "origin_server_ts": 1, "content": content}
        )
    device = Device(reaching, Verification(reaching, reason="", may_verify=lambda _: False))
    await device.learn_senders(events)
    assert far.requests == ["query"]
    for event in events[1:]:
        with pytest.raises(DevicesUnknownError):
            await device.decrypt(event)
    assert far.requests == ["query"]


async def test_a_device_whose_server_does_not_say_may_still_be_there(
    reaching: Machine, far: Homeserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = IdentityKey(far.account.identity_key)
    with pytest.raises(DevicesUnknownError, match=DEAD):
        await reaching.device_by_key(EVE, key)
    with pytest.raises(DevicesUnknownError):  # without a request
        await reaching.device_by_key(EVE, key)
    assert len(far.requests) == 1
    far.is_back = True
    _pass_time(reaching, monkeypatch, 60)
    found = await reaching.device_by_key(EVE, key)
    assert found is not None
    assert found.device_id == "EVE"
    assert await reaching.device_by_key(EVE, IdentityKey("A" * 43)) is None


async def _with_device(machine: Machine, user: MatrixClient) -> None:
    """Give a user a device with one-time keys."""
    sender = await known_sender(machine, user)
    me = await user.request("GET", "/_matrix/client/v3/account/whoami")
    keys = sender.account.get_one_time_keys(UserID(user.user_id), me["device_id"], 0)
    await user.request("POST", "/_matrix/client/v3/keys/upload", json={"one_time_keys": keys})
