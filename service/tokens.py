"""Development tokens: who acts, said by a signed name, until real sessions and API keys exist.

    dev_<person id>_<26 characters of base32 HMAC-SHA256>

They neither expire nor can be revoked one by one, so they are valid only where `LINLI_DEV_TOKEN_SECRET` is set.
"""

from __future__ import annotations

import base64
import hmac
import re

_PURPOSE = "linli development token\n"
_MAC_CHARS = 26  # 130 bits
_TOKEN = re.compile(r"dev_([A-Za-z0-9._:-]{1,64})_([a-z2-7]{26})")


def mint(secret: str, person_id: str) -> str:
    """The token of one person; the same secret and person always give the same token."""
    token = f"dev_{person_id}_{_mac(secret, person_id)}"
    if not _TOKEN.fullmatch(token):
        raise ValueError("a person id has 1 to 64 letters, digits and . _ : -")
    return token


def person_of(secret: str, token: str) -> str | None:
    """The person a token speaks for, or None; the comparison takes the same time wherever the two differ."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    person_id, given = match.groups()
    return person_id if hmac.compare_digest(_mac(secret, person_id), given) else None


def _mac(secret: str, person_id: str) -> str:
    digest = hmac.digest(secret.encode(), (_PURPOSE + person_id).encode(), "sha256")
    return base64.b32encode(digest)[:_MAC_CHARS].decode().lower()
