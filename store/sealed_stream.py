"""Sealing streams in pieces. From the key and the name of a stream comes a key that is used for this stream only.

The nonce of a piece is its place and whether it is the last one, so pieces can be neither left out, swapped, repeated nor
cut off at the end; the name of the stream is bound to each of them.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PIECE = 64 * 1024
TAG = 16


class Damaged(Exception):
    """The sealed stream was changed, cut off, or belongs to another name or key."""


def new_key() -> bytes:
    """32 bytes; never seal two streams of the same name with one key."""
    return os.urandom(32)


def _cipher(key: bytes, name: str) -> AESGCM:
    return AESGCM(hmac.digest(key, b"stream " + name.encode(), "sha256"))


def _nonce(place: int, last: bool) -> bytes:
    return place.to_bytes(11) + (b"\x01" if last else b"\x00")


def sealed(key: bytes, name: str, plain: Iterable[bytes]) -> Iterator[bytes]:
    """Sealed pieces of whatever `plain` yields; an empty stream is one empty piece."""
    cipher, place, bound = _cipher(key, name), 0, name.encode()
    before: bytes | None = None
    for piece in pieces(plain, PIECE):
        if before is not None:
            yield cipher.encrypt(_nonce(place, False), before, bound)
            place += 1
        before = piece
    yield cipher.encrypt(_nonce(place, True), before or b"", bound)


def opened(key: bytes, name: str, stored: Iterable[bytes]) -> Iterator[bytes]:
    """What was sealed. Raises Damaged at the first piece that is not as it was; what came before it is good."""
    cipher, place, bound = _cipher(key, name), 0, name.encode()
    before: bytes | None = None
    try:
        for piece in pieces(stored, PIECE + TAG):
            if before is not None:
                yield cipher.decrypt(_nonce(place, False), before, bound)
                place += 1
            before = piece
        yield cipher.decrypt(_nonce(place, True), before or b"", bound)
    except (InvalidTag, ValueError):  # ValueError: shorter than a tag
        raise Damaged(f"piece {place} of {name}") from None


def pieces(stream: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of exactly `size`, the last one shorter or as long; nothing for an empty stream."""
    kept = bytearray()
    for chunk in stream:
        kept += chunk
        while len(kept) >= size:
            yield bytes(kept[:size])
            del kept[:size]
    if kept:
        yield bytes(kept)
