"""The door for reporters without an account: a link's token, or number and code, becomes the reporter of that one demand.

    link     ──> hash ──> row and demand ──> not renewed, not over ──────────────────┐
    session  ──> the same, and not expired ──────────────────────────────────────────┼──> Entered
    number + code ──> tries counted ──> code made anew from the number, compared ──> session

Reading never changes anything but the record of readings: what opens links to look at them spends nothing.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from domain.actors import Actor
from domain.demand import Demand
from domain.errors import DomainError
from domain.resident_door import OPENS, Deed, PassKind, is_over, reporter
from service import sign_in_pace as pace
from service.desk import Desk
from service.identity_marks import Marks, network_of, token_hash
from service.sign_in_pace import Paced
from store import links
from store.links import New
from store.reporter_keys import TOKEN_LENGTH
from store.sign_in_tries import Counter, Pace

OF_A_NUMBER = Pace(free=5, longest=timedelta(minutes=15), forget_one=timedelta(minutes=15))
OF_AN_ADDRESS = Pace(free=30, longest=timedelta(minutes=15), forget_one=timedelta(minutes=1))  # many may share one
OF_UNKNOWN_LINKS = Pace(free=20, longest=timedelta(minutes=15), forget_one=timedelta(minutes=1))
OF_DEEDS = Pace(free=30, longest=timedelta(minutes=1), forget_one=timedelta(minutes=1))

WAIT = "Too many tries. Wait as Retry-After says; the link of a message still opens."
OVER = "This link is over. Open the one of the latest message, or use number and code."
REFUSED = "Number and code do not fit."

_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}")
log = structlog.get_logger()


@dataclass(frozen=True)
class Entered:
    """Somebody who was let in as the reporter of `demand`, which is as it stood then."""

    kind: PassKind
    demand: Demand
    mark: bytes
    asked_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def number(self) -> str:
        return self.demand.number

    @property
    def actor(self) -> Actor:
        return reporter(self.demand.number)


@dataclass(frozen=True)
class Opened:
    """A new session; `token` is told this once."""

    token: str
    entered: Entered


async def by_token(desk: Desk, token: str, address: str, now: datetime, *, session: bool) -> Entered:
    """Whom a link's token, or with `session` a session's, lets in.

    Raises DomainError: `unauthenticated` for what nobody knows, `link_over`, `too_many_requests` for whoever tries.
    """
    mark = token_hash(token)
    found = await links.by_token(desk.pool, mark) if _TOKEN.fullmatch(token) else None
    if found is None or (found.kind == "session") is not session:
        where = Marks(desk.settings.key_ring()).of("unknown link", network_of(address))
        await pace.enter(desk.pool, Paced(None, Counter(where, OF_UNKNOWN_LINKS)), now, rule=WAIT)
        raise DomainError("unauthenticated", "There is no such link or session here.")
    expired = found.expires_at is not None and found.expires_at <= now
    rules = desk.district.privacy.links
    if found.renewed or expired or is_over(found.demand, found.kind, found.asked_at, rules, now):
        raise DomainError("link_over", OVER)
    return Entered(found.kind, found.demand, mark, found.asked_at, found.expires_at)


async def open_session(desk: Desk, number: str, code: str, address: str, now: datetime) -> Opened:
    """With number and code. A number that there is not is refused like a wrong code, after the same work.

    Raises DomainError: `code_refused`, `link_over`, `too_many_requests`.
    """
    marks = Marks(desk.settings.key_ring())
    asked = Paced(
        Counter(marks.of("reporter number", number), OF_A_NUMBER),
        Counter(marks.of("reporter address", network_of(address)), OF_AN_ADDRESS),
    )
    await pace.enter(desk.pool, asked, now, rule=WAIT)
    generation, state = await links.standing(desk.pool, number)
    fits = desk.reporter_keys.fits(code, number, generation)
    if state is None or not fits:
        log.info("reporter code refused")
        raise DomainError("code_refused", REFUSED)
    demand, rules = Demand.model_validate_json(state), desk.district.privacy.links
    await pace.succeeded(desk.pool, asked, now)
    if is_over(demand, "session", None, rules, now):
        raise DomainError("link_over", f"It is over {rules.days_after_closing} days after closing. Ask the hotline.")
    token, expires_at = secrets.token_urlsafe(32), now + timedelta(minutes=rules.session_minutes)
    new = New(token_hash(token), number, "session", generation, expires_at=expires_at)
    await links.keep(desk.pool, new, now)
    return Opened(token, Entered("session", demand, new.token_hash, expires_at=expires_at))


async def end_session(desk: Desk, entered: Entered) -> None:
    await links.end_session(desk.pool, entered.mark)


async def must_open(desk: Desk, entered: Entered, deed: Deed, now: datetime) -> None:
    """Before anything is done: that what was presented opens it, and not too often. One who reads need not ask.

    Raises DomainError: `not_permitted`, `too_many_requests`.
    """
    if deed not in OPENS[entered.kind]:
        rule = "This link leads to the questions only. Use the link of another message, or number and code."
        raise DomainError("not_permitted", rule, allowed=list(OPENS[entered.kind]))
    mark = Marks(desk.settings.key_ring()).of("reporter deeds", entered.number)
    rule = "Too much in a short time. Wait as Retry-After says."
    await pace.enter(desk.pool, Paced(None, Counter(mark, OF_DEEDS)), now, rule=rule)
