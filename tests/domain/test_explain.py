"""Every due instant can be explained: the chain arrives at the clock's own due instant, and reads like a document."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import commands as c
from domain import events as e
from domain.actors import SYSTEM
from domain.calendar import Calendar
from domain.clock_log import ClockLog, read_log
from domain.clocks import measure
from domain.demand import Clock, Demand
from domain.explain import explain_clock, lost
from domain.explanation import SHIFTING, Explanation, Link, as_text
from domain.ledger import Entry, seal
from domain.turn import Turn
from domain.vocabulary import ClockName, DecisionKind
from domain.worktime import Budget, Unit, elapsed
from tests.domain import builders as b
from tests.domain.explained import CN, HOLIDAYS, Case, at, over_spring_festival, promised
from tests.domain.test_worktime_properties import STARTS, UNITS, calendars

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "explain-a-due-date.md"
HOUR = timedelta(hours=1)
ZH = """\
办结：到期 2026-03-05 17:30（日历 CN-2026/992fdea0，Asia/Shanghai 时间）
1. 承诺 7 个工作日，自 2026-02-12 15:20 起算，到期 2026-02-28 17:30
   2026-02-12 15:20 – 2026-02-13 00:00 受理当日，次日起算，不计
   2026-02-13 工作日，计 1 个工作日
   2026-02-14 春节调休上班日，计 1 个工作日
   2026-02-15 – 2026-02-23 春节 法定节假日，不计
   2026-02-24 工作日，计 1 个工作日
   2026-02-25 工作日，计 1 个工作日
   2026-02-26 工作日，计 1 个工作日
   2026-02-27 工作日，计 1 个工作日
   2026-02-28 00:00–17:30 春节调休上班日，计 1 个工作日
2. 暂停 2026-02-26 10:00 – 2026-02-27 15:00（等待入户）：其间 10 小时 30 分工作时间顺延，到期由 2026-02-28 17:30 改为 2026-03-03 14:00
   2026-02-26 10:00–12:00 工作时段，计 2 工作时
   2026-02-26 12:00–13:30 午休，不计
   2026-02-26 13:30–17:30 工作时段，计 4 工作时
   2026-02-26 17:30 – 2026-02-27 09:00 非工作时间，不计
   2026-02-27 09:00–12:00 工作时段，计 3 工作时
   2026-02-27 12:00–13:30 午休，不计
   2026-02-27 13:30–15:00 工作时段，计 1.5 工作时
3. 延期 2 个工作日（依据：采购；批准：supervisor）：到期由 2026-03-03 14:00 改为 2026-03-05 17:30
   2026-03-03 14:00 – 2026-03-04 00:00 当日，次日起算，不计
   2026-03-04 工作日，计 1 个工作日
   2026-03-05 00:00–17:30 工作日，计 1 个工作日
"""
EN = """\
resolve: due 2026-03-05 17:30 (calendar CN-2026/992fdea0, Asia/Shanghai time)
1. Promised 7 working days from 2026-02-12 15:20: due 2026-02-28 17:30
   2026-02-12 15:20 – 2026-02-13 00:00 day of receipt, counting starts on the next working day, not counted
   2026-02-13 working day, counts 1 working day
   2026-02-14 make-up working day for Spring Festival, counts 1 working day
   2026-02-15 – 2026-02-23 Spring Festival, public holiday, not counted
   2026-02-24 working day, counts 1 working day
   2026-02-25 working day, counts 1 working day
   2026-02-26 working day, counts 1 working day
   2026-02-27 working day, counts 1 working day
   2026-02-28 00:00–17:30 make-up working day for Spring Festival, counts 1 working day
2. Paused 2026-02-26 10:00 – 2026-02-27 15:00 (waiting for access): due moves from 2026-02-28 17:30 to 2026-03-03 14:00, by the 10 h 30 min of working time in it
   2026-02-26 10:00–12:00 working hours, counts 2 working hours
   2026-02-26 12:00–13:30 lunch break, not counted
   2026-02-26 13:30–17:30 working hours, counts 4 working hours
   2026-02-26 17:30 – 2026-02-27 09:00 outside working hours, not counted
   2026-02-27 09:00–12:00 working hours, counts 3 working hours
   2026-02-27 12:00–13:30 lunch break, not counted
   2026-02-27 13:30–15:00 working hours, counts 1.5 working hours
3. Extended by 2 working days (basis: procurement; approved by supervisor): due moves from 2026-03-03 14:00 to 2026-03-05 17:30
   2026-03-03 14:00 – 2026-03-04 00:00 that day, counting starts on the next working day, not counted
   2026-03-04 working day, counts 1 working day
   2026-03-05 00:00–17:30 working day, counts 1 working day
"""


def kinds(explanation: Explanation) -> list[str]:
    return [step.kind for step in explanation.steps]


def made_by(explanation: Explanation) -> list[Link]:
    return [step for step in explanation.steps if step.kind in SHIFTING]


# ---- Spring Festival 2026


def test_a_due_date_over_spring_festival_reads_line_by_line() -> None:
    explanation = over_spring_festival().explained()
    assert as_text(explanation) == ZH
    assert as_text(explanation, "en") == EN


def test_the_same_as_data() -> None:
    said = over_spring_festival().explained().model_dump(mode="json")
    steps = said.pop("steps")
    assert said == {
        "clock": "resolve", "calendar": CN.version, "timezone": "Asia/Shanghai", "started_at": "2026-02-12T07:20:00Z",
        "due_at": "2026-03-05T09:30:00Z", "provisional": False, "complete": True,
    }  # fmt: skip
    assert [
        (s["kind"], s["due_before"], s["due_after"], sum(line["counted"] for line in s["lines"])) for s in steps
    ] == [
        ("budget", None, "2026-02-28T09:30:00Z", 7),
        ("pause", "2026-02-28T09:30:00Z", "2026-03-03T06:00:00Z", 10.5),
        ("extension", "2026-03-03T06:00:00Z", "2026-03-05T09:30:00Z", 2),
    ]
    assert steps[0]["lines"][3] == {
        "from_at": "2026-02-14T16:00:00Z", "until_at": "2026-02-23T16:00:00Z", "kind": "holiday", "name": "春节",
        "text_zh": "2026-02-15 – 2026-02-23 春节 法定节假日，不计",
        "text_en": "2026-02-15 – 2026-02-23 Spring Festival, public holiday, not counted", "counted": 0.0,
    }  # fmt: skip


def test_the_how_to_shows_what_the_product_says() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert ZH in page and EN in page
    (shown,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    step = over_spring_festival().explained().model_dump(mode="json")["steps"][1]
    assert json.loads(shown) == step | {"lines": step["lines"][:2]}


# ---- the other ways a clock can stand


def test_a_clock_that_stands_still_is_due_nobody_knows_when() -> None:
    case = Case("2026-02-12 15:20").does("2026-02-12 16:00", b.WORKER, c.RequestInfo(reason="awaiting_material"))
    explanation = case.explained()
    assert kinds(explanation) == ["budget", "open_pause"]
    assert explanation.due_at is None and explanation.complete
    assert explanation.steps[-1].due_after is None
    assert explanation.steps[-1].text_zh == "自 2026-02-12 16:00 起暂停（等待材料）：恢复之前到期未知"
    assert as_text(explanation, "en").startswith("resolve: paused, due unknown")


def test_a_pause_in_the_night_moves_nothing() -> None:
    case = Case("2026-02-12 15:20").accepted().pauses("2026-02-12 18:00", "2026-02-13 08:00")
    explanation = case.explained()
    assert [s.due_after for s in made_by(explanation)] == [at("2026-02-28 17:30")] * 2
    assert explanation.steps[1].text_en.endswith("no working time in it, due stays")
    assert [line.kind for line in explanation.steps[1].lines] == ["closed"]


def test_a_kept_clock_says_how_much_was_left_and_a_late_one_how_late_it_was() -> None:
    case = Case("2026-02-12 15:20").does("2026-02-12 16:00", b.WORKER, c.Accept())
    assert case.explained(ClockName.ACCEPT).steps[-1].text_zh == (
        "已于 2026-02-12 16:00 停止：按时，尚余 1 小时 20 分工作时间"
    )
    case.does("2026-02-24 11:15", b.SUPERVISOR, c.Note(note_id="n1")).does("2026-02-24 13:45", b.WORKER, c.Contact())
    contact = case.explained(ClockName.CONTACT)
    assert kinds(contact) == ["budget", "stopped"]
    # Saturday the 14th is worked: 7 h; then the 24th 09:00–12:00 and 13:30–13:45.
    assert contact.steps[-1].text_en == "Stopped 2026-02-24 13:45: late by 10 h 15 min of working time"


def test_a_broken_clock_that_runs_on_says_when_it_broke() -> None:
    case = Case("2026-02-12 15:20").does("2026-02-24 10:00", b.SUPERVISOR, c.Note(note_id="n1"))
    explanation = case.explained(ClockName.CONTACT)
    assert kinds(explanation) == ["budget", "broken"]
    assert explanation.steps[-1].text_zh == "已于 2026-02-13 17:30 逾期，仍在计时"


def test_a_clock_that_broke_before_its_due_instant_moved_stays_broken() -> None:
    case = Case("2026-02-12 15:20").accepted().does("2026-02-12 16:00", b.WORKER, c.Escalate(reason="several_units"))
    assign = b.a_decision(DecisionKind.ASSIGN, case.demand, due_at=at("2026-03-20 12:00"))
    case.does("2026-03-11 10:00", SYSTEM, assign).does("2026-03-12 10:00", b.LIAISONS["D"], b.resolved())
    explanation = case.explained()
    assert kinds(explanation) == ["budget", "decision", "stopped"] and explanation.complete
    assert explanation.due_at == at("2026-03-20 12:00")
    assert explanation.steps[-1].text_zh.endswith("未按时，此前曾于 2026-02-28 17:30 逾期")


def test_a_redo_counts_the_time_it_was_thought_done_as_a_pause() -> None:
    case = Case("2026-02-12 15:20").accepted().does("2026-02-13 10:00", b.WORKER, b.resolved())
    case.does("2026-02-24 10:00", b.REPORTER, b.not_solved())
    explanation = case.explained()
    assert kinds(explanation) == ["budget", "redo"] and explanation.complete
    assert "因重办恢复 2026-02-13 10:00 – 2026-02-24 10:00（诉求人反映未解决）" in explanation.steps[1].text_zh


def test_a_meeting_sets_the_due_instant_and_its_review() -> None:
    case = Case("2026-02-12 15:20").does("2026-02-12 16:00", b.WORKER, c.Escalate(reason="several_units"))
    shelve = b.a_decision(DecisionKind.SHELVE, case.demand, review_at=at("2026-03-10 10:00"))
    case.does("2026-02-13 10:00", SYSTEM, shelve)
    review = case.explained(ClockName.REVIEW)
    assert kinds(review) == ["fixed"] and review.complete
    assert review.steps[0].text_en == "Set by the joint meeting: due 2026-03-10 10:00"
    assert case.explained().steps[-1].text_zh.startswith("自 2026-02-13 10:00 起暂停（挂账）")
    case.does("2026-03-10 10:00", SYSTEM, c.Ring())
    assign = b.a_decision(DecisionKind.ASSIGN, case.demand, due_at=at("2026-03-20 12:00"))
    case.does("2026-03-11 10:00", SYSTEM, assign)
    for name in (ClockName.RESOLVE, ClockName.UNIT_DUE):
        explanation = case.explained(name)
        assert explanation.complete and explanation.due_at == at("2026-03-20 12:00")
        assert explanation.steps[-1].kind == "decision"
        assert explanation.steps[-1].text_zh.startswith("联席会议 c1 决定（主持：chair）：到期由 ")


def test_another_class_is_told_with_what_was_due_before_it() -> None:
    case = Case("2026-02-12 15:20").accepted().pauses("2026-02-26 10:00", "2026-02-27 15:00")
    longer = promised(sla_class="complex", budgets={ClockName.RESOLVE: b.a_budget(15, "working_days")})
    case.reclassified("2026-02-27 16:00", longer)
    explanation = case.explained()
    assert kinds(explanation) == ["replanned", "budget", "pause"] and explanation.complete
    assert explanation.steps[0].due_before == at("2026-03-03 14:00")
    assert explanation.steps[0].due_after == explanation.due_at == explanation.steps[-1].due_after
    assert explanation.steps[0].text_zh.startswith(
        "2026-02-27 16:00 因改变类别从起算时刻重新计算：到期由 2026-03-03 14:00"
    )
    assert "承诺 15 个工作日" in explanation.steps[1].text_zh


def test_a_new_calendar_is_told_with_what_was_due_before_it() -> None:
    unpublished = CN.model_copy(
        update={
            "version": "draft",
            "off": (),
            "work": (),
            "published_until": at("2025-12-31 12:00").date(),
            "published_from": at("2025-01-01 12:00").date(),
        }
    )
    case = Case("2026-02-12 15:20", calendar=unpublished)
    before = case.explained()
    assert before.provisional and kinds(before) == ["budget", "provisional"]
    assert before.due_at == at("2026-02-23 17:30")
    case.adopts("2026-02-13 10:00", CN)
    after = case.explained()
    assert kinds(after) == ["replanned", "budget"] and after.complete and not after.provisional
    assert "因新日历从起算时刻重新计算：到期由 2026-02-23 17:30 改为 2026-02-28 17:30" in after.steps[0].text_zh
    assert [terms.calendar for terms in case.log().terms] == [CN.version, "draft"]


def test_a_chain_that_does_not_arrive_says_so() -> None:
    case = over_spring_festival()
    forged = case.clock().model_copy(update={"shifts": ()})
    explanation = explain_clock(CN, ClockName.RESOLVE, forged, b.a_budget(7, "working_days"), log=case.log())
    assert not explanation.complete and kinds(explanation) == ["budget", "gap"]
    assert explanation.steps[-1].due_after == explanation.due_at == forged.due_at
    assert "以记录为准" in as_text(explanation)


def test_an_extension_of_release_0_1_is_an_instant_with_its_basis() -> None:
    case = Case("2026-02-12 15:20", calendar=CN).accepted()
    budgets = {name: budget for name, budget in promised().budgets.items() if name is not ClockName.PAUSE}
    terms = case.demand.terms.model_copy(update={"budgets": budgets, "ladder": ()})
    case.demand = case.demand.model_copy(update={"promise": terms})
    case.extends("2026-02-13 10:00", "2026-02-13 11:00", 3)
    explanation = case.explained()
    assert kinds(explanation) == ["budget", "decision"] and explanation.complete
    assert explanation.steps[1].text_zh.startswith("延期（依据：采购；批准：supervisor）")


def test_without_a_log_the_chain_is_the_same_and_knows_no_reasons() -> None:
    case = over_spring_festival()
    bare = explain_clock(CN, ClockName.RESOLVE, case.clock(), b.a_budget(7, "working_days"))
    full = case.explained()
    assert bare.complete
    assert [(s.kind, s.due_before, s.due_after) for s in bare.steps] == [
        (s.kind, s.due_before, s.due_after) for s in full.steps
    ]
    assert "procurement" not in as_text(bare, "en") and "public holiday" in as_text(bare, "en")


def test_what_began_again_is_told_from_its_new_start() -> None:
    case = Case("2026-02-12 15:20").does("2026-02-12 16:00", b.WORKER, b.resolved())
    first = case.clock(ClockName.CALL_BACK)
    case.does(f"{first.due_at.astimezone(at('2026-01-01 00:00').tzinfo):%Y-%m-%d} 17:30", SYSTEM, c.Ring())
    assert case.clock(ClockName.CALL_BACK).started_at == first.due_at
    explanation = case.explained(ClockName.CALL_BACK)
    assert explanation.complete and explanation.started_at == first.due_at
    assert "受理当日" not in as_text(explanation) and "当日，次日起算" in as_text(explanation)


# ---- whatever happens to a clock

GAPS = st.timedeltas(timedelta(0), timedelta(days=9))
MOVES = st.lists(st.tuples(st.sampled_from(["pause", "stop", "extend", "set"]), GAPS, GAPS), max_size=6)
few = settings(max_examples=80, deadline=None)


class Life:
    """A clock that runs, stands still and is given more time, by the same moves that commands make."""

    def __init__(self, calendar: Calendar, start: datetime, budget: Budget) -> None:
        self.calendar, self.now, self.entries = calendar, start, list[Entry]()
        self.demand = Demand(number=b.NUMBER)
        promise = promised(calendar=calendar.version, budgets={ClockName.RESOLVE: budget})
        self.turns(lambda t: (t.emit(b.a_submission(promise=promise)), t.start(ClockName.RESOLVE)))

    def turns(self, moves: object) -> None:
        turn = Turn(self.demand, self.now, self.calendar, b.SUPERVISOR)
        moves(turn)  # type: ignore[operator]
        self.demand, entries = seal(turn.demand, turn.events, at=self.now, actor=b.SUPERVISOR.id)
        self.entries += entries

    def move(self, kind: str, wait: timedelta, last: timedelta) -> None:
        self.now += wait
        name = ClockName.RESOLVE
        if kind == "pause":
            self.turns(lambda t: (t.emit(e.InfoRequested(reason="weather")), t.pause(name)))
            self.now += last
            self.turns(lambda t: t.resume(name))
        elif kind == "stop":
            self.turns(lambda t: t.stop(name))
            self.now += last
            self.turns(lambda t: (t.emit(e.RedoOrdered(count=1, reason="not_solved")), t.resume(name)))
        elif kind == "extend":
            asked = e.ExtensionRequested(working_days=last.days % 3 + 1, basis="season")
            self.turns(lambda t: t.emit(asked))
            self.turns(lambda t: (t.emit(e.ExtensionDecided(approved=True)), t.extend(name, asked.working_days)))
        else:
            said = e.MeetingDecided(meeting="c1", turn=1, kind=DecisionKind.ASSIGN, chair="chair")
            due_at = self.now + last
            self.turns(lambda t: (t.emit(said), t.emit(e.ClockExtended(clock=name, due_at=due_at))))

    @property
    def clock(self) -> Clock:
        return self.demand.clocks[ClockName.RESOLVE]

    def explained(self) -> Explanation:
        log = read_log(self.entries)[ClockName.RESOLVE]
        budget = self.demand.terms.budgets[ClockName.RESOLVE]
        return explain_clock(self.calendar, ClockName.RESOLVE, self.clock, budget, log=log, names=HOLIDAYS)


EXPECTED = {"pause": "pause", "stop": "redo", "extend": "extension", "set": "decision"}


@few
@given(calendars(), STARTS, st.integers(1, 20), UNITS, MOVES)
def test_the_chain_arrives_at_the_due_instant_whatever_happened(
    calendar: Calendar, start: datetime, amount: int, unit: Unit, moves: list[tuple[str, timedelta, timedelta]]
) -> None:
    life = Life(calendar, start, Budget(amount=amount, unit=unit))
    for move in moves:
        life.move(*move)
    explanation, steps = life.explained(), made_by(life.explained())
    assert explanation.complete
    assert steps[-1].due_after == explanation.due_at == life.clock.due_at
    assert [s.kind for s in steps] == ["budget", *(EXPECTED[kind] for kind, _, _ in moves)]
    assert all(one.due_after == two.due_before for one, two in pairwise(steps))
    assert all(one.until_at == two.from_at for s in steps for one, two in pairwise(s.lines))
    assert "season" in as_text(explanation, "en") or "extend" not in [kind for kind, _, _ in moves]
    for step in steps:
        if step.kind in ("pause", "redo"):
            assert step.due_before and step.due_after
            moved = measure(calendar, Budget(amount=amount, unit=unit), step.due_before, step.due_after)
            assert sum(line.counted for line in step.lines) == pytest.approx(moved / HOUR, abs=1e-6)


@few
@given(calendars(), STARTS, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_what_a_pause_lost_is_told_without_gaps_and_adds_up(
    calendar: Calendar, begin: datetime, span: timedelta
) -> None:
    lines = lost(calendar, begin, begin + span)
    assert sum(line.counted for line in lines) == pytest.approx(elapsed(calendar, begin, begin + span) / HOUR, abs=1e-6)
    assert all(one.until_at == two.from_at for one, two in pairwise(lines))
    if lines:
        assert (lines[0].from_at, lines[-1].until_at) == (begin, begin + span)
    assert bool(lines) is (span > timedelta(0))


def test_a_pause_of_months_is_told_in_a_few_lines() -> None:
    begin, end = datetime(2026, 1, 5, 2, tzinfo=UTC), datetime(2026, 7, 1, 2, tzinfo=UTC)
    lines = lost(CN, begin, end, HOLIDAYS)
    assert len(lines) < 80
    assert [line.name for line in lines if line.kind == "holiday"] == ["春节", "清明节", "劳动节", "端午节"]
    assert "2026-03-02 – 2026-03-06 工作日，计 35 工作时" in [line.text_zh for line in lines]


def test_no_log_is_an_empty_log() -> None:
    assert read_log([]) == {}
    assert ClockLog().causes == ()
