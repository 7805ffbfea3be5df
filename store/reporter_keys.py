"""What a reporter without an account gets in by: codes and links, made from the data keys, so that neither is stored.

    code of (number, generation)           8 characters, to be read out on the telephone
    token of (notice, number, generation)  256 bits, in a link

Each data key has a key of its own for each of the two (HKDF-SHA256): the first of the ring makes them, all are known. The
generation of a demand goes up when its code is renewed; what was made before then fits no more.
"""

from __future__ import annotations

import base64
import hmac
import unicodedata
from collections.abc import Mapping

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ALPHABET = "34679ACDEFGHJKMNPQRTUVWXY"
"""Without what looks like something else: 0 O, 1 I L, 2 Z, 5 S, 8 B. Eight of them are 37 bits; tries are throttled."""
CODE_LENGTH = 8
TOKEN_LENGTH = 43
"""Of a token as it is written: 32 bytes in base64url without padding."""

_CODE, _LINK = b"linli reporter code 1", b"linli reporter link 1"


class ReporterKeys:
    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """Of the whole ring; the first one makes."""
        self._codes = [_derived(key, _CODE) for key in keys.values()]
        self._links = [_derived(key, _LINK) for key in keys.values()]

    def code(self, number: str, generation: int) -> str:
        """As it is told: ACDE-F347."""
        plain = _code(self._codes[0], number, generation)
        return f"{plain[:4]}-{plain[4:]}"

    def fits(self, said: str, number: str, generation: int) -> bool:
        """Whether that is the code, under any key of the ring. Takes the same time whatever was said."""
        given = _plain(said)
        found = [hmac.compare_digest(_code(key, number, generation).encode(), given) for key in self._codes]
        return any(found)

    def tokens(self, notice: int, number: str, generation: int) -> list[str]:
        """The token of the link in this notice under every key of the ring; the first one is for a new link."""
        about = f"{notice}\n{number}\n{generation}".encode()
        return [
            base64.urlsafe_b64encode(hmac.digest(key, about, "sha256")).rstrip(b"=").decode() for key in self._links
        ]


def _code(key: bytes, number: str, generation: int) -> str:
    left = int.from_bytes(hmac.digest(key, f"{number}\n{generation}".encode(errors="replace"), "sha256"))
    written = ""
    for _ in range(CODE_LENGTH):
        left, at = divmod(left, len(ALPHABET))
        written += ALPHABET[at]
    return written


def _plain(said: str) -> bytes:
    """As people type it: any case and width, with spaces and dashes."""
    folded = unicodedata.normalize("NFKC", said).upper()
    return "".join(ch for ch in folded if ch.isalnum()).encode(errors="replace")


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key)
