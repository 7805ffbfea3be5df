"""The ladder (催办) on a real server: what falls around a due instant, when exactly, and who hears of it.

`pytest -s` shows the whole walk of a demand that nobody touches.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.demand import Clock, Demand
from domain.ladder import Step
from domain.ledger import Entry, replay
from domain.vocabulary import ClockName, Stage
from domain.worktime import Budget, Calendar, add_working, due, elapsed
from tests.builders import CONSULT, ROOF_LEAK, Product, resident

MANHOLE = "030103"
"""Unit level, emergency."""
LADDER = {
    "clock_warned": "remind", "clock_breached": "breach", "notice_issued": "notice", "clock_escalated": "agenda",
    "clock_far_breached": "far_breach",
}  # fmt: skip
LEAVE_WITH_THE_STAGE = (ClockName.ACCEPT, ClockName.UNIT_DUE)
A_WHILE = timedelta(days=150)


class Fallen(NamedTuple):
    """A step that has fallen, or must fall."""

    at: datetime
    clock: str
    percent: int
    do: str
    step: str
    told: tuple[str, ...]


# ---- what must fall, reckoned from the promise without the code that rings


def expected(d: Demand, calendar: Calendar, name: ClockName, clock: Clock, holder: str) -> Iterator[Fallen]:
    budget, ladder = d.terms.budgets[name], d.terms.ladder
    assert clock.due_at == due(calendar, clock.started_at, budget) and d.place is not None
    people = {"holder": holder, "supervisor": d.supervisor, "secretary": d.place.secretary}
    for step in ladder:
        if not step.clocks or name in step.clocks:
            told = tuple(dict.fromkeys(people[role] for role in step.tell))
            at = instant(calendar, clock, budget, step)
            yield Fallen(at, name, step.percent or 0, step.do, step.key, told)


def instant(calendar: Calendar, clock: Clock, budget: Budget, step: Step) -> datetime:
    if step.after is not None:
        return due(calendar, clock.due_at, step.after)
    assert step.percent is not None
    share = step.percent / 100
    if budget.unit == "hours":
        return clock.started_at + timedelta(hours=budget.amount * share)
    if share == 1:
        return clock.due_at
    return add_working(calendar, clock.started_at, elapsed(calendar, clock.started_at, clock.due_at) * share)


def walk_of(d: Demand, calendar: Calendar, substitute: str | None) -> list[Fallen]:
    """Until the first `agenda` step takes it to the meeting: its holder is whoever it lay with, then the substitute."""
    fallen = sorted(
        one
        for name, clock in d.clocks.items()
        if name is not ClockName.REFUSAL_WINDOW
        for one in expected(d, calendar, name, clock, d.holder or "")
    )
    taken = next(one for one in fallen if one.do == "agenda")
    changed = next(one for one in fallen if (one.clock, one.do) == ("accept", "breach"))
    secretary = d.place.secretary if d.place else ""
    walk = []
    for one in fallen:
        if one > taken and one.clock in LEAVE_WITH_THE_STAGE:
            continue
        holder = secretary if one > taken else substitute if one > changed and substitute else d.holder
        told = tuple(dict.fromkeys(holder if person == d.holder else person for person in one.told))
        walk.append(one._replace(told=told))  # type: ignore[arg-type]
    return walk


# ---- what fell


def fallen_in(entries: list[Entry]) -> list[Fallen]:
    found = []
    for entry in entries:
        if entry.type in LADDER:
            data = entry.data
            at = datetime.fromisoformat(str(data.get("fell_at") or data["due_at"]))
            step = str(data.get("step", "100%"))
            percent = int(step[:-1]) if step.endswith("%") else 0
            told = tuple(data["told"])  # type: ignore[arg-type]
            found.append(Fallen(at, str(data["clock"]), percent, LADDER[entry.type], step, told))
    return found


def table(title: str, d: Demand, entries: list[Entry]) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    print(f"\n{title}: {d.number}, {d.terms.sla_class}, opened {local(d.opened_at, zone)}")
    print(f"  {'instant (Asia/Shanghai)':25} {'event':19} {'clock':15} {'step':15} {'true instant':25} told")
    for entry in entries:
        data = entry.data
        true = data.get("fell_at") or data.get("due_at")
        step = str(data.get("step") or ("100%" if entry.type == "clock_breached" else ""))
        told = " ".join(data.get("told") or ()) or str(data.get("person") or data.get("meeting") or "")  # type: ignore[arg-type]
        shown = local(datetime.fromisoformat(str(true)), zone) if true else ""
        clock = str(data.get("clock", ""))
        print(f"  {local(entry.at, zone):25} {entry.type:19} {clock:15} {step:15} {shown:25} {told}")


def local(at: datetime | None, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%a %m-%d %H:%M:%S.%f")[:-3] if at else ""


def heard_in_time(entries: list[Entry]) -> None:
    """Each is written when it falls, in the order in which they fall."""
    instants = [datetime.fromisoformat(str(e.data.get("fell_at") or e.data["due_at"])) for e in entries]
    assert instants == sorted(instants)
    late = [entry.at - at for entry, at in zip(entries, instants, strict=True)]
    assert timedelta(0) <= min(late) and max(late) < timedelta(minutes=1), late


async def walked(p: Product, title: str, number: str, *, substitute: str | None) -> tuple[Demand, list[Entry]]:
    """Let time pass until nothing is left to fall; what fell is what the promise says, and nothing else."""
    before = await p.started(number)
    await p.pass_time(number, A_WHILE)
    d = await p.until_row(
        number, lambda d: "300%" in d.clocks.get(ClockName.DECIDE, before.clocks[ClockName.ACCEPT]).done
    )
    entries = await p.entries(number)
    table(title, d, entries)
    ladder = [e for e in entries if e.type in LADDER]
    heard_in_time(ladder)
    decide = d.clocks[ClockName.DECIDE]
    assert d.place is not None
    at_the_meeting = expected(d, p.desk.calendar, ClockName.DECIDE, decide, d.place.secretary)
    must = sorted([*walk_of(before, p.desk.calendar, substitute), *at_the_meeting])
    assert sorted(fallen_in(ladder)) == must
    assert [one[:2] for one in fallen_in(ladder)] == [one[:2] for one in must]
    assert replay(number, entries) == d
    return d, entries


async def test_a_demand_that_nobody_touches_walks_the_whole_ladder_onto_the_agenda(product: Product) -> None:
    p = product
    number = await p.submit(category=CONSULT, grid="xuanhualu-10")
    substitute = p.substitute_of("xuanhualu-10").id
    d, entries = await walked(p, "An ordinary demand that nobody touches", number, substitute=substitute)
    assert (d.stage, d.meeting_reason, d.breached) == (Stage.MEETING, "overdue", True)
    steps = [(one.clock, one.step) for one in fallen_in(entries)]
    for clock in ("accept", "contact", "resolve"):
        assert sorted(step for name, step in steps if name == clock) == sorted(
            ["50%", "80%", "100%", "+1working_days", "300%", "+5working_days"]
        )
    await p.until_agenda("xuanhualu", number)


async def test_an_emergency_walks_its_own_ladder_within_hours(product: Product) -> None:
    p = product
    number = await p.submit(category=MANHOLE, grid="xuanhualu-11")
    d, entries = await walked(p, "An emergency that nobody touches", number, substitute=None)
    first = d.clocks[ClockName.ACCEPT]
    notice = next(one for one in fallen_in(entries) if (one.clock, one.do) == ("accept", "notice"))
    assert notice.at == first.due_at + timedelta(hours=1) == first.started_at + timedelta(hours=1.5)
    assert (d.stage, d.meeting_reason) == (Stage.MEETING, "overdue")
    escalated = next(e for e in entries if e.type == "clock_escalated")
    opened = d.opened_at
    assert opened is not None and escalated.at <= due(p.desk.calendar, first.due_at, working_days(1)) + timedelta(
        minutes=1
    )


async def test_what_nobody_could_locate_goes_to_the_supervisor(product: Product) -> None:
    p = product
    number = await p.submit(grid=None)
    d = await p.started(number)
    await p.pass_until(number, due(p.desk.calendar, d.clocks[ClockName.LOCATE].due_at, working_days(5)))
    d = await p.until_row(number, lambda d: d.holder == d.supervisor)
    assert d.stage is Stage.INTAKE
    taken = next(e for e in await p.entries(number) if e.type == "taken_over")
    assert taken.data == {"person": d.supervisor, "reason": "overdue"}
    d = await p.act(number, p.operator, "locate", location={"grid": "wenqulu-01"})
    assert d.stage is Stage.GRID


async def test_what_stopped_in_time_hears_nothing_more(product: Product) -> None:
    p = product
    number = await p.submit(resident(), grid="xuanhualu-02")
    worker, before = p.worker_of("xuanhualu-02"), await p.started(number)
    await p.act(number, worker, "accept")
    await p.act(number, worker, "contact")
    half = instant(
        p.desk.calendar, before.clocks[ClockName.RESOLVE], before.terms.budgets[ClockName.RESOLVE], FIRST_HALF
    )
    await p.pass_until(number, half)
    await p.until_type(number, "clock_warned")
    await p.act(number, worker, "resolve", reply="已答复")
    d = await p.act(number, resident(), "confirm", contacted=True, solved="yes", satisfied="satisfied")
    await p.pass_until(number, d.clocks[ClockName.REOPEN].due_at)
    assert await p.handle(number).result() == "resolved"
    fallen = fallen_in(await p.entries(number))
    assert [one[:5] for one in fallen] == [(half, "resolve", 50, "remind", "50%")]


FIRST_HALF = Step(do="remind", percent=50)


def working_days(amount: int) -> Budget:
    return Budget(amount=amount, unit="working_days")


# ---- pauses, extensions, another class


async def test_a_pause_ends_by_itself_and_moves_what_it_stopped(product: Product) -> None:
    p = product
    calendar = p.desk.calendar
    number = await p.submit(grid="xuanhualu-03")
    worker = p.worker_of("xuanhualu-03")
    await p.act(number, worker, "accept")
    d = await p.act(number, worker, "request_info", reason="awaiting_material")
    before, limit = d.clocks[ClockName.RESOLVE], d.clocks[ClockName.PAUSE]
    assert before.paused_at == limit.started_at and limit.due_at == due(calendar, limit.started_at, working_days(10))
    assert d.due_at == limit.due_at  # while it waits, that is the promise
    await p.pass_until(number, limit.due_at)
    d = await p.until_row(number, lambda d: d.clocks[ClockName.RESOLVE].running)
    after = d.clocks[ClockName.RESOLVE]
    assert d.info_reason is None and not d.breached and d.clocks[ClockName.PAUSE].stopped_at is not None
    (pause,) = after.shifts
    assert (pause.from_at, pause.until_at) == (limit.started_at, limit.due_at)
    stood = elapsed(calendar, limit.started_at, limit.due_at)
    assert after.due_at == add_working(calendar, before.due_at, stood)
    types = await p.types(number)
    assert types[-4:] == ["info_received", "clock_stopped", "clock_resumed", "clock_resumed"]
    warned = add_working(calendar, after.started_at, elapsed(calendar, after.started_at, before.due_at) / 2 + stood)
    await p.pass_until(number, warned)
    await p.until_type(number, "clock_warned", times=1)
    half = next(one for one in fallen_in(await p.entries(number)) if one.clock == "resolve")
    assert (half.step, half.at) == ("50%", warned)


async def test_another_class_is_reckoned_from_the_start_with_its_pauses(product: Product) -> None:
    p = product
    calendar = p.desk.calendar
    number = await p.submit(grid="xuanhualu-04")
    worker = p.worker_of("xuanhualu-04")
    await p.act(number, worker, "accept")
    await p.act(number, worker, "request_info", reason="weather")
    await p.pass_time(number, timedelta(days=6))
    await p.act(number, worker, "resume")
    await p.act(number, worker, "extend", working_days=2, basis="season")
    before = await p.act(number, p.supervisor, "decide_extension", approved=True)
    d = await p.act(number, p.supervisor, "reclassify", category=ROOF_LEAK)
    assert (d.category, d.terms.calendar, d.stage) == (ROOF_LEAK, before.terms.calendar, Stage.UNIT)
    assert (before.terms.sla_class, d.terms.sla_class) == ("ordinary", "complex")
    clock = d.clocks[ClockName.RESOLVE]
    pause, extension = clock.shifts
    assert pause.until_at is not None and extension.working_days == 2
    at = due(calendar, clock.started_at, d.terms.budgets[ClockName.RESOLVE])
    at = add_working(calendar, at, elapsed(calendar, pause.from_at, pause.until_at))
    assert clock.due_at == due(calendar, at, working_days(2)) != before.clocks[ClockName.RESOLVE].due_at
    await p.pass_until(number, clock.due_at)
    await p.until_row(number, lambda d: d.clocks[ClockName.RESOLVE].breached)
    entries = await p.entries(number)
    breach = next(e for e in entries if e.type == "clock_breached" and e.data["clock"] == "resolve")
    assert datetime.fromisoformat(str(breach.data["due_at"])) == clock.due_at
    assert replay(number, entries) == await p.row(number)
