"""Webhooks: which events one takes, when a delivery is tried again, when a receiver is given up. Pure.

pending ──2xx──► delivered
   │  ▲
   └──┘ anything else: again after the next pause, the demand's later events wait behind it
   ├────► failed        after the last pause; they go on, and a replay may send it once more
   └────► superseded    another attempt of the engine replaced the event before it was sent (decision 0006)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.actors import Grant
from domain.needs import Need
from domain.outgoing import wanted
from domain.roles import ROLES


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Policy:
    """How patient the product is with a receiver.

    `pauses`: between one try and the next, about a day in all; each is lengthened by up to `jitter` of itself.
    `slots`: deliveries under way to one receiver; one only while its last `suspect_after` tries failed.
    A receiver that took nothing for `disable_after`, and failed `disable_failures` times, is disabled.
    """

    pauses: tuple[timedelta, ...] = (
        timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1),
        timedelta(hours=3), timedelta(hours=8), timedelta(hours=12),
    )  # fmt: skip
    jitter: float = 0.2
    timeout: timedelta = timedelta(seconds=15)
    lease: timedelta = timedelta(seconds=60)
    slots: int = 4
    suspect_after: int = 5
    longest_wait: timedelta = timedelta(hours=1)
    disable_after: timedelta = timedelta(hours=24)
    disable_failures: int = 5
    kept: timedelta = timedelta(days=30)

    def next_pause(self, tries: int, draw: float) -> timedelta | None:
        """After `tries` failed ones; None when it is given up. `draw` is between 0 and 1."""
        return self.pauses[tries - 1] * (1 + self.jitter * draw) if tries <= len(self.pauses) else None

    def gives_up(self, failing_since: datetime, failures: int, now: datetime) -> bool:
        return failures >= self.disable_failures and now - failing_since >= self.disable_after

    def slots_for(self, failures: int) -> int:
        return 1 if failures >= self.suspect_after else self.slots


DEFAULT = Policy()


@dataclass(frozen=True)
class Choice:
    """The events that a webhook asks for; an empty tuple asks for all. A category stands for its whole branch."""

    types: tuple[str, ...] = ()
    communities: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    def takes(self, type: str, community: str | None, category: str) -> bool:
        return (
            wanted(self.types, type)
            and (not self.communities or community in self.communities)
            and (not self.categories or any(category.startswith(one) for one in self.categories))
        )


@dataclass(frozen=True)
class Reach:
    """The demands that a webhook's owner may hear of: of these communities; None for the whole subdistrict."""

    communities: frozenset[str] | None

    def covers(self, community: str | None) -> bool:
        return self.communities is None or community in self.communities


def reach_of(grants: Iterable[Grant]) -> Reach:
    """What these grants let somebody hear by webhook; nothing without a role that manages them."""
    of_managers = [g for g in grants if g.role in ROLES[Need.MANAGE_WEBHOOKS] and g.unit is None and g.grid is None]
    if any(g.community is None for g in of_managers):
        return Reach(None)
    return Reach(frozenset(g.community for g in of_managers if g.community is not None))
