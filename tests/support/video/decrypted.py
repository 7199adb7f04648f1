"""Decrypts the files of an encrypted stage, by nothing but the standards' words and `cryptography`."""

import re
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7

# What each kind of file has in it, in so many bytes that ciphertext never has the same.
_CLEAR = re.compile(
    rb"\0\0\0.ftyp|moov\0\0\0.mvhd|moof\0\0\0.mfhd|\xff\xd8\xff\xe0\0\x10JFIF|WEBVTT\n|data\.json", re.DOTALL
)


def decrypted_segment(ciphertext: bytes, key: bytes, iv: bytes) -> bytes:
    """Decrypt a segment (RFC 8216, 4.3.2.4: AES-128-CBC with PKCS7 padding)."""
    cipher = Cipher(AES128(key), CBC(iv)).decryptor()
    padding = PKCS7(128).unpadder()
    padded = cipher.update(ciphertext) + cipher.finalize()
    return padding.update(padded) + padding.finalize()


def decrypted_file(content: bytes, key: bytes) -> bytes:
    """Decrypt an image, captions or a preview."""
    derived = HKDF(algorithm=SHA256(), length=16, salt=None, info=b"files").derive(key)
    cipher = Cipher(AES128(derived), CTR(content[:16])).decryptor()
    return cipher.update(content[16:]) + cipher.finalize()


def decrypted_stage(folder: Path, key: bytes) -> dict[str, bytes]:
    """Decrypt every file of a stage, by its name."""
    return {
        str(path.relative_to(folder)): _decrypted(path, folder, key)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def plain_stage(folder: Path) -> dict[str, bytes]:
    """Read every file of a stage, by its name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def in_the_clear(folder: Path) -> list[Path]:
    """Return the files below a folder that have media, captions or an export anywhere in them."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and _CLEAR.search(path.read_bytes())]


def _decrypted(path: Path, folder: Path, key: bytes) -> bytes:
    content = path.read_bytes()
    if path.parent == folder:
        return decrypted_file(content, key)
    number = 0 if path.name == "init.mp4" else int(path.stem) + 1
    iv = int(path.parent.name).to_bytes(8, "big") + number.to_bytes(8, "big")
    return decrypted_segment(content, key, iv)
