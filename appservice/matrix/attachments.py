"""Encrypts and decrypts attachments as streams (client-server API, "Sending encrypted attachments")."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from appservice.core.errors import MediaError
from appservice.core.model import EncryptedFile

if TYPE_CHECKING:  # six megabytes, for installations that encrypt alone
    from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
    from cryptography.hazmat.primitives.ciphers.modes import CTR

_CHUNK = 256 * 1024
_KEY_BYTES = 32
_RANDOM_IV_BYTES = 8  # the other half counts the blocks


class Clear:
    """The bytes of a file that is not encrypted."""

    def update(self, chunk: bytes) -> bytes:
        """Return the bytes as they are."""
        return chunk

    def verify(self) -> None:
        """Do nothing: no hash is known."""


class Decryption:
    """AES-256-CTR with the SHA-256 of what came in."""

    def __init__(self, file: EncryptedFile) -> None:
        self._context: CipherContext = _cipher(file.key, file.iv).decryptor()
        self._digest = hashlib.sha256()
        self._expected = file.sha256

    def update(self, chunk: bytes) -> bytes:
        """Decrypt the next bytes, which must not be used before `verify`."""
        self._digest.update(chunk)
        return self._context.update(chunk)

    def verify(self) -> None:
        """Raise MediaError (`hash-mismatch`, final) unless all bytes were those that the sender encrypted."""
        if self._digest.digest() != self._expected:
            raise MediaError("hash-mismatch", "The file is not the one whose hash the event names.", final=True)


async def write_verified(chunks: AsyncIterator[bytes], target: Path, file: EncryptedFile | None) -> bytes:
    """Write a file, decrypted, and return the SHA-256 of what is written; `target` is there once its hash is right.

    Memory is that of one chunk. Raises MediaError (`hash-mismatch`, final); after an error nothing is left.
    """
    decryption = Decryption(file) if file else Clear()
    digest = hashlib.sha256()
    partial = target.with_name(f"{target.name}.part")

    def consume(chunk: bytes) -> None:
        plain = decryption.update(chunk)
        digest.update(plain)
        output.write(plain)

    try:
        output = await asyncio.to_thread(partial.open, "wb")
        try:
            async for chunk in chunks:
                await asyncio.to_thread(consume, chunk)
        finally:
            await asyncio.to_thread(output.close)
        decryption.verify()
        await asyncio.to_thread(partial.replace, target)
    except BaseException:
        await asyncio.to_thread(partial.unlink, missing_ok=True)
        raise
    return digest.digest()


async def read_verified(chunks: AsyncIterator[bytes], file: EncryptedFile) -> bytes:
    """Return a file, decrypted, once its hash is right. Raises MediaError (`hash-mismatch`, final)."""
    decryption, plain = Decryption(file), bytearray()
    async for chunk in chunks:
        plain += await asyncio.to_thread(decryption.update, chunk)
    decryption.verify()
    return bytes(plain)


async def encrypt_file(source: Path, target: Path) -> EncryptedFile:
    """Write `source` to `target` under a new key, and return what decrypts it. After an error nothing is left."""
    try:
        return await asyncio.to_thread(_encrypt, source, target)
    except BaseException:
        await asyncio.to_thread(target.unlink, missing_ok=True)
        raise


def _encrypt(source: Path, target: Path) -> EncryptedFile:
    key, iv = os.urandom(_KEY_BYTES), os.urandom(_RANDOM_IV_BYTES) + bytes(16 - _RANDOM_IV_BYTES)
    context = _cipher(key, iv).encryptor()
    digest = hashlib.sha256()
    with source.open("rb") as plain, target.open("wb") as output:
        while chunk := plain.read(_CHUNK):
            encrypted = context.update(chunk)
            digest.update(encrypted)
            output.write(encrypted)
    return EncryptedFile(key=key, iv=iv, sha256=digest.digest())


def _cipher(key: bytes, iv: bytes) -> "Cipher[CTR]":
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    return Cipher(algorithms.AES(key), modes.CTR(iv))
