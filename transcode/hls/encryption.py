"""Encrypt the files of a stage under its key: segments as HLS AES-128, all others by AES-CTR. Pure.

Media and initialization segments are what players decrypt (RFC 8216, 4.3.2.4): AES-128-CBC with PKCS7 padding and an
initialization vector that depends on the file alone (`segment_iv`), for its sequence number differs between reels.
Images, captions and previews are decrypted by who serves them: AES-128-CTR under a key derived from the stage's, after
a random initialization vector, so that any part can be read alone.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # six megabytes, for installations that encrypt alone
    from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
    from cryptography.hazmat.primitives.ciphers.modes import CBC

KEY_BYTES = 16
BLOCK = 16
"""Bytes of a block, of an initialization vector, and the most by which padding lengthens a segment."""
KEY = "key"
"""Name of the key in a stage's folder, which is served and never a file."""

_FILES = b"files"
_COUNTERS = 1 << 8 * BLOCK


class SegmentEncryptor:
    """Encrypts a media segment of a rendition, or its initialization segment (no `index`)."""

    def __init__(self, key: bytes, rendition: str, index: int | None) -> None:
        self._cipher: CipherContext = _cbc(key, segment_iv(rendition, index)).encryptor()
        self._size = 0

    def update(self, data: bytes, /) -> bytes:
        """Return the next of the ciphertext, in whole blocks."""
        self._size += len(data)
        return self._cipher.update(data)

    def finalize(self) -> bytes:
        """Return the last block, padded (PKCS7)."""
        padding = BLOCK - self._size % BLOCK
        return self._cipher.update(bytes([padding]) * padding) + self._cipher.finalize()


class FileEncryptor:
    """Encrypts a file that is no segment; `iv` is random, and is written before the ciphertext."""

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._before = iv
        self._cipher = file_cipher(key, iv)

    def update(self, data: bytes, /) -> bytes:
        """Return the next of what is written."""
        before, self._before = self._before, b""
        return before + self._cipher.update(data)

    def finalize(self) -> bytes:
        """Return the last of it."""
        return self.update(b"")


def segment_iv(rendition: str, index: int | None) -> bytes:
    """Return the initialization vector of a media segment, or of a rendition's initialization segment (no `index`).

    The rendition's number is the upper half, and `index` + 1, or 0, the lower one.
    """
    number = 0 if index is None else index + 1
    return int(rendition).to_bytes(BLOCK // 2, "big") + number.to_bytes(BLOCK // 2, "big")


def segment_encryptor(key: bytes | None, rendition: str, index: int | None) -> SegmentEncryptor | None:
    """Return what encrypts a segment; None without a key."""
    return SegmentEncryptor(key, rendition, index) if key else None


def segment_decryptor(key: bytes, iv: bytes) -> "CipherContext":
    """Return what decrypts a segment, padding included, from a block on; `iv`: the block before it, or its own."""
    decryptor: CipherContext = _cbc(key, iv).decryptor()
    return decryptor


def file_cipher(key: bytes, iv: bytes, position: int = 0) -> "CipherContext":
    """Return what encrypts, or decrypts, a file that is no segment from byte `position` of its content on."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES128
    from cryptography.hazmat.primitives.ciphers.modes import CTR

    counter = (int.from_bytes(iv, "big") + position // BLOCK) % _COUNTERS
    cipher: CipherContext = Cipher(AES128(_files_key(key)), CTR(counter.to_bytes(BLOCK, "big"))).encryptor()
    cipher.update(bytes(position % BLOCK))
    return cipher


def _cbc(key: bytes, iv: bytes) -> "Cipher[CBC]":
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES128
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    return Cipher(AES128(key), CBC(iv))


def _files_key(key: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=_FILES).derive(key)
