"""Interactive verification by emoji (SAS), as the side that responds: a protocol without I/O.

Source: client-server API, "Short Authentication String (SAS) verification".
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import vodozemac

from appservice.core.tokens import encode_unpadded

Json = dict[str, Any]

METHOD = "m.sas.v1"
_PREFIX = "m.key.verification."
_AGREEMENT, _HASH, _MAC, _EMOJI = "curve25519-hkdf-sha256", "sha256", "hkdf-hmac-sha256.v2", "emoji"
_CURVE25519_BYTES = 32

# The table of the specification, by index.
_NAMES = (
    "🐶 Dog", "🐱 Cat", "🦁 Lion", "🐎 Horse", "🦄 Unicorn", "🐷 Pig", "🐘 Elephant", "🐰 Rabbit", "🐼 Panda",
    "🐓 Rooster", "🐧 Penguin", "🐢 Turtle", "🐟 Fish", "🐙 Octopus", "🦋 Butterfly", "🌷 Flower", "🌳 Tree",
    "🌵 Cactus", "🍄 Mushroom", "🌏 Globe", "🌙 Moon", "☁️ Cloud", "🔥 Fire", "🍌 Banana", "🍎 Apple", "🍓 Strawberry",
    "🌽 Corn", "🍕 Pizza", "🎂 Cake", "❤️ Heart", "😀 Smiley", "🤖 Robot", "🎩 Hat", "👓 Glasses", "🔧 Spanner",
    "🎅 Santa", "👍 Thumbs Up", "☂️ Umbrella", "⌛ Hourglass", "⏰ Clock", "🎁 Gift", "💡 Light Bulb", "📕 Book",
    "✏️ Pencil", "📎 Paperclip", "✂️ Scissors", "🔒 Lock", "🔑 Key", "🔨 Hammer", "☎️ Telephone", "🏁 Flag", "🚂 Train",
    "🚲 Bicycle", "✈️ Aeroplane", "🚀 Rocket", "🏆 Trophy", "⚽ Ball", "🎸 Guitar", "🎺 Trumpet", "🔔 Bell", "⚓ Anchor",
    "🎧 Headphones", "📁 Folder", "📌 Pin",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Party:
    """One side: its device, and the Ed25519 keys that count as its own, by key id (`ed25519:DEVICE`)."""

    user_id: str
    device_id: str
    keys: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """An event to send; its content lacks what names the flow."""

    type: str
    content: Json


class Cancelled(Exception):  # noqa: N818  # as the specification has it
    """The flow ends; `code` is for the other side."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Flow:
    """One verification of our keys by the other side's user, from their request on.

    `show` gets the emoji. Our side confirms once theirs has: their user compared them, and nobody is here who could.
    """

    def __init__(self, ours: Party, theirs: Party, flow_id: str, show: Callable[[list[str]], None]) -> None:
        self._ours, self._theirs, self._flow_id = ours, theirs, flow_id
        self._show = show
        self._sas: vodozemac.Sas | None = vodozemac.Sas()
        self._our_key = self._sas.public_key.to_base64()
        self._established: vodozemac.EstablishedSas | None = None
        self._step = "start"

    def ready(self) -> Answer:
        """Return the response to the request."""
        return Answer(f"{_PREFIX}ready", {"from_device": self._ours.device_id, "methods": [METHOD]})

    def receive(self, event_type: str, content: Json) -> list[Answer]:
        """Take the next event of theirs; return what to send. Raises Cancelled for one that must not come now."""
        step = event_type.removeprefix(_PREFIX)
        if step != self._step:
            raise Cancelled("m.unexpected_message")
        if step == "start":
            self._step = "key"
            return [self._accept(content)]
        if step == "key":
            self._step = "mac"
            return [self._exchange(content)]
        if step == "mac":
            self._step = "done"
            return self._confirm(content)
        self._step = ""
        return []

    @property
    def their_device(self) -> str:
        """The device of theirs that takes part."""
        return self._theirs.device_id

    @property
    def is_done(self) -> bool:
        """Whether their side has verified ours."""
        return not self._step

    def _accept(self, start: Json) -> Answer:
        if start.get("method") != METHOD:
            raise Cancelled("m.unknown_method")
        offered = (
            ("key_agreement_protocols", _AGREEMENT),
            ("hashes", _HASH),
            ("message_authentication_codes", _MAC),
            ("short_authentication_string", _EMOJI),
        )
        for name, wanted in offered:
            values = start.get(name)
            if not isinstance(values, list) or wanted not in values:
                raise Cancelled("m.unknown_method")
        committed = hashlib.sha256((self._our_key + _canonical(start)).encode("utf-8", "surrogatepass")).digest()
        content = {
            "method": METHOD,
            "key_agreement_protocol": _AGREEMENT,
            "hash": _HASH,
            "message_authentication_code": _MAC,
            "short_authentication_string": [_EMOJI],
            "commitment": encode_unpadded(committed),
        }
        return Answer(f"{_PREFIX}accept", content)

    def _exchange(self, content: Json) -> Answer:
        their_key, sas = content.get("key"), self._sas
        self._sas = None
        if not isinstance(their_key, str) or sas is None or not _is_key(their_key):
            raise Cancelled("m.invalid_message")
        try:
            self._established = sas.diffie_hellman(vodozemac.Curve25519PublicKey.from_base64(their_key))
        except ValueError as error:
            raise Cancelled("m.invalid_message") from error
        theirs, ours = self._theirs, self._ours
        info = "|".join(
            ("MATRIX_KEY_VERIFICATION_SAS", theirs.user_id, theirs.device_id, their_key,
             ours.user_id, ours.device_id, self._our_key, self._flow_id)
        )  # fmt: skip
        self._show([_NAMES[index] for index in self._established.bytes(info).emoji_indices])
        return Answer(f"{_PREFIX}key", {"key": self._our_key})

    def _confirm(self, content: Json) -> list[Answer]:
        macs, keys = content.get("mac"), content.get("keys")
        if not isinstance(macs, dict) or not isinstance(keys, str):
            raise Cancelled("m.invalid_message")
        info = self._mac_info(self._theirs, self._ours)
        self._check(",".join(sorted(macs)), f"{info}KEY_IDS", keys)
        if not set(macs) & set(self._theirs.keys):
            raise Cancelled("m.key_mismatch")
        for key_id, key in self._theirs.keys.items():
            if key_id in macs:
                self._check(key, f"{info}{key_id}", macs[key_id])
        mac_info, ours = self._mac_info(self._ours, self._theirs), self._ours.keys
        answer = {
            "mac": {key_id: self._mac(key, f"{mac_info}{key_id}") for key_id, key in ours.items()},
            "keys": self._mac(",".join(sorted(ours)), f"{mac_info}KEY_IDS"),
        }
        return [Answer(f"{_PREFIX}mac", answer), Answer(f"{_PREFIX}done", {})]

    def _mac_info(self, of: Party, to: Party) -> str:
        return f"MATRIX_KEY_VERIFICATION_MAC{of.user_id}{of.device_id}{to.user_id}{to.device_id}{self._flow_id}"

    def _mac(self, text: str, info: str) -> str:
        if self._established is None:
            raise Cancelled("m.unexpected_message")
        return self._established.calculate_mac(text, info)

    def _check(self, text: str, info: str, mac: object) -> None:
        if self._established is None or not isinstance(mac, str):
            raise Cancelled("m.invalid_message")
        try:
            self._established.verify_mac(text, info, mac)
        except ValueError as error:
            raise Cancelled("m.key_mismatch") from error


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text + "=" * (-len(text) % 4), validate=True)) == _CURVE25519_BYTES
    except binascii.Error:
        return False


def _canonical(content: Json) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
