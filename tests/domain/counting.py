"""Counting the cases of one story, for tests of figures."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from domain import commands as c
from domain.kpi_cases import Case
from domain.kpi_definition import Definition, RateBook
from domain.rates import Period, cases_in
from domain.vocabulary import Satisfied, Solved
from tests.domain import builders as b

SHANGHAI = ZoneInfo("Asia/Shanghai")
BOOK = RateBook.model_validate(b.RATES)
MARCH = Period(datetime(2027, 3, 1, tzinfo=SHANGHAI), datetime(2027, 4, 1, tzinfo=SHANGHAI))
APRIL = Period(MARCH.end, datetime(2027, 5, 1, tzinfo=SHANGHAI))
SPRING = Period(MARCH.start, APRIL.end)


def the_definition(**changes: Any) -> Definition:
    definition = BOOK.definition()
    assert definition is not None
    return definition.model_copy(update=changes)


def counted(story: b.Story, figure: str, period: Period = MARCH, **changes: Any) -> list[Case]:
    found = cases_in(b.NUMBER, story.entries, the_definition(**changes), period, zone=SHANGHAI)
    return [case for case in found if case.figure == figure]


def share(story: b.Story, figure: str, period: Period = MARCH, **changes: Any) -> tuple[object, int]:
    """Numerator and denominator."""
    cases = [case for case in counted(story, figure, period, **changes) if not case.excluded]
    return sum((case.value for case in cases), Decimal(0)), len(cases)


def worth(case: Case) -> int | Decimal:
    return case.value


def types_behind(story: b.Story, case: Case, side: str = "numerator") -> list[str]:
    return [story.entries[seq - 1].type for seq in getattr(case, side)]


def an_answer(solved: Solved = Solved.YES, satisfied: Satisfied = Satisfied.SATISFIED) -> c.Confirm:
    return c.Confirm(contacted=True, solved=solved, satisfied=satisfied)
