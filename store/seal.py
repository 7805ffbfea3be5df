"""Sealing: AES-GCM with named keys. The first key seals, every key opens; the number of the demand is bound to the text."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class UnknownKey(Exception):
    """A sealed value names a key that is not configured, or was changed after sealing."""


class Sealer:
    def __init__(self, keys: dict[str, bytes]) -> None:
        """`keys` maps a key's id to its 32 bytes; the first one seals."""
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self._current = next(iter(keys))

    def seal(self, text: str, bound_to: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keys[self._current].encrypt(nonce, text.encode(), bound_to.encode())
        return self._current.encode() + b":" + nonce + sealed

    def open(self, sealed: bytes, bound_to: str) -> str:
        """Raises UnknownKey when no configured key opens it."""
        name, _, rest = sealed.partition(b":")
        key = self._keys.get(name.decode(errors="replace"))
        if key is None:
            raise UnknownKey(f"no data key named {name[:16]!r}; add it to LINLI_DATA_KEYS")
        try:
            return key.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], bound_to.encode()).decode()
        except (InvalidTag, ValueError):  # ValueError: too short to be anything
            raise UnknownKey("the sealed text was changed, or belongs to another demand") from None
