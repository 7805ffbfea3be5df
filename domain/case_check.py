"""Checking a case file: replay the log, recompute every due instant, compare every digest. Pure, and offline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from domain.case_file import CaseFile, Finding, calendar_digest, calendars_named, digest_of, stand_of, text_digest
from domain.clock_log import ClockLog, read_log
from domain.clocks import planned_due
from domain.demand import Clock, Demand
from domain.errors import DomainError
from domain.explain import explain_clock
from domain.explain_words import clock_words
from domain.ledger import Entry, replay
from domain.promise import Promise
from domain.tasks import ClockKey
from domain.worktime import Budget, Calendar

# What a log that was made up can do to the rules, which trust a log that was not.
BROKEN = (ValueError, KeyError, TypeError, AttributeError, AssertionError, OverflowError, DomainError)
KINDS = {"note_id": ("note", "minute"), "minute_id": ("minute",), "reply_id": ("reply",), "plan_id": ("plan",)}
"""Which field of an event names a text, and of which kinds."""

_FROM_TABLES = re.compile(r"CN-[0-9-]+/([0-9a-f]{8})")


def check(file: CaseFile) -> list[Finding]:
    """Everything that does not hold, the most telling first; empty for a good file."""
    findings = [*_chain(file)]
    demand = replayed(file)
    if demand is not None:
        findings += _state(file, demand)
    findings += _calendars(file)
    if demand is not None:
        findings += _clocks(file, demand)
    return [*findings, *_texts(file), *_references(file), *_whole(file)]


def replayed(file: CaseFile) -> Demand | None:
    """The demand that the entries make; None where they are no unbroken log."""
    if not file.entries or _why(file, len(file.entries)) is not None:
        return None
    return replay(file.number, file.entries)


def _whole(file: CaseFile) -> Iterator[Finding]:
    found = digest_of(file)
    if file.digest != found:
        says = f"does not fit what the file holds (that makes {found}): it was changed after it was exported"
        yield Finding(code="digest", where="digest", says=says)


# ---- the log


def _chain(file: CaseFile) -> Iterator[Finding]:
    if not file.entries:
        yield Finding(code="chain", where="entries", says="is empty: every demand begins with an event")
        return
    broken = _first_broken(file)
    if broken is not None:
        place, why = broken
        entry = file.entries[place]
        says = f"event {entry.seq} ({entry.type}, {entry.at.isoformat()}) {why}; nothing from here on is proven"
        yield Finding(code="chain", where=f"entries.{place}", says=says)


def _first_broken(file: CaseFile) -> tuple[int, str] | None:
    """The first entry at which a replay ends, looked for by halves: what is broken stays broken with more of it."""
    if (why := _why(file, len(file.entries))) is None:
        return None
    good, bad = 0, len(file.entries)
    while bad - good > 1:
        middle = (good + bad) // 2
        if (found := _why(file, middle)) is None:
            good = middle
        else:
            bad, why = middle, found
    return bad - 1, why


def _why(file: CaseFile, length: int) -> str | None:
    try:
        demand = replay(file.number, file.entries[:length])
        for name in demand.clocks:
            clock_words(name)  # a clock that this release does not know
    except BROKEN as wrong:
        said = str(wrong)
        if "does not match its hash" in said:
            return "was changed, or does not belong to the event before it: it does not match its hash"
        if " follows " in said:
            return "stands in the wrong place: an event before it is missing, doubled or moved"
        return "bears a hash that fits, and cannot have happened then"
    return "is not the intake, with which every log begins" if demand.promise is None else None


# ---- the state that the log leads to


def _state(file: CaseFile, demand: Demand) -> Iterator[Finding]:
    said = file.state.model_dump(mode="json")
    for path, (found, made) in _differing(said, stand_of(demand).model_dump(mode="json"), "state"):
        yield Finding(code="state", where=path, says=f"is {_shown(found)}, and the log leads to {_shown(made)}")


def _differing(said: Any, made: Any, path: str) -> Iterator[tuple[str, tuple[Any, Any]]]:
    if isinstance(said, Mapping) and isinstance(made, Mapping):
        for key in [*said, *(key for key in made if key not in said)]:
            yield from _differing(said.get(key), made.get(key), f"{path}.{key}")
    elif said != made:
        yield path, (said, made)


def _shown(value: Any) -> str:
    if value is None:
        return "not there"
    return "there" if isinstance(value, Mapping) else str(value)


# ---- calendars and clocks


def _calendars(file: CaseFile) -> Iterator[Finding]:
    there = [calendar.version for calendar in file.calendars]
    for version in calendars_named(file.entries):
        if version not in there:
            says = f"lacks {version}, by which the log makes promises: due instants cannot be recomputed"
            yield Finding(code="calendar", where="calendars", says=says)
    for place, calendar in enumerate(file.calendars):
        match = _FROM_TABLES.fullmatch(calendar.version)
        if match and match[1] != calendar_digest(calendar):
            says = f"{calendar.version} has other days or windows than the calendar of that version"
            yield Finding(code="calendar", where=f"calendars.{place}", says=says)
        if calendar.version in there[:place]:
            yield Finding(code="calendar", where=f"calendars.{place}", says=f"{calendar.version} stands there twice")


def _clocks(file: CaseFile, demand: Demand) -> Iterator[Finding]:
    known = {calendar.version: calendar for calendar in file.calendars}
    logs = read_log(file.entries)
    if _began_in_0_1(file.entries):
        return  # its log does not tell every shift; what it recorded holds
    for name, clock in demand.clocks.items():
        log = logs.get(name, ClockLog())
        tried = [(demand.terms.calendar, demand.terms.budget_of(name)), *((t.calendar, t.budget) for t in log.terms)]
        terms = [(known[version], budget) for version, budget in tried if version in known]
        if terms and not any(_arrives(name, clock, calendar, budget, log) for calendar, budget in terms):
            says = f"is recorded as {clock.due_at.isoformat()}; {_instead(clock, terms)}"
            yield Finding(code="due", where=f"state.clocks.{name}.due_at", says=says)


def _arrives(name: ClockKey, clock: Clock, calendar: Calendar, budget: Budget | None, log: ClockLog) -> bool:
    try:
        if budget is not None and planned_due(calendar, clock, budget) == clock.due_at:
            return True
        # Where a meeting, or a review date, set the instant: from there, along the same shifts.
        return (budget is None or log.by_meeting) and explain_clock(calendar, name, clock, budget, log=log).complete
    except BROKEN:
        return False


def _instead(clock: Clock, terms: Sequence[tuple[Calendar, Budget | None]]) -> str:
    for calendar, budget in terms:
        if budget is not None:
            try:
                at = planned_due(calendar, clock, budget)
            except BROKEN:
                continue
            return f"{budget.amount:g} {budget.unit} by the calendar {calendar.version} end at {at.isoformat()}"
    return "nothing in the log leads there"


def _began_in_0_1(entries: Sequence[Entry]) -> bool:
    return Promise.model_validate(entries[0].data["promise"]).of_0_1


# ---- texts


def _texts(file: CaseFile) -> Iterator[Finding]:
    seen: set[str] = set()
    for place, text in enumerate(file.texts):
        if text.digest != text_digest(file.number, text):
            says = f"{text.kind} {text.id} was changed or exchanged: it does not match its digest"
            yield Finding(code="text", where=f"texts.{place}", says=says)
    withheld, erased = [t.id for t in file.withheld], [t.id for t in file.erased]
    for list_name, ids in (("texts", [t.id for t in file.texts]), ("withheld", withheld), ("erased", erased)):
        for place, id in enumerate(ids):
            if id in seen:
                yield Finding(code="text", where=f"{list_name}.{place}", says=f"{id} stands there twice")
            seen.add(id)


def _references(file: CaseFile) -> Iterator[Finding]:
    kinds = {text.id: text.kind for text in file.texts} | {text.id: text.kind for text in file.withheld}
    kinds |= {text.id: text.kind for text in file.erased}
    for place, entry in enumerate(file.entries):
        for field, allowed in KINDS.items():
            named = entry.data.get(field)
            if not isinstance(named, str):
                continue
            where, kind = f"entries.{place}.data.{field}", kinds.get(named)
            if kind is None:
                says = f"event {entry.seq} names the text {named}, and it is neither there nor among those withheld or erased"
                yield Finding(code="reference", where=where, says=says)
            elif kind not in allowed:
                says = f"event {entry.seq} names the text {named}, which is not of the right kind but a {kind}"
                yield Finding(code="reference", where=where, says=says)
