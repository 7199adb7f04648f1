"""Keys of attachments that were stored before the installation had a key are sealed once it has one."""

import json
from collections.abc import AsyncIterator
from itertools import count

import pytest

from appservice.core.events.changes import BotMembershipChanged, NewVideo
from appservice.core.model import EncryptedFile, EventId, RoomId, UserId
from appservice.core.room import Membership
from appservice.encryption.keyring import new_keyring
from appservice.store import Stores, attachment_keys
from appservice.store.attachment_keys import AttachmentKeyStore
from appservice.store.outbox import Pool
from tests.support.databases import CreateDatabase, migrated_pool

ROOM, ALICE, BOT = RoomId("!room:example.org"), UserId("@alice:example.org"), UserId("@reel:example.org")
FILE = EncryptedFile(key=b"k" * 32, iv=b"i" * 16, sha256=b"h" * 32)
numbers = count()


@pytest.fixture
async def pool(create_database: CreateDatabase) -> AsyncIterator[Pool]:
    async with migrated_pool(await create_database("attachment-keys"), size=2) as pool:
        yield pool


async def _send(stores: Stores, file: EncryptedFile | None) -> EventId:
    number = next(numbers)
    event_id = EventId(f"$event{number}")
    await stores.intake.apply(
        [
            NewVideo(
                event_id=event_id, room_id=ROOM, sender=ALICE, title="T", mxc=f"mxc://example.org/{number}",
                encrypted_file=file, claimed_size=5, certain=True, sent_at=1,
            )
        ]
    )  # fmt: skip
    return event_id


async def test_keys_of_before_are_sealed_and_open_again(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachment_keys, "_AT_ONCE", 2)
    keyring = new_keyring()
    before, after = Stores(pool), Stores(pool, seal=keyring.seal_file)
    await before.intake.apply([BotMembershipChanged(ROOM, Membership.JOIN, BOT)])
    unsealed = [await _send(before, FILE) for _ in range(5)]
    plain, sealed = await _send(before, None), await _send(after, FILE)
    # An edit replaced its file while it played.
    replaced = json.dumps(
        {"mxc": "mxc://example.org/x", "encrypted_file": {"key": "6b" * 32, "iv": "69" * 16, "sha256": "68" * 32}}
    )
    await pool.execute("UPDATE videos SET replaced = $1::text::jsonb WHERE event_id = $2", replaced, sealed)
    query = "SELECT event_id, encrypted_file::text AS file, replaced::text AS replaced FROM videos"
    stored = {row["event_id"]: row for row in await pool.fetch(query)}
    assert await AttachmentKeyStore(pool).seal_all(keyring.seal_file) == 6
    assert await AttachmentKeyStore(pool).seal_all(keyring.seal_file) == 0
    now = {row["event_id"]: row for row in await pool.fetch(query)}
    assert FILE.key.hex() not in str(now)
    assert [stored[event]["file"] == now[event]["file"] for event in (plain, sealed)] == [True, True]
    videos = {video.event_id: video for video in await after.videos.room_videos(ROOM)}
    for event_id in (*unsealed, sealed):
        file = videos[event_id].file.encrypted_file
        assert file
        assert keyring.open_file(file) == FILE
    of_before = json.loads(now[sealed]["replaced"])
    assert keyring.open(bytes.fromhex(of_before["encrypted_file"]["key"]), "attachment") == FILE.key
    assert of_before["mxc"] == "mxc://example.org/x"
