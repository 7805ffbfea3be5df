"""Load and capacity from logs that can be counted by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from domain import commands as c
from domain.kpi_definition import Definition
from domain.kpi_load import Frame
from domain.kpi_log import READ_TYPES, read_facts
from domain.rates import Dimension, Grouping, Key, Period, Sums, Tally, flows, nothing, settle, stocks
from domain.tasks import CoUnit
from domain.vocabulary import DecisionKind
from tests.domain import builders as b
from tests.domain.counting import APRIL, MARCH, SHANGHAI, SPRING, the_definition

LOADS: Definition = the_definition(loads=("open_tasks", "handled_per_day", "capacity_used"))
DAYS = tuple(date(2027, 3, n) for n in (8, 9, 10))
FRAME = Frame(unit_capacity={"A": 4}, worker_capacity=30, working_days=DAYS)
MINUTE = timedelta(minutes=1)


def counted(by: tuple[Dimension, ...], *stories: b.Story, period: Period = MARCH) -> dict[Key, Sums]:
    """As from the tables: only entries of the types that are fetched."""
    grouping = Grouping(by, SHANGHAI, lambda _: None)
    tally = Tally(LOADS)
    for story in stories:
        entries = [entry for entry in story.entries if entry.type in READ_TYPES]
        facts = read_facts(b.NUMBER, entries, until=period.end)
        flow = flows(facts, LOADS, period, zone=SHANGHAI, exclusions=FRAME.exclusions)
        for case in (*flow, *stocks(facts, LOADS, period, grouping)):
            tally.add(grouping.key(case), case)
    for key, sums in tally.groups.items():
        settle(sums, key, grouping, FRAME)
    return tally.groups


def shares(sums: Sums) -> dict[str, tuple[object, object]]:
    return {id: (sums[id].numerator, sums[id].denominator) for id in LOADS.loads}


def test_what_is_in_a_workers_hands_and_what_the_worker_has_done() -> None:
    open_one, done = b.in_grid(), b.in_grid()
    done.does(b.WORKER, b.resolved())
    found = shares(counted(("worker",), open_one, done)[("worker",)])
    assert found == {"open_tasks": (1, None), "handled_per_day": (1, 3), "capacity_used": (1, 30)}


def test_a_unit_has_what_it_leads_and_its_part_of_others() -> None:
    leads, helps = b.in_unit("A"), b.in_unit("B")
    helps.does(b.LIAISONS["B"], c.Accept())
    helps.does(b.LIAISONS["B"], c.AddCoUnits(co_units=(CoUnit(unit="A", liaison="liaison-A"),)))
    found = counted(("unit",), leads, helps)
    assert shares(found[("A",)])["capacity_used"] == (2, 4)
    assert shares(found[("B",)]) == {"open_tasks": (1, None), "handled_per_day": (0, 3), "capacity_used": (1, 0)}
    helps.does(b.LIAISONS["A"], c.CoDone(unit="A"))
    helps.does(b.LIAISONS["B"], b.resolved())
    found = counted(("unit",), leads, helps)
    assert shares(found[("A",)])["handled_per_day"] == (1, 3) and shares(found[("A",)])["open_tasks"] == (1, None)
    assert shares(found[("B",)])["handled_per_day"] == (1, 3) and shares(found[("B",)])["open_tasks"] == (0, None)


@pytest.mark.parametrize("ends", ["refused", "meeting", "withdrawn", "resolved", "swapped"])
def test_what_goes_elsewhere_is_no_longer_in_hand(ends: str) -> None:
    story = b.in_unit("A", "B")
    match ends:
        case "refused":
            story.does(b.LIAISONS["A"], c.Refuse(basis="no_power"))
        case "meeting":
            story.does(b.LIAISONS["A"], c.Escalate(reason="repeat"))
        case "withdrawn":
            story.does(b.REPORTER, c.Withdraw())
        case "resolved":
            story.does(b.LIAISONS["A"], b.resolved())
        case "swapped":
            story.does(b.SUPERVISOR, c.SwapLead(lead=b.a_candidate("B")))
    now = Period(MARCH.start, story.now + MINUTE)  # before a clock of the meeting has come to anything
    found = counted(("unit",), story, period=now)
    assert shares(found[("A",)])["open_tasks"] == (0, None)
    assert shares(found[("A",)])["handled_per_day"][0] == (1 if ends == "resolved" else 0)
    if ends in ("refused", "swapped"):
        assert shares(found[("B",)])["open_tasks"] == (1, None)


def test_doing_it_again_is_in_hand_again_and_done_again() -> None:
    story = b.redone(b.in_grid(), 1)
    again = Period(MARCH.start, story.now + MINUTE)
    assert shares(counted(("worker",), story, period=again)[("worker",)])["open_tasks"] == (1, None)
    story.does(b.WORKER, b.resolved())
    assert shares(counted(("worker",), story)[("worker",)])["handled_per_day"] == (2, 3)


def test_the_stock_of_each_day_is_that_of_its_end() -> None:
    story = b.in_grid()
    story.lives(hours=1).does(b.WORKER, c.Accept())
    story.waits(days=2).does(b.WORKER, b.resolved())
    of_days = counted(("day",), story, period=MARCH)
    assert {key[0]: sums["open_tasks"].numerator for key, sums in of_days.items() if sums["open_tasks"].numerator} == {
        "2027-03-08": 1, "2027-03-09": 1,
    }  # fmt: skip
    assert shares(of_days[("2027-03-10",)])["handled_per_day"] == (1, 1)
    assert shares(counted((), story)[()])["open_tasks"] == (0, None)


def test_the_stock_of_each_month_is_that_of_its_end() -> None:
    story = b.in_grid(now=datetime(2027, 3, 31, 1, 0, tzinfo=UTC))
    story.does(b.WORKER, c.Accept())
    months, whole = counted(("month",), story, period=SPRING), counted((), story, period=SPRING)[()]
    assert [months[(month,)]["open_tasks"].numerator for month in ("2027-03", "2027-04")] == [1, 1]
    assert whole["open_tasks"].numerator == 1, "a stock does not add up over time"


def test_nobody_has_what_a_meeting_put_aside() -> None:
    story = b.shelved(days=60)
    assert counted((), story)[()]["open_tasks"].numerator == 0


def test_another_category_takes_the_open_task_along() -> None:
    story = b.in_grid()
    story.waits(hours=1).does(b.SUPERVISOR, c.Reclassify(category="020101", promise=b.a_promise()))
    found = counted(("category",), story, period=Period(MARCH.start, story.now + MINUTE))
    assert {key: sums["open_tasks"].numerator for key, sums in found.items()} == {("01",): 0, ("02",): 1}


def test_a_meeting_that_assigns_gives_a_task() -> None:
    story = b.in_meeting()
    story.decides(DecisionKind.ASSIGN)
    assert shares(counted(("unit",), story, period=Period(MARCH.start, story.now + MINUTE))[("D",)])["open_tasks"] == (
        1,
        None,
    )


def test_a_period_that_has_not_begun_holds_nothing() -> None:
    story = b.in_grid()
    assert counted((), story, period=Period(APRIL.start, APRIL.start)) == {}


def test_a_definition_without_loads_knows_none() -> None:
    story = b.in_grid()
    facts = read_facts(b.NUMBER, story.entries, until=MARCH.end)
    whole = Grouping((), SHANGHAI, lambda _: None)
    assert stocks(facts, the_definition(), MARCH, whole) == []
    assert not set(LOADS.loads) & nothing(the_definition()).keys()


def test_a_co_units_part_that_is_done_counts_as_kept_also_from_the_tables() -> None:
    story = b.in_unit("A", now=datetime(2027, 3, 8, 1, 0, tzinfo=UTC))
    story.does(b.LIAISONS["A"], c.Accept())
    story.does(b.LIAISONS["A"], c.AddCoUnits(co_units=(CoUnit(unit="C", liaison="liaison-C"),)))
    story.does(b.LIAISONS["C"], c.CoDone(unit="C"))
    figure = counted(("unit",), story)[("C",)]["on_time_co_due"]
    assert figure.value == 1
