"""Fingerprints of texts: 256 bits that are near each other for similar texts and tell nothing to who has not the key.

Each fragment of a text is turned by a keyed hash into 256 votes, for or against; the sum of all votes, weighed, gives
the bits (a similarity hash after Charikar, over an HMAC). Who reads the table sees how alike two texts are, and nothing
else: without the key no word can be tried against it. With the key it could be; but that key opens the texts themselves.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from math import acos, pi

from asyncpg import BitString

BITS = 256
SCHEME = "1"
_PURPOSE = b"linli demand likeness " + SCHEME.encode()
_LANE_BYTES = 2  # 4,000 fragments of the highest weight are 32,000, which half of a lane holds
_ONE_EACH = sum(1 << 16 * lane for lane in range(BITS))
_AS_DIGIT = b"0" * 128 + b"1" * 128
_LANES = tuple(
    b"".join((byte >> bit & 1).to_bytes(_LANE_BYTES, "big") for bit in range(7, -1, -1)) for byte in range(256)
)  # fmt: skip


class Fingerprints:
    """Made with a key of its own, derived from the first of the ring; `made_with` names it and the way of making."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        name, key = next(iter(keys.items()))
        self.made_with = f"{name}.{SCHEME}"
        self._key = hmac.digest(key, _PURPOSE, hashlib.sha256)
        self._votes = lru_cache(maxsize=20_000)(self._votes_of)

    def of(self, weights: Mapping[str, int]) -> BitString:
        """The fingerprint of a text with these fragments; all zeros where there are none."""
        by_weight: defaultdict[int, int] = defaultdict(int)
        for fragment, weight in weights.items():
            by_weight[weight] += self._votes(fragment)
        votes = sum(weight * sum_of_ones for weight, sum_of_ones in by_weight.items())
        # Lifted so that the highest bit of a lane is set where more than half of all weight is for it.
        half = (1 << 15) - 1 - sum(weights.values()) // 2
        highest = (votes + half * _ONE_EACH).to_bytes(BITS * _LANE_BYTES, "big")[::_LANE_BYTES]
        return BitString.from_int(int(highest.translate(_AS_DIGIT), 2), BITS)

    def _votes_of(self, fragment: str) -> int:
        """256 lanes of 16 bits with a 0 or a 1 in each, as one number: adding it adds to every lane."""
        digest = hmac.digest(self._key, fragment.encode(), hashlib.sha256)
        return int.from_bytes(b"".join(_LANES[byte] for byte in digest), "big")


def most_apart(cosine: float) -> int:
    """How many bits two texts with that cosine differ in, on average; those that are more alike differ in fewer."""
    return round(BITS * acos(cosine) / pi)
