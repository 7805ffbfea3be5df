"""A demand's clocks: how each stands, what its ladder holds in store, and why it is due when it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from domain import roles
from domain.actors import Actor
from domain.clock_log import Cause, ClockLog, read_log
from domain.clocks import ahead, late_by, planned_due, span, used
from domain.demand import Clock, Demand
from domain.errors import DomainError
from domain.explain import explain_clock
from domain.explanation import Explanation, Language, as_text
from domain.ladder import is_promised
from domain.ledger import Entry
from domain.needs import Need
from domain.rungs import told
from domain.tasks import ClockKey, budget_name
from domain.vocabulary import ClockName
from domain.worktime import Budget, Calendar
from service.desk import Desk
from service.reading import find
from service.views import View, instant, person_view
from store import calendars, queries

RESIDENTS_SEE = frozenset(
    {ClockName.ACCEPT, ClockName.CONTACT, ClockName.RESOLVE, ClockName.FOLLOW_UP, ClockName.REOPEN}
)
# What the bell of a clock does that is no promise but waits for an hour (domain/rungs.py).
BELLS = {
    ClockName.REFUSAL_WINDOW: "bind",
    ClockName.PAUSE: "resume",
    ClockName.CALL_BACK: "call_back",
    ClockName.REVIEW: "review",
    ClockName.REOPEN: "seal",
}
MOST_EVENTS = 100_000


class Told(NamedTuple):
    """One clock with all that its answers are made of: under what it was reckoned, and what the log tells of it."""

    name: ClockKey
    clock: Clock
    calendar: Calendar
    budget: Budget | None
    log: ClockLog


class Clocks(NamedTuple):
    """The clocks of a demand that the caller may see, live ones first; `as_of` is the instant that they stand at."""

    demand: Demand
    as_of: datetime
    told: tuple[Told, ...]


async def clocks_view(desk: Desk, actor: Actor, number: str, *, explained: bool) -> View:
    """Every clock in figures; with `explained` also the chain of its due instant. DomainError `not_found` as in `find`."""
    clocks = await _clocks(desk, actor, number)
    names = desk.almanac.names
    views = [clock_view(clocks, told_of, inside=not _only_resident(actor)) for told_of in clocks.told]
    if explained:
        for view, told_of in zip(views, clocks.told, strict=True):
            view["explanation"] = _explain(told_of, names).model_dump(mode="json")
    terms = clocks.demand.terms
    return {
        "number": clocks.demand.number,
        "calendar": terms.calendar,
        "sla_class": terms.sla_class,
        "as_of": instant(clocks.as_of),
        "clocks": views,
    }


async def clocks_text(desk: Desk, actor: Actor, number: str, language: Language) -> str:
    """The explanation of every clock, to read."""
    clocks = await _clocks(desk, actor, number)
    names = desk.almanac.names
    return "\n".join(as_text(_explain(told_of, names), language) for told_of in clocks.told)


def clock_view(clocks: Clocks, told_of: Told, *, inside: bool = True) -> View:
    """One clock. Durations are in its own time, ISO 8601; who is told of what is for those `inside` the district only."""
    (name, clock, calendar, budget, log), now = told_of, clocks.as_of
    overdue = is_promised(name) and clock.running and now >= clock.due_at
    breached = clock.breached or overdue  # the bell may be late, the promise is broken all the same
    run, whole = used(calendar, clock, budget, now), span(calendar, clock, budget)
    return {
        "name": name,
        "state": "stopped" if clock.stopped_at else "paused" if clock.paused_at else "running",
        "started_at": instant(clock.started_at),
        "due_at": None if clock.paused_at else instant(clock.due_at),
        "paused_at": instant(clock.paused_at),
        "stopped_at": instant(clock.stopped_at),
        "kept": _kept(name, clock, breached=breached),
        "breached": breached,
        "breached_at": instant(log.breached_at or clock.due_at) if breached else None,
        "breached_by": iso_duration(late_by(calendar, clock, budget, now)) if breached else None,
        "budget": budget.model_dump(mode="json") if budget else None,
        "used": iso_duration(run),
        "used_percent": round(100 * (run / whole), 1) if whole else 100.0,
        "provisional": clock.provisional,
        "next": _next(clocks.demand, calendar, name, inside=inside),
        "done": list(clock.done),
    }


def _kept(name: ClockKey, clock: Clock, *, breached: bool) -> bool | None:
    """Whether the promise was kept; None while that is open, and for a clock that promises nothing to anybody."""
    if not is_promised(name):
        return None
    return False if breached else True if clock.stopped_at else None


def _next(demand: Demand, calendar: Calendar, name: ClockKey, *, inside: bool) -> list[View]:
    """What is still ahead of a running clock, soonest first."""
    return [
        {
            "at": instant(alarm.at),
            "step": alarm.step.key,
            "do": alarm.step.do if is_promised(name) else BELLS[budget_name(name)],
            "tell": list(told(demand, alarm.step.tell, name))
            if inside and is_promised(name) and demand.terms.ladder
            else [],
        }
        for alarm in ahead(demand, calendar, name)
    ]


def iso_duration(amount: timedelta) -> str:
    """Hours, minutes, seconds: `PT26H30M`. A day is no unit of working time, so hours go on past 24."""
    seconds = amount.total_seconds()
    sign, whole = ("-" if seconds < 0 else ""), round(abs(seconds))
    parts = ((whole // 3600, "H"), (whole // 60 % 60, "M"), (whole % 60, "S"))
    return f"{sign}PT{''.join(f'{n}{unit}' for n, unit in parts if n) or '0S'}"


# ---- what an answer is made of


async def _clocks(desk: Desk, actor: Actor, number: str) -> Clocks:
    demand = await find(desk, actor, number)
    rows = await queries.events(desk.engine, number, after=0, limit=MOST_EVENTS)
    entries = [Entry(seq=r.seq, type=r.type, at=r.at, actor=r.actor, data=r.data) for r in rows]
    entries = entries[: demand.seq]  # what was written since the row was read is the next answer's
    logs = read_log(entries)
    known = await _calendars(desk, demand, logs)
    seen = [n for n in demand.clocks if n in RESIDENTS_SEE or not _only_resident(actor)]
    found = [_told_of(desk, demand, name, logs.get(name, ClockLog()), known) for name in seen]
    # The clocks of two machines differ a little: what has happened is never ahead of the answer.
    as_of = max([desk.now(), *(entry.at for entry in entries[-1:])])
    return Clocks(demand, as_of, tuple(sorted(found, key=_in_order)))


def _only_resident(actor: Actor) -> bool:
    return not roles.holds(actor, Need.SEE_INSIDE)


def _in_order(told_of: Told) -> tuple[int, datetime]:
    """Running ones by their due instant, then those that stand still, then those that have ended, in order of time."""
    clock = told_of.clock
    if clock.stopped_at is not None:
        return 2, clock.stopped_at
    return (1, clock.paused_at) if clock.paused_at is not None else (0, clock.due_at)


async def _calendars(desk: Desk, demand: Demand, logs: Mapping[ClockKey, ClockLog]) -> dict[str, Calendar]:
    """Every calendar that one of the clocks was reckoned by, by version."""
    versions = {demand.terms.calendar} | {terms.calendar for log in logs.values() for terms in log.terms}
    found = {desk.calendar.version: desk.calendar}
    for version in versions - found.keys():
        calendar = await calendars.load(desk.pool, version)
        if calendar is not None:
            found[version] = calendar
    return found


def _told_of(desk: Desk, demand: Demand, name: ClockKey, log: ClockLog, known: Mapping[str, Calendar]) -> Told:
    """The clock under the present terms, or under those that it stopped with: the first that lead to its due instant."""
    clock, terms = demand.clocks[name], demand.terms
    tried: list[tuple[str, Budget | None]] = [(terms.calendar, terms.budget_of(name))]
    tried += [(t.calendar, t.budget) for t in log.terms]
    found = [(known.get(version, desk.calendar), budget) for version, budget in tried]
    fits = [(c, b) for c, b in found if b is not None and planned_due(c, clock, b) == clock.due_at]
    calendar, budget = (fits or found)[0]
    return Told(name, clock, calendar, budget, _named(desk, log))


def _explain(t: Told, names: Mapping[Any, str]) -> Explanation:
    return explain_clock(t.calendar, t.name, t.clock, t.budget, log=t.log, names=names)


def _named(desk: Desk, log: ClockLog) -> ClockLog:
    """With the names of people and meetings in the place of their ids."""
    causes = tuple(
        cause.model_copy(update={"by": _person(desk, cause.by), "reason": _reason(desk, cause)}) for cause in log.causes
    )
    return log.model_copy(update={"causes": causes})


def _person(desk: Desk, person: str) -> str:
    view = person_view(desk, person or None)
    return str(view["name"] or person) if view else ""


def _reason(desk: Desk, cause: Cause) -> str:
    if cause.kind != "decision":
        return cause.reason
    try:
        return desk.district.meeting(cause.reason).name
    except DomainError:
        return cause.reason
