"""Signatures as Standard Webhooks has them: HMAC-SHA256 over `id.timestamp.body`, one for each valid secret.

Written out here, it is ten lines; the `standardwebhooks` package verifies them in the tests.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(keys: Sequence[str], id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers; `keys` are secrets as `new_secret` makes them, the newest first."""
    signed = b"%s.%d.%s" % (id.encode(), timestamp, body)
    made = (hmac.digest(base64.b64decode(key.removeprefix(PREFIX)), signed, "sha256") for key in keys)
    signatures = " ".join(f"v1,{base64.b64encode(one).decode()}" for one in made)
    return {"webhook-id": id, "webhook-timestamp": str(timestamp), "webhook-signature": signatures}
