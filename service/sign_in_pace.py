"""How fast somebody may try to sign in: slower and slower, never locked out.

Two counters are asked for each try, both shared by all processes: that of the address, and that of the account. From an
address from which the account was opened lately, the account has a counter of its own there: whoever guesses from
elsewhere does not keep the person at the usual desk from signing in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import DomainError
from service.identity_marks import Marks
from store import sign_in_tries as tries
from store.pool import Pool
from store.sign_in_tries import Counter, Pace

# Whoever guesses without end comes down to one try in a quarter of an hour for an account, and one a minute from an
# address: a whole office may share one, and mistype all day.
OF_AN_ACCOUNT = Pace(free=5, longest=timedelta(minutes=15), forget_one=timedelta(minutes=15))
OF_AN_ADDRESS = Pace(free=30, longest=timedelta(minutes=15), forget_one=timedelta(minutes=1))
KNOWN_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Paced:
    """The counters of one try; where nobody is named yet, the address alone."""

    account: Counter | None
    address: Counter

    @property
    def both(self) -> list[Counter]:
        """Always in the same order, so that two transactions never wait for each other."""
        return sorted((one for one in (self.account, self.address) if one), key=lambda one: one.mark)


def paced(marks: Marks, name: str, address: str, *, known: bool) -> Paced:
    where = marks.address(address)
    of = marks.of("account there", f"{name}\n{where.hex()}") if known else marks.of("account", name)
    return Paced(Counter(of, OF_AN_ACCOUNT), Counter(where, OF_AN_ADDRESS))


def from_there(marks: Marks, address: str) -> Paced:
    return Paced(None, Counter(marks.address(address), OF_AN_ADDRESS))


WAIT = "Too many tries. Wait as Retry-After says, or have an administrator set a new password."


class _Blocked(Exception):
    """Undoes what the other counter has counted."""


async def enter(pool: Pool, asked: Paced, now: datetime, *, rule: str = WAIT) -> None:
    """Count a try. Raises DomainError `too_many_requests` with the seconds to wait, the same for every name."""
    both = asked.both
    try:
        async with pool.acquire() as connection, connection.transaction():
            for counter in both:
                if not await tries.count(connection, counter, now):
                    raise _Blocked
    except _Blocked:
        raise await _wait(pool, [one.mark for one in both], now, rule) from None


async def _wait(pool: Pool, marks: list[bytes], now: datetime, rule: str) -> DomainError:
    until = await tries.blocked_until(pool, marks, now)
    seconds = max(1, int((until - now).total_seconds()) + 1)
    return DomainError("too_many_requests", rule, retry_after_seconds=seconds)


async def succeeded(pool: Pool, asked: Paced, now: datetime) -> None:
    """The account's counter begins anew; that of the address only takes this try back, for whoever has one account
    could otherwise guess at all others."""
    async with pool.acquire() as connection, connection.transaction():
        for counter in asked.both:
            if counter is asked.account:
                await tries.clear(connection, counter.mark)
            else:
                await tries.give_back(connection, counter.mark, now)
