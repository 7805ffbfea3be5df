"""What every gateway for messages is: it takes one message and says what became of it, never anything else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.delivery import Outcome


@dataclass(frozen=True)
class Message:
    """One message for one recipient. `id` is the same at every attempt, so that a repetition can be told as one."""

    id: str
    address: str = field(repr=False)
    subject: str = field(repr=False)
    body: str = field(repr=False)
    language: str = "zh"
    at: datetime | None = None


class Gateway(Protocol):
    @property
    def at_once(self) -> int:
        """How many messages it sends at the same time."""

    async def send(self, message: Message) -> Outcome:
        """Never raises for what a server or a network does, and comes back within a minute."""

    async def close(self) -> None:
        """Let go of connections and threads."""
