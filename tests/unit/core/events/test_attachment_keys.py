"""The keys of attachments in each kind of change."""

from dataclasses import replace

import pytest

from appservice.core.events.attachment_keys import with_files
from appservice.core.events.behalf import SentKind
from appservice.core.events.changes import Change, NewGallery, NewVideo, RoomEncrypted, SentByBot, VideoEdited
from appservice.core.model import EncryptedFile, EventId, RoomId, UserId

ROOM, EVENT, ALICE = RoomId("!room:example.org"), EventId("$event"), UserId("@alice:example.org")
FILE = EncryptedFile(key=b"k" * 32, iv=b"i" * 16, sha256=b"h" * 32)


def _video(file: EncryptedFile | None, item: int = 0) -> NewVideo:
    return NewVideo(
        event_id=EVENT, room_id=ROOM, sender=ALICE, title="", mxc="mxc://example.org/a", encrypted_file=file,
        claimed_size=None, certain=True, sent_at=1, item=item,
    )  # fmt: skip


def _sealed(file: EncryptedFile) -> EncryptedFile:
    return replace(file, key=b"sealed", sealed=True)


CLEAR, SEALED, PLAIN = _video(FILE), _video(_sealed(FILE)), _video(None, 1)


@pytest.mark.parametrize(
    ("change", "converted"),
    [
        (CLEAR, SEALED),
        (PLAIN, PLAIN),
        (NewGallery(EVENT, ROOM, ALICE, (CLEAR, PLAIN)), NewGallery(EVENT, ROOM, ALICE, (SEALED, PLAIN))),
        (VideoEdited(ROOM, EVENT, CLEAR, (CLEAR,)), VideoEdited(ROOM, EVENT, SEALED, (SEALED,))),
        (SentByBot(ROOM, EVENT, "n", SentKind.VIDEO, CLEAR), SentByBot(ROOM, EVENT, "n", SentKind.VIDEO, SEALED)),
        (SentByBot(ROOM, EVENT, "n", SentKind.COMMENT), SentByBot(ROOM, EVENT, "n", SentKind.COMMENT)),
        (RoomEncrypted(ROOM), RoomEncrypted(ROOM)),
    ],
)
def test_each_key_is_converted_and_nothing_else(change: Change, converted: Change) -> None:
    assert with_files(change, _sealed) == converted
