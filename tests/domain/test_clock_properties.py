"""What holds for every start, pause, class and calendar: time that is measured is neither lost nor won."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain import commands as c
from domain import events as e
from domain.clocks import falls_at, late_by, planned_due, replanned, used
from domain.demand import Clock
from domain.ladder import Step
from domain.promise import Promise
from domain.vocabulary import ClockName, DecisionKind, Stage
from domain.worktime import Budget, Calendar, add_working, due, elapsed
from tests.domain import builders as b
from tests.domain.year_2026 import CN, SHANGHAI

ACCEPT, CONTACT, RESOLVE = ClockName.ACCEPT, ClockName.CONTACT, ClockName.RESOLVE
PLAIN = ("hours", "calendar_days")
MARKS = (Step(do="remind", percent=50), Step(do="remind", percent=80), Step(do="far_breach", percent=300))
NO_TIME = timedelta(0)
Span = tuple[datetime, datetime]

few = settings(max_examples=50, deadline=None, derandomize=True)

UNITS = st.sampled_from(["working_hours", "working_days", "hours", "calendar_days"])
BUDGETS = st.builds(b.a_budget, st.integers(1, 30), UNITS)
DAYS = st.dates(date(2026, 1, 5), date(2026, 10, 10))
HOURS = st.one_of(
    st.sampled_from([0, 8 * 60, 9 * 60, 12 * 60, 12 * 60 + 20, 13 * 60 + 30, 17 * 60 + 30, 22 * 60]),
    st.integers(0, 24 * 60 - 1),
)  # the edges of the windows, and anything
STARTS = st.builds(
    lambda day, minute: datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)
    + timedelta(minutes=minute), DAYS, HOURS,
)  # fmt: skip
LENGTHS = st.one_of(st.integers(0, 90), st.integers(0, 24 * 60 * 12)).map(lambda minutes: timedelta(minutes=minutes))
PAUSES = st.lists(st.tuples(LENGTHS, LENGTHS), max_size=4)
"""How long it runs before each pause, and how long it stands still."""


def promised(budget: Budget, *, ladder: tuple[Step, ...] = (), **budgets: Budget) -> Promise:
    """Nothing but this budget ends or moves it: a pause may last, and nobody takes it away."""
    return b.with_budgets(
        b.a_promise(ladder=ladder), resolve=budget, pause=b.a_budget(400, "calendar_days"), **budgets
    )  # fmt: skip


def opened(start: datetime, promise: Promise, calendar: Calendar = CN) -> b.Story:
    story = b.in_grid(now=start, calendar=calendar, promise=promise)
    for command in (c.Accept(), c.Contact()):
        story.does(b.WORKER, command)
    return story


def paused(story: b.Story, pauses: Iterable[tuple[timedelta, timedelta]]) -> list[Span]:
    """Paused and resumed by commands; the spans in which it stood still."""
    stood = []
    for runs, stands in pauses:
        story.lives(hours=runs / timedelta(hours=1))
        story.does(b.WORKER, c.RequestInfo(reason="awaiting_access"))
        since = story.now
        story.lives(hours=stands / timedelta(hours=1)).does(b.WORKER, c.Resume())
        stood.append((since, story.now))
    return stood


def own_time(calendar: Calendar, budget: Budget, start: datetime, end: datetime) -> timedelta:
    return end - start if budget.unit in PLAIN else elapsed(calendar, start, end)


def ran(calendar: Calendar, budget: Budget, start: datetime, end: datetime, stood: Iterable[Span]) -> timedelta:
    """The own time from `start` to `end` without the spans in which the clock stood still."""
    lost = (own_time(calendar, budget, max(since, start), min(until, end)) for since, until in stood if since < end)
    return own_time(calendar, budget, start, end) - sum(lost, NO_TIME)


# ---- pauses


@few
@given(STARTS, BUDGETS, PAUSES)
def test_pauses_of_any_shape_move_the_due_instant_by_exactly_what_they_lasted(
    start: datetime, budget: Budget, pauses: list[tuple[timedelta, timedelta]]
) -> None:
    story = opened(start, promised(budget))
    before = story.demand.clocks[RESOLVE].due_at
    lost = sum((own_time(CN, budget, *span) for span in paused(story, pauses)), NO_TIME)
    after = story.demand.clocks[RESOLVE].due_at
    if budget.unit in PLAIN:
        assert after - before == lost
    else:
        assert elapsed(CN, before, after) == lost
        assert after == add_working(CN, before, lost)


@few
@given(STARTS, BUDGETS, PAUSES)
def test_a_pause_takes_nothing_from_what_is_left_and_nothing_from_what_is_used(
    start: datetime, budget: Budget, pauses: list[tuple[timedelta, timedelta]]
) -> None:
    story = opened(start, promised(budget))
    stood: list[Span] = []
    for pause in pauses:
        clock = story.demand.clocks[RESOLVE]
        story.lives(hours=pause[0] / timedelta(hours=1))
        used_before = used(CN, clock, budget, story.now)
        left_before = own_time(CN, budget, story.now, clock.due_at)
        stood += paused(story, [(NO_TIME, pause[1])])
        clock = story.demand.clocks[RESOLVE]
        assert used(CN, clock, budget, story.now) == used_before == ran(CN, budget, start, story.now, stood)
        assert own_time(CN, budget, story.now, clock.due_at) == left_before


@few
@given(STARTS, BUDGETS, PAUSES)
def test_the_order_of_pauses_and_extension_is_kept_in_the_due_instant(
    start: datetime, budget: Budget, pauses: list[tuple[timedelta, timedelta]]
) -> None:
    story = opened(start, promised(budget))
    clock = story.demand.clocks[RESOLVE]
    assume(clock.due_at > story.now)
    story.does(b.WORKER, c.Extend(working_days=2, basis="season"))
    story.does(b.SUPERVISOR, c.DecideExtension(approved=True))
    assert story.demand.clocks[RESOLVE].due_at == due(CN, clock.due_at, b.a_budget(2, "working_days"))
    paused(story, pauses)
    clock = story.demand.clocks[RESOLVE]
    assert planned_due(CN, clock, budget) == clock.due_at
    assert [shift.kind for shift in clock.shifts] == ["extension", *["pause"] * len(pauses)]


# ---- steps


@few
@given(STARTS, BUDGETS, PAUSES)
def test_a_step_falls_where_its_share_of_the_time_is_used(
    start: datetime, budget: Budget, pauses: list[tuple[timedelta, timedelta]]
) -> None:
    story = opened(start, promised(budget, ladder=MARKS))
    whole = own_time(CN, budget, start, story.demand.clocks[RESOLVE].due_at)
    stood = paused(story, pauses)
    story.lives(days=400)
    fell = [e for e in story.entries if e.data.get("clock") == "resolve" and "fell_at" in e.data]
    assert [entry.data["step"] for entry in fell] == ["50%", "80%", "300%"]
    for entry in fell:
        at, share = datetime.fromisoformat(str(entry.data["fell_at"])), int(str(entry.data["step"])[:-1]) / 100
        off = ran(CN, budget, start, at, stood) - whole * share
        assert abs(off) <= timedelta(microseconds=2), f"{entry.data['step']} of {whole} fell {off} away"
        assert entry.at == at and not any(since < at < until for since, until in stood)


@few
@given(STARTS, BUDGETS, PAUSES, st.integers(1, 60))
def test_how_late_it_is_counts_in_its_own_time_and_no_pause(
    start: datetime, budget: Budget, pauses: list[tuple[timedelta, timedelta]], days: int
) -> None:
    story = opened(start, promised(budget))
    whole = own_time(CN, budget, start, story.demand.clocks[RESOLVE].due_at)
    stood = paused(story, pauses)
    story.lives(days=days)
    clock = story.demand.clocks[RESOLVE]
    over = ran(CN, budget, start, story.now, stood) - whole
    assert late_by(CN, clock, budget, story.now) == max(over, NO_TIME)
    assert clock.breached == (over >= NO_TIME and story.now >= clock.due_at)


@few
@given(STARTS, BUDGETS, st.integers(1, 1000), st.integers(1, 1000))
def test_a_higher_share_never_falls_earlier(start: datetime, budget: Budget, one: int, two: int) -> None:
    clock = Clock(started_at=start, due_at=due(CN, start, budget))
    low, high = sorted((one, two))
    steps = [_at(percent) for percent in (low, high)]
    assert falls_at(CN, clock, budget, steps[0]) <= falls_at(CN, clock, budget, steps[1])


def _at(percent: int) -> Step:
    do = "remind" if percent < 100 else "breach" if percent == 100 else "far_breach"
    return Step.model_validate({"do": do, "percent": percent})


# ---- another class


@few
@given(STARTS, BUDGETS, BUDGETS, PAUSES, LENGTHS)
def test_another_class_is_as_if_it_had_been_this_one_from_the_start(
    start: datetime, budget: Budget, other: Budget, pauses: list[tuple[timedelta, timedelta]], later: timedelta
) -> None:
    changed, from_start = opened(start, promised(budget)), opened(start, promised(other))
    for story in (changed, from_start):
        paused(story, pauses)
        story.lives(hours=later / timedelta(hours=1))
    late_before = changed.demand.clocks[RESOLVE].breached
    changed.does(b.SUPERVISOR, c.Reclassify(category="020202", promise=promised(other)))
    one, two = changed.demand.clocks[RESOLVE], from_start.demand.clocks[RESOLVE]
    assert (one.due_at, one.started_at, one.shifts) == (two.due_at, two.started_at, two.shifts)
    assert used(CN, one, other, changed.now) == used(CN, two, other, from_start.now)
    assert late_by(CN, one, other, changed.now) == late_by(CN, two, other, from_start.now)
    assert one.breached == (two.breached or late_before)
    if two.breached and not late_before:
        assert broke(changed) == broke(from_start), "what broke before a pause broke then, whenever it was reckoned"


def broke(story: b.Story) -> list[object]:
    return [e.data["due_at"] for e in story.entries if e.type == "clock_breached" and e.data["clock"] == "resolve"]


@few
@given(STARTS, BUDGETS, BUDGETS, LENGTHS, LENGTHS)
def test_another_class_during_a_pause_is_as_if_it_had_been_this_one_from_the_start(
    start: datetime, budget: Budget, other: Budget, runs: timedelta, stands: timedelta
) -> None:
    changed, from_start = opened(start, promised(budget)), opened(start, promised(other))
    for story in (changed, from_start):
        story.lives(hours=runs / timedelta(hours=1)).does(b.WORKER, c.RequestInfo(reason="weather"))
        story.lives(hours=stands / timedelta(hours=2))
    late_before = changed.demand.clocks[RESOLVE].breached
    changed.does(b.SUPERVISOR, c.Reclassify(category="020202", promise=promised(other)))
    changed.rings()
    assert changed.demand.clocks[RESOLVE].breached == (from_start.demand.clocks[RESOLVE].breached or late_before)
    for story in (changed, from_start):
        story.lives(hours=stands / timedelta(hours=2)).does(b.WORKER, c.Resume())
        story.lives(days=1)
    one, two = changed.demand.clocks[RESOLVE], from_start.demand.clocks[RESOLVE]
    assert (one.due_at, one.shifts) == (two.due_at, two.shifts)
    assert one.breached == (two.breached or late_before)


@few
@given(STARTS, BUDGETS, BUDGETS, PAUSES, st.integers(1, 3))
def test_another_class_keeps_the_extension_that_was_granted(
    start: datetime, budget: Budget, other: Budget, pauses: list[tuple[timedelta, timedelta]], days: int
) -> None:
    story = opened(start, promised(budget))
    assume(story.demand.clocks[RESOLVE].due_at > story.now)
    story.does(b.WORKER, c.Extend(working_days=days, basis="season"))
    story.does(b.SUPERVISOR, c.DecideExtension(approved=True))
    lost = sum((own_time(CN, other, *span) for span in paused(story, pauses)), NO_TIME)
    story.does(b.SUPERVISOR, c.Reclassify(category="020202", promise=promised(other)))
    extended = due(CN, due(CN, start, other), b.a_budget(days, "working_days"))
    after = story.demand.clocks[RESOLVE].due_at
    assert after == (extended + lost if other.unit in PLAIN else add_working(CN, extended, lost))


@few
@given(STARTS, BUDGETS, BUDGETS, LENGTHS)
def test_another_class_does_not_move_what_a_meeting_fixed(
    start: datetime, budget: Budget, other: Budget, ahead: timedelta
) -> None:
    story = opened(start, promised(budget))
    story.does(b.WORKER, c.Escalate(reason="repeat"))
    fixed = story.now + ahead + timedelta(minutes=1)
    story.decides(DecisionKind.ASSIGN, due_at=fixed)
    story.does(b.SUPERVISOR, c.Reclassify(category="020202", promise=promised(other)))
    assert story.demand.clocks[RESOLVE].due_at == story.demand.clocks[ClockName.UNIT_DUE].due_at == fixed


# ---- another calendar

OFF = st.frozensets(st.dates(date(2026, 1, 5), date(2026, 12, 31)), max_size=25)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """The year's, with some days taken off and some worked that were not."""
    off = draw(OFF)
    work = draw(OFF) - off
    return CN.model_copy(
        update={
            "version": "another", "off": tuple(sorted((set(CN.off) | off) - work)),
            "work": tuple(sorted((set(CN.work) | work) - off)),
        }
    )  # fmt: skip


@few
@given(STARTS, BUDGETS, PAUSES)
def test_the_same_calendar_changes_nothing(
    start: datetime, budget: Budget, pauses: list[tuple[timedelta, timedelta]]
) -> None:
    story = opened(start, promised(budget, ladder=MARKS))
    paused(story, pauses)
    before = story.demand
    again = CN.model_copy(update={"version": "again"})
    assert replanned(before, again) == {}
    assert story.adopts(again) == [e.CalendarAdopted(version="again")]
    assert story.demand.clocks == before.clocks
    assert story.demand.terms == before.terms.model_copy(update={"calendar": "again"})


@few
@given(STARTS, BUDGETS, PAUSES, calendars())
def test_another_calendar_is_as_if_it_had_counted_from_the_start(
    start: datetime, budget: Budget, pauses: list[tuple[timedelta, timedelta]], other: Calendar
) -> None:
    changed, from_start = opened(start, promised(budget)), opened(start, promised(budget), other)
    for story in (changed, from_start):
        paused(story, pauses)
    before = changed.demand
    moving = {
        name: clock.due_at
        for name, clock in from_start.demand.clocks.items()
        if clock.stopped_at is None and clock.due_at != before.clocks[name].due_at
    }
    assert replanned(before, other) == moving
    events = changed.adopts(other)
    told = {ev.clock: ev.due_at for ev in events if isinstance(ev, e.ClockReplanned)}
    assert told == moving, "exactly the clocks whose due instants are others under it"
    one, two = changed.demand.clocks[RESOLVE], from_start.demand.clocks[RESOLVE]
    assert (one.due_at, one.shifts, one.started_at) == (two.due_at, two.shifts, two.started_at)
    assert changed.demand.terms.budgets == before.terms.budgets, "targets stay as they were promised"
    assert used(other, one, budget, changed.now) == used(other, two, budget, from_start.now)


@few
@given(STARTS, BUDGETS, calendars(), LENGTHS, LENGTHS)
def test_a_calendar_that_came_while_it_counted_as_done_counts_when_it_is_done_again(
    start: datetime, budget: Budget, other: Calendar, runs: timedelta, waits: timedelta
) -> None:
    changed, from_start = opened(start, promised(budget)), opened(start, promised(budget), other)
    for story in (changed, from_start):
        story.lives(hours=runs / timedelta(hours=1)).does(b.WORKER, b.resolved())
        if story is changed:
            story.adopts(other)
        story.waits(hours=min(waits, timedelta(hours=12)) / timedelta(hours=1))
        assume(story.demand.stage is Stage.FEEDBACK)
        story.does(b.REPORTER, b.not_solved())
    assert changed.demand.clocks[RESOLVE].due_at == from_start.demand.clocks[RESOLVE].due_at


@few
@given(STARTS, st.integers(1, 400), calendars())
def test_no_calendar_moves_what_runs_by_the_wall_clock(start: datetime, hours: int, other: Calendar) -> None:
    terms = promised(b.a_budget(hours, "hours"), unit_due=b.a_budget(hours, "calendar_days"))
    story = b.in_unit("A", now=start, calendar=CN, promise=terms)
    plain = {RESOLVE, ClockName.UNIT_DUE}
    assert not plain & set(replanned(story.demand, other))


# ---- other hands

MOVES = st.lists(
    st.tuples(st.sampled_from(["reassign", "hand_off", "refuse", "escalate", "return", "assign", "redo"]), LENGTHS),
    min_size=1, max_size=8,
)  # fmt: skip


@few
@given(STARTS, BUDGETS, MOVES)
def test_no_move_between_people_loses_or_wins_time(
    start: datetime, budget: Budget, moves: list[tuple[str, timedelta]]
) -> None:
    story = opened(start, promised(budget))
    stood: list[Span] = []
    spent = NO_TIME
    for move, waits in moves:
        story.lives(hours=waits / timedelta(hours=4))
        if move == "redo":
            stood += redone(story)
        else:
            moved_on(story, move)
        clock = story.demand.clocks[RESOLVE]
        now_spent = used(CN, clock, budget, story.now)
        assert now_spent == ran(CN, budget, start, story.now, stood) >= spent
        lost = sum((own_time(CN, budget, *span) for span in stood), NO_TIME)
        first = due(CN, start, budget)
        assert clock.due_at == (first + lost if budget.unit in PLAIN else add_working(CN, first, lost))
        spent = now_spent


def redone(story: b.Story) -> list[Span]:
    """Counted as done for two hours, which is a pause in the end."""
    if story.demand.stage not in (Stage.GRID, Stage.UNIT):
        return []
    since = story.now
    story.does(holder(story), b.resolved())
    story.lives(hours=2).does(b.REPORTER, b.not_solved())
    return [(since, story.now)]


def moved_on(story: b.Story, move: str) -> None:
    stage = story.demand.stage
    if stage is Stage.MEETING:
        story.decides(DecisionKind.ASSIGN if move == "assign" else DecisionKind.RETURN_TO_GRID)
    elif move == "escalate":
        story.does(b.SUPERVISOR, c.Escalate(reason="repeat"))
    elif stage is Stage.UNIT and move == "refuse" and not story.demand.lead_bound:
        story.does(holder(story), c.Refuse(basis="no_power"))
    elif stage is Stage.GRID and move == "hand_off":
        story.does(holder(story), c.HandOff(routing=b.a_routing("A", "B", "C")))
    elif stage is Stage.GRID and move == "reassign":
        other = b.COLLEAGUE if story.demand.holder != b.COLLEAGUE.id else b.WORKER
        story.does(b.SUPERVISOR, c.Reassign(person=other.id))


def holder(story: b.Story) -> Any:
    return next(actor for actor in b.EVERYBODY if actor.id == story.demand.holder)
