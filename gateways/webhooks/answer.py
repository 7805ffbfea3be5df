"""What came of one request to a receiver."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

GONE = 410


@dataclass(frozen=True)
class Answer:
    """What came of a try: the status, or a code for why there is none. `wait` is what Retry-After asked for."""

    status: int | None
    error: str | None
    ms: int
    wait: timedelta | None = None

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class Fetched:
    """An answer that was read: its status and body, or a code for why there is none that counts."""

    status: int | None
    error: str | None
    body: bytes = b""
    wait: timedelta | None = None
