"""What hostile senders name does not stay in memory for ever."""

from mautrix.types import EncryptionAlgorithm, EventType, RoomKeyWithheldCode

from appservice.encryption.enums import trim_enums


def test_values_that_senders_made_up_are_dropped_and_named_ones_stay() -> None:
    for number in range(5000):
        EncryptionAlgorithm(f"made up {number}")
    RoomKeyWithheldCode("one made up")
    named = EncryptionAlgorithm.MEGOLM_V1
    trim_enums()
    values = EncryptionAlgorithm._by_value  # noqa: SLF001
    assert len(values) == len(EncryptionAlgorithm._by_key)  # noqa: SLF001
    assert EncryptionAlgorithm("m.megolm.v1.aes-sha2") is named
    assert "one made up" in RoomKeyWithheldCode  # few are no harm


def test_types_of_events_that_senders_made_up_are_dropped_and_ours_stay() -> None:
    ours = EventType.find("org.example.ours", EventType.Class.TO_DEVICE)
    for number in range(5000):
        EventType.find(f"made.up.{number}")
    trim_enums()
    assert len(EventType._by_event_type) < 1000  # noqa: SLF001
    assert EventType.find("org.example.ours") is ours
    assert EventType.find("m.room.message") is EventType.ROOM_MESSAGE
