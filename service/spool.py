"""A body on its way in: never on a disk as it is. It waits in pieces sealed with a key that only this process holds, in a
temporary file without a name, so whatever ends the process leaves nothing of it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator

from store.sealed_stream import PIECE, TAG, new_key, opened, sealed

_IN_MEMORY = 1024 * 1024


class Spool:
    """Write it, then `read` it as often as needed, then `close` it."""

    def __init__(self) -> None:
        self._key = new_key()
        self._waiting = bytearray()
        self._kept = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  (`close` closes it)
        self._pieces = 0
        self._digest = hashlib.sha256()
        self.size = 0
        self.head = b""

    def write(self, data: bytes) -> None:
        self._digest.update(data)
        if len(self.head) < PIECE:
            self.head = (self.head + data)[:PIECE]
        self.size += len(data)
        self._waiting += data
        while len(self._waiting) >= PIECE:
            self._keep(bytes(self._waiting[:PIECE]))
            del self._waiting[:PIECE]

    def _keep(self, piece: bytes) -> None:
        for one in sealed(self._key, f"spool {self._pieces}", [piece]):
            self._kept.write(one)
        self._pieces += 1

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """All of it, from the start, in pieces."""
        self._kept.seek(0)
        for place in range(self._pieces):
            yield from opened(self._key, f"spool {place}", [self._kept.read(PIECE + TAG)])
        if self._waiting:
            yield bytes(self._waiting)

    def whole(self) -> bytes:
        return b"".join(self.chunks())

    def close(self) -> None:
        self._kept.close()
        self._waiting.clear()
