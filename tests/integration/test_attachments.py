"""Attachments as streams: what the SDKs encrypt, what was changed on the way, and how much memory it takes."""

import base64
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appservice.core.errors import MediaError
from appservice.core.events.encrypted_files import encrypted_file_content, read_encrypted_file
from appservice.matrix.attachments import encrypt_file, write_verified
from tests.support.rust_crypto import RustCryptoError, rust_device

Json = dict[str, Any]

# matrix-encrypt-attachment (db198e4), test/decrypt.Spec.js, those of protocol v2: ciphertext, description, plaintext.
_ONES = "__________________________________________8"
_VECTORS = [
    ("", "AAAAAAAAAAAAAAAAAAAAAA", "A" * 43, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", ""),
    (
        "5xJZTt5cQicm+9f4", "//////////8AAAAAAAAAAA", _ONES,
        "YzF08lARDdOCzJpzuSwsjTNlQc4pHxpdHcXiD/wpK6k", "SGVsbG8sIFdvcmxk",
    ),
    (
        "zhtFStAeFx0s+9L/sSQO+WQMtldqYEHqTxMduJrCIpnkyer09kxJJuA4K+adQE4w+7jZe/vR9kIcqj9rOhDR8Q",
        "//////////8AAAAAAAAAAA", _ONES, "IOq7/dHHB+mfHfxlRY5XMeCWEwTPmlf4cJcgrkf6fVU",
        "YWxwaGFudW1lcmljYWxseWFscGhhbnVtZXJpY2FsbHlhbHBoYW51bWVyaWNhbGx5YWxwaGFudW1lcmljYWxseQ",
    ),
]  # fmt: skip


def _description(key: str, iv: str, sha256: str) -> Json:
    jwk = {"kty": "oct", "key_ops": ["encrypt", "decrypt"], "k": key, "alg": "A256CTR"}
    return {"v": "v2", "iv": iv, "key": jwk, "hashes": {"sha256": sha256}}


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


async def _chunks(data: bytes, size: int) -> AsyncIterator[bytes]:
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]


@pytest.mark.parametrize("size", [1, 7, 16, 100])
@pytest.mark.parametrize(("ciphertext", "iv", "key", "sha256", "plaintext"), _VECTORS)
async def test_what_the_sdks_encrypted(
    tmp_path: Path, ciphertext: str, iv: str, key: str, sha256: str, plaintext: str, size: int
) -> None:
    file = read_encrypted_file(_description(key, iv, sha256))
    await write_verified(_chunks(_decoded(ciphertext), size), tmp_path / "f", file)
    assert (tmp_path / "f").read_bytes() == _decoded(plaintext)


async def test_elements_crypto_decrypts_ours_and_we_its(tmp_path: Path) -> None:
    body = bytes(range(256)) * 3000 + b"end"
    source, sealed, opened = tmp_path / "source", tmp_path / "sealed", tmp_path / "opened"
    source.write_bytes(body)
    content = encrypted_file_content(await encrypt_file(source, sealed), "mxc://test.local/a")
    async with rust_device("@alice:test.local", "ALICE") as alice:
        in_base64 = base64.b64encode(sealed.read_bytes()).decode()
        assert base64.b64decode(await alice.call("decrypt_attachment", in_base64, content)) == body
        changed = base64.b64encode(sealed.read_bytes() + b"!").decode()
        with pytest.raises(RustCryptoError):
            await alice.call("decrypt_attachment", changed, content)
        theirs = await alice.call("encrypt_attachment", base64.b64encode(body).decode())
    file = read_encrypted_file(theirs["file"])
    await write_verified(_chunks(base64.b64decode(theirs["data"]), 1000), opened, file)
    assert opened.read_bytes() == body


async def test_each_file_has_a_key_and_an_iv_of_its_own_with_room_to_count(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"the same")
    one, two = await encrypt_file(source, tmp_path / "1"), await encrypt_file(source, tmp_path / "2")
    assert len({one.key, two.key, one.iv, two.iv}) == 4
    assert one.iv[8:] == two.iv[8:] == bytes(8)
    assert (tmp_path / "1").read_bytes() != (tmp_path / "2").read_bytes()


@pytest.mark.parametrize("tamper", ["first", "last", "shorter", "longer", "hash", "nothing"])
async def test_nobody_sees_a_byte_before_the_hash_is_right(tmp_path: Path, tamper: str) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"m" * 50_000)
    file = await encrypt_file(source, tmp_path / "sealed")
    sealed = bytearray((tmp_path / "sealed").read_bytes())
    description = encrypted_file_content(file, "mxc://test.local/a")
    match tamper:
        case "first" | "last":
            sealed[0 if tamper == "first" else -1] ^= 1
        case "shorter":
            del sealed[-1]
        case "longer":
            sealed += b"\0"
        case "hash":
            description["hashes"] = {"sha256": base64.b64encode(bytes(32)).decode()}

    async def watched() -> AsyncIterator[bytes]:
        async for chunk in _chunks(bytes(sealed), 10_000):
            assert not target.exists()
            yield chunk
        assert not target.exists()

    (tmp_path / "sealed").unlink()
    if tamper == "nothing":
        await write_verified(watched(), target, read_encrypted_file(description))
        assert target.read_bytes() == source.read_bytes()
    else:
        with pytest.raises(MediaError) as caught:
            await write_verified(watched(), target, read_encrypted_file(description))
        assert (caught.value.code, caught.value.final) == ("hash-mismatch", True)
        assert list(tmp_path.iterdir()) == [source]


async def test_another_key_or_iv_is_not_found_out_by_the_hash_and_gives_nothing_readable(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"m" * 5_000)
    description = encrypted_file_content(await encrypt_file(source, tmp_path / "sealed"), "mxc://test.local/a")
    sealed = (tmp_path / "sealed").read_bytes()
    for changed in (
        description | {"iv": base64.b64encode(bytes(16)).decode()},
        description | {"key": _description("A" * 43, "", "")["key"]},
    ):
        await write_verified(_chunks(sealed, 1000), target, read_encrypted_file(changed))
        assert b"mmmm" not in target.read_bytes()


async def test_an_interrupted_stream_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"m" * 5_000)
    file = await encrypt_file(source, tmp_path / "sealed")

    async def broken() -> AsyncIterator[bytes]:
        yield (tmp_path / "sealed").read_bytes()
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await write_verified(broken(), tmp_path / "target", file)
    with pytest.raises(FileNotFoundError):
        await encrypt_file(tmp_path / "missing", tmp_path / "target")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sealed", "source"]


_MEASURED = """
import asyncio, sys
from pathlib import Path
import psutil
from appservice.matrix.attachments import encrypt_file, write_verified

async def chunks(path):
    with path.open("rb") as file:
        while chunk := file.read(262144):
            yield chunk

async def main(folder):
    source, sealed, opened = folder / "source", folder / "sealed", folder / "opened"
    for size in (2**20, 200 * 2**20):  # the first one loads what is needed
        with source.open("wb") as file:
            file.truncate(size)
        peak = lambda: int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024
        before = psutil.Process().memory_info().rss
        file = await encrypt_file(source, sealed)
        await write_verified(chunks(sealed), opened, file)
        assert opened.stat().st_size == size
    print(peak() - before)

asyncio.run(main(Path(sys.argv[1])))
"""


def test_200_mb_take_little_memory(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < 64 * 2**20
