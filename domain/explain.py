"""Why a clock is due when it is: a chain from its start to its due instant, each step with the lines that made it.

    budget 2026-02-27 17:30 ── pause +9 h ──► 2026-03-03 15:30 ── 3 working days more ──► 2026-03-06 17:30

Reckoned with the functions that reckon the clock itself, and held against its due instant: an explanation that does not
arrive there says so. Pure. The words are in `domain/explain_words.py`, the result in `domain/explanation.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from domain import explain_words as words
from domain.calendar import ONE_DAY, Calendar, Table
from domain.clock_log import Cause, ClockLog
from domain.clocks import is_plain, late_by, measure, moved
from domain.demand import Clock, Shift
from domain.explanation import Explanation, Link, LinkKind
from domain.ladder import is_promised
from domain.reasons import COUNTED, ONE_HOUR, Kind, Line, Stretch, line_of
from domain.tasks import ClockKey
from domain.worktime import Budget, due, elapsed, explain

Names = Mapping[date, str]


def explain_clock(
    calendar: Calendar,
    name: ClockKey,
    clock: Clock,
    budget: Budget | None,
    *,
    log: ClockLog | None = None,
    names: Names | None = None,
) -> Explanation:
    """The whole chain. `budget` is None for a clock whose instant was set; `log` and `names` (the holidays) make it telling.

    Raises DomainError `calendar_exhausted` as `domain.worktime.due` does.
    """
    log = log or ClockLog()
    teller = _Teller(calendar, name, clock, budget, log, names or {})
    chain, at = teller.chain()
    complete = at == clock.due_at
    after = [*([] if complete else [teller.gap(at)]), *teller.state()]
    return Explanation(
        clock=name,
        calendar=calendar.version,
        timezone=calendar.timezone,
        started_at=clock.started_at,
        due_at=None if clock.paused_at else clock.due_at,
        provisional=clock.provisional,
        complete=complete,
        steps=(*teller.replans(), *chain, *after),
    )


class _Teller:
    """One clock and what is known of it."""

    def __init__(
        self, calendar: Calendar, name: ClockKey, clock: Clock, budget: Budget | None, log: ClockLog, names: Names
    ) -> None:
        self.calendar, self.name, self.clock, self.budget = calendar, name, clock, budget
        self.log, self.names = log, names
        self.say = words.Words(calendar.table)

    # ---- how the due instant came to be

    def chain(self) -> tuple[list[Link], datetime]:
        """From the budget; where a meeting set the instant at the start and only that leads to the due one, from there."""
        tried = []
        if self.budget is not None:
            tried.append(self._along(self._promised(self.budget)))
        if self.budget is None or self.log.by_meeting:
            tried.append(self._along(self._given()))
        return next((found for found in tried if found[1] == self.clock.due_at), tried[0])

    def _along(self, first: tuple[Link, datetime]) -> tuple[list[Link], datetime]:
        link, at = first
        links, causes = [link], list(self.log.causes)
        for shift in self.clock.shifts:
            link, at = self._shifted(at, shift, _cause_of(shift, causes))
            links.append(link)
        return links, at

    def _promised(self, budget: Budget) -> tuple[Link, datetime]:
        start = self.clock.started_at
        at = due(self.calendar, start, budget)
        lines = explain(self.calendar, start, budget, self.names)
        if self.name not in words.FROM_RECEIPT:
            lines = tuple(map(words.not_receipt, lines))
        return _link("budget", None, at, self.say.budget(budget, start, at), lines), at

    def _given(self) -> tuple[Link, datetime]:
        at = self.log.given or self.clock.due_at
        return _link("fixed", None, at, self.say.fixed(at, by_meeting=self.log.by_meeting)), at

    def _shifted(self, at: datetime, shift: Shift, cause: Cause | None) -> tuple[Link, datetime]:
        if shift.kind == "pause" and shift.until_at is not None:
            return self._paused(at, shift.from_at, shift.until_at, cause)
        if shift.kind == "extension":
            more = Budget(amount=shift.working_days or 1, unit="working_days")
            after = due(self.calendar, at, more)
            lines = tuple(map(words.not_receipt, explain(self.calendar, at, more, self.names)))
            return _link("extension", at, after, self.say.extension(more, cause, at, after), lines), after
        after = shift.until_at or at
        return _link("decision", at, after, self.say.decision(cause, at, after)), after

    def _paused(self, at: datetime, begin: datetime, end: datetime, cause: Cause | None) -> tuple[Link, datetime]:
        stood = measure(self.calendar, self.budget, begin, end)
        after = moved(self.calendar, at, self.budget, stood)
        kind: LinkKind = "redo" if cause is not None and cause.kind == "redo" else "pause"
        said = self.say.pause(cause, begin, end, at, after, stood, plain=is_plain(self.budget))
        return _link(kind, at, after, said, self._lost(begin, end)), after

    def _lost(self, begin: datetime, end: datetime) -> tuple[Line, ...]:
        if end <= begin:
            return ()
        if is_plain(self.budget):
            hours = (end - begin) / ONE_HOUR
            return (line_of(self.calendar.table, (begin, end, "clock_time", None), "hours", hours),)
        return lost(self.calendar, begin, end, self.names)

    # ---- what else is true of it

    def replans(self) -> list[Link]:
        return [_link("replanned", r.due_before, r.due_after, self.say.replanned(r)) for r in self.log.replans]

    def gap(self, at: datetime) -> Link:
        return _link("gap", at, self.clock.due_at, self.say.gap(at, self.clock.due_at))

    def state(self) -> list[Link]:
        clock, at, links = self.clock, self.clock.due_at, list[Link]()
        if clock.stopped_at is not None:
            links.append(_link("stopped", at, at, self._verdict(clock.stopped_at)))
        elif clock.paused_at is not None:
            cause = next((c for c in reversed(self.log.causes) if c.from_at == clock.paused_at), None)
            links.append(_link("open_pause", at, None, self.say.open_pause(cause, clock.paused_at)))
        elif clock.breached:
            links.append(_link("broken", at, at, self.say.broken(self.log.breached_at or at)))
        if clock.provisional:
            links.append(_link("provisional", at, None if clock.paused_at else at, words.PROVISIONAL))
        return links

    def _verdict(self, stopped_at: datetime) -> tuple[str, str]:
        """Kept or broken, by how much in the clock's own time; a clock that only waits is neither."""
        clock, plain = self.clock, is_plain(self.budget)
        if not is_promised(self.name):
            return self.say.ended(stopped_at)
        if clock.breached:
            late = late_by(self.calendar, clock, self.budget, stopped_at)
            return self.say.missed(stopped_at, late, self.log.breached_at or clock.due_at, plain=plain)
        early = measure(self.calendar, self.budget, stopped_at, clock.due_at)
        return self.say.kept(stopped_at, early, plain=plain)


def lost(calendar: Calendar, begin: datetime, end: datetime, names: Names | None = None) -> tuple[Line, ...]:
    """Every stretch from `begin` to `end`, without gaps, with the working time in it in hours.

    Days that lie inside as a whole are one line, and so is a run of them: a pause may last for months.
    """
    table, found = calendar.table, list[tuple[Stretch, float]]()
    at, day = begin.astimezone(UTC), calendar.table.local(begin).date()
    while at < end:
        midnight = table.instant(day + ONE_DAY)
        until = min(midnight, end.astimezone(UTC))
        whole = at == table.instant(day) and until == midnight
        for stretch in [_whole(table, day, names or {})] if whole else _parts(table, day, at, until, names or {}):
            counts = stretch[2] in COUNTED
            hours = elapsed(calendar, stretch[0], stretch[1]) / ONE_HOUR if counts else 0.0
            if found and (whole or not hours) and found[-1][0][2:] == stretch[2:]:
                stretch, hours = (found[-1][0][0], *stretch[1:]), found.pop()[1] + hours
            found.append((stretch, hours))
        at, day = until, day + ONE_DAY
    return tuple(line_of(table, stretch, "working_hours", hours) for stretch, hours in found)


def _whole(table: Table, day: date, names: Names) -> Stretch:
    return table.instant(day), table.instant(day + ONE_DAY), *_sort_of(table, day, names)


def _parts(table: Table, day: date, begin: datetime, end: datetime, names: Names) -> list[Stretch]:
    """The parts of a date between two instants of it: its windows and what lies between them."""
    kind, name = _sort_of(table, day, names)
    if kind in ("holiday", "weekend"):
        return [(begin, end, kind, name)]
    marks: list[Stretch] = []
    at = table.instant(day)
    for index, (opens, closes) in enumerate(table.worked_on(day)):
        marks += [(at, opens, "break" if index else "closed", None)]
        marks += [(opens, closes, "make_up" if kind == "make_up" else "window", name)]
        at = closes
    marks.append((at, table.instant(day + ONE_DAY), "closed", None))
    clipped = [(max(a, begin), min(b, end), kind, name) for a, b, kind, name in marks]
    return [stretch for stretch in clipped if stretch[0] < stretch[1]]


def _sort_of(table: Table, day: date, names: Names) -> tuple[Kind, str | None]:
    if not table.works_on(day):
        return ("holiday", names.get(day)) if day in table.off else ("weekend", None)
    return ("make_up", names.get(day)) if day in table.work else ("working_day", None)


def _cause_of(shift: Shift, causes: list[Cause]) -> Cause | None:
    """The first of `causes` that began with the shift; taken out, for two shifts may begin at the same instant."""
    alike = ("pause", "redo") if shift.kind == "pause" else ("extension", "decision")
    for index, cause in enumerate(causes):
        if cause.from_at == shift.from_at and cause.kind in alike:
            return causes.pop(index)
    return None


def _link(
    kind: LinkKind,
    before: datetime | None,
    after: datetime | None,
    said: tuple[str, str],
    lines: tuple[Line, ...] = (),
) -> Link:
    return Link(kind=kind, due_before=before, due_after=after, text_zh=said[0], text_en=said[1], lines=lines)
