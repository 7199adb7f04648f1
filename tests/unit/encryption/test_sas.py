"""The responding side of a verification by emoji, with one that is played here (integration tests: with Element's)."""

import base64
import hashlib
import json

import pytest
import vodozemac

from appservice.encryption.sas import Answer, Cancelled, Flow, Json, Party

BOT = Party("@bot:x", "BOT", {"ed25519:BOT": "B" * 43, "ed25519:MASTER": "M" * 43})
ALICE = Party("@alice:x", "ALICE", {"ed25519:ALICE": "A" * 43})
START: Json = {
    "from_device": "ALICE", "method": "m.sas.v1", "transaction_id": "t", "hashes": ["sha256"],
    "key_agreement_protocols": ["curve25519", "curve25519-hkdf-sha256"],
    "message_authentication_codes": ["hkdf-hmac-sha256.v2"], "short_authentication_string": ["decimal", "emoji"],
}  # fmt: skip


class Starter:
    """The side that starts, up to the emoji."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.flow = Flow(BOT, ALICE, "t", self.shown.extend)
        sas = vodozemac.Sas()
        (self.accept,) = self.flow.receive("m.key.verification.start", START)
        (key,) = self.flow.receive("m.key.verification.key", {"key": sas.public_key.to_base64()})
        self.bots_key = str(key.content["key"])
        self.established = sas.diffie_hellman(vodozemac.Curve25519PublicKey.from_base64(self.bots_key))

    def mac(self, keys: dict[str, str]) -> Json:
        info = "MATRIX_KEY_VERIFICATION_MAC@alice:xALICE@bot:xBOTt"
        macs = {key_id: self.established.calculate_mac(key, info + key_id) for key_id, key in keys.items()}
        return {"mac": macs, "keys": self.established.calculate_mac(",".join(sorted(macs)), f"{info}KEY_IDS")}

    def confirm(self, content: Json) -> list[Answer]:
        return self.flow.receive("m.key.verification.mac", content)


def test_it_commits_to_its_key_before_it_knows_the_other() -> None:
    starter = Starter()
    canonical = json.dumps(START, separators=(",", ":"), sort_keys=True)
    digest = hashlib.sha256((starter.bots_key + canonical).encode()).digest()
    assert starter.accept.content["commitment"] == base64.b64encode(digest).decode().rstrip("=")
    assert len(starter.shown) == 7


def test_it_proves_its_keys_once_the_other_side_has_confirmed() -> None:
    starter = Starter()
    mac, done = starter.confirm(starter.mac({**ALICE.keys, "ed25519:UNKNOWN": "U" * 43}))
    info = "MATRIX_KEY_VERIFICATION_MAC@bot:xBOT@alice:xALICEt"
    for key_id, key in BOT.keys.items():
        starter.established.verify_mac(key, info + key_id, mac.content["mac"][key_id])
    starter.established.verify_mac("ed25519:BOT,ed25519:MASTER", f"{info}KEY_IDS", mac.content["keys"])
    assert (mac.type, done.type, done.content) == ("m.key.verification.mac", "m.key.verification.done", {})
    assert not starter.flow.is_done
    assert starter.flow.receive("m.key.verification.done", {}) == []
    assert starter.flow.is_done


def test_it_proves_nothing_to_who_has_other_keys() -> None:
    for keys in ({"ed25519:ALICE": "X" * 43}, {"ed25519:OTHER": "A" * 43}, {}):
        starter = Starter()
        with pytest.raises(Cancelled, match=r"m\.key_mismatch"):
            starter.confirm(starter.mac(keys))
    for changes in ({"keys": "A" * 43}, {"keys": "?"}):
        starter = Starter()
        with pytest.raises(Cancelled, match=r"m\.key_mismatch"):
            starter.confirm(starter.mac(dict(ALICE.keys)) | changes)
    starter = Starter()
    with pytest.raises(Cancelled, match=r"m\.invalid_message"):
        starter.confirm({"mac": {"ed25519:ALICE": 1}, "keys": starter.mac({"ed25519:ALICE": ""})["keys"]})
