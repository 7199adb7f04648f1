"""What is encrypted, in pieces of any size, decrypts by other means to what it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.video.decrypted import decrypted_file, decrypted_segment
from transcode.hls.encryption import FileEncryptor, SegmentEncryptor, file_cipher, segment_encryptor, segment_iv

KEY, IV = bytes(range(16)), b"\xff" * 15 + b"\xfe"
PIECES = st.lists(st.binary(max_size=70), max_size=6)


def test_no_two_files_of_a_stage_have_one_initialization_vector() -> None:
    ivs = [segment_iv(name, index) for name in ("240", "480", "720", "1080") for index in (None, 0, 1, 255, 256)]
    assert len(set(ivs)) == len(ivs)
    assert segment_iv("720", None).hex() == "00000000000002d00000000000000000"
    assert segment_iv("720", 0).hex() == "00000000000002d00000000000000001"
    assert segment_iv("1080", 999_999).hex() == "000000000000043800000000000f4240"


@given(PIECES)
def test_a_segment(pieces: list[bytes]) -> None:
    encryptor = SegmentEncryptor(KEY, "480", 7)
    ciphertext = b"".join(map(encryptor.update, pieces)) + encryptor.finalize()
    plain = b"".join(pieces)
    assert decrypted_segment(ciphertext, KEY, segment_iv("480", 7)) == plain
    assert 1 <= len(ciphertext) - len(plain) <= 16


@given(PIECES)
def test_another_file(pieces: list[bytes]) -> None:
    encryptor = FileEncryptor(KEY, IV)
    content = b"".join(map(encryptor.update, pieces)) + encryptor.finalize()
    assert content[:16] == IV
    assert decrypted_file(content, KEY) == b"".join(pieces)


@pytest.mark.parametrize("position", [0, 1, 15, 16, 17, 31, 32, 99])
def test_a_file_is_read_from_anywhere(position: int) -> None:
    # The counter of the third block is 0 again.
    plain = bytes(range(100))
    encryptor = FileEncryptor(KEY, IV)
    ciphertext = (encryptor.update(plain) + encryptor.finalize())[16:]
    assert file_cipher(KEY, IV, position).update(ciphertext[position:]) == plain[position:]


def test_without_a_key_nothing_is_encrypted() -> None:
    assert segment_encryptor(None, "480", 0) is None
