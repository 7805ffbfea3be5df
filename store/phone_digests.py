"""Digests of phone numbers: the same number gives the same digest, and without the key no number can be tried against it.

Each data key has a key of its own for this, derived by HKDF-SHA256; the first of the ring makes digests, all are looked
up, so that a number is found before, during and after a rotation.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.masking import digits_of

_PURPOSE = b"linli reporter phone index 1"
_CHARS = 32  # 128 bits


class PhoneDigests:
    """`key_id` names the key that makes digests."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {name: _derived(key) for name, key in keys.items()}
        self.key_id = next(iter(keys))

    def of(self, phone: str) -> str | None:
        """None for what has no digits."""
        return self._made(self.key_id, phone)

    def all(self, phone: str) -> list[str]:
        """Under every key of the ring."""
        return [digest for name in self._keys if (digest := self._made(name, phone)) is not None]

    def _made(self, name: str, phone: str) -> str | None:
        digits = digits_of(phone)
        if not digits:
            return None
        return hmac.digest(self._keys[name], digits.encode(), hashlib.sha256).hex()[:_CHARS]


def _derived(key: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key)
