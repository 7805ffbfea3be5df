"""Keyed digests for what identity must recognise again and shall not keep, and a seal for what a browser carries for us.

Everything is derived from the first of the data keys. When that changes, counters of tries begin anew and an OIDC sign-in
that is under way has to be begun again; sessions and API keys stay valid, because their hashes need no key.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class Marks:
    """Made from the key ring of the settings."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        first = next(iter(keys.values()))
        self._key = hmac.digest(first, b"linli identity marks", "sha256")
        self._seal = AESGCM(hmac.digest(first, b"linli identity seal", "sha256"))

    def of(self, kind: str, text: str) -> bytes:
        """The same for the same text and kind; 16 bytes that tell nothing without the key."""
        return hmac.digest(self._key, f"{kind}\n{text}".encode(errors="replace"), "sha256")[:16]

    def address(self, address: str) -> bytes:
        """Of an IPv6 address its /64 counts: everybody who has one has them all."""
        return self.of("address", network_of(address))

    def seal(self, plain: bytes, purpose: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._seal.encrypt(nonce, plain, purpose.encode())

    def unseal(self, sealed: bytes, purpose: str) -> bytes | None:
        """None for what was not sealed here for this purpose."""
        try:
            return self._seal.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
        except (InvalidTag, ValueError):
            return None


def network_of(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found.packed[:8] + bytes(8), 64)))
    return str(found)


def token_hash(token: str) -> bytes:
    """Of a token with 256 random bits a plain hash is enough: nobody can try them all."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
