"""From the facts of a demand to what each figure counts of it: cases, each at an instant, in a place, with its events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from decimal import Decimal

from domain.kpi_definition import Definition
from domain.kpi_facts import Ending, Facts, Mark, Run, Where

ONE, ZERO = Decimal(1), Decimal(0)
UNANSWERED = ("unconfirmed", "unreachable")
"""Endings without an answer: beside what is answered, not in it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One in the denominator of a figure, worth `value` (0 to 1) in its numerator.

    With `excluded` it is in neither, and counted under that word; where that was approved, `exclusion` says by which.
    `denominator` and `numerator` are the events behind it. A figure that only counts has cases without a denominator.
    """

    figure: str
    at: datetime
    where: Where
    value: Decimal
    denominator: tuple[int, ...]
    numerator: tuple[int, ...] = ()
    excluded: str = ""
    exclusion: str = ""


def cases(facts: Facts, definition: Definition, *, until: datetime, zone: tzinfo) -> Iterator[Case]:
    """All that this demand adds to the figures, up to `until`, whichever period is asked for. `zone` tells its days."""
    outcome = facts.outcome if facts.outcome in definition.excluded else None
    for rate in _RATES:
        for case in rate(facts, definition, until, zone):
            if outcome is not None and not case.excluded:
                case = replace(case, value=ZERO, excluded=outcome)
            yield case
    yield from _counts(facts)


Rate = Callable[[Facts, Definition, datetime, tzinfo], Iterator[Case]]


def _case(figure: str, at: datetime, where: Where, good: bool | Decimal, base: Mark, *behind: Mark) -> Case:
    value = good if isinstance(good, Decimal) else ONE if good else ZERO
    return Case(figure, at, where, value, (base.seq,), tuple(m.seq for m in behind) if value else ())


def _response(facts: Facts, d: Definition, until: datetime, zone: tzinfo) -> Iterator[Case]:
    needed = [
        run for kind in ("accept", "contact") if (run := _first(facts, kind)) is not None and _asked(run, facts, d)
    ]
    if not needed:
        if not facts.runs and facts.closings:  # screened: answered with where to go
            closing = facts.closings[0]
            yield _case("response", closing.mark.at, closing.where, False, closing.mark)
        return
    due = max(run.due for run in needed)
    if due >= until or any(run.paused_at for run in needed):
        return
    good = all(run.met and run.broken_at is None for run in needed)
    behind = tuple(mark.seq for mark in (*facts.accepted[:1], *facts.contacted[:1])) if good else ()
    started = tuple(run.started.seq for run in needed)
    yield Case("response", due, needed[0].where, ONE if good else ZERO, started, behind)


def _first(facts: Facts, kind: str) -> Run | None:
    return next((run for run in facts.runs if run.kind == kind), None)


def _asked(run: Run, facts: Facts, d: Definition) -> bool:
    """Whether the response depends on it: nobody has to accept what a meeting took, nor to contact himself, nor to do
    either for what was done with another demand."""
    if run.waived and not run.met and run.broken_at is None:
        return False
    if run.kind == "contact":
        return facts.where.channel not in d.contact_not_needed
    return run.met or run.broken_at is not None or run.stopped is None


def _answers(facts: Facts, d: Definition, until: datetime, zone: tzinfo) -> Iterator[Case]:
    worth = {"yes": ONE, "partly": d.partly}
    for one in facts.answers:
        at, mark = one.mark.at, one.mark
        yield _case("resolution", at, one.where, worth.get(one.solved, ZERO), mark, mark)
        yield _case("satisfaction", at, one.where, one.satisfied in d.satisfied, mark, mark)
    for closing in facts.closings:
        if closing.kind in UNANSWERED:
            for figure in ("resolution", "satisfaction"):
                case = _case(figure, closing.mark.at, closing.where, False, closing.mark)
                yield replace(case, excluded=closing.kind)


def _on_time(facts: Facts, d: Definition, until: datetime, zone: tzinfo) -> Iterator[Case]:
    for run in facts.runs:
        if run.kind not in d.clocks:
            continue
        if run.broken_at is not None:
            yield _case(f"on_time_{run.kind}", run.broken_at, run.where, False, run.started)
        elif run.stopped is not None and run.met:
            yield _case(f"on_time_{run.kind}", run.stopped.at, run.where, True, run.started, run.stopped)


def _offers(facts: Facts, d: Definition, until: datetime, zone: tzinfo) -> Iterator[Case]:
    for offer in facts.offers:
        if offer.answered is None:
            continue
        at, mark = offer.answered.at, offer.answered
        if offer.first:
            yield _case("first_dispatch", at, offer.where, offer.result == "bound", offer.given, mark)
        if offer.result != "swapped":
            yield _case("refusal", at, offer.where, offer.result == "refused", offer.given, mark)


def _closings(facts: Facts, d: Definition, until: datetime, zone: tzinfo) -> Iterator[Case]:
    for closing in facts.closings:
        if facts.tasks:
            circles = [mark for mark in facts.circles if mark.seq < closing.mark.seq]
            yield _case("ping_pong", closing.mark.at, closing.where, bool(circles), closing.mark, *circles)
        if closing.ended is not None:
            again = closing.result == "reopened"
            yield _case("reopen", closing.ended.at, closing.where, again, closing.mark, closing.ended)


def _resolutions(facts: Facts, d: Definition, until: datetime, zone: tzinfo) -> Iterator[Case]:
    for n, one in enumerate(facts.resolutions):
        if one.ended is not None:
            yield _case("redo", one.ended.at, one.where, one.result == "redo", one.mark, one.ended)
        if n == 0 and facts.opened is not None and one.kind != "followed":
            mark, opened = one.mark, facts.opened
            at_once = mark.at.astimezone(zone).date() == opened.at.astimezone(zone).date()
            in_the_grid = not any(given.seq < mark.seq for given in facts.handed_off)
            yield _case("on_the_spot", mark.at, one.where, at_once and in_the_grid, mark, opened, mark)


def _visits(facts: Facts, d: Definition, until: datetime, zone: tzinfo) -> Iterator[Case]:
    for visit in facts.visits:
        if visit.ended is not None:
            yield _case(
                "meeting_yield", visit.ended.at, visit.where, visit.result in d.settles, visit.mark, visit.ended
            )


_RATES: tuple[Rate, ...] = (_response, _answers, _on_time, _offers, _closings, _resolutions, _visits)


def _counts(facts: Facts) -> Iterator[Case]:
    if facts.opened is not None:
        yield _count("opened", facts.opened, facts.where)
    for closing in _last(facts.closings):
        yield _count("closed", closing.mark, closing.where)
    for mark, where in facts.tasks:
        yield _count("load", mark, where)


def _last(closings: list[Ending]) -> list[Ending]:
    """A demand that was reopened has not been closed by what came before."""
    return [c for c in closings if c.result != "reopened"]


def _count(figure: str, mark: Mark, where: Where) -> Case:
    return Case(figure, mark.at, where, ONE, (), (mark.seq,))
