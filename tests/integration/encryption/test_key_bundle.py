"""Keys of a room's history that came with an invitation: from Element's crypto, and from whoever has other plans."""

import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from mautrix.crypto import InboundGroupSession, OutboundGroupSession
from mautrix.errors import GroupSessionWithheldError
from mautrix.types import RoomID, SessionID, UserID

from appservice.core.errors import MediaError
from appservice.core.events.encrypted_files import encrypted_file_content
from appservice.core.model import EncryptedFile, UserId
from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from appservice.encryption.key_bundle import Download, Imported, KeyBundles
from appservice.encryption.machine import Machine
from appservice.matrix.attachments import encrypt_file
from appservice.matrix.client import HomeserverClient
from appservice.matrix.download import read_attachment
from tests.support.crypto_devices import ROOM, Json, Sender, cross_sign, known_sender, lacking, machine_of, read
from tests.support.rust_client import RustClient

BUNDLE = "io.element.msc4268.room_key_bundle"


@pytest.fixture
def bundles(machine: Machine) -> KeyBundles:
    bundles = KeyBundles(machine)
    bundles.attach()
    return bundles


@pytest.fixture
async def fetch(http: aiohttp.ClientSession, bot: MatrixClient) -> Download:
    """Download as the service does."""
    homeserver = HomeserverClient(http, bot.base_url, bot.access_token, "id", UserId(bot.user_id), None)
    return partial(read_attachment, http, homeserver)


async def test_history_that_element_shares_is_readable(
    machine: Machine, dsn: str, bot: MatrixClient, element: RustClient, bundles: KeyBundles, fetch: Download
) -> None:
    # Before the bot is invited; the key goes to nobody.
    await element.share_key(ROOM, [element.user_id])
    before = await element.write(ROOM, "before")
    session_id = SessionID(before["content"]["session_id"])
    other_room = "!other:test.local"
    await element.share_key(other_room, [element.user_id])
    other = await element.write(other_room, "elsewhere")
    await _cross_sign_bot(machine)
    await element.learn(bot.user_id)
    await element.send_bundle(ROOM, bot.user_id)
    await machine.sync(0)
    assert await lacking(machine, [session_id]) == [session_id]  # nobody was invited yet
    async with machine_of(dsn, bot) as again:  # restarted in between
        restarted = KeyBundles(again)
        assert await restarted.import_from(RoomID(other_room), UserID(element.user_id), fetch) is None
        assert await restarted.import_from(ROOM, UserID("@other:test.local"), fetch) is None
        imported = await restarted.import_from(ROOM, UserID(element.user_id), fetch)
        assert imported == Imported(keys=[session_id])
        assert await read(again, before) == "before"
        assert await lacking(again, [SessionID(other["content"]["session_id"])]) != []
        assert await restarted.import_from(ROOM, UserID(element.user_id), fetch) is None  # once
    assert await bundles.import_from(ROOM, UserID(element.user_id), fetch) is None


async def _cross_sign_bot(machine: Machine) -> None:
    await machine.generate_recovery_key()


async def test_who_waits_is_told_and_hears_of_the_bundle(
    machine: Machine, element: RustClient, fetch: Download
) -> None:
    arrived: list[tuple[str, str]] = []

    async def note(room_id: RoomID, sender: UserID) -> None:
        arrived.append((room_id, sender))

    bundles = KeyBundles(machine)
    bundles.attach(note)
    await element.share_key(ROOM, [element.user_id])
    await element.write(ROOM, "before")
    await _cross_sign_bot(machine)
    await element.learn(machine.client.mxid)
    await element.send_bundle(ROOM, machine.client.mxid)
    await machine.sync(0)
    assert arrived == [(ROOM, element.user_id)]
    assert await bundles.import_from(ROOM, UserID(element.user_id), fetch)


class Inviter:
    """A member who makes bundles by hand."""

    def __init__(self, sender: Sender, user: MatrixClient, folder: Path) -> None:
        self.sender, self._user, self._folder = sender, user, folder
        self.user_id = UserID(user.user_id)

    def key(self, group: OutboundGroupSession, index: int = 0, **changes: object) -> Json:
        keys = self.sender.account.identity_keys
        session = InboundGroupSession(group.session_key, keys["ed25519"], keys["curve25519"], ROOM)
        return {
            "algorithm": "m.megolm.v1.aes-sha2", "room_id": ROOM, "session_id": group.id,
            "session_key": session.export_session(index), "sender_key": keys["curve25519"],
            "sender_claimed_keys": {"ed25519": keys["ed25519"]}, **changes,
        }  # fmt: skip

    async def send(self, bundle: object, **changes: object) -> None:
        """Upload a bundle and send where it is."""
        plain, sealed = self._folder / "bundle", self._folder / "sealed"
        plain.write_bytes(bundle if isinstance(bundle, bytes) else json.dumps(bundle).encode())
        file = await encrypt_file(plain, sealed)
        url = await self._user.upload(sealed, "application/octet-stream")
        content = {"room_id": ROOM, "file": encrypted_file_content(file, url), **changes}
        await self.sender.send(BUNDLE, content)

    async def send_plain(self, bundle: object) -> None:
        """Send where a bundle is without encryption."""
        content = {"room_id": ROOM, "file": {"url": "mxc://test.local/a", **_file()}}
        await self.sender.send_plain(BUNDLE, content)


def _file() -> Json:
    return dict(encrypted_file_content(EncryptedFile(bytes(32), bytes(16), bytes(32)), "mxc://test.local/none"))


@pytest.fixture
async def inviter(machine: Machine, someone: MatrixClient, tmp_path: Path) -> Inviter:
    sender = await known_sender(machine, someone)
    await cross_sign(someone)
    return Inviter(sender, someone, tmp_path)


Import = Callable[[], Awaitable[Imported | None]]


@pytest.fixture
def receive(machine: Machine, inviter: Inviter, bundles: KeyBundles, fetch: Download) -> Import:
    async def receive() -> Imported | None:
        await machine.sync(0)
        return await bundles.import_from(ROOM, inviter.user_id, fetch)

    return receive


async def test_only_good_keys_of_the_room_are_imported_and_refusals_are_kept(
    machine: Machine, inviter: Inviter, receive: Import
) -> None:
    good, elsewhere, other = (OutboundGroupSession(ROOM) for _ in range(3))
    refused = {
        "algorithm": "m.megolm.v1.aes-sha2", "room_id": ROOM, "code": "m.history_not_shared", "reason": "",
        "sender_key": inviter.sender.account.identity_key, "session_id": other.id,
    }  # fmt: skip
    await inviter.send(
        {
            "room_keys": [
                {}, [], None, "x", inviter.key(elsewhere, room_id="!other:test.local"),
                inviter.key(elsewhere, session_id=other.id), inviter.key(elsewhere, session_key="AAAA"),
                inviter.key(elsewhere, sender_claimed_keys={}), inviter.key(elsewhere, sender_key="\0"),
                inviter.key(elsewhere, algorithm="m.other"), inviter.key(good),
            ],
            "withheld": [
                {}, [], refused | {"room_id": "!other:test.local", "session_id": elsewhere.id}, refused,
                refused | {"session_id": good.id},
            ],
        }
    )  # fmt: skip
    imported = await receive()
    assert imported == Imported(keys=[SessionID(good.id)], withheld=[SessionID(other.id)], skipped=8)
    with pytest.raises(GroupSessionWithheldError, match="history_not_shared"):
        await machine.crypto_store.get_group_session(ROOM, SessionID(other.id))
    assert await lacking(machine, [SessionID(good.id)]) == []
    assert await machine.crypto_store.withheld_by(SessionID(elsewhere.id)) is None


async def test_a_key_that_its_sender_sent_counts_more(machine: Machine, inviter: Inviter, receive: Import) -> None:
    direct, late, moved = (OutboundGroupSession(ROOM) for _ in range(3))
    early = inviter.key(late)
    late.shared = True
    late.encrypt("first")  # type: ignore[no-untyped-call]
    for group in (direct, late):
        await inviter.sender.send_key(group)
    # An entry may say whatever it likes of whose a session is.
    lie: Json = {"sender_key": "A" * 43, "sender_claimed_keys": {"ed25519": "B" * 43}}
    await machine.sync(0)
    elsewhere = moved.share_content.serialize() | {"room_id": "!other:test.local"}
    await inviter.sender.send("m.room_key", elsewhere)
    await inviter.send({"room_keys": [inviter.key(direct, **lie), early | lie, inviter.key(moved)]})
    imported = await receive()
    assert imported == Imported(keys=[SessionID(late.id)])
    for group in (direct, late):
        known = await machine.crypto_store.get_group_session(ROOM, SessionID(group.id))
        assert known is not None
        assert (known.sender_key, known.first_known_index) == (inviter.sender.account.identity_key, 0)
        assert known.forwarding_chain == []
    assert await machine.crypto_store.room_of_key(SessionID(moved.id)) == "!other:test.local"


async def test_a_room_key_does_not_move_a_session_to_another_room(machine: Machine, inviter: Inviter) -> None:
    group = OutboundGroupSession(ROOM)
    await inviter.sender.send_key(group)
    await inviter.sender.send("m.room_key", group.share_content.serialize() | {"room_id": "!other:test.local"})
    await machine.sync(0)
    assert await lacking(machine, [SessionID(group.id)]) == []


_NO_BUNDLES = [b"no json", b"[]", b'{"room_keys": 1}', b"[" * 100_000, b"\xff", b"{}", b'{"room_keys": {"a": 1}}']


@pytest.mark.parametrize("body", _NO_BUNDLES, ids=range(len(_NO_BUNDLES)))
async def test_a_bundle_that_is_none_is_discarded(inviter: Inviter, receive: Import, body: bytes) -> None:
    await inviter.send(body)
    assert await receive() == Imported()
    assert await receive() is None


async def test_a_file_that_was_changed_or_is_too_large_is_not_read(inviter: Inviter, receive: Import) -> None:
    await inviter.send({"room_keys": []}, file=_file() | {"url": "mxc://test.local/none"})
    with pytest.raises(MediaError):
        await receive()
    group = OutboundGroupSession(ROOM)
    padded = json.dumps({"room_keys": [inviter.key(group)]}).encode() + b" " * 9 * 2**20
    await inviter.send(padded)
    with pytest.raises(MediaError, match="larger"):
        await receive()
    await inviter.send({"room_keys": [inviter.key(group)]})
    assert await receive() == Imported(keys=[SessionID(group.id)])


async def test_a_device_that_is_not_cross_signed_shares_nothing(
    machine: Machine, bundles: KeyBundles, fetch: Download, someone: MatrixClient, tmp_path: Path
) -> None:
    unsigned = Inviter(await known_sender(machine, someone), someone, tmp_path)
    group = OutboundGroupSession(ROOM)
    await unsigned.send({"room_keys": [unsigned.key(group)]})
    await machine.sync(0)
    assert await bundles.import_from(ROOM, unsigned.user_id, fetch) is None
    assert await lacking(machine, [SessionID(group.id)]) == [SessionID(group.id)]
    await cross_sign(someone)
    assert await bundles.import_from(ROOM, unsigned.user_id, fetch) == Imported(keys=[SessionID(group.id)])


async def test_only_encrypted_events_count_and_not_too_many(
    machine: Machine, bundles: KeyBundles, inviter: Inviter, fetch: Download, synapse: Synapse
) -> None:
    await inviter.send_plain({})
    for content in ({}, {"room_id": ROOM}, {"room_id": ROOM, "file": []}, {"room_id": 5, "file": _file()}):
        await inviter.sender.send(BUNDLE, content)
    for n in range(40):
        await inviter.sender.send(BUNDLE, {"room_id": f"!room{n}:test.local", "file": _file()})
    await machine.sync(0)
    query = "SELECT count(*) FROM key_bundles"
    assert await machine.crypto_store.db.fetchval(query) == 26  # four of thirty were no good


async def test_where_a_bundle_is_and_what_decrypts_it_is_not_stored_as_it_came(
    machine: Machine, inviter: Inviter, bundles: KeyBundles
) -> None:
    await inviter.send({"room_keys": []})
    await machine.sync(0)
    sealed = await machine.crypto_store.db.fetchval("SELECT sealed FROM key_bundles")
    for word in (b"mxc:", b"A256CTR", inviter.sender.account.identity_key.encode()):
        assert word not in bytes(sealed)


async def test_a_key_that_its_owner_sends_after_it_was_shared_is_theirs(
    machine: Machine, inviter: Inviter, receive: Import, alice: MatrixClient
) -> None:
    """Else the commands of whoever was there before the bot would be followed by nobody."""
    group = OutboundGroupSession(ROOM)
    group.shared = True
    shared = inviter.key(group)
    await inviter.send({"room_keys": [shared], "withheld": []})
    assert await receive() == Imported(keys=[SessionID(group.id)])
    first: str = group.encrypt("before")  # type: ignore[no-untyped-call]
    other = Sender(alice, machine)
    await other.begin()
    await other.send_key(group)  # of somebody else it is not
    await machine.sync(0)
    known = await machine.crypto_store.get_group_session(ROOM, SessionID(group.id))
    assert known
    assert known.forwarding_chain
    await inviter.sender.send_key(group)
    await machine.sync(0)
    known = await machine.crypto_store.get_group_session(ROOM, SessionID(group.id))
    assert known
    assert (known.sender_key, known.forwarding_chain) == (inviter.sender.account.identity_key, [])
    assert known.decrypt(first) == ("before", 0)
