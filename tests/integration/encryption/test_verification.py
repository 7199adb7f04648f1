"""Who wants to verify the bot gets a response at once, which says why not; floods and hostile requests get none."""

import base64
import secrets
import time

import pytest
from structlog.testing import capture_logs

from appservice.encryption.machine import Machine
from appservice.encryption.sas import Answer
from appservice.encryption.verification import Verification
from tests.support.crypto_devices import ROOM, Inbox, Json, Sender
from tests.support.rust_client import RustClient

REASON = "Compare the fingerprint instead."
CANCEL = "m.key.verification.cancel"
REQUEST = "m.key.verification.request"


def _now_ms() -> int:
    return int(time.time() * 1000)


@pytest.fixture
def verification(machine: Machine) -> Verification:
    """For which nobody reads the log."""
    verification = Verification(machine, reason=REASON, may_verify=lambda _: False)
    verification.attach()
    return verification


@pytest.mark.usefixtures("verification")
async def test_a_request_to_the_device_is_declined_at_once(machine: Machine, element: RustClient) -> None:
    bot, device = machine.client.mxid, machine.client.device_id
    await element.perform(await element.device.call("request_verification", bot, device))
    assert (await element.device.call("verification"))["phase"] == "Created"
    started = time.monotonic()
    await machine.sync(0)
    await element.sync()
    assert time.monotonic() - started < 5  # not ten minutes; on a busy machine
    state = await element.device.call("verification")
    assert state["phase"] == "Cancelled"
    assert state["cancelled"]["code"] == "m.unknown_method"
    assert not state["cancelled"]["by_us"]


async def test_a_request_in_a_room_is_declined(
    machine: Machine, element: RustClient, verification: Verification
) -> None:
    bot = machine.client.mxid
    await machine.generate_recovery_key()
    await element.learn(bot)
    content = await element.device.call("verification_request_content", bot)
    event = {
        "type": "m.room.message", "event_id": "$request", "sender": element.user_id, "room_id": ROOM,
        "origin_server_ts": _now_ms(), "content": content,
    }  # fmt: skip
    await element.device.call("verification_requested", bot, ROOM, "$request")
    (answer,) = await verification.respond_in_room(event)
    assert answer.content == {
        "m.relates_to": {"rel_type": "m.reference", "event_id": "$request"},
        "code": "m.unknown_method",
        "reason": REASON,
    }
    await element.device.call("receive_verification", _of_bot(machine, answer), ROOM)
    assert (await element.device.call("verification"))["phase"] == "Cancelled"
    # Once, and only what is meant for the bot, and new.
    for other in (
        event,
        event | {"event_id": "$b", "content": content | {"to": "@other:x"}},
        event | {"event_id": "$c", "content": content | {"msgtype": "m.text"}},
        event | {"event_id": "$d", "origin_server_ts": _now_ms() - 700_000},
        event | {"event_id": "$e", "origin_server_ts": None},
        event | {"event_id": "$f", "type": "m.key.verification.start"},
        {"type": "m.room.message", "content": []},
    ):
        assert await verification.respond_in_room(other) == []


def _of_bot(machine: Machine, answer: Answer) -> Json:
    """Return an answer as the room would have it."""
    return {
        "type": answer.type, "event_id": f"${secrets.token_hex(4)}", "sender": machine.client.mxid, "room_id": ROOM,
        "origin_server_ts": _now_ms(), "content": answer.content,
    }  # fmt: skip


# By those who read the log.


@pytest.fixture
def open_to_all(machine: Machine) -> Verification:
    verification = Verification(machine, reason=REASON, may_verify=lambda _: True)
    verification.attach()
    return verification


async def _turn(machine: Machine, element: RustClient) -> str:
    """Let the bot and then the client receive what is new; return what the bot logged as emoji."""
    with capture_logs() as logs:
        await machine.sync(0)
    await element.sync()
    return "".join(each["emoji"] for each in logs if each["event"] == "verification_emoji")


async def _trusted(machine: Machine, element: RustClient) -> set[bool]:
    trusted = await element.device.call("is_verified", machine.client.mxid, machine.client.device_id)
    return set(trusted.values())


@pytest.mark.usefixtures("open_to_all")
async def test_who_reads_the_log_compares_emoji_with_it(machine: Machine, element: RustClient) -> None:
    bot, device = machine.client.mxid, machine.client.device_id
    await machine.generate_recovery_key()
    await element.learn(bot)
    assert await _trusted(machine, element) == {False}
    await element.perform(await element.device.call("request_verification", bot, device))
    await _turn(machine, element)
    assert (await element.device.call("verification"))["phase"] == "Ready"
    await element.perform(await element.device.call("start_sas"))
    assert not await _turn(machine, element)
    logged = await _turn(machine, element)
    assert logged.split(" | ") == await element.device.call("emoji")
    for request in await element.device.call("confirm_sas"):
        await element.perform(request)
    await _turn(machine, element)
    assert (await element.device.call("verification"))["phase"] == "Done"
    await element.learn(bot)
    assert await _trusted(machine, element) == {True}
    await _turn(machine, element)
    assert (await element.device.call("verification"))["phase"] == "Done"


async def test_the_same_in_a_room(machine: Machine, element: RustClient, open_to_all: Verification) -> None:
    bot = machine.client.mxid
    await machine.generate_recovery_key()
    await element.learn(bot)

    async def to_bot(kind: str, content: Json, event_id: str = "$later") -> None:
        """Bring an event into the room, and the bot's answers to the client, and so on."""
        event = {
            "type": kind, "event_id": event_id, "sender": element.user_id, "room_id": ROOM,
            "origin_server_ts": _now_ms(), "content": content,
        }  # fmt: skip
        for answer in await open_to_all.respond_in_room(event):
            await element.device.call("receive_verification", _of_bot(machine, answer), ROOM)
        for request in await element.device.call("outgoing"):
            await send(request)

    async def send(request: Json) -> None:
        if "room_id" not in request:
            await element.perform(request)
            return
        await element.device.call("sent", request["id"], request["type"], {"event_id": "$sent"})
        await to_bot(request["event_type"], request["body"])

    content = await element.device.call("verification_request_content", bot)
    await element.device.call("verification_requested", bot, ROOM, "$request")
    await to_bot("m.room.message", content, "$request")
    with capture_logs() as logs:
        await send(await element.device.call("start_sas"))
    logged = [each["emoji"] for each in logs if each["event"] == "verification_emoji"]
    assert logged[0].split(" | ") == await element.device.call("emoji")
    for request in await element.device.call("confirm_sas"):
        await send(request)
    assert (await element.device.call("verification"))["phase"] == "Done"
    await element.learn(bot)
    assert await _trusted(machine, element) == {True}


@pytest.mark.usefixtures("open_to_all")
async def test_who_sees_other_emoji_ends_it(machine: Machine, element: RustClient) -> None:
    bot, device = machine.client.mxid, machine.client.device_id
    await element.perform(await element.device.call("request_verification", bot, device))
    await _turn(machine, element)
    await element.perform(await element.device.call("start_sas"))
    await _turn(machine, element)
    await _turn(machine, element)
    await element.perform(await element.device.call("reject_sas"))
    await _turn(machine, element)
    assert await _trusted(machine, element) == {False}
    assert (await element.device.call("verification"))["phase"] == "Cancelled"


_KEY = "A" * 43
_GOOD_KEY = base64.b64encode(b"k" * 32).decode().rstrip("=")
_START: Json = {
    "method": "m.sas.v1", "key_agreement_protocols": ["curve25519-hkdf-sha256"], "hashes": ["sha256"],
    "message_authentication_codes": ["hkdf-hmac-sha256.v2"], "short_authentication_string": ["emoji"],
}  # fmt: skip


@pytest.mark.usefixtures("open_to_all")
@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([("key", {"key": _KEY})], "m.unexpected_message"),
        ([("start", _START | {"method": "m.other"})], "m.unknown_method"),
        ([("start", _START | {"hashes": 1})], "m.unknown_method"),
        ([("start", _START | {"message_authentication_codes": ["hkdf-hmac-sha256"]})], "m.unknown_method"),
        ([("start", _START), ("start", _START)], "m.unexpected_message"),
        ([("start", _START), ("mac", {"mac": {}, "keys": ""})], "m.unexpected_message"),
        ([("start", _START), ("key", {"key": "no key"})], "m.invalid_message"),
        ([("start", _START), ("key", {"key": 5})], "m.invalid_message"),
        ([("start", _START), ("key", {"key": _GOOD_KEY}), ("mac", {"mac": [], "keys": _KEY})], "m.invalid_message"),
        (
            [("start", _START), ("key", {"key": _GOOD_KEY}), ("mac", {"mac": {"ed25519:A": _KEY}, "keys": _KEY})],
            "m.key_mismatch",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(step for step, _ in value),
)
async def test_what_comes_out_of_order_or_is_wrong_ends_it(
    machine: Machine, element: RustClient, steps: list[tuple[str, Json]], code: str
) -> None:
    sender = Sender(element.user, machine)
    flow = {"transaction_id": "t", "from_device": element.device.device_id}
    await sender.send_plain(REQUEST, flow | {"methods": ["m.sas.v1"], "timestamp": _now_ms()})
    for step, content in steps:
        await sender.send_plain(f"m.key.verification.{step}", flow | content)
    # Nothing more comes of it.
    await sender.send_plain("m.key.verification.key", flow | {"key": _KEY})
    await machine.sync(0)
    assert [each["code"] for each in await Inbox(element.user).read(CANCEL)] == [code]


@pytest.mark.usefixtures("open_to_all")
async def test_a_device_that_is_not_there_verifies_nothing(machine: Machine, element: RustClient) -> None:
    request = {"transaction_id": "t", "methods": ["m.sas.v1"], "timestamp": _now_ms()}
    sender = Sender(element.user, machine)
    await sender.send_plain(REQUEST, request | {"from_device": "NONE"})
    await sender.send_plain(REQUEST, request | {"transaction_id": "q", "from_device": element.device.device_id,
                                                "methods": ["m.reciprocate.v1"]})  # fmt: skip
    await machine.sync(0)
    assert [(each["transaction_id"], each["code"]) for each in await Inbox(element.user).read(CANCEL)] == [
        ("q", "m.unknown_method")
    ]


@pytest.mark.usefixtures("verification")
async def test_only_new_requests_get_a_response_and_not_too_many(machine: Machine, element: RustClient) -> None:
    # As a plain client: its crypto would wonder about what it has not sent.
    sender = Sender(element.user, machine)
    valid: Json = {
        "transaction_id": "t", "from_device": element.device.device_id, "methods": ["m.sas.v1"], "timestamp": _now_ms(),
    }  # fmt: skip
    hostile: list[object] = [
        {}, {"transaction_id": 1}, {"serialize": 1}, {"self": 1},
        valid | {"x": {"serialize": 1}}, valid | {"transaction_id": ""}, valid | {"transaction_id": "x" * 300},
        valid | {"from_device": None}, valid | {"from_device": {"a": 1}}, valid | {"timestamp": "now"},
        valid | {"transaction_id": "old", "timestamp": _now_ms() - 11 * 60_000},
        valid | {"transaction_id": "ahead", "timestamp": _now_ms() + 6 * 60_000},
    ]  # fmt: skip
    for content in hostile:
        await sender.send_plain(REQUEST, content)
    # Neither a response to a response, nor two for one.
    await sender.send_plain("m.key.verification.cancel", {"transaction_id": "c", "code": "m.user", "reason": ""})
    await sender.send_plain(REQUEST, valid)
    await sender.send_plain(REQUEST, valid)
    await sender.send_plain("m.key.verification.start", {"transaction_id": "t", "from_device": "ANY"})
    started = {name: valid[name] for name in ("transaction_id", "from_device")}
    await sender.send_plain("m.key.verification.start", started | {"transaction_id": "without a request"})
    await machine.sync(0)
    inbox = Inbox(element.user)
    assert await inbox.read(CANCEL) == [
        {"transaction_id": name, "code": "m.unknown_method", "reason": REASON} for name in ("t", "without a request")
    ]
    for n in range(30):
        await sender.send_plain(REQUEST, valid | {"transaction_id": f"flood {n}"})
    await machine.sync(0)
    assert len(await inbox.read(CANCEL)) == 10
