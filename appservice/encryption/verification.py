"""Interactive verification of the bot: by those who can read the service's log; others are declined at once.

The bot has no display. So it writes the emoji into its log, and who may verify it compares them there: that is a way
which neither the homeserver nor anybody between can change. It records nothing of the other side's keys. For everybody
else the emoji would be seen nowhere, and without a response their clients wait for ten minutes.
Import after `installation.install`. Source: client-server API, "Key verification framework".
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from mautrix.types import DeviceID, EventType, ToDeviceEvent, UserID

from appservice.core.errors import MalformedEventError
from appservice.encryption.budget import Budget
from appservice.encryption.fields import content_of, text_of
from appservice.encryption.machine import Machine
from appservice.encryption.sas import METHOD, Answer, Cancelled, Flow, Party

log = structlog.get_logger()

Json = dict[str, Any]

DECLINED = "bot-verification-declined"
"""The text for `reason`."""
_PREFIX = "m.key.verification."
_REQUEST, _START, _CANCEL = f"{_PREFIX}request", f"{_PREFIX}start", f"{_PREFIX}cancel"
_LATER = (_START, f"{_PREFIX}key", f"{_PREFIX}mac", f"{_PREFIX}done", _CANCEL)
_UNKNOWN_METHOD = "m.unknown_method"
# Clients give up after ten minutes, and refuse what comes from a clock that is five minutes ahead.
_OLDEST_MS, _NEWEST_MS = 10 * 60 * 1000, 5 * 60 * 1000
_REMEMBERED = 1000
_MOST_FLOWS = 20


@dataclass(frozen=True, slots=True)
class _Event:
    """An event of a verification, wherever it came."""

    sender: str
    flow_id: str
    type: str
    content: Json
    sent_at: object


class Verification:
    """Responds to what comes to the device (`attach`) or into a room (`respond_in_room`).

    `may_verify` says who reads the log; `reason` is what others' clients may show: it says what to do instead.
    """

    def __init__(
        self,
        machine: Machine,
        *,
        reason: str,
        may_verify: Callable[[str], bool],
        now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        self._machine = machine
        self._reason = reason
        self._may_verify = may_verify
        self._now_ms = now_ms
        self._budget = Budget(per_sender=10, in_all=300, window_s=60)
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._flows: OrderedDict[tuple[str, str], tuple[int, Flow]] = OrderedDict()

    def attach(self) -> None:
        """Respond to what comes to the device from now on."""
        for name in (_REQUEST, *_LATER):
            event_type = EventType.find(name, EventType.Class.TO_DEVICE)
            self._machine.client.add_event_handler(event_type, self._receive_to_device, wait_sync=True)

    async def respond_in_room(self, event: Mapping[str, Any]) -> list[Answer]:
        """Return the events to send to the room of a decrypted event; most ask for none."""
        read = self._read_of_room(event)
        if read is None:
            return []
        relation = {"m.relates_to": {"rel_type": "m.reference", "event_id": read.flow_id}}
        return [Answer(each.type, each.content | relation) for each in await self._respond(read)]

    def _read_of_room(self, event: Mapping[str, Any]) -> _Event | None:
        content, kind, sent_at = event.get("content"), event.get("type"), event.get("origin_server_ts")
        if not isinstance(content, dict):
            return None
        sender, event_id = str(event.get("sender")), str(event.get("event_id"))
        if kind == "m.room.message" and content.get("msgtype") == _REQUEST:
            is_ours = content.get("to") == self._machine.client.mxid
            return _Event(sender, event_id, _REQUEST, content, sent_at) if is_ours else None
        relation = content.get("m.relates_to")
        if kind not in _LATER or not isinstance(relation, dict):
            return None
        return _Event(sender, str(relation.get("event_id")), kind, content, sent_at)

    async def _receive_to_device(self, event: ToDeviceEvent) -> None:
        try:
            content = content_of(event)
            # A start without a request has no time.
            sent_at = content.get("timestamp", self._now_ms())
            flow_id = text_of(content, "transaction_id")
            _, flow = self._flows.get((event.sender, flow_id), (0, None))
            if flow is None and str(event.type) not in (_REQUEST, _START):
                return
            device_id = flow.their_device if flow else text_of(content, "from_device")
            answers = await self._respond(_Event(event.sender, flow_id, str(event.type), content, sent_at))
        except MalformedEventError as error:
            log.info("verification_malformed", sender=event.sender, reason=str(error))
            return
        for answer in answers:
            message: Any = answer.content | {"transaction_id": flow_id}
            event_type = EventType.find(answer.type, EventType.Class.TO_DEVICE)
            await self._machine.client.send_to_device(
                event_type, {UserID(event.sender): {DeviceID(device_id): message}}
            )

    async def _respond(self, event: _Event) -> list[Answer]:
        key = event.sender, event.flow_id
        if event.type == _REQUEST or (event.type == _START and key not in self._flows):
            if not self._is_due(event):
                return []
            begun = await self._begin(event)
            if begun is None:
                log.info("verification_declined", sender=event.sender)
            return [begun or Answer(_CANCEL, {"code": _UNKNOWN_METHOD, "reason": self._reason})]
        began_at, flow = self._flows.get(key, (0, None))
        if flow is None:
            return []
        if self._now_ms() - began_at > _OLDEST_MS:
            del self._flows[key]
            return []
        try:
            answers = [] if event.type == _CANCEL else flow.receive(event.type, event.content)
        except Cancelled as error:
            del self._flows[key]
            log.warning("verification_failed", sender=event.sender, code=error.code)
            return [Answer(_CANCEL, {"code": error.code, "reason": error.code})]
        if event.type == _CANCEL or flow.is_done:
            del self._flows[key]
            log.info("verification_ended", sender=event.sender, verified=flow.is_done)
        return answers

    async def _begin(self, event: _Event) -> Answer | None:
        """Begin a verification; None where there is none for them."""
        methods = event.content.get("methods")
        if event.type != _REQUEST or not self._may_verify(event.sender):
            return None
        if not isinstance(methods, list) or METHOD not in methods:
            return None
        device_id = DeviceID(text_of(event.content, "from_device"))
        theirs = await self._machine.get_or_fetch_device(UserID(event.sender), device_id)
        if theirs is None:
            return None
        flow = Flow(
            await self._our_side(),
            Party(event.sender, device_id, {f"ed25519:{device_id}": theirs.signing_key}),
            event.flow_id,
            lambda emoji: log.info("verification_emoji", sender=event.sender, emoji=" | ".join(emoji)),
        )
        self._flows[event.sender, event.flow_id] = self._now_ms(), flow
        if len(self._flows) > _MOST_FLOWS:
            self._flows.popitem(last=False)
        return flow.ready()

    async def _our_side(self) -> Party:
        machine = self._machine
        if machine.account is None:
            raise RuntimeError("The machine is not loaded.")
        keys = {f"ed25519:{machine.client.device_id}": str(machine.account.signing_key)}
        if public := await machine.get_own_cross_signing_public_keys():
            keys[f"ed25519:{public.master_key}"] = str(public.master_key)
        return Party(str(machine.client.mxid), str(machine.client.device_id), keys)

    def _is_due(self, event: _Event) -> bool:
        """Say whether a request is to be responded to: new, for the first time, and not one too many."""
        now, key = self._now_ms(), (event.sender, event.flow_id)
        if not isinstance(event.sent_at, int) or not now - _OLDEST_MS < event.sent_at < now + _NEWEST_MS:
            return False
        if key in self._seen or not self._budget.take(event.sender):
            return False
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True
