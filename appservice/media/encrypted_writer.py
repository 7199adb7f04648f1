"""A file that is encrypted while it is written: nothing of it is ever on disk in the clear."""

import os
from typing import BinaryIO

from transcode.hls.encryption import BLOCK, file_cipher


class EncryptedWriter:
    """Writes to an empty file as to one that is not encrypted; `stored.decrypted_file` reads it.

    What is written twice, as the headers in a zip are, is encrypted by the same part of the key stream: nobody may see
    the file before it is complete.
    """

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        self._file, self._key, self._iv = file, key, os.urandom(BLOCK)
        self._file.write(self._iv)
        self._position = 0
        self._cipher = file_cipher(key, self._iv)

    def write(self, data: bytes, /) -> int:
        """Write bytes at the present position."""
        self._position += len(data)
        return self._file.write(self._cipher.update(data))

    def tell(self) -> int:
        """Return the present position."""
        return self._position

    def seek(self, position: int, /) -> int:
        """Go to a position from the start."""
        if position != self._position:
            self._file.seek(BLOCK + position)
            self._cipher = file_cipher(self._key, self._iv, position)
            self._position = position
        return position

    def flush(self) -> None:
        """Pass on what is buffered."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
